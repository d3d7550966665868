//! An engine that tells the test what it saw and does what the test says.

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use lyceum_net::{Arrival, Destination, Engine, Flow, Handle, ListenerOptions, Load, Options, Outbox, Running};
use lyceum_sip::{Now, Time, Transport};

/// Longer than anything here takes; only a failing test waits for it.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// More events than any test makes.
const EVENTS: usize = 100_000;

/// What the engine was told.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    Message(Seen),
    Closed(Flow),
    Failed(u64),
    Drain,
}

/// An arrival, owned.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub worker: u8,
    pub flow: Flow,
    pub transport: Transport,
    pub listener: lyceum_net::ListenerId,
    pub remote: SocketAddr,
    pub names: Vec<String>,
    pub bytes: Vec<u8>,
}

type Order = Box<dyn FnOnce(&mut Outbox) + Send>;

/// Reports everything; sends each message back when `echo` is on.
pub struct Probe {
    worker: u8,
    echo: bool,
    events: SyncSender<Event>,
    pub busy: bool,
}

impl Engine for Probe {
    type Post = Order;

    fn message(&mut self, _: Now, a: Arrival<'_>, out: &mut Outbox) {
        if self.echo {
            out.send(&a.flow.into(), 0, |b| b.extend_from_slice(a.bytes));
        }
        let seen = Seen {
            worker: self.worker,
            flow: a.flow,
            transport: a.transport,
            listener: a.listener.id,
            remote: a.remote,
            names: a.peer.map(|p| p.names.clone()).unwrap_or_default(),
            bytes: a.bytes.to_vec(),
        };
        let _ = self.events.send(Event::Message(seen));
    }

    fn flow_closed(&mut self, _: Now, flow: Flow, _: &mut Outbox) {
        let _ = self.events.send(Event::Closed(flow));
    }

    fn send_failed(&mut self, _: Now, ticket: u64, _: &mut Outbox) {
        let _ = self.events.send(Event::Failed(ticket));
    }

    fn posted(&mut self, _: Now, order: Order, out: &mut Outbox) {
        order(out);
    }

    fn timeout(&mut self, _: Now, _: &mut Outbox) {}

    fn next_timeout(&self) -> Option<Time> {
        None
    }

    fn settle(&mut self, _: Now, _: Load, _: &mut Outbox) {}

    fn drain(&mut self, _: Now, _: &mut Outbox) {
        let _ = self.events.send(Event::Drain);
    }

    fn is_drained(&self) -> bool {
        !self.busy
    }
}

/// Running workers and what their engines say.
pub struct Rig {
    pub running: Running<Probe>,
    pub handle: Handle<Order>,
    pub events: Receiver<Event>,
}

impl Rig {
    /// Echoing engines.
    pub fn start(options: Options) -> Rig {
        Rig::with(options, true)
    }

    pub fn with(options: Options, echo: bool) -> Rig {
        let workers = options.build().expect("ports on loopback");
        let (sender, events) = sync_channel(EVENTS);
        let running =
            workers.start(|worker| Probe { worker, echo, events: sender.clone(), busy: false }).expect("threads");
        Rig { handle: running.handle(), running, events }
    }

    pub fn addr(&self, listener: usize) -> SocketAddr {
        self.handle.listeners()[listener].addr
    }

    /// Lets worker 0's engine do something.
    pub fn order(&self, order: impl FnOnce(&mut Outbox) + Send + 'static) {
        self.order_at(0, order);
    }

    pub fn order_at(&self, worker: u8, order: impl FnOnce(&mut Outbox) + Send + 'static) {
        assert!(self.handle.worker(worker).post(Box::new(order)).is_ok());
    }

    /// Lets worker 0's engine send.
    pub fn send(&self, to: Destination, ticket: u64, bytes: &[u8]) {
        let bytes = bytes.to_vec();
        self.order(move |out| out.send(&to, ticket, |b| b.extend_from_slice(&bytes)));
    }

    pub fn next(&self) -> Event {
        self.events.recv_timeout(PATIENCE).expect("an event")
    }

    pub fn message(&self) -> Seen {
        match self.next() {
            Event::Message(seen) => seen,
            other => panic!("expected a message, got {other:?}"),
        }
    }

    pub fn stop(self) {
        self.running.drain(PATIENCE);
    }
}

pub fn loopback(transport: Transport) -> ListenerOptions {
    ListenerOptions::new(transport, "127.0.0.1:0".parse().unwrap()).inside(true)
}

pub fn options(listeners: impl IntoIterator<Item = ListenerOptions>) -> Options {
    Options { listeners: listeners.into_iter().collect(), ..Options::default() }
}

/// A request that is whole and short.
pub fn request(call_id: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "OPTIONS sip:example.org SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
         From: <sip:a@example.org>;tag=1\r\nTo: <sip:b@example.org>\r\nCall-ID: {call_id}\r\nCSeq: 1 OPTIONS\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}
