//! The record of a device: a desk phone that an administrator knows by its MAC address.

use super::user::UserId;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A MAC address, as `00:0b:82:12:34:56`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MacAddress([u8; 6]);

impl MacAddress {
    /// Reads twelve hexadecimal digits; colons, hyphens and dots between them are skipped.
    pub fn parse(text: &str) -> Result<Self, MacError> {
        let mut digits = text.chars().filter(|c| !matches!(c, ':' | '-' | '.'));
        let mut bytes = [0; 6];
        for byte in &mut bytes {
            let mut digit = || digits.next().and_then(|c| c.to_digit(16)).ok_or_else(|| MacError(text.into()));
            *byte = (digit()? << 4 | digit()?) as u8;
        }
        if digits.next().is_some() { Err(MacError(text.into())) } else { Ok(Self(bytes)) }
    }

    pub(crate) fn hash(self) -> u64 {
        super::address::stir(self.0.iter().fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }
}

/// The text is not a MAC address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MacError(Box<str>);

impl fmt::Display for MacError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a MAC address such as 00:0b:82:12:34:56", self.0)
    }
}

impl std::error::Error for MacError {}

impl TryFrom<String> for MacAddress {
    type Error = MacError;
    fn try_from(text: String) -> Result<Self, MacError> {
        Self::parse(&text)
    }
}

impl From<MacAddress> for String {
    fn from(mac: MacAddress) -> Self {
        mac.to_string()
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A device the organisation owns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceRecord {
    /// What identifies it.
    pub mac: MacAddress,
    /// Make and model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Box<str>>,
    /// The user who signs in at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// The site it stands in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Box<str>>,
    /// What a person wants to know about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Box<str>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mac_addresses_are_read_in_their_usual_forms() {
        for text in ["00:0b:82:12:34:5F", "00-0B-82-12-34-5f", "000b.8212.345f", "000b8212345f"] {
            assert_eq!(MacAddress::parse(text).unwrap().to_string(), "00:0b:82:12:34:5f");
        }
        for text in ["", "00:0b:82:12:34", "00:0b:82:12:34:5f:00", "00:0b:82:12:34:5g"] {
            assert!(MacAddress::parse(text).is_err(), "{text}");
        }
    }
}
