//! The transport of a browser's leg: ICE, DTLS-SRTP and one port, without IO.
//!
//! ```text
//! packet(now, from, to, bytes) ─┬─ 0..=3    STUN: the agent's                        (RFC 7983)
//!                               ├─ 20..=63  DTLS, from a valid pair: the handshake's
//!                               ├─ 128..=191 RTP and RTCP, from a valid pair: Taken::Media, for the bridge
//!                               └─ anything else, anywhere else: dropped
//! then poll_transmit() and poll_event() until None, and next_timeout()
//! ```
//!
//! Nothing is sent but checks and answers to checks until a pair is valid, and no key is used before the peer's certificate
//! hashed to the fingerprint of its description. The two libraries inside (str0m's own ICE and DTLS) draw some randomness and
//! measure with the system's clock type: the exception to the rule that engines do neither. See
//! `docs/decisions/0020-ice-and-dtls-without-str0m.md`.

mod chance;
mod dtls;
mod ice;
mod identity;
mod moment;

use std::collections::VecDeque;
use std::net::SocketAddr;

use lyceum_sdp::{Fingerprint, Ice};

use crate::bridge::DtlsKeys;
use crate::time::Time;
use dtls::{Association, Progress};
use ice::{Agent, Path};
pub use identity::{CREDENTIAL_BYTES, Certificate, CertificateError, Credentials};
pub use moment::Epoch;

/// DTLS datagrams of a peer whose check came and whose pair is not proved yet: they are kept so that its handshake need not
/// be repeated. Further ones are dropped.
const MAX_HELD: usize = 4;
/// Packets that wait to be sent; further ones are dropped, as a network would.
const MAX_WAITING: usize = 64;

/// What a transport is made of.
#[derive(Clone, Debug)]
pub struct WebSetup {
    /// Our name and password.
    pub credentials: Credentials,
    /// The addresses of our sockets.
    pub addresses: Vec<SocketAddr>,
    /// What DTLS shows.
    pub certificate: Certificate,
    /// Chance for this transport alone.
    pub seed: [u8; 32],
    /// Time zero.
    pub epoch: Epoch,
}

/// What a browser's description says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WebRemote {
    /// Its name, password and candidates.
    pub ice: Ice,
    /// What its certificate hashes to.
    pub fingerprint: Fingerprint,
    /// Whether we send the first DTLS message.
    pub we_begin: bool,
    /// Whether we are the controlling agent.
    pub controlling: bool,
}

/// What a packet was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taken {
    /// RTP or RTCP of the peer: for the bridge.
    Media,
    /// A check or a handshake: there may be something to send.
    Own,
    /// Nothing of the peer's.
    Dropped,
}

/// A packet to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WebTransmit {
    /// From which of our addresses.
    pub local: SocketAddr,
    /// Where to.
    pub remote: SocketAddr,
    /// What.
    pub bytes: Vec<u8>,
}

/// What became of the transport.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WebEvent {
    /// The peer is who it said it is: keys for the bridge.
    Keys(DtlsKeys),
    /// There are keys and a path: media can flow.
    Connected,
    /// The peer does not consent any more, or closed its side.
    Disconnected,
    /// It will not come to a connection, in words.
    Failed(String),
    /// The path leads to another address of the peer than before.
    Moved(SocketAddr),
}

/// One browser's transport.
pub struct WebTransport {
    agent: Agent,
    certificate: Certificate,
    epoch: Epoch,
    remote: Option<WebRemote>,
    association: Option<Association>,
    has_failed: bool,
    has_keys: bool,
    is_connected: bool,
    path: Option<Path>,
    held: VecDeque<(SocketAddr, Vec<u8>)>,
    waiting: VecDeque<WebTransmit>,
    events: VecDeque<WebEvent>,
    progress: Vec<Progress>,
}

impl WebTransport {
    /// A transport that waits for its peer's description.
    #[must_use]
    pub fn new(setup: WebSetup) -> Self {
        let WebSetup { credentials, addresses, certificate, seed, epoch } = setup;
        Self {
            agent: Agent::new(&credentials, &addresses, seed, epoch),
            certificate,
            epoch,
            remote: None,
            association: None,
            has_failed: false,
            has_keys: false,
            is_connected: false,
            path: None,
            held: VecDeque::new(),
            waiting: VecDeque::new(),
            events: VecDeque::new(),
            progress: Vec::new(),
        }
    }

    /// The peer's description, or a new one: another name restarts ICE, another fingerprint or role begins DTLS anew.
    pub fn agree(&mut self, now: Time, remote: WebRemote) {
        self.agent.agree(now, &remote.ice, remote.controlling);
        let same = self
            .remote
            .as_ref()
            .is_some_and(|old| (&old.fingerprint, old.we_begin) == (&remote.fingerprint, remote.we_begin));
        if !same {
            (self.association, self.has_failed) = (None, false);
        }
        self.remote = Some(remote);
        self.settle(now);
    }

