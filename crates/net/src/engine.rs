//! What a worker drives: the [`Engine`] and the values it is given.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lyceum_sip::{Now, Time, Transport};

use crate::{Flow, ListenerId, Outbox};

/// A port that we serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Its number within the process.
    pub id: ListenerId,
    /// How messages come.
    pub transport: Transport,
    /// The bound address, with the real port.
    pub addr: SocketAddr,
    /// What peers shall use to reach it: `host:port` for Via and Record-Route.
    pub advertised: Arc<str>,
    /// True when only hosts of the inside network can reach it (an address on it may then be trusted over UDP).
    pub inside: bool,
    /// True when only enrolled nodes of ours are to come here (the link between an Edge and its pool).
    pub link: bool,
}

/// Who the peer proved to be by its client or server certificate.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PeerIdentity {
    /// DNS names and hosts of `sip:` URIs of the certificate, lower case (RFC 5922 §7.1).
    pub names: Vec<String>,
}

impl PeerIdentity {
    /// True when the certificate names exactly `name`; no wildcards (RFC 5922 §7.2).
    pub fn is(&self, name: &str) -> bool {
        self.names.iter().any(|n| n.eq_ignore_ascii_case(name))
    }
}

/// One message as it came in, with all that the driver knows of its sender.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// The way back.
    pub flow: Flow,
    /// The transport of the flow (the listener's, or of a connection we opened).
    pub transport: Transport,
    /// The port it came to; for a connection that we opened, the listener it was opened for.
    pub listener: &'a Listener,
    /// Our address.
    pub local: SocketAddr,
    /// The peer's address.
    pub remote: SocketAddr,
    /// The verified certificate names, if the peer showed a certificate of a configured authority.
    pub peer: Option<&'a PeerIdentity>,
    /// Exactly one message (streams are framed; keep-alives do not come here).
    pub bytes: &'a [u8],
}

/// How far the worker is from keeping up; given at every [`Engine::settle`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// For how long the sockets have not been read empty. Zero when the last turn read all there was.
    pub behind: Duration,
    /// Datagrams that the kernel dropped since the last turn because a socket buffer was full.
    pub dropped: u64,
    /// Messages handed to the engine in this turn.
    pub messages: u32,
    /// Posts that wait for this worker.
    pub posts_waiting: usize,
}

impl Load {
    /// From here on new work should be refused with 503: half of SIP's T1 (500 ms), so that what is accepted is
    /// answered before its sender repeats it.
    pub const SHED_AFTER: Duration = Duration::from_millis(250);

    /// True when new work should be refused: the worker is [`SHED_AFTER`](Load::SHED_AFTER) behind or the kernel drops.
    pub fn is_overload(&self) -> bool {
        self.behind >= Load::SHED_AFTER || self.dropped > 0
    }
}

/// A machine without IO that one worker owns. All calls come from that worker's thread.
///
/// One turn of the worker is: wait, read what is ready (in bounded rounds) with one [`message`](Engine::message) each,
/// [`posted`](Engine::posted) for what other threads handed over, [`timeout`](Engine::timeout) if one is due,
/// [`settle`](Engine::settle) once, then everything in the [`Outbox`] is sent.
pub trait Engine {
    /// What other threads may hand to this engine.
    type Post: Send;

    /// A message came in.
    fn message(&mut self, now: Now, arrival: Arrival<'_>, out: &mut Outbox);

    /// A connection is gone; its flow leads nowhere from now on.
    fn flow_closed(&mut self, now: Now, flow: Flow, out: &mut Outbox);

    /// What was sent with this ticket did not reach its peer (refused, TLS failed, ICMP error, queue full).
    fn send_failed(&mut self, now: Now, ticket: u64, out: &mut Outbox);

    /// Something another thread handed over.
    fn posted(&mut self, now: Now, post: Self::Post, out: &mut Outbox);

    /// The time named by [`next_timeout`](Engine::next_timeout) has come.
    fn timeout(&mut self, now: Now, out: &mut Outbox);

    /// When [`timeout`](Engine::timeout) is to be called next.
    fn next_timeout(&self) -> Option<Time>;

    /// End of a turn: hand on what was collected (a batch to the store), and learn how busy we are.
    fn settle(&mut self, now: Now, load: Load, out: &mut Outbox);

    /// The service is about to stop: begin nothing new. Called once.
    fn drain(&mut self, now: Now, out: &mut Outbox) {
        let _ = (now, out);
    }

    /// True when nothing is open any more; asked at each turn after [`drain`](Engine::drain).
    fn is_drained(&self) -> bool {
        true
    }
}
