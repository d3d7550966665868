//! One modality's probes: sent and counted here, sent back there.

use super::tally::Tally;
use super::wire::Probe;
use super::{LATEST, PROBE_BYTES};
use lyceum_net::probe::MarkedSocket;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often a reflector looks whether it is done.
const LOOK: Duration = Duration::from_millis(50);

/// How probes are sent.
#[derive(Clone, Copy)]
pub struct Course {
    pub session: u64,
    pub probes: u32,
    pub interval: Duration,
    /// The clock of this end.
    pub begun: Instant,
}

impl Course {
    fn now_us(&self) -> u64 {
        self.begun.elapsed().as_micros() as u64
    }
}

/// Sends the probes at their times and counts what comes back, until all did or the last is late. Gives how many left.
pub fn probe(socket: &MarkedSocket, to: SocketAddr, course: Course, one_sent: impl Fn()) -> (u32, Tally) {
    let (start, mut sent, mut tally) = (Instant::now(), 0, Tally::default());
    for number in 0..course.probes {
        let due = start + course.interval * number;
        collect(socket, to, course, due, &mut tally);
        let probe = Probe { session: course.session, number, sent_us: course.now_us(), seen: None };
        if socket.send(&probe.write(), to).is_ok() {
            sent += 1;
        }
        one_sent();
    }
    let latest = Instant::now() + LATEST;
    while tally.received() < sent && Instant::now() < latest {
        let until = latest.min(Instant::now() + LOOK);
        collect(socket, to, course, until, &mut tally);
    }
    (sent, tally)
}

fn collect(socket: &MarkedSocket, from: SocketAddr, course: Course, until: Instant, tally: &mut Tally) {
    let mut bytes = [0; PROBE_BYTES + 1];
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        let Ok(Some(got)) = socket.receive(&mut bytes, left) else { continue };
        if let Some(probe) = Probe::read(&bytes[..got.length], course.session).filter(|_| got.from == from) {
            tally.add(probe.number, got.dscp, probe.sent_us, course.now_us());
        }
    }
}

/// Sends the probes of one peer back until told to end. Gives what came, and from where.
pub fn reflect(socket: &MarkedSocket, peer: IpAddr, course: Course, done: &AtomicBool) -> (Tally, Option<SocketAddr>) {
    let (mut tally, mut from, mut bytes) = (Tally::default(), None, [0; PROBE_BYTES + 1]);
    while !done.load(Ordering::Relaxed) {
        let Ok(Some(got)) = socket.receive(&mut bytes, LOOK) else { continue };
        let Some(probe) = Probe::read(&bytes[..got.length], course.session) else { continue };
        // A probe that was sent back already has a mark noted in it, and nobody but the peer is answered.
        if got.from.ip() != peer || probe.seen.is_some() || tally.received() >= course.probes {
            continue;
        }
        from = Some(got.from);
        tally.add(probe.number, got.dscp, probe.sent_us, course.now_us());
        // What cannot be sent is lost, and counted as such at the other end.
        let _ = socket.send(&Probe { seen: Some(got.dscp), ..probe }.write(), got.from);
    }
    (tally, from)
}
