//! Messages wait for devices, survive a kill at any point, and are confirmed by each device once.

mod support;

use lyceum_sip::time::WallTime;
use lyceum_topology::policy::MessagePolicy;
use lyceum_users::messages::{Arrival, DeviceKey, MessageId, Stored, Text, Waiting, WaitingCounts, WaitingRefusal};
use lyceum_users::{Block, Group, Journal, Undone};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use support::at;

const ANNA: &str = "anna@example.org";
const BOB: &str = "bob@example.org";

fn named(n: u8) -> DeviceKey {
    DeviceKey::of(Some(&[n]), b"")
}

fn unnamed(n: u8) -> DeviceKey {
    DeviceKey::of(None, &[n])
}

struct World {
    group: Group,
    journal: Journal,
    waiting: Waiting,
    policy: MessagePolicy,
    now: WallTime,
    sent: u32,
}

/// What a test says of a message; the rest is made up.
#[derive(Clone, Default)]
struct Sent {
    owes: Vec<DeviceKey>,
    delivered: Vec<DeviceKey>,
    anyone: bool,
    sender: Option<&'static str>,
    call: Option<(&'static str, u32)>,
    message_id: &'static str,
    body: Option<Vec<u8>>,
}

impl World {
    fn new() -> Self {
        let group = Group::new(3);
        let waiting = Waiting::load(&group);
        let policy = MessagePolicy::default();
        World { group, journal: Journal::new(), waiting, policy, now: at(0).wall, sent: 0 }
    }

    fn send_as(&mut self, sent: &Sent) -> (MessageId, Result<Stored, WaitingRefusal>) {
        self.sent += 1;
        let id = self.waiting.next_id(self.now, u64::from(self.sent).to_be_bytes());
        let made_up = format!("call-{}", self.sent);
        let (call_id, cseq) = sent.call.unwrap_or((&made_up, 1));
        let body = sent.body.clone().unwrap_or_else(|| format!("text {}", self.sent).into_bytes());
        let arrival = Arrival {
            id,
            aor: ANNA,
            sender: sent.sender.unwrap_or(BOB),
            from: b"<sip:bob@example.org>;tag=1",
            to: b"<sip:anna@example.org>",
            call_id: call_id.as_bytes(),
            cseq,
            message_id: sent.message_id.as_bytes(),
            content_type: b"text/plain",
            headers: b"",
            body: Text(&body),
            owes: &sent.owes,
            delivered: &sent.delivered,
            anyone: sent.anyone,
        };
        (id, self.waiting.store(self.now, &self.policy, &arrival, &mut self.group, &mut self.journal))
    }

    fn send(&mut self, owes: &[DeviceKey], delivered: &[DeviceKey], anyone: bool) -> Result<Stored, WaitingRefusal> {
        self.send_as(&Sent { owes: owes.to_vec(), delivered: delivered.to_vec(), anyone, ..Sent::default() }).1
    }

    fn due(&self, device: DeviceKey) -> Vec<String> {
        let due = self.waiting.due(self.now, ANNA, device, &self.group);
        due.map(|message| String::from_utf8(message.body.0.to_vec()).unwrap()).collect()
    }

    fn ids(&self, device: DeviceKey) -> Vec<MessageId> {
        self.waiting.due(self.now, ANNA, device, &self.group).map(|message| message.id).collect()
    }

    fn confirm(&mut self, id: MessageId, device: DeviceKey) -> Option<u64> {
        self.waiting.confirm(ANNA, id, device, &mut self.group, &mut self.journal)
    }

