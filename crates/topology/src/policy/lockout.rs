//! When failed sign-ins close the door.
//!
//! Three counters, from the mildest to the harshest. A source that fails at one account is locked out
//! of that account. An account that many sources fail at is locked softly: who is signed in, or signs
//! in from a source that succeeded before, still gets in, so that a stranger cannot lock out a user
//! (the harm of Lync's global PIN lock). A source that fails at many accounts is locked out entirely.
//! The source is the address that a message came from; clients behind one proxy share it.

use super::Clash;

policy! {
    /// When failed sign-ins close the door, and for how long.
    pub struct LockoutPolicy / LockoutSettings, Lockout, clashes clashes;

    /// Failures are counted within this time.
    window_seconds: u32 = 1_800, unit "s", range 60 ..= 86_400,
        source "Lync PIN policy: window of 30 min";
    /// Failures of one source at one account before that source is locked out of that account.
    source_account_failures: u32 = 10, unit "failures", range 1 ..= 1_000,
        source "Lync PIN policy: 10 local failures for the shortest PINs";
    /// How long that lock lasts.
    source_account_lock_seconds: u32 = 3_600, unit "s", range 10 ..= 86_400,
        source "Lync PIN policy: local lock of 1 h";
    /// Failures at one account from anywhere before it is locked softly.
    account_failures: u32 = 100, unit "failures", range 1 ..= 100_000,
        source "Lync PIN policy: 100 global failures for the shortest PINs";
    /// How long the soft lock lasts.
    account_lock_seconds: u32 = 900, unit "s", range 10 ..= 86_400,
        source "short, since it hits a person who did nothing";
    /// Failures of one source at any accounts before it is locked out entirely.
    source_failures: u32 = 200, unit "failures", range 1 ..= 100_000,
        source "above what an office behind one address does when a password policy changes";
    /// How long that lock lasts.
    source_lock_seconds: u32 = 3_600, unit "s", range 10 ..= 86_400,
        source "as the local lock of Lync's PIN policy";
    /// How many sources and accounts are remembered; beyond it the oldest are forgotten.
    max_tracked: u32 = 65_536, unit "entries", range 1_024 ..= 1_048_576, pool_wide true,
        source "some 6 MB of memory at most";
}

fn clashes(policy: &LockoutPolicy) -> Vec<Clash> {
    let mut clashes = Vec::new();
    if policy.source_account_failures > policy.source_failures {
        clashes.push(Clash {
            fields: &["source_account_failures", "source_failures"],
            what: format!(
                "A source is locked out entirely after {} failures, before it is locked out of one account after {}.",
                policy.source_failures, policy.source_account_failures
            ),
            fix: "Keep source_failures at or above source_account_failures.",
        });
    }
    clashes
}
