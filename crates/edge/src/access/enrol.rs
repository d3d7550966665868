//! How an Edge gets its certificate: one request on the pool's port for links, over TLS that the fingerprint in the
//! one-time token vouches for.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use lyceum_net::{
    Arrival, Destination, Engine, Flow, ListenerId, ListenerOptions, Load, Options, Outbox, POOL_LINK, Tls,
};
use lyceum_sip::time::{Now, Time};
use lyceum_sip::{Index, Limits, Message, Method, RequestBuilder, Transport, parse};

/// How long the pool may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// What the pool said: status, reason and body.
pub type Answer = (u16, String, Vec<u8>);

struct Asking {
    pool: SocketAddr,
    body: Vec<u8>,
    asked: bool,
    answer: SyncSender<Answer>,
}

/// Asks `pool` with `body`. Waits.
pub fn ask(pool: SocketAddr, tls: Tls, body: Vec<u8>) -> Result<Answer, String> {
    let unspecified: SocketAddr = if pool.is_ipv4() { ([0u8; 4], 0).into() } else { ([0u16; 8], 0).into() };
    let mut listener = ListenerOptions::new(Transport::Tls, unspecified);
    listener.dials_only = true;
    // What is only dialled from needs no certificate of its own.
    let options = Options { tls: Some(tls), listeners: vec![listener], ..Options::default() };
    let workers = options.build::<()>().map_err(|error| error.to_string())?;
    let (answer, answered): (_, Receiver<Answer>) = sync_channel(1);
    let mut asking = Some(Asking { pool, body, asked: false, answer });
    let running = workers.start(|_| asking.take().expect("one worker")).map_err(|error| error.to_string())?;
    let said = answered.recv_timeout(PATIENCE);
    running.drain(Duration::from_millis(200));
    said.map_err(|_| format!("{pool} does not answer: check the address, and the firewall between the two"))
}

impl Engine for Asking {
    type Post = ();

    fn message(&mut self, _: Now, arrival: Arrival<'_>, _: &mut Outbox) {
        let mut index = Index::new();
        if parse(arrival.bytes, &mut index, &Limits::default()).is_ok() {
            let message = Message::new(arrival.bytes, &index);
            let reason = String::from_utf8_lossy(message.reason()).into_owned();
            self.answer.try_send((message.status(), reason, message.body().to_vec())).ok();
        }
    }

    fn flow_closed(&mut self, _: Now, _: Flow, _: &mut Outbox) {}

    fn send_failed(&mut self, _: Now, _: u64, _: &mut Outbox) {
        let why = format!("{} takes no connection, or is not the pool that made the token", self.pool);
        self.answer.try_send((0, why, Vec::new())).ok();
    }

    fn posted(&mut self, _: Now, (): (), _: &mut Outbox) {}

    fn timeout(&mut self, _: Now, out: &mut Outbox) {
        if std::mem::replace(&mut self.asked, true) {
            return;
        }
        let to = Destination::Address {
            transport: Transport::Tls,
            addr: self.pool,
            name: Some(Arc::from(POOL_LINK)),
            from: Some(ListenerId(0)),
        };
        let uri = format!("sip:{POOL_LINK}");
        let target = format!("<{uri}>");
        let mut builder = RequestBuilder::new(Method::Other, uri.as_bytes());
        builder.method_token(b"ENROL").via(b"SIP/2.0/TLS edge.invalid;branch=z9hG4bK.enrol");
        builder.from(b"<sip:edge.invalid>;tag=enrol").to(target.as_bytes());
        builder.call_id(b"enrol@edge.invalid").cseq(1).max_forwards(1);
        builder.body(b"application/json", &self.body);
        out.send(&to, 1, |buffer| builder.write(buffer));
    }

    fn next_timeout(&self) -> Option<Time> {
        (!self.asked).then_some(Time(0))
    }

    fn settle(&mut self, _: Now, _: Load, _: &mut Outbox) {}
}
