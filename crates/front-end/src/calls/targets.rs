//! From an admitted request to its branches: RFC 3261 §16.5 and the beginning of §16.6.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use lyceum_monitoring::{DecisionStep, Private, Side, Target};
use lyceum_net::Outbox;
use lyceum_sip::gruu::Gruu;
use lyceum_sip::outbound::{self, FlowView};
use lyceum_sip::proxy::{self, ResponseContext};
use lyceum_sip::time::Now;
use lyceum_sip::token::Direction;
use lyceum_sip::transaction::ServerId;
use lyceum_sip::{Contact, Message, Method, Scheme, Uri};
use lyceum_topology::{Snapshot, UserId, UserRecord, routing_group};
use lyceum_users::Binding;
use lyceum_users::presence::Reach;

use super::admit::{Admitted, Sender};
use super::context::{Context, Hop};
use super::forward::Opened;
use super::hops::{Way, flow_bytes};
use super::serial::Step;
use crate::core::Core;
use crate::inbound::Inbound;
use crate::messages::{Kept, Taken};
use crate::refusal::Refusal;
use crate::route::{Intent, Route, decide};
use crate::trace::wire_of;

/// What a request is to be sent to.
pub(super) enum Targets {
    /// All at once.
    Parallel(Vec<Hop>),
    /// One after another, some of them still names.
    Serial(Vec<Step>),
    /// Nowhere.
    Refuse(Refusal),
}

