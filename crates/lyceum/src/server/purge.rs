//! Removes what is too old once a day, each kind at the hour that its policy names: call records and traces, histories of
//! messages, the archive. Files whose time is over go with every look.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use lyceum_sip::WallTime;
use lyceum_topology::{ArchivingPolicy, MessagePolicy, Snapshot, UserId};

use super::Shared;

/// How often the clock is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(300);
/// Rows of each kind that are kept at most, whatever their age.
const MOST_ROWS: u64 = 50_000_000;
const DAY_MS: u64 = 86_400_000;
/// How long the row of a file that is over is kept, so that both people still see what became of it.
const FORGET_TRANSFER_MS: u64 = 7 * DAY_MS;

/// A thing to be done once a day, in an hour.
#[derive(Default)]
struct Daily {
    last_day: Option<u64>,
}

impl Daily {
    /// Whether it is to be done now; if so it is taken as done.
    fn is_due(&mut self, now: WallTime, enabled: bool, hour: u32) -> bool {
        let (day, hour_now) = (now.0 / DAY_MS, now.0 % DAY_MS / 3_600_000);
        let due = enabled && self.last_day != Some(day) && hour_now == u64::from(hour);
        if due {
            self.last_day = Some(day);
        }
        due
    }
}

/// How often a disk that refused is tried again.
const TRY_DISK_EVERY: Duration = Duration::from_secs(5);
/// Less room than this is none: a small write may still fit into what a database file has spare.
const ROOM: u64 = 1 << 20;

/// Tries a store that refuses, until it has recovered; the status says so meanwhile.
pub async fn watch_disk(shared: Arc<Shared>) {
    loop {
        tokio::time::sleep(TRY_DISK_EVERY).await;
        if !shared.store.refuses_writes() {
            continue;
        }
        let shared = Arc::clone(&shared);
        let tried = tokio::task::spawn_blocking(move || {
            let room = rustix::fs::statvfs(shared.store.dir()).map_or(0, |disk| disk.f_bavail * disk.f_frsize);
            if room >= ROOM {
                shared.store.try_refused();
            }
            if !shared.store.refuses_writes() {
                tracing::info!("the data folder takes writes again");
            }
        });
        tried.await.ok();
    }
}

