//! The token in a Record-Route value of ours.
//!
//! Layout: one letter, 16 letters of MAC, the caller's flow, a dot, the callee's flow. The
//! letter is `e` (early) while only the initiator's tag is known: that is what the callee
//! gets with the request. When a response brings the To tag, letter and MAC are overwritten in
//! place, same length, and the caller gets `c` (complete): a MAC over both tags.

use super::flow::{FlowBytes, MAX_FLOW};
use crate::header::route::{Hop, hops};
use crate::keyed::{Mac, SecretKey, base64, same};
use crate::message::Message;
use crate::name::Name;

const MAC_LEN: usize = 12;
const MAC_LETTERS: usize = base64::encoded_len(MAC_LEN);
const HEAD: usize = 1 + MAC_LETTERS;

/// What names a dialog: Call-ID and both tags, from the initiator's point of view.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DialogEnds<'a> {
    /// Call-ID.
    pub call_id: &'a [u8],
    /// Tag of From in the request under way.
    pub from_tag: &'a [u8],
    /// Tag of To, empty while unknown.
    pub to_tag: &'a [u8],
}

impl<'a> DialogEnds<'a> {
    /// Reads them from a message.
    #[must_use]
    pub fn of(m: &Message<'a>) -> DialogEnds<'a> {
        DialogEnds {
            call_id: m.call_id(),
            from_tag: m.from_tag().unwrap_or_default(),
            to_tag: m.to_tag().unwrap_or_default(),
        }
    }
}

/// Which way an in-dialog request goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Direction {
    /// From the dialog's initiator to the other end.
    ToCallee,
    /// To the dialog's initiator.
    ToCaller,
}

/// What a valid token says about an in-dialog request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Passage {
    /// Which way it goes.
    pub direction: Direction,
    /// The initiator's flow.
    pub caller: FlowBytes,
    /// The other end's flow.
    pub callee: FlowBytes,
}

impl Passage {
    /// The flow to send on.
    #[must_use]
    pub fn to(&self) -> &FlowBytes {
        match self.direction {
            Direction::ToCallee => &self.callee,
            Direction::ToCaller => &self.caller,
        }
    }

    /// The flow the request should have come by; another one is no fault, phones reconnect.
    #[must_use]
    pub fn from(&self) -> &FlowBytes {
        match self.direction {
            Direction::ToCallee => &self.caller,
            Direction::ToCaller => &self.callee,
        }
    }
}

/// Writes and checks Record-Route tokens.
pub struct RouteTokens {
    mac: Mac,
}

impl RouteTokens {
    /// All nodes that must let each other's dialogs through share the key.
    #[must_use]
    pub fn new(key: &SecretKey) -> RouteTokens {
        RouteTokens { mac: Mac::new(&key.derive("record-route token")) }
    }

    /// Adds the token for a dialog-creating request to `out`; `flows` are the initiator's and
    /// the other end's, empty where there is none, at most [`MAX_FLOW`] bytes each.
    ///
    /// `ends.to_tag` is not looked at: the callee proves itself by Call-ID and the
    /// initiator's tag, which only the two ends and those between them know.
    pub fn issue(&self, ends: &DialogEnds<'_>, flows: [&[u8]; 2], out: &mut Vec<u8>) {
        let flows = flows.map(|flow| if flow.len() > MAX_FLOW { &[] } else { flow });
        let start = out.len();
        out.resize(start + HEAD, b'e');
        base64::encode(flows[0], out);
        out.push(b'.');
        base64::encode(flows[1], out);
        let (head, tail) = out[start..].split_at_mut(HEAD);
        self.seal(head, b'e', [ends.call_id, ends.from_tag, b"", tail]);
    }

    /// Overwrites an early token, in the response under way, with the complete one; false and
    /// untouched when it is not ours or the To tag is missing.
    pub fn complete(&self, token: &mut [u8], ends: &DialogEnds<'_>) -> bool {
        if token.len() < HEAD || token[0] != b'e' || ends.to_tag.is_empty() {
            return false;
        }
        let (head, tail) = token.split_at_mut(HEAD);
        if !self.holds(head, b'e', [ends.call_id, ends.from_tag, b"", tail]) {
            return false;
        }
        self.seal(head, b'c', [ends.call_id, ends.from_tag, ends.to_tag, tail]);
        true
    }