impl Core {
    /// Finds the targets of an admitted request and begins its branches.
    pub(crate) fn route<'p>(
        &mut self,
        inbound: &Inbound<'p>,
        server: ServerId,
        admitted: &Admitted<'p>,
        snapshot: &Snapshot,
        out: &mut Outbox,
    ) {
        let mut kept = None;
        if inbound.message.method() == Method::Message {
            match self.take_message(inbound, server, admitted, (snapshot, false), out) {
                Taken::Done => return,
                Taken::Forward(keep) => kept = keep,
            }
        }
        self.route_on(inbound, server, admitted, kept, snapshot, out);
    }

    /// Begins the branches of a request that nothing holds up any more; of a message with what it is kept by.
    pub(crate) fn route_on<'p>(
        &mut self,
        inbound: &Inbound<'p>,
        server: ServerId,
        admitted: &Admitted<'p>,
        kept: Option<Box<Kept>>,
        snapshot: &Snapshot,
        out: &mut Outbox,
    ) {
        let message = inbound.message;
        let call_begins = message.method() == Method::Invite && message.to_tag().is_none();
        let traced = call_begins && snapshot.pool(&self.pool).call_detail.enable_call_detail;
        let mut steps = Vec::new();
        let targets = match &admitted.sender {
            Sender::Dialog(passage) => {
                let side = if passage.direction == Direction::ToCallee { Side::Caller } else { Side::Callee };
                self.note_in_dialog(inbound.now, &message, side);
                self.note_bridged(inbound.now, &message);
                self.targets_in_dialog(inbound.now, &message, passage.to(), admitted)
            }
            _ if !admitted.plan.routes.is_empty() => {
                self.targets_by_uri(admitted.plan.next_hop(admitted.plan.request_uri))
            }
            sender => {
                self.targets_of(inbound, sender, admitted.plan.request_uri, snapshot, traced.then_some(&mut steps))
            }
        };
        if call_begins {
            self.metrics.calls.inc();
        }
        let record = traced.then(|| self.open_record(inbound, &admitted.sender, steps));
        let key = match traced {
            true => self.call_key(message.call_id(), message.from_tag().unwrap_or_default()),
            false => 0,
        };
        let context = Box::new(Context {
            generation: 0,
            server: Some(server),
            invite: message.method() == Method::Invite,
            answered: false,
            cancelled: false,
            responses: ResponseContext::new(message.method()),
            branches: Vec::new(),
            later: Vec::new(),
            request: message.wire().into(),
            remote: inbound.arrival.remote,
            source: inbound.source(),
            unbridged: None,
            keep_identity: inbound.trusted,
            reply_to: inbound.reply_to(),
            flow: flow_bytes(inbound.arrival.transport, &inbound.flow_to(contact_of(&message))),
            listener: inbound.arrival.listener.id,
            transport: inbound.arrival.transport,
            record,
            ladder: self.open_ladder(inbound, traced, matches!(admitted.sender, Sender::Dialog(_))),
            call_key: key,
            waiting_for_name: false,
            kept,
            timer: None,
            spare: Vec::new(),
        });
        let id = self.calls.contexts.insert(context);
        self.calls.servers.insert(server, id);
        let Some(mut context) = self.calls.contexts.take(id) else { return };
        match targets {
            Targets::Refuse(refusal) => self.refuse_context(inbound.now, &mut context, refusal),
            Targets::Parallel(hops) if hops.len() > self.breadth(snapshot, &message) => {
                self.refuse_context(inbound.now, &mut context, Refusal::TooBroad);
            }
            Targets::Parallel(mut hops) => {
                share_breadth(&message, &mut hops);
                // All branches are opened before any is sent: one that fails at once must not end the whole.
                let opened: Vec<_> =
                    hops.into_iter().map_while(|hop| Some((context.responses.branch()?, hop))).collect();
                for (branch, hop) in opened {
                    self.begin_branch(inbound.now, Opened { id, branch }, &mut context, hop, &message, admitted);
                }
                self.drain_context(inbound.now, id, &mut context, None, out);
            }
            Targets::Serial(list) => self.begin_serial(inbound.now, id, &mut context, list, &message, admitted, out),
        }
        self.calls.contexts.put_back(id, context);
    }

    /// How many branches a request may have at once.
    fn breadth(&self, snapshot: &Snapshot, message: &Message<'_>) -> usize {
        let ours = snapshot.pool(&self.pool).proxy.max_breadth as usize;
        let theirs =
            message.value_named(b"Max-Breadth").and_then(|value| std::str::from_utf8(value).ok()?.trim().parse().ok());
        theirs.map_or(ours, |theirs: usize| theirs.min(ours))
    }

    fn note_in_dialog(&mut self, now: Now, message: &Message<'_>, side: Side) {
        if message.method() == Method::Bye {
            self.record_ended(now, message, side);
        } else if let (Some(from), Some(to)) = (message.from_tag(), message.to_tag()) {
            let caller = if side == Side::Caller { from } else { to };
            self.record_heard(now, message.call_id(), caller);
        }
    }

    fn targets_in_dialog(&self, now: Now, message: &Message<'_>, end: &[u8], admitted: &Admitted<'_>) -> Targets {
        match self.way_in_dialog(end, &admitted.plan) {
            Some(Way::Hop(mut hop)) => {
                if !hop.flow.is_empty() && hop.transport.is_reliable() {
                    hop.spare.extend(self.newer_flow(now, message, admitted.plan.request_uri, &hop));
                }
                Targets::Parallel(vec![hop])
            }
            Some(Way::Name(name)) => Targets::Serial(vec![Step::Name(name, None)]),
            None => Targets::Refuse(Refusal::NotServed),
        }
    }

    /// The flow by which the other end is signed in now, if its connection of the time of the call is no more: the
    /// binding of the address in To that has the Request-URI as its contact.
    pub(super) fn newer_flow(&self, now: Now, message: &Message<'_>, contact: &[u8], old: &Hop) -> Option<Hop> {
        let to = message.to().ok()?;
        let uri = to.parsed_uri().ok()?;
        let user = self.snapshot.user(uri.user()?, uri.host_text())?;
        let aor = user.address.as_str();
        let group = &self.groups[usize::from(routing_group(aor))];
        let binding = group.bindings(now, aor).find(|binding| binding.uri() == contact)?;
        let mut hop = self.hop_to_binding(&binding, false)?;
        hop.uri = None;
        (hop.flow != old.flow).then_some(hop)
    }

    fn targets_by_uri(&self, uri: &[u8]) -> Targets {
        match self.way_to_uri(uri) {
            Some(Way::Hop(hop)) => Targets::Parallel(vec![hop]),
            Some(Way::Name(name)) => Targets::Serial(vec![Step::Name(name, None)]),
            None => Targets::Refuse(Refusal::NotServed),
        }
    }

    fn targets_of(
        &mut self,
        inbound: &Inbound<'_>,
        sender: &Sender,
        request_uri: &[u8],
        snapshot: &Snapshot,
        mut steps: Option<&mut Vec<DecisionStep>>,
    ) -> Targets {
        let message = &inbound.message;
        let traced = steps.is_some();
        let is_its_own = std::ptr::eq(request_uri, message.request_uri());
        let uri = if is_its_own { message.parsed_request_uri() } else { Uri::parse(request_uri) };
        let to_this_host = uri.as_ref().is_ok_and(|uri| self.is_us(uri));
        // A temporary GRUU names its user in itself (RFC 5627 §5.1).
        if let Some(Gruu::Temporary(what)) = uri.as_ref().ok().and_then(|uri| self.gruus.read(uri))
            && let Some(user) = snapshot.directory().by_id(UserId(what.user)).filter(|user| user.enabled)
            && uri.as_ref().is_ok_and(|uri| uri.host_text().eq_ignore_ascii_case(user.address.domain().as_bytes()))
        {
            let secure = uri.as_ref().is_ok_and(|uri| uri.scheme() == Scheme::Sips);
            let user = Arc::clone(user);
            return self.endpoints(inbound.now, &user, secure, Some(Gruu::Temporary(what)), snapshot, steps);
        }
        let decision = decide(snapshot, &Intent { request_uri, to_this_host, traced });
        if let Some(steps) = steps.as_deref_mut() {
            *steps = decision.steps;
        }
        match decision.route {
            Route::User(user) => {
                if let Some(refusal) = self.unreachable(inbound, sender, &user, snapshot) {
                    refused(refusal, steps);
                    return Targets::Refuse(refusal);
                }
                let secure = uri.as_ref().is_ok_and(|uri| uri.scheme() == Scheme::Sips);
                let gruu = uri.ok().and_then(|uri| self.gruus.read(&uri));
                self.endpoints(inbound.now, &user, secure, gruu, snapshot, steps)
            }
            Route::Hops { hops, .. } => self.static_hops(&hops, steps),
            Route::Federation(domain) => match self.hop_outside() {
                Some(mut hop) => {
                    hop.record = traced.then(|| Self::record_of_hop(&domain, &hop));
                    Targets::Parallel(vec![hop])
                }
                None => {
                    refused(Refusal::NoEdge, steps);
                    Targets::Refuse(Refusal::NoEdge)
                }
            },
            Route::Refuse(refusal) => {
                refused(refusal, steps);
                Targets::Refuse(refusal)
            }
        }
    }

    /// Why this sender may not reach the user now: blocked, or not to be disturbed.
    fn unreachable(
        &self,
        inbound: &Inbound<'_>,
        sender: &Sender,
        user: &UserRecord,
        snapshot: &Snapshot,
    ) -> Option<Refusal> {
        // Requests of a dialog do not come here: a To tag alone proves nothing.
        if !self.may_refuse(usize::from(routing_group(user.address.as_str()))) {
            return None;
        }
        let other = match sender {
            Sender::User(other) => Cow::Borrowed(other.address.as_str()),
            _ => Cow::Owned(crate::events::from_address(&inbound.message)?),
        };
        match self.reach(inbound.now, snapshot, user, &other) {
            Reach::Allowed => None,
            // The blocked are told what they would be told if the person were never there, whatever they ask.
            Reach::Blocked => Some(Refusal::NotSignedIn),
            Reach::DoNotDisturb => {
                let disturbs = matches!(inbound.message.method(), Method::Invite | Method::Message);
                disturbs.then_some(Refusal::DoNotDisturb)
            }
        }
    }

    fn endpoints(
        &self,
        now: Now,
        user: &Arc<UserRecord>,
        secure: bool,
        gruu: Option<Gruu<'_>>,
        snapshot: &Snapshot,
        steps: Option<&mut Vec<DecisionStep>>,
    ) -> Targets {
        let aor = user.address.as_str();
        let ring = Duration::from_secs(u64::from(snapshot.call_policy(user).ring_seconds));
        let group = &self.groups[usize::from(routing_group(aor))];
        // RFC 5627 §6.1: one that was good once is as unknown as one that never was.
        if let Some(Gruu::Temporary(what)) = &gruu
            && !crate::gruu::is_valid(&self.gruus, what, group.bindings(now, aor))
        {
            return Targets::Refuse(Refusal::NotFound);
        }
        let mut endpoints = Vec::new();
        let mut hops: Vec<(Hop, Option<Vec<u8>>, u16, u64)> = Vec::with_capacity(1);
        for binding in group.bindings(now, aor) {
            if secure && !binding.transport().is_secure() || !self.is_device(gruu.as_ref(), &binding) {
                continue;
            }
            if let Some(mut hop) = self.hop_to_binding(&binding, steps.is_some()) {
                hop.ring = Some(ring);
                if steps.is_some() {
                    endpoints.push(Target {
                        contact: Private::new(String::from_utf8_lossy(binding.uri()).into_owned()),
                        q: binding.q(),
                        user_agent: super::hops::text(binding.user_agent()),
                        transport: wire_of(binding.transport()),
                    });
                }
                let instance = binding.reg_id().and(binding.instance()).map(<[u8]>::to_vec);
                hops.push((hop, instance, binding.q(), binding.refreshed_at().0));
            }
        }
        if let Some(steps) = steps {
            steps.push(DecisionStep::Targets { endpoints });
        }
        if hops.is_empty() { Targets::Refuse(Refusal::NotSignedIn) } else { Targets::Parallel(one_flow_each(hops)) }
    }

    /// Is the binding the device that the GRUU names? Without a GRUU every device is.
    pub(crate) fn is_device(&self, gruu: Option<&Gruu<'_>>, binding: &Binding<'_>) -> bool {
        match (gruu, binding.instance()) {
            (None, _) => true,
            (Some(Gruu::Public(gr)), Some(instance)) => self.gruus.is_instance(gr, instance),
            (Some(Gruu::Temporary(what)), Some(instance)) => self.gruus.instance_mark(instance) == what.instance,
            (Some(_), None) => false,
        }
    }
}

