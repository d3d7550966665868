//! A user who may no longer sign in as before, and the connections that go with it.

use lyceum_net::{Flow, Outbox};
use lyceum_sip::time::{Now, WallTime};
use lyceum_sip::token::ends::Ends;
use lyceum_topology::{UserId, routing_group};

use super::Core;
use crate::events::Done;
use lyceum_users::contacts::ContactList;
use lyceum_users::facet_kind;

impl Core {
    /// A user was removed or disabled, or has another password: registrations and subscriptions end, and every connection on
    /// which they proved who they are is cut.
    pub fn user_gone(&mut self, now: Now, user: UserId, address: &str, out: &mut Outbox) {
        let flows = self.signed.of(user, None);
        self.address_gone(now, address, flows, out);
    }

    /// Registrations and subscriptions of an address end, and its connections are cut with these.
    fn address_gone(&mut self, now: Now, address: &str, mut flows: Vec<Flow>, out: &mut Outbox) {
        let group = usize::from(routing_group(address));
        flows.extend(self.groups[group].bindings(now, address).filter_map(|binding| Flow::decode(binding.flow())));
        let through_edges = self.groups[group].bindings(now, address).filter_map(|binding| {
            let flow = Flow::decode(binding.flow()).filter(|flow| flow.link().is_some())?;
            Some((flow, binding.path().to_vec()))
        });
        for (flow, path) in through_edges.collect::<Vec<_>>() {
            self.close_outside(flow, &path, out);
        }
        self.groups[group].remove_user(address, &mut self.journal);
        self.watcher_gone(now, address, out);
        self.facts_changed(now, address);
        self.cut(flows, out);
        self.close_block(now);
    }

    /// The ends that were stored before the start.
    pub fn set_ends(&mut self, ends: Ends) {
        self.signed.ends = ends;
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
        self.signed.ends.end(user.0, device, at);
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
        self.links.closed(flow);
    }

    /// Ends registrations whose connection is closed: they hold places and reach nobody.
    pub(crate) fn release_closed(&mut self, address: &str) -> usize {
        let group = usize::from(routing_group(address));
        let signed = &self.signed;
        let is_there = |binding: &lyceum_users::Binding<'_>| match Flow::decode(binding.flow()) {
            // What stands behind a link is known to the Edge alone.
            Some(flow @ Flow::Stream { .. }) => flow.link().is_some() || signed.is_open(flow),
            _ => true,
        };
        self.groups[group].retain(address, &mut self.journal, is_there)
    }

    fn cut(&mut self, mut flows: Vec<Flow>, out: &mut Outbox) {
        flows.sort_unstable();
        flows.dedup();
        for flow in flows.into_iter().filter(|flow| matches!(flow, Flow::Stream { .. }) && flow.link().is_none()) {
            out.close(flow);
        }
    }

    /// These addresses get new holders: what is kept here of the former ones is forgotten. `done` hears when that is
    /// durable. Others' contact lists keep the addresses.
    pub fn forget_former(&mut self, now: Now, addresses: &[String], done: Done, out: &mut Outbox) {
        for address in addresses {
            self.address_gone(now, address, Vec::new(), out);
            let at = usize::from(routing_group(address));
            let group = &mut self.groups[at];
            self.messages.waiting[at].forget_user(address, group, &mut self.journal);
            ContactList::remove(address, group, &mut self.journal);
            group.remove_facet(facet_kind::LISTS_MADE, address.as_bytes(), &mut self.journal);
            self.events.presentities[at].remove(address, group, &mut self.journal);
            self.presence_changed(address);
        }
        self.leave_conversations(addresses);
        let seq = (!self.journal.is_empty()).then(|| self.journal.seq());
        self.when_durable(seq, done);
        self.close_block(now);
    }

    /// Takes people out of the conversations that are kept here.
    fn leave_conversations(&mut self, addresses: &[String]) {
        for group in &mut self.groups {
            let left = |(key, members): (&[u8], &[u8])| {
                let members = std::str::from_utf8(members).ok()?;
                let stay = |one: &&str| !addresses.iter().any(|gone| gone == one);
                let staying: Vec<&str> = members.split(',').filter(stay).collect();
                let joined = staying.join(",");
                (joined.len() != members.len()).then(|| (key.to_vec(), joined))
            };
            let changed: Vec<(Vec<u8>, String)> = group.facets(facet_kind::LIST).filter_map(left).collect();
            for (key, members) in changed {
                if members.is_empty()
                    || group.put_facet(facet_kind::LIST, &key, members.as_bytes(), &mut self.journal).is_err()
                {
                    group.remove_facet(facet_kind::LIST, &key, &mut self.journal);
                }
            }
        }
    }
}
