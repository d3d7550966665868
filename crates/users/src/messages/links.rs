//! Hyperlinks in text, as the prefixes of a policy name them.

use std::borrow::Cow;

/// Most letters and digits that the `*` of a prefix stands for.
const MAX_STAR: usize = 16;

/// One hyperlink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link<'a> {
    /// Where it begins.
    pub at: usize,
    /// Where to look on: a link may hold another, as `http://www.a.b` does, which is one by itself without the first.
    pub next: usize,
    /// What it points to: the link itself, or for an attribute such as `href` its value.
    pub target: &'a [u8],
}

/// Prefixes made ready for a search.
pub(super) struct Prefixes<'p> {
    list: &'p [String],
    /// The bytes, small letters, that a prefix begins with.
    first: u128,
}

impl<'p> Prefixes<'p> {
    pub(super) fn new(list: &'p [String]) -> Self {
        let bit = |prefix: &String| prefix.bytes().next().map_or(0, |b| 1u128 << (b.to_ascii_lowercase() & 0x7f));
        Self { list, first: list.iter().map(bit).fold(0, |a, b| a | b) }
    }

    /// The links of a text, in order. A link begins where a word begins, so that `_http:` is none.
    pub(super) fn find<'a>(&self, text: &'a [u8]) -> impl Iterator<Item = Link<'a>> {
        let mut at = 0;
        std::iter::from_fn(move || {
            while at < text.len() {
                let here = at;
                at += 1;
                let byte = text[here].to_ascii_lowercase();
                let starts = byte < 0x80 && self.first & (1 << byte) != 0 && (here == 0 || !is_word(text[here - 1]));
                if starts && let Some(link) = self.link(text, here) {
                    if is_namespace(text, here) {
                        at = link.next.max(here + link.target.len());
                        continue;
                    }
                    at = link.next;
                    return Some(link);
                }
            }
            None
        })
    }

    fn link<'a>(&self, text: &'a [u8], at: usize) -> Option<Link<'a>> {
        let len = self.list.iter().filter_map(|prefix| matches(prefix.as_bytes(), &text[at..])).max()?;
        let end = at + len;
        if matches!(text[end - 1], b':' | b'.' | b'/') {
            let until = end + text[end..].iter().position(|b| ends_link(*b)).unwrap_or(text.len() - end);
            return Some(Link { at, next: end, target: &text[at..until] });
        }
        // An attribute: the value may be a link by itself, and is looked at again.
        Some(Link { at, next: end, target: attribute_value(&text[end..]) })
    }
}

/// How much of the text a prefix matches.
fn matches(prefix: &[u8], text: &[u8]) -> Option<usize> {
    let same = |a: &[u8], b: &[u8]| b.get(..a.len()).is_some_and(|b| b.eq_ignore_ascii_case(a));
    let Some(star) = prefix.iter().position(|b| *b == b'*') else {
        return same(prefix, text).then_some(prefix.len());
    };
    let (head, tail) = (&prefix[..star], &prefix[star + 1..]);
    if !same(head, text) {
        return None;
    }
    let run = text[head.len()..].iter().take(MAX_STAR).take_while(|b| b.is_ascii_alphanumeric()).count();
    (0..=run).find(|n| same(tail, &text[head.len() + n..])).map(|n| head.len() + n + tail.len())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn ends_link(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte.is_ascii_control() || matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'`')
}

/// Whether the text at `at` is the value of an `xmlns` attribute, which is a name and no link.
fn is_namespace(text: &[u8], at: usize) -> bool {
    let before = &text[at.saturating_sub(48)..at];
    let Some(attribute) = before.strip_suffix(b"\"").or(before.strip_suffix(b"'")) else { return false };
    let Some(name) = attribute.trim_ascii_end().strip_suffix(b"=") else { return false };
    let word = name.trim_ascii_end().rsplit(|b| b.is_ascii_whitespace()).next().unwrap_or(b"");
    word == b"xmlns" || word.starts_with(b"xmlns:")
}

fn attribute_value(text: &[u8]) -> &[u8] {
    let Some(value) = text.trim_ascii_start().strip_prefix(b"=") else { return b"" };
    let value = value.trim_ascii_start();
    let value = value.strip_prefix(b"\"").or(value.strip_prefix(b"'")).unwrap_or(value);
    &value[..value.iter().position(|b| ends_link(*b)).unwrap_or(value.len())]
}

