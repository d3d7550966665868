//! The callee's side: ring, then answer, decline or ignore; repeat the 200 until its ACK comes.

use std::time::Duration;

use lyceum_sip::dialog::Dialog;
use lyceum_sip::transaction::ServerId;
use lyceum_sip::{Index, Limits, Message, ResponseBuilder, parse};

use super::call::{Call, Ok, Stage};
use super::{Context, Device, Task, device_of};
use crate::organisation::RING_SECONDS;
use crate::report::Report;

/// Ringing longer than this is the server's fault: its limit, the longest wait for a first provisional answer to get
/// through, and as long again for a CANCEL to do so.
pub const RING_LIMIT: Duration = Duration::from_secs(RING_SECONDS + 32 + 32);
/// First and longest interval of a 200 (RFC 3261 §13.3.1.4), and how long it is repeated.
const T1: u32 = 500;
const T2: u32 = 4000;
const PATIENCE: Duration = Duration::from_secs(32);
/// A request can be on its way for so long.
const IN_FLIGHT: Duration = Duration::from_secs(35);

impl Device {
    /// Has this INVITE been here by another branch?
    pub(super) fn note_invite(&mut self, m: &Message<'_>, ctx: &mut Context<'_>) {
        let key = [m.call_id(), m.from_tag().unwrap_or_default(), m.cseq().number.to_string().as_bytes()].join(&b' ');
        let now = ctx.now.mono;
        if let Some(first) = self.invites.insert(key, now) {
            ctx.report(Report::ForkedTwice { call_id: m.call_id().to_vec(), first });
        }
    }

    pub(super) fn invited(&mut self, m: &Message<'_>, ctx: &mut Context<'_>) {
        self.note_invite(m, ctx);
        if self.registration.removed.as_ref().is_some_and(|(_, since)| ctx.now.mono - *since > IN_FLIGHT) {
            ctx.report(Report::CalledUnbound { call_id: m.call_id().to_vec() });
        }
        let Some(server) = self.accept(m, ctx) else { return };
        let number = self.next_number();
        let mut call = Call::new(Stage::Ringing, m.call_id(), ctx.now.mono);
        call.peer = device_of(m.from_tag().unwrap_or_default());
        call.server = Some(server);
        call.request = m.wire().to_vec();
        call.tag = format!("d{}x{number}", self.id).into_bytes();
        let tag = call.tag.clone();
        self.calls.insert(number, call);
        if self.quiet || ctx.dice.chance(10) {
            return self.answer(number, 486, ctx);
        }
        if ctx.dice.chance(30) {
            self.reply(server, m, 100, b"", ctx);
        }
        self.reply(server, m, 180, &tag, ctx);
        ctx.later(RING_LIMIT, Task::RingLimit(number));
        let (after, status) = match ctx.dice.below(100) {
            0..50 => (ctx.dice.millis(20, 15_000), 200),
            50..60 => (ctx.dice.millis(20, 10_000), 603),
            60..70 => (ctx.dice.millis(20, 10_000), 486),
            // The others ignore it.
            _ => return,
        };
        ctx.later(after, Task::Answer(number, status));
    }

    pub(super) fn answer(&mut self, number: u64, status: u16, ctx: &mut Context<'_>) {
        let Some(call) = self.calls.get_mut(&number).filter(|call| call.stage == Stage::Ringing) else { return };
        let Some(server) = call.server.take() else { return };
        let (request, tag) = (std::mem::take(&mut call.request), call.tag.clone());
        call.stage = Stage::Over;
        let mut index = Index::new();
        if parse(&request, &mut index, &Limits::default()).is_err() {
            return;
        }
        let m = Message::new(&request, &index);
        if status >= 300 {
            return self.reply(server, &m, status, &tag, ctx);
        }
        let dialog = Dialog::uas(&m, &tag, 200);
        if let Some(call) = self.calls.get_mut(&number) {
            (call.stage, call.dialog) = (Stage::Up, dialog);
        }
        self.send_ok(number, server, &m, &tag, ctx);
        self.plan_call(number, ctx);
    }

    /// A 200 to an INVITE, repeated until its ACK comes.
    pub(super) fn send_ok(
        &mut self,
        number: u64,
        server: ServerId,
        m: &Message<'_>,
        tag: &[u8],
        ctx: &mut Context<'_>,
    ) {
        let contact = format!("<{}>", self.contact_uri());
        let mut bytes = Vec::with_capacity(600);
        let mut builder = ResponseBuilder::new(m, 200, "OK");
        builder.to_tag(tag).copy_record_route().header("Contact", contact.as_bytes());
        builder.body(b"application/sdp", b"v=0\r\n").write(&mut bytes);
        self.table.respond(ctx.now.mono, server, 200, &bytes);
        let cseq = m.cseq().number;
        if let Some(call) = self.calls.get_mut(&number) {
            call.oks.insert(cseq, Ok { bytes, server, since: ctx.now.mono });
        }
        ctx.later(Duration::from_millis(T1.into()), Task::RepeatOk(number, cseq, T1));
    }

    pub(super) fn repeat_ok(&mut self, number: u64, cseq: u32, interval: u32, ctx: &mut Context<'_>) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        let Some(ok) = call.oks.get(&cseq) else { return };
        if ctx.now.mono - ok.since >= PATIENCE {
            call.oks.remove(&cseq);
            let (call_id, peer, begun) = (call.call_id.clone(), call.peer, call.begun);
            ctx.report(Report::NoAck { call_id, peer, begun });
            return self.hang_up(number, ctx);
        }
        self.table.respond(ctx.now.mono, ok.server, 200, &ok.bytes);
        let next = (interval * 2).min(T2);
        ctx.later(Duration::from_millis(next.into()), Task::RepeatOk(number, cseq, next));
    }

    /// The ACK of a 2xx.
    pub(super) fn acknowledged(&mut self, m: &Message<'_>, ctx: &mut Context<'_>) {
        let to_tag = m.to_tag().unwrap_or_default();
        if device_of(to_tag).is_some_and(|device| device != self.id) {
            let (method, to_tag, call_id) = (m.method(), to_tag.to_vec(), m.call_id().to_vec());
            return ctx.report(Report::Misrouted { method, to_tag, call_id });
        }
        if let Some(number) = self.find_call(m) {
            let cseq = m.cseq().number;
            self.calls.get_mut(&number).map(|call| call.oks.remove(&cseq));
        }
    }

    /// The caller gave up, or somebody else answered.
    pub(super) fn cancelled(&mut self, invite: ServerId, ctx: &mut Context<'_>) {
        let number = self.calls.iter().find(|(_, call)| call.server == Some(invite)).map(|(number, _)| *number);
        if let Some(number) = number {
            self.answer(number, 487, ctx);
        }
    }

    pub(super) fn ring_limit(&mut self, number: u64, ctx: &mut Context<'_>) {
        let Some(call) = self.calls.get(&number).filter(|call| call.stage == Stage::Ringing) else { return };
        let (call_id, begun) = (call.call_id.clone(), call.begun);
        ctx.report(Report::RingsForever { call_id, begun });
        self.answer(number, 480, ctx);
    }
}
