//! Copies of a request for its branches: RFC 3261 §16.6, by splicing.

use lyceum_monitoring::DecisionStep;
use lyceum_net::{Listener, Outbox};
use lyceum_sip::header::session_expires::{Refresher, SessionExpires};
use lyceum_sip::proxy::{self, BranchId, LoopHash, RoutePlan, SentBy, via_line};
use lyceum_sip::session_timer::{self, AtProxy, Offer, Remembered};
use lyceum_sip::time::Now;
use lyceum_sip::transaction::Outgoing;
use lyceum_sip::{Index, Limits, Message, Name, Splice, Transport, parse};

use super::admit::{Admitted, Sender, timer_policy};
use super::bridging::Unbridged;
use super::context::{Branch, Context, ContextId, Hop};
use super::passing;
use crate::core::Core;
use crate::inbound::Inbound;

/// Our side of a hop: host and port of a listener as peers shall write them.
pub(crate) fn sent_by(listener: &Listener, transport: Transport) -> SentBy<'_> {
    let (host, port) = match listener.advertised.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().unwrap_or(listener.addr.port())),
        None => (&*listener.advertised, listener.addr.port()),
    };
    SentBy { transport, host: host.as_bytes(), port }
}

/// The value of Session-Expires.
pub(crate) fn written(expires: &SessionExpires) -> String {
    let refresher = match expires.refresher {
        Some(Refresher::Uac) => ";refresher=uac",
        Some(Refresher::Uas) => ";refresher=uas",
        None => "",
    };
    format!("{}{refresher}", expires.interval)
}

/// A branch that the response context has opened and that is to be sent.
#[derive(Clone, Copy)]
pub(crate) struct Opened {
    pub(crate) id: ContextId,
    pub(crate) branch: BranchId,
}

/// Facts of a copy.
struct Copy<'a, 'p> {
    message: Message<'p>,
    plan: &'a RoutePlan<'p>,
    hop: &'a Hop,
    branch: &'a [u8],
    keep_identity: bool,
    /// Record-Route lines, the one for the next hop last.
    record_routes: &'a [Vec<u8>],
    timer: Option<Timer>,
    /// What stands in the place of its session description.
    body: Option<&'a [u8]>,
}

/// What the session timer policy changes in a request.
struct Timer {
    expires: Option<String>,
    min: Option<String>,
    remember: Option<Remembered>,
}

