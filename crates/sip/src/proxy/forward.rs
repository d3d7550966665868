//! The steps of request validation and forwarding that need no knowledge of users.

use super::branch::{Branches, LoopHash};
use crate::lex::push_number;
use crate::message::Message;
use crate::method::Method;
use crate::name::Name;
use crate::transport::Transport;
use crate::validate::{Refusal, Role, refusal};

/// Max-Breadth of a request that carries none (RFC 5393 §5.3.1).
pub const MAX_BREADTH: u32 = 60;

/// Max-Forwards of a request that carries none (RFC 3261 §16.6 step 3).
const MAX_FORWARDS: u8 = 70;

/// RFC 3261 §16.3: URI scheme (416), Max-Forwards (483), loops (482), Proxy-Require (420).
/// Syntax is [`Message::validate`]'s, authorization the caller's. Gives the hash that the
/// branches of the forwarded copies carry.
///
/// # Errors
/// The refusal to answer with; an ACK is dropped instead.
pub fn check(m: &Message<'_>, options: &[&str], branches: &Branches) -> Result<LoopHash, Refusal> {
    if let Some(refused) = refusal(m, &Role::Proxy { options }) {
        return Err(refused);
    }
    let hash = branches.loop_hash(m);
    if branches.is_loop(m, hash) {
        return Err(Refusal { status: 482, what: "Loop detected" });
    }
    Ok(hash)
}

/// Max-Forwards for the forwarded copy. An unreadable value counts as absent: §16.3 refuses
/// only zero.
///
/// # Errors
/// 483 at zero.
pub fn hops_left(m: &Message<'_>) -> Result<u8, Refusal> {
    match m.max_forwards() {
        Some(Ok(0)) => Err(Refusal { status: 483, what: "Max-Forwards is zero" }),
        Some(Ok(n)) => Ok(n - 1),
        _ => Ok(MAX_FORWARDS),
    }
}

/// Shares the request's Max-Breadth among `branches` parallel copies (RFC 5393 §5.3.3); the
/// first branch gets what does not divide.
///
/// # Errors
/// 440 when there is not one for each.
pub fn split_breadth(m: &Message<'_>, branches: u32) -> Result<impl Iterator<Item = u32>, Refusal> {
    let given = m.value_named(b"Max-Breadth");
    let total = given.and_then(|v| crate::lex::number(v, u64::from(MAX_BREADTH))).map_or(MAX_BREADTH, |n| n as u32);
    if branches == 0 || total < branches {
        return Err(Refusal { status: 440, what: "Max-Breadth exceeded" });
    }
    let rest = total % branches;
    Ok((0..branches).map(move |i| total / branches + if i == 0 { rest } else { 0 }))
}

/// An address of ours as others shall write to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SentBy<'a> {
    /// The transport that the copy leaves by.
    pub transport: Transport,
    /// Host name, or address with brackets where IPv6.
    pub host: &'a [u8],
    /// Port, always written.
    pub port: u16,
}

/// Writes a Via line (without CRLF) for [`crate::Splice::prepend`]. `rport` is always asked
/// for: it costs nothing and finds NATs.
pub fn via_line(out: &mut Vec<u8>, by: &SentBy<'_>, branch: &[u8]) {
    out.extend_from_slice(b"Via: SIP/2.0/");
    out.extend_from_slice(by.transport.via_token().as_bytes());
    out.push(b' ');
    host_port(out, by);
    out.extend_from_slice(b";branch=");
    out.extend_from_slice(branch);
    out.extend_from_slice(b";rport");
}

fn host_port(out: &mut Vec<u8>, by: &SentBy<'_>) {
    out.extend_from_slice(by.host);
    out.push(b':');
    push_number(out, u64::from(by.port));
}

/// What a Record-Route value of ours says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordRoute<'a> {
    /// Where in-dialog requests shall come to.
    pub by: SentBy<'a>,
    /// The token of [`crate::token`], as the user part.
    pub token: &'a [u8],
    /// True to write `sips:`: the whole path must be encrypted (RFC 3261 §16.6 step 4).
    pub sips: bool,
}

/// Writes a Record-Route line (without CRLF) for [`crate::Splice::prepend`].
///
/// RFC 7118 §5.3: a browser's side is `transport=ws`, under TLS too.
pub fn record_route_line(out: &mut Vec<u8>, route: &RecordRoute<'_>) {
    out.extend_from_slice(b"Record-Route: ");
    own_uri(out, &route.by, route.token, route.sips);
}

