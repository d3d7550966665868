//! The URIs that nearly every message carries, in one pass: `sip:user@host:port;name=value`, without password, headers,
//! escapes and IPv6. Whatever is not of that form, or broken, is left to the whole grammar.

use super::host::Host;
use super::{Scheme, Uri};
use crate::header::params::Params;

/// May stand in the user part here.
const USER: u8 = 1;
/// May stand in parameters here.
const PARAM: u8 = 2;

static CLASS: [u8; 256] = {
    let mut table = [0u8; 256];
    let mut i = 0;
    while i < 256 {
        let b = i as u8;
        table[i] = match b {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')' => {
                USER | PARAM
            }
            b'&' | b'+' | b'$' | b',' => USER | PARAM,
            b'=' => USER,
            b'[' | b']' | b'/' | b':' => PARAM,
            _ => 0,
        };
        i += 1;
    }
    table
};

fn run(text: &[u8], class: u8) -> usize {
    text.iter().position(|&b| CLASS[usize::from(b)] & class == 0).unwrap_or(text.len())
}

/// The URI, when it is of the plain form.
pub(super) fn parse(raw: &[u8]) -> Option<Uri<'_>> {
    let (scheme, opaque) = match raw {
        [b'S' | b's', b'I' | b'i', b'P' | b'p', b':', rest @ ..] => (Scheme::Sip, rest),
        [b'S' | b's', b'I' | b'i', b'P' | b'p', b'S' | b's', b':', rest @ ..] => (Scheme::Sips, rest),
        _ => return None,
    };
    let end = run(opaque, USER);
    let (user, place) = match opaque.get(end) {
        Some(b'@') if end > 0 => (Some(&opaque[..end]), &opaque[end + 1..]),
        None | Some(b':' | b';') => (None, opaque),
        Some(_) => return None,
    };
    let end = place.iter().position(|b| matches!(b, b':' | b';')).unwrap_or(place.len());
    let (host_text, mut rest) = place.split_at(end);
    if host_text.first() == Some(&b'[') {
        return None;
    }
    let host = Host::parse(host_text).ok()?;
    let mut port = None;
    if let [b':', digits @ ..] = rest {
        let end = digits.iter().position(|b| !b.is_ascii_digit()).unwrap_or(digits.len());
        if end == 0 || end > 5 {
            return None;
        }
        let value = digits[..end].iter().fold(0u32, |value, digit| value * 10 + u32::from(digit - b'0'));
        port = Some(u16::try_from(value).ok()?);
        rest = &digits[end..];
    }
    is_plain_list(rest).then(|| Uri::of_parts(scheme, raw, user, (host, host_text, port), (opaque, Params::new(rest))))
}

/// Parameters with a name each, and a value behind each equals sign.
fn is_plain_list(mut rest: &[u8]) -> bool {
    while let [first, behind @ ..] = rest {
        if *first != b';' {
            return false;
        }
        let name = run(behind, PARAM);
        if name == 0 {
            return false;
        }
        rest = &behind[name..];
        if let [b'=', behind @ ..] = rest {
            let value = run(behind, PARAM);
            if value == 0 {
                return false;
            }
            rest = &behind[value..];
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_forms_are_plain() {
        for usual in [
            "sip:example.org",
            "sip:anna@example.org",
            "SIPS:anna@example.org;transport=tcp",
            "sip:+4930123@192.0.2.1:5060;user=phone;lr",
            "sip:127.0.0.1:5060;lr;d=0f3a.9-_~",
        ] {
            assert!(parse(usual.as_bytes()).is_some(), "{usual}");
        }
    }

    /// Whatever is plain is read alike by the whole grammar, and what that refuses is not plain.
    #[test]
    fn the_whole_grammar_agrees() {
        let pieces = [
            "sip:",
            "sips:",
            "SIP:",
            "tel:",
            "a",
            "anna",
            "+49",
            "@",
            ":",
            ";",
            "=",
            "?",
            "%41",
            "%",
            ".",
            "..",
            "example.org",
            "192.0.2.1",
            "256.1.1.1",
            "5060",
            "65536",
            "00005060",
            "123456",
            "lr",
            "transport",
            "tcp",
            "[::1]",
            "\"",
            "/",
            ",",
            "&",
            " ",
            "<",
            "#",
            "x=y=z",
            "-",
            "\u{e9}",
        ];
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        let mut plain = 0;
        for _ in 0..200_000 {
            let mut text = String::from("sip:");
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            for place in 0..(state >> 60) as usize {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let piece = pieces[(state >> 33) as usize % pieces.len()];
                if place == 0 && piece.ends_with(':') {
                    text.clear();
                }
                text.push_str(piece);
            }
            if let Some(uri) = parse(text.as_bytes()) {
                plain += 1;
                assert_eq!(Uri::parse_any(text.as_bytes()), Ok(uri), "{text}");
            }
        }
        assert!(plain > 5_000, "{plain} of 200,000 were plain");
    }
}
