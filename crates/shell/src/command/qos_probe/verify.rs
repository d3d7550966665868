//! The end that sends probes and judges.

use super::agent::random;
use super::judge::{Leg, table};
use super::stream::{Course, probe};
use super::tally::Tally;
use super::wire::{Begin, Counted, Done, Lines, Probe, Ready, Wanted};
use super::{INTERVAL_MIN, PROBES_MAX, trace};
use crate::command::plan::tables;
use crate::command::qos::Source;
use crate::failure::Failure;
use crate::session::Run;
use clap::Args;
use lyceum_net::probe::MarkedSocket;
use lyceum_topology::qos::{Modality, PortRange, Qos};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

const CONNECT: Duration = Duration::from_secs(5);
/// How long the agent may take over its report: it may ask many routers.
const REPORT: Duration = Duration::from_secs(60);
/// Ports of signalling at the agent.
const SIGNALLING: PortRange = PortRange { first: 5060, last: 5061 };

#[derive(Debug, Args)]
pub struct Verify {
    /// The agent, as 'lyceum qos agent' printed it
    #[arg(value_name = "HOST:PORT")]
    agent: String,
    /// The agent's key
    #[arg(long)]
    key: String,
    /// Only these modalities
    #[arg(long, value_name = "NAME", value_parser = clap::builder::PossibleValuesParser::new(Modality::ALL.map(Modality::as_str)))]
    modality: Vec<String>,
    /// Probes of each modality
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=i64::from(PROBES_MAX)))]
    probes: u32,
    /// Milliseconds between two probes
    #[arg(long, value_name = "MS", default_value_t = 20, value_parser = clap::value_parser!(u32).range(INTERVAL_MIN.as_millis() as i64..=1000))]
    interval_ms: u32,
    #[command(flatten)]
    source: Source,
}

/// What one modality came to.
type Sent = Result<(u32, Tally, MarkedSocket, SocketAddr), String>;

impl Verify {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        if run.common.what_if {
            return run.say(&format!("what if: send marked probes to {}", self.agent));
        }
        let qos = self.source.qos(run)?;
        let wanted: Vec<Wanted> = self.wanted(&qos);
        let agent = connect(&self.agent)?;
        let broken = |why: std::io::Error| Failure::Failed(format!("{}: the connection broke: {why}", self.agent));
        let (local, remote) = (agent.local_addr().map_err(broken)?, agent.peer_addr().map_err(broken)?);
        agent.set_read_timeout(Some(REPORT)).map_err(broken)?;
        let mut lines = Lines::new(agent);
        let (session, interval_ms) = (random()?, self.interval_ms);
        lines.send(&Begin {
            key: self.key.clone(),
            modalities: wanted.clone(),
            probes: self.probes,
            interval_ms,
            session,
        })?;
        let ports = match lines.receive()? {
            Ready::Ports(ports) => ports,
            Ready::Refused(why) => return Err(Failure::Failed(format!("{} refused: {why}", self.agent))),
        };
        let interval = Duration::from_millis(interval_ms.into());
        let course = Course { session, probes: self.probes, interval, begun: Instant::now() };
        let bar = run.bar(u64::from(self.probes) * wanted.len() as u64);
        bar.set_message("probes");
        let sent: Vec<Sent> = std::thread::scope(|scope| {
            let one = |(wanted, port): (&Wanted, Option<u16>)| {
                let (wanted, qos, bar) = (*wanted, &qos, &bar);
                scope.spawn(move || send(local, remote, (qos, wanted), port, course, || bar.inc(1)))
            };
            let threads: Vec<_> =
                wanted.iter().zip(ports.into_iter().chain(std::iter::repeat(None))).map(one).collect();
            let ended = |thread: std::thread::ScopedJoinHandle<'_, Sent>| {
                thread.join().unwrap_or_else(|_| Err("it ended by a fault of ours".to_owned()))
            };
            threads.into_iter().map(ended).collect()
        });
        let changed = |sent: &Sent, wanted: &Wanted| {
            sent.as_ref().is_ok_and(|(_, tally, ..)| tally.has_others_than(wanted.dscp.value()))
        };
        let pairs = sent.iter().zip(&wanted).enumerate();
        lines.send(&Done {
            changed: pairs.filter(|(_, (sent, wanted))| changed(sent, wanted)).map(|(at, _)| at).collect(),
        })?;
        bar.set_message("asking the routers in between");
        let counted: Vec<Counted> = lines.receive()?;
        let legs = legs(&wanted, sent, counted, course);
        bar.finish_and_clear();
        tables::print(run, &[table(&legs)], None)?;
        let failed = legs.iter().filter(|leg| !leg.verdict().0).count();
        match failed {
            0 => Ok(()),
            _ => Err(Failure::Failed(format!("{failed} of {} marks did not arrive", legs.len()))),
        }
    }

    fn wanted(&self, qos: &Qos) -> Vec<Wanted> {
        let chosen =
            |modality: Modality| self.modality.is_empty() || self.modality.iter().any(|name| name == modality.as_str());
        let rows = qos.rows.iter().filter(|row| chosen(row.modality));
        rows.map(|row| Wanted { modality: row.modality, dscp: row.dscp, ports: row.server_ports.unwrap_or(SIGNALLING) })
            .collect()
    }
}