/// `<sip:token@host:port;transport=…;lr>`.
pub(crate) fn own_uri(out: &mut Vec<u8>, by: &SentBy<'_>, token: &[u8], sips: bool) {
    out.extend_from_slice(if sips { &b"<sips:"[..] } else { b"<sip:" });
    if !token.is_empty() {
        out.extend_from_slice(token);
        out.push(b'@');
    }
    host_port(out, by);
    let transport = match by.transport {
        Transport::Wss => Transport::Ws,
        // `sips:` with transport=tls is deprecated: TCP is what lies under TLS (§26.2.2).
        Transport::Tls if sips => Transport::Tcp,
        other => other,
    };
    if transport != Transport::Udp {
        out.extend_from_slice(b";transport=");
        out.extend_from_slice(transport.uri_param().as_bytes());
    }
    out.extend_from_slice(b";lr>");
}

/// True for a request that may create a dialog or a session-like path, so that we must stay
/// in the way of what follows. REGISTER and MESSAGE never do; CANCEL and ACK follow others.
#[must_use]
pub fn wants_record_route(m: &Message<'_>) -> bool {
    matches!(m.method(), Method::Invite | Method::Subscribe | Method::Refer | Method::Notify)
        || m.method() == Method::Other && m.field(Name::Contact).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Index, Limits, parse};

    fn with<R>(lines: &str, f: impl FnOnce(&Message<'_>) -> R) -> R {
        let text = format!(
            "INVITE sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKa\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n{lines}Content-Length: 0\r\n\r\n"
        );
        let mut index = Index::new();
        parse(text.as_bytes(), &mut index, &Limits::default()).expect("readable");
        f(&Message::new(text.as_bytes(), &index))
    }

    #[test]
    fn validation_refuses_in_the_order_of_16_3() {
        let b = Branches::new([1; 16], [2; 16], 0);
        let status = |lines: &str| with(lines, |m| check(m, &["foo"], &b).err().map(|r| r.status));
        assert_eq!(status("Max-Forwards: 70\r\n"), None);
        assert_eq!(status("Max-Forwards: 0\r\n"), Some(483));
        assert_eq!(status("Proxy-Require: foo\r\n"), None);
        assert_eq!(status("Proxy-Require: foo, bar\r\n"), Some(420));
    }

    #[test]
    fn hops_count_down() {
        let left = |lines: &str| with(lines, |m| hops_left(m).map_err(|r| r.status));
        assert_eq!(left("Max-Forwards: 70\r\n"), Ok(69));
        assert_eq!(left("Max-Forwards: 1\r\n"), Ok(0));
        assert_eq!(left("Max-Forwards: 0\r\n"), Err(483));
        assert_eq!(left(""), Ok(70));
    }

    #[test]
    fn breadth_is_shared_and_ends() {
        let split = |lines: &str, n| {
            with(lines, |m| split_breadth(m, n).map(Iterator::collect::<Vec<_>>).map_err(|r| r.status))
        };
        assert_eq!(split("", 1), Ok(vec![60]));
        assert_eq!(split("Max-Breadth: 7\r\n", 3), Ok(vec![3, 2, 2]));
        assert_eq!(split("Max-Breadth: 2\r\n", 3), Err(440));
        assert_eq!(split("Max-Breadth: 999\r\n", 1), Ok(vec![60]), "nobody raises it");
    }

    #[test]
    fn lines_are_written() {
        let mut out = Vec::new();
        let by = SentBy { transport: Transport::Wss, host: b"[2001:db8::1]", port: 443 };
        via_line(&mut out, &by, b"z9hG4bKx");
        assert_eq!(out, b"Via: SIP/2.0/WSS [2001:db8::1]:443;branch=z9hG4bKx;rport");
        let cases = [
            (Transport::Udp, false, "Record-Route: <sip:t@h:5060;lr>"),
            (Transport::Tls, false, "Record-Route: <sip:t@h:5060;transport=tls;lr>"),
            (Transport::Tls, true, "Record-Route: <sips:t@h:5060;transport=tcp;lr>"),
            (Transport::Wss, true, "Record-Route: <sips:t@h:5060;transport=ws;lr>"),
        ];
        for (transport, sips, want) in cases {
            let by = SentBy { transport, host: b"h", port: 5060 };
            out.clear();
            record_route_line(&mut out, &RecordRoute { by, token: b"t", sips });
            assert_eq!(String::from_utf8_lossy(&out), want);
        }
    }
}
