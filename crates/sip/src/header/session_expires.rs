//! Session-Expires and Min-SE (RFC 4028).

use super::params::Params;
use crate::lex::{delta_seconds, trim};
use crate::limits::HeaderError;

/// Who refreshes a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refresher {
    /// The caller of this transaction.
    Uac,
    /// The callee of this transaction.
    Uas,
}

/// A session interval.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SessionExpires {
    /// Seconds.
    pub interval: u32,
    /// Who refreshes; open in a request that leaves it to the answer.
    pub refresher: Option<Refresher>,
}

impl SessionExpires {
    /// Reads Session-Expires; Min-SE has the same shape.
    ///
    /// # Errors
    /// When the interval is no number or the refresher unknown.
    pub fn parse(value: &[u8]) -> Result<SessionExpires, HeaderError> {
        let split = value.iter().position(|&b| b == b';').unwrap_or(value.len());
        let interval = delta_seconds(trim(&value[..split])).ok_or(HeaderError("Session interval is not a number"))?;
        let refresher = match Params::new(&value[split..]).get("refresher") {
            None => None,
            Some(r) if r.eq_ignore_ascii_case(b"uac") => Some(Refresher::Uac),
            Some(r) if r.eq_ignore_ascii_case(b"uas") => Some(Refresher::Uas),
            Some(_) => return Err(HeaderError("Unknown refresher")),
        };
        Ok(SessionExpires { interval, refresher })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_and_refreshers() {
        let expected = SessionExpires { interval: 1800, refresher: Some(Refresher::Uas) };
        assert_eq!(SessionExpires::parse(b"1800 ;refresher=UAS"), Ok(expected));
        assert_eq!(SessionExpires::parse(b"90"), Ok(SessionExpires { interval: 90, refresher: None }));
        assert!(SessionExpires::parse(b"x").is_err());
        assert!(SessionExpires::parse(b"90;refresher=me").is_err());
    }
}
