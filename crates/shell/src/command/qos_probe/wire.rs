//! What verifier and agent say to each other: JSON lines over TCP, and the probe itself.

use super::PROBE_BYTES;
use crate::failure::Failure;
use lyceum_topology::qos::{Dscp, Modality, PortRange};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, TcpStream};

/// Longest line.
const LINE_MAX: u64 = 65_536;

/// The verifier's first line.
#[derive(Debug, Serialize, Deserialize)]
pub struct Begin {
    /// The key that the agent printed.
    pub key: String,
    /// What is to be probed.
    pub modalities: Vec<Wanted>,
    /// Probes of each.
    pub probes: u32,
    /// Time between two.
    pub interval_ms: u32,
    /// Tells the probes of this verification from others.
    pub session: u64,
}

/// A modality to probe.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Wanted {
    pub modality: Modality,
    pub dscp: Dscp,
    /// Ports of which the agent opens the first that is free.
    pub ports: PortRange,
}

/// The agent's answer to [`Begin`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ready {
    /// Its ports, in the order asked; none where all are taken.
    Ports(Vec<Option<u16>>),
    Refused(String),
}

/// The verifier's second line: its probes are out.
#[derive(Debug, Serialize, Deserialize)]
pub struct Done {
    /// Places in the list of the modalities whose marks came back changed: the agent is to look where.
    pub changed: Vec<usize>,
}

/// What the agent got, in the order asked.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Counted {
    pub received: u32,
    /// DSCP, and how many probes had it.
    pub marks: Vec<(u8, u32)>,
    pub jitter_ms: f64,
    /// The routers on the way from the agent to the verifier; none without the right to hear them.
    pub hops: Option<Vec<HopSeen>>,
}

/// A router, and the mark that a probe had when it came there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HopSeen {
    pub router: IpAddr,
    pub dscp: u8,
}

/// A connection that carries lines.
pub struct Lines(BufReader<TcpStream>);

impl Lines {
    pub fn new(stream: TcpStream) -> Lines {
        Lines(BufReader::new(stream))
    }

    pub fn stream(&self) -> &TcpStream {
        self.0.get_ref()
    }

    pub fn send(&mut self, line: &impl Serialize) -> Result<(), Failure> {
        let mut text = serde_json::to_string(line).expect("it serializes");
        text.push('\n');
        let sent = self.0.get_mut().write_all(text.as_bytes());
        sent.map_err(|why| Failure::Failed(format!("the connection to the other end broke: {why}")))
    }

    pub fn receive<T: DeserializeOwned>(&mut self) -> Result<T, Failure> {
        let mut line = String::new();
        let read = self.0.by_ref().take(LINE_MAX).read_line(&mut line);
        match read {
            Ok(0) => Err(Failure::Failed("the other end closed the connection".to_owned())),
            Ok(_) => serde_json::from_str(&line)
                .map_err(|why| Failure::Failed(format!("the other end said something else than expected: {why}"))),
            Err(why) => Err(Failure::Failed(format!("the other end says nothing: {why}"))),
        }
    }
}

/// A probe: session, number, when it left (µs of the verifier's clock), the mark it had at the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    pub session: u64,
    pub number: u32,
    pub sent_us: u64,
    /// Set by the agent when it sends the probe back.
    pub seen: Option<u8>,
}

const MAGIC: [u8; 4] = *b"LYqo";

impl Probe {
    pub fn write(&self) -> [u8; PROBE_BYTES] {
        let mut bytes = [0; PROBE_BYTES];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4..12].copy_from_slice(&self.session.to_be_bytes());
        bytes[12..16].copy_from_slice(&self.number.to_be_bytes());
        bytes[16..24].copy_from_slice(&self.sent_us.to_be_bytes());
        bytes[24] = self.seen.map_or(0xff, |dscp| dscp & 0x3f);
        bytes
    }

    /// Reads a probe of a session; anything else is none.
    pub fn read(bytes: &[u8], session: u64) -> Option<Probe> {
        let fixed: &[u8; PROBE_BYTES] = bytes.try_into().ok()?;
        let eight = |at: usize| u64::from_be_bytes(fixed[at..at + 8].try_into().expect("eight bytes"));
        let number = u32::from_be_bytes(fixed[12..16].try_into().expect("four bytes"));
        let seen = Some(fixed[24]).filter(|seen| *seen < 64);
        let probe = Probe { session: eight(4), number, sent_us: eight(16), seen };
        (fixed[..4] == MAGIC && probe.session == session).then_some(probe)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_comes_back_as_it_was() {
        for seen in [None, Some(0), Some(46)] {
            let probe = Probe { session: 7, number: 3, sent_us: 1_000_001, seen };
            assert_eq!(Probe::read(&probe.write(), 7), Some(probe));
            assert_eq!(Probe::read(&probe.write(), 8), None, "of another session");
        }
        assert_eq!(Probe::read(b"LYqo", 7), None);
    }
}
