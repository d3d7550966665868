//! Every allocation: found by its client with one probe, by its relay port with none, and by when it ends.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::SocketAddr;

use super::users::UserId;
use super::{Allocation, RelayId};
use crate::Client;
use crate::hash::Seeded;

/// Entries of ended allocations that the queue of ends may hold before it is made anew.
const STALE_MAX: usize = 1024;
/// Ports that are kept for the next allocation at a time; beyond that EVEN-PORT with a reservation gets 508.
const RESERVATIONS_MAX: usize = 256;
/// How long a port is kept (RFC 8656 §7.2).
const RESERVATION_SECONDS: u64 = 30;

/// A port that waits for the allocation that names its token (RFC 8656 §7.2).
#[derive(Debug)]
pub(crate) struct Reservation {
    pub(crate) token: [u8; 8],
    pub(crate) relay: RelayId,
    pub(crate) address: SocketAddr,
    pub(crate) user: UserId,
    expires: u64,
}

#[derive(Debug)]
pub(crate) struct Table {
    clients: HashMap<Client, RelayId, Seeded>,
    slots: Vec<Option<Allocation>>,
    free: Vec<RelayId>,
    ends: BinaryHeap<Reverse<(u64, RelayId)>>,
    reservations: Vec<Reservation>,
}

impl Table {
    pub(crate) fn new(seed: Seeded) -> Table {
        Table {
            clients: HashMap::with_hasher(seed),
            slots: Vec::new(),
            free: Vec::new(),
            ends: BinaryHeap::new(),
            reservations: Vec::new(),
        }
    }

    /// Allocations and kept ports.
    pub(crate) fn len(&self) -> usize {
        self.clients.len() + self.reservations.len()
    }

    pub(crate) fn of_client(&self, client: &Client) -> Option<RelayId> {
        self.clients.get(client).copied()
    }

    /// The allocation of a client, in one probe.
    pub(crate) fn by_client(&mut self, client: &Client) -> Option<(RelayId, &mut Allocation)> {
        let relay = *self.clients.get(client)?;
        self.get(relay).map(|allocation| (relay, allocation))
    }

    pub(crate) fn get(&mut self, relay: RelayId) -> Option<&mut Allocation> {
        self.slots.get_mut(relay.0 as usize)?.as_mut()
    }

    /// Allocations and kept ports of a user.
    pub(crate) fn of_user(&self, user: UserId) -> Vec<RelayId> {
        let standing = self.slots.iter().enumerate().filter(|(_, slot)| slot.as_ref().is_some_and(|a| a.user == user));
        let kept = self.reservations.iter().filter(|kept| kept.user == user).map(|kept| kept.relay);
        standing.map(|(i, _)| RelayId(i as u32)).chain(kept).collect()
    }

    /// A number for a new allocation.
    pub(crate) fn number(&mut self) -> RelayId {
        self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            RelayId((self.slots.len() - 1) as u32)
        })
    }

    /// Gives a number back that came to nothing.
    pub(crate) fn give_back(&mut self, relay: RelayId) {
        self.free.push(relay);
    }

    pub(crate) fn insert(&mut self, relay: RelayId, allocation: Allocation) {
        self.clients.insert(allocation.client, relay);
        self.ends.push(Reverse((allocation.expires, relay)));
        self.slots[relay.0 as usize] = Some(allocation);
    }

    /// Ends an allocation or a reservation; gives whose it was.
    pub(crate) fn remove(&mut self, relay: RelayId) -> Option<UserId> {
        let user = match self.slots.get_mut(relay.0 as usize)?.take() {
            Some(allocation) => {
                self.clients.remove(&allocation.client);
                allocation.user
            }
            None => {
                let at = self.reservations.iter().position(|kept| kept.relay == relay)?;
                self.reservations.swap_remove(at).user
            }
        };
        self.free.push(relay);
        if self.ends.len() > 2 * self.clients.len() + STALE_MAX {
            self.ends = self.ends.drain().filter(|Reverse((at, relay))| counts(&self.slots, *at, *relay)).collect();
        }
        Some(user)
    }

    /// The allocation now ends later or sooner.
    pub(crate) fn reschedule(&mut self, relay: RelayId, expires: u64) {
        let Some(allocation) = self.get(relay) else { return };
        allocation.expires = expires;
        if expires < allocation.scheduled {
            allocation.scheduled = expires;
            self.ends.push(Reverse((expires, relay)));
        }
    }

    /// Takes one that has ended off the queue; it still stands and is to be removed.
    pub(crate) fn take_expired(&mut self, second: u64) -> Option<RelayId> {
        if let Some(kept) = self.reservations.iter().find(|kept| kept.expires <= second) {
            return Some(kept.relay);
        }
        while let Some(Reverse((at, relay))) = self.ends.peek().copied() {
            if at > second {
                return None;
            }
            self.ends.pop();
            let Some(allocation) = self.slots[relay.0 as usize].as_mut().filter(|found| found.scheduled == at) else {
                continue;
            };
            if allocation.expires <= second {
                return Some(relay);
            }
            // It was refreshed since.
            allocation.scheduled = allocation.expires;
            self.ends.push(Reverse((allocation.expires, relay)));
        }
        None
    }

    pub(crate) fn next_expiry(&self) -> Option<u64> {
        let kept = self.reservations.iter().map(|kept| kept.expires).min();
        self.ends.peek().map(|Reverse((at, _))| *at).into_iter().chain(kept).min()
    }

    pub(crate) fn may_reserve(&self) -> bool {
        self.reservations.len() < RESERVATIONS_MAX
    }

    pub(crate) fn reserve(&mut self, token: [u8; 8], relay: RelayId, address: SocketAddr, user: UserId, second: u64) {
        self.reservations.push(Reservation { token, relay, address, user, expires: second + RESERVATION_SECONDS });
    }

    /// Takes the port that was kept for a user under a token.
    pub(crate) fn redeem(&mut self, token: &[u8], user: UserId) -> Option<Reservation> {
        let at = self.reservations.iter().position(|kept| kept.token == token && kept.user == user)?;
        Some(self.reservations.swap_remove(at))
    }
}

fn counts(slots: &[Option<Allocation>], at: u64, relay: RelayId) -> bool {
    slots[relay.0 as usize].as_ref().is_some_and(|allocation| allocation.scheduled == at)
}