    /// New credentials, told to the peer by an offer: they count from its answer on, the old path stays until then.
    pub fn restart_ice(&mut self, own: Credentials) {
        self.agent.prepare_restart(own);
    }

    /// Takes a packet that came `from` there `to` one of our addresses.
    pub fn packet(&mut self, now: Time, from: SocketAddr, to: SocketAddr, bytes: &[u8]) -> Taken {
        match bytes.first() {
            Some(128..=191) if self.is_connected && self.agent.is_valid(from) => Taken::Media,
            Some(0..=3) => {
                let taken = self.agent.packet(now, from, to, bytes);
                self.settle(now);
                if taken { Taken::Own } else { Taken::Dropped }
            }
            Some(20..=63) if self.agent.is_valid(from) => {
                self.handshake(now, bytes);
                self.settle(now);
                Taken::Own
            }
            Some(20..=63) if self.agent.has_heard(from) && self.held.len() < MAX_HELD => {
                self.held.push_back((from, bytes.to_vec()));
                Taken::Own
            }
            _ => Taken::Dropped,
        }
    }

    /// Time passes: after [`WebTransport::next_timeout`].
    pub fn timeout(&mut self, now: Time) {
        self.agent.step(now);
        if let Some(association) = &mut self.association
            && association.next_timeout().is_some_and(|due| due <= now)
        {
            association.step(now, &mut self.progress);
        }
        self.settle(now);
    }

    /// When [`WebTransport::timeout`] has something to do.
    pub fn next_timeout(&mut self) -> Option<Time> {
        let association = self.association.as_ref().and_then(Association::next_timeout);
        self.agent.next_timeout().into_iter().chain(association).min()
    }

    /// The next packet to be sent.
    pub fn poll_transmit(&mut self) -> Option<WebTransmit> {
        if let Some((path, bytes)) = self.agent.poll_transmit() {
            return Some(WebTransmit { local: path.local, remote: path.remote, bytes });
        }
        self.waiting.pop_front()
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<WebEvent> {
        self.events.pop_front()
    }

    /// Where media goes: from which of our addresses to which of the peer's; `None` while the peer is not known or does not
    /// consent.
    #[must_use]
    pub fn path(&self) -> Option<(SocketAddr, SocketAddr)> {
        self.path.filter(|_| self.is_connected).map(|path| (path.local, path.remote))
    }

    /// Says good-bye to the peer, if there is a way.
    pub fn close(&mut self, now: Time) {
        if let Some(association) = &mut self.association {
            association.close(&mut self.progress);
        }
        self.settle(now);
    }

    fn handshake(&mut self, now: Time, bytes: &[u8]) {
        self.begin(now);
        if let Some(association) = &mut self.association {
            association.packet(now, bytes, &mut self.progress);
        }
        self.proceed();
    }

    fn begin(&mut self, now: Time) {
        let Some(remote) = &self.remote else { return };
        if self.association.is_some() || self.has_failed {
            return;
        }
        let (announced, we_begin) = (remote.fingerprint.clone(), remote.we_begin);
        let mut association = Association::new(&self.certificate, announced, we_begin, self.epoch, now);
        association.step(now, &mut self.progress);
        self.association = Some(association);
    }

    /// Brings everything in line with the path.
    fn settle(&mut self, now: Time) {
        let before = self.path;
        self.path = self.agent.path();
        if let Some(path) = self.path {
            self.begin(now);
            for (from, bytes) in std::mem::take(&mut self.held) {
                if self.agent.is_valid(from) {
                    self.handshake(now, &bytes);
                }
            }
            if self.is_connected && before.is_some_and(|before| before.remote != path.remote) {
                self.events.push_back(WebEvent::Moved(path.remote));
            }
        }
        self.proceed();
        let connected = self.has_keys && !self.has_failed && self.path.is_some();
        if connected != self.is_connected {
            self.is_connected = connected;
            self.events.push_back(if connected { WebEvent::Connected } else { WebEvent::Disconnected });
        }
    }

    fn proceed(&mut self) {
        for progress in self.progress.drain(..) {
            match progress {
                Progress::Send(bytes) => {
                    if let Some(Path { local, remote }) = self.path.filter(|_| self.waiting.len() < MAX_WAITING) {
                        self.waiting.push_back(WebTransmit { local, remote, bytes });
                    }
                }
                Progress::Keys(keys) => {
                    self.has_keys = true;
                    self.events.push_back(WebEvent::Keys(keys));
                }
                Progress::Closed => self.has_keys = false,
                Progress::Failed(why) if !self.has_failed => {
                    (self.has_failed, self.association) = (true, None);
                    self.events.push_back(WebEvent::Failed(why));
                }
                Progress::Failed(_) => {}
            }
        }
    }
}
