//! Users' calendars: fetched again and again from where the user said, and turned into busy times.
//!
//! | state   | event                     | next    | and |
//! |---------|---------------------------|---------|-----|
//! | waiting | a calendar came           | ok      | busy times are set; asked again after the policy's minutes |
//! | ok      | nothing changed (304)     | ok      | asked again later; after half a day the whole once more, the window moves |
//! | any     | refused, away, unreadable | failed  | what was known stays; asked again after twice as long, a day at most |
//!
//! What is remembered here (validators, status) lives in memory: after a restart every calendar is fetched once.

pub(crate) mod fetch;
pub(crate) mod place;

use crate::listen::Drain;
use crate::refused::Refused;
use crate::{Web, locked};
use fetch::{Fetched, Validators};
use lyceum_api::calendar::CalendarStatus;
use lyceum_api::{Refusal, Timestamp};
use lyceum_topology::{Snapshot, UserRecord};
use lyceum_users::presence::calendar::{Window, read};
use place::Place;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_rustls::rustls::ClientConfig;

/// How often it is looked what is due.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often the server is asked whose calendars there are.
const LIST_EVERY_MS: u64 = 60_000;
/// Fetches at a time.
const AT_ONCE: usize = 4;
/// After this the whole is fetched though it may be the same.
const WHOLE_AFTER_MS: u64 = 12 * 3_600_000;
/// The longest pause after failures.
const PAUSE_MOST_MS: u64 = 24 * 3_600_000;
/// What is looked at: a little of the past, for what began already, and a week ahead.
const BEHIND_MS: u64 = 24 * 3_600_000;
const AHEAD_MS: u64 = 8 * 24 * 3_600_000;

/// What is remembered of every calendar.
#[derive(Default)]
pub(crate) struct Calendars {
    known: Mutex<HashMap<String, Known>>,
    tls: OnceLock<Option<Arc<ClientConfig>>>,
}

#[derive(Clone, Default)]
struct Known {
    feed: String,
    validators: Validators,
    whole_at: u64,
    next: u64,
    failures: u32,
    status: CalendarStatus,
}

/// What to fetch.
struct Due {
    user: String,
    feed: String,
}

