//! Warning (RFC 3261 §20.43).

use super::params::unquote;
use crate::lex::{is_lws, number, quoted_len, trim};
use crate::limits::HeaderError;
use std::borrow::Cow;

/// One warning value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Warning<'a> {
    /// Three digits.
    pub code: u16,
    /// Host or pseudonym of who warns.
    pub agent: &'a [u8],
    /// The text without quotes.
    pub text: Cow<'a, [u8]>,
}

impl<'a> Warning<'a> {
    /// Reads one value.
    ///
    /// # Errors
    /// When the code has not three digits or the text is not quoted.
    pub fn parse(value: &'a [u8]) -> Result<Warning<'a>, HeaderError> {
        const BROKEN: HeaderError = HeaderError("Broken Warning");
        let split = value.iter().position(|&b| is_lws(b)).ok_or(BROKEN)?;
        let code = number(&value[..split], 999).filter(|_| split == 3).ok_or(BROKEN)?;
        let rest = trim(&value[split..]);
        let split = rest.iter().position(|&b| is_lws(b)).ok_or(BROKEN)?;
        let text = trim(&rest[split..]);
        if text.first() != Some(&b'"') || quoted_len(text) != Some(text.len()) {
            return Err(BROKEN);
        }
        let code = u16::try_from(code).map_err(|_| BROKEN)?;
        Ok(Warning { code, agent: &rest[..split], text: unquote(text) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_read_or_refused() {
        let w = Warning::parse(b"307 isi.edu \"Session 'foo' not \\\"understood\\\"\"").expect("valid");
        assert_eq!((w.code, w.agent, &*w.text), (307, &b"isi.edu"[..], &b"Session 'foo' not \"understood\""[..]));
        for bad in [&b"1812 overture \"In Progress\""[..], b"307 a", b"307 a b", b""] {
            assert!(Warning::parse(bad).is_err());
        }
    }
}
