//! Counting wrong passwords: first per (source, account), then per account, then per source.
//!
//! The order matters. A pair that fails is shut out by itself, so that one person's forgotten password harms nobody
//! else. An account that fails from many sources is only slowed, and only for sources that never signed it in, so that
//! an attacker cannot lock a victim out. A source that fails for many accounts is shut out whole.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use lyceum_sip::time::Time;
use lyceum_topology::LockoutPolicy;

/// How many entries are looked at to find one to drop.
const EVICTION_SAMPLE: usize = 16;

/// While an account is slowed, a stranger to it may try once in this time.
const SLOW: Duration = Duration::from_secs(5);

/// When a count is full, and for how long it then shuts the door.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// Failures within the window.
    pub failures: u32,
    /// How long the shut-out lasts.
    pub lock: Duration,
}

/// The figures of the lock-out policy that is in force.
#[derive(Clone, Copy, Debug)]
pub struct LockoutLimits {
    /// Failures older than this are forgotten.
    pub window: Duration,
    /// One account from one source.
    pub pair: Limit,
    /// One account from anywhere.
    pub account: Limit,
    /// Any account from one source.
    pub source: Limit,
}

impl From<&LockoutPolicy> for LockoutLimits {
    fn from(policy: &LockoutPolicy) -> Self {
        let seconds = |count: u32| Duration::from_secs(u64::from(count));
        let limit = |failures, lock| Limit { failures, lock: seconds(lock) };
        LockoutLimits {
            window: seconds(policy.window_seconds),
            pair: limit(policy.source_account_failures, policy.source_account_lock_seconds),
            account: limit(policy.account_failures, policy.account_lock_seconds),
            source: limit(policy.source_failures, policy.source_lock_seconds),
        }
    }
}

/// What an attempt may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on and check the password.
    Pass,
    /// This source may not try this account until the time given.
    PairShut(Time),
    /// The account is under attack; this source is a stranger to it and tried too recently.
    AccountSlowed(Time),
    /// This source may try nothing until the time given.
    SourceShut(Time),
}

/// Which count a failure has just filled, so that one log line tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tripped {
    /// (source, account)
    Pair,
    /// account
    Account,
    /// source
    Source,
}

#[derive(Clone, Copy, Default)]
struct Count {
    failures: u32,
    since: Time,
    last: Time,
    shut_until: Time,
}

/// Failures by key, at most `capacity`; when full, the entry that is idle longest among a few is dropped.
struct Counts<K> {
    counts: HashMap<K, Count>,
    capacity: usize,
}

impl<K: Hash + Eq + Copy> Counts<K> {
    fn new(capacity: usize) -> Self {
        Counts { counts: HashMap::new(), capacity }
    }

    fn fail(&mut self, key: K, now: Time, limit: Limit, window: Duration) -> bool {
        if self.counts.len() >= self.capacity && !self.counts.contains_key(&key) {
            self.evict();
        }
        let count = self.counts.entry(key).or_default();
        if count.failures == 0 || now - count.since > window {
            *count = Count { since: now, shut_until: count.shut_until, ..Count::default() };
        }
        count.failures += 1;
        count.last = now;
        let tripped = count.failures == limit.failures;
        if count.failures >= limit.failures {
            count.shut_until = now + limit.lock;
        }
        tripped
    }

    fn shut_until(&self, key: &K, now: Time) -> Option<Time> {
        self.counts.get(key).map(|count| count.shut_until).filter(|until| *until > now)
    }

    fn evict(&mut self) {
        let oldest = self.counts.iter().take(EVICTION_SAMPLE).min_by_key(|(_, count)| count.last).map(|(key, _)| *key);
        if let Some(key) = oldest {
            self.counts.remove(&key);
        }
    }
}

