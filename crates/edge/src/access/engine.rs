//! The engine of one worker: whence a message comes decides what may become of it.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use lyceum_net::{Arrival, Destination, Engine, Flow, Load, Outbox};
use lyceum_sip::time::{Now, Time};
use lyceum_sip::{Index, Limits, Message, Method, ParseError, ResponseBuilder, Uri, parse};
use lyceum_topology::federation::EdgeCut;

use super::link::PoolLink;
use super::marks::{Marks, Way};
use super::rate::Buckets;
use super::refusal::{DIAGNOSTICS_HEADER, Refusal};
use super::sent::SentRequests;
use super::{AccessOptions, FindFn, Ports, Post};

/// Addresses of partners remembered, and for how long.
const PARTNERS: usize = 1_024;
const PARTNER_FOR: Duration = Duration::from_secs(60);
/// Seconds' worth of requests that one address may send at once.
const BURST_SECONDS: u64 = 4;

/// The Access Edge of one worker.
pub struct Access {
    pub(super) ports: Ports,
    /// `host:port` of the ports outside.
    pub(super) remote: Box<str>,
    pub(super) federation: Box<str>,
    pub(super) marks: Marks,
    pub(super) link: PoolLink,
    pub(super) cut: EdgeCut,
    pub(super) sources: Buckets<IpAddr>,
    pub(super) partners: Buckets<u64>,
    pub(super) sent: SentRequests,
    pub(super) find: FindFn,
    pub(super) known: HashMap<Box<str>, (Vec<SocketAddr>, Time)>,
    pub(super) scratch: Vec<u8>,
    tags: RandomState,
    index: Index,
    limits: Limits,
    draining: bool,
}

/// A request with the facts of its arrival.
#[derive(Clone, Copy)]
pub(super) struct Inbound<'a> {
    pub(super) now: Now,
    pub(super) arrival: Arrival<'a>,
    pub(super) message: Message<'a>,
}

impl Access {
    /// An engine that has not yet met its pool.
    pub fn new(options: AccessOptions) -> Access {
        Access {
            ports: options.ports,
            remote: options.remote,
            federation: options.federation,
            marks: Marks::new(&options.key),
            link: PoolLink::new(options.ports.link, options.name, options.pool),
            cut: EdgeCut::default(),
            sources: Buckets::new(BURST_SECONDS),
            partners: Buckets::new(1),
            sent: SentRequests::default(),
            find: options.find,
            known: HashMap::new(),
            scratch: Vec::new(),
            tags: RandomState::new(),
            index: Index::new(),
            limits: Limits::default(),
            draining: false,
        }
    }

    fn request(&mut self, inbound: &Inbound<'_>, out: &mut Outbox) {
        let listener = inbound.arrival.listener.id;
        if listener == self.ports.link {
            self.pool_asks(inbound, out);
        } else if Some(listener) == self.ports.federation {
            self.partner_asks(inbound, out);
        } else {
            self.client_asks(inbound, out);
        }
    }

    fn response(&mut self, now: Now, arrival: Arrival<'_>, message: &Message<'_>, out: &mut Outbox) {
        if arrival.listener.id == self.ports.link {
            return self.answer_of_pool(now, &arrival, message, out);
        }
        let Ok(via) = message.top_via() else { return };
        match self.marks.way(via.branch) {
            Some(Way::Down(flow, transaction)) if flow == arrival.flow => {
                self.sent.take(transaction);
                self.answer_pool(message, out);
            }
            Some(Way::Across(domain, transaction))
                if arrival.peer.is_some_and(|peer| peer.names.iter().any(|name| self.marks.domain(name) == domain)) =>
            {
                self.sent.take(transaction);
                self.answer_pool(message, out);
            }
            // Nobody was asked, or somebody else was.
            _ => {}
        }
    }

    fn unreadable(&mut self, now: Now, arrival: Arrival<'_>, index: &Index, error: &ParseError, out: &mut Outbox) {
        if error.answerable {
            let message = Message::new(arrival.bytes, index);
            self.refuse(&Inbound { now, arrival, message }, Refusal::Malformed, out);
        }
    }

    /// Refuses without state; the To tag is the same for a repetition. An ACK is never answered.
    pub(super) fn refuse(&mut self, inbound: &Inbound<'_>, refusal: Refusal, out: &mut Outbox) {
        let (message, arrival) = (&inbound.message, &inbound.arrival);
        if message.method() == Method::Ack {
            return;
        }
        tracing::debug!(remote = %arrival.remote, code = refusal.code(), "refused");
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        self.write_refusal(message, arrival.remote, refusal, &mut bytes);
        out.send(&arrival.flow.into(), 0, |buffer| buffer.extend_from_slice(&bytes));
        self.keep_scratch(bytes);
    }

