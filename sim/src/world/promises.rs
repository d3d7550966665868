//! What the registrar promised, compared with what it and the store hold.

use lyceum_sip::{Index, Limits, Message, Method, parse};

use super::World;
use crate::organisation::{address, group_of};
use crate::store::{SLOWEST, end_of};
use crate::violation::Rule;

/// What a 200 may promise too much, in ms: its whole seconds were counted when it was written, and it left when the disk
/// was through.
const SLACK: u64 = 1000 + SLOWEST;

impl World {
    /// Every acknowledged binding is there until its end, and what was removed is not.
    pub(super) fn check_promises(&mut self) {
        let Some(core) = &self.core else { return };
        let now = self.clock();
        let mut broken = Vec::new();
        for device in &self.devices {
            let (aor, group) = (address(device.user), group_of(device.user));
            let bound = |uri: &str| end_of(&core.groups()[usize::from(group)], now, &aor, uri.as_bytes());
            if let Some((uri, until)) = device.registration.held.as_ref().filter(|(_, until)| *until > now.wall) {
                match bound(uri) {
                    Some(end) if end >= until.0 => {}
                    Some(end) => {
                        let early = until.0 - end;
                        broken.push((
                            Rule::BindingKept,
                            format!("d{}: {uri} ends {early} ms before its time", device.id),
                        ));
                    }
                    None => broken.push((Rule::BindingKept, format!("d{}: {uri} is not bound", device.id))),
                }
            }
            if let Some((uri, _)) = &device.registration.removed
                && bound(uri).is_some()
            {
                broken.push((Rule::RemovalKept, format!("d{}: {uri} is bound again", device.id)));
            }
        }
        for (rule, what) in broken {
            self.violate(rule, what);
        }
    }

    /// A 200 to REGISTER says only what a restart would find.
    pub(super) fn check_durable(&mut self, id: usize, bytes: &[u8]) {
        if !bytes.starts_with(b"SIP/2.0 200 ") {
            return;
        }
        let mut index = Index::new();
        if parse(bytes, &mut index, &Limits::default()).is_err() {
            return;
        }
        let m = Message::new(bytes, &index);
        let device = &self.devices[id];
        let latest = device.registration.last_cseq == m.cseq().number;
        let Some((_, uri)) = device.registration.pending.as_ref().filter(|_| latest) else { return };
        if m.method() != Method::Register {
            return;
        }
        let now = self.clock();
        let stored = self.store.holds(now, group_of(device.user), &address(device.user), uri.as_bytes());
        let said = m.contacts().flatten().find_map(|contact| {
            contact.address().is_some_and(|addr| addr.uri == uri.as_bytes()).then(|| contact.expires())
        });
        let what = match (said, stored) {
            (None, None) => return,
            (Some(seconds), Some(end)) => {
                let promised = now.wall.0 + u64::from(seconds.unwrap_or_default()) * 1000;
                if promised <= end + SLACK {
                    return;
                }
                format!("d{id} is told {uri} until {promised} ms, the store holds it until {end} ms")
            }
            (Some(_), None) => format!("d{id} is told that {uri} is bound, the store does not have it"),
            (None, Some(_)) => format!("d{id} is told that {uri} is gone, the store still has it"),
        };
        self.violate(Rule::Durable, what);
    }
}
