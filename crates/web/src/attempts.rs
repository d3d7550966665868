//! Failed sign-ins: counted by (source, name), by name, and by source; each count closes its own door for a while.
//! An attempt counts from its begin, so that many at a time are no more than one after the other.
//!
//! | Count | Failures within 15 minutes | Closed for |
//! |---|---|---|
//! | this source with this name | 5 | 15 minutes |
//! | this name from anywhere | 25 | 1 minute, so that a stranger cannot lock an administrator out for long |
//! | this source with any name | 20 | 15 minutes |

use crate::peer::network;
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
    /// Attempts whose end is not known yet.
    open: u32,
    since: u64,
    closed_until: u64,
}

impl Count {
    fn new(now: u64) -> Count {
        Count { failures: 0, open: 0, since: now, closed_until: 0 }
    }

    /// Failures that still count.
    fn failures_at(&self, now: u64) -> u32 {
        if now.saturating_sub(self.since) > WINDOW { 0 } else { self.failures }
    }
}

/// The counts of failed sign-ins.
#[derive(Debug, Default)]
pub struct Attempts {
    counts: HashMap<Key, Count>,
}

impl Attempts {
    /// Begins an attempt, or says how many seconds to wait. What has begun is ended by one of the three below.
    pub fn begin(&mut self, source: IpAddr, name: &str, now: u64) -> Result<(), u64> {
        let keys = keys(source, name);
        let found = || keys.iter().filter_map(|key| Some((key, self.counts.get(key)?)));
        if let Some(until) = found().map(|(_, c)| c.closed_until).max().filter(|until| *until > now) {
            return Err((until - now).div_ceil(1000));
        }
        if found().any(|(key, c)| c.failures_at(now) + c.open >= key.rule().0) {
            // Those under way decide; they take a moment.
            return Err(1);
        }
        self.make_room(now);
        for key in keys {
            self.counts.entry(key).or_insert(Count::new(now)).open += 1;
        }
        Ok(())
    }

    /// The attempt failed; true when it closed a door.
    pub fn failed(&mut self, source: IpAddr, name: &str, now: u64) -> bool {
        let mut closed = false;
        for key in keys(source, name) {
            let (most, closing) = key.rule();
            let count = self.counts.entry(key).or_insert(Count::new(now));
            count.open = count.open.saturating_sub(1);
            if count.failures_at(now) == 0 {
                *count = Count { open: count.open, closed_until: count.closed_until, ..Count::new(now) };
            }
            count.failures += 1;
            if count.failures >= most {
                *count = Count { failures: 0, closed_until: now + closing, ..*count };
                closed = true;
            }
        }
        closed
    }

    /// It was right: earlier slips of the same person from this source are forgiven.
    pub fn succeeded(&mut self, source: IpAddr, name: &str) {
        self.undecided(source, name);
        let [both, ..] = keys(source, name);
        if let Some(count) = self.counts.get_mut(&both) {
            *count = Count { failures: 0, closed_until: 0, ..*count };
        }
    }

    /// It ended without an answer to whether it was right.
    pub fn undecided(&mut self, source: IpAddr, name: &str) {
        for key in keys(source, name) {
            if let Some(count) = self.counts.get_mut(&key) {
                count.open = count.open.saturating_sub(1);
            }
        }
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

#[cfg(test)]
mod tests {
    use super::{Attempts, MOST, WINDOW};
    use std::net::{IpAddr, Ipv4Addr};

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

    /// Whether an attempt could begin; it ends undecided.
    fn open(attempts: &mut Attempts, source: IpAddr, name: &str, now: u64) -> Result<(), u64> {
        attempts.begin(source, name, now).inspect(|()| attempts.undecided(source, name))
    }

    fn fail(attempts: &mut Attempts, source: IpAddr, name: &str, now: u64) -> bool {
        attempts.begin(source, name, now).is_ok() && attempts.failed(source, name, now)
    }

    #[test]
    fn the_fifth_failure_closes_the_door_for_this_source_and_name_only() {
        let mut attempts = Attempts::default();
        for n in 0..5 {
            assert_eq!(open(&mut attempts, HERE, "anna", 0), Ok(()), "{n}");
            assert_eq!(fail(&mut attempts, HERE, "Anna", 0), n == 4);
        }
        assert_eq!(open(&mut attempts, HERE, "anna", 0), Err(900));
        assert_eq!(open(&mut attempts, HERE, "ben", 0), Ok(()));
        assert_eq!(open(&mut attempts, THERE, "anna", 0), Ok(()));
        assert_eq!(open(&mut attempts, HERE, "anna", WINDOW), Ok(()));
    }

    #[test]
    fn attempts_under_way_count_as_failures() {
        let mut attempts = Attempts::default();
        for n in 0..5 {
            assert_eq!(attempts.begin(HERE, "anna", 0), Ok(()), "{n}");
        }
        assert_eq!(attempts.begin(HERE, "anna", 0), Err(1));
        attempts.succeeded(HERE, "anna");
        assert_eq!(attempts.begin(HERE, "anna", 0), Ok(()));
        for n in 0..5 {
            assert_eq!(attempts.failed(HERE, "anna", 0), n == 4);
        }
        assert_eq!(attempts.begin(HERE, "anna", 0), Err(900));
    }

    #[test]
    fn a_source_that_tries_many_names_is_shut_out() {
        let mut attempts = Attempts::default();
        for n in 0..20 {
            fail(&mut attempts, HERE, &format!("name{n}"), 0);
        }
        assert!(open(&mut attempts, HERE, "another", 1).is_err());
        assert_eq!(open(&mut attempts, THERE, "another", 1), Ok(()));
    }

    #[test]
    fn a_name_tried_from_everywhere_is_closed_for_a_minute_only() {
        let mut attempts = Attempts::default();
        for n in 0..25u8 {
            fail(&mut attempts, IpAddr::from([198, 51, 100, n]), "anna", 0);
        }
        assert_eq!(open(&mut attempts, HERE, "anna", 0), Err(60));
        assert_eq!(open(&mut attempts, HERE, "anna", 60_000), Ok(()));
    }

    #[test]
    fn success_forgives_and_the_table_is_bounded() {
        let mut attempts = Attempts::default();
        for _ in 0..4 {
            assert!(!fail(&mut attempts, HERE, "anna", 0));
        }
        attempts.begin(HERE, "anna", 0).expect("four are not five");
        attempts.succeeded(HERE, "anna");
        assert!(!fail(&mut attempts, HERE, "anna", 0));
        for n in 0..100_000u32 {
            fail(&mut attempts, IpAddr::from(n.to_be_bytes()), &n.to_string(), u64::from(n / 100));
        }
        assert!(attempts.counts.len() <= MOST);
    }
}