impl Web {
    /// Keeps all calendars fresh until the server stops.
    pub async fn keep_calendars(self, mut drain: Drain) {
        let (mut listed, mut feeds) = (None, Vec::new());
        loop {
            tokio::select! {
                () = drain.begun() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let now = self.now().0;
            if listed.is_none_or(|at| now >= at + LIST_EVERY_MS) {
                let Ok(people) = self.people() else { return };
                match self.blocking(move || Ok(people.calendar_feeds()?)).await {
                    Ok(found) => (feeds, listed) = (found, Some(now)),
                    // The server is busy; there is time.
                    Err(_) => continue,
                }
                locked(&self.calendars().known).retain(|user, _| feeds.iter().any(|(one, _)| one == user));
            }
            self.refresh(&feeds, now).await;
        }
    }

    async fn refresh(&self, feeds: &[(String, String)], now: u64) {
        let due = |(user, feed): &(String, String)| {
            let known = locked(&self.calendars().known);
            let due = known.get(user).is_none_or(|known| known.feed != *feed || known.next <= now);
            due.then(|| Due { user: user.clone(), feed: feed.clone() })
        };
        let mut running = JoinSet::new();
        for due in feeds.iter().filter_map(due).collect::<Vec<_>>() {
            if running.len() >= AT_ONCE {
                running.join_next().await;
            }
            let web = self.clone();
            running.spawn(async move { web.fetch_calendar(&due.user, &due.feed).await });
        }
        while running.join_next().await.is_some() {}
    }

    /// Fetches one calendar now and sets the busy times; what came of it.
    pub(crate) async fn fetch_calendar(&self, user: &str, feed: &str) -> CalendarStatus {
        let snapshot = self.options().publisher.current();
        let Some(record) = record(&snapshot, user) else { return CalendarStatus::default() };
        let now = self.now().0;
        let mut known = locked(&self.calendars().known).get(user).filter(|known| known.feed == feed).cloned();
        let mut next = known.take().unwrap_or_else(|| Known { feed: feed.to_owned(), ..Known::default() });
        let outcome = self.fetched(&snapshot, &record, &next, now).await;
        let minutes = u64::from(snapshot.presence_policy(&record).calendar_minutes);
        match outcome {
            Ok(done) => {
                if let Some((validators, busy, odd)) = done {
                    next = Known { validators, whole_at: now, ..next };
                    (next.status.busy, next.status.not_understood) = (busy, odd);
                }
                next.failures = 0;
                next.status.state = "ok".to_owned();
                next.status.what = None;
                next.status.last_read = Some(Timestamp(now));
            }
            Err(what) => {
                if next.failures == 0 {
                    tracing::info!(user = %record.address, %what, "a calendar could not be read");
                }
                next.failures = (next.failures + 1).min(16);
                next.status.state = "failed".to_owned();
                next.status.what = Some(what);
            }
        }
        next.next = now + ((minutes * 60_000) << next.failures).min(PAUSE_MOST_MS);
        next.status.source = "address".to_owned();
        next.status.host = place::host_of(feed).or(next.status.host);
        next.status.next_read = Some(Timestamp(next.next));
        let status = next.status.clone();
        locked(&self.calendars().known).insert(user.to_owned(), next);
        status
    }

    /// `Some`: validators, how many busy times, and how many events were not understood; `None`: all was the same.
    async fn fetched(
        &self,
        snapshot: &Snapshot,
        user: &UserRecord,
        known: &Known,
        now: u64,
    ) -> Result<Option<(Validators, usize, usize)>, String> {
        let policy = snapshot.presence_policy(user);
        if !policy.calendar_feeds {
            return Err("your policy does not let calendars be fetched".to_owned());
        }
        let named = policy.calendar_hosts.clone();
        let place = Place::parse(&known.feed, &named)?;
        let fresh = known.failures == 0 && now < known.whole_at + WHOLE_AFTER_MS;
        let validators = if fresh { known.validators.clone() } else { Validators::default() };
        let tls = self.calendars().tls.get_or_init(|| lyceum_accounts::client_tls().ok()).clone();
        match fetch::fetch(place, &named, &validators, tls.as_ref()).await? {
            Fetched::Same => Ok(None),
            Fetched::New(body, validators) => {
                let (busy, odd) = self.keep_calendar(user.address.as_str(), Some(&known.feed), body).await?;
                Ok(Some((validators, busy, odd)))
            }
        }
    }

    /// Reads a calendar and sets the busy times, unless it was fetched from where the user no longer has it.
    pub(crate) async fn keep_calendar(
        &self,
        user: &str,
        from: Option<&str>,
        body: Vec<u8>,
    ) -> Result<(usize, usize), String> {
        let now = self.now().0;
        let window = Window {
            from: lyceum_sip::WallTime(now.saturating_sub(BEHIND_MS)),
            to: lyceum_sip::WallTime(now + AHEAD_MS),
            floating_offset: 0,
        };
        let people = self.people().map_err(|refused| refused.problem().what.to_string())?;
        let (user, from) = (user.to_owned(), from.map(str::to_owned));
        let kept = self.blocking(move || {
            let calendar = read(&body, window)
                .map_err(|error| Refused::new(Refusal::CalendarRefused, error.to_string(), "calendar"))?;
            let counts = (calendar.busy.len(), calendar.not_understood);
            people.set_calendar(&user, from.as_deref(), calendar.busy)?;
            Ok(counts)
        });
        kept.await.map_err(|refused| refused.problem().what.to_string())
    }

    /// What is known of a user's calendar.
    pub(crate) fn calendar_status(&self, user: &str, feed: Option<&str>, busy: usize) -> CalendarStatus {
        let Some(feed) = feed else {
            let (source, state) = if busy > 0 { ("file", "ok") } else { ("none", "none") };
            return CalendarStatus {
                source: source.to_owned(),
                state: state.to_owned(),
                busy,
                ..CalendarStatus::default()
            };
        };
        let known = locked(&self.calendars().known).get(user).filter(|known| known.feed == feed).cloned();
        known.map_or_else(
            || CalendarStatus {
                source: "address".to_owned(),
                state: "waiting".to_owned(),
                host: place::host_of(feed),
                busy,
                ..CalendarStatus::default()
            },
            |known| known.status,
        )
    }

    /// The user's calendar comes from elsewhere now.
    pub(crate) fn forget_calendar(&self, user: &str) {
        locked(&self.calendars().known).remove(user);
    }
}

fn record(snapshot: &Snapshot, address: &str) -> Option<Arc<UserRecord>> {
    let (user, domain) = address.split_once('@')?;
    snapshot.user(user.as_bytes(), domain.as_bytes()).filter(|user| user.enabled).cloned()
}
