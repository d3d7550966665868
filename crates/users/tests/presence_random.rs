//! Whatever happens in whatever order: watchers know what is so, and what is stored is what is meant.

#[path = "support/person.rs"]
mod person;
#[path = "support/table.rs"]
#[allow(dead_code, reason = "used by the tables")]
mod table;

use lyceum_sip::time::WallTime;
use lyceum_users::presence::calendar::{BusyInterval, BusyKind};
use lyceum_users::presence::{
    Activity, Choice, ChoiceIntent, DeviceKind, Document, ETag, Facts, FeedAddress, MAX_PUBLICATIONS, OutOfOffice,
    Presentities, Presentity, Publication, UserChoice,
};
use person::{ANA, NOON, Person, later, pidf};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Publish { device: usize, activity: usize, closed: bool, idle: bool, note: bool, expires: u32 },
    Refresh { which: usize, expires: u32 },
    Choose { choice: usize, minutes: Option<u64>, note: Option<bool>, oof: Option<u64> },
    Facts { registered: u16, calls: u16, in_meeting: bool },
    Used { device: usize, idle: u32 },
    Appointment { from: u64, minutes: u64, out: bool },
    Pass { seconds: u64 },
    Commit,
    Fail,
    Restart,
    Policy { idle: u32, notes: bool },
}

const DEVICES: [&str; 4] = ["phone", "page", "PC", ""];
const SAID: [&str; 6] = ["busy", "away", "on-the-phone", "presentation", "lunch", "working"];

fn step() -> impl Strategy<Value = Step> {
    let expires = || prop_oneof![Just(1_200u32), Just(3_600), Just(0)];
    prop_oneof![
        4 => (0usize..4, 0usize..6, any::<bool>(), any::<bool>(), any::<bool>(), expires())
            .prop_map(|(device, activity, closed, idle, note, expires)| Step::Publish { device, activity, closed, idle, note, expires }),
        2 => (0usize..3, expires()).prop_map(|(which, expires)| Step::Refresh { which, expires }),
        3 => (0usize..8, proptest::option::of(1u64..40), proptest::option::of(any::<bool>()), proptest::option::of(0u64..40))
            .prop_map(|(choice, minutes, note, oof)| Step::Choose { choice, minutes, note, oof }),
        3 => (0u16..3, 0u16..2, any::<bool>()).prop_map(|(registered, calls, in_meeting)| Step::Facts { registered, calls, in_meeting }),
        4 => (0usize..3, 0u32..1_200).prop_map(|(device, idle)| Step::Used { device, idle }),
        1 => (0u64..40, 1u64..60, any::<bool>()).prop_map(|(from, minutes, out)| Step::Appointment { from, minutes, out }),
        6 => (1u64..700).prop_map(|seconds| Step::Pass { seconds }),
        3 => Just(Step::Commit),
        1 => Just(Step::Fail),
        1 => Just(Step::Restart),
        1 => (60u32..600, any::<bool>()).prop_map(|(idle, notes)| Step::Policy { idle, notes }),
    ]
}

struct World {
    ana: Person,
    now: WallTime,
    /// What watchers know.
    told: u64,
}

impl World {
    fn digest(&self) -> u64 {
        self.ana.state(self.now).digest()
    }

    fn reconsider(&mut self) -> bool {
        let presentity = Presentity { aor: ANA, now: self.now, policy: &self.ana.policy };
        self.ana.all.reconsider(presentity, &self.ana.group)
    }

