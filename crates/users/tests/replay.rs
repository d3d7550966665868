//! What the journal holds is what memory holds, for any sequence of operations.

mod support;

use lyceum_sip::Transport;
use lyceum_sip::time::Now;
use lyceum_topology::{RegistrarPolicy, UserId};
use lyceum_users::{Block, ContactIntent, Contacts, FacetKind, Group, Journal, RegisterIntent};
use proptest::prelude::*;
use support::{at, seen};

/// One step; small numbers, so that steps meet each other.
#[derive(Clone, Debug)]
enum Step {
    Register { aor: u8, contacts: Vec<Wish>, call: u8, cseq: u32, branch: u8, flow: u8, tls: bool },
    Clear { aor: u8, call: u8, cseq: u32 },
    RemoveUser { aor: u8 },
    DropFlow { aor: u8, flow: u8 },
    PutFacet { kind: u8, aor: u8, value: Vec<u8> },
    RemoveFacet { kind: u8, aor: u8 },
    Pass { seconds: u64 },
    TakeBlock,
    Image,
    Fail,
}

#[derive(Clone, Debug)]
struct Wish {
    uri: u8,
    expires: Option<u32>,
    instance: Option<u8>,
    reg_id: Option<u32>,
    q: u16,
}

fn wish() -> impl Strategy<Value = Wish> {
    let expires = prop_oneof![Just(None), Just(Some(0)), Just(Some(300)), Just(Some(900)), Just(Some(10))];
    (0u8..12, expires, proptest::option::of(0u8..3), proptest::option::of(0u32..3), 0u16..1001)
        .prop_map(|(uri, expires, instance, reg_id, q)| Wish { uri, expires, instance, reg_id, q })
}

fn step() -> impl Strategy<Value = Step> {
    let register = (0u8..4, proptest::collection::vec(wish(), 0..4), 0u8..3, 0u32..6, 0u8..2, 0u8..3, any::<bool>())
        .prop_map(|(aor, contacts, call, cseq, branch, flow, tls)| Step::Register {
            aor,
            contacts,
            call,
            cseq,
            branch,
            flow,
            tls,
        });
    prop_oneof![
        12 => register,
        1 => (0u8..4, 0u8..3, 0u32..6).prop_map(|(aor, call, cseq)| Step::Clear { aor, call, cseq }),
        1 => (0u8..4).prop_map(|aor| Step::RemoveUser { aor }),
        1 => (0u8..4, 0u8..3).prop_map(|(aor, flow)| Step::DropFlow { aor, flow }),
        6 => (0u8..4, 0u8..4, proptest::collection::vec(any::<u8>(), 0..40))
            .prop_map(|(kind, aor, value)| Step::PutFacet { kind, aor, value }),
        3 => (0u8..4, 0u8..4).prop_map(|(kind, aor)| Step::RemoveFacet { kind, aor }),
        2 => (1u64..400).prop_map(|seconds| Step::Pass { seconds }),
        4 => Just(Step::TakeBlock),
        1 => Just(Step::Image),
        1 => Just(Step::Fail),
    ]
}

/// A group, its journal, and what a store would hold.
struct World {
    group: Group,
    journal: Journal,
    policy: RegistrarPolicy,
    now: u64,
    image: Vec<u8>,
    blocks: Vec<(u64, Block)>,
    /// What could be seen after each acknowledged entry.
    states: Vec<(usize, Vec<String>)>,
}

const AORS: [&str; 4] = ["a@example.org", "b@example.org", "c@example.org", "d@example.org"];

impl World {
    fn new() -> World {
        let (group, journal) = (Group::new(3), Journal::new());
        let mut image = Vec::new();
        group.snapshot(at(0).wall, &mut image);
        World {
            group,
            journal,
            policy: RegistrarPolicy::default(),
            now: 0,
            image,
            blocks: Vec::new(),
            states: Vec::new(),
        }
    }

    fn now(&self) -> Now {
        at(self.now)
    }

