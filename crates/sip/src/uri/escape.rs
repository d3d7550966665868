//! `%HH` escapes (RFC 3261 §19.1.2) and which characters may stand unescaped where.

use std::borrow::Cow;

use crate::lex::hex;

/// Character classes as bits of [`CLASS`].
pub(super) const USER: u8 = 1;
pub(super) const PASSWORD: u8 = 2;
pub(super) const PARAMS: u8 = 4;
pub(super) const HEADERS: u8 = 8;

const fn in_set(b: u8, set: &[u8]) -> bool {
    let mut i = 0;
    while i < set.len() {
        if set[i] == b {
            return true;
        }
        i += 1;
    }
    false
}

static CLASS: [u8; 256] = {
    let mut table = [0u8; 256];
    let mut i = 0;
    while i < 256 {
        let b = i as u8;
        let mut class = 0;
        if b.is_ascii_alphanumeric() || in_set(b, b"-_.!~*'()%") {
            class = USER | PASSWORD | PARAMS | HEADERS;
        }
        // `#` is not in the grammar, but in what phones send when a service code is dialled.
        if in_set(b, b"&=+$,;?/#") {
            class |= USER;
        }
        if in_set(b, b"&=+$,:") {
            class |= PASSWORD;
        }
        if in_set(b, b"[]/:&+$;=@,\"") {
            class |= PARAMS;
        }
        if in_set(b, b"[]/?:+$=;@,") {
            class |= HEADERS;
        }
        table[i] = class;
        i += 1;
    }
    table
};

/// True when every character is allowed in the class and every `%` begins an escape.
pub(super) fn legal(text: &[u8], class: u8) -> bool {
    let mut at = 0;
    while at < text.len() {
        if CLASS[usize::from(text[at])] & class == 0 {
            return false;
        }
        if text[at] == b'%' {
            let digits = text.get(at + 1..at + 3);
            if !digits.is_some_and(|d| d.iter().all(u8::is_ascii_hexdigit)) {
                return false;
            }
            at += 2;
        }
        at += 1;
    }
    true
}

/// Resolves `%HH`; a percent sign without two digits stays.
#[must_use]
pub fn unescape(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'%') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(Unescaped::new(text).collect())
}

/// Adds `text` as a user part, escaping what may not stand there.
pub fn escape_user(out: &mut Vec<u8>, text: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for &b in text {
        if b != b'%' && b != b'#' && CLASS[usize::from(b)] & USER != 0 {
            out.push(b);
        } else {
            out.extend_from_slice(&[b'%', DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]);
        }
    }
}

/// The bytes of a text with `%HH` resolved, without allocation.
#[derive(Clone, Debug)]
pub struct Unescaped<'a> {
    rest: &'a [u8],
}

impl<'a> Unescaped<'a> {
    /// Over `text`.
    #[must_use]
    pub fn new(text: &'a [u8]) -> Unescaped<'a> {
        Unescaped { rest: text }
    }

    /// Compares without regard to ASCII letter case.
    #[must_use]
    pub fn eq_ignore_case(self, other: Unescaped<'_>) -> bool {
        self.map(|b| b.to_ascii_lowercase()).eq(other.map(|b| b.to_ascii_lowercase()))
    }
}

impl Iterator for Unescaped<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        if first == b'%'
            && let [high, low, rest @ ..] = rest
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            self.rest = rest;
            return Some(high << 4 | low);
        }
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_resolve_and_return() {
        assert_eq!(&*unescape(b"null-%00-null%"), b"null-\0-null%");
        assert_eq!(&*unescape(b"sips%3Auser%40example.com"), b"sips:user@example.com");
        let mut out = Vec::new();
        escape_user(&mut out, b"a b@c%#");
        assert_eq!(out, b"a%20b%40c%25%23");
    }

    #[test]
    fn broken_escapes_are_illegal() {
        assert!(legal(b"a%20b", USER));
        assert!(!legal(b"a%2", USER));
        assert!(!legal(b"a%zz", USER));
        assert!(!legal(b"a b", USER));
    }
}
