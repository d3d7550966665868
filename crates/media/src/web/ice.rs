//! Checks of connectivity (RFC 8445) and consent (RFC 7675): str0m's agent, and what it leaves to its owner.
//!
//! The agent checks our path every 3 s and gives it up after 21.5 s without an answer, before the 30 s of RFC 7675.
//!
//! What it leaves to us: numbers of transactions that cannot be guessed (it draws them from a generator for games, which
//! is seeded from our chance before every step), the source of an answer (it must be where the check went, RFC 8445
//! §7.2.5.2.1), and a bound on addresses that one peer may send checks from.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hmac::{Hmac, Mac};
use is::stun::{StunMessage, StunPacket};
use is::{Candidate, CandidateKind, IceAgent, IceAgentEvent, IceCreds, Protocol, Sha1HmacProvider};
use lyceum_sdp::Ice;
use sha1::Sha1;

use super::chance::Chance;
use super::identity::Credentials;
use super::moment::Epoch;
use crate::time::Time;

/// Addresses that one peer's checks may come from until ICE is restarted; further ones are not answered.
const MAX_SOURCES: usize = 32;
/// Candidates of one description that are looked at; further ones are ignored.
const MAX_CANDIDATES: usize = 32;
/// Checks of ours whose way is remembered; the agent asks 20 times a second at most and forgets sooner.
const MAX_ASKED: usize = 256;
/// How long media may come and go on the old path while ICE is restarted: what consent would have allowed.
const GRACE: Duration = Duration::from_secs(25);
/// Letters of a peer's name or password (RFC 8839 §5.4).
const CREDENTIAL_MAX: usize = 256;

/// HMAC-SHA1 for checks.
#[derive(Debug)]
struct Integrity;

impl Sha1HmacProvider for Integrity {
    fn sha1_hmac(&self, key: &[u8], payloads: &[&[u8]]) -> [u8; 20] {
        let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes a key of any length");
        payloads.iter().for_each(|payload| mac.update(payload));
        mac.finalize().into_bytes().into()
    }
}

/// Where packets go out and where they go to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Path {
    pub local: SocketAddr,
    pub remote: SocketAddr,
}

/// One component's agent.
pub(super) struct Agent {
    inner: IceAgent,
    epoch: Epoch,
    chance: Chance,
    path: Option<Path>,
    /// The path of before a restart, and until when it counts.
    before: Option<(Path, Time)>,
    sources: Vec<SocketAddr>,
    asked: VecDeque<([u8; 12], SocketAddr)>,
    /// Credentials of a restart that the peer has not answered yet.
    next: Option<Credentials>,
}

impl Agent {
    pub fn new(own: &Credentials, addresses: &[SocketAddr], seed: [u8; 32], epoch: Epoch) -> Self {
        let mut chance = Chance::new(seed);
        let mut inner = IceAgent::with_hmac(creds(own), &Integrity);
        inner.set_control_tie_breaker(chance.number());
        for address in addresses {
            if let Ok(candidate) = Candidate::host(*address, Protocol::Udp) {
                inner.add_local_candidate(candidate);
            }
        }
        let (sources, asked) = (Vec::new(), VecDeque::new());
        Self { inner, epoch, chance, path: None, before: None, sources, asked, next: None }
    }

    /// What the peer's description says; another name than before is a restart (RFC 8839 §4.4.1.1).
    pub fn agree(&mut self, now: Time, remote: &Ice, controlling: bool) {
        if remote.ufrag.len() > CREDENTIAL_MAX || remote.pwd.len() > CREDENTIAL_MAX {
            return;
        }
        let known = self.inner.remote_credentials().map(|known| known.ufrag.clone());
        match &known {
            None => self.inner.set_controlling(controlling),
            Some(known) if *known != remote.ufrag => self.restart(now),
            Some(_) => {}
        }
        self.inner.set_remote_credentials(IceCreds { ufrag: remote.ufrag.clone(), pass: remote.pwd.clone() });
        for candidate in remote.candidates.iter().take(MAX_CANDIDATES) {
            if let Some(candidate) = usable(candidate) {
                self.inner.add_remote_candidate(candidate);
            }
        }
        self.step(now);
    }

    /// New credentials, which count from the peer's new description on: until then the old path is kept alive.
    pub fn prepare_restart(&mut self, own: Credentials) {
        self.next = Some(own);
    }

