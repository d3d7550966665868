//! The two requests that a transaction makes by itself from the one it sent.

use crate::message::Message;
use crate::name::Name;

/// Adds the ACK for a non-2xx answer to `out` (RFC 3261 §17.1.1.3): Request-URI, top Via,
/// Route, From, Call-ID and CSeq number of the INVITE, To of the response.
pub fn ack_for(invite: &Message<'_>, response: &Message<'_>, out: &mut Vec<u8>) {
    let to = response.value(Name::To).or_else(|| invite.value(Name::To));
    derived(invite, b"ACK", to.unwrap_or_default(), &[], out);
}

/// Adds the CANCEL of an INVITE to `out` (RFC 3261 §9.1). `extra` is whole header lines, for
/// instance a Reason (RFC 3326).
pub fn cancel_for(invite: &Message<'_>, extra: &[u8], out: &mut Vec<u8>) {
    derived(invite, b"CANCEL", invite.value(Name::To).unwrap_or_default(), extra, out);
}

fn derived(invite: &Message<'_>, method: &[u8], to: &[u8], extra: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(method);
    out.push(b' ');
    out.extend_from_slice(invite.request_uri());
    out.extend_from_slice(b" SIP/2.0\r\n");
    line(out, Name::Via, invite.top_via().map_or(&[][..], |via| via.raw));
    line(out, Name::MaxForwards, b"70");
    for route in invite.values(Name::Route) {
        line(out, Name::Route, route);
    }
    line(out, Name::From, invite.value(Name::From).unwrap_or_default());
    line(out, Name::To, to);
    line(out, Name::CallId, invite.call_id());
    out.extend_from_slice(b"CSeq: ");
    crate::lex::push_number(out, u64::from(invite.cseq().number));
    out.push(b' ');
    out.extend_from_slice(method);
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(extra);
    out.extend_from_slice(b"Content-Length: 0\r\n\r\n");
}

fn line(out: &mut Vec<u8>, name: Name, value: &[u8]) {
    out.extend_from_slice(name.as_str().as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Index, Limits, parse};

    fn with<R>(text: &str, f: impl FnOnce(&Message<'_>) -> R) -> R {
        let bytes = text.replace('\n', "\r\n");
        let mut index = Index::new();
        parse(bytes.as_bytes(), &mut index, &Limits::default()).expect("readable");
        f(&Message::new(bytes.as_bytes(), &index))
    }

    const INVITE: &str = "INVITE sip:bob@192.0.2.4 SIP/2.0\nVia: SIP/2.0/UDP p.example.org;branch=z9hG4bKb, SIP/2.0/UDP a;branch=z9hG4bKa\n\
        Route: <sip:x;lr>, <sip:y;lr>\nf: <sip:alice@example.org>;tag=1\nTo: <sip:bob@example.org>\nCall-ID: c1\n\
        CSeq: 314 INVITE\nMax-Forwards: 9\nProxy-Authorization: Digest x=y\nContent-Length: 3\n\nv=0";

    /// RFC 3261 §17.1.1.3, with the Via and Route of a forwarded INVITE.
    #[test]
    fn an_ack_takes_to_from_the_answer_and_the_rest_from_the_invite() {
        let answer = "SIP/2.0 486 Busy Here\nVia: SIP/2.0/UDP p.example.org;branch=z9hG4bKb;received=192.0.2.1\n\
            From: <sip:alice@example.org>;tag=1\nTo: <sip:bob@example.org>;tag=2\nCall-ID: c1\nCSeq: 314 INVITE\nContent-Length: 0\n\n";
        let mut out = Vec::new();
        with(INVITE, |invite| with(answer, |m| ack_for(invite, m, &mut out)));
        let want = "ACK sip:bob@192.0.2.4 SIP/2.0\nVia: SIP/2.0/UDP p.example.org;branch=z9hG4bKb\nMax-Forwards: 70\n\
            Route: <sip:x;lr>\nRoute: <sip:y;lr>\nFrom: <sip:alice@example.org>;tag=1\nTo: <sip:bob@example.org>;tag=2\n\
            Call-ID: c1\nCSeq: 314 ACK\nContent-Length: 0\n\n";
        assert_eq!(String::from_utf8(out).expect("text"), want.replace('\n', "\r\n"));
    }

    #[test]
    fn a_cancel_has_the_invites_to_and_one_via() {
        let mut out = Vec::new();
        let reason = b"Reason: SIP;cause=200\r\n";
        with(INVITE, |invite| cancel_for(invite, reason, &mut out));
        let want = "CANCEL sip:bob@192.0.2.4 SIP/2.0\nVia: SIP/2.0/UDP p.example.org;branch=z9hG4bKb\nMax-Forwards: 70\n\
            Route: <sip:x;lr>\nRoute: <sip:y;lr>\nFrom: <sip:alice@example.org>;tag=1\nTo: <sip:bob@example.org>\n\
            Call-ID: c1\nCSeq: 314 CANCEL\nReason: SIP;cause=200\nContent-Length: 0\n\n";
        assert_eq!(String::from_utf8(out).expect("text"), want.replace('\n', "\r\n"));
    }
}