/// What counts as one source: an IPv4 address however it is written, and the /64 of an IPv6 address, because whoever has
/// one address of it has them all.
fn network(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

/// The counts of one worker.
pub struct Lockout {
    pairs: Counts<(IpAddr, u64)>,
    accounts: Counts<u64>,
    sources: Counts<IpAddr>,
    friends: HashMap<(IpAddr, u64), Time>,
}

impl Lockout {
    /// Nothing counted yet; `capacity` bounds each table.
    pub fn new(capacity: usize) -> Self {
        let (pairs, accounts, sources) = (Counts::new(capacity), Counts::new(capacity), Counts::new(capacity));
        Lockout { pairs, accounts, sources, friends: HashMap::new() }
    }

    /// May `source` try `account` (any stable hash of its name, whether it exists or not) now? `known` says that the
    /// account is signed in from that very source at this moment, which makes the source no stranger.
    pub fn check(&self, now: Time, source: IpAddr, account: u64, known: bool) -> Verdict {
        if !self.is_counting() {
            return Verdict::Pass;
        }
        let source = network(source);
        if let Some(until) = self.sources.shut_until(&source, now) {
            return Verdict::SourceShut(until);
        }
        if let Some(until) = self.pairs.shut_until(&(source, account), now) {
            return Verdict::PairShut(until);
        }
        let stranger = !known && !self.friends.contains_key(&(source, account));
        if stranger && self.accounts.shut_until(&account, now).is_some() {
            let next = self.accounts.counts.get(&account).map_or(now, |count| count.last + SLOW);
            if next > now {
                return Verdict::AccountSlowed(next);
            }
        }
        Verdict::Pass
    }

    /// Is anything counted at the moment? Until the first failure nothing else needs looking at.
    pub fn is_counting(&self) -> bool {
        !(self.sources.counts.is_empty() && self.pairs.counts.is_empty() && self.accounts.counts.is_empty())
    }

    /// Counts a wrong password; says which limits this very failure reached.
    pub fn failed(&mut self, now: Time, source: IpAddr, account: u64, limits: &LockoutLimits) -> Vec<Tripped> {
        let source = network(source);
        let mut tripped = Vec::new();
        if self.pairs.fail((source, account), now, limits.pair, limits.window) {
            tripped.push(Tripped::Pair);
        }
        if self.accounts.fail(account, now, limits.account, limits.window) {
            tripped.push(Tripped::Account);
        }
        if self.sources.fail(source, now, limits.source, limits.window) {
            tripped.push(Tripped::Source);
        }
        tripped
    }

    /// A right password clears the pair and, while anything is being counted, makes the source a friend of the account.
    pub fn passed(&mut self, now: Time, source: IpAddr, account: u64) {
        if !self.is_counting() {
            return; // nobody has failed: nothing to clear, and the usual case costs nothing
        }
        let source = network(source);
        self.pairs.counts.remove(&(source, account));
        if self.accounts.counts.contains_key(&account) {
            if self.friends.len() >= self.accounts.capacity {
                let oldest = self.friends.iter().take(EVICTION_SAMPLE).min_by_key(|(_, at)| **at).map(|(key, _)| *key);
                oldest.map(|key| self.friends.remove(&key));
            }
            self.friends.insert((source, account), now);
        }
    }

    /// Forgets what is older than the window; called now and then.
    pub fn sweep(&mut self, now: Time, limits: &LockoutLimits) {
        let keep = |count: &Count| count.shut_until > now || now - count.last <= limits.window;
        self.pairs.counts.retain(|_, count| keep(count));
        self.accounts.counts.retain(|_, count| keep(count));
        self.sources.counts.retain(|_, count| keep(count));
        let accounts = &self.accounts.counts;
        self.friends.retain(|(_, account), _| accounts.contains_key(account));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: Duration = Duration::from_secs(30);
    const LIMITS: LockoutLimits = LockoutLimits {
        window: Duration::from_secs(60),
        pair: Limit { failures: 3, lock: LOCK },
        account: Limit { failures: 5, lock: LOCK },
        source: Limit { failures: 7, lock: LOCK },
    };

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn at(seconds: u64) -> Time {
        Time(seconds * 1_000_000)
    }

    #[test]
    fn third_failure_of_a_pair_shuts_only_that_pair() {
        let mut lockout = Lockout::new(1000);
        assert!(lockout.failed(at(1), ip(1), 7, &LIMITS).is_empty());
        assert!(lockout.failed(at(2), ip(1), 7, &LIMITS).is_empty());
        assert_eq!(lockout.failed(at(3), ip(1), 7, &LIMITS), vec![Tripped::Pair]);
        assert_eq!(lockout.check(at(4), ip(1), 7, false), Verdict::PairShut(at(33)));
        assert_eq!(lockout.check(at(4), ip(1), 8, false), Verdict::Pass);
        assert_eq!(lockout.check(at(4), ip(2), 7, false), Verdict::Pass);
        assert_eq!(lockout.check(at(34), ip(1), 7, false), Verdict::Pass);
    }

    #[test]
    fn a_pair_stays_shut_after_the_window_of_its_source() {
        let limits = LockoutLimits { pair: Limit { failures: 1, lock: Duration::from_secs(600) }, ..LIMITS };
        let mut lockout = Lockout::new(1000);
        lockout.failed(at(1), ip(1), 7, &limits);
        lockout.sweep(at(100), &limits);
        assert_eq!(lockout.check(at(100), ip(1), 7, false), Verdict::PairShut(at(601)));
        lockout.sweep(at(700), &limits);
        assert!(!lockout.is_counting());
    }

    #[test]
    fn neighbours_in_an_ipv6_network_are_one_source() {
        let source = |text: &str| text.parse::<IpAddr>().expect("an address");
        let mut lockout = Lockout::new(1000);
        for host in ["2001:db8::1", "2001:db8::2", "2001:db8::3:4"] {
            lockout.failed(at(1), source(host), 7, &LIMITS);
        }
        assert_eq!(lockout.check(at(2), source("2001:db8::9"), 7, false), Verdict::PairShut(at(31)));
        assert_eq!(lockout.check(at(2), source("2001:db8:0:1::9"), 7, false), Verdict::Pass);
        assert_eq!(network(source("::ffff:192.0.2.1")), ip(1));
    }

    #[test]
    fn attacked_account_stays_open_to_a_source_that_signed_it_in() {
        let mut lockout = Lockout::new(1000);
        lockout.failed(at(1), ip(9), 7, &LIMITS);
        lockout.passed(at(1), ip(1), 7);
        for source in 10..15 {
            lockout.failed(at(2), ip(source), 7, &LIMITS);
        }
        assert_eq!(lockout.check(at(3), ip(1), 7, false), Verdict::Pass);
        assert_eq!(lockout.check(at(3), ip(50), 7, false), Verdict::AccountSlowed(at(7)));
        assert_eq!(lockout.check(at(3), ip(50), 7, true), Verdict::Pass);
        assert_eq!(lockout.check(at(8), ip(50), 7, false), Verdict::Pass);
    }

    #[test]
    fn source_that_tries_many_accounts_is_shut_out_whole() {
        let mut lockout = Lockout::new(1000);
        for account in 0..6 {
            assert!(lockout.failed(at(1), ip(1), account, &LIMITS).is_empty());
        }
        assert_eq!(lockout.failed(at(1), ip(1), 6, &LIMITS), vec![Tripped::Source]);
        assert_eq!(lockout.check(at(2), ip(1), 99, false), Verdict::SourceShut(at(31)));
    }

    #[test]
    fn failures_outside_the_window_are_forgotten() {
        let mut lockout = Lockout::new(1000);
        lockout.failed(at(1), ip(1), 7, &LIMITS);
        lockout.failed(at(2), ip(1), 7, &LIMITS);
        lockout.failed(at(70), ip(1), 7, &LIMITS);
        assert_eq!(lockout.check(at(71), ip(1), 7, false), Verdict::Pass);
        lockout.sweep(at(500), &LIMITS);
        assert!(lockout.pairs.counts.is_empty() && lockout.sources.counts.is_empty());
    }

    #[test]
    fn tables_stay_bounded_under_a_flood_of_names() {
        let mut lockout = Lockout::new(1000);
        for account in 0..1500 {
            lockout.failed(at(1), ip((account % 200) as u8), account, &LIMITS);
        }
        assert!(lockout.accounts.counts.len() <= 1000);
        assert!(lockout.pairs.counts.len() <= 1000);
    }
}
