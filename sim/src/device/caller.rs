//! The caller's side: INVITE with credentials, CANCEL, the ACK of the answer. Also requests outside dialogs.

use lyceum_sip::dialog::Dialog;
use lyceum_sip::{Index, Limits, Message, Method, RequestBuilder, parse};

use super::ask::{Ask, TRIES};
use super::call::{Call, Stage};
use super::{Context, Device, Task, Use, device_of};
use crate::organisation::DOMAIN;
use crate::report::Report;

/// Finals that a correct caller may meet.
const USUAL: [u16; 9] = [408, 430, 480, 486, 487, 488, 491, 503, 603];

impl Device {
    fn can_send(&self) -> bool {
        self.powered && !self.quiet && (!self.transport.is_reliable() || self.connection.is_some())
    }

    pub(super) fn call(&mut self, ctx: &mut Context<'_>) {
        let next = ctx.dice.seconds(10, 90);
        ctx.later(next, Task::Call);
        let busy = self.calls.values().filter(|call| call.stage != Stage::Over).count();
        if !self.can_send() || busy > 2 {
            return;
        }
        let callee = self.somebody(ctx.dice);
        let mut ask = self.new_ask(Method::Invite, format!("sip:u{callee}@{DOMAIN}"));
        ask.contact = Some(format!("<{}>", self.contact_uri()));
        let number = self.next_number();
        let mut call = Call::new(Stage::Calling, ask.call_id.as_bytes(), ctx.now.mono);
        call.tag = ask.from_tag.clone().into_bytes();
        call.ask = Some(ask);
        self.calls.insert(number, call);
        self.send_invite(number, ctx);
        let patience = if ctx.dice.chance(20) { ctx.dice.millis(50, 8_000) } else { ctx.dice.seconds(20, 100) };
        ctx.later(patience, Task::GiveUp(number));
    }

    fn send_invite(&mut self, number: u64, ctx: &mut Context<'_>) {
        let Some(mut ask) = self.calls.get_mut(&number).and_then(|call| call.ask.take()) else { return };
        let sent = self.send_ask(&mut ask, Use::Invite(number), ctx);
        let call_id = ask.call_id.clone().into_bytes();
        if let Some(call) = self.calls.get_mut(&number) {
            call.ask = Some(ask);
            call.invite = sent.as_ref().map(|(client, _)| *client);
        }
        if let Some((_, branch)) = sent {
            ctx.report(Report::InviteSent { branch, call_id });
        }
    }

    pub(super) fn give_up(&mut self, number: u64, ctx: &mut Context<'_>) {
        let Some(call) = self.calls.get_mut(&number).filter(|call| call.stage == Stage::Calling) else { return };
        call.cancelled = true;
        if let Some(client) = call.invite {
            self.table.cancel(ctx.now.mono, client, b"");
        }
    }

    pub(super) fn invite_answered(&mut self, number: u64, m: &Message<'_>, ctx: &mut Context<'_>) {
        let status = m.status();
        let Some(call) = self.calls.get_mut(&number) else { return };
        match status {
            ..200 => {}
            200..300 => self.answered(number, m, ctx),
            401 | 407 => {
                let tries = call.ask.as_ref().map_or(u8::MAX, |ask| ask.tries);
                let cancelled = call.cancelled;
                if cancelled {
                    call.stage = Stage::Over;
                } else if tries < TRIES && self.wallet.challenged(Method::Invite, m) {
                    self.send_invite(number, ctx);
                } else {
                    call_over(self.calls.get_mut(&number));
                    ctx.report(Report::Unexpected { method: Method::Invite, status, call_id: m.call_id().to_vec() });
                }
            }
            _ => {
                call.stage = Stage::Over;
                if !USUAL.contains(&status) {
                    ctx.report(Report::Unexpected { method: Method::Invite, status, call_id: m.call_id().to_vec() });
                }
            }
        }
    }

