//! Failed sign-ins: counted by (source, name), by name, and by source; each count closes its own door for a while.
//!
//! | Count | Failures within 15 minutes | Closed for |
//! |---|---|---|
//! | this source with this name | 5 | 15 minutes |
//! | this name from anywhere | 25 | 1 minute, so that a stranger cannot lock an administrator out for long |
//! | this source with any name | 20 | 15 minutes |

use std::collections::HashMap;
use std::net::IpAddr;

/// Milliseconds in which failures are counted together.
const WINDOW: u64 = 15 * 60_000;
/// Counts kept at most; when full, the oldest go.
const MOST: usize = 30_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Both(IpAddr, String),
    Name(String),
    Source(IpAddr),
}

impl Key {
    /// Failures allowed, and for how long the door closes after them.
    fn rule(&self) -> (u32, u64) {
        match self {
            Key::Both(..) => (5, WINDOW),
            Key::Name(_) => (25, 60_000),
            Key::Source(_) => (20, WINDOW),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Count {
    failures: u32,
    since: u64,
    closed_until: u64,
}

/// The counts of failed sign-ins.
#[derive(Debug, Default)]
pub struct Attempts {
    counts: HashMap<Key, Count>,
}

impl Attempts {
    /// Whether a sign-in may be tried; else the seconds to wait.
    pub fn check(&self, source: IpAddr, name: &str, now: u64) -> Result<(), u64> {
        let until = keys(source, name).iter().filter_map(|k| self.counts.get(k)).map(|c| c.closed_until).max();
        match until {
            Some(until) if until > now => Err((until - now).div_ceil(1000)),
            _ => Ok(()),
        }
    }

    /// Counts a failure; true when it closed a door.
    pub fn failed(&mut self, source: IpAddr, name: &str, now: u64) -> bool {
        self.make_room(now);
        let mut closed = false;
        for key in keys(source, name) {
            let (most, closing) = key.rule();
            let count = self.counts.entry(key).or_insert(Count { failures: 0, since: now, closed_until: 0 });
            if now.saturating_sub(count.since) > WINDOW {
                *count = Count { failures: 0, since: now, closed_until: 0 };
            }
            count.failures += 1;
            if count.failures >= most {
                *count = Count { failures: 0, since: now, closed_until: now + closing };
                closed = true;
            }
        }
        closed
    }

    /// A success from this source with this name: earlier slips of the same person are forgiven.
    pub fn succeeded(&mut self, source: IpAddr, name: &str) {
        self.counts.remove(&Key::Both(network(source), name.to_ascii_lowercase()));
    }

    fn make_room(&mut self, now: u64) {
        if self.counts.len() + 3 <= MOST {
            return;
        }
        self.counts.retain(|_, c| c.closed_until > now || now.saturating_sub(c.since) <= WINDOW);
        if self.counts.len() + 3 > MOST {
            let mut ages: Vec<u64> = self.counts.values().map(|c| c.since).collect();
            let half = ages.len() / 2;
            let (_, middle, _) = ages.select_nth_unstable(half);
            let middle = *middle;
            self.counts.retain(|_, c| c.since > middle);
        }
    }
}

fn keys(source: IpAddr, name: &str) -> [Key; 3] {
    // No administrator's name is longer; a stranger's must not grow the table.
    let name: String = name.chars().take(64).collect::<String>().to_ascii_lowercase();
    let source = network(source);
    [Key::Both(source, name.clone()), Key::Name(name), Key::Source(source)]
}

/// One household has a /64 of IPv6 addresses.
fn network(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::{Attempts, MOST, WINDOW};
    use std::net::{IpAddr, Ipv4Addr};

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

    #[test]
    fn the_fifth_failure_closes_the_door_for_this_source_and_name_only() {
        let mut attempts = Attempts::default();
        for n in 0..5 {
            assert_eq!(attempts.check(HERE, "anna", 0), Ok(()), "{n}");
            assert_eq!(attempts.failed(HERE, "Anna", 0), n == 4);
        }
        assert_eq!(attempts.check(HERE, "anna", 0), Err(900));
        assert_eq!(attempts.check(HERE, "ben", 0), Ok(()));
        assert_eq!(attempts.check(THERE, "anna", 0), Ok(()));
        assert_eq!(attempts.check(HERE, "anna", WINDOW), Ok(()));
    }

    #[test]
    fn a_source_that_tries_many_names_is_shut_out() {
        let mut attempts = Attempts::default();
        for n in 0..20 {
            attempts.failed(HERE, &format!("name{n}"), 0);
        }
        assert!(attempts.check(HERE, "another", 1).is_err());
        assert_eq!(attempts.check(THERE, "another", 1), Ok(()));
    }

    #[test]
    fn a_name_tried_from_everywhere_is_closed_for_a_minute_only() {
        let mut attempts = Attempts::default();
        for n in 0..25u8 {
            attempts.failed(IpAddr::from([198, 51, 100, n]), "anna", 0);
        }
        assert_eq!(attempts.check(HERE, "anna", 0), Err(60));
        assert_eq!(attempts.check(HERE, "anna", 60_000), Ok(()));
    }

    #[test]
    fn success_forgives_and_the_table_is_bounded() {
        let mut attempts = Attempts::default();
        for _ in 0..4 {
            assert!(!attempts.failed(HERE, "anna", 0));
        }
        attempts.succeeded(HERE, "anna");
        assert!(!attempts.failed(HERE, "anna", 0));
        for n in 0..100_000u32 {
            attempts.failed(IpAddr::from(n.to_be_bytes()), &n.to_string(), u64::from(n / 100));
        }
        assert!(attempts.counts.len() <= MOST);
    }
}
