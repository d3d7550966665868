//! What the registrar's tests share.
#![allow(dead_code, reason = "each test file uses its part")]

use lyceum_sip::time::{Now, Time, WallTime};
use lyceum_topology::{RegistrarPolicy, UserId};
use lyceum_users::{ContactIntent, Contacts, Effect, FacetKind, Group, Journal, RegisterIntent, RegisterRefusal};

pub fn at(seconds: u64) -> Now {
    Now { mono: Time(seconds * 1_000_000), wall: WallTime(1_700_000_000_000 + seconds * 1000) }
}

pub fn contact(uri: &str) -> ContactIntent<'_> {
    ContactIntent::new(uri.as_bytes())
}

/// A group with its journal, driven by short sentences.
pub struct Bench {
    pub group: Group,
    pub journal: Journal,
    pub policy: RegistrarPolicy,
}

pub const ANA: &str = "ana@example.org";

impl Default for Bench {
    fn default() -> Self {
        Bench { group: Group::new(7), journal: Journal::new(), policy: RegistrarPolicy::default() }
    }
}

impl Bench {
    pub fn send(&mut self, now: Now, intent: &RegisterIntent<'_>) -> Result<Effect, RegisterRefusal> {
        self.group.register(now, &self.policy, intent, &mut self.journal).map(|outcome| outcome.effect)
    }

    /// One REGISTER of `ANA` with a Call-ID of its own; `cseq` also tells the branch.
    pub fn register(
        &mut self,
        now: Now,
        call_id: &str,
        cseq: u32,
        contacts: &[ContactIntent<'_>],
    ) -> Result<Effect, RegisterRefusal> {
        self.send(now, &intent(call_id, cseq, Contacts::List(contacts)))
    }

    pub fn uris(&self, now: Now) -> Vec<String> {
        self.group.bindings(now, ANA).map(|b| String::from_utf8_lossy(b.uri()).into_owned()).collect()
    }
}

pub fn intent<'a>(call_id: &'a str, cseq: u32, contacts: Contacts<'a>) -> RegisterIntent<'a> {
    let mut intent = RegisterIntent::new(ANA, UserId(1), contacts);
    intent.call_id = call_id.as_bytes();
    intent.cseq = cseq;
    intent.branch_hash = u64::from(cseq) << 32 | call_id.len() as u64;
    intent.flow = b"udp/1";
    intent
}

/// Everything that a caller can see of a group, in one order.
pub fn seen(group: &Group, now: Now) -> Vec<String> {
    let mut all: Vec<String> = group
        .iter(now)
        .map(|a| {
            let bindings: Vec<String> = a.bindings.map(|b| format!("{b:?}")).collect();
            format!("{} {:?} {}", a.aor, a.user, bindings.join(" | "))
        })
        .collect();
    for kind in (0..4).map(FacetKind) {
        let facets: Vec<String> =
            group.facets(kind).map(|(key, value)| format!("{kind:?} {key:?} {value:?}")).collect();
        assert_eq!(facets.len(), group.facet_count(kind));
        all.extend(facets);
    }
    all.sort();
    all
}
