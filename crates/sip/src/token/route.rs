//! The token in a Record-Route value of ours.
//!
//! Layout: one letter, 16 letters of MAC, the minute of issue with the caller's flow, a dot, the callee's flow. The
//! letter is `e` (early) while only the initiator's tag is known: that is what the callee gets with the request. When
//! a response brings the To tag, letter and MAC are overwritten in place, same length, and the caller gets `c`
//! (complete).
//!
//! The MAC covers the rest of the token, Call-ID, the tags known, both parties (user and host of From and To) and the
//! Record-Route values of other proxies on the far side of ours, which are the Route values that a request of the
//! dialog has left when it has passed us. So a token lets nobody speak under another name, and leads nowhere but where
//! the dialog was led.

use std::time::Duration;

use super::flow::{FlowBytes, MAX_FLOW};
use crate::keyed::{Mac, SecretKey, SipHash, base64, same};
use crate::message::Message;
use crate::time::WallTime;
use crate::uri::{Scheme, Uri};

const MAC_LEN: usize = 12;
const MAC_LETTERS: usize = base64::encoded_len(MAC_LEN);
const HEAD: usize = 1 + MAC_LETTERS;
const TIME_LEN: usize = 4;
const MINUTE: u64 = 60_000;

/// What names a dialog and its parties, from the point of view of the message under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DialogEnds<'a> {
    /// Call-ID.
    pub call_id: &'a [u8],
    /// Tag of From.
    pub from_tag: &'a [u8],
    /// Tag of To, empty while unknown.
    pub to_tag: &'a [u8],
    /// URI of From.
    pub from: &'a [u8],
    /// URI of To.
    pub to: &'a [u8],
}

impl<'a> DialogEnds<'a> {
    /// Reads them from a message.
    #[must_use]
    pub fn of(m: &Message<'a>) -> DialogEnds<'a> {
        let (from, to) = (m.from().ok(), m.to().ok());
        DialogEnds {
            call_id: m.call_id(),
            from_tag: from.and_then(|from| from.tag()).unwrap_or_default(),
            to_tag: to.and_then(|to| to.tag()).unwrap_or_default(),
            from: from.map_or(&[], |from| from.uri),
            to: to.map_or(&[], |to| to.uri),
        }
    }

    /// The same, seen from the other end.
    fn turned(&self) -> DialogEnds<'a> {
        DialogEnds { from_tag: self.to_tag, to_tag: self.from_tag, from: self.to, to: self.from, ..*self }
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
    /// The minute in which the token was issued.
    pub issued: WallTime,
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

    /// How old the token is.
    #[must_use]
    pub fn age(&self, now: WallTime) -> Duration {
        now - self.issued
    }
}

/// Writes and checks Record-Route tokens.
pub struct RouteTokens {
    mac: Mac,
    parties: [u8; 16],
}

impl RouteTokens {
    /// All nodes that must let each other's dialogs through share the key.
    #[must_use]
    pub fn new(key: &SecretKey) -> RouteTokens {
        let parties = key.derive("record-route parties");
        RouteTokens {
            mac: Mac::new(&key.derive("record-route token")),
            parties: std::array::from_fn(|at| parties.0[at]),
        }
    }

    /// Adds the token for a dialog-creating request to `out`; `flows` are the initiator's and the other end's, empty
    /// where there is none, at most [`MAX_FLOW`] bytes each. `routes` are the URIs of the Record-Route values that the
    /// request came with.
    ///
    /// `ends.to_tag` is not looked at: the callee proves itself by Call-ID and the initiator's tag, which only the two
    /// ends and those between them know.
    pub fn issue<'r>(
        &self,
        ends: &DialogEnds<'_>,
        flows: [&[u8]; 2],
        routes: impl Iterator<Item = &'r [u8]>,
        now: WallTime,
        out: &mut Vec<u8>,
    ) {
        let flows = flows.map(|flow| if flow.len() > MAX_FLOW { &[] } else { flow });
        let start = out.len();
        out.resize(start + HEAD, b'e');
        let mut first = [0; TIME_LEN + MAX_FLOW];
        let len = TIME_LEN + flows[0].len();
        first[..TIME_LEN].copy_from_slice(&((now.0 / MINUTE) as u32).to_be_bytes());
        first[TIME_LEN..len].copy_from_slice(flows[0]);
        base64::encode(&first[..len], out);
        out.push(b'.');
        base64::encode(flows[1], out);
        let (head, tail) = out[start..].split_at_mut(HEAD);
        self.seal(head, b'e', &DialogEnds { to_tag: b"", ..*ends }, routes, tail);
    }

