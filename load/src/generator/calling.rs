//! The calling end: requests, their repetition, and what their answers lead to.

use lyceum_sip::digest::Challenge;
use lyceum_sip::{Contact, Message, Name, parse};

use super::slot::{Slot, Step};
use super::timers::Due;
use super::{Generator, Kind};
use crate::template::{Field, Fields, Template, from_hex8, hex8};

/// Place and stamp as text.
fn mark(place: u32, stamp: u32) -> [u8; 16] {
    let mut text = [0; 16];
    text[..8].copy_from_slice(&hex8(place));
    text[8..].copy_from_slice(&hex8(stamp));
    text
}

/// Reads place and stamp where they follow `marker`.
pub(super) fn find_mark(bytes: &[u8], marker: &[u8]) -> Option<(u32, u32)> {
    let at = bytes.windows(marker.len()).position(|window| window == marker)? + marker.len();
    Some((from_hex8(bytes.get(at..)?)?, from_hex8(bytes.get(at + 8..)?)?))
}

/// Decimal digits of a small number.
fn digits(number: u32, room: &mut [u8; 10]) -> &[u8] {
    let (mut at, mut rest) = (room.len(), number);
    loop {
        at -= 1;
        room[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            return &room[at..];
        }
    }
}

/// The values that are the operation's own.
struct Own {
    id: [u8; 16],
    branch: [u8; 16],
    digits: [u8; 10],
}

impl Own {
    fn of(place: u32, slot: &Slot) -> Own {
        Own { id: mark(place, slot.birth), branch: mark(place, slot.stamp), digits: [0; 10] }
    }

    fn fields(&mut self, cseq: u32) -> Fields<'_> {
        let mut fields = Fields::default();
        fields
            .set(Field::Id, &self.id)
            .set(Field::Branch, &self.branch)
            .set(Field::Cseq, digits(cseq, &mut self.digits));
        fields
    }
}

impl Generator {
    /// Begins one operation.
    pub(super) fn begin(&mut self, kind: Kind, now: u64) {
        let stats = &mut self.stats[kind as usize];
        stats.sent += 1;
        let Some(place) = self.slots.begin(kind, now) else {
            stats.failed += 1;
            stats.skipped += 1;
            return;
        };
        let turn = self.cursor[kind as usize];
        self.cursor[kind as usize] += 1;
        let (users, callees) = (self.options.users.len(), self.options.callees);
        let Some(slot) = self.slots.live(place) else { return };
        slot.peer = (turn % callees) as u32;
        slot.user = match kind {
            Kind::Register | Kind::Options => turn % users,
            Kind::Message | Kind::Call => callees.min(users - 1) + turn % (users - callees).max(1),
        } as u32;
        self.ask(now, place, b"");
    }

    /// Sends the operation's request, with a header line of credentials or none.
    fn ask(&mut self, now: u64, place: u32, auth: &[u8]) {
        let Some(slot) = self.slots.live(place) else { return };
        slot.ask(now);
        let template = match slot.kind {
            Some(Kind::Register) => &self.messages.register,
            Some(Kind::Options) => &self.messages.options,
            Some(Kind::Message) => &self.messages.message,
            _ => &self.messages.invite,
        };
        let mut own = Own::of(place, slot);
        let mut fields = own.fields(slot.cseq);
        fields.set(Field::User, self.options.users[slot.user as usize].name.as_bytes());
        fields.set(Field::Peer, self.options.users[slot.peer as usize].name.as_bytes());
        fields.set(Field::Auth, auth);
        template.write(&fields, &mut slot.request);
        self.outgoing[0].push(&slot.request);
        self.lines.set(now, place, slot.timer, Due::Repeat, 0);
    }

    /// No answer yet: RFC 3261 §17.1.1.2 (timers A, B) and §17.1.2.2 (E, F).
    pub(super) fn repeat(&mut self, now: u64, place: u32) {
        let patience = self.options.patience.as_micros() as u64;
        let Some(slot) = self.slots.live(place) else { return };
        if now - slot.asked >= patience {
            return self.fail(place, true);
        }
        slot.repeats += 1;
        self.outgoing[0].push(&slot.request);
        let invite = slot.kind == Some(Kind::Call) && slot.step != Step::Leaving;
        // T1 doubles without bound for INVITE, up to T2 (8 × T1) for others.
        let (timer, repeats, kind) = (slot.timer, slot.repeats.min(if invite { 5 } else { 3 }), slot.kind);
        self.lines.set(now, place, timer, Due::Repeat, repeats);
        if let Some(kind) = kind {
            self.stats[kind as usize].retransmissions += 1;
        }
    }