/// RFC 5393 §5.3.3: the copies share the breadth of the request. It is written where somebody counts or forks.
fn share_breadth(message: &Message<'_>, hops: &mut [Hop]) {
    if hops.len() < 2 && message.value_named(b"Max-Breadth").is_none() {
        return;
    }
    if let Ok(shares) = proxy::split_breadth(message, hops.len() as u32) {
        for (hop, share) in hops.iter_mut().zip(shares) {
            hop.breadth = Some(share);
        }
    }
}

/// RFC 5626 §7: a device with several flows is rung by one of them; the others wait for that one to turn out dead.
fn one_flow_each(mut hops: Vec<(Hop, Option<Vec<u8>>, u16, u64)>) -> Vec<Hop> {
    if hops.len() == 1 {
        return hops.pop().map(|(hop, ..)| hop).into_iter().collect();
    }
    let views: Vec<FlowView<'_>> = hops
        .iter()
        .map(|(_, instance, q, refreshed)| FlowView { instance: instance.as_deref(), q: *q, refreshed: *refreshed })
        .collect();
    let groups = outbound::targets(&views);
    let mut slots: Vec<Option<Hop>> = hops.into_iter().map(|(hop, ..)| Some(hop)).collect();
    let mut chosen = Vec::with_capacity(groups.len());
    for group in groups {
        let mut flows = group.into_iter().filter_map(|at| slots.get_mut(at).and_then(Option::take));
        if let Some(mut first) = flows.next() {
            first.spare = flows.collect();
            chosen.push(first);
        }
    }
    chosen
}

/// The URI of the first Contact; empty when there is none.
fn contact_of<'a>(message: &Message<'a>) -> &'a [u8] {
    match message.contacts().next() {
        Some(Ok(Contact::Addr(address))) => address.uri,
        _ => &[],
    }
}

/// The step that says why.
fn refused(refusal: Refusal, steps: Option<&mut Vec<DecisionStep>>) {
    if let Some(steps) = steps {
        let (status, code, why) = (refusal.status(), refusal.code().to_owned(), refusal.reason().to_owned());
        steps.push(DecisionStep::Refused { status, code, why });
    }
}