    /// Overwrites an early token, in the response under way, with the complete one; false and untouched when it is no
    /// early token or the To tag is missing. The token must be one that [`RouteTokens::issue`] wrote for this request.
    /// `routes` are the URIs of the Record-Route values that the response has above ours, the lowest first.
    pub fn complete<'r>(
        &self,
        token: &mut [u8],
        ends: &DialogEnds<'_>,
        routes: impl Iterator<Item = &'r [u8]>,
    ) -> bool {
        if token.len() < HEAD || token[0] != b'e' || ends.to_tag.is_empty() {
            return false;
        }
        let (head, tail) = token.split_at_mut(HEAD);
        self.seal(head, b'c', ends, routes, tail);
        true
    }

    /// Judges the token of an in-dialog request: `ends` are the request's own, `routes` the URIs of the Route values
    /// that it has left behind ours. `None`: not ours, or not this dialog's.
    #[must_use]
    pub fn verify<'r>(
        &self,
        token: &[u8],
        ends: &DialogEnds<'_>,
        routes: impl Iterator<Item = &'r [u8]> + Clone,
    ) -> Option<Passage> {
        let (head, tail) = token.split_at_checked(HEAD)?;
        let turned = ends.turned();
        let direction = match head[0] {
            // The callee's requests carry the initiator's tag in To.
            b'e' => {
                let fits = self.holds(head, b'e', &DialogEnds { to_tag: b"", ..turned }, routes, tail);
                fits.then_some(Direction::ToCaller)
            }
            b'c' if self.holds(head, b'c', ends, routes.clone(), tail) => Some(Direction::ToCallee),
            b'c' if self.holds(head, b'c', &turned, routes, tail) => Some(Direction::ToCaller),
            _ => None,
        }?;
        let dot = memchr::memchr(b'.', tail)?;
        let mut out = [0; TIME_LEN + MAX_FLOW];
        let (minute, caller) = base64::decode(&tail[..dot], &mut out)?.split_first_chunk::<TIME_LEN>()?;
        let issued = WallTime(u64::from(u32::from_be_bytes(*minute)) * MINUTE);
        Some(Passage { direction, issued, caller: FlowBytes::new(caller)?, callee: flow(&tail[dot + 1..])? })
    }

    fn tag<'r>(
        &self,
        kind: u8,
        ends: &DialogEnds<'_>,
        routes: impl Iterator<Item = &'r [u8]>,
        tail: &[u8],
    ) -> [u8; MAC_LEN] {
        let mut hash = party(party(SipHash::new(self.parties), ends.from), ends.to);
        for route in routes {
            hash = hash.part(route);
        }
        let led = hash.finish().to_le_bytes();
        self.mac.short([&[kind][..], ends.call_id, ends.from_tag, ends.to_tag, tail, &led])
    }

    fn seal<'r>(
        &self,
        head: &mut [u8],
        kind: u8,
        ends: &DialogEnds<'_>,
        routes: impl Iterator<Item = &'r [u8]>,
        tail: &[u8],
    ) {
        let mut letters = Vec::with_capacity(HEAD);
        letters.push(kind);
        base64::encode(&self.tag(kind, ends, routes, tail), &mut letters);
        head.copy_from_slice(&letters);
    }

    fn holds<'r>(
        &self,
        head: &[u8],
        kind: u8,
        ends: &DialogEnds<'_>,
        routes: impl Iterator<Item = &'r [u8]>,
        tail: &[u8],
    ) -> bool {
        let mut out = [0; MAC_LEN];
        let given = base64::decode(&head[1..], &mut out);
        given.is_some_and(|given| same(given, &self.tag(kind, ends, routes, tail)))
    }
}

/// Who a URI names: user and host, however phones write the rest of it.
fn party(hash: SipHash, uri: &[u8]) -> SipHash {
    match Uri::parse(uri) {
        Ok(uri) if matches!(uri.scheme(), Scheme::Sip | Scheme::Sips) => {
            let user = uri.user_unescaped().unwrap_or_default();
            hash.part_lowercase(&user).part_lowercase(uri.host_text())
        }
        _ => hash.part_lowercase(uri).part(b""),
    }
}

