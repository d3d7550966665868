//! `urn:` URIs, above all `urn:service:` (RFC 5031).

use super::{Scheme, Uri};

/// The service of a `urn:service:` URI, such as `sos` or `sos.fire`.
#[must_use]
pub fn service<'a>(uri: &Uri<'a>) -> Option<&'a [u8]> {
    if uri.scheme() != Scheme::Urn {
        return None;
    }
    let (space, name) = split(uri.opaque())?;
    let legal = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
    (space.eq_ignore_ascii_case(b"service") && !name.is_empty() && name.iter().all(legal)).then_some(name)
}

/// True for an emergency call (RFC 5031 §4.2): `sos` or a service below it.
#[must_use]
pub fn is_emergency(uri: &Uri<'_>) -> bool {
    service(uri).is_some_and(|name| {
        let top = name.split(|&b| b == b'.').next().unwrap_or(&[]);
        top.eq_ignore_ascii_case(b"sos")
    })
}

fn split(opaque: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', opaque)?;
    Some((&opaque[..colon], &opaque[colon + 1..]))
}

/// RFC 8141 §3: the namespace without regard to letter case; service names too (RFC 5031 §3).
pub(super) fn equivalent(a: &Uri<'_>, b: &Uri<'_>) -> bool {
    match (service(a), service(b)) {
        (Some(a), Some(b)) => return a.eq_ignore_ascii_case(b),
        (None, None) => {}
        _ => return false,
    }
    match (split(a.opaque()), split(b.opaque())) {
        (Some((x, a)), Some((y, b))) => x.eq_ignore_ascii_case(y) && a == b,
        _ => a.opaque() == b.opaque(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emergency_services_are_known() {
        let table = [
            ("urn:service:sos", true),
            ("URN:Service:SOS.fire", true),
            ("urn:service:counseling", false),
            ("urn:service:sosx", false),
            ("urn:uuid:sos", false),
            ("sip:sos@example.com", false),
        ];
        for (text, expected) in table {
            let uri = Uri::parse(text.as_bytes()).expect("a URI");
            assert_eq!(is_emergency(&uri), expected, "{text}");
        }
    }
}