    fn write_refusal(&self, message: &Message<'_>, remote: SocketAddr, refusal: Refusal, bytes: &mut Vec<u8>) {
        let mut hasher = self.tags.build_hasher();
        hasher.write(message.call_id());
        hasher.write(message.top_via().map(|via| via.branch).unwrap_or_default());
        let tag = format!("{:016x}", hasher.finish());
        let mut builder = ResponseBuilder::new(message, refusal.status(), refusal.reason());
        builder.received(remote.ip(), remote.port()).to_tag(tag.as_bytes());
        builder.header(DIAGNOSTICS_HEADER, refusal.code().as_bytes());
        if refusal.status() == 503 {
            builder.header("Retry-After", b"5");
        }
        builder.write(bytes);
    }

    /// The pool's request could not be delivered.
    pub(super) fn refuse_to_pool(&mut self, request: &[u8], refusal: Refusal, out: &mut Outbox) {
        let mut index = Index::new();
        let (Ok(_), Some(flow)) = (parse(request, &mut index, &self.limits), self.link.flow()) else { return };
        let message = Message::new(request, &index);
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        self.write_refusal(&message, self.link.remote(), refusal, &mut bytes);
        out.send(&Destination::Flow(flow), 0, |buffer| buffer.extend_from_slice(&bytes));
        self.keep_scratch(bytes);
    }

    /// The buffer is used again, but does not remember.
    pub(super) fn keep_scratch(&mut self, mut bytes: Vec<u8>) {
        bytes.fill(0);
        self.scratch = bytes;
    }

    /// Is this address ours, as others write it?
    pub(super) fn is_us(&self, uri: &Uri<'_>) -> bool {
        let host = uri.host_text();
        let is = |ours: &str| {
            let (name, port) = ours.rsplit_once(':').unwrap_or((ours, ""));
            let default = uri.port().unwrap_or(5061).to_string();
            name.as_bytes().eq_ignore_ascii_case(host) && port == default
        };
        uri.param(super::EDGE_PARAM).is_some() || is(&self.remote) || is(&self.federation)
    }

    /// Where a partner's Access Edge was found: not long ago, or for what follows a request that found its way, ever.
    pub(super) fn partner_at(&self, now: Time, domain: &str, is_new: bool) -> Option<Vec<SocketAddr>> {
        self.known.get(domain).filter(|(_, until)| !is_new || now < *until).map(|(found, _)| found.clone())
    }

    fn found(&mut self, now: Now, query: u64, found: super::Found, out: &mut Outbox) {
        let Some(sent) = self.sent.take(query) else { return };
        match found {
            Ok(addresses) if !addresses.is_empty() => {
                if self.known.len() >= PARTNERS {
                    self.known.clear();
                }
                self.known.insert(sent.domain.clone(), (addresses.clone(), now.mono + PARTNER_FOR));
                self.on_to_partner(now, query, sent, addresses, out);
            }
            _ => self.refuse_to_pool(&sent.request, Refusal::PartnerUnknown, out),
        }
    }
}

impl Engine for Access {
    type Post = Post;

    fn message(&mut self, now: Now, arrival: Arrival<'_>, out: &mut Outbox) {
        let mut index = std::mem::take(&mut self.index);
        let read = parse(arrival.bytes, &mut index, &self.limits);
        match read {
            Err(error) => self.unreadable(now, arrival, &index, &error, out),
            Ok(_) => {
                let message = Message::new(arrival.bytes, &index);
                match (message.is_request(), message.validate()) {
                    (true, Ok(())) => self.request(&Inbound { now, arrival, message }, out),
                    (true, Err(_)) => self.refuse(&Inbound { now, arrival, message }, Refusal::Malformed, out),
                    (false, Ok(())) => self.response(now, arrival, &message, out),
                    (false, Err(_)) => {}
                }
            }
        }
        self.index = index;
    }

    fn flow_closed(&mut self, now: Now, flow: Flow, _: &mut Outbox) {
        self.link.closed(now.mono, flow);
    }

    fn send_failed(&mut self, now: Now, ticket: u64, out: &mut Outbox) {
        if ticket == PoolLink::TICKET {
            return self.link.failed(now.mono);
        }
        let Some(mut sent) = self.sent.take(ticket) else { return };
        if sent.domain.is_empty() {
            self.refuse_to_pool(&sent.request, Refusal::FlowGone, out);
        } else if sent.later.is_empty() {
            self.known.remove(&sent.domain);
            self.refuse_to_pool(&sent.request, Refusal::PartnerDown, out);
        } else {
            let later = std::mem::take(&mut sent.later);
            self.on_to_partner(now, ticket, sent, later, out);
        }
    }

    fn posted(&mut self, now: Now, post: Post, out: &mut Outbox) {
        match post {
            Post::Found { query, found } => self.found(now, query, found, out),
        }
    }

    fn timeout(&mut self, now: Now, out: &mut Outbox) {
        self.sent.forget(now.mono);
        if !self.draining {
            self.link.turn(now.mono, out);
        }
    }

    fn next_timeout(&self) -> Option<Time> {
        [self.sent.next_timeout(), Some(self.link.next_timeout())].into_iter().flatten().min()
    }

    fn settle(&mut self, _: Now, _: Load, _: &mut Outbox) {}

    fn drain(&mut self, _: Now, _: &mut Outbox) {
        self.draining = true;
    }
}
