//! `tel:` URIs (RFC 3966).

use super::compare::MANY;
use super::{Scheme, Uri};
use crate::header::params::Params;

/// A telephone number as a `tel:` URI or the user part of a `sip:` URI with `user=phone`
/// carries it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Telephone<'a> {
    number: &'a [u8],
    params: Params<'a>,
}

fn is_visual(b: u8) -> bool {
    matches!(b, b'-' | b'.' | b'(' | b')')
}

impl<'a> Telephone<'a> {
    /// From a `tel:` URI.
    #[must_use]
    pub fn of(uri: &Uri<'a>) -> Option<Telephone<'a>> {
        if uri.scheme() != Scheme::Tel {
            return None;
        }
        Telephone::parse(uri.opaque())
    }

    /// From the text behind `tel:`, also found in a SIP user part (RFC 3261 §19.1.6).
    #[must_use]
    pub fn parse(text: &'a [u8]) -> Option<Telephone<'a>> {
        let split = text.iter().position(|&b| b == b';').unwrap_or(text.len());
        let (number, params) = (&text[..split], Params::new(&text[split..]));
        let digits = number.strip_prefix(b"+").unwrap_or(number);
        let global = digits.len() < number.len();
        let legal = |&b: &u8| {
            b.is_ascii_digit() || is_visual(b) || !global && (b.is_ascii_hexdigit() || matches!(b, b'*' | b'#'))
        };
        let some = digits.iter().any(|&b| !is_visual(b));
        (some && digits.iter().all(legal)).then_some(Telephone { number, params })
    }

    /// True for a number that begins with `+`.
    #[must_use]
    pub fn is_global(&self) -> bool {
        self.number.starts_with(b"+")
    }

    /// The number without visual separators, `+` kept.
    pub fn digits(&self) -> impl Iterator<Item = u8> + use<'a> {
        self.number.iter().copied().filter(|&b| !is_visual(b))
    }

    /// The `ext` parameter as written.
    #[must_use]
    pub fn extension(&self) -> Option<&'a [u8]> {
        self.params.get("ext")
    }

    /// The `phone-context` parameter, which a local number needs to mean anything elsewhere.
    #[must_use]
    pub fn context(&self) -> Option<&'a [u8]> {
        self.params.get("phone-context")
    }

    /// RFC 3966 §4: same digits, same parameters, visual separators and letter case aside.
    #[must_use]
    pub fn equivalent(&self, other: &Telephone<'_>) -> bool {
        let digits = |t: &Telephone<'a>| t.digits().map(|b| b.to_ascii_lowercase()).collect::<Vec<_>>();
        if self.params.iter().nth(MANY).is_some() || other.params.iter().nth(MANY).is_some() {
            return self == other;
        }
        let same_digits = digits(self).into_iter().eq(other.digits().map(|b| b.to_ascii_lowercase()));
        same_digits && covers(self.params, other.params) && covers(other.params, self.params)
    }
}

fn covers(a: Params<'_>, b: Params<'_>) -> bool {
    a.iter().all(|p| {
        b.iter().any(|o| {
            let (x, y) = (p.value.unwrap_or(&[]), o.value.unwrap_or(&[]));
            let plain = |v: &[u8]| v.iter().filter(|&&c| !is_visual(c)).map(u8::to_ascii_lowercase).collect::<Vec<_>>();
            p.name.eq_ignore_ascii_case(o.name) && (x.eq_ignore_ascii_case(y) || plain(x) == plain(y))
        })
    })
}

pub(super) fn equivalent(a: &Uri<'_>, b: &Uri<'_>) -> bool {
    match (Telephone::of(a), Telephone::of(b)) {
        (Some(a), Some(b)) => a.equivalent(&b),
        _ => a.opaque() == b.opaque(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tel(text: &str) -> Option<Telephone<'_>> {
        Telephone::of(&Uri::parse(text.as_bytes()).ok()?)
    }

    #[test]
    fn separators_do_not_count() {
        let a = tel("tel:+1-201-555-0123").expect("valid");
        assert_eq!(a.digits().collect::<Vec<_>>(), b"+12015550123");
        assert!(a.is_global());
        assert!(a.equivalent(&tel("TEL:+1(201)5550123").expect("valid")));
        assert!(!a.equivalent(&tel("tel:12015550123").expect("valid")));
        assert!(!a.equivalent(&tel("tel:+12015550123;ext=7").expect("valid")));
    }

    #[test]
    fn local_numbers_have_a_context() {
        let n = tel("tel:7042;phone-context=example.com").expect("valid");
        assert_eq!((n.is_global(), n.context()), (false, Some(&b"example.com"[..])));
        assert!(tel("tel:*67#;phone-context=example.com").is_some());
        assert!(tel("tel:+12a").is_none());
        assert!(tel("tel:+").is_none());
        assert!(tel("sip:+1@example.com").is_none());
    }
}
