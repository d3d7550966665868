use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use lyceum_net::{Arrival, Bounds, Engine, Flow, Load, Options, Outbox};
use lyceum_sip::{Now, Time, Transport};

use crate::support::{PATIENCE, loopback, options};

/// What the engine saw, for the test to read.
#[derive(Debug, Default)]
struct Seen {
    messages: AtomicU64,
    turns: AtomicU64,
    longest_turn: AtomicU64,
    behind: AtomicU64,
    dropped: AtomicU64,
    posts: AtomicU64,
    calm: AtomicU64,
}

/// Takes its time over every message.
struct Slow(Arc<Seen>);

impl Engine for Slow {
    type Post = ();

    fn message(&mut self, _: Now, _: Arrival<'_>, _: &mut Outbox) {
        std::thread::sleep(Duration::from_micros(50));
        self.0.messages.fetch_add(1, SeqCst);
    }

    fn flow_closed(&mut self, _: Now, _: Flow, _: &mut Outbox) {}
    fn send_failed(&mut self, _: Now, _: u64, _: &mut Outbox) {}

    fn posted(&mut self, _: Now, (): (), _: &mut Outbox) {
        self.0.posts.fetch_add(1, SeqCst);
    }

    fn timeout(&mut self, _: Now, _: &mut Outbox) {}

    fn next_timeout(&self) -> Option<Time> {
        None
    }

    fn settle(&mut self, _: Now, load: Load, _: &mut Outbox) {
        self.0.turns.fetch_add(1, SeqCst);
        self.0.longest_turn.fetch_max(load.messages.into(), SeqCst);
        self.0.behind.fetch_max(load.behind.as_micros() as u64, SeqCst);
        self.0.dropped.fetch_add(load.dropped, SeqCst);
        if !load.is_overload() && load.behind.is_zero() {
            self.0.calm.fetch_add(1, SeqCst);
        }
    }
}

#[test]
fn a_flood_is_bounded_told_and_does_not_starve_the_rest() {
    let seen = Arc::new(Seen::default());
    let bounds = Bounds { datagram_buffer: 1 << 20, ..Bounds::default() };
    let workers = Options { bounds, ..options([loopback(Transport::Udp)]) }.build().unwrap();
    let running = workers.start(|_| Slow(seen.clone())).unwrap();
    let handle = running.handle();
    let flooder = UdpSocket::bind("127.0.0.1:0").unwrap();
    let begin = Instant::now();
    while seen.dropped.load(SeqCst) == 0 || seen.posts.load(SeqCst) < 3 || seen.behind.load(SeqCst) < 10_000 {
        assert!(begin.elapsed() < PATIENCE, "never told: {seen:?}");
        for _ in 0..500 {
            flooder.send_to(b"flood", handle.listeners()[0].addr).unwrap();
        }
        handle.worker(0).post(()).unwrap();
    }
    // At most 8 batches of 64 from one port in one turn.
    assert!(seen.longest_turn.load(SeqCst) <= 512);
    // When the flood is over the worker catches up and says so.
    seen.calm.store(0, SeqCst);
    while seen.calm.load(SeqCst) == 0 {
        assert!(begin.elapsed() < PATIENCE, "never calm again");
        handle.worker(0).post(()).unwrap();
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(handle.totals().dropped, seen.dropped.load(SeqCst));
    running.drain(PATIENCE);
}

#[test]
fn posts_are_bounded() {
    let seen = Arc::new(Seen::default());
    let bounds = Bounds { posts: 3, ..Bounds::default() };
    let workers = Options { bounds, ..options([loopback(Transport::Udp)]) }.build().unwrap();
    let handle = workers.handle();
    let taken = (0..5).filter(|_| handle.worker(0).post(()).is_ok()).count();
    assert_eq!(taken, 3);
    let patient = std::thread::spawn(move || handle.worker(0).post_when_room(()).is_ok());
    let running = workers.start(|_| Slow(seen.clone())).unwrap();
    assert!(patient.join().unwrap(), "there is room in time");
    running.drain(PATIENCE);
    assert_eq!(seen.posts.load(SeqCst), 4);
}
