//! Refresh (RFC 8656 §8), CreatePermission (§10) and ChannelBind (§12).

use std::net::{IpAddr, SocketAddr};

use super::allocate::{family_of, lifetime};
use super::allocation::Unfit;
use super::request::{Caller, Granted, Refusal, unknown};
use super::{Allocation, Family, LIFETIME_DEFAULT, Now, RelayId, Relays, Server};
use crate::attribute::read_address;
use crate::channel::CHANNELS;
use crate::message::{Message, kind, u16_at};

pub(super) const MALFORMED: Refusal = Refusal::Status(400, "Bad Request");
pub(super) const FORBIDDEN: Refusal = Refusal::Status(403, "Forbidden");
pub(super) const OTHER_FAMILY: Refusal = Refusal::Status(443, "Peer Address Family Mismatch");

impl From<Unfit> for Refusal {
    fn from(unfit: Unfit) -> Refusal {
        match unfit {
            Unfit::Full => Refusal::Status(508, "Insufficient Capacity"),
            Unfit::Bound => MALFORMED,
        }
    }
}

impl Server {
    /// The caller's own allocation: 437 without one, 441 when somebody else made it.
    pub(super) fn own(&mut self, caller: &Caller<'_>) -> Result<(RelayId, &mut Allocation), Refusal> {
        let user = self.users.find(caller.user);
        let mismatch = Refusal::Status(437, "Allocation Mismatch");
        let (relay, allocation) = self.table.by_client(caller.client).ok_or(mismatch)?;
        if Some(allocation.user) != user {
            return Err(Refusal::Status(441, "Wrong Credentials"));
        }
        Ok((relay, allocation))
    }

    pub(super) fn refresh(
        &mut self,
        now: Now,
        caller: &Caller<'_>,
        message: &Message<'_>,
        relays: &mut dyn Relays,
    ) -> Result<Granted, Refusal> {
        let (relay, allocation) = self.own(caller)?;
        let unknown = unknown(message, &[kind::LIFETIME, kind::REQUESTED_ADDRESS_FAMILY]);
        if !unknown.is_empty() {
            return Err(Refusal::Unknown(unknown));
        }
        let family = message.value(kind::REQUESTED_ADDRESS_FAMILY);
        if family.is_some_and(|value| family_of(value) != Some(Family::of(allocation.relay))) {
            return Err(OTHER_FAMILY);
        }
        let lifetime = lifetime(message)?;
        if lifetime.is_zero() {
            self.remove(relay, relays);
            return Ok(Granted::Refreshed { lifetime });
        }
        let lifetime = lifetime.max(LIFETIME_DEFAULT);
        self.table.reschedule(relay, now.second() + lifetime.as_secs());
        Ok(Granted::Refreshed { lifetime })
    }

    pub(super) fn create_permission(
        &mut self,
        now: Now,
        caller: &Caller<'_>,
        message: &Message<'_>,
    ) -> Result<Granted, Refusal> {
        let family = Family::of(self.own(caller)?.1.relay);
        let unknown = unknown(message, &[kind::XOR_PEER_ADDRESS]);
        if !unknown.is_empty() {
            return Err(Refusal::Unknown(unknown));
        }
        let named = message.attributes().filter(|attribute| attribute.kind == kind::XOR_PEER_ADDRESS);
        let peers: Option<Vec<SocketAddr>> =
            named.map(|peer| read_address(peer.value, message.transaction())).collect();
        let peers = peers.filter(|peers| !peers.is_empty()).ok_or(MALFORMED)?;
        if peers.iter().any(|peer| Family::of(*peer) != family) {
            return Err(OTHER_FAMILY);
        }
        let addresses: Vec<IpAddr> = peers.iter().map(SocketAddr::ip).collect();
        if addresses.iter().any(|address| !self.peers.allow_address(*address)) {
            self.totals.forbidden += 1;
            return Err(FORBIDDEN);
        }
        // All or none (RFC 8656 §10.2).
        let (_, allocation) = self.own(caller)?;
        if !allocation.has_room_for(&addresses, now.second()) {
            return Err(Unfit::Full.into());
        }
        for address in addresses {
            allocation.permit(address, now.second())?;
        }
        Ok(Granted::Permitted)
    }

    pub(super) fn channel_bind(
        &mut self,
        now: Now,
        caller: &Caller<'_>,
        message: &Message<'_>,
    ) -> Result<Granted, Refusal> {
        let (_, allocation) = self.own(caller)?;
        let family = Family::of(allocation.relay);
        if allocation.tcp.is_some() {
            return Err(FORBIDDEN);
        }
        let unknown = unknown(message, &[kind::CHANNEL_NUMBER, kind::XOR_PEER_ADDRESS]);
        if !unknown.is_empty() {
            return Err(Refusal::Unknown(unknown));
        }
        let number = message.value(kind::CHANNEL_NUMBER).filter(|value| value.len() == 4).map(|value| u16_at(value, 0));
        let number = number.filter(|number| CHANNELS.contains(number)).ok_or(MALFORMED)?;
        let peer = message.value(kind::XOR_PEER_ADDRESS).ok_or(MALFORMED)?;
        let peer = read_address(peer, message.transaction()).ok_or(MALFORMED)?;
        if Family::of(peer) != family {
            return Err(OTHER_FAMILY);
        }
        if !self.peers.allow(peer) {
            self.totals.forbidden += 1;
            return Err(FORBIDDEN);
        }
        self.own(caller)?.1.bind(number, peer, now.second())?;
        Ok(Granted::Permitted)
    }
}
