//! `name=value` lists as phones really write them: quoted or not, blanks anywhere, stray commas.

use crate::lex;

/// Removes the scheme; `None` when it is not `Digest`.
pub(super) fn after_scheme(value: &[u8]) -> Option<&[u8]> {
    let value = lex::trim(value);
    let (scheme, rest) = value.split_at_checked(6)?;
    let blank = rest.first().is_some_and(|&b| lex::is_lws(b));
    (scheme.eq_ignore_ascii_case(b"Digest") && blank).then_some(rest)
}

/// Do these digest credentials name a realm for which `is_ours` holds? What begins as digest and cannot be read to its
/// end counts as if they did: whoever reads it otherwise would be given what was meant for us.
#[must_use]
pub fn credentials_name(value: &[u8], is_ours: impl Fn(&[u8]) -> bool) -> bool {
    after_scheme(value).is_some_and(|rest| names(rest, is_ours))
}

/// The same for a challenge of any scheme: a page or a phone answers Basic with the password itself.
#[must_use]
pub fn challenge_names(value: &[u8], is_ours: impl Fn(&[u8]) -> bool) -> bool {
    let value = lex::trim(value);
    let blank = value.iter().position(|&b| lex::is_lws(b)).unwrap_or(value.len());
    names(&value[blank..], is_ours)
}

fn names(params: &[u8], is_ours: impl Fn(&[u8]) -> bool) -> bool {
    Params(params).any(|item| match item {
        Some((name, realm)) => name.eq_ignore_ascii_case(b"realm") && is_ours(&super::credentials::unescape(realm)),
        None => true,
    })
}

/// The parameters of one challenge or one set of credentials: name and value, quotes removed,
/// escapes left as they came. `None` as an item: what follows cannot be read.
pub(super) struct Params<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Params<'a> {
    type Item = Option<(&'a [u8], &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        while let [b, rest @ ..] = self.0 {
            if *b != b',' && !lex::is_lws(*b) {
                break;
            }
            self.0 = rest;
        }
        if self.0.is_empty() {
            return None;
        }
        if let Some((item, len)) = plain(self.0) {
            self.0 = &self.0[len..];
            return Some(Some(item));
        }
        let end = item_end(self.0);
        let item = &self.0[..end];
        self.0 = &self.0[end..];
        Some(pair(item))
    }
}

/// The form that nearly everyone writes, in one pass: `name="value"` or `name=value` without blanks before the value, and
/// how long it is. `None` is for the general form.
fn plain(s: &[u8]) -> Option<((&[u8], &[u8]), usize)> {
    let name = s.iter().position(|&b| !lex::is_token_byte(b)).filter(|&len| len > 0)?;
    let value = s[name..].strip_prefix(b"=")?;
    let (inner, len) = match value.first()? {
        b'"' => {
            let len = lex::quoted_len(value)?;
            (&value[1..len - 1], len)
        }
        _ => {
            let len = memchr::memchr2(b',', b'"', value).unwrap_or(value.len());
            (lex::trim(&value[..len]), len)
        }
    };
    let is_end = value.get(len).is_none_or(|&b| b == b',');
    is_end.then_some(((&s[..name], inner), name + 1 + len))
}

/// The first comma outside quotes; an unquoted URI may hold `<` but no quote.
fn item_end(s: &[u8]) -> usize {
    let mut at = 0;
    while at < s.len() {
        match s[at] {
            b',' => return at,
            b'"' => match lex::quoted_len(&s[at..]) {
                Some(len) => at += len,
                None => return s.len(),
            },
            _ => at += 1,
        }
    }
    s.len()
}

fn pair(item: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = memchr::memchr(b'=', item)?;
    let name = lex::trim(&item[..equals]);
    let value = lex::trim(&item[equals + 1..]);
    if !lex::is_token(name) && name != b"username*" {
        return None;
    }
    match value {
        [b'"', ..] => {
            let len = lex::quoted_len(value)?;
            (len == value.len()).then(|| (name, &value[1..len - 1]))
        }
        _ => Some((name, value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sloppy_lists_are_read() {
        let got: Vec<_> = Params(br#" ,a = "x,\"y" ,,b=c,d="", "#).collect();
        let want = [(&b"a"[..], &br#"x,\"y"#[..]), (b"b", b"c"), (b"d", b"")];
        assert_eq!(got, want.map(Some));
    }

    #[test]
    fn a_realm_of_ours_is_found_however_it_is_written() {
        let ours = |realm: &[u8]| realm.eq_ignore_ascii_case(b"a.b");
        for (value, named) in [
            (&br#"Digest username="u", realm="a.b", nonce="n""#[..], true),
            (br#"digest  REALM = A.B"#, true),
            (br#"Digest realm="a\.b""#, true),
            (br#"Digest realm="x", realm="a.b""#, true),
            (br#"Digest realm="x"#, true),
            (br#"Digest username="a.b", realm="x""#, false),
            (b"Basic dTpw", false),
        ] {
            assert_eq!(credentials_name(value, ours), named, "{}", String::from_utf8_lossy(value));
        }
        for (value, named) in [
            (&br#"Basic realm="a.b""#[..], true),
            (br#"Digest realm="x", nonce="n", Digest realm="a.b", nonce="n""#, true),
            (br#"Digest realm="x", nonce="n""#, false),
            (b"Negotiate", false),
        ] {
            assert_eq!(challenge_names(value, ours), named, "{}", String::from_utf8_lossy(value));
        }
    }

    /// Whatever is plain is read alike by the general form.
    #[test]
    fn the_general_form_agrees() {
        let pieces = ["a", "nc", "=", "\"", ",", " ", "\\", "x:y", "=\"v\"", "\t", "b=c", "*", "<"];
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        let mut seen = 0;
        for _ in 0..100_000 {
            let mut text = String::new();
            for _ in 0..8 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                text.push_str(pieces[(state >> 33) as usize % pieces.len()]);
            }
            let text = text.as_bytes();
            if matches!(text[0], b',' | b' ' | b'\t') {
                continue;
            }
            if let Some((item, len)) = plain(text) {
                seen += 1;
                let end = item_end(text);
                assert_eq!((Some(item), len), (pair(&text[..end]), end), "{}", String::from_utf8_lossy(text));
            }
        }
        assert!(seen > 5_000, "{seen} were plain");
    }

    #[test]
    fn unreadable_items_are_said() {
        for bad in [&br#"a="x"#[..], b"a", br#"a="x"y"#, b"=x"] {
            assert_eq!(Params(bad).next(), Some(None), "{bad:?}");
        }
    }
}
