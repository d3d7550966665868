//! The lexical ground of RFC 3261 §25.1: white space, tokens, quoted strings, lists.

/// Linear white space: folded lines are kept raw, so CR and LF count too.
#[inline]
pub(crate) fn is_lws(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\r' | b'\n')
}

/// Removes white space at both ends.
#[inline]
pub(crate) fn trim(mut s: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = s {
        if !is_lws(*first) {
            break;
        }
        s = rest;
    }
    trim_end(s)
}

/// Removes white space at the end.
#[inline]
pub(crate) fn trim_end(mut s: &[u8]) -> &[u8] {
    while let [rest @ .., last] = s {
        if !is_lws(*last) {
            break;
        }
        s = rest;
    }
    s
}

static TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut i = 0;
    while i < 256 {
        let b = i as u8;
        table[i] = b.is_ascii_alphanumeric()
            || matches!(b, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~');
        i += 1;
    }
    table
};

/// A byte of `token`.
#[inline]
pub(crate) fn is_token_byte(b: u8) -> bool {
    TOKEN[usize::from(b)]
}

/// A whole, non-empty `token`.
#[inline]
pub(crate) fn is_token(s: &[u8]) -> bool {
    !s.is_empty() && s.iter().all(|&b| is_token_byte(b))
}

/// With `s[0] == '"'`, the length of the quoted string including both quotes; `None` when it
/// does not end.
pub(crate) fn quoted_len(s: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        let hop = memchr::memchr2(b'"', b'\\', s.get(at..)?)?;
        at += hop;
        if s[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// The first `stop` outside quotes and angle brackets, or the length.
pub(crate) fn find_outside(s: &[u8], stop: u8) -> usize {
    let mut at = 0;
    while let Some(hop) = memchr::memchr3(stop, b'"', b'<', &s[at..]) {
        at += hop;
        at += match s[at] {
            b'"' => quoted_len(&s[at..]),
            b'<' => memchr::memchr(b'>', &s[at..]).map(|len| len + 1),
            _ => return at,
        }
        .unwrap_or(s.len() - at);
    }
    s.len()
}

/// Decimal digits only, no sign; `None` when empty, foreign or above `max`.
#[inline]
pub(crate) fn number(s: &[u8], max: u64) -> Option<u64> {
    if s.is_empty() {
        return None;
    }
    let mut value: u64 = 0;
    for &b in s {
        let digit = b.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
        if value > max {
            return None;
        }
    }
    Some(value)
}

/// Seconds as RFC 3261 §20.19 wants them read: more than 2^32-1 counts as 2^32-1.
pub(crate) fn delta_seconds(s: &[u8]) -> Option<u32> {
    if s.is_empty() || !s.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(number(s, u64::from(u32::MAX)).map_or(u32::MAX, |n| u32::try_from(n).unwrap_or(u32::MAX)))
}

/// A comma-separated list; quotes and angle brackets hide commas. Values come trimmed, empty
/// ones too, for the caller to refuse.
#[derive(Clone, Debug)]
pub struct List<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> List<'a> {
    /// Splits one field value.
    #[must_use]
    pub fn new(value: &'a [u8]) -> List<'a> {
        List { rest: Some(value) }
    }
}

impl<'a> Iterator for List<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        let end = find_outside(rest, b',');
        self.rest = rest.get(end + 1..);
        Some(trim(&rest[..end]))
    }
}

/// Adds the decimal digits of `n`.
pub(crate) fn push_number(out: &mut Vec<u8>, mut n: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Adds an address; IPv6 without brackets.
pub(crate) fn push_ip(out: &mut Vec<u8>, ip: std::net::IpAddr) {
    match ip {
        std::net::IpAddr::V4(v4) => {
            for (place, octet) in v4.octets().into_iter().enumerate() {
                if place > 0 {
                    out.push(b'.');
                }
                push_number(out, u64::from(octet));
            }
        }
        std::net::IpAddr::V6(v6) => out.extend_from_slice(v6.to_string().as_bytes()),
    }
}

/// The value of a hexadecimal digit.
pub(crate) fn hex(b: u8) -> Option<u8> {
    char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_split_outside_quotes_and_brackets() {
        let value = br#""a,\"b" <sip:x?a=1,2>;q=1 , <sip:y>,, z"#;
        let got: Vec<&[u8]> = List::new(value).collect();
        assert_eq!(got, [&br#""a,\"b" <sip:x?a=1,2>;q=1"#[..], b"<sip:y>", b"", b"z"]);
    }

    #[test]
    fn numbers_are_bounded() {
        assert_eq!(number(b"4294967295", u64::from(u32::MAX)), Some(4_294_967_295));
        assert_eq!(number(b"4294967296", u64::from(u32::MAX)), None);
        assert_eq!(number(b"-1", 10), None);
        assert_eq!(number(b"99999999999999999999999999", u64::MAX), None);
        assert_eq!(delta_seconds(b"99999999999999999999999999"), Some(u32::MAX));
        assert_eq!(delta_seconds(b"1x"), None);
    }

    #[test]
    fn unterminated_quotes_end_nowhere() {
        assert_eq!(quoted_len(b"\"abc\\"), None);
        assert_eq!(quoted_len(b"\"abc\\\""), None);
        assert_eq!(quoted_len(b"\"a\\\"b\"c"), Some(6));
    }
}