    /// Every device takes what it is due; tells the texts.
    fn take_all(&mut self, device: DeviceKey) -> Vec<String> {
        let texts = self.due(device);
        for id in self.ids(device) {
            self.confirm(id, device);
        }
        texts
    }
}

#[test]
fn who_gets_a_message() {
    let (a, b, x, y) = (named(1), named(2), unnamed(1), unnamed(2));
    // Who owes, who has it, was nobody signed in; then devices as they come, and whether each gets it.
    let cases: [(&[DeviceKey], &[DeviceKey], bool, &[(DeviceKey, bool)]); 11] = [
        (&[a], &[], false, &[(a, true), (a, false), (b, false)]),
        (&[a, b], &[], false, &[(a, true), (b, true), (a, false)]),
        (&[a], &[b], false, &[(b, false), (x, false), (a, true)]),
        (&[a], &[], false, &[(b, true), (x, false), (a, true)]),
        (&[], &[], true, &[(a, true), (a, false), (b, true), (x, true), (y, false), (x, false)]),
        (&[], &[], true, &[(x, true), (a, true), (y, false)]),
        (&[x], &[], false, &[(y, true), (x, true), (a, false)]),
        (&[a], &[x], true, &[(y, false), (b, true), (a, true)]),
        (&[], &[], false, &[(x, true), (a, false)]),
        // A phone without an instance comes back with another port.
        (&[a, x], &[], false, &[(a, true), (y, true), (unnamed(3), false)]),
        (&[a, x], &[x], false, &[(y, false), (a, true)]),
    ];
    for (case, (owes, delivered, anyone, devices)) in cases.into_iter().enumerate() {
        let mut world = World::new();
        world.send(owes, delivered, anyone).unwrap();
        for (step, (device, gets)) in devices.iter().enumerate() {
            assert_eq!(world.waiting.has_due(world.now, ANNA, *device), *gets, "case {case} step {step}");
            assert_eq!(world.take_all(*device).len(), usize::from(*gets), "case {case} step {step}");
        }
    }
}

#[test]
fn messages_come_in_order_and_the_last_confirmation_leaves_nothing() {
    let mut world = World::new();
    let (a, b) = (named(1), named(2));
    for _ in 0..3 {
        world.send(&[a, b], &[], false).unwrap();
    }
    assert_eq!(world.due(a), ["text 1", "text 2", "text 3"]);
    let second = world.ids(a)[1];
    assert_eq!(world.confirm(second, a), Some(1));
    assert_eq!(world.confirm(second, a), None, "once is enough");
    assert_eq!((world.due(a), world.due(b).len()), (vec!["text 1".to_owned(), "text 3".to_owned()], 3));
    world.take_all(a);
    world.take_all(b);
    assert_eq!((world.waiting.load_of(ANNA), world.waiting.users().count()), ((0, 0), 0));
    assert_eq!(world.group.facet_count(lyceum_users::facet_kind::WAITING), 0, "no mark is left behind");
    let counts = WaitingCounts { stored: 3, confirmed: 6, ..WaitingCounts::default() };
    assert_eq!(world.waiting.counts(), counts);
}

#[test]
fn the_same_message_is_not_stored_twice() {
    let mut world = World::new();
    let first = Sent {
        owes: vec![named(1)],
        call: Some(("c", 1)),
        message_id: "m",
        body: Some(b"one".to_vec()),
        ..Sent::default()
    };
    let (id, stored) = world.send_as(&first);
    let Ok(Stored::New { wait_for }) = stored else { panic!("{stored:?}") };
    assert_eq!(world.send_as(&first).1, Ok(Stored::Already { id, wait_for: Some(wait_for) }));
    let (seq, _) = world.journal.take().unwrap();
    world.journal.committed(seq);
    for (call, message_id, sender, known) in [
        (("c", 1), "", BOB, true),
        (("d", 1), "m", BOB, true),
        (("c", 2), "", BOB, false),
        (("c", 1), "m", "carla@example.org", false),
    ] {
        let sent = Sent { call: Some(call), message_id, sender: Some(sender), ..first.clone() };
        let stored = world.send_as(&sent).1.unwrap();
        assert_eq!(stored == Stored::Already { id, wait_for: None }, known, "{call:?} {sender} {stored:?}");
    }
    let other = Sent { message_id: "", body: Some(b"two".to_vec()), ..first.clone() };
    assert!(matches!(world.send_as(&other).1, Ok(Stored::New { .. })), "other words are another message");
    assert_eq!(world.waiting.counts().repeated, 3);
}

#[test]
fn a_full_user_is_refused_until_something_can_make_room() {
    let mut world = World::new();
    world.policy = MessagePolicy { max_waiting: 3, max_waiting_kib: 256, ..MessagePolicy::default() };
    let a = named(1);
    for _ in 0..3 {
        world.send(&[], &[], true).unwrap();
    }
    assert_eq!(world.send(&[], &[], true), Err(WaitingRefusal::TooMany { limit: 3 }));
    let second = world.ids(a)[1];
    world.confirm(second, a);
    world.send(&[], &[], true).unwrap();
    assert_eq!(world.due(named(2)), ["text 1", "text 3", "text 5"], "the one that somebody has made room");
    let counts = world.waiting.counts();
    assert_eq!((counts.made_room, counts.refused), (1, 1));
    let of_size = |kib: usize| Sent { body: Some(vec![b'x'; kib << 10]), ..Sent::default() };
    world.policy.max_waiting = 100;
    world.send_as(&of_size(100)).1.unwrap();
    world.send_as(&of_size(100)).1.unwrap();
    assert_eq!(world.send_as(&of_size(100)).1, Err(WaitingRefusal::TooMuch { limit_kib: 256 }));
    world.policy.max_waiting_kib = 65_536;
    assert_eq!(world.send_as(&of_size(320)).1, Err(WaitingRefusal::TooLarge));
}

#[test]
fn what_nobody_fetches_ends_after_its_time() {
    let mut world = World::new();
    world.send(&[named(1)], &[named(2)], false).unwrap();
    world.now = WallTime(world.now.0 + 13 * 86_400_000);
    world.send(&[named(1)], &[], false).unwrap();
    world.now = WallTime(world.now.0 + 86_400_000);
    assert_eq!(world.due(named(1)), ["text 2"], "also before it is swept");
    let expired = world.waiting.expire(world.now, 10, &mut world.group, &mut world.journal);
    assert_eq!((expired, world.waiting.load_of(ANNA).0), (1, 1));
    assert_eq!(world.waiting.expire(world.now, 10, &mut world.group, &mut world.journal), 0);
    assert!(world.waiting.next_expiry().unwrap() > world.now);
    assert_eq!(world.waiting.forget_user(ANNA, &mut world.group, &mut world.journal), 1);
    assert_eq!(world.group.facet_count(lyceum_users::facet_kind::WAITING), 0);
    assert_eq!(world.waiting.next_expiry(), None);
}

#[test]
fn an_expiry_takes_no_more_than_it_is_told_and_comes_back_for_the_rest() {
    let mut world = World::new();
    for _ in 0..5 {
        world.send(&[named(1)], &[], false).unwrap();
    }
    world.now = WallTime(world.now.0 + 15 * 86_400_000);
    let expire = |world: &mut World| world.waiting.expire(world.now, 2, &mut world.group, &mut world.journal);
    assert_eq!([expire(&mut world), expire(&mut world), expire(&mut world)], [2, 2, 1]);
}

/// What a random run does.
#[derive(Clone, Debug)]
enum Step {
    Store { owes: u8, delivered: u8, anyone: bool, repeat: bool },
    Confirm { device: u8, nth: u8 },
    TakeBlock,
    Commit,
    Fail,
    Pass { hours: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0u8..8, 0u8..8, any::<bool>(), prop::bool::weighted(0.1))
            .prop_map(|(owes, delivered, anyone, repeat)| Step::Store { owes, delivered, anyone, repeat }),
        8 => (0u8..3, 0u8..4).prop_map(|(device, nth)| Step::Confirm { device, nth }),
        4 => Just(Step::TakeBlock),
        3 => Just(Step::Commit),
        1 => Just(Step::Fail),
        1 => (1u64..100).prop_map(|hours| Step::Pass { hours }),
    ]
}