/// The host that a link points to, if it names one.
pub(super) fn host(target: &[u8]) -> Option<&[u8]> {
    let position = |text: &[u8], what: &[u8]| text.windows(what.len()).position(|w| w == what);
    let authority = match position(target, b"//") {
        Some(at) => &target[at + 2..],
        None if target.contains(&b'@') => target,
        None if target.contains(&b':') => return None,
        None => target,
    };
    let end = authority.iter().position(|b| matches!(b, b'/' | b'?' | b'#' | b'\\' | b';'));
    let authority = &authority[..end.unwrap_or(authority.len())];
    let host = authority.rsplit(|b| *b == b'@').next().unwrap_or(authority);
    if host.starts_with(b"[") {
        return Some(host);
    }
    let host = host.split(|b| *b == b':').next().unwrap_or(host);
    (!host.is_empty()).then_some(host)
}

/// The file that a link's path ends in, with `%` escapes resolved.
pub(super) fn file_name(target: &[u8]) -> Cow<'_, str> {
    let end = target.iter().position(|b| matches!(b, b'?' | b'#')).unwrap_or(target.len());
    let link = &target[..end];
    let path = match link.windows(2).position(|w| w == b"//") {
        Some(at) => &link[at + 2..],
        None => link,
    };
    let Some(slash) = path.iter().rposition(|b| matches!(b, b'/' | b'\\')) else { return Cow::Borrowed("") };
    let name = path[slash + 1..].split(|b| *b == b';').next().unwrap_or(b"");
    if !name.contains(&b'%') {
        return String::from_utf8_lossy(name);
    }
    let mut out = Vec::with_capacity(name.len());
    let mut at = 0;
    while at < name.len() {
        let hex = name.get(at + 1..at + 3).filter(|_| name[at] == b'%').and_then(|h| std::str::from_utf8(h).ok());
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(name[at]);
                at += 1;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_begin_with_a_word_and_end_with_it() {
        let prefixes = ["http:", "href", "www*."].map(str::to_owned);
        for (text, found) in [
            ("see http://a.b/c now", &["http://a.b/c"][..]),
            ("HTTP:x\"y", &["HTTP:x"]),
            ("_http://a.b xhttp://a.b", &[]),
            ("(http://a.b)", &["http://a.b)"]),
            ("http://www.a.b", &["http://www.a.b", "www.a.b"]),
            ("www.a.b www2.a.b wwwwho www", &["www.a.b", "www2.a.b"]),
            ("<a href='http://a.b'>x</a>", &["http://a.b", "http://a.b"]),
            ("<html xmlns=\"http://www.w3.org/1999/xhtml\">", &[]),
            ("<html xmlns:x = 'http://www.w3.org/'>http:b", &["http:b"]),
            ("href", &[""]),
            ("", &[]),
        ] {
            let targets: Vec<&str> = Prefixes::new(&prefixes)
                .find(text.as_bytes())
                .map(|link| std::str::from_utf8(link.target).unwrap())
                .collect();
            assert_eq!(targets, found, "{text}");
        }
    }

    #[test]
    fn where_a_link_points() {
        for (target, wanted_host, wanted_file) in [
            ("http://a.b/c/d.exe?e.f#g", Some("a.b"), "d.exe"),
            ("http://u:p@a.b:80/%2eexe", Some("a.b"), ".exe"),
            ("http://a.com", Some("a.com"), ""),
            ("http://[2001:db8::1]:80/x.js;v=1", Some("[2001:db8::1]:80"), "x.js"),
            ("www.a.b/x%", Some("www.a.b"), "x%"),
            ("mailto:anna@a.b", Some("a.b"), ""),
            ("sip:anna@a.b;transport=tcp", Some("a.b"), ""),
            ("tel:+49301", None, ""),
            ("file:\\\\server\\share\\x.exe", None, "x.exe"),
            ("file://server/x.exe", Some("server"), "x.exe"),
            ("", None, ""),
        ] {
            let host = host(target.as_bytes()).map(|host| std::str::from_utf8(host).unwrap());
            assert_eq!((host, &*file_name(target.as_bytes())), (wanted_host, wanted_file), "{target}");
        }
    }
}