    /// The operation did not end as it should.
    pub(super) fn fail(&mut self, place: u32, timed_out: bool) {
        let Some(kind) = self.slots.live(place).and_then(|slot| slot.kind) else { return };
        let stats = &mut self.stats[kind as usize];
        stats.failed += 1;
        stats.timed_out += u64::from(timed_out);
        self.slots.end(place);
    }

    fn succeed(&mut self, now: u64, place: u32) {
        let Some(slot) = self.slots.live(place) else { return };
        let Some(kind) = slot.kind else { return };
        let stats = &mut self.stats[kind as usize];
        stats.ok += 1;
        if kind != Kind::Call {
            stats.times.add(now - slot.began);
        }
        self.slots.end(place);
    }

    /// An answer came.
    pub(super) fn response(&mut self, now: u64, bytes: &[u8]) {
        let digits = bytes.get(8..11).and_then(|text| std::str::from_utf8(text).ok());
        let Some(status) = digits.and_then(|text| text.parse::<u16>().ok()) else { return };
        let Some((place, stamp)) = find_mark(bytes, &self.messages.marker) else { return };
        let Some(slot) = self.slots.live(place) else { return };
        let Some(kind) = slot.kind else { return };
        if slot.stamp != stamp || slot.step == Step::Talking {
            if status / 100 == 2 && slot.invite == stamp && !slot.ack.is_empty() {
                self.outgoing[0].push(&slot.ack);
            }
            self.stats[kind as usize].strays += u64::from(status >= 200);
            return;
        }
        let inviting = kind == Kind::Call && slot.step != Step::Leaving;
        if status < 200 {
            if inviting && !slot.proceeding {
                slot.proceeding = true;
                slot.timer = slot.timer.wrapping_add(1);
                self.lines.set(now, place, slot.timer, Due::GiveUp, 0);
            }
            return;
        }
        let step = slot.step;
        let stats = &mut self.stats[kind as usize];
        stats.status(status);
        let has_delay = || bytes.windows(13).any(|window| window.eq_ignore_ascii_case(b"\r\nretry-after"));
        stats.bare_503 += u64::from(status == 503 && !has_delay());
        match status {
            200..=299 if inviting => self.established(now, place, bytes),
            200..=299 => self.succeed(now, place),
            401 | 407 if step == Step::First => self.challenged(now, place, bytes),
            _ => {
                if inviting {
                    self.acknowledge_refusal(place, bytes);
                }
                self.fail(place, false);
            }
        }
    }

    fn challenged(&mut self, now: u64, place: u32, bytes: &[u8]) {
        let mut index = std::mem::take(&mut self.index);
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let readable = parse(bytes, &mut index, &self.limits).is_ok();
        let message = Message::new(bytes, &index);
        if self.slots.live(place).is_some_and(|slot| slot.kind == Some(Kind::Call)) {
            self.acknowledge_refusal(place, bytes);
        }
        if readable && self.write_credentials(place, &message, &mut scratch) {
            if let Some(slot) = self.slots.live(place) {
                slot.step = Step::Authorized;
            }
            self.ask(now, place, &scratch);
        } else {
            self.fail(place, false);
        }
        (self.index, self.scratch) = (index, scratch);
    }

    fn write_credentials(&mut self, place: u32, message: &Message<'_>, line: &mut Vec<u8>) -> bool {
        let proxy = message.status() == 407;
        let name = if proxy { Name::ProxyAuthenticate } else { Name::WwwAuthenticate };
        let lines = message.fields().filter(|field| field.name == name);
        let mut challenges = lines.filter_map(|field| Challenge::parse(field.value));
        let Some(challenge) = challenges.next() else { return false };
        let Some(slot) = self.slots.live(place) else { return false };
        let method: &[u8] = message.cseq().method;
        let uri = slot.request.split(|&b| b == b' ').nth(1).unwrap_or_default();
        let user = slot.user as usize;
        line.extend_from_slice(if proxy { b"Proxy-Authorization: " } else { b"Authorization: " });
        let written = self.answers.write(&challenge, (user, &self.options.users[user]), (method, uri), line);
        line.extend_from_slice(b"\r\n");
        written
    }