const DEVICES: [u8; 3] = [0, 1, 2];

fn device(n: u8) -> DeviceKey {
    if n == 2 { unnamed(n) } else { named(n) }
}

fn devices(bits: u8) -> Vec<DeviceKey> {
    DEVICES.into_iter().filter(|n| bits & (1 << n) != 0).map(device).collect()
}

/// What happened, with the block in which it is.
#[derive(Default)]
struct Log {
    stored: BTreeMap<MessageId, (u64, Vec<DeviceKey>)>,
    confirmed: BTreeMap<(MessageId, DeviceKey), u64>,
    blocks: Vec<(u64, Block)>,
    settled: u64,
}

impl World {
    fn step(&mut self, step: &Step, log: &mut Log) {
        match step {
            Step::Store { owes, delivered, anyone, repeat } => {
                let sent = Sent {
                    owes: devices(*owes),
                    delivered: devices(delivered & !owes),
                    anyone: *anyone,
                    call: repeat.then_some(("again", 1)),
                    ..Sent::default()
                };
                let (id, stored) = self.send_as(&sent);
                match stored.unwrap() {
                    Stored::New { wait_for } => drop(log.stored.insert(id, (wait_for, sent.owes))),
                    Stored::Already { id, .. } => assert!(log.stored.contains_key(&id)),
                }
            }
            Step::Confirm { device: n, nth } => {
                let due = self.ids(device(*n));
                if let Some(id) = due.get(usize::from(*nth) % due.len().max(1)).copied() {
                    let seq = self.confirm(id, device(*n)).expect("it was due");
                    log.confirmed.insert((id, device(*n)), seq);
                }
            }
            Step::TakeBlock => log.blocks.extend(self.journal.take()),
            Step::Commit => {
                log.settled = log.blocks.last().map_or(log.settled, |(seq, _)| *seq);
                self.journal.committed(log.settled);
            }
            Step::Fail => self.fail(log),
            Step::Pass { hours } => {
                self.now = WallTime(self.now.0 + hours * 3_600_000);
                self.waiting.expire(self.now, 3, &mut self.group, &mut self.journal);
            }
        }
    }