    /// A 2xx: the first, one of another branch of the fork, or a repetition.
    fn answered(&mut self, number: u64, m: &Message<'_>, ctx: &mut Context<'_>) {
        let tag = m.to_tag().unwrap_or_default();
        let same = |call: &Call| call.call_id == m.call_id() && call.dialog.is_some() && call.remote_tag() == tag;
        if let Some(known) = self.calls.values().find(|call| same(call)) {
            if let Some(ack) = known.acks.get(&m.cseq().number) {
                ctx.out.sends.push((None, ack.clone()));
            }
            return;
        }
        let Some(first) = self.calls.get_mut(&number) else { return };
        let unwanted = first.cancelled || first.stage != Stage::Calling;
        let (call_id, begun, own) = (first.call_id.clone(), first.begun, first.tag.clone());
        let at = if first.stage == Stage::Calling { number } else { self.next_number() };
        let from = format!("<sip:{}>;tag={}", crate::organisation::address(self.user), String::from_utf8_lossy(&own));
        let Some(dialog) = dialog_of(&from, m) else { return };
        let call = self.calls.entry(at).or_insert_with(|| Call::new(Stage::Up, &call_id, begun));
        (call.stage, call.peer, call.dialog) = (Stage::Up, device_of(tag), Some(dialog));
        self.acknowledge(at, m.cseq().number, ctx);
        if unwanted {
            self.hang_up(at, ctx);
        } else {
            self.plan_call(at, ctx);
        }
    }

    /// No answer in time counts as a 408; the world knows by the missing answer whether that may be.
    pub(super) fn invite_silent(&mut self, number: u64) {
        let calling = self.calls.get_mut(&number).filter(|call| call.stage == Stage::Calling);
        call_over(calling);
    }

    pub(super) fn message(&mut self, ctx: &mut Context<'_>) {
        let next = ctx.dice.seconds(15, 90);
        ctx.later(next, Task::Message);
        if !self.can_send() {
            return;
        }
        let method = if ctx.dice.chance(60) { Method::Message } else { Method::Options };
        let somebody = self.somebody(ctx.dice);
        let ask = self.new_ask(method, format!("sip:u{somebody}@{DOMAIN}"));
        self.send_message(ask, ctx);
    }

    fn send_message(&mut self, mut ask: Ask, ctx: &mut Context<'_>) {
        let mut then = ask.clone();
        (then.cseq, then.tries) = (ask.cseq + 1, ask.tries + 1);
        self.send_ask(&mut ask, Use::Message(Box::new(then)), ctx);
    }

    pub(super) fn message_answered(&mut self, ask: Ask, m: &Message<'_>, ctx: &mut Context<'_>) {
        match m.status() {
            ..300 | 408 | 430 | 480 | 503 => {}
            407 if ask.tries < TRIES && self.wallet.challenged(ask.method, m) => self.send_message(ask, ctx),
            status => {
                ctx.report(Report::Unexpected { method: ask.method, status, call_id: ask.call_id.into_bytes() });
            }
        }
    }
}

fn call_over(call: Option<&mut Call>) {
    if let Some(call) = call {
        call.stage = Stage::Over;
    }
}

/// The caller's dialog, from what it wrote into From and the answer.
fn dialog_of(from: &str, answer: &Message<'_>) -> Option<Dialog> {
    let mut bytes = Vec::new();
    let mut request = RequestBuilder::new(Method::Invite, b"sip:x@example.org");
    request.via(b"SIP/2.0/UDP x;branch=z9hG4bKx").from(from.as_bytes()).to(answer.value(lyceum_sip::Name::To)?);
    request.call_id(answer.call_id()).cseq(answer.cseq().number).write(&mut bytes);
    let mut index = Index::new();
    parse(&bytes, &mut index, &Limits::default()).ok()?;
    Dialog::uac(&Message::new(&bytes, &index), answer)
}
