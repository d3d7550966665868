//! Within a call: ACK, re-INVITE, small requests, BYE, from either side.

use std::time::Duration;

use lyceum_sip::dialog::DialogId;
use lyceum_sip::{Message, Method, Name};

use super::call::Stage;
use super::{Context, Device, Task, Use, device_of};
use crate::report::Report;

impl Device {
    /// Decides at its beginning how a call will go.
    pub(super) fn plan_call(&mut self, number: u64, ctx: &mut Context<'_>) {
        let length = ctx.dice.seconds(1, 60);
        ctx.later(length, Task::HangUp(number));
        if ctx.dice.chance(25) {
            let after = ctx.dice.millis(500, 20_000);
            ctx.later(after, Task::Reinvite(number));
        }
        if ctx.dice.chance(25) {
            let after = ctx.dice.millis(100, 20_000);
            ctx.later(after, Task::Chat(number));
        }
    }

    pub(super) fn find_call(&self, m: &Message<'_>) -> Option<u64> {
        let id = DialogId::of_request(m);
        let is = |dialog: &lyceum_sip::dialog::Dialog| *dialog.id() == id;
        self.calls.iter().find(|(_, call)| call.dialog.as_ref().is_some_and(is)).map(|(number, _)| *number)
    }

    /// Bytes and branch of a request in a call.
    fn in_call(&mut self, number: u64, method: Method, cseq: Option<u32>) -> Option<(Vec<u8>, Vec<u8>)> {
        let (via, branch) = self.via();
        let contact = format!("<{}>", self.contact_uri());
        let dialog = self.calls.get_mut(&number)?.dialog.as_mut()?;
        let cseq = cseq.unwrap_or_else(|| dialog.next_cseq());
        let mut builder = dialog.request(method, cseq);
        builder.via(&via);
        if method == Method::Invite {
            builder.contact(contact.as_bytes()).body(b"application/sdp", b"v=0\r\n");
        }
        let mut bytes = Vec::with_capacity(500);
        builder.write(&mut bytes);
        Some((bytes, branch))
    }

    pub(super) fn acknowledge(&mut self, number: u64, cseq: u32, ctx: &mut Context<'_>) {
        let Some((ack, _)) = self.in_call(number, Method::Ack, Some(cseq)) else { return };
        ctx.out.sends.push((None, ack.clone()));
        self.calls.get_mut(&number).map(|call| call.acks.insert(cseq, ack));
    }

    pub(super) fn hang_up(&mut self, number: u64, ctx: &mut Context<'_>) {
        let Some(call) = self.calls.get_mut(&number).filter(|call| call.stage == Stage::Up) else { return };
        // RFC 3261 §15: the callee waits for the ACK. A re-INVITE under way is waited for, too.
        if !call.oks.is_empty() || call.changing {
            return ctx.later(Duration::from_millis(700), Task::HangUp(number));
        }
        call.stage = Stage::Over;
        let Some((bytes, branch)) = self.in_call(number, Method::Bye, None) else { return };
        self.begin(Method::Bye, &branch, &bytes, Use::InDialog(number), ctx);
    }

    pub(super) fn reinvite(&mut self, number: u64, ctx: &mut Context<'_>) {
        let Some(call) = self.calls.get_mut(&number).filter(|call| call.stage == Stage::Up) else { return };
        if !call.oks.is_empty() || call.changing || self.quiet {
            return;
        }
        call.changing = true;
        let call_id = call.call_id.clone();
        let Some((bytes, branch)) = self.in_call(number, Method::Invite, None) else { return };
        self.begin(Method::Invite, &branch, &bytes, Use::Reinvite(number), ctx);
        ctx.report(Report::InviteSent { branch, call_id });
    }

    pub(super) fn chat(&mut self, number: u64, ctx: &mut Context<'_>) {
        // Before its ACK the caller may not know of the dialog yet.
        let may = |call: &super::Call| call.stage == Stage::Up && call.oks.is_empty();
        if self.quiet || !self.calls.get(&number).is_some_and(may) {
            return;
        }
        let method = [Method::Info, Method::Options, Method::Message, Method::Update][ctx.dice.below(4) as usize];
        let Some((bytes, branch)) = self.in_call(number, method, None) else { return };
        self.begin(method, &branch, &bytes, Use::InDialog(number), ctx);
    }

    pub(super) fn reinvite_answered(&mut self, number: u64, m: &Message<'_>, ctx: &mut Context<'_>) {
        if m.status() < 200 {
            return;
        }
        let Some(call) = self.calls.get_mut(&number) else { return };
        call.changing = false;
        if m.status() >= 300 {
            return self.in_dialog_answered(number, m, ctx);
        }
        let cseq = m.cseq().number;
        match call.acks.get(&cseq) {
            Some(ack) => ctx.out.sends.push((None, ack.clone())),
            None => self.acknowledge(number, cseq, ctx),
        }
    }

    pub(super) fn in_dialog_answered(&mut self, number: u64, m: &Message<'_>, ctx: &mut Context<'_>) {
        if m.status() >= 200 {
            self.in_dialog_over(number, m.method(), m.status(), ctx);
        }
    }

    pub(super) fn in_dialog_silent(&mut self, number: u64, method: Method, ctx: &mut Context<'_>) {
        if let Some(call) = self.calls.get_mut(&number) {
            call.changing = false;
        }
        self.in_dialog_over(number, method, 0, ctx);
    }

    fn in_dialog_over(&mut self, number: u64, method: Method, status: u16, ctx: &mut Context<'_>) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        let (peer, begun) = (call.peer, call.begun);
        if let Some(dialog) = call.dialog.as_ref().map(|dialog| dialog.id().clone()) {
            ctx.report(Report::InDialog { method, status, dialog, peer, begun });
        }
        // RFC 3261 §12.2.1.2: these end the dialog.
        if matches!(status, 0 | 408 | 430 | 481) {
            self.hang_up(number, ctx);
        }
    }

    /// A request that names a dialog.
    pub(super) fn in_dialog(&mut self, m: &Message<'_>, ctx: &mut Context<'_>) {
        let (method, call_id) = (m.method(), m.call_id().to_vec());
        let to_tag = m.to_tag().unwrap_or_default();
        if device_of(to_tag) != Some(self.id) {
            ctx.report(Report::Misrouted { method, to_tag: to_tag.to_vec(), call_id });
        }
        let Some(server) = self.accept(m, ctx) else { return };
        let Some(number) = self.find_call(m) else { return self.reply(server, m, 481, b"x", ctx) };
        let Some(call) = self.calls.get_mut(&number) else { return };
        let taken = call.dialog.as_mut().map(|dialog| dialog.request_arrived(m));
        match taken {
            Some(Err(error)) => return self.reply(server, m, error.status(), b"x", ctx),
            _ if call.stage == Stage::Over => return self.reply(server, m, 481, b"x", ctx),
            _ => {}
        }
        match method {
            Method::Bye => {
                call.stage = Stage::Over;
                call.oks.clear();
                self.reply(server, m, 200, b"x", ctx);
            }
            Method::Invite if call.changing || !call.oks.is_empty() => self.reply(server, m, 491, b"x", ctx),
            Method::Invite if ctx.dice.chance(15) => self.reply(server, m, 488, b"x", ctx),
            Method::Invite => self.send_ok(number, server, m, b"x", ctx),
            _ => {
                debug_assert!(m.value(Name::To).is_some(), "validated");
                self.reply(server, m, 200, b"x", ctx);
            }
        }
    }
}
