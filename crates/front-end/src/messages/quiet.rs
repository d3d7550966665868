//! Do not disturb: what waits for somebody goes on waiting, but for what their workgroup writes.

use lyceum_sip::time::Now;
use lyceum_topology::{Snapshot, routing_group};
use lyceum_users::contacts::ContactList;
use lyceum_users::messages::WaitingMessage;
use lyceum_users::presence::{AggregateState, Band, Reach, reach};

use super::letter::{Kind, kind_of};
use crate::core::Core;
use crate::events::{presentity, user_at};

/// The wish of somebody who does not want to be disturbed.
pub(super) struct Quiet<'a> {
    aor: &'a str,
    snapshot: &'a Snapshot,
    state: AggregateState,
    contacts: ContactList,
}

impl Quiet<'_> {
    /// Whether this message may be delivered all the same.
    pub(super) fn lets_pass(&self, message: &WaitingMessage<'_>) -> bool {
        if message.sender == self.aor || kind_of(message.content_type, message.body.0) != Kind::Words {
            return true;
        }
        let domain = message.sender.split_once('@').map_or("", |(_, domain)| domain);
        let is_ours = self.snapshot.is_our_domain(domain.as_bytes());
        reach(&self.state, self.contacts.relationship_of(message.sender, is_ours)) == Reach::Allowed
    }
}

impl Core {
    /// The wish of this user, if they do not want to be disturbed now.
    pub(super) fn quiet<'a>(&'a self, now: Now, aor: &'a str) -> Option<Quiet<'a>> {
        let at = usize::from(routing_group(aor));
        if !self.may_refuse(at) {
            return None;
        }
        let (snapshot, group) = (&*self.snapshot, &self.groups[at]);
        let state = self.events.presentities[at].state(presentity(now, snapshot, user_at(snapshot, aor)?), group);
        if state.availability.band() != Band::DoNotDisturb {
            return None;
        }
        Some(Quiet { aor, snapshot, state, contacts: ContactList::load(group, aor).unwrap_or_default() })
    }
}
