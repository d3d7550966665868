//! Allocate (RFC 8656 §7).

use std::net::SocketAddr;
use std::time::Duration;

use super::manage::MALFORMED;
use super::request::{Caller, Granted, Refusal, unknown};
use super::table::Reservation;
use super::users::UserId;
use super::{Allocation, Family, LIFETIME_DEFAULT, LIFETIME_MAX, Now, Port, RelayId, Relays, Server};
use crate::message::{Message, kind};

const KNOWN: &[u16] = &[
    kind::LIFETIME,
    kind::REQUESTED_TRANSPORT,
    kind::REQUESTED_ADDRESS_FAMILY,
    kind::EVEN_PORT,
    kind::RESERVATION_TOKEN,
];
/// UDP, as IP numbers it.
const UDP: u8 = 17;
/// TCP.
const TCP: u8 = 6;
/// What makes no sense for a TCP port (RFC 6062 §5.1).
const NOT_OVER_TCP: [u16; 3] = [kind::EVEN_PORT, kind::RESERVATION_TOKEN, kind::DONT_FRAGMENT];
/// How often an even port with its neighbour is looked for.
const PAIRS_TRIED: usize = 8;

pub(super) const FULL: Refusal = Refusal::Status(508, "Insufficient Capacity");
const NO_FAMILY: Refusal = Refusal::Status(440, "Address Family not Supported");

/// What an Allocate asks for.
struct Wish<'a> {
    /// A TCP port.
    tcp: bool,
    family: Family,
    /// The last bit tells that the next port is wanted too.
    even_port: Option<bool>,
    token: Option<&'a [u8]>,
    lifetime: Duration,
    /// A second family was asked for.
    additional: Option<u8>,
}

/// A relay port that was opened.
struct Opened {
    relay: RelayId,
    address: SocketAddr,
    next: Option<(RelayId, SocketAddr)>,
}

impl<'a> Wish<'a> {
    fn read(message: &Message<'a>, tcp_relays: bool, is_stream: bool) -> Result<Wish<'a>, Refusal> {
        let tcp = match message.value(kind::REQUESTED_TRANSPORT) {
            Some([UDP, _, _, _]) => false,
            Some([TCP, _, _, _]) if tcp_relays => true,
            Some([_, _, _, _]) => return Err(Refusal::Status(442, "Unsupported Transport Protocol")),
            _ => return Err(MALFORMED),
        };
        if tcp && (!is_stream || NOT_OVER_TCP.iter().any(|kind| message.find(*kind).is_some())) {
            return Err(MALFORMED);
        }
        let unknown = unknown(message, KNOWN);
        if !unknown.is_empty() {
            return Err(Refusal::Unknown(unknown));
        }
        let token = message.value(kind::RESERVATION_TOKEN);
        let family = message.value(kind::REQUESTED_ADDRESS_FAMILY);
        let additional = message.value(kind::ADDITIONAL_ADDRESS_FAMILY);
        let even_port = match message.value(kind::EVEN_PORT) {
            None => None,
            Some([bits, ..]) => Some(bits & 0x80 != 0),
            Some([]) => return Err(MALFORMED),
        };
        if (token.is_some() && (even_port.is_some() || family.is_some() || additional.is_some()))
            || (additional.is_some() && (family.is_some() || even_port == Some(true)))
            || token.is_some_and(|token| token.len() != 8)
        {
            return Err(MALFORMED);
        }
        let additional = additional.map(|value| value.first().copied().unwrap_or(0));
        if additional.is_some_and(|family| family != 2) {
            return Err(MALFORMED);
        }
        let family = match family {
            None => Family::V4,
            Some(value) => family_of(value).ok_or(NO_FAMILY)?,
        };
        Ok(Wish { tcp, family, even_port, token, lifetime: lifetime(message)?, additional })
    }
}

/// The family in a REQUESTED-ADDRESS-FAMILY.
pub(super) fn family_of(value: &[u8]) -> Option<Family> {
    match value {
        [1, ..] => Some(Family::V4),
        [2, ..] => Some(Family::V6),
        _ => None,
    }
}

/// The lifetime granted, zero when none is wanted (RFC 8656 §7.2, §8).
pub(super) fn lifetime(message: &Message<'_>) -> Result<Duration, Refusal> {
    let Some(value) = message.value(kind::LIFETIME) else { return Ok(LIFETIME_DEFAULT) };
    let seconds = u32::from_be_bytes(value.try_into().map_err(|_| MALFORMED)?);
    Ok(Duration::from_secs(seconds.into()).min(LIFETIME_MAX))
}

impl Server {
    pub(super) fn allocate(
        &mut self,
        now: Now,
        caller: &Caller<'_>,
        message: &Message<'_>,
        relays: &mut dyn Relays,
    ) -> Result<Granted, Refusal> {
        if let Some((_, standing)) = self.table.by_client(caller.client) {
            if standing.transaction != message.transaction() {
                return Err(Refusal::Status(437, "Allocation Mismatch"));
            }
            let lifetime = Duration::from_secs(standing.expires.saturating_sub(now.second()));
            return Ok(Granted::Allocated { relay: standing.relay, lifetime, reservation: None, without: None });
        }
        let wish = Wish::read(message, self.tcp_relays, caller.client.is_stream())?;
        if !relays.serves(wish.family) {
            return Err(NO_FAMILY);
        }
        let lifetime = wish.lifetime.max(LIFETIME_DEFAULT);
        let expires = now.second() + lifetime.as_secs();
        let (user, opened) = match wish.token {
            Some(token) => self.redeem(token, caller.user)?,
            None => {
                let user = self.may_allocate(now, caller.user)?;
                let opened = self.open(now, &wish, user, caller.user, relays);
                (user, opened.inspect_err(|_| self.users.release(user))?)
            }
        };
        let reservation = opened.next.map(|(relay, address)| {
            let token = self.token();
            self.table.reserve(token, relay, address, user, now.second());
            token
        });
        let mut allocation = Allocation::new(now, *caller.client, opened.address, user, message.transaction(), expires);
        allocation.tcp = wish.tcp.then(Box::default);
        self.table.insert(opened.relay, allocation);
        self.totals.allocations += 1;
        Ok(Granted::Allocated { relay: opened.address, lifetime, reservation, without: wish.additional })
    }

