//! The end that answers probes.

use super::stream::{Course, reflect};
use super::tally::Tally;
use super::wire::{Begin, Counted, Done, Lines, Probe, Ready, Wanted};
use super::{INTERVAL_MIN, MODALITIES_MAX, PORT, PROBES_MAX, trace};
use crate::failure::Failure;
use crate::session::Run;
use clap::Args;
use lyceum_net::probe::MarkedSocket;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a peer may take over its first line.
const FIRST_LINE: Duration = Duration::from_secs(5);
/// How much longer than its probes take a verification may last.
const SLACK: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
pub struct Agent {
    /// Address and port for verifications
    #[arg(long, value_name = "ADDR:PORT", default_value_t = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), PORT))]
    listen: SocketAddr,
    /// The key that a verification must give [default: a new one, which is printed]
    #[arg(long)]
    key: Option<String>,
    /// End after one verification
    #[arg(long)]
    once: bool,
}

impl Agent {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        if run.common.what_if {
            return run.say(&format!("what if: answer probes on {}", self.listen));
        }
        let key = match self.key {
            Some(key) => key,
            None => format!("{:016x}", random()?),
        };
        let why = |why| Failure::Failed(format!("{} cannot be listened on: {why}", self.listen));
        let listener = TcpListener::bind(self.listen).map_err(why)?;
        let addr = listener.local_addr().map_err(why)?;
        run.say(&format!("answering probes on {addr}; on the other host: lyceum qos verify {addr} --key {key}"))?;
        run.flush()?;
        loop {
            let (stream, peer) = match listener.accept() {
                Ok(accepted) => accepted,
                Err(error) => {
                    run.say(&format!("a connection could not be accepted: {error}"))?;
                    std::thread::sleep(Duration::from_millis(100));
                    continue;
                }
            };
            let said = match serve(stream, peer.ip(), &key) {
                Ok(probes) => format!("{peer}: {probes} probes answered"),
                Err(failure) => format!("{peer}: {}", failure.explain()),
            };
            run.say(&said)?;
            run.flush()?;
            if self.once {
                return Ok(());
            }
        }
    }
}

/// A number that nobody guesses.
pub fn random() -> Result<u64, Failure> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|why| Failure::Failed(format!("the system gives no random numbers: {why}")))?;
    Ok(u64::from_be_bytes(bytes))
}

/// What came of a modality, and from where.
type Reflected = Option<(Tally, Option<SocketAddr>)>;

/// One verification; gives how many probes came.
fn serve(stream: TcpStream, peer: IpAddr, key: &str) -> Result<u32, Failure> {
    let broken = |why: std::io::Error| Failure::Failed(format!("the connection broke: {why}"));
    stream.set_read_timeout(Some(FIRST_LINE)).map_err(broken)?;
    let local = stream.local_addr().map_err(broken)?.ip();
    let mut lines = Lines::new(stream);
    let begin: Begin = lines.receive()?;
    if let Some(refusal) = refusal(&begin, key) {
        lines.send(&Ready::Refused(refusal.clone()))?;
        return Err(Failure::Failed(format!("refused: {refusal}")));
    }
    let open =
        |wanted: &Wanted| MarkedSocket::bind(local, wanted.ports.first..=wanted.ports.last, wanted.dscp.value()).ok();
    let sockets: Vec<Option<MarkedSocket>> = begin.modalities.iter().map(open).collect();
    let port = |socket: &Option<MarkedSocket>| Some(socket.as_ref()?.local_addr().ok()?.port());
    lines.send(&Ready::Ports(sockets.iter().map(port).collect()))?;
    let interval = Duration::from_millis(begin.interval_ms.into());
    let course = Course { session: begin.session, probes: begin.probes, interval, begun: Instant::now() };
    lines.stream().set_read_timeout(Some(interval * begin.probes + SLACK)).map_err(broken)?;
    let done = AtomicBool::new(false);
    let counted = std::thread::scope(|scope| {
        let threads: Vec<_> = sockets
            .iter()
            .map(|socket| {
                let done = &done;
                socket.as_ref().map(|socket| scope.spawn(move || reflect(socket, peer, course, done)))
            })
            .collect();
        let heard = lines.receive::<Done>();
        done.store(true, Ordering::Relaxed);
        let joined = threads.into_iter().map(|thread| thread.and_then(|thread| thread.join().ok()));
        let tallies: Vec<Reflected> = joined.collect();
        heard.map(|done| (done, tallies))
    })?;
    let (done, tallies) = counted;
    let report = |(at, (socket, tally)): (usize, (&Option<MarkedSocket>, Reflected))| {
        let (Some(socket), Some((tally, from))) = (socket, tally) else { return Counted::default() };
        let from = from.filter(|_| done.changed.contains(&at));
        let probe = Probe { session: course.session, number: u32::MAX, sent_us: 0, seen: Some(0) };
        Counted {
            received: tally.received(),
            marks: tally.marks(),
            jitter_ms: tally.jitter_ms(),
            hops: from.and_then(|from| trace::trace(socket, from, &probe.write())),
        }
    };
    let counted: Vec<Counted> = sockets.iter().zip(tallies).enumerate().map(report).collect();
    lines.send(&counted)?;
    Ok(counted.iter().map(|one| one.received).sum())
}

fn refusal(begin: &Begin, key: &str) -> Option<String> {
    if !same(begin.key.as_bytes(), key.as_bytes()) {
        return Some("the key is not the one that the agent printed".to_owned());
    }
    if begin.modalities.len() > MODALITIES_MAX {
        return Some(format!("more than {MODALITIES_MAX} modalities"));
    }
    if begin.probes == 0 || begin.probes > PROBES_MAX {
        return Some(format!("{} probes: 1 to {PROBES_MAX} are answered", begin.probes));
    }
    if Duration::from_millis(begin.interval_ms.into()) < INTERVAL_MIN {
        return Some(format!("probes closer than {INTERVAL_MIN:?}"));
    }
    None
}

/// Compares without telling by its time where the difference is.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}