    /// Judges the token of an in-dialog request: `ends` are the request's own Call-ID, From
    /// and To tags. `None`: not ours, or not this dialog's.
    #[must_use]
    pub fn verify(&self, token: &[u8], ends: &DialogEnds<'_>) -> Option<Passage> {
        let (head, tail) = token.split_at_checked(HEAD)?;
        let DialogEnds { call_id, from_tag, to_tag } = *ends;
        let direction = match head[0] {
            // The callee's requests carry the initiator's tag in To.
            b'e' => {
                let fits = self.holds(head, b'e', [call_id, to_tag, b"", tail]);
                fits.then_some(Direction::ToCaller)
            }
            b'c' if self.holds(head, b'c', [call_id, from_tag, to_tag, tail]) => Some(Direction::ToCallee),
            b'c' if self.holds(head, b'c', [call_id, to_tag, from_tag, tail]) => Some(Direction::ToCaller),
            _ => None,
        }?;
        let dot = memchr::memchr(b'.', tail)?;
        Some(Passage { direction, caller: flow(&tail[..dot])?, callee: flow(&tail[dot + 1..])? })
    }

    /// Completes every early token of ours that a response carries in Record-Route. `wire` is
    /// the response as it goes upstream; gives how many were completed.
    pub fn complete_in(&self, response: &Message<'_>, wire: &mut [u8]) -> usize {
        let ends = DialogEnds::of(response);
        if ends.to_tag.is_empty() || response.field(Name::RecordRoute).is_none() {
            return 0;
        }
        let mut completed = 0;
        for hop in hops(response, Name::RecordRoute).flatten() {
            let token = hop.uri.user().unwrap_or_default();
            if token.len() < HEAD || token[0] != b'e' {
                continue;
            }
            if let Some(at) = memchr::memmem::find(wire, token) {
                completed += usize::from(self.complete(&mut wire[at..at + token.len()], &ends));
            }
        }
        completed
    }

