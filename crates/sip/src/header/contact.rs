//! Contact (RFC 3261 §20.10), with the registrar's parameters.

use super::name_addr::NameAddr;
use super::params::unquote;
use crate::lex::{delta_seconds, number};
use crate::limits::HeaderError;

/// One Contact value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Contact<'a> {
    /// `*`: all bindings, only to remove them.
    Star,
    /// An address.
    Addr(NameAddr<'a>),
}

impl<'a> Contact<'a> {
    /// Reads one value of the list.
    ///
    /// # Errors
    /// When the address or a parameter is broken.
    pub fn parse(value: &'a [u8]) -> Result<Contact<'a>, HeaderError> {
        if value == b"*" {
            return Ok(Contact::Star);
        }
        let address = NameAddr::parse(value)?;
        address.params.check()?;
        Ok(Contact::Addr(address))
    }

    /// The address, unless it is `*`.
    #[must_use]
    pub fn address(&self) -> Option<&NameAddr<'a>> {
        match self {
            Contact::Star => None,
            Contact::Addr(address) => Some(address),
        }
    }

    /// The `expires` parameter in seconds; a value that is no number counts as absent
    /// (RFC 3261 §10.2.1.1 lets a registrar take it as its default).
    #[must_use]
    pub fn expires(&self) -> Option<u32> {
        delta_seconds(self.address()?.param("expires")?)
    }

    /// The `q` parameter in thousandths; 1000 when it is absent or broken.
    #[must_use]
    pub fn q(&self) -> u16 {
        self.address().and_then(|a| a.param("q")).and_then(q_value).unwrap_or(1000)
    }

    /// The `+sip.instance` parameter without quotes (RFC 5626 §4.1).
    #[must_use]
    pub fn instance(&self) -> Option<std::borrow::Cow<'a, [u8]>> {
        self.address()?.param("+sip.instance").map(unquote)
    }

    /// The `reg-id` parameter (RFC 5626 §4.2).
    #[must_use]
    pub fn reg_id(&self) -> Option<u32> {
        let value = number(self.address()?.param("reg-id")?, (1 << 31) - 1)?;
        u32::try_from(value).ok().filter(|&id| id > 0)
    }
}

/// A `qvalue` (RFC 3261 §25.1) in thousandths.
#[must_use]
pub fn q_value(text: &[u8]) -> Option<u16> {
    let (whole, rest) = text.split_first()?;
    let fraction = match rest {
        [] => &[],
        [b'.', fraction @ ..] if fraction.len() <= 3 => fraction,
        _ => return None,
    };
    let mut thousandths = 0;
    for place in 0..3 {
        thousandths = thousandths * 10 + number(fraction.get(place..=place).unwrap_or(b"0"), 9)?;
    }
    match whole {
        b'0' => u16::try_from(thousandths).ok(),
        b'1' if thousandths == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q_values_are_thousandths() {
        let table: [(&[u8], Option<u16>); 10] = [
            (b"0.33", Some(330)),
            (b"1", Some(1000)),
            (b"1.000", Some(1000)),
            (b"0", Some(0)),
            (b"0.", Some(0)),
            (b"0.005", Some(5)),
            (b"1.1", None),
            (b"0.0001", None),
            (b"", None),
            (b"2", None),
        ];
        for (text, expected) in table {
            assert_eq!(q_value(text), expected, "{text:?}");
        }
    }

    #[test]
    fn outbound_parameters_are_read() {
        let c = Contact::parse(b"<sip:a@b>;+sip.instance=\"<urn:uuid:1>\";reg-id=2;expires=60;q=0.5").expect("valid");
        assert_eq!(c.instance().as_deref(), Some(&b"<urn:uuid:1>"[..]));
        assert_eq!((c.reg_id(), c.expires(), c.q()), (Some(2), Some(60), 500));
        assert_eq!(Contact::parse(b"*"), Ok(Contact::Star));
        assert!(Contact::parse(b"\"Joe\" <sip:joe@example.org>;;;;").is_err());
    }
}