/// Runs for as long as the node does.
pub async fn run(shared: Arc<Shared>, pool: String) {
    let mut days = Days::default();
    loop {
        let shared = Arc::clone(&shared);
        let pool = pool.clone();
        let mut seen = std::mem::take(&mut days);
        let look = move || {
            seen.look(&shared, &pool, lyceum_web::system_clock());
            seen
        };
        // Were it to fail, today's purges are done once more, which removes nothing twice.
        days = tokio::task::spawn_blocking(look).await.unwrap_or_default();
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

#[derive(Default)]
struct Days {
    records: Daily,
    history: Daily,
    archive: Daily,
}

impl Days {
    fn look(&mut self, shared: &Shared, pool: &str, now: WallTime) {
        let snapshot = shared.snapshot.load_full();
        let records = &snapshot.pool(pool).call_detail;
        if self.records.is_due(now, records.enable_purging, records.purge_hour) {
            purge_records(shared, [records.keep_call_detail_days, records.keep_ladder_days].map(|days| age(now, days)));
        }
        purge_transfers(shared, now);
        // What is one value for the whole pool is the same for each of its users; the test user is always there.
        let Some((message, archiving)) = pool_wide(&snapshot, shared.test_users.id()) else { return };
        if self.history.is_due(now, true, message.purge_hour) {
            purge_history(shared, &snapshot, message, now);
        }
        if self.archive.is_due(now, archiving.enable_purging, archiving.purge_hour) {
            purge_archive(shared, archiving, now);
        }
    }
}

fn pool_wide(snapshot: &Snapshot, user: UserId) -> Option<(&MessagePolicy, &ArchivingPolicy)> {
    let user = snapshot.directory().by_id(user)?;
    Some((snapshot.message_policy(user), snapshot.archiving_policy(user)))
}

fn age(now: WallTime, days: u32) -> WallTime {
    WallTime(now.0.saturating_sub(u64::from(days) * DAY_MS))
}

fn go_on(shared: &Shared) -> bool {
    !shared.draining.load(Ordering::Relaxed)
}

fn purge_records(shared: &Shared, before: [WallTime; 2]) {
    match shared.store.purge_records(before, MOST_ROWS, || go_on(shared)) {
        Ok(purged) => tracing::info!(calls = purged.calls, traces = purged.traces, "old records removed"),
        Err(error) => tracing::error!(%error, "old records could not be removed"),
    }
}

fn purge_history(shared: &Shared, snapshot: &Snapshot, pool: &MessagePolicy, now: WallTime) {
    match shared.store.purge_history(|user| kept_since(snapshot, user, pool, now), || go_on(shared)) {
        Ok(removed) => tracing::info!(removed, "old messages removed"),
        Err(error) => tracing::error!(%error, "old messages could not be removed"),
    }
}

/// Since when a user's history is kept. Who is not in the directory, such as somebody removed by mistake, is kept as
/// long as the pool's users are.
fn kept_since(snapshot: &Snapshot, address: &str, pool: &MessagePolicy, now: WallTime) -> Option<WallTime> {
    let (user, domain) = address.split_once('@')?;
    let user = snapshot.user(user.as_bytes(), domain.as_bytes());
    let policy = user.map_or(pool, |user| snapshot.message_policy(user));
    Some(age(now, policy.keep_history_days))
}

fn purge_archive(shared: &Shared, policy: &ArchivingPolicy, now: WallTime) {
    let before = age(now, policy.keep_archiving_data_days);
    let mut removed = 0;
    while go_on(shared) {
        match shared.store.purge_archive(before, policy.purge_exported_archives_only) {
            Ok(step) => {
                removed += step.removed;
                if step.left == 0 || step.removed == 0 {
                    break;
                }
            }
            Err(error) => return tracing::error!(%error, "the archive could not be purged"),
        }
    }
    tracing::info!(removed, "old messages removed from the archive");
}

fn purge_transfers(shared: &Shared, now: WallTime) {
    match shared.store.purge_transfers(now, FORGET_TRANSFER_MS, || go_on(shared)) {
        Ok(0) => {}
        Ok(ended) => tracing::info!(ended, "files between people whose time was over removed"),
        Err(error) => tracing::error!(%error, "old files between people could not be removed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lyceum_topology::{AddressOfRecord, Directory, Document, DomainName, UserRecord};

    fn at(day: u64, hour: u64, minute: u64) -> WallTime {
        WallTime(day * DAY_MS + hour * 3_600_000 + minute * 60_000)
    }

    #[test]
    fn a_purge_is_done_once_a_day_in_its_hour() {
        let mut daily = Daily::default();
        for (now, enabled, due) in [
            (at(0, 2, 55), true, false),
            (at(0, 3, 0), false, false),
            (at(0, 3, 5), true, true),
            (at(0, 3, 10), true, false),
            (at(1, 2, 59), true, false),
            (at(1, 3, 59), true, true),
            (at(2, 4, 0), true, false),
        ] {
            assert_eq!(daily.is_due(now, enabled, 3), due, "{now:?}");
        }
    }

    #[test]
    fn a_history_is_kept_as_long_as_the_users_policy_says() {
        let domain = DomainName::parse("example.org").expect("a domain");
        let mut document = Document::dev(domain.clone(), domain);
        document.policies.message.global.keep_history_days = Some(30);
        let mut directory = Directory::default();
        let anna = AddressOfRecord::parse("anna@example.org").expect("an address");
        directory.insert(UserRecord::new(UserId(1), anna, "pool1")).expect("a user");
        let snapshot = Snapshot::compile(&document, directory).expect("a valid document");
        let now = at(100, 3, 0);
        let pool = MessagePolicy { keep_history_days: 50, ..MessagePolicy::default() };
        assert_eq!(kept_since(&snapshot, "anna@example.org", &pool, now), Some(at(70, 3, 0)));
        assert_eq!(kept_since(&snapshot, "gone@example.org", &pool, now), Some(at(50, 3, 0)));
        assert_eq!(kept_since(&snapshot, "no address", &pool, now), None);
    }
}
