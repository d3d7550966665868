//! Messages in, and the news of the transaction table.

use lyceum_sip::transaction::{Incoming, Output, Response, ServerId, Source};
use lyceum_sip::{Index, Limits, Message, Method, ResponseBuilder, parse};

use super::{Context, Device, Use};
use crate::report::Report;

/// Via values that a request of two endpoints and one proxy can have.
const VIAS: usize = 2;

enum News {
    Timeout(u64),
    Ended(u64),
    TimerC(u64),
}

impl Device {
    /// A message from the server.
    pub fn receive(&mut self, bytes: &[u8], ctx: &mut Context<'_>) {
        let mut index = std::mem::replace(&mut self.index, Index::new());
        let read = parse(bytes, &mut index, &Limits::default());
        let message = Message::new(bytes, &index);
        match read.and_then(|_| message.validate()) {
            Err(error) => ctx.report(Report::Unreadable { what: error.what }),
            Ok(()) if message.is_request() => self.request(&message, ctx),
            Ok(()) => self.response(&message, ctx),
        }
        self.index = index;
        self.flush(ctx);
    }

    fn response(&mut self, m: &Message<'_>, ctx: &mut Context<'_>) {
        let branch = m.top_via().map(|via| via.branch).unwrap_or_default();
        let (status, method) = (m.status(), m.method());
        if !self.branches.contains(branch) || m.vias().count() != 1 {
            return ctx.report(Report::Unasked { status, call_id: m.call_id().to_vec() });
        }
        if method == Method::Invite && status >= 200 {
            let to_tag = m.to_tag().unwrap_or_default().to_vec();
            ctx.report(Report::InviteAnswered { branch: branch.to_vec(), status, to_tag });
        }
        let Response::Pass { user, .. } = self.table.response_arrived(ctx.now.mono, m) else { return };
        match self.uses.get(&user).cloned() {
            Some(Use::Register(ask)) => self.register_answered(*ask, m, ctx),
            Some(Use::Message(ask)) => self.message_answered(*ask, m, ctx),
            Some(Use::Invite(call)) => self.invite_answered(call, m, ctx),
            Some(Use::Reinvite(call)) => self.reinvite_answered(call, m, ctx),
            Some(Use::InDialog(call)) => self.in_dialog_answered(call, m, ctx),
            None => {}
        }
    }

    fn request(&mut self, m: &Message<'_>, ctx: &mut Context<'_>) {
        let call_id = m.call_id().to_vec();
        let count = m.vias().count();
        if count > VIAS {
            ctx.report(Report::TooManyVias { count, call_id: call_id.clone() });
        }
        let reliable = self.transport.is_reliable();
        match self.table.request_arrived(ctx.now.mono, m, reliable, &()) {
            Incoming::New if m.to_tag().is_some() => self.in_dialog(m, ctx),
            Incoming::New if m.method() == Method::Invite => self.invited(m, ctx),
            Incoming::New => {
                if let Some(server) = self.accept(m, ctx) {
                    self.reply(server, m, 200, b"x", ctx);
                }
            }
            Incoming::Merged => {
                self.note_invite(m, ctx);
                if let Some(server) = self.accept(m, ctx) {
                    self.reply(server, m, 482, b"merged", ctx);
                }
            }
            Incoming::Cancel(invite) => {
                let Some(server) = self.accept(m, ctx) else { return };
                let status = if invite.is_some() { 200 } else { 481 };
                self.reply(server, m, status, b"x", ctx);
                if let Some(invite) = invite {
                    self.cancelled(invite, ctx);
                }
            }
            Incoming::AckForSuccess => self.acknowledged(m, ctx),
            Incoming::Retransmission | Incoming::AckAbsorbed(_) => {}
        }
    }

    pub(super) fn accept(&mut self, m: &Message<'_>, ctx: &mut Context<'_>) -> Option<ServerId> {
        self.table.accept(ctx.now.mono, m, self.transport.is_reliable(), ()).ok()
    }

    /// Answers without a body or a Contact.
    pub(super) fn reply(&mut self, server: ServerId, m: &Message<'_>, status: u16, tag: &[u8], ctx: &mut Context<'_>) {
        let mut bytes = Vec::with_capacity(400);
        ResponseBuilder::new(m, status, "").to_tag(tag).copy_record_route().write(&mut bytes);
        self.table.respond(ctx.now.mono, server, status, &bytes);
    }

    /// Sends what the table has queued and hears its news, until there is none.
    pub(super) fn flush(&mut self, ctx: &mut Context<'_>) {
        loop {
            let mut news = Vec::new();
            while let Some(output) = self.table.poll_output() {
                match output {
                    Output::Transmit { bytes, source, .. } => {
                        let client = match source {
                            Source::Client(id) => Some(id),
                            Source::Server(_) => None,
                        };
                        ctx.out.sends.push((client, bytes.to_vec()));
                    }
                    Output::ClientTimeout { user, .. } => news.push(News::Timeout(user)),
                    Output::ClientEnded { user, .. } => news.push(News::Ended(user)),
                    Output::TimerC { user, .. } => news.push(News::TimerC(user)),
                    Output::TryingDue { .. } | Output::ServerTimeout { .. } | Output::ServerEnded { .. } => {}
                }
            }
            if news.is_empty() {
                return;
            }
            for news in news {
                match news {
                    News::Timeout(user) => self.client_over(user, ctx),
                    News::Ended(user) => drop(self.uses.remove(&user)),
                    News::TimerC(user) => {
                        if let Some(Use::Invite(call)) = self.uses.get(&user) {
                            self.give_up(*call, ctx);
                        }
                    }
                }
            }
        }
    }

    /// A client transaction ended without a final answer.
    pub(super) fn client_over(&mut self, user: u64, ctx: &mut Context<'_>) {
        match self.uses.remove(&user) {
            Some(Use::Register(_)) => self.register_silent(ctx),
            Some(Use::Message(ask)) => {
                let user = user_of(&ask.uri);
                ctx.report(Report::Silent { method: ask.method, call_id: ask.call_id.into_bytes(), user });
            }
            Some(Use::Invite(call)) => self.invite_silent(call),
            Some(Use::Reinvite(call)) => self.in_dialog_silent(call, Method::Invite, ctx),
            Some(Use::InDialog(call)) => self.in_dialog_silent(call, Method::Bye, ctx),
            None => {}
        }
    }
}

/// The user whom a URI of ours names.
fn user_of(uri: &str) -> usize {
    let digits = uri.strip_prefix("sip:u").and_then(|rest| rest.split('@').next());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or_default()
}
