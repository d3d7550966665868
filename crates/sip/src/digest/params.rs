//! `name=value` lists as phones really write them: quoted or not, blanks anywhere, stray commas.

use crate::lex;

/// Removes the scheme; `None` when it is not `Digest`.
pub(super) fn after_scheme(value: &[u8]) -> Option<&[u8]> {
    let value = lex::trim(value);
    let (scheme, rest) = value.split_at_checked(6)?;
    let blank = rest.first().is_some_and(|&b| lex::is_lws(b));
    (scheme.eq_ignore_ascii_case(b"Digest") && blank).then_some(rest)
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
        let end = item_end(self.0);
        let item = &self.0[..end];
        self.0 = &self.0[end..];
        Some(pair(item))
    }
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
    fn unreadable_items_are_said() {
        for bad in [&br#"a="x"#[..], b"a", br#"a="x"y"#, b"=x"] {
            assert_eq!(Params(bad).next(), Some(None), "{bad:?}");
        }
    }
}
