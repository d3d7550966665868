//! A user who may no longer sign in as before, and the connections that go with it.

use lyceum_net::{Flow, Outbox};
use lyceum_sip::time::{Now, WallTime};
use lyceum_sip::token::ends::Ends;
use lyceum_topology::{UserId, routing_group};

use super::Core;

impl Core {
    /// A user was removed or disabled, or has another password: registrations and subscriptions end, and every connection on
    /// which they proved who they are is cut.
    pub fn user_gone(&mut self, now: Now, user: UserId, address: &str, out: &mut Outbox) {
        let group = usize::from(routing_group(address));
        let mut flows = self.signed.of(user, None);
        flows.extend(self.groups[group].bindings(now, address).filter_map(|binding| Flow::decode(binding.flow())));
        self.groups[group].remove_user(address, &mut self.journal);
        self.watcher_gone(now, address, out);
        self.facts_changed(now, address);
        self.cut(flows, out);
        self.close_block(now);
    }

    /// The ends that were stored before the start.
    pub fn set_ends(&mut self, ends: Ends) {
        self.ends = ends;
    }

    /// The page of a device signed out, or with `None` every page did: its tokens from before are worth nothing, its
    /// registrations end, and its connections are cut.
    pub fn page_ended(
        &mut self,
        now: Now,
        (user, device): (UserId, Option<u64>),
        at: WallTime,
        address: &str,
        out: &mut Outbox,
    ) {
        self.ends.end(user.0, device, at);
        let Some(device) = device else { return };
        let flows = self.signed.of(user, Some(device));
        let group = usize::from(routing_group(address));
        let stays = |binding: &lyceum_users::Binding<'_>| {
            Flow::decode(binding.flow()).is_none_or(|flow| !flows.contains(&flow))
        };
        if self.groups[group].retain(address, &mut self.journal, stays) > 0 {
            self.facts_changed(now, address);
        }
        self.cut(flows, out);
        self.close_block(now);
    }

    /// A connection is gone. Its bindings stay until they lapse, the phone registers anew or needs their place; requests to
    /// them fail fast.
    pub fn flow_closed(&mut self, _now: Now, flow: Flow, _out: &mut Outbox) {
        self.signed.closed(flow);
    }

    /// Ends registrations whose connection is closed: they hold places and reach nobody.
    pub(crate) fn release_closed(&mut self, address: &str) -> usize {
        let group = usize::from(routing_group(address));
        let signed = &self.signed;
        let is_there = |binding: &lyceum_users::Binding<'_>| match Flow::decode(binding.flow()) {
            Some(flow @ Flow::Stream { .. }) => signed.is_open(flow),
            _ => true,
        };
        self.groups[group].retain(address, &mut self.journal, is_there)
    }

    fn cut(&mut self, mut flows: Vec<Flow>, out: &mut Outbox) {
        flows.sort_unstable();
        flows.dedup();
        for flow in flows.into_iter().filter(|flow| matches!(flow, Flow::Stream { .. })) {
            out.close(flow);
        }
    }
}
