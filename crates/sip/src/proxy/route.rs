//! Route information preprocessing (RFC 3261 §16.4) and its return (§16.6 step 6).

use crate::header::route::{Hop, hops};
use crate::message::Message;
use crate::name::Name;
use crate::splice::Splice;
use crate::uri::Uri;
use crate::validate::Refusal;
use smallvec::SmallVec;

/// What the Route header and the Request-URI say about the way on.
#[derive(Clone, Debug)]
pub struct RoutePlan<'a> {
    /// The Request-URI meant: a strict router's rewriting is undone.
    pub request_uri: &'a [u8],
    /// The values that were put there by us, topmost first, now consumed. Several stand in a
    /// row when the request passed us more than once; the last one knows the way on.
    pub own: SmallVec<[Hop<'a>; 2]>,
    /// The values that remain for others.
    pub routes: SmallVec<[Hop<'a>; 4]>,
    /// The strict router's own value was the Request-URI.
    rewritten: bool,
}

/// Reads the way on. `is_me` says whether a URI names this proxy, in Route or as a
/// Record-Route value in the Request-URI.
///
/// A Request-URI is taken for a Record-Route value of ours only with `lr`: that is how we
/// write them, and how nobody writes an address of record.
///
/// # Errors
/// 400 when a Route value cannot be read.
pub fn preprocess<'a>(m: &Message<'a>, is_me: &dyn Fn(&Uri<'_>) -> bool) -> Result<RoutePlan<'a>, Refusal> {
    let mut plan =
        RoutePlan { request_uri: m.request_uri(), own: SmallVec::new(), routes: SmallVec::new(), rewritten: false };
    if m.field(Name::Route).is_none() {
        return Ok(plan);
    }
    for hop in hops(m, Name::Route) {
        plan.routes.push(hop.map_err(|_| Refusal { status: 400, what: "Broken Route" })?);
    }
    let ours = Uri::parse(plan.request_uri).is_ok_and(|uri| uri.is_loose_route() && is_me(&uri));
    if ours {
        if let Ok(first) = hop_of_uri(plan.request_uri) {
            plan.own.push(first);
        }
        if let Some(last) = plan.routes.pop() {
            plan.request_uri = last.uri.raw();
            plan.rewritten = true;
        }
    }
    let run = plan.routes.iter().take_while(|hop| is_me(&hop.uri)).count();
    plan.own.extend(plan.routes.drain(..run));
    Ok(plan)
}

/// A bare URI as a hop.
fn hop_of_uri(raw: &[u8]) -> Result<Hop<'_>, crate::limits::HeaderError> {
    let broken = crate::limits::HeaderError("Broken URI");
    let uri = Uri::parse(raw).map_err(|_| broken)?;
    let address =
        crate::header::name_addr::NameAddr { display: &[], uri: raw, params: crate::header::params::Params::new(&[]) };
    Ok(Hop { raw, address, uri })
}

impl<'a> RoutePlan<'a> {
    /// The URI to find the next hop by (§16.6 step 7): the first Route value left, else the
    /// target.
    #[must_use]
    pub fn next_hop<'s>(&self, target: &'s [u8]) -> &'s [u8]
    where
        'a: 's,
    {
        self.routes.first().map_or(target, |hop| hop.uri.raw())
    }

    /// True when the next hop is a strict router, which wants itself in the Request-URI.
    #[must_use]
    pub fn next_is_strict(&self) -> bool {
        self.routes.first().is_some_and(|hop| !hop.uri.is_loose_route())
    }

    /// Writes the Route line (without CRLF) that [`RoutePlan::apply`] wants, if it wants one:
    /// around strict routers the list is written anew.
    pub fn write_line(&self, target: &[u8], out: &mut Vec<u8>) {
        let strict = self.next_is_strict();
        if !self.rewritten && !strict {
            return;
        }
        let kept = self.routes.iter().skip(usize::from(strict)).map(|hop| hop.raw);
        let mut first = true;
        let mut add = |parts: [&[u8]; 3]| {
            out.extend_from_slice(if first { b"Route: " } else { b", " });
            first = false;
            parts.iter().for_each(|part| out.extend_from_slice(part));
        };
        for raw in kept {
            add([raw, b"", b""]);
        }
        if strict {
            add([b"<", target, b">"]);
        }
    }

    /// Edits a copy for `target`: Request-URI and Route as the next hop wants them. `line` is
    /// what [`RoutePlan::write_line`] wrote.
    pub fn apply<'s>(&self, splice: &mut Splice<'s>, target: &'s [u8], line: &'s [u8])
    where
        'a: 's,
    {
        let strict = self.next_is_strict();
        splice.request_uri(if strict { self.next_hop(target) } else { target });
        if self.rewritten || strict {
            splice.remove(Name::Route);
            if !line.is_empty() {
                splice.prepend(line);
            }
            return;
        }
        for _ in &self.own {
            splice.remove_first_value(Name::Route);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Index, Limits, parse};

    fn is_me(uri: &Uri<'_>) -> bool {
        uri.host() == crate::Host::Name(b"p")
    }

    /// Request-URI, Route lines → own, Request-URI and Route lines of the copy.
    fn run(uri: &str, routes: &str) -> (Vec<String>, String, String) {
        let text =
            format!("BYE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKa\r\n{routes}Content-Length: 0\r\n\r\n");
        let mut index = Index::new();
        parse(text.as_bytes(), &mut index, &Limits::default()).expect("readable");
        let m = Message::new(text.as_bytes(), &index);
        let plan = preprocess(&m, &is_me).expect("readable");
        let mut line = Vec::new();
        plan.write_line(plan.request_uri, &mut line);
        let mut out = Vec::new();
        let mut splice = Splice::new(m);
        plan.apply(&mut splice, plan.request_uri, &line);
        splice.write(&mut out);
        let out = String::from_utf8(out).expect("text");
        let own = plan.own.iter().map(|hop| String::from_utf8_lossy(hop.raw).into_owned()).collect();
        let first = out.lines().next().expect("a start line").to_owned();
        let left: Vec<&str> = out.lines().filter(|l| l.starts_with("Route")).collect();
        (own, first, left.join("|"))
    }

    #[test]
    fn rfc_3261_section_16_12() {
        let cases: &[(&str, &str, &[&str], &str, &str)] = &[
            ("sip:b@x", "", &[], "sip:b@x", ""),
            // §16.12.1.1: loose routers all the way.
            ("sip:b@x", "Route: <sip:p;lr>, <sip:q;lr>\r\n", &["<sip:p;lr>"], "sip:b@x", "Route: <sip:q;lr>"),
            ("sip:b@x", "Route: <sip:p;lr>\r\n", &["<sip:p;lr>"], "sip:b@x", ""),
            ("sip:b@x", "Route: <sip:q;lr>\r\n", &[], "sip:b@x", "Route: <sip:q;lr>"),
            // §16.12.1.2: a strict router before us put our value into the Request-URI.
            ("sip:t@p;lr", "Route: <sip:b@x>\r\n", &["sip:t@p;lr"], "sip:b@x", ""),
            ("sip:t@p;lr", "Route: <sip:q;lr>, <sip:b@x>\r\n", &["sip:t@p;lr"], "sip:b@x", "Route: <sip:q;lr>"),
            // A strict router behind us.
            (
                "sip:b@x",
                "Route: <sip:p;lr>, <sip:s>, <sip:q;lr>\r\n",
                &["<sip:p;lr>"],
                "sip:s",
                "Route: <sip:q;lr>, <sip:b@x>",
            ),
            // Passed us twice.
            (
                "sip:b@x",
                "Route: <sip:1@p;lr>\r\nRoute: <sip:2@p;lr>\r\n",
                &["<sip:1@p;lr>", "<sip:2@p;lr>"],
                "sip:b@x",
                "",
            ),
            // Our address of record is no Record-Route value.
            ("sip:b@p", "Route: <sip:q;lr>\r\n", &[], "sip:b@p", "Route: <sip:q;lr>"),
        ];
        for &(uri, routes, own, request_uri, left) in cases {
            let got = run(uri, routes);
            assert_eq!(got.0, own, "{uri} {routes}");
            assert_eq!(got.1, format!("BYE {request_uri} SIP/2.0"), "{uri} {routes}");
            assert_eq!(got.2, left, "{uri} {routes}");
        }
    }

    #[test]
    fn a_broken_route_is_refused() {
        let text = "BYE sip:b@x SIP/2.0\r\nRoute: sip:p;lr\r\nContent-Length: 0\r\n\r\n";
        let mut index = Index::new();
        parse(text.as_bytes(), &mut index, &Limits::default()).expect("readable");
        let refused = preprocess(&Message::new(text.as_bytes(), &index), &is_me).err();
        assert_eq!(refused.map(|r| r.status), Some(400));
    }
}