    fn step(&mut self, step: &Step) {
        let now = self.now();
        match step {
            Step::Register { aor, contacts, call, cseq, branch, flow, tls } => {
                let texts: Vec<(String, String)> = contacts
                    .iter()
                    .map(|w| (format!("sip:x@192.0.2.{}", w.uri), format!("urn:{:?}", w.instance)))
                    .collect();
                let contacts: Vec<ContactIntent<'_>> = contacts
                    .iter()
                    .zip(&texts)
                    .map(|(w, (uri, instance))| ContactIntent {
                        expires: w.expires,
                        q: w.q,
                        instance: w.instance.map(|_| instance.as_bytes()),
                        reg_id: w.reg_id,
                        ..ContactIntent::new(uri.as_bytes())
                    })
                    .collect();
                let (call, flow) = (format!("call{call}"), format!("flow{flow}"));
                let mut intent = self.intent(*aor, Contacts::List(&contacts), &call, *cseq);
                intent.branch_hash = u64::from(*branch);
                intent.flow = flow.as_bytes();
                intent.transport = if *tls { Transport::Tls } else { Transport::Udp };
                let before = seen(&self.group, now);
                let limit = self.policy.max_endpoints as usize;
                let refused = self.group.register(now, &self.policy, &intent, &mut self.journal).is_err();
                if refused {
                    assert_eq!(seen(&self.group, now), before, "a refusal changes nothing");
                }
                for aor in AORS {
                    assert!(self.group.bindings(now, aor).count() <= limit);
                }
            }
            Step::Clear { aor, call, cseq } => {
                let call = format!("call{call}");
                let mut intent = self.intent(*aor, Contacts::Star, &call, *cseq);
                intent.expires = Some(0);
                let _ = self.group.register(now, &self.policy, &intent, &mut self.journal);
            }
            Step::RemoveUser { aor } => drop(self.group.remove_user(AORS[usize::from(*aor)], &mut self.journal)),
            Step::DropFlow { aor, flow } => {
                let flow = format!("flow{flow}");
                self.group.retain(AORS[usize::from(*aor)], &mut self.journal, |b| b.flow() != flow.as_bytes());
            }
            Step::PutFacet { kind, aor, value } => {
                let (kind, key) = (FacetKind(*kind), AORS[usize::from(*aor)].as_bytes());
                let seq = self.group.put_facet(kind, key, value, &mut self.journal);
                assert_eq!(seq, Ok(self.journal.seq()));
                assert_eq!(self.group.facet(kind, key), Some(&value[..]));
            }
            Step::RemoveFacet { kind, aor } => {
                let (kind, key) = (FacetKind(*kind), AORS[usize::from(*aor)].as_bytes());
                let there = self.group.facet(kind, key).is_some();
                assert_eq!(self.group.remove_facet(kind, key, &mut self.journal).is_some(), there);
                assert_eq!(self.group.facet(kind, key), None);
            }
            Step::Pass { seconds } => {
                self.now += seconds;
                self.group.expire(at(self.now), |_, _, _| {});
            }
            Step::TakeBlock => self.take(),
            Step::Image => {
                self.take();
                self.image.clear();
                self.group.snapshot(now.wall, &mut self.image);
                // The journal before stays, as after a fold that was cut off: replay must not mind.
            }
            Step::Fail => self.fail(),
        }
    }

    fn intent<'a>(&self, aor: u8, contacts: Contacts<'a>, call: &'a str, cseq: u32) -> RegisterIntent<'a> {
        let mut intent = RegisterIntent::new(AORS[usize::from(aor)], UserId(u32::from(aor) + 1), contacts);
        intent.call_id = call.as_bytes();
        intent.cseq = cseq;
        intent
    }

    /// The store takes the open block and acknowledges it.
    fn take(&mut self) {
        if let Some((seq, block)) = self.journal.take() {
            self.journal.committed(seq);
            self.blocks.push((self.now, block));
            self.states.push((self.blocks.len(), seen(&self.group, self.now())));
        }
    }

    /// The store refuses the open block.
    fn fail(&mut self) {
        if let Some((seq, _)) = self.journal.take() {
            for undo in self.journal.failed(seq).unwrap_or_default() {
                self.group.undo(undo);
            }
        }
    }

