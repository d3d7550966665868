//! Two tables and a network between them that loses, repeats and reorders, from a seed: every
//! request gets exactly one final answer on its side, or a timeout, and nothing is left behind.

use super::*;
use std::collections::BTreeMap;

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Caller,
    Callee,
}

struct World {
    random: Random,
    now: Time,
    caller: Table<Side>,
    callee: Table<Side>,
    wire: BTreeMap<(Time, u64), (Side, Vec<u8>)>,
    sent: u64,
    finals: BTreeMap<u64, u32>,
    timeouts: BTreeMap<u64, u32>,
    accepted: BTreeMap<u64, u32>,
    loss_percent: u64,
}

impl World {
    fn new(seed: u64, loss_percent: u64) -> World {
        let table = |key| Table::new(Timers::default(), TableLimits::default(), [key; 16]);
        World {
            random: Random(seed | 1),
            now: Time(0),
            caller: table(1),
            callee: table(2),
            wire: BTreeMap::new(),
            sent: 0,
            finals: BTreeMap::new(),
            timeouts: BTreeMap::new(),
            accepted: BTreeMap::new(),
            loss_percent,
        }
    }

    fn post(&mut self, to: Side, bytes: &[u8]) {
        let copies = if self.random.below(100) < 5 { 2 } else { 1 };
        for _ in 0..copies {
            if self.random.below(100) >= self.loss_percent {
                let at = self.now + Duration::from_millis(5 + self.random.below(300));
                self.sent += 1;
                self.wire.insert((at, self.sent), (to, bytes.to_vec()));
            }
        }
    }

    fn drain(&mut self) {
        let mut out = Vec::new();
        for table in [&mut self.caller, &mut self.callee] {
            while let Some(output) = table.poll_output() {
                match output {
                    Output::Transmit { peer, bytes, .. } => out.push((peer, bytes.to_vec())),
                    Output::ClientTimeout { user, .. } => *self.timeouts.entry(user).or_default() += 1,
                    _ => {}
                }
            }
        }
        for (to, bytes) in out {
            self.post(to, &bytes);
        }
    }

    fn call(&mut self, user: u64, invite: bool) {
        let method = if invite { "INVITE" } else { "MESSAGE" };
        let text = crlf(&format!(
            "{method} sip:b@x SIP/2.0\nVia: SIP/2.0/UDP p;branch=z9hG4bK{user}\nFrom: <sip:a@x>;tag={user}\nTo: <sip:b@x>\nCall-ID: {user}\nCSeq: 1 {method}\nContent-Length: 0\n\n"
        ));
        let branch = format!("z9hG4bK{user}");
        let request = Outgoing {
            method: method.as_bytes(),
            branch: branch.as_bytes(),
            bytes: text.as_bytes(),
            reliable: false,
            peer: Side::Callee,
            user,
        };
        self.caller.send(self.now, request).expect("room");
        self.drain();
    }

    fn arrive(&mut self, to: Side, bytes: &[u8]) {
        let mut index = Index::new();
        parse(bytes, &mut index, &Limits::default()).expect("readable");
        let m = Message::new(bytes, &index);
        match to {
            Side::Caller => {
                if let Response::Pass { user, .. } = self.caller.response_arrived(self.now, &m)
                    && m.status() >= 200
                {
                    *self.finals.entry(user).or_default() += 1;
                }
            }
            Side::Callee => {
                let incoming = self.callee.request_arrived(self.now, &m, false, &Side::Caller);
                if incoming == Incoming::New {
                    self.answer(&m);
                }
            }
        }
        self.drain();
    }

    fn answer(&mut self, m: &Message<'_>) {
        let user: u64 = std::str::from_utf8(m.call_id()).expect("text").parse().expect("a number");
        *self.accepted.entry(user).or_default() += 1;
        let id = self.callee.accept(self.now, m, false, Side::Caller).expect("room");
        let code = [404, 486, 603, 500][self.random.below(4) as usize];
        let mut bytes = Vec::new();
        crate::ResponseBuilder::new(m, code, "X").to_tag(b"t").write(&mut bytes);
        self.callee.respond(self.now, id, code, &bytes);
    }

    /// Runs until nothing moves any more.
    fn run(&mut self) {
        loop {
            let wire = self.wire.keys().next().map(|&(at, _)| at);
            let next = [wire, self.caller.next_timeout(), self.callee.next_timeout()];
            let Some(next) = next.into_iter().flatten().min() else { return };
            self.now = self.now.max(next);
            self.caller.timeout(self.now);
            self.callee.timeout(self.now);
            self.drain();
            while let Some(entry) = self.wire.first_entry().filter(|e| e.key().0 <= self.now) {
                let (to, bytes) = entry.remove();
                self.arrive(to, &bytes);
            }
        }
    }
}

#[test]
fn every_request_ends_once_whatever_the_network_does() {
    for seed in 1..=60 {
        let mut world = World::new(seed, 10 + seed % 40);
        for user in 0..40 {
            world.call(user, user % 2 == 0);
        }
        world.run();
        for user in 0..40 {
            let finals = world.finals.get(&user).copied().unwrap_or(0);
            let timeouts = world.timeouts.get(&user).copied().unwrap_or(0);
            assert_eq!(finals + timeouts, 1, "seed {seed} request {user}");
            let accepted = world.accepted.get(&user).copied().unwrap_or(0);
            assert!(accepted <= 1, "seed {seed} request {user} was taken {accepted} times");
        }
        assert_eq!(world.caller.counts(), Counts::default(), "seed {seed}");
        assert_eq!(world.callee.counts(), Counts::default(), "seed {seed}");
    }
}

#[test]
fn at_ten_percent_loss_nothing_times_out() {
    let mut world = World::new(77, 10);
    for user in 0..200 {
        world.call(user, user % 2 == 0);
    }
    world.run();
    assert_eq!(world.finals.len(), 200);
    assert_eq!(world.timeouts.len(), 0);
}
