//! Messages made once, with places that are filled in for every sending.
//!
//! ```
//! use load::template::{Field, Fields, Template};
//! let ping = Template::new("OPTIONS sip:{domain} SIP/2.0\nCall-ID: {id}\n\n", &[("domain", "bench.test")]);
//! let mut fields = Fields::default();
//! fields.set(Field::Id, b"0001");
//! let mut out = Vec::new();
//! ping.write(&fields, &mut out);
//! assert_eq!(out, b"OPTIONS sip:bench.test SIP/2.0\r\nCall-ID: 0001\r\n\r\n");
//! ```

use std::ops::Range;

/// What changes from one sending to the next; in a template each stands as `{name}`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    /// `{user}`: who sends.
    User,
    /// `{peer}`: who is called.
    Peer,
    /// `{id}`: the operation, in Call-ID and From tag.
    Id,
    /// `{branch}`: the transaction.
    Branch,
    /// `{cseq}`.
    Cseq,
    /// `{auth}`: a whole header line, or nothing.
    Auth,
    /// `{target}`: the peer's Contact.
    Target,
    /// `{routes}`: whole Route lines, or nothing.
    Routes,
    /// `{to}`: the value of To, with its tag.
    To,
}

const NAMES: [(&str, Field); 9] = [
    ("user", Field::User),
    ("peer", Field::Peer),
    ("id", Field::Id),
    ("branch", Field::Branch),
    ("cseq", Field::Cseq),
    ("auth", Field::Auth),
    ("target", Field::Target),
    ("routes", Field::Routes),
    ("to", Field::To),
];

/// The values of one sending.
#[derive(Clone, Copy, Default, Debug)]
pub struct Fields<'a>([&'a [u8]; NAMES.len()]);

impl<'a> Fields<'a> {
    /// Sets one value; what is never set is empty.
    pub fn set(&mut self, field: Field, value: &'a [u8]) -> &mut Self {
        self.0[field as usize] = value;
        self
    }
}

#[derive(Debug)]
enum Part {
    Literal(Range<usize>),
    Field(Field),
}

/// A message with places.
#[derive(Debug)]
pub struct Template {
    text: Vec<u8>,
    parts: Vec<Part>,
}

impl Template {
    /// Reads a template: line ends become CRLF, `{name}` of `fixed` is replaced now, the names of [`Field`] later. Any
    /// other brace stays as it is.
    #[must_use]
    pub fn new(text: &str, fixed: &[(&str, &str)]) -> Template {
        let mut text = text.to_owned();
        for (name, value) in fixed {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        let text = text.replace("\r\n", "\n").replace('\n', "\r\n");
        let mut template = Template { text: Vec::new(), parts: Vec::new() };
        let mut rest = text.as_str();
        while let Some((at, length, field)) = next_field(rest) {
            template.literal(&rest[..at]);
            template.parts.push(Part::Field(field));
            rest = &rest[at + length..];
        }
        template.literal(rest);
        template
    }

    fn literal(&mut self, text: &str) {
        if !text.is_empty() {
            let start = self.text.len();
            self.text.extend_from_slice(text.as_bytes());
            self.parts.push(Part::Literal(start..self.text.len()));
        }
    }

    /// Appends the message.
    pub fn write(&self, fields: &Fields<'_>, out: &mut Vec<u8>) {
        for part in &self.parts {
            out.extend_from_slice(match part {
                Part::Literal(range) => &self.text[range.clone()],
                Part::Field(field) => fields.0[*field as usize],
            });
        }
    }
}

fn next_field(text: &str) -> Option<(usize, usize, Field)> {
    text.match_indices('{').find_map(|(at, _)| {
        let name = text[at + 1..].split('}').next()?;
        let (_, field) = NAMES.iter().find(|(known, _)| *known == name)?;
        Some((at, name.len() + 2, *field))
    })
}

/// Lower-case hexadecimal of fixed width.
#[must_use]
pub fn hex8(value: u32) -> [u8; 8] {
    std::array::from_fn(|at| b"0123456789abcdef"[(value >> (28 - 4 * at)) as usize & 15])
}

/// Reads what [`hex8`] wrote.
#[must_use]
pub fn from_hex8(text: &[u8]) -> Option<u32> {
    let text = text.get(..8)?;
    text.iter().try_fold(0, |value, &b| Some(value << 4 | (b as char).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_and_strange_braces_stay() {
        let template = Template::new("{user} {x} {user}{peer}{", &[]);
        let mut fields = Fields::default();
        fields.set(Field::User, b"a").set(Field::Peer, b"b");
        let mut out = Vec::new();
        template.write(&fields, &mut out);
        assert_eq!(out, b"a {x} ab{");
    }

    #[test]
    fn hexadecimal_goes_both_ways() {
        for value in [0, 1, 0xdead_beef, u32::MAX] {
            assert_eq!(from_hex8(&hex8(value)), Some(value));
        }
        assert_eq!(from_hex8(b"0000000"), None);
        assert_eq!(from_hex8(b"0000000g"), None);
    }
}
