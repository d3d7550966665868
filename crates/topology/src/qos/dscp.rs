//! The mark of a packet (RFC 2474).

use serde::{Deserialize, Serialize};
use std::fmt;

/// A differentiated services code point, 0 to 63.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Dscp(u8);

impl Dscp {
    /// A code point; refuses what does not fit in six bits.
    pub fn new(value: u8) -> Result<Self, NoDscp> {
        if value < 64 { Ok(Self(value)) } else { Err(NoDscp(value)) }
    }

    pub(crate) const fn known(value: u8) -> Self {
        assert!(value < 64);
        Self(value)
    }

    /// 0 to 63.
    pub fn value(self) -> u8 {
        self.0
    }

    /// The byte of the IP header that holds it: the code point above two bits of ECN.
    pub fn traffic_class(self) -> u8 {
        self.0 << 2
    }

    /// The name of the behaviour (RFC 2474, 2597, 3246), as routers take it; a number where there is none.
    pub fn name(self) -> String {
        match (self.0 >> 3, self.0 & 7) {
            (5, 6) => "EF".to_owned(),
            (0, 0) => "default".to_owned(),
            (class, 0) => format!("CS{class}"),
            (class @ 1..=4, drop @ (2 | 4 | 6)) => format!("AF{class}{}", drop / 2),
            _ => self.0.to_string(),
        }
    }
}

impl fmt::Display for Dscp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            name if name.starts_with(char::is_numeric) => write!(f, "{}", self.0),
            name => write!(f, "{} ({name})", self.0),
        }
    }
}

/// The number is no code point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoDscp(u8);

impl fmt::Display for NoDscp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is no DSCP: it has six bits, 0 to 63, as 46 for audio", self.0)
    }
}

impl std::error::Error for NoDscp {}

impl TryFrom<u8> for Dscp {
    type Error = NoDscp;
    fn try_from(value: u8) -> Result<Self, NoDscp> {
        Self::new(value)
    }
}

impl From<Dscp> for u8 {
    fn from(dscp: Dscp) -> u8 {
        dscp.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_standards() {
        let names: Vec<String> = [46, 34, 24, 14, 40, 0, 10, 38, 48, 1, 45].map(|value| Dscp(value).name()).into();
        assert_eq!(names, ["EF", "AF41", "CS3", "AF13", "CS5", "default", "AF11", "AF43", "CS6", "1", "45"]);
        assert_eq!(Dscp(46).traffic_class(), 0xb8);
        assert_eq!((Dscp(45).to_string(), Dscp(34).to_string()), ("45".to_owned(), "34 (AF41)".to_owned()));
    }

    #[test]
    fn more_than_six_bits_are_refused() {
        assert_eq!(Dscp::new(63).map(Dscp::value), Ok(63));
        assert!(serde_json::from_str::<Dscp>("64").is_err());
    }
}