    /// RFC 3261 §17.1.1.3.
    fn acknowledge_refusal(&mut self, place: u32, bytes: &[u8]) {
        let mut index = lyceum_sip::Index::new();
        if parse(bytes, &mut index, &self.limits).is_err() {
            return;
        }
        let to = Message::new(bytes, &index).value(Name::To).unwrap_or_default();
        let Some(slot) = self.slots.live(place) else { return };
        let mut own = Own::of(place, slot);
        let mut fields = own.fields(slot.cseq);
        fields.set(Field::User, self.options.users[slot.user as usize].name.as_bytes());
        fields.set(Field::Peer, self.options.users[slot.peer as usize].name.as_bytes());
        fields.set(Field::To, to);
        let template = &self.messages.ack_refusal;
        self.outgoing[0].write(|out| template.write(&fields, out));
    }

    /// 2xx to INVITE: ACK now, BYE after the pause, both along the recorded route (§12.1.2).
    fn established(&mut self, now: u64, place: u32, bytes: &[u8]) {
        let mut index = std::mem::take(&mut self.index);
        let readable = parse(bytes, &mut index, &self.limits).is_ok();
        let message = Message::new(bytes, &index);
        let target = message.contacts().find_map(|contact| match contact {
            Ok(Contact::Addr(address)) => Some(address.uri),
            _ => None,
        });
        match target {
            Some(target) if readable => self.talk(now, place, &message, target),
            _ => self.fail(place, false),
        }
        self.index = index;
    }

    fn talk(&mut self, now: u64, place: u32, message: &Message<'_>, target: &[u8]) {
        write_routes(message, &mut self.scratch);
        let Some(slot) = self.slots.live(place) else { return };
        slot.step = Step::Talking;
        slot.invite = slot.stamp;
        self.stats[Kind::Call as usize].times.add(now - slot.began);
        let user = self.options.users[slot.user as usize].name.as_bytes();
        let invite = slot.cseq;
        let write = |slot: &mut Slot, template: &Template, cseq: u32| {
            let mut own = Own::of(place, slot);
            let mut fields = own.fields(cseq);
            fields.set(Field::User, user).set(Field::Target, target).set(Field::Routes, &self.scratch);
            fields.set(Field::To, message.value(Name::To).unwrap_or_default());
            template.write(&fields, &mut slot.request);
        };
        // Every transaction has a stamp; the ACK of a 2xx is one of its own.
        slot.ask(now);
        write(slot, &self.messages.ack, invite);
        self.outgoing[0].push(&slot.request);
        std::mem::swap(&mut slot.ack, &mut slot.request);
        slot.ask(now);
        slot.cseq = invite + 1;
        write(slot, &self.messages.bye, invite + 1);
        let timer = slot.timer;
        if self.options.pause.is_zero() {
            self.send_bye(now, place);
        } else {
            self.lines.set(now, place, timer, Due::Bye, 0);
        }
    }

    /// The pause is over.
    pub(super) fn send_bye(&mut self, now: u64, place: u32) {
        let Some(slot) = self.slots.live(place) else { return };
        slot.step = Step::Leaving;
        slot.asked = now;
        self.outgoing[0].push(&slot.request);
        self.lines.set(now, place, slot.timer, Due::Repeat, 0);
    }
}

/// The route set of the calling end: Record-Route backwards.
fn write_routes(message: &Message<'_>, out: &mut Vec<u8>) {
    out.clear();
    let mut routes: [&[u8]; 8] = [&[]; 8];
    let mut count = 0;
    for (place, value) in routes.iter_mut().zip(message.values(Name::RecordRoute)) {
        *place = value;
        count += 1;
    }
    for value in routes[..count].iter().rev() {
        out.extend_from_slice(b"Route: ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lyceum_sip::{Index, Limits};

    #[test]
    fn a_challenge_is_found_in_its_response() {
        let bytes = b"SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP 127.0.0.1:44940;branch=z9hG4bKl1;rport=44940;received=127.0.0.1\r\nFrom: <sip:u@bench.test>;tag=1\r\nTo: <sip:u@bench.test>;tag=1ece\r\nCall-ID: 1@load\r\nCSeq: 1 REGISTER\r\nWWW-Authenticate: Digest realm=\"bench.test\", nonce=\"awDxNGsA8AiCs+WZCXqJfZ+nHOiOfi2O\", qop=\"auth\"\r\nContent-Length: 0\r\n\r\n";
        let mut index = Index::new();
        parse(bytes, &mut index, &Limits::default()).expect("readable");
        let message = Message::new(bytes, &index);
        let line = message.fields().find(|field| field.name == Name::WwwAuthenticate).expect("a field");
        assert!(Challenge::parse(line.value).is_some());
    }
}
