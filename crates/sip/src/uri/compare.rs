//! When two URIs are the same.

use super::escape::Unescaped;
use super::{Scheme, Uri, tel, urn};
use crate::header::params::Param;

/// Comparing each with each ends here: with more parameters or headers than nobody writes,
/// only what is spelt alike is alike.
pub(super) const MANY: usize = 32;

pub(super) fn equivalent(a: &Uri<'_>, b: &Uri<'_>) -> bool {
    if a.scheme() != b.scheme() {
        return false;
    }
    match a.scheme() {
        Scheme::Sip | Scheme::Sips => sip(a, b),
        Scheme::Tel => tel::equivalent(a, b),
        Scheme::Urn => urn::equivalent(a, b),
        Scheme::Other => {
            let scheme = |u: &Uri<'_>| u.raw().len() - u.opaque().len();
            a.raw()[..scheme(a)].eq_ignore_ascii_case(&b.raw()[..scheme(b)]) && a.opaque() == b.opaque()
        }
    }
}

/// RFC 3261 §19.1.4.
fn sip(a: &Uri<'_>, b: &Uri<'_>) -> bool {
    // The user part is the only thing compared with regard to letter case.
    let same = |x: Option<&[u8]>, y: Option<&[u8]>| match (x, y) {
        (Some(x), Some(y)) => Unescaped::new(x).eq(Unescaped::new(y)),
        (None, None) => true,
        _ => false,
    };
    same(a.user(), b.user())
        && same(a.password(), b.password())
        && a.host().equivalent(&b.host())
        && a.port() == b.port()
        && params_match(a, b)
        && params_match(b, a)
        && headers_match(a, b)
        && headers_match(b, a)
}

/// Every parameter of `a` that also occurs in `b` matches; these five must occur in both. Of a
/// name that occurs twice (which RFC 3261 §19.1.1 forbids) the first counts.
fn params_match(a: &Uri<'_>, b: &Uri<'_>) -> bool {
    const BOTH: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];
    if a.params().iter().nth(MANY).is_some() || b.params().iter().nth(MANY).is_some() {
        return a.params() == b.params();
    }
    a.params().iter().all(|p| match find(b, &p) {
        Some(theirs) => {
            let ours = find(a, &p).unwrap_or(&[]);
            Unescaped::new(ours).eq_ignore_case(Unescaped::new(theirs))
        }
        None => !BOTH.iter().any(|name| Unescaped::new(p.name).eq_ignore_case(Unescaped::new(name.as_bytes()))),
    })
}

fn find<'a>(uri: &Uri<'a>, wanted: &Param<'_>) -> Option<&'a [u8]> {
    let wanted = Unescaped::new(wanted.name);
    uri.params().iter().find(|p| Unescaped::new(p.name).eq_ignore_case(wanted.clone())).map(|p| p.value.unwrap_or(&[]))
}

/// Headers are never ignored, and their order means nothing.
fn headers_match(a: &Uri<'_>, b: &Uri<'_>) -> bool {
    let many = |u: &Uri<'_>| u.headers().is_some_and(|h| h.split(|&c| c == b'&').nth(MANY).is_some());
    if many(a) || many(b) {
        return a.headers() == b.headers();
    }
    let Some(headers) = a.headers() else {
        return true;
    };
    headers.split(|&c| c == b'&').all(|pair| {
        let (name, value) = split(pair);
        b.headers().unwrap_or(&[]).split(|&c| c == b'&').any(|other| {
            let (other_name, other_value) = split(other);
            Unescaped::new(name).eq_ignore_case(Unescaped::new(other_name))
                && Unescaped::new(value).eq(Unescaped::new(other_value))
        })
    })
}

fn split(pair: &[u8]) -> (&[u8], &[u8]) {
    let equals = memchr::memchr(b'=', pair).unwrap_or(pair.len());
    (&pair[..equals], pair.get(equals + 1..).unwrap_or(&[]))
}