    fn may_allocate(&mut self, now: Now, name: &str) -> Result<UserId, Refusal> {
        if self.table.len() >= self.quotas.allocations as usize {
            return Err(FULL);
        }
        let most = self.quotas.allocations_per_user;
        self.users.take(name, most, now).ok_or(Refusal::Status(486, "Allocation Quota Reached"))
    }

    fn redeem(&mut self, token: &[u8], name: &str) -> Result<(UserId, Opened), Refusal> {
        let user = self.users.find(name).ok_or(FULL)?;
        let Reservation { relay, address, .. } = self.table.redeem(token, user).ok_or(FULL)?;
        Ok((user, Opened { relay, address, next: None }))
    }

    fn open(
        &mut self,
        now: Now,
        wish: &Wish<'_>,
        user: UserId,
        name: &str,
        relays: &mut dyn Relays,
    ) -> Result<Opened, Refusal> {
        if wish.even_port == Some(true) {
            if !self.table.may_reserve() || self.may_allocate(now, name)? != user {
                return Err(FULL);
            }
            return self.open_pair(wish.family, relays).ok_or(FULL).inspect_err(|_| self.users.release(user));
        }
        let port = if wish.even_port.is_some() { Port::Even } else { Port::Any };
        let relay = self.table.number();
        let opened = match wish.tcp {
            true => relays.listen(relay, wish.family),
            false => relays.open(relay, wish.family, port),
        };
        match opened {
            Some(address) => Ok(Opened { relay, address, next: None }),
            None => {
                self.table.give_back(relay);
                Err(FULL)
            }
        }
    }

    /// An even port and the next one.
    fn open_pair(&mut self, family: Family, relays: &mut dyn Relays) -> Option<Opened> {
        let (relay, next) = (self.table.number(), self.table.number());
        for _ in 0..PAIRS_TRIED {
            let Some(address) = relays.open(relay, family, Port::Even) else { break };
            let neighbour = Port::Exactly(address.port().saturating_add(1));
            if let Some(beside) = relays.open(next, family, neighbour) {
                return Some(Opened { relay, address, next: Some((next, beside)) });
            }
            relays.close(relay);
        }
        self.table.give_back(relay);
        self.table.give_back(next);
        None
    }

    /// A token that nobody guesses: a keyed hash of a count.
    pub(super) fn token(&mut self) -> [u8; 8] {
        self.indications += 1;
        let any = SocketAddr::from(([0, 0, 0, 0], 0));
        let hash = self.nonces.make(any, self.indications);
        let mut token = [0; 8];
        token.copy_from_slice(&hash[8..16]);
        token
    }
}
