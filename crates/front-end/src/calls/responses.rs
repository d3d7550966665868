//! Answers of the branches on their way back: RFC 3261 §16.7, §16.8, §16.9 and §16.10.

use lyceum_monitoring::Stamp;
use lyceum_net::{Arrival, Outbox};
use lyceum_sip::header::session_expires::SessionExpires;
use lyceum_sip::proxy::{Answer, BranchId, Effect};
use lyceum_sip::session_timer::answer_at_proxy;
use lyceum_sip::time::Now;
use lyceum_sip::transaction::{ClientId, Output, Response, ServerId, Source};
use lyceum_sip::{Index, Message, Name, ResponseBuilder, Splice, parse};

use super::bridging::another_offer;
use super::context::{Context, ContextId};
use super::passing;
use super::record::Answered;
use crate::core::Core;
use crate::events::is_notify;
use crate::messages::is_delivery;
use crate::refusal::Refusal;

/// What the transaction table has to say, once its messages are sent.
enum News {
    Timeout(u64),
    TimerC(u64),
    ClientEnded(u64),
    ServerEnded(ServerId),
    TryingDue(ServerId),
}

impl Core {
    /// A response came in.
    pub(crate) fn response(&mut self, now: Now, arrival: Arrival<'_>, message: &Message<'_>, out: &mut Outbox) {
        if let Response::Pass { id, user } = self.transactions.response_arrived(now.mono, message) {
            if let Some(which) = is_notify(user) {
                self.notify_answered(now, which, message);
                return self.flush_transactions(now, out);
            }
            if let Some(which) = is_delivery(user) {
                self.delivery_answered(now, which, message);
                return self.flush_transactions(now, out);
            }
            let cleaned = passing::cleaned(message, &self.snapshot, &arrival, || self.is_trusted(&arrival));
            let mut index = Index::new();
            match cleaned.as_deref().map(|bytes| (bytes, parse(bytes, &mut index, &self.parse_limits))) {
                None => self.branch_answered(now, (user, id), message, out),
                Some((bytes, Ok(_))) => self.branch_answered(now, (user, id), &Message::new(bytes, &index), out),
                // Less than what was read cannot be unreadable; if it were, it would be lost like any packet.
                Some((_, Err(_))) => {}
            }
        }
        self.flush_transactions(now, out);
    }

    fn branch_answered(&mut self, now: Now, of: (u64, ClientId), message: &Message<'_>, out: &mut Outbox) {
        let (context_id, branch) = ContextId::split(of.0);
        if let Some(mut context) = self.calls.contexts.take(context_id) {
            self.note_response(now, &mut context, branch, of.1, message.status());
            if let Some(hop) = another_offer(&mut context, usize::from(branch), message.status()) {
                self.begin_later(now, context_id, &mut context, hop);
            }
            context.responses.response(BranchId::from_index(usize::from(branch)), message);
            self.drain_context(now, context_id, &mut context, Some((usize::from(branch), message)), out);
            self.calls.contexts.put_back(context_id, context);
        }
    }

    fn note_response(&mut self, now: Now, context: &mut Context, number: u16, client: ClientId, status: u16) {
        if (200..300).contains(&status)
            && let Some(kept) = context.kept.take()
        {
            self.forwarded_taken(now, *kept);
        }
        let Some(branch) = context.branches.get_mut(usize::from(number)) else { return };
        // A 100 counts, too: the 180 behind it may be lost, and over UDP nobody repeats it.
        if (100..200).contains(&status)
            && let Some(ring) = branch.ring.take()
        {
            self.transactions.set_timer_c(now.mono, client, ring);
        }
        if status >= 200 {
            branch.status = status;
        }
        let record_of = branch.record;
        if status >= 300 {
            self.unbridge(context, usize::from(number));
        }
        let Some(record) = &mut context.record else { return };
        let stamp = Stamp(now.wall.0);
        if status == 180 || status == 183 {
            record.ringing.get_or_insert(stamp);
        }
        if let Some(one) = record.branches.get_mut(record_of) {
            match status {
                180 | 183 => {
                    one.ringing.get_or_insert(stamp);
                }
                200.. => {
                    one.ended = Some(stamp);
                    one.status = status;
                }
                _ => {}
            }
        }
    }