    fn replay(image: &[u8], blocks: &[(u64, Block)]) -> Group {
        let mut group = Group::new(3);
        group.load(image).unwrap();
        for entry in blocks.iter().flat_map(|(_, block)| Block::read(block.bytes())) {
            group.apply(entry.entry).unwrap();
        }
        group
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn replay_equals_live_state(steps in proptest::collection::vec(step(), 1..60)) {
        let empty = World::new().image;
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
        world.take();
        let now = world.now();
        let live = seen(&world.group, now);
        prop_assert_eq!(seen(&World::replay(&empty, &world.blocks), now), live.clone(), "from the beginning");
        prop_assert_eq!(seen(&World::replay(&world.image, &world.blocks), now), live.clone(), "over a newer image");
        let twice: Vec<_> = world.blocks.iter().chain(&world.blocks).cloned().collect();
        prop_assert_eq!(seen(&World::replay(&empty, &twice), now), live, "twice over");
    }

    #[test]
    fn a_journal_cut_after_an_acknowledged_block_holds_all_up_to_it(steps in proptest::collection::vec(step(), 1..60)) {
        let empty = World::new().image;
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
        for (blocks, state) in &world.states {
            let kept = &world.blocks[..*blocks];
            let when = at(kept.last().map_or(0, |(now, _)| *now));
            prop_assert_eq!(&seen(&World::replay(&empty, kept), when), state);
        }
    }

    #[test]
    fn addresses_do_not_touch_each_other(steps in proptest::collection::vec(step(), 1..60)) {
        // The steps of each address alone, in their order, end in the same bindings of it.
        let of = |step: &Step| match step {
            Step::Register { aor, .. } | Step::Clear { aor, .. } | Step::RemoveUser { aor } | Step::DropFlow { aor, .. }
            | Step::PutFacet { aor, .. } | Step::RemoveFacet { aor, .. } => Some(*aor),
            _ => None,
        };
        let steps: Vec<Step> = steps.into_iter().filter(|s| !matches!(s, Step::Fail | Step::Image)).collect();
        let mut together = World::new();
        steps.iter().for_each(|s| together.step(s));
        let now = together.now();
        for (index, aor) in (0u8..).zip(AORS) {
            let mut alone = World::new();
            steps.iter().filter(|s| of(s).is_none_or(|a| a == index)).for_each(|s| alone.step(s));
            let list = |w: &World| {
                let bindings = w.group.bindings(now, aor).map(|b| format!("{b:?}")).collect::<Vec<_>>();
                (bindings, (0..4).map(|k| w.group.facet(FacetKind(k), aor.as_bytes()).map(<[u8]>::to_vec)).collect::<Vec<_>>())
            };
            prop_assert_eq!(list(&alone), list(&together));
        }
    }

    #[test]
    fn damaged_images_and_entries_are_refused_or_read_but_never_panic(
        steps in proptest::collection::vec(step(), 1..20),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut world = World::new();
        steps.iter().for_each(|s| world.step(s));
        world.take();
        let mut image = Vec::new();
        world.group.snapshot(world.now().wall, &mut image);
        let good = seen(&world.group, world.now());
        for (place, byte) in &damage {
            let at = place.index(image.len());
            image[at] ^= byte;
        }
        let mut group = Group::new(3);
        if group.load(&image).is_ok() {
            prop_assert_eq!(seen(&group, world.now()), good, "the check value lets no change through");
        }
        prop_assert!(group.load(&image[..cut.index(image.len())]).is_err());
        for (_, block) in &world.blocks {
            let mut bytes = block.bytes().to_vec();
            for (place, byte) in &damage {
                let at = place.index(bytes.len());
                bytes[at] ^= byte;
            }
            for entry in Block::read(&bytes) {
                let _ = group.apply(entry.entry);
            }
            let _ = seen(&group, world.now());
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut group = Group::new(3);
        let _ = group.load(&bytes);
        let _ = group.apply(&bytes);
        for entry in Block::read(&bytes) {
            let _ = group.apply(entry.entry);
        }
        let _ = seen(&group, at(0));
    }
}