    /// Whether watchers are told.
    fn step(&mut self, step: &Step) -> bool {
        let now = self.now;
        match step {
            Step::Publish { device, activity, closed, idle, note, expires } => {
                let basic = if *closed { "closed" } else { "open" };
                let body = pidf(basic, &[SAID[*activity]], None, note.then_some("note"), *idle);
                self.ana.publish(now, DEVICES[*device], &body, Some(*expires), None).unwrap().changed
            }
            Step::Refresh { which, expires } => {
                let all = Presentities::document(&self.ana.group, ANA).publications;
                let Some(publication) = all.get(*which).filter(|p| p.expires > now) else { return false };
                let tag = publication.etag.to_string();
                self.ana.publish(now, "", "", Some(*expires), Some(&tag)).unwrap().changed
            }
            Step::Choose { choice, minutes, note, oof } => self.ana.choose(
                now,
                &ChoiceIntent {
                    choice: Some((UserChoice::ALL[*choice], None, minutes.map(|m| later(now, m)))),
                    note: note.map(|on| if on { "mine" } else { "" }),
                    out_of_office: oof.map(|minutes| ("out", Some(later(now, minutes)))),
                    by_administrator: false,
                },
            ),
            Step::Facts { registered, calls, in_meeting } => {
                self.ana.set_facts(now, Facts { registered: *registered, calls: *calls, in_meeting: *in_meeting })
            }
            Step::Used { device, idle } => self.ana.used(now, DEVICES[*device], *idle),
            Step::Appointment { from, minutes, out } => {
                let kind = if *out { BusyKind::OutOfOffice } else { BusyKind::Busy };
                self.ana.appointment(now, kind, later(now, *from), later(now, from + minutes))
            }
            Step::Pass { seconds } => {
                self.now = WallTime(now.0 + seconds * 1000);
                let due = self.ana.all.next_change().is_some_and(|at| at <= self.now);
                due && self.ana.sweep(self.now)
            }
            Step::Commit => {
                if let Some((seq, _)) = self.ana.journal.take() {
                    self.ana.journal.committed(seq);
                }
                false
            }
            Step::Fail => {
                let Some((seq, _)) = self.ana.journal.take() else { return false };
                for undo in self.ana.journal.failed(seq).unwrap() {
                    self.ana.group.undo(undo);
                }
                self.reconsider()
            }
            Step::Restart => {
                self.ana.restart(now);
                // After a start every watcher is told anew.
                self.told = self.digest();
                false
            }
            Step::Policy { idle, notes } => {
                (self.ana.policy.idle_seconds, self.ana.policy.presence_note) = (*idle, *notes);
                self.reconsider()
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn no_watcher_is_left_with_what_is_not_so(steps in proptest::collection::vec(step(), 1..60)) {
        let mut world = World { ana: Person::default(), now: NOON, told: 0 };
        world.told = world.digest();
        for (at, step) in steps.iter().enumerate() {
            if world.step(step) {
                world.told = world.digest();
            }
            prop_assert_eq!(world.told, world.digest(), "after step {} {:?}: {:?}", at, step, world.ana.state(world.now));
            prop_assert!(Presentities::document(&world.ana.group, ANA).publications.len() <= MAX_PUBLICATIONS);
            let passed = matches!(step, Step::Pass { .. });
            prop_assert!(!passed || world.ana.all.next_change().is_none_or(|at| at > world.now));
        }
    }

    #[test]
    fn what_is_packed_is_unpacked(document in document()) {
        let mut packed = Vec::new();
        document.pack(&mut packed);
        prop_assert_eq!(Document::unpack(&packed), Some(document));
        for end in 0..packed.len() {
            // What is cut short is damaged or, at the end of a publication, shorter.
            let _ = Document::unpack(&packed[..end]);
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = bytes;
        if let Some(first) = bytes.first_mut() {
            *first = 1;
        }
        let _ = Document::unpack(&bytes);
        let _ = lyceum_users::contacts::ContactList::unpack(&bytes);
    }
}

fn text() -> impl Strategy<Value = Option<Box<str>>> {
    proptest::option::of("[a-zü]{1,12}".prop_map(Into::into))
}

fn moment() -> impl Strategy<Value = WallTime> {
    (1u64..4_000_000_000).prop_map(|seconds| WallTime(seconds * 1000))
}

fn publication() -> impl Strategy<Value = Publication> {
    let facts =
        (any::<u64>(), moment(), moment(), any::<u64>(), 0usize..5, any::<bool>(), any::<bool>(), any::<bool>());
    (facts, proptest::option::of(0usize..12), text(), text(), proptest::option::of(moment())).prop_map(
        |((etag, expires, received, device, kind, closed, idle, alone), statement, label, note, last_active)| {
            Publication {
                etag: ETag(etag),
                expires,
                received,
                device,
                kind: DeviceKind::ALL[kind],
                closed,
                idle,
                alone,
                statement: statement.map(|at| Activity::ALL[at]),
                label,
                note,
                last_active,
            }
        },
    )
}

fn document() -> impl Strategy<Value = Document> {
    let choice = (0usize..8, text(), proptest::option::of(moment()), proptest::option::of(moment()))
        .prop_map(|(choice, label, since, until)| Choice { choice: UserChoice::ALL[choice], label, since, until });
    let out =
        (text(), proptest::option::of(moment())).prop_map(|(note, until)| note.map(|note| OutOfOffice { note, until }));
    let busy = (moment(), moment(), any::<bool>(), text(), text()).prop_map(|(from, to, out, subject, location)| {
        let kind = if out { BusyKind::OutOfOffice } else { BusyKind::Busy };
        BusyInterval { from, to, kind, subject, location }
    });
    let (calendar, publications) =
        (proptest::collection::vec(busy, 0..4), proptest::collection::vec(publication(), 0..4));
    (choice, text(), out, proptest::option::of(moment()), text(), calendar, publications).prop_map(
        |(choice, note, out_of_office, last_active, feed, calendar, publications)| Document {
            choice,
            note,
            out_of_office,
            last_active,
            feed: feed.map(FeedAddress),
            calendar,
            publications,
        },
    )
}
