//! The links to Access Edges: which are enrolled, which stand, and who is behind a request that comes by one.
//!
//! A link has a lasting name ([`Flow::to_link`]) that bindings, dialogs and subscriptions keep; the connection that
//! carries it may change under them.

use std::collections::HashMap;

use lyceum_net::{Arrival, Flow, Outbox, POOL_LINK};
use lyceum_sip::time::Now;
use lyceum_sip::{Index, Message, Method, Name, RequestBuilder, ResponseBuilder, parse};
use lyceum_topology::Snapshot;
use lyceum_topology::federation::EdgeCut;

use super::{Core, Effect};
use crate::inbound::{Inbound, Outside};
use crate::refusal::{DIAGNOSTICS_HEADER, Refusal};

/// What an Edge says of the sender of a request.
const OUTSIDE_HEADER: &[u8] = b"Lyceum-Outside";
/// Tells an Edge to close the connection that the Route names.
const CLOSE_HEADER: &str = "Lyceum-Close";
/// The method by which a node that has no certificate yet asks for one.
const ENROL: &[u8] = b"ENROL";
/// Nodes that wait for their certificate at a time; more are told to come again.
const ENROLLING: usize = 16;
/// Media type of the topology's cut.
const CUT: &[u8] = b"application/json";

/// An Access Edge that is enrolled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolledEdge {
    /// Its number, for life.
    pub number: u32,
    /// The name in the certificate that it was given last.
    pub link: Box<str>,
}

/// The links of one worker.
pub(crate) struct Links {
    enrolled: Vec<EnrolledEdge>,
    /// The connections that stand, by the number of the Edge.
    standing: HashMap<u32, Flow>,
    cut: Vec<u8>,
    /// Who waits for a certificate: the way back and the request.
    enrolling: HashMap<u64, (Flow, Box<[u8]>)>,
    asked: u64,
}

impl Links {
    pub(super) fn new(snapshot: &Snapshot) -> Links {
        let mut links = Links {
            enrolled: Vec::new(),
            standing: HashMap::new(),
            cut: Vec::new(),
            enrolling: HashMap::new(),
            asked: 0,
        };
        links.topology(snapshot);
        links
    }

    pub(super) fn topology(&mut self, snapshot: &Snapshot) {
        self.cut = serde_json::to_vec(&EdgeCut::of(snapshot.document())).unwrap_or_default();
    }

    pub(super) fn closed(&mut self, flow: Flow) {
        self.standing.retain(|number, standing| {
            let stays = *standing != flow;
            if !stays {
                tracing::warn!(edge = number, "the link of an Access Edge is lost");
            }
            stays
        });
    }

    /// The number of the Edge that the other side proved to be.
    fn edge(&self, arrival: &Arrival<'_>) -> Option<u32> {
        let peer = arrival.peer?;
        self.enrolled.iter().find(|edge| peer.is(&edge.link)).map(|edge| edge.number)
    }
}

impl Core {
    /// The Edges that are enrolled now; links of others end.
    pub fn set_edges(&mut self, edges: Vec<EnrolledEdge>, out: &mut Outbox) {
        self.links.standing.retain(|number, flow| {
            let before = self.links.enrolled.iter().find(|edge| edge.number == *number);
            let stays = before.is_some_and(|before| edges.contains(before));
            if !stays {
                out.close(*flow);
            }
            stays
        });
        self.links.enrolled = edges;
    }

    /// The numbers of the Edges whose links stand.
    pub fn linked_edges(&self) -> Vec<u32> {
        let mut numbers: Vec<u32> = self.links.standing.keys().copied().collect();
        numbers.sort_unstable();
        numbers
    }

    /// An Edge by which requests leave.
    pub(crate) fn edge_for_leaving(&self) -> Option<Flow> {
        self.links.standing.keys().min().map(|number| Flow::to_link(self.worker, *number))
    }

