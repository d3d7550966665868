//! What a caller decides: listeners, bounds, pace.

use std::net::SocketAddr;
use std::time::Duration;

use lyceum_sip::{Limits, Transport};

use crate::{Clock, Tls};

/// One port to serve.
#[derive(Clone, Debug)]
pub struct ListenerOptions {
    /// UDP, TCP or TLS. (WS and WSS come from the HTTPS server: [`Handle::foreign_listener`](crate::Handle::foreign_listener).)
    pub transport: Transport,
    /// Address to bind; port 0 lets the system choose.
    pub addr: SocketAddr,
    /// With port 0: take the port that this earlier listener (its place in the list) got.
    pub port_of: Option<usize>,
    /// `host:port` for Via and Record-Route; the bound address if not given.
    pub advertised: Option<String>,
    /// Reachable from the inside network only.
    pub inside: bool,
    /// Enrolled nodes of ours come here, nobody else.
    pub link: bool,
    /// No port is opened: connections that we open are its only ones. Their source is the address.
    pub dials_only: bool,
    /// Certificates and authorities of this listener and of the connections opened for it, instead of
    /// [`Options::tls`].
    pub tls: Option<Tls>,
}

impl ListenerOptions {
    /// A listener on `addr` that advertises its address and counts as outside.
    pub fn new(transport: Transport, addr: SocketAddr) -> ListenerOptions {
        ListenerOptions {
            transport,
            addr,
            port_of: None,
            advertised: None,
            inside: false,
            link: false,
            dials_only: false,
            tls: None,
        }
    }

    /// Gives it certificates and authorities of its own.
    pub fn with_tls(mut self, tls: Tls) -> ListenerOptions {
        self.tls = Some(tls);
        self
    }

    /// Marks it as reachable from the inside network only.
    pub fn inside(mut self, inside: bool) -> ListenerOptions {
        self.inside = inside;
        self
    }
}

/// When one wake-up is to serve several datagrams.
///
/// A wake-up costs more CPU than the calls it leads to, so above a rate the worker rests a little before it reads
/// again, if it finds that this saves wake-ups. Below that rate every message is answered at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coalesce {
    /// How long to rest; 0 (never) to 16 ms. Longer values are cut to that.
    pub rest: Duration,
    /// Rest only while this many messages are expected per rest.
    pub at_least: u32,
}

impl Coalesce {
    /// Longest rest.
    pub const REST_MAX: Duration = Duration::from_millis(16);
    /// Never rest.
    pub const OFF: Coalesce = Coalesce { rest: Duration::ZERO, at_least: 1 };
}

impl Default for Coalesce {
    fn default() -> Coalesce {
        Coalesce { rest: Coalesce::REST_MAX, at_least: 8 }
    }
}

/// Every bound of the driver. The answer when one is reached stands with it.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Connections that one listener holds; more are closed at once.
    pub connections_per_listener: usize,
    /// Connections that one source address holds, all listeners together, except known sources on inside listeners; more
    /// are closed at once, with one line in the log.
    pub connections_per_source: usize,
    /// Connections accepted per second by one listener (and as many at once after a quiet second); more wait in the
    /// kernel's backlog.
    pub accepts_per_second: u32,
    /// Connections opened by one worker; more are reported as failed.
    pub connections_opened: usize,
    /// TLS handshakes and outbound connects must be done within this; else closed.
    pub handshake: Duration,
    /// Time from accept to the first whole message or keep-alive; else closed.
    pub first_message: Duration,
    /// Time in which a message that has begun must be whole; else closed.
    pub whole_message: Duration,
    /// A connection that brings nothing for so long is closed (Lync: 20 minutes).
    pub idle: Duration,
    /// Bytes that wait for one slow reader; more close the connection.
    pub out_queue: usize,
    /// Bytes that wait for all slow readers of one worker; more close the connection that asks.
    pub out_queues: usize,
    /// Time in which a slow reader must take at least something; else closed.
    pub write_stall: Duration,
    /// Posts that wait for one worker; more are given back to the poster.
    pub posts: usize,
    /// Messages from other workers' engines that wait for one worker; more are reported as failed.
    pub commands: usize,
    /// Bytes of messages from foreign flows on their way to one worker; more wait (back-pressure).
    pub foreign_in: usize,
    /// Messages of one foreign flow on their way out; more close it.
    pub foreign_out: usize,
    /// Socket buffers asked for on UDP ports, in bytes.
    pub datagram_buffer: usize,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            connections_per_listener: 60_000,
            connections_per_source: 2_000,
            accepts_per_second: 2_000,
            connections_opened: 8_000,
            handshake: Duration::from_secs(10),
            first_message: Duration::from_secs(30),
            whole_message: Duration::from_secs(30),
            idle: Duration::from_secs(20 * 60),
            out_queue: 1 << 20,
            out_queues: 64 << 20,
            write_stall: Duration::from_secs(30),
            posts: 1 << 16,
            commands: 1 << 14,
            foreign_in: 4 << 20,
            foreign_out: 256,
            datagram_buffer: 4 << 20,
        }
    }
}

/// What the workers are made from.
#[derive(Clone, Debug)]
pub struct Options {
    /// Number of workers, 1 to 255.
    pub workers: u8,
    /// Ports to serve; their order gives the [`ListenerId`](crate::ListenerId)s.
    pub listeners: Vec<ListenerOptions>,
    /// Bounds.
    pub bounds: Bounds,
    /// When to rest.
    pub coalesce: Coalesce,
    /// Certificates; needed by TLS listeners and for TLS connections that engines ask for.
    pub tls: Option<Tls>,
    /// Limits of one message, for framing.
    pub limits: Limits,
    /// The clock that all workers share.
    pub clock: Clock,
    /// Traffic class of what leaves our sockets: the DSCP of signalling, times four; 0 marks nothing.
    pub traffic_class: u8,
    /// Overwrite every buffer that held messages once they are handed on: for hosts that must not remember them.
    pub forgetful: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            workers: 1,
            listeners: Vec::new(),
            bounds: Bounds::default(),
            coalesce: Coalesce::default(),
            tls: None,
            limits: Limits::default(),
            clock: Clock::start(),
            traffic_class: 0,
            forgetful: false,
        }
    }
}
