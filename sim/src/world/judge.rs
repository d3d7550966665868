//! Whether what an endpoint noticed is the server's fault. Some things have a good excuse: the server was killed, an end
//! lost power or its connection, or the network lost so many datagrams of one call that its timers ran out.

use std::time::Duration;

use lyceum_sip::time::Time;

use super::{Attempt, World};
use crate::device::Stage;
use crate::report::Report;
use crate::violation::Rule;

/// Lost datagrams of one call that excuse a timeout: as many as there are repetitions within 64·T1, and fewer.
pub(super) const MANY_LOST: u32 = 6;
/// A request is repeated for so long, and some way besides.
pub(super) const REPEATED: Duration = Duration::from_secs(40);
/// No request lives longer: patience, timer C, and what follows.
pub(super) const LIFE: Duration = Duration::from_secs(250);

impl World {
    /// Was the server down at some time in between?
    pub(super) fn was_down(&self, from: Time, to: Time) -> bool {
        // A second more: copies of what the killed process sent are still on their way.
        self.outages.iter().any(|(down, up)| *down <= to && *up + Duration::from_secs(1) >= from)
    }

    pub(super) fn was_disturbed(&self, device: Option<usize>, since: Time) -> bool {
        let device = device.and_then(|id| self.devices.get(id));
        device.is_some_and(|device| !device.powered || (device.disturbed >= since && device.disturbed.0 > 0))
    }

    /// `since` is when it began for one end; for the other it may have begun as much earlier as a request can be repeated.
    pub(super) fn excused(&self, ends: [Option<usize>; 2], call_id: &[u8], since: Time) -> bool {
        let since = since - REPEATED;
        ends.into_iter().any(|end| self.was_disturbed(end, since))
            || self.was_down(since, self.now)
            || self.network.drops(call_id) >= MANY_LOST
    }

    /// Judges a report of device `id`.
    pub(super) fn judge(&mut self, id: usize, report: Report) {
        match report {
            Report::InviteSent { branch, call_id } => {
                self.counts.invites += 1;
                let attempt = Attempt { device: id, call_id, begun: self.now, answer: None };
                self.attempts.insert(branch, attempt);
            }
            Report::InviteAnswered { branch, status, to_tag } => self.judge_answer(id, &branch, status, to_tag),
            Report::Unexpected { method, status, call_id } => {
                self.fault(Rule::Accepted, id, &call_id, format!("{} is refused with {status}", method.as_str()));
            }
            Report::WrongContacts { removed } => {
                let what = if removed { "still lists the removed contact" } else { "does not list the contact" };
                self.violate(Rule::BindingKept, format!("d{id}: the 200 to REGISTER {what}"));
            }
            Report::InDialog { .. } => self.judge_in_dialog(id, &report),
            Report::Misrouted { method, to_tag, call_id } => {
                let tag = String::from_utf8_lossy(&to_tag).into_owned();
                self.fault(Rule::RightPeer, id, &call_id, format!("got the {} meant for {tag}", method.as_str()));
            }
            Report::NoAck { call_id, peer, begun } => {
                if !self.excused([Some(id), peer], &call_id, begun) {
                    self.fault(Rule::Acknowledged, id, &call_id, "the 200 is not acknowledged".to_owned());
                }
            }
            Report::RingsForever { call_id, begun } => {
                if !self.excused([Some(id), None], &call_id, begun) {
                    let seconds = (self.now - begun).as_secs();
                    self.fault(Rule::RingingEnds, id, &call_id, format!("has been ringing for {seconds} s"));
                }
            }
            Report::CalledUnbound { call_id } => {
                self.fault(Rule::RemovalKept, id, &call_id, "called after its binding was removed".to_owned());
            }
            Report::ForkedTwice { call_id, first } => {
                if !self.was_down(first, self.now) {
                    self.fault(Rule::ForkedOnce, id, &call_id, "got one INVITE by two branches".to_owned());
                }
            }
            Report::Unasked { status, call_id } => {
                self.fault(Rule::Asked, id, &call_id, format!("got a {status} to nothing that it sent"));
            }
            Report::Unreadable { what } => self.violate(Rule::Readable, format!("d{id} cannot read: {what}")),
            Report::TooManyVias { count, call_id } => {
                self.fault(Rule::Bounded, id, &call_id, format!("got a request with {count} Via values"));
            }
            Report::Silent { method, call_id, user } => {
                let since = self.now - Duration::from_secs(400);
                let off = (0..self.devices.len()).any(|other| {
                    (other == id || self.devices[other].user == user) && self.was_disturbed(Some(other), since)
                });
                if !off && !self.excused([None, None], &call_id, self.now) {
                    self.fault(Rule::Answered, id, &call_id, format!("no answer to {}", method.as_str()));
                }
            }
        }
    }

    pub(super) fn fault(&mut self, rule: Rule, id: usize, call_id: &[u8], what: String) {
        self.violate(rule, format!("d{id}, call {}: {what}", String::from_utf8_lossy(call_id)));
    }

    /// As it stands on the wire: a second final answer may only repeat the first, or be a 2xx of another branch.
    fn judge_answer(&mut self, id: usize, branch: &[u8], status: u16, to_tag: Vec<u8>) {
        let Some(attempt) = self.attempts.get_mut(branch) else { return };
        let is_success = |status: u16| (200..300).contains(&status);
        let Some((first, tag)) = attempt.answer.clone() else {
            self.counts.answered += u64::from(is_success(status));
            attempt.answer = Some((status, to_tag));
            return;
        };
        let (call_id, begun) = (attempt.call_id.clone(), attempt.begun);
        let repeats = first == status && tag == to_tag || is_success(first) && is_success(status);
        if !repeats && !self.was_down(begun, self.now) {
            self.fault(Rule::OneFinal, id, &call_id, format!("INVITE answered {first} and then {status}"));
        }
    }

    fn judge_in_dialog(&mut self, id: usize, report: &Report) {
        let Report::InDialog { method, status, dialog, peer, begun } = report else { return };
        let call_id = &dialog.call_id;
        // 488 and 491 are the peer's word; 500 says that an earlier request was overtaken.
        if matches!(status, 200..300 | 488 | 491 | 500) || self.excused([Some(id), *peer], call_id, *begun) {
            return;
        }
        let over = peer.and_then(|peer| self.devices.get(peer)).is_some_and(|peer| {
            let leg = peer.calls.values().find(|call| {
                call.dialog.as_ref().is_some_and(|theirs| {
                    let id = theirs.id();
                    id.call_id == dialog.call_id
                        && id.local_tag == dialog.remote_tag
                        && id.remote_tag == dialog.local_tag
                })
            });
            leg.is_some_and(|leg| leg.stage == Stage::Over)
        });
        if !(*status == 481 && over) {
            let what = match status {
                0 => format!("no answer to {} within the call", method.as_str()),
                status => format!("{} within the call is refused with {status}", method.as_str()),
            };
            self.fault(Rule::RightPeer, id, call_id, what);
        }
    }
}
