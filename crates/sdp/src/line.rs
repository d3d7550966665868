//! One line of a description: its letter and its value, kept as it came.

use std::fmt;

/// Attributes whose value is a key or a password; `Debug` does not show them.
const SECRET_ATTRIBUTES: &[&str] = &["crypto", "ice-pwd", "key-mgmt"];

/// A line `letter=value`, whether anybody knows the letter or not.
#[derive(Clone, PartialEq, Eq)]
pub struct Line {
    letter: u8,
    value: Vec<u8>,
}

impl Line {
    /// A line of our own; a line end within the value would be a second line, so it becomes a space.
    #[must_use]
    pub fn new(letter: char, value: &str) -> Self {
        let clean = |byte: u8| if matches!(byte, b'\r' | b'\n' | 0) { b' ' } else { byte };
        let letter = u8::try_from(letter).unwrap_or(b'a');
        Self { letter, value: value.bytes().map(clean).collect() }
    }

    /// `a=name` or `a=name:value`.
    #[must_use]
    pub fn attribute(name: &str, value: &str) -> Self {
        if value.is_empty() { Self::new('a', name) } else { Self::new('a', &format!("{name}:{value}")) }
    }

    /// The line in `bytes`, which hold no line feed; carriage returns and zeros have no place in one either (RFC 8866
    /// §9), and to others they may be a line end.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let whole = |value: &[u8]| !value.iter().any(|byte| matches!(byte, b'\r' | 0));
        match bytes {
            [letter, b'=', value @ ..] if letter.is_ascii_alphabetic() && whole(value) => {
                Some(Self { letter: *letter, value: value.to_vec() })
            }
            _ => None,
        }
    }

    /// The letter before the `=`.
    #[must_use]
    pub fn letter(&self) -> char {
        char::from(self.letter)
    }

    /// What stands behind the `=`, as it came.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.value
    }

    /// The same as text; nothing when it is not UTF-8, which only free text may be.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.value).unwrap_or("")
    }

    /// Name and value of an attribute line; the value is empty for a flag.
    #[must_use]
    pub fn as_attribute(&self) -> Option<(&str, &str)> {
        if self.letter != b'a' {
            return None;
        }
        let text = self.text();
        Some(text.split_once(':').unwrap_or((text, "")))
    }

    /// The value of the attribute `name`, if this is one.
    #[must_use]
    pub fn value_of(&self, name: &str) -> Option<&str> {
        self.as_attribute().filter(|(own, _)| *own == name).map(|(_, value)| value)
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.letter, b'=']);
        out.extend_from_slice(&self.value);
        out.extend_from_slice(b"\r\n");
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The name alone is told of a secret, and of an old `k=` line nothing.
        match self.as_attribute() {
            Some((name, _)) if SECRET_ATTRIBUTES.iter().any(|secret| secret.eq_ignore_ascii_case(name)) => {
                write!(f, "a={name}:<secret>")
            }
            _ if self.letter == b'k' => f.write_str("k=<secret>"),
            _ => write!(f, "{}={}", self.letter(), String::from_utf8_lossy(&self.value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_do_not_print() {
        for (name, secret) in [("crypto", "1 AES_CM_128_HMAC_SHA1_80 inline:abc"), ("ice-pwd", "abc")] {
            let shown = format!("{:?}", Line::attribute(name, secret));
            assert_eq!(shown, format!("a={name}:<secret>"));
        }
        assert_eq!(format!("{:?}", Line::new('k', "clear:abc")), "k=<secret>");
        assert_eq!(format!("{:?}", Line::attribute("mid", "0")), "a=mid:0");
    }

    #[test]
    fn a_value_cannot_begin_a_second_line() {
        assert_eq!(Line::new('s', "a\r\nm=audio").bytes(), b"a  m=audio");
    }
}