    /// Carries out what the response context asks for. `current` is the response just handed in, with its branch.
    pub(crate) fn drain_context(
        &mut self,
        now: Now,
        id: ContextId,
        context: &mut Context,
        current: Option<(usize, &Message<'_>)>,
        out: &mut Outbox,
    ) {
        while let Some(effect) = context.responses.poll_output() {
            match effect {
                Effect::Forward => {
                    if let Some((branch, message)) = current {
                        self.forward_response(now, context, branch, message, out);
                    }
                }
                Effect::Cancel(branch, reason) => {
                    if let Some(client) = context.branches.get(branch.index()).and_then(|branch| branch.client) {
                        self.transactions.cancel(now.mono, client, reason.line());
                    }
                }
                Effect::TryNext => {
                    if context.later.is_empty() || !context.may_fail_over() {
                        context.later.clear();
                        context.responses.no_more();
                    } else {
                        self.next_hop(now, id, context);
                    }
                }
                Effect::Answer(answer) => self.final_answer(now, context, &answer),
                Effect::Done => {}
            }
        }
    }

    fn forward_response(
        &mut self,
        now: Now,
        context: &mut Context,
        branch: usize,
        message: &Message<'_>,
        out: &mut Outbox,
    ) {
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        let timer = context.timer.as_ref().and_then(|timer| answer_at_proxy(timer, message));
        let timer = timer.map(|expires| format!("Session-Expires: {}", super::forward::written(&expires)));
        let bridge = context.branches.get(branch).and_then(|branch| branch.bridge);
        let passed = bridge.map(|bridge| self.answer_passed(now, &bridge, message)).unwrap_or_default();
        let warning = passed.warning.map(|value| [b"Warning: ", &*value].concat());
        let mut splice = Splice::new(*message);
        if let Some(body) = &passed.body {
            splice.body(b"application/sdp", body);
        }
        if let Some(line) = &warning {
            splice.append(line);
        }
        splice.remove_first_value(Name::Via);
        if let Some(line) = &timer {
            splice.append(line.as_bytes()).append(b"Require: timer");
        }
        splice.write(&mut bytes);
        if let Some(branch) = context.branches.get(branch) {
            self.complete_token(&branch.token, message, &mut bytes);
        }
        let status = message.status();
        match context.server {
            Some(server) => {
                let sent = self.transactions.respond(now.mono, server, status, &bytes);
                if !sent && (200..300).contains(&status) {
                    self.late_success(now, context, &bytes, out);
                }
            }
            // RFC 6026 §7.3: a 2xx that comes after the transaction is over still goes upstream.
            None if (200..300).contains(&status) => self.late_success(now, context, &bytes, out),
            None => {}
        }
        self.scratch = bytes;
        if status >= 200 && !context.answered {
            context.answered = true;
            context.request = Box::default();
            if let Some(record) = context.record.take() {
                let interval = message.value(Name::SessionExpires).and_then(|value| SessionExpires::parse(value).ok());
                let interval = interval.map(|expires| expires.interval);
                let answered = Answered { key: context.call_key, status, flow: &context.flow, interval };
                self.record_answered(now, record, &answered);
            }
        }
    }

    fn late_success(&mut self, now: Now, context: &Context, bytes: &[u8], out: &mut Outbox) {
        self.send(now, &context.reply_to, 0, bytes, out);
    }

    fn final_answer(&mut self, now: Now, context: &mut Context, answer: &Answer) {
        let status = answer.code();
        let unbridged = context.unbridged.as_ref().map(|unbridged| unbridged.refusal());
        let unbridged = unbridged.filter(|refusal| refusal.status() == status && matches!(answer, Answer::Generate(_)));
        if is_for_now(status) && self.keep_instead(now, context) {
            return self.close_context(now, context, 202, None);
        }
        if let Some(server) = context.server {
            match answer {
                Answer::Silence => self.transactions.forget(server),
                Answer::Received { .. } => {
                    let mut bytes = std::mem::take(&mut self.scratch);
                    bytes.clear();
                    let mut index = Index::new();
                    if answer.write(&mut index, &mut bytes) {
                        self.transactions.respond(now.mono, server, status, &bytes);
                    }
                    self.scratch = bytes;
                }
                Answer::Generate(_) => {
                    self.generate(now, context, server, status, unbridged.or_else(|| Refusal::generated(status)));
                }
                Answer::Instead(500) => self.generate(now, context, server, 500, Some(Refusal::OtherSideDown)),
                Answer::Instead(_) => self.generate(now, context, server, status, Refusal::generated(status)),
            }
            if matches!(answer, Answer::Silence) {
                self.end_server(server, context);
            }
        }
        unbridged.into_iter().for_each(|refusal| self.metrics.refused(refusal));
        self.close_context(now, context, status, unbridged.map(Refusal::code));
    }

    /// A message whose device did not take it waits for it; true when it is stored and will be answered so.
    fn keep_instead(&mut self, now: Now, context: &mut Context) -> bool {
        let Some(kept) = context.kept.as_deref_mut() else { return false };
        if kept.stored {
            return true;
        }
        let Some(server) = context.server else { return false };
        let mut index = Index::new();
        if parse(&context.request, &mut index, &self.parse_limits).is_err() {
            return false;
        }
        let request = Message::new(&context.request, &index);
        let Some(seq) = self.keep_forwarded(now, &request, kept) else { return false };
        kept.stored = true;
        let tag = self.stateless_tag(&request);
        let mut bytes = Vec::with_capacity(512);
        let mut builder = ResponseBuilder::new(&request, 202, "Accepted");
        builder.received(context.remote.ip(), context.remote.port()).to_tag(&tag);
        builder.write(&mut bytes);
        self.answer_after(now, seq, (server, 202, bytes), None);
        true
    }

    /// The caller gave up: RFC 3261 §16.10.
    pub(crate) fn cancel_call(&mut self, now: Now, server: ServerId, out: &mut Outbox) {
        let Some(id) = self.calls.servers.get(&server).copied() else { return };
        let Some(mut context) = self.calls.contexts.take(id) else { return };
        context.cancelled = true;
        context.responses.cancel();
        self.drain_context(now, id, &mut context, None, out);
        self.calls.contexts.put_back(id, context);
    }

    /// Sends what the transaction table has queued and hears its news, until there is none.
    pub(crate) fn flush_transactions(&mut self, now: Now, out: &mut Outbox) {
        loop {
            let Some(news) = self.next_news(now, out) else { return };
            match news {
                News::Timeout(user) if is_notify(user).is_some() => {
                    is_notify(user).into_iter().for_each(|which| self.notify_failed(which));
                }
                News::Timeout(user) if is_delivery(user).is_some() => {
                    is_delivery(user).into_iter().for_each(|which| self.delivery_failed(which));
                }
                News::Timeout(user) => {
                    self.branch_over(now, user, out, |context, branch| context.responses.timeout(branch))
                }
                News::TimerC(user) => {
                    self.branch_event(now, user, out, |context, branch| context.responses.timer_c(branch))
                }
                News::ClientEnded(user) => self.branch_over(now, user, out, |_, _| {}),
                News::ServerEnded(server) => {
                    if let Some(id) = self.calls.servers.remove(&server)
                        && let Some(mut context) = self.calls.contexts.take(id)
                    {
                        context.server = None;
                        self.calls.contexts.put_back(id, context);
                    }
                }
                News::TryingDue(server) => self.trying_due(now, server),
            }
        }
    }

    /// Transmits until the table has news for us.
    fn next_news(&mut self, now: Now, out: &mut Outbox) -> Option<News> {
        loop {
            let news = match self.transactions.poll_output()? {
                Output::Transmit { peer, bytes, source } => {
                    let ticket = match source {
                        Source::Client(id) => id.to_bits() << 1 | 1,
                        Source::Server(_) => 0,
                    };
                    self.metrics.messages_out.inc();
                    out.send(&peer, ticket, |buffer| buffer.extend_from_slice(bytes));
                    if self.tracer.is_running() || !self.ladders.is_empty() {
                        let mut sent = std::mem::take(&mut self.sent);
                        sent.clear();
                        sent.extend_from_slice(bytes);
                        self.trace_sent(now, &peer, &sent);
                        self.ladder_sent(now, source, &peer, &sent);
                        self.sent = sent;
                    }
                    continue;
                }
                Output::ClientTimeout { user, .. } => News::Timeout(user),
                Output::TimerC { user, .. } => News::TimerC(user),
                Output::ClientEnded { user, .. } => News::ClientEnded(user),
                Output::TryingDue { id } => News::TryingDue(id),
                Output::ServerTimeout { .. } => continue,
                Output::ServerEnded { id } => News::ServerEnded(id),
            };
            return Some(news);
        }
    }

    fn branch_event(&mut self, now: Now, user: u64, out: &mut Outbox, tell: impl FnOnce(&mut Context, BranchId)) {
        if is_notify(user).is_some() || is_delivery(user).is_some() {
            return;
        }
        let (id, branch) = ContextId::split(user);
        let Some(mut context) = self.calls.contexts.take(id) else { return };
        tell(&mut context, BranchId::from_index(usize::from(branch)));
        self.drain_context(now, id, &mut context, None, out);
        self.calls.contexts.put_back(id, context);
    }

    /// A client transaction is over.
    fn branch_over(&mut self, now: Now, user: u64, out: &mut Outbox, tell: impl FnOnce(&mut Context, BranchId)) {
        let (_, branch) = ContextId::split(user);
        self.unbridge_of(user);
        self.branch_event(now, user, out, |context, id| {
            if let Some(branch) = context.branches.get_mut(usize::from(branch)) {
                branch.client = None;
            }
            tell(context, id);
        });
    }

    fn end_server(&mut self, server: ServerId, context: &mut Context) {
        self.calls.servers.remove(&server);
        context.server = None;
    }

    /// RFC 4320 §4.1: the client of a non-INVITE begins to repeat slowly, so it learns that we have it.
    fn trying_due(&mut self, now: Now, server: ServerId) {
        let Some(id) = self.calls.servers.get(&server).copied() else { return };
        let Some(mut context) = self.calls.contexts.take(id) else { return };
        // A message does not wait for a silent device: it is stored, and the sender knows.
        if self.keep_instead(now, &mut context) {
            self.close_context(now, &mut context, 202, None);
        } else {
            self.generate(now, &context, server, 100, None);
        }
        self.calls.contexts.put_back(id, context);
    }

    /// What was sent with this ticket did not arrive.
    pub fn send_failed(&mut self, now: Now, ticket: u64, out: &mut Outbox) {
        if self.large_ack_failed(now, ticket, out) {
            return;
        }
        let client = ClientId::from_bits(ticket >> 1);
        if let Some(user) = self.transactions.transport_error(now.mono, client) {
            if let Some(which) = is_notify(user) {
                self.notify_unsent(which);
                return self.flush_transactions(now, out);
            }
            if let Some(which) = is_delivery(user) {
                self.delivery_failed(which);
                return self.flush_transactions(now, out);
            }
            self.try_spare_flow(now, user);
            self.branch_over(now, user, out, |context, branch| {
                let endpoint = context.branches.get(branch.index()).is_some_and(|branch| branch.to_endpoint);
                match endpoint {
                    true => context.responses.flow_failed(branch),
                    false => context.responses.transport_error(branch),
                }
            });
        }
        self.flush_transactions(now, out);
    }

    /// RFC 5626 §7: the flow of a branch is dead; the endpoint's next flow is tried before the branch counts as failed.
    /// RFC 3261 §18.1.1: so is UDP, where TCP was only taken for the size of the request.
    fn try_spare_flow(&mut self, now: Now, user: u64) {
        let (id, branch) = ContextId::split(user);
        let Some(mut context) = self.calls.contexts.take(id) else { return };
        if let Some(addr) = context.branches.get(usize::from(branch)).and_then(|branch| branch.for_size) {
            self.calls.large.forget(addr);
        }
        if let Some(at) = context.spare.iter().position(|(of, _)| *of == usize::from(branch)) {
            let (_, mut flows) = context.spare.swap_remove(at);
            let mut next = flows.remove(0);
            next.spare = flows;
            self.begin_later(now, id, &mut context, next);
        }
        self.calls.contexts.put_back(id, context);
    }
}

/// A device that is away, busy or broken: what it could not take now it can take later.
fn is_for_now(status: u16) -> bool {
    matches!(status, 0 | 408 | 430 | 480 | 486 | 500..=599)
}
