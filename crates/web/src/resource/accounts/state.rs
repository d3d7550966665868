//! What is remembered of the servers that accounts come from, from start to stop.

use crate::locked;
use lyceum_accounts::oidc::Issuer;
use lyceum_api::Timestamp;
use lyceum_sip::WallTime;
use lyceum_topology::accounts::Oidc;
use std::sync::{Arc, Mutex};
use tokio::sync::Semaphore;

/// How long an issuer's description and keys are taken as they were.
const ISSUER_MS: u64 = 3_600_000;
/// How soon it is asked again because a token names a key that is not known.
const ASK_AGAIN_MS: u64 = 10_000;

/// What is remembered.
pub(crate) struct AccountsState {
    /// One comparison at a time.
    pub(super) syncing: Semaphore,
    last: Mutex<LastSync>,
    issuer: Mutex<Option<(Arc<Issuer>, WallTime)>>,
}

/// How the last comparison ended.
#[derive(Clone)]
pub(super) struct LastSync {
    pub at: Option<Timestamp>,
    pub next: Option<Timestamp>,
    pub state: &'static str,
    pub what: String,
}

impl Default for AccountsState {
    fn default() -> Self {
        let last = LastSync { at: None, next: None, state: "never", what: String::new() };
        AccountsState { syncing: Semaphore::new(1), last: Mutex::new(last), issuer: Mutex::default() }
    }
}

impl AccountsState {
    pub(super) fn last(&self) -> LastSync {
        locked(&self.last).clone()
    }

    /// Notes how a comparison ended.
    pub(super) fn ended(&self, at: WallTime, state: &'static str, what: String) {
        let mut last = locked(&self.last);
        *last = LastSync { at: Some(Timestamp(at.0)), next: last.next, state, what };
    }

    /// Notes when the next one is due.
    pub(super) fn due(&self, next: WallTime) {
        locked(&self.last).next = Some(Timestamp(next.0));
    }

    /// The issuer with these settings, if it was asked not long ago.
    pub(crate) fn issuer_of(&self, settings: &Oidc, now: WallTime) -> Option<Arc<Issuer>> {
        let kept = locked(&self.issuer);
        let (issuer, asked) = kept.as_ref()?;
        let fresh = now.0.saturating_sub(asked.0) < ISSUER_MS && issuer.settings() == settings;
        fresh.then(|| Arc::clone(issuer))
    }

    /// Whether the issuer may be asked again before its time.
    pub(crate) fn may_ask_issuer_again(&self, now: WallTime) -> bool {
        locked(&self.issuer).as_ref().is_none_or(|(_, asked)| now.0.saturating_sub(asked.0) >= ASK_AGAIN_MS)
    }

    /// Keeps an issuer that was just asked.
    pub(crate) fn keep_issuer(&self, issuer: Issuer, now: WallTime) -> Arc<Issuer> {
        let issuer = Arc::new(issuer);
        *locked(&self.issuer) = Some((Arc::clone(&issuer), now));
        issuer
    }
}
