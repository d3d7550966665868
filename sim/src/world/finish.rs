//! When everything has been quiet for long enough: nothing may be left.

use super::judge::{LIFE, MANY_LOST, REPEATED};
use super::{Attempt, World};
use crate::device::{Device, Stage};
use crate::organisation::{address, group_of};
use crate::store::contacts;
use crate::violation::Rule;

impl World {
    /// The checks at the end of a run.
    pub(super) fn finish(&mut self) {
        self.check_promises();
        self.check_server_empty();
        for id in 0..self.devices.len() {
            let left = self.devices[id].transactions();
            if left > 0 {
                self.violate(Rule::TransactionsEnd, format!("d{id} has {left} transactions left"));
            }
            self.counts.registered += u64::from(self.devices[id].registration.granted);
            self.check_calls_over(id);
        }
        self.check_answers();
    }

    fn check_server_empty(&mut self) {
        let now = self.clock();
        let Some(core) = &self.core else { return };
        let counts = core.transactions();
        let (left, kept, drained) = (counts.servers + counts.clients, counts.kept_bytes, core.is_drained());
        let mut differ = Vec::new();
        for user in 0..self.devices.iter().map(|device| device.user + 1).max().unwrap_or_default() {
            let (aor, group) = (address(user), group_of(user));
            if contacts(&core.groups()[usize::from(group)], now, &aor) != self.store.contacts(now, group, &aor) {
                differ.push(aor);
            }
        }
        if left > 0 || kept > 0 {
            self.violate(
                Rule::TransactionsEnd,
                format!("the server has {left} transactions and {kept} kept bytes left"),
            );
        }
        if !drained {
            self.violate(Rule::TransactionsEnd, "the server still proxies something or withholds answers".to_owned());
        }
        if !differ.is_empty() && self.store.is_idle() {
            self.violate(Rule::Durable, format!("memory and store differ in the bindings of {differ:?}"));
        }
    }

    fn check_calls_over(&mut self, id: usize) {
        let open: Vec<_> = self.devices[id]
            .calls
            .values()
            .filter(|call| call.stage != Stage::Over)
            .map(|call| (call.stage, call.call_id.clone(), call.peer, call.begun))
            .collect();
        for (stage, call_id, peer, begun) in open {
            if !self.excused([Some(id), peer], &call_id, begun) {
                self.fault(Rule::CallsEnd, id, &call_id, format!("the call is still {stage:?}"));
            }
        }
    }

    /// Did a called endpoint vanish while its 200 was not through yet?
    fn vanished(&self, attempt: &Attempt) -> bool {
        let called = |device: &Device| device.calls.values().any(|call| call.call_id == attempt.call_id);
        self.devices.iter().any(|device| called(device) && self.was_disturbed(Some(device.id), attempt.begun))
    }

    /// Every INVITE that could be answered was.
    fn check_answers(&mut self) {
        let silent: Vec<_> = self
            .attempts
            .values()
            .filter(|attempt| attempt.answer.is_none())
            .filter(|attempt| {
                !self.was_disturbed(Some(attempt.device), attempt.begun - REPEATED)
                    && !self.was_down(attempt.begun, attempt.begun + LIFE)
                    && self.network.drops(&attempt.call_id) < MANY_LOST
                    && !self.vanished(attempt)
            })
            .map(|attempt| (attempt.device, attempt.call_id.clone()))
            .collect();
        for (device, call_id) in silent {
            self.fault(Rule::OneFinal, device, &call_id, "an INVITE was never answered".to_owned());
        }
    }
}
