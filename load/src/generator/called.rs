//! The called end: answers what the server forwards.

use lyceum_sip::{Message, Method, ResponseBuilder, parse};

use super::messages::ANSWER;
use super::slot::Called;
use super::timers::Due;
use super::{Generator, Kind};
use crate::template::from_hex8;

/// Place and birth of the operation that a Call-ID names.
fn operation(call_id: &[u8], marker: &[u8]) -> Option<(u32, u32)> {
    let run = &marker[marker.len() - 8..];
    let (place, birth) = (from_hex8(call_id)?, from_hex8(call_id.get(8..)?)?);
    (call_id.get(17..25)? == run).then_some((place, birth))
}

impl Generator {
    /// A request came.
    pub(super) fn request(&mut self, now: u64, side: usize, bytes: &[u8]) {
        let mut index = std::mem::take(&mut self.index);
        if parse(bytes, &mut index, &self.limits).is_ok() {
            let message = Message::new(bytes, &index);
            match message.method() {
                Method::Invite => self.invited(now, side, &message),
                Method::Ack => self.acknowledged(&message),
                Method::Cancel => self.reply(side, &message, 481),
                _ => self.reply(side, &message, 200),
            }
        }
        self.index = index;
    }

    fn reply(&mut self, side: usize, message: &Message<'_>, status: u16) {
        self.outgoing[side].write(|out| ResponseBuilder::new(message, status, "").to_tag(b"called").write(out));
    }

    fn invited(&mut self, now: u64, side: usize, message: &Message<'_>) {
        let named = operation(message.call_id(), &self.messages.marker);
        let live = named.and_then(|(place, birth)| {
            let slot = self.slots.live(place)?;
            (slot.kind == Some(Kind::Call) && slot.birth == birth).then_some(place)
        });
        let Some(place) = live else { return self.reply(side, message, 480) };
        let Some(slot) = self.slots.live(place) else { return };
        if slot.called == Called::Ringing {
            return self.ring(side, message);
        }
        if slot.called != Called::Idle {
            return self.outgoing[side].push(&slot.answer);
        }
        slot.called = Called::Ringing;
        slot.called_repeats = 0;
        slot.side = side;
        slot.answer.clear();
        ResponseBuilder::new(message, 200, "OK")
            .to_tag(b"called")
            .copy_record_route()
            .header("Contact", &self.messages.contact)
            .body(b"application/sdp", ANSWER)
            .write(&mut slot.answer);
        let timer = slot.called_timer;
        self.ring(side, message);
        if self.options.pause.is_zero() {
            self.send_answer(now, place);
        } else {
            self.lines.set(now, place, timer, Due::Answer, 0);
        }
    }

    fn ring(&mut self, side: usize, message: &Message<'_>) {
        let contact = &self.messages.contact;
        self.outgoing[side].write(|out| {
            ResponseBuilder::new(message, 180, "Ringing")
                .to_tag(b"called")
                .copy_record_route()
                .header("Contact", contact)
                .write(out);
        });
    }

    /// 200 after the pause.
    pub(super) fn send_answer(&mut self, now: u64, place: u32) {
        let Some(slot) = self.slots.live(place) else { return };
        slot.called = Called::Answered;
        self.outgoing[slot.side].push(&slot.answer);
        self.lines.set(now, place, slot.called_timer, Due::RepeatAnswer, 0);
    }

    /// No ACK yet: RFC 3261 §13.3.1.4 repeats the 2xx from T1 up to T2.
    pub(super) fn repeat_answer(&mut self, now: u64, place: u32) {
        let Some(slot) = self.slots.live(place) else { return };
        slot.called_repeats = slot.called_repeats.saturating_add(1);
        // 64 × T1 are over.
        if slot.called_repeats > 10 {
            return;
        }
        self.outgoing[slot.side].push(&slot.answer);
        let (timer, repeats) = (slot.called_timer, slot.called_repeats.min(3));
        self.stats[Kind::Call as usize].retransmissions += 1;
        self.lines.set(now, place, timer, Due::RepeatAnswer, repeats);
    }

    fn acknowledged(&mut self, message: &Message<'_>) {
        let Some((place, birth)) = operation(message.call_id(), &self.messages.marker) else { return };
        let Some(slot) = self.slots.live(place) else { return };
        if slot.birth == birth && slot.called == Called::Answered {
            slot.called = Called::Talking;
            slot.called_timer = slot.called_timer.wrapping_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::calling::find_mark;
    use super::*;

    #[test]
    fn a_call_id_names_its_operation() {
        let marker = b"z9hG4bKl0badcafe";
        assert_eq!(operation(b"0000002a00000007-0badcafe@load", marker), Some((42, 7)));
        assert_eq!(operation(b"0000002a00000007-0badcaff@load", marker), None);
        assert_eq!(operation(b"x", marker), None);
        assert_eq!(find_mark(b"branch=z9hG4bKl0badcafe0000002a00000007;rport", marker), Some((42, 7)));
    }
}
