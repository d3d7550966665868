//! Telephone numbers, and the record of a number the organisation holds.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An international number, `+` and 2 to 15 digits (ITU-T E.164). It does not print itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct E164(u64);

impl E164 {
    /// Reads `+` and digits; the separators `-`, `.`, `(`, `)` of RFC 3966 and spaces are skipped.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        let digits = text.trim().strip_prefix('+').ok_or(NumberError)?;
        let (mut value, mut count) = (0_u64, 0);
        for byte in digits.bytes() {
            match byte {
                b'0'..=b'9' if count < 15 => {
                    value = value * 10 + u64::from(byte - b'0');
                    count += 1;
                }
                b'-' | b'.' | b'(' | b')' | b' ' => {}
                _ => return Err(NumberError),
            }
        }
        // No country code begins with 0, so that the digits are the number's value.
        if count < 2 || value < 10_u64.pow(count - 1) { Err(NumberError) } else { Ok(Self(value)) }
    }

    /// `+` and the digits. The text is private: not for logs.
    pub fn plain(self) -> String {
        format!("+{}", self.0)
    }
}

impl fmt::Debug for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<number>")
    }
}

/// A user's number, Lync's line URI: `tel:+493012345` or `tel:+493012340;ext=45`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LineUri {
    number: E164,
    /// The extension's digits behind a 1, which keeps leading zeros; 0 for none.
    extension: u32,
}

impl LineUri {
    /// Reads `tel:+493012340;ext=45`, or without `tel:`, or without `;ext=`.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        let bare = match text.get(..4) {
            Some(scheme) if scheme.eq_ignore_ascii_case("tel:") => &text[4..],
            _ => text,
        };
        let (number, parameters) = bare.split_once(';').map_or((bare, None), |(number, rest)| (number, Some(rest)));
        let extension = parameters.into_iter().flat_map(|rest| rest.split(';')).find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.eq_ignore_ascii_case("ext").then_some(value)
        });
        Ok(Self { number: E164::parse(number)?, extension: extension.map_or(Ok(0), packed_extension)? })
    }

    /// The number without the extension.
    pub fn number(self) -> E164 {
        self.number
    }

    /// `tel:` URI. The text is private: not for logs.
    pub fn plain(self) -> String {
        let number = self.number.plain();
        match self.extension {
            0 => format!("tel:{number}"),
            packed => format!("tel:{number};ext={}", &packed.to_string()[1..]),
        }
    }

    pub(crate) fn hash(self) -> u64 {
        super::address::stir(self.number.0 ^ u64::from(self.extension).rotate_left(32))
    }
}

fn packed_extension(digits: &str) -> Result<u32, NumberError> {
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NumberError);
    }
    digits
        .bytes()
        .try_fold(1_u32, |value, b| value.checked_mul(10)?.checked_add(u32::from(b - b'0')))
        .ok_or(NumberError)
}

impl fmt::Debug for LineUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<number>")
    }
}

/// The text is not such a number. The text itself is private and not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberError;

impl fmt::Display for NumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not a number such as tel:+493012340;ext=45: a plus sign, 2 to 15 digits, at most 8 digits of extension",
        )
    }
}

impl std::error::Error for NumberError {}

impl TryFrom<String> for LineUri {
    type Error = NumberError;
    fn try_from(text: String) -> Result<Self, NumberError> {
        Self::parse(&text)
    }
}

impl From<LineUri> for String {
    fn from(line: LineUri) -> Self {
        line.plain()
    }
}

/// A number the organisation holds, whether a user has it yet or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberRecord {
    /// The number.
    pub number: LineUri,
    /// The site whose line it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Box<str>>,
    /// Whether it is kept back and must not be given to a user.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reserved: bool,
    /// What a person wants to know about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Box<str>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_their_usual_forms() {
        for (text, plain) in [
            ("+493012345", Some("tel:+493012345")),
            ("tel:+49-30-123 45", Some("tel:+493012345")),
            ("TEL:+1(425)555.1234;ext=0012", Some("tel:+14255551234;ext=0012")),
            ("+493012340;phone-context=x;EXT=7", Some("tel:+493012340;ext=7")),
            ("493012345", None),
            ("+0123", None),
            ("+1", None),
            ("+1234567890123456", None),
            ("+49a", None),
            ("+4930;ext=", None),
            ("+4930;ext=123456789", None),
        ] {
            assert_eq!(LineUri::parse(text).ok().map(LineUri::plain).as_deref(), plain, "{text}");
        }
    }

    #[test]
    fn a_number_does_not_print_itself() {
        let line = LineUri::parse("+493012345;ext=9").unwrap();
        assert_eq!(format!("{line:?} {:?}", line.number()), "<number> <number>");
    }
}