    /// A message that came by a link gets the lasting name of the link for its flow; the Edge's own questions end here.
    pub(super) fn by_link<'a>(
        &mut self,
        now: Now,
        arrival: Arrival<'a>,
        message: &Message<'a>,
        out: &mut Outbox,
    ) -> Option<Arrival<'a>> {
        if !arrival.listener.link {
            return Some(arrival);
        }
        let Some(number) = self.links.edge(&arrival) else {
            if message.is_request() && message.method_token() == ENROL {
                self.enrol(now, &arrival, message, out);
            } else if message.is_request() {
                let inbound = Inbound { now, arrival, message: *message, trusted: false, outside: None };
                self.refuse(&inbound, Refusal::UnknownEdge, out);
            }
            return None;
        };
        if self.links.standing.insert(number, arrival.flow) != Some(arrival.flow) {
            tracing::info!(edge = number, remote = %arrival.remote, "the link of an Access Edge stands");
            out.name_link(number, arrival.flow);
        }
        let is_question = message.method() == Method::Options
            && message.is_request()
            && message.parsed_request_uri().is_ok_and(|uri| uri.host_text().eq_ignore_ascii_case(POOL_LINK.as_bytes()));
        if is_question {
            self.tell_edge(&arrival, message, out);
            return None;
        }
        Some(Arrival { flow: Flow::to_link(self.worker, number), ..arrival })
    }

    /// A node asks for a certificate: whether its token is good is the binary's to say.
    fn enrol(&mut self, now: Now, arrival: &Arrival<'_>, message: &Message<'_>, out: &mut Outbox) {
        let inbound = Inbound { now, arrival: *arrival, message: *message, trusted: false, outside: None };
        let in_time = self.sources.admits(now.mono, inbound.source(), ENROLLING as u32);
        if !in_time || self.links.enrolling.len() >= ENROLLING {
            return self.refuse_for_load(&inbound, Refusal::Overloaded, out);
        }
        self.links.asked += 1;
        let query = self.links.asked;
        self.links.enrolling.insert(query, (arrival.flow, message.wire().into()));
        self.effects.push_back(Effect::Enrol { query, asked: message.body().into() });
    }

    /// The certificate of a node that asked, or nothing when its token is not good.
    pub fn enrolled(&mut self, query: u64, papers: Option<&[u8]>, out: &mut Outbox) {
        let Some((flow, request)) = self.links.enrolling.remove(&query) else { return };
        let mut index = Index::new();
        if parse(&request, &mut index, &self.parse_limits).is_err() {
            return;
        }
        let message = Message::new(&request, &index);
        let refusal = Refusal::TokenSpent;
        let (status, reason) = papers.map_or((refusal.status(), refusal.reason()), |_| (200, "OK"));
        let mut builder = ResponseBuilder::new(&message, status, reason);
        builder.to_tag(b"pool");
        match papers {
            Some(papers) => builder.body(CUT, papers),
            None => builder.header(DIAGNOSTICS_HEADER, refusal.code().as_bytes()),
        };
        out.send(&flow.into(), 0, |buffer| builder.write(buffer));
        if papers.is_none() {
            out.close(flow);
        }
    }

    /// Has an Edge close the connection of a client that its Path leads to. Nothing is lost when the link is down: then the
    /// client is not served either.
    pub(super) fn close_outside(&self, link: Flow, path: &[u8], out: &mut Outbox) {
        let mut builder = RequestBuilder::new(Method::Options, b"sip:client.invalid");
        builder.via(b"SIP/2.0/TLS pool.invalid;branch=z9hG4bK.close").route(path);
        builder.from(b"<sip:pool.invalid>;tag=close").to(b"<sip:client.invalid>");
        builder.call_id(b"close@pool.invalid").cseq(1).max_forwards(1).header(CLOSE_HEADER, b"1");
        out.send(&link.into(), 0, |buffer| builder.write(buffer));
    }

    /// Answers an Edge with its cut of the topology.
    fn tell_edge(&mut self, arrival: &Arrival<'_>, message: &Message<'_>, out: &mut Outbox) {
        let mut builder = ResponseBuilder::new(message, 200, "OK");
        builder.to_tag(b"pool").body(CUT, &self.links.cut);
        out.send(&arrival.flow.into(), 0, |buffer| builder.write(buffer));
    }

    /// Who stands behind a request; only what comes by a link says so.
    pub(crate) fn outside<'a>(&self, arrival: &Arrival<'_>, message: &Message<'a>) -> Option<Outside<'a>> {
        if !arrival.listener.link {
            return None;
        }
        // Of several lines the last is the Edge's own: it writes below what it leaves of others.
        let said = message.fields().filter(|field| field.name == Name::Other);
        let said = said.filter(|field| field.raw_name.eq_ignore_ascii_case(OUTSIDE_HEADER)).last();
        let domain = said.and_then(|field| field.value.strip_prefix(b"federated;domain="));
        match domain.map(std::str::from_utf8) {
            Some(Ok(domain)) => Some(Outside::Federated(domain.trim())),
            _ => Some(Outside::Remote),
        }
    }
}