    /// Judges an in-dialog request by the Route values of ours that it brought
    /// ([`crate::proxy::RoutePlan::own`]): all must hold; the last one knows the way on.
    #[must_use]
    pub fn passage(&self, own: &[Hop<'_>], m: &Message<'_>) -> Option<Passage> {
        let ends = DialogEnds::of(m);
        let mut passage = None;
        for hop in own {
            passage = Some(self.verify(hop.uri.user()?, &ends)?);
        }
        passage
    }

    fn tag(&self, kind: u8, parts: [&[u8]; 4]) -> [u8; MAC_LEN] {
        let [call_id, one, other, flows] = parts;
        self.mac.short([&[kind][..], call_id, one, other, flows])
    }

    fn seal(&self, head: &mut [u8], kind: u8, parts: [&[u8]; 4]) {
        let mut letters = Vec::with_capacity(HEAD);
        letters.push(kind);
        base64::encode(&self.tag(kind, parts), &mut letters);
        head.copy_from_slice(&letters);
    }

    fn holds(&self, head: &[u8], kind: u8, parts: [&[u8]; 4]) -> bool {
        let mut out = [0; MAC_LEN];
        let given = base64::decode(&head[1..], &mut out);
        given.is_some_and(|given| same(given, &self.tag(kind, parts)))
    }
}

fn flow(letters: &[u8]) -> Option<FlowBytes> {
    let mut out = [0; MAX_FLOW];
    FlowBytes::new(base64::decode(letters, &mut out)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends<'a>(from_tag: &'a str, to_tag: &'a str) -> DialogEnds<'a> {
        DialogEnds { call_id: b"call", from_tag: from_tag.as_bytes(), to_tag: to_tag.as_bytes() }
    }

    fn tokens() -> RouteTokens {
        RouteTokens::new(&SecretKey([5; 32]))
    }

    /// The token that the callee gets, and the one that the caller gets.
    fn both() -> (Vec<u8>, Vec<u8>) {
        let mut early = Vec::new();
        tokens().issue(&ends("alice", ""), [b"flow of alice", b"bob"], &mut early);
        let mut complete = early.clone();
        assert!(tokens().complete(&mut complete, &ends("alice", "bob")));
        assert_eq!(early.len(), complete.len());
        assert_eq!(early[HEAD..], complete[HEAD..]);
        (early, complete)
    }

    #[test]
    fn either_end_may_speak_and_the_direction_is_told() {
        let (early, complete) = both();
        let got = tokens().verify(&complete, &ends("alice", "bob")).expect("the caller's");
        assert_eq!((got.direction, &**got.to()), (Direction::ToCallee, &b"bob"[..]));
        assert_eq!(&**got.from(), b"flow of alice");
        let got = tokens().verify(&early, &ends("bob", "alice")).expect("the callee's");
        assert_eq!((got.direction, &**got.to()), (Direction::ToCaller, &b"flow of alice"[..]));
        let got = tokens().verify(&complete, &ends("bob", "alice")).expect("complete, backwards");
        assert_eq!(got.direction, Direction::ToCaller);
    }

    #[test]
    fn a_token_opens_no_other_dialog() {
        let (early, complete) = both();
        for wrong in [ends("alice", "carol"), ends("carol", "bob"), ends("", ""), ends("bob", "carol")] {
            assert_eq!(tokens().verify(&complete, &wrong), None, "{wrong:?}");
            assert_eq!(tokens().verify(&early, &wrong), None, "{wrong:?}");
        }
        let elsewhere = DialogEnds { call_id: b"other", ..ends("alice", "bob") };
        assert_eq!(tokens().verify(&complete, &elsewhere), None);
        // The early token is the callee's alone.
        assert_eq!(tokens().verify(&early, &ends("alice", "bob")), None);
        assert_eq!(tokens().verify(&early, &ends("alice", "")), None);
    }

    #[test]
    fn no_letter_can_be_changed() {
        let (_, complete) = both();
        for at in 0..complete.len() {
            let mut bad = complete.clone();
            bad[at] = if bad[at] == b'x' { b'y' } else { b'x' };
            assert_eq!(tokens().verify(&bad, &ends("alice", "bob")), None, "letter {at}");
        }
        assert_eq!(tokens().verify(b"", &ends("alice", "bob")), None);
        assert_eq!(RouteTokens::new(&SecretKey([6; 32])).verify(&complete, &ends("alice", "bob")), None);
    }

    #[test]
    fn only_our_early_tokens_are_completed() {
        let (early, complete) = both();
        for (token, who) in
            [(&complete, ends("alice", "bob")), (&early, ends("alice", "")), (&early, ends("eve", "bob"))]
        {
            let mut copy = token.clone();
            assert!(!tokens().complete(&mut copy, &who));
            assert_eq!(&copy, token);
        }
    }

    fn with<R>(text: &str, f: impl FnOnce(&Message<'_>) -> R) -> R {
        let mut index = crate::Index::new();
        crate::parse(text.as_bytes(), &mut index, &crate::Limits::default()).expect("readable");
        f(&Message::new(text.as_bytes(), &index))
    }

    #[test]
    fn a_response_is_completed_on_its_way_and_the_request_behind_it_passes() {
        let (early, complete) = both();
        let (early, complete) = (String::from_utf8_lossy(&early), String::from_utf8_lossy(&complete));
        let response = format!(
            "SIP/2.0 200 OK\r\nRecord-Route: <sip:other;lr>, <sip:{early}@p;lr>\r\nFrom: <sip:a@x>;tag=alice\r\nTo: <sip:b@x>;tag=bob\r\nCall-ID: call\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
        );
        let mut wire = response.clone().into_bytes();
        assert_eq!(with(&response, |m| tokens().complete_in(m, &mut wire)), 1);
        assert_eq!(String::from_utf8_lossy(&wire), response.replace(&*early, &complete));

        let bye = format!(
            "BYE sip:b@x SIP/2.0\r\nRoute: <sip:{complete}@p;lr>\r\nFrom: <sip:a@x>;tag=alice\r\nTo: <sip:b@x>;tag=bob\r\nCall-ID: call\r\nCSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n"
        );
        let judged = |text: &str| {
            with(text, |m| {
                let own: Vec<_> = hops(m, Name::Route).flatten().collect();
                tokens().passage(&own, m).map(|p| p.direction)
            })
        };
        assert_eq!(judged(&bye), Some(Direction::ToCallee));
        assert_eq!(judged(&bye.replace("tag=bob", "tag=eve")), None);
        assert_eq!(judged(&bye.replace(&format!("{complete}@"), "")), None);
        assert_eq!(judged(&bye.replace("Route:", "X-Route:")), None);
    }
}
