//! Bridged calls and their dialogs: which is whose, and when one is over of which nothing is heard any more.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use lyceum_sip::time::Time;

use super::bridging::Bridge;
use super::record::{FORGOTTEN, GRACE};

/// Bridged and watched calls at a time; further ones are refused.
pub(super) const BRIDGES: usize = 200_000;
/// Early dialogs of one bridged call; the descriptions of further ones are not passed on.
const DIALOGS_MAX: usize = 16;

type Dialog = [u8; 16];

/// A bridged call. It has as many dialogs as devices behind its target answered, at most [`DIALOGS_MAX`].
struct Held {
    /// Each with whether a 2xx made it more than an early one.
    dialogs: Vec<(Dialog, bool)>,
    /// Key in the table of calls in progress.
    call: u64,
    /// When something of it passed last.
    heard: Time,
    /// How long nothing may pass: its session interval (RFC 4028), else [`FORGOTTEN`].
    silence: Duration,
}

/// The bridged calls of a worker.
#[derive(Default)]
pub(crate) struct Bridges {
    dialogs: HashMap<Dialog, Bridge>,
    of: HashMap<Bridge, Held>,
}

impl Bridges {
    /// A call begins; false when there are [`BRIDGES`].
    pub(super) fn begin(&mut self, bridge: Bridge, call: u64, now: Time) -> bool {
        if self.of.len() >= BRIDGES {
            return false;
        }
        self.of.insert(bridge, Held { dialogs: Vec::new(), call, heard: now, silence: FORGOTTEN });
        true
    }

    pub(super) fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    pub(super) fn of_dialog(&self, dialog: &Dialog) -> Option<Bridge> {
        self.dialogs.get(dialog).copied()
    }

    /// A response makes a dialog, or confirms it.
    pub(super) fn add(&mut self, bridge: Bridge, dialog: Dialog, confirmed: bool) {
        let Some(Held { dialogs, .. }) = self.of.get_mut(&bridge) else { return };
        if let Some((_, known)) = dialogs.iter_mut().find(|(known, _)| *known == dialog) {
            *known |= confirmed;
        } else if dialogs.len() < DIALOGS_MAX {
            dialogs.push((dialog, confirmed));
            self.dialogs.insert(dialog, bridge);
        }
    }

    /// A dialog is over; true when its bridge has no other that a 2xx made.
    pub(super) fn leave(&mut self, bridge: Bridge, dialog: &Dialog) -> bool {
        self.dialogs.remove(dialog);
        let Some(Held { dialogs, .. }) = self.of.get_mut(&bridge) else { return true };
        let was = dialogs.iter().any(|(known, confirmed)| known == dialog && *confirmed);
        dialogs.retain(|(known, _)| known != dialog);
        was && !dialogs.iter().any(|(_, confirmed)| *confirmed)
    }

    /// Something of the call passed, perhaps with the session interval in seconds that holds from now on.
    pub(super) fn heard(&mut self, bridge: Bridge, now: Time, interval: Option<u32>) {
        let Some(held) = self.of.get_mut(&bridge) else { return };
        held.heard = now;
        if let Some(seconds) = interval {
            held.silence = (Duration::from_secs(u64::from(seconds)) + GRACE).min(FORGOTTEN);
        }
    }

    pub(super) fn remove(&mut self, bridge: Bridge) {
        for (dialog, _) in self.of.remove(&bridge).into_iter().flat_map(|held| held.dialogs) {
            self.dialogs.remove(&dialog);
        }
    }

    /// Those of these calls, and those of which nothing was heard for too long.
    pub(super) fn over(&self, now: Time, calls: &HashSet<u64>) -> Vec<Bridge> {
        let is_over = |held: &Held| now - held.heard >= held.silence || calls.contains(&held.call);
        self.of.iter().filter(|(_, held)| is_over(held)).map(|(bridge, _)| *bridge).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_so_many_and_no_more() {
        let mut bridges = Bridges::default();
        for number in 0..BRIDGES as u64 {
            assert!(bridges.begin(Bridge(number), number, Time(0)));
        }
        assert!(!bridges.begin(Bridge(u64::MAX), 0, Time(0)));
        bridges.remove(Bridge(7));
        assert!(bridges.begin(Bridge(u64::MAX), 0, Time(0)));
    }

    #[test]
    fn one_of_which_nothing_is_heard_is_over_and_so_is_one_whose_call_is() {
        let mut bridges = Bridges::default();
        let at = |seconds: u64| Time(0) + Duration::from_secs(seconds);
        for number in [1, 2, 3] {
            bridges.begin(Bridge(number), 10 * number, at(0));
        }
        bridges.heard(Bridge(1), at(100), Some(1800));
        assert!(bridges.over(at(1959), &HashSet::new()).is_empty());
        assert_eq!(bridges.over(at(1960), &HashSet::new()), [Bridge(1)]);
        bridges.heard(Bridge(1), at(1900), None);
        assert_eq!(bridges.over(at(1960), &HashSet::from([20])), [Bridge(2)]);
        assert_eq!(bridges.over(at(100_000), &HashSet::new()).len(), 3);
    }
}