impl Core {
    /// Begins one branch with a transaction of its own.
    pub(crate) fn begin_branch<'p>(
        &mut self,
        now: Now,
        opened: Opened,
        context: &mut Context,
        hop: Hop,
        message: &Message<'p>,
        admitted: &Admitted<'p>,
    ) {
        self.branch(now, opened, context, hop, message, &admitted.plan, admitted.loop_hash);
    }

    /// Begins a further branch from the request that the context keeps.
    pub(crate) fn begin_later(&mut self, now: Now, id: ContextId, context: &mut Context, hop: Hop) {
        let request = std::mem::take(&mut context.request);
        let mut index = Index::new();
        if parse(&request, &mut index, &Limits::default()).is_ok() {
            let message = Message::new(&request, &index);
            if let Ok(plan) = proxy::preprocess(&message, &|uri| self.is_own_route(uri)) {
                let hash = self.calls.branches.loop_hash(&message);
                if let Some(branch) = context.responses.branch() {
                    self.branch(now, Opened { id, branch }, context, hop, &message, &plan, hash);
                }
            }
        }
        context.request = request;
    }

    #[expect(clippy::too_many_arguments, reason = "the request under way is one value in parts that live apart")]
    fn branch<'p>(
        &mut self,
        now: Now,
        opened: Opened,
        context: &mut Context,
        mut hop: Hop,
        message: &Message<'p>,
        plan: &RoutePlan<'p>,
        loop_hash: LoopHash,
    ) {
        if !hop.spare.is_empty() {
            context.spare.push((opened.branch.index(), std::mem::take(&mut hop.spare)));
        }
        let bridged = match self.bridge(now, context, &hop, message) {
            Ok(bridged) => bridged,
            Err(unbridged) => return unsent(context, opened.branch, unbridged),
        };
        let (bridge, body) = bridged.map_or((None, None), |(bridge, body)| (Some(bridge), body));
        let timer = self.session_timer(message);
        context.timer = timer.as_ref().and_then(|timer| timer.remember);
        let mut branch = Vec::with_capacity(48);
        self.calls.branches.mint(loop_hash, &mut branch);
        let mut token = Vec::new();
        let record_routes = self.record_routes(now.wall, context, &hop, message, &mut token);
        let copy = Copy {
            message: *message,
            plan,
            hop: &hop,
            branch: &branch,
            keep_identity: context.keep_identity,
            record_routes: &record_routes,
            timer,
            body: body.as_deref(),
        };
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        self.write_copy(&copy, &mut bytes);
        let again = self.hop_again(context, &hop, message);
        let mut for_size = None;
        if let Some(mut stream) = self.stream_instead(now.mono, &hop, bytes.len()) {
            bytes.clear();
            self.write_copy(&Copy { hop: &stream, ..copy }, &mut bytes);
            for_size = stream.remote();
            std::mem::swap(&mut hop, &mut stream);
            stream.stream = None;
            context.spare_first(opened.branch.index(), stream);
        }
        let request = Outgoing {
            method: message.method_token(),
            branch: &branch,
            bytes: &bytes,
            reliable: hop.transport.is_reliable(),
            peer: hop.to.clone(),
            user: opened.id.with_branch(opened.branch.index() as u16),
        };
        let client = self.transactions.send(now.mono, request).ok();
        self.scratch = bytes;
        let record = match (&mut context.record, hop.record.take()) {
            (Some(record), Some(branch)) => {
                record.branches.push(*branch);
                record.branches.len() - 1
            }
            _ => usize::MAX,
        };
        context.branches.push(Branch {
            client,
            token: token.into_boxed_slice(),
            to_endpoint: !hop.flow.is_empty(),
            ring: hop.ring,
            record,
            status: 0,
            bridge,
            again,
            for_size,
        });
        if client.is_none() {
            self.unbridge(context, opened.branch.index());
            context.responses.transport_error(opened.branch);
        }
    }

    /// RFC 4028 §8.1: what our policy changes in the session timer of a request.
    fn session_timer(&self, message: &Message<'_>) -> Option<Timer> {
        let offer = Offer::of(message)?;
        let policy = timer_policy(self.snapshot.pool(&self.pool));
        if offer.expires.is_none() && policy.wanted == 0 {
            return None;
        }
        match session_timer::at_proxy(&offer, &policy) {
            AtProxy::Forward { expires, min, remember } => Some(Timer {
                expires: expires.map(|expires| written(&expires)),
                min: min.map(|min| min.to_string()),
                remember,
            }),
            AtProxy::TooSmall(_) => None,
        }
    }

    fn write_copy(&self, copy: &Copy<'_, '_>, out: &mut Vec<u8>) {
        let Copy { message, plan, hop, .. } = *copy;
        let target = hop.uri.as_deref().unwrap_or(plan.request_uri);
        let mut route = Vec::new();
        plan.write_line(target, &mut route);
        let mut path = Vec::new();
        if !hop.routes.is_empty() {
            path.extend_from_slice(b"Route: ");
            path.extend_from_slice(&hop.routes);
        }
        let hops = match message.max_forwards() {
            Some(_) => u32::from(proxy::hops_left(&message).unwrap_or(0)),
            None => self.snapshot.pool(&self.pool).proxy.max_forwards,
        };
        let hops = hops.to_string();
        let breadth = hop.breadth.map(|breadth| format!("Max-Breadth: {breadth}"));
        let mut via = Vec::with_capacity(96);
        if let Some(listener) = self.listener(hop.listener) {
            via_line(&mut via, &sent_by(listener, hop.transport), copy.branch);
        }
        let mut splice = Splice::new(message);
        plan.apply(&mut splice, target, &route);
        if !path.is_empty() {
            splice.prepend(&path);
        }
        splice.replace(Name::MaxForwards, hops.as_bytes());
        if !copy.keep_identity {
            passing::strip_identity(&mut splice);
        }
        passing::strip_credentials(&mut splice, &message, &self.snapshot);
        if let Some(timer) = &copy.timer {
            if let Some(expires) = &timer.expires {
                splice.replace(Name::SessionExpires, expires.as_bytes());
            }
            if let Some(min) = &timer.min {
                splice.replace(Name::MinSE, min.as_bytes());
            }
        }
        if let Some(breadth) = &breadth {
            splice.remove_named(b"Max-Breadth").append(breadth.as_bytes());
        }
        if let Some(body) = copy.body {
            splice.body(b"application/sdp", body);
        }
        for line in copy.record_routes {
            splice.prepend(line);
        }
        splice.prepend(&via);
        splice.write(out);
    }

    /// An ACK for a 2xx goes on without a transaction.
    pub(crate) fn forward_ack<'p>(&mut self, inbound: &Inbound<'p>, admitted: &Admitted<'p>, out: &mut Outbox) {
        let message = inbound.message;
        let way = match &admitted.sender {
            Sender::Dialog(passage) => self.way_in_dialog(passage.to(), &admitted.plan),
            _ => self.way_to_uri(admitted.plan.next_hop(admitted.plan.request_uri)),
        };
        // A name was resolved for the INVITE moments ago; an ACK does not wait for DNS.
        let hop = way.and_then(|way| match way {
            super::hops::Way::Hop(hop) => Some(hop),
            super::hops::Way::Name(_) => None,
        });
        let Some(mut hop) = hop else { return };
        // Nobody answers an ACK, so nobody would learn that a flow is dead: the newest one is taken at once.
        if matches!(admitted.sender, Sender::Dialog(_)) && !hop.flow.is_empty() && hop.transport.is_reliable() {
            hop = self.newer_flow(inbound.now, &message, admitted.plan.request_uri, &hop).unwrap_or(hop);
        }
        let bridge = self.bridge_of(&message);
        let body = bridge.and_then(|(bridge, from)| self.passed_or_emptied(bridge, from, &message).body);
        let mut branch = Vec::with_capacity(48);
        self.calls.branches.mint(admitted.loop_hash, &mut branch);
        let copy = Copy {
            message,
            plan: &admitted.plan,
            hop: &hop,
            branch: &branch,
            keep_identity: inbound.trusted,
            record_routes: &[],
            timer: None,
            body: body.as_deref(),
        };
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        self.write_copy(&copy, &mut bytes);
        match self.stream_instead(inbound.now.mono, &hop, bytes.len()) {
            Some(stream) => {
                let mut over_tcp = Vec::with_capacity(bytes.len());
                self.write_copy(&Copy { hop: &stream, ..copy }, &mut over_tcp);
                self.send_large_ack(inbound.now, &stream, (&hop, &bytes), &over_tcp, out);
            }
            None => self.send(inbound.now, &hop.to, 0, &bytes, out),
        }
        if self.ladders.keeps_all() {
            self.ladder_sent_of(inbound.now, message.call_id(), &hop.to, &bytes);
        }
        self.scratch = bytes;
        self.flush_transactions(inbound.now, out);
    }
}

/// A branch whose media cannot be bridged is refused: the trace, the record and the answer say why.
fn unsent(context: &mut Context, branch: BranchId, unbridged: Unbridged) {
    let refusal = unbridged.refusal();
    if let Some(record) = &mut context.record {
        let (status, code, why) = (refusal.status(), refusal.code().to_owned(), unbridged.why.clone());
        record.decision.push(DecisionStep::Refused { status, code, why });
    }
    context.branches.push(Branch::unsent(refusal.status()));
    context.unbridged = Some(Box::new(unbridged));
    context.responses.refused(branch, refusal.status());
}
