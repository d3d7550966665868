//! Ranges of ports.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A range of ports, both ends inside: `16384-22383`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PortRange {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

impl PortRange {
    /// How many ports.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(self) -> usize {
        usize::from(self.last - self.first) + 1
    }

    /// Whether a port is in both.
    pub fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// Whether all of the other is in this one.
    pub fn holds(self, other: Self) -> bool {
        self.first <= other.first && other.last <= self.last
    }

    /// Whether the port is in it.
    pub fn has(self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last { write!(f, "{}", self.first) } else { write!(f, "{}-{}", self.first, self.last) }
    }
}

/// The text is no range of ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoPortRange(Box<str>);

impl fmt::Display for NoPortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no range of ports such as 16384-22383", self.0)
    }
}

impl std::error::Error for NoPortRange {}

impl FromStr for PortRange {
    type Err = NoPortRange;

    fn from_str(text: &str) -> Result<Self, NoPortRange> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let port = |text: &str| text.trim().parse::<u16>().ok().filter(|port| *port > 0);
        match (port(first), port(last)) {
            (Some(first), Some(last)) if first <= last => Ok(Self { first, last }),
            _ => Err(NoPortRange(text.into())),
        }
    }
}

impl TryFrom<String> for PortRange {
    type Error = NoPortRange;
    fn try_from(text: String) -> Result<Self, NoPortRange> {
        text.parse()
    }
}

impl From<PortRange> for String {
    fn from(range: PortRange) -> String {
        range.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_ports_runs_upwards_from_1() {
        assert_eq!("443".parse(), Ok(PortRange { first: 443, last: 443 }));
        assert_eq!("1024-65535".parse::<PortRange>().map(|range| range.to_string()), Ok("1024-65535".to_owned()));
        for wrong in ["0", "5-4", "65536", "", "-", "1-2-3"] {
            assert_eq!(wrong.parse::<PortRange>(), Err(NoPortRange(wrong.into())), "{wrong}");
        }
    }

    #[test]
    fn ranges_overlap_when_they_share_a_port() {
        let range = |first, last| PortRange { first, last };
        assert!(range(10, 20).overlaps(range(20, 30)) && !range(10, 19).overlaps(range(20, 30)));
        assert!(range(10, 20).holds(range(10, 20)) && !range(10, 20).holds(range(9, 20)));
        assert!(range(10, 20).has(20) && !range(10, 20).has(21) && range(10, 20).len() == 11);
    }
}
