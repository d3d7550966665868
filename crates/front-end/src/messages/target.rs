//! Who a message is from and for: by proof, by device and by route, not by what its headers claim.

use std::sync::Arc;

use lyceum_sip::gruu::Gruu;
use lyceum_sip::time::Now;
use lyceum_sip::{Message, Uri};
use lyceum_topology::{Snapshot, UserId, UserRecord, routing_group};
use lyceum_users::messages::{DeviceKey, MessageId};

use super::letter::{address_of, sender_of};
use crate::calls::admit::{Admitted, Sender};
use crate::core::Core;
use crate::inbound::Inbound;
use crate::route::{Intent, Route, decide};

impl Core {
    /// The user that a URI leads to, as the proxy would find it: by a GRUU, a number, or an address with our host in place
    /// of the domain. With a GRUU, its one device.
    pub(super) fn target<'u>(
        &self,
        uri: &Uri<'u>,
        raw: &[u8],
        snapshot: &Snapshot,
    ) -> Option<(Arc<UserRecord>, Option<Gruu<'u>>)> {
        let gruu = self.gruus.read(uri);
        if let Some(Gruu::Temporary(what)) = &gruu
            && let Some(user) = snapshot.directory().by_id(UserId(what.user)).filter(|user| user.enabled)
            && uri.host_text().eq_ignore_ascii_case(user.address.domain().as_bytes())
        {
            return Some((Arc::clone(user), gruu));
        }
        match decide(snapshot, &Intent { request_uri: raw, to_this_host: self.is_us(uri), traced: false }).route {
            Route::User(user) => Some((user, gruu)),
            _ => None,
        }
    }

    /// Whether the proxy has no way to forward it to: it says why.
    pub(super) fn leads_nowhere(&self, admitted: &Admitted<'_>, snapshot: &Snapshot) -> bool {
        if matches!(admitted.sender, Sender::Dialog(_)) || !admitted.plan.routes.is_empty() {
            return false;
        }
        let raw = admitted.plan.request_uri;
        let to_this_host = Uri::parse(raw).is_ok_and(|uri| self.is_us(&uri));
        matches!(decide(snapshot, &Intent { request_uri: raw, to_this_host, traced: false }).route, Route::Refuse(_))
    }

    /// The devices of a user that are signed in.
    pub(crate) fn devices(&self, now: Now, aor: &str) -> Vec<DeviceKey> {
        let bindings = self.groups[usize::from(routing_group(aor))].bindings(now, aor);
        let mut devices: Vec<DeviceKey> =
            bindings.map(|binding| DeviceKey::of(binding.instance(), binding.uri())).collect();
        devices.sort_unstable();
        devices.dedup();
        devices
    }

    /// Those of them that a GRUU names.
    pub(super) fn devices_of(&self, now: Now, aor: &str, gruu: Option<&Gruu<'_>>) -> Vec<DeviceKey> {
        let bindings = || self.groups[usize::from(routing_group(aor))].bindings(now, aor);
        match gruu {
            None => return self.devices(now, aor),
            Some(Gruu::Temporary(what)) if !crate::gruu::is_valid(&self.gruus, what, bindings()) => return Vec::new(),
            Some(_) => {}
        }
        let of_gruu = bindings().filter(|binding| self.is_device(gruu, binding));
        let mut devices: Vec<DeviceKey> =
            of_gruu.map(|binding| DeviceKey::of(binding.instance(), binding.uri())).collect();
        devices.sort_unstable();
        devices.dedup();
        devices
    }

    pub(super) fn next_message_id(&mut self, now: Now, at: usize) -> MessageId {
        let random = self.random.bits().to_be_bytes();
        self.messages.waiting[at].next_id(now.wall, random)
    }

    /// Both ends of a message that is forwarded.
    ///
    /// In a dialog From and To are what its first request said, and To may have been anything: the devices tell whose they
    /// are, as long as they are signed in by the flows of the dialog.
    pub(super) fn ends(&self, inbound: &Inbound<'_>, admitted: &Admitted<'_>, snapshot: &Snapshot) -> (String, String) {
        let message = &inbound.message;
        let (claimed, raw) = (sender_of(&admitted.sender, message), admitted.plan.request_uri);
        let Sender::Dialog(passage) = &admitted.sender else {
            let user = Uri::parse(raw).ok().and_then(|uri| self.target(&uri, raw, snapshot));
            let other = user.map(|(user, _)| user.address.to_string()).or_else(|| address_of(raw));
            return (claimed, other.unwrap_or_default());
        };
        let from = inbound.arrival.flow.encode();
        let sender = self.owner(inbound.now, &from, &claimed).unwrap_or(claimed);
        let claimed = to_address(message).unwrap_or_default();
        let to = passage.to().get(1..).unwrap_or_default();
        let other = self.owner(inbound.now, to, &claimed).unwrap_or(claimed);
        (sender, other)
    }

    /// Whose device is reached by this flow. Looked for among all users only when it is not the claimed one's.
    fn owner(&self, now: Now, flow: &[u8], claimed: &str) -> Option<String> {
        let group = &self.groups[usize::from(routing_group(claimed))];
        if group.bindings(now, claimed).any(|binding| binding.flow() == flow) {
            return Some(claimed.to_owned());
        }
        let mut all = self.groups.iter().flat_map(|group| group.iter(now));
        all.find(|one| one.bindings.clone().any(|binding| binding.flow() == flow)).map(|one| one.aor.to_owned())
    }
}

/// The address in To.
fn to_address(message: &Message<'_>) -> Option<String> {
    address_of(message.to().ok()?.uri)
}