    fn restart(&mut self, now: Time) {
        let own = self.next.take().map_or_else(|| self.inner.local_credentials().clone(), |own| creds(&own));
        self.inner.ice_restart(own, true);
        self.before = self.path.take().map(|path| (path, now + GRACE)).or(self.before);
        self.sources.clear();
    }

    /// Takes a check or an answer; false when it is none of this peer's.
    pub fn packet(&mut self, now: Time, from: SocketAddr, to: SocketAddr, bytes: &[u8]) -> bool {
        let Ok(message) = StunMessage::parse(bytes) else { return false };
        if !self.inner.accepts_message(&message) {
            return false;
        }
        if message.is_binding_request() {
            if !self.sources.contains(&from) {
                if self.sources.len() >= MAX_SOURCES {
                    return false;
                }
                self.sources.push(from);
            }
        } else if !self.was_asked(&bytes[8..20], from) {
            return false;
        }
        let packet = StunPacket { proto: Protocol::Udp, source: from, destination: to, message };
        let taken = self.inner.handle_packet(self.epoch.at(now), packet);
        self.step(now);
        taken
    }

    fn was_asked(&self, transaction: &[u8], from: SocketAddr) -> bool {
        self.asked.iter().any(|(asked, to)| asked == transaction && *to == from)
    }

    /// Time passes.
    pub fn step(&mut self, now: Time) {
        fastrand::seed(self.chance.number());
        self.inner.handle_timeout(self.epoch.at(now));
        while let Some(event) = self.inner.poll_event() {
            if let IceAgentEvent::NominatedSend { source, destination, .. } = event {
                (self.path, self.before) = (Some(Path { local: source, remote: destination }), None);
            }
        }
        if !self.inner.state().is_connected() {
            self.path = None;
        }
        if self.before.is_some_and(|(_, end)| end <= now) {
            self.before = None;
        }
    }

    pub fn next_timeout(&mut self) -> Option<Time> {
        let step = self.inner.poll_timeout().map(|at| self.epoch.time(at));
        step.into_iter().chain(self.before.map(|(_, end)| end)).min()
    }

    /// The next check or answer to be sent.
    pub fn poll_transmit(&mut self) -> Option<(Path, Vec<u8>)> {
        let transmit = self.inner.poll_transmit()?;
        let (path, bytes) = (Path { local: transmit.source, remote: transmit.destination }, transmit.contents.to_vec());
        if bytes.starts_with(&[0, 1])
            && let Some(transaction) = bytes.get(8..20).and_then(|number| number.try_into().ok())
        {
            if self.asked.len() >= MAX_ASKED {
                self.asked.pop_front();
            }
            self.asked.push_back((transaction, path.remote));
        }
        Some((path, bytes))
    }

    /// Where to send, while the peer consents.
    pub fn path(&self) -> Option<Path> {
        self.path.or(self.before.map(|(path, _)| path))
    }

    /// Whether a packet that is no check comes from a pair that a check of ours has proved.
    pub fn is_valid(&self, from: SocketAddr) -> bool {
        self.path().is_some_and(|path| path.remote == from) || self.inner.has_viable_remote_candidate(from)
    }

    /// Whether an authenticated check came from there.
    pub fn has_heard(&self, from: SocketAddr) -> bool {
        self.sources.contains(&from)
    }
}

fn creds(own: &Credentials) -> IceCreds {
    IceCreds { ufrag: own.ufrag.clone(), pass: own.pwd.clone() }
}

/// What can be tried: UDP, the first component, an address and no name (`*.local` is one), and no group.
fn usable(candidate: &lyceum_sdp::Candidate) -> Option<Candidate> {
    let address = candidate.address.filter(|at| at.port() != 0 && is_host(at.ip()))?;
    if candidate.component != 1 || candidate.transport != "UDP" {
        return None;
    }
    let kind = match candidate.kind {
        lyceum_sdp::CandidateKind::Host => CandidateKind::Host,
        lyceum_sdp::CandidateKind::ServerReflexive => CandidateKind::ServerReflexive,
        lyceum_sdp::CandidateKind::PeerReflexive => CandidateKind::PeerReflexive,
        lyceum_sdp::CandidateKind::Relayed => CandidateKind::Relayed,
    };
    let (foundation, priority) = (candidate.foundation.clone(), candidate.priority);
    Some(Candidate::from_parts(foundation, 1, Protocol::Udp, priority, address, kind, None, None, None))
}

fn is_host(address: IpAddr) -> bool {
    !address.is_unspecified()
        && !address.is_multicast()
        && !matches!(address, IpAddr::V4(address) if address.is_broadcast())
}
