//! A user who may no longer sign in, and the connections that go with it.

use lyceum_net::{Flow, Outbox};
use lyceum_sip::time::Now;

use super::Core;

impl Core {
    /// A user was removed or disabled: registrations and subscriptions end, and the connections they came over are cut.
    pub fn user_gone(&mut self, now: Now, address: &str, out: &mut Outbox) {
        let group = usize::from(lyceum_topology::routing_group(address));
        let flows: Vec<Flow> =
            self.groups[group].bindings(now, address).filter_map(|binding| Flow::decode(binding.flow())).collect();
        self.groups[group].remove_user(address, &mut self.journal);
        self.watcher_gone(now, address, out);
        self.facts_changed(now, address);
        for flow in flows.into_iter().filter(|flow| matches!(flow, Flow::Stream { .. })) {
            out.close(flow);
        }
        self.close_block(now);
    }
}
