//! The link to the pool: one connection that is opened, watched and opened again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lyceum_net::{Arrival, Destination, Flow, ListenerId, Outbox, POOL_LINK};
use lyceum_sip::{Message, Method, RequestBuilder, Time, Transport};

use super::PING_EVERY;

/// After a failed try the next address is tried so soon.
const RETRY: Duration = Duration::from_millis(500);
/// A pool that does not answer for so long is left.
const SILENCE: Duration = Duration::from_secs(10);
/// The branch of our own requests begins so; no mark does.
const BRANCH: &str = "z9hG4bK.link";

pub(super) struct PoolLink {
    listener: ListenerId,
    name: Box<str>,
    pool: Vec<SocketAddr>,
    /// Which of the addresses is in use.
    at: usize,
    flow: Option<Flow>,
    /// When the pool answered last, or the try began.
    heard: Time,
    next: Time,
    cseq: u32,
}

impl PoolLink {
    /// The ticket of what is sent to open it.
    pub(super) const TICKET: u64 = u64::MAX;

    pub(super) fn new(listener: ListenerId, name: Box<str>, pool: Vec<SocketAddr>) -> PoolLink {
        PoolLink { listener, name, pool, at: 0, flow: None, heard: Time(0), next: Time(0), cseq: 0 }
    }

    /// The flow to the pool while the link stands.
    pub(super) fn flow(&self) -> Option<Flow> {
        self.flow
    }

    /// The pool's address.
    pub(super) fn remote(&self) -> SocketAddr {
        self.pool.get(self.at).copied().unwrap_or_else(|| ([0, 0, 0, 0], 0).into())
    }

    pub(super) fn next_timeout(&self) -> Time {
        self.next
    }

    /// Opens it, or asks whether the pool is still there.
    pub(super) fn turn(&mut self, now: Time, out: &mut Outbox) {
        if now < self.next {
            return;
        }
        self.next = now + PING_EVERY;
        if let Some(flow) = self.flow
            && now - self.heard > SILENCE
        {
            tracing::warn!("the pool is silent; the link is opened anew");
            out.close(flow);
            self.closed(now, flow);
            return;
        }
        self.cseq += 1;
        let to = match self.flow {
            Some(flow) => Destination::Flow(flow),
            None => {
                self.heard = now;
                Destination::Address {
                    transport: Transport::Tls,
                    addr: self.remote(),
                    name: Some(Arc::from(POOL_LINK)),
                    from: Some(self.listener),
                }
            }
        };
        let via = format!("SIP/2.0/TLS {}.invalid;branch={BRANCH}{}", self.name, self.cseq);
        let from = format!("<sip:{}.invalid>;tag=link", self.name);
        let (uri, call_id) = (format!("sip:{POOL_LINK}"), format!("link@{}.invalid", self.name));
        let target = format!("<{uri}>");
        let mut builder = RequestBuilder::new(Method::Options, uri.as_bytes());
        builder.via(via.as_bytes()).from(from.as_bytes()).to(target.as_bytes());
        builder.call_id(call_id.as_bytes()).cseq(self.cseq).max_forwards(1);
        out.send(&to, PoolLink::TICKET, |buffer| builder.write(buffer));
    }

    /// Takes the answer to one of our own requests; gives its body. `None` when it is no such answer.
    pub(super) fn answered<'a>(&mut self, now: Time, arrival: &Arrival<'_>, message: &Message<'a>) -> Option<&'a [u8]> {
        let via = message.top_via().ok()?;
        if !via.branch.starts_with(BRANCH.as_bytes()) {
            return None;
        }
        if message.status() / 100 != 2 {
            if self.flow.is_none() {
                tracing::warn!(status = message.status(), "the pool does not know this Edge; enrol it anew");
            }
            return Some(&[]);
        }
        if self.flow.replace(arrival.flow) != Some(arrival.flow) {
            tracing::info!(pool = %arrival.remote, "link to the pool stands");
        }
        self.heard = now;
        Some(message.body())
    }

    pub(super) fn closed(&mut self, now: Time, flow: Flow) {
        if self.flow == Some(flow) {
            tracing::warn!("the link to the pool is lost");
            self.flow = None;
            self.next = now;
        }
    }

    /// A try did not succeed: the next address.
    pub(super) fn failed(&mut self, now: Time) {
        if self.flow.is_none() {
            self.at = (self.at + 1) % self.pool.len().max(1);
            self.next = now + RETRY;
        }
    }
}