    /// The store refuses everything that it has not yet acknowledged.
    fn fail(&mut self, log: &mut Log) {
        log.blocks.extend(self.journal.take());
        let Some((last, _)) = log.blocks.last().filter(|(seq, _)| *seq > log.settled) else { return };
        for undo in self.journal.failed(*last).unwrap_or_default() {
            if let Some(touched) = self.group.undo(undo).and_then(Undone::facet) {
                self.waiting.touched(&touched, &self.group);
            }
        }
        log.blocks.retain(|(seq, _)| *seq <= log.settled);
        log.stored.retain(|_, (seq, _)| *seq <= log.settled);
        log.confirmed.retain(|_, seq| *seq <= log.settled);
    }
}

/// Starts again from the first `kept` blocks.
fn restart(log: &Log, kept: usize) -> Group {
    let mut group = Group::new(3);
    for (_, block) in &log.blocks[..kept] {
        for entry in Block::read(block.bytes()) {
            group.apply(entry.entry).unwrap();
        }
    }
    group
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_kill_at_any_point_loses_no_acknowledged_message_and_repeats_no_stored_confirmation(
        steps in prop::collection::vec(step(), 1..60),
        kill in any::<prop::sample::Index>(),
    ) {
        let (mut world, mut log) = (World::new(), Log::default());
        for step in &steps {
            world.step(step, &mut log);
            prop_assert!(world.waiting == Waiting::load(&world.group), "the index is what the facets say: {step:?}");
        }
        let kept = kill.index(log.blocks.len() + 1);
        let durable = log.blocks[..kept].last().map_or(0, |(seq, _)| *seq);
        let group = restart(&log, kept);
        let waiting = Waiting::load(&group);
        for n in DEVICES {
            let due: Vec<MessageId> = waiting.due(world.now, ANNA, device(n), &group).map(|m| m.id).collect();
            prop_assert!(due.windows(2).all(|pair| pair[0] < pair[1]), "in order");
            let due: BTreeSet<MessageId> = due.into_iter().collect();
            for (id, (stored, owes)) in &log.stored {
                let confirmed = log.confirmed.get(&(*id, device(n))).is_some_and(|seq| *seq <= durable);
                let alive = id.time().0 + 14 * 86_400_000 > world.now.0;
                if confirmed {
                    prop_assert!(!due.contains(id), "device {n} gets again what it confirmed durably");
                } else if *stored <= durable && owes.contains(&device(n)) && alive {
                    prop_assert!(due.contains(id), "device {n} never gets an acknowledged message");
                }
            }
        }
    }

    #[test]
    fn damage_is_skipped(key in prop::collection::vec(any::<u8>(), 0..60), value in prop::collection::vec(any::<u8>(), 0..200)) {
        let (mut group, mut journal) = (Group::new(3), Journal::new());
        group.put_facet(lyceum_users::facet_kind::WAITING, &key, &value, &mut journal).unwrap();
        let waiting = Waiting::load(&group);
        let seen: usize = waiting.users().map(|aor| waiting.due(WallTime(0), aor, named(1), &group).count()).sum();
        prop_assert!(seen <= 1);
    }
}