fn flow(letters: &[u8]) -> Option<FlowBytes> {
    let mut out = [0; MAX_FLOW];
    FlowBytes::new(base64::decode(letters, &mut out)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: WallTime = WallTime(1_700_000_040_000);
    const NONE: std::iter::Empty<&[u8]> = std::iter::empty();

    fn ends<'a>(from_tag: &'a str, to_tag: &'a str) -> DialogEnds<'a> {
        let uri = |tag: &str| -> &'static [u8] {
            match tag {
                "alice" => b"sip:Alice@a.b",
                "bob" | "" => b"sip:bob@a.b:5060;user=phone",
                _ => b"sip:somebody@a.b",
            }
        };
        let (from, to) = (uri(from_tag), uri(to_tag));
        DialogEnds { call_id: b"call", from_tag: from_tag.as_bytes(), to_tag: to_tag.as_bytes(), from, to }
    }

    fn tokens() -> RouteTokens {
        RouteTokens::new(&SecretKey([5; 32]))
    }

    /// The token that the callee gets, and the one that the caller gets.
    fn both() -> (Vec<u8>, Vec<u8>) {
        let mut early = Vec::new();
        tokens().issue(&ends("alice", ""), [b"flow of alice", b"bob"], NONE, NOW, &mut early);
        let mut complete = early.clone();
        assert!(tokens().complete(&mut complete, &ends("alice", "bob"), NONE));
        assert_eq!(early.len(), complete.len());
        assert_eq!(early[HEAD..], complete[HEAD..]);
        (early, complete)
    }

    fn verify(token: &[u8], ends: &DialogEnds<'_>) -> Option<Passage> {
        tokens().verify(token, ends, NONE)
    }

    #[test]
    fn either_end_may_speak_and_the_direction_is_told() {
        let (early, complete) = both();
        let got = verify(&complete, &ends("alice", "bob")).expect("the caller's");
        assert_eq!((got.direction, &**got.to()), (Direction::ToCallee, &b"bob"[..]));
        assert_eq!(&**got.from(), b"flow of alice");
        let got = verify(&early, &ends("bob", "alice")).expect("the callee's");
        assert_eq!((got.direction, &**got.to()), (Direction::ToCaller, &b"flow of alice"[..]));
        let got = verify(&complete, &ends("bob", "alice")).expect("complete, backwards");
        assert_eq!(got.direction, Direction::ToCaller);
    }

    #[test]
    fn the_age_of_a_token_is_known_to_the_minute() {
        let (_, complete) = both();
        let got = verify(&complete, &ends("alice", "bob")).expect("good");
        assert_eq!(got.age(NOW + Duration::from_secs(3600)), Duration::from_secs(3600));
        assert_eq!(got.age(WallTime(0)), Duration::ZERO, "a clock put back ends nothing");
    }

    #[test]
    fn a_token_opens_no_other_dialog() {
        let (early, complete) = both();
        for wrong in [ends("alice", "carol"), ends("carol", "bob"), ends("", ""), ends("bob", "carol")] {
            assert_eq!(verify(&complete, &wrong), None, "{wrong:?}");
            assert_eq!(verify(&early, &wrong), None, "{wrong:?}");
        }
        let elsewhere = DialogEnds { call_id: b"other", ..ends("alice", "bob") };
        assert_eq!(verify(&complete, &elsewhere), None);
        // The early token is the callee's alone.
        assert_eq!(verify(&early, &ends("alice", "bob")), None);
        assert_eq!(verify(&early, &ends("alice", "")), None);
    }

    #[test]
    fn nobody_speaks_under_another_name() {
        let (early, complete) = both();
        let talk = ends("alice", "bob");
        for (from, good) in [
            (&b"sip:alice@A.B;transport=tcp"[..], true),
            (b"sip:%61lice@a.b", true),
            (b"sip:carol@a.b", false),
            (b"sip:alice@x.b", false),
            (b"tel:+491", false),
            (b"", false),
        ] {
            let talk = DialogEnds { from, ..talk };
            assert_eq!(verify(&complete, &talk).is_some(), good, "{}", String::from_utf8_lossy(from));
            assert_eq!(verify(&early, &talk.turned()).is_some(), good);
        }
        assert_eq!(verify(&complete, &DialogEnds { to: b"sip:carol@a.b", ..talk }), None);
    }

    #[test]
    fn the_routes_of_the_dialog_are_followed_and_no_others() {
        let (before, behind) = ([&b"sip:p;lr"[..]], [&b"sip:q;lr"[..], b"sip:r;lr"]);
        let mut early = Vec::new();
        tokens().issue(&ends("alice", ""), [b"", b""], before.iter().copied(), NOW, &mut early);
        let mut complete = early.clone();
        assert!(tokens().complete(&mut complete, &ends("alice", "bob"), behind.iter().copied()));
        let (there, back) = (ends("alice", "bob"), ends("bob", "alice"));
        assert!(tokens().verify(&complete, &there, behind.iter().copied()).is_some());
        assert!(tokens().verify(&early, &back, before.iter().copied()).is_some());
        for wrong in ["", "sip:q;lr", "sip:r;lr sip:q;lr", "sip:q;lr sip:r;lr sip:evil;lr", "sip:p;lr sip:evil;lr"] {
            let wrong: Vec<&[u8]> = wrong.split_terminator(' ').map(str::as_bytes).collect();
            assert_eq!(tokens().verify(&complete, &there, wrong.iter().copied()), None);
            assert_eq!(tokens().verify(&early, &back, wrong.iter().copied()), None);
        }
        let (_, plain) = both();
        assert_eq!(tokens().verify(&plain, &there, std::iter::once(&b"sip:evil;lr"[..])), None);
    }

    #[test]
    fn no_letter_can_be_changed() {
        let (_, complete) = both();
        for at in 0..complete.len() {
            let mut bad = complete.clone();
            bad[at] = if bad[at] == b'x' { b'y' } else { b'x' };
            assert_eq!(verify(&bad, &ends("alice", "bob")), None, "letter {at}");
        }
        assert_eq!(verify(b"", &ends("alice", "bob")), None);
        assert_eq!(RouteTokens::new(&SecretKey([6; 32])).verify(&complete, &ends("alice", "bob"), NONE), None);
    }

    #[test]
    fn only_early_tokens_are_completed_and_only_with_a_tag() {
        let (early, complete) = both();
        for (token, who) in [(&complete, ends("alice", "bob")), (&early, ends("alice", ""))] {
            let mut copy = token.clone();
            assert!(!tokens().complete(&mut copy, &who, NONE));
            assert_eq!(&copy, token);
        }
    }
}