#[expect(clippy::disallowed_methods, reason = "a command waits for DNS; nobody else does on this thread")]
fn connect(name: &str) -> Result<TcpStream, Failure> {
    let none = |why: String| Failure::Failed(format!("{name}: {why}"));
    let addrs = name.to_socket_addrs().map_err(|why| none(format!("is no HOST:PORT that can be found: {why}")))?;
    let mut last = "has no address".to_owned();
    for addr in addrs {
        match TcpStream::connect_timeout(&addr, CONNECT) {
            Ok(stream) => return Ok(stream),
            Err(why) => last = format!("no agent answers at {addr}: {why}; is 'lyceum qos agent' running there?"),
        }
    }
    Err(none(last))
}

fn send(
    local: SocketAddr,
    remote: SocketAddr,
    (qos, wanted): (&Qos, Wanted),
    port: Option<u16>,
    course: Course,
    one_sent: impl Fn(),
) -> Sent {
    let Some(port) = port else { return Err(format!("the agent's ports {} are all taken", wanted.ports)) };
    let own = qos.row(wanted.modality).client_ports;
    let ports = own.into_iter().flat_map(|own| own.first..=own.last);
    let socket = MarkedSocket::bind(local.ip(), ports, wanted.dscp.value()).map_err(|why| {
        format!("the ports {} of this host cannot be used: {why}", own.map(|own| own.to_string()).unwrap_or_default())
    })?;
    let to = SocketAddr::new(remote.ip(), port);
    let (sent, tally) = probe(&socket, to, course, one_sent);
    Ok((sent, tally, socket, to))
}

fn legs(wanted: &[Wanted], sent: Vec<Sent>, counted: Vec<Counted>, course: Course) -> Vec<Leg> {
    let counted = counted.into_iter().chain(std::iter::repeat_with(Counted::default));
    let mut legs = Vec::new();
    for ((wanted, sent), mut there) in wanted.iter().zip(sent).zip(counted) {
        let leg = |direction, end: &str, counted, sent, round_trip_ms, not_tried| Leg {
            modality: wanted.modality,
            direction,
            dscp: wanted.dscp,
            sent,
            counted,
            round_trip_ms,
            end: end.to_owned(),
            not_tried,
        };
        match sent {
            Ok((sent, tally, socket, to)) => {
                let bytes = Probe { session: course.session, number: u32::MAX, sent_us: 0, seen: Some(0) }.write();
                let is_changed = there.marks.iter().any(|(mark, _)| *mark != wanted.dscp.value());
                let hops = is_changed.then(|| trace::trace(&socket, to, &bytes)).flatten();
                let back_hops = std::mem::replace(&mut there.hops, hops);
                let back = Counted {
                    received: tally.received(),
                    marks: tally.marks(),
                    jitter_ms: tally.jitter_ms(),
                    hops: back_hops,
                };
                // What did not come there cannot come back.
                let answered = there.received;
                legs.push(leg("to the agent", "the agent", there, sent, None, None));
                legs.push(leg("from the agent", "this host", back, answered, tally.round_trip_ms(), None));
            }
            Err(why) => {
                legs.push(leg("to the agent", "", Counted::default(), 0, None, Some(why.clone())));
                legs.push(leg("from the agent", "", Counted::default(), 0, None, Some(why)));
            }
        }
    }
    legs
}
