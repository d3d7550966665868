//! Removes old call records and traces once a day, at the hour that the call detail policy names.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use lyceum_sip::WallTime;

use super::Shared;

/// How often the clock is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(300);
/// Rows of each kind that are kept at most, whatever their age.
const MOST_ROWS: u64 = 50_000_000;
const DAY_MS: u64 = 86_400_000;

/// Runs for as long as the node does.
pub async fn run(shared: Arc<Shared>, pool: String) {
    let mut last_day = 0;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = lyceum_web::system_clock();
        let policy = shared.snapshot.load().pool(&pool).call_detail.clone();
        let (day, hour) = (now.0 / DAY_MS, now.0 % DAY_MS / 3_600_000);
        if !policy.enable_purging || day == last_day || hour != u64::from(policy.purge_hour) {
            continue;
        }
        last_day = day;
        let age = |days: u32| WallTime(now.0.saturating_sub(u64::from(days) * DAY_MS));
        let before = [age(policy.keep_call_detail_days), age(policy.keep_ladder_days)];
        let shared = Arc::clone(&shared);
        let work = move || {
            let go_on = || !shared.draining.load(Ordering::Relaxed);
            match shared.store.purge_records(before, MOST_ROWS, go_on) {
                Ok(purged) => tracing::info!(calls = purged.calls, traces = purged.traces, "old records removed"),
                Err(error) => tracing::error!(%error, "old records could not be removed"),
            }
        };
        tokio::task::spawn_blocking(work).await.ok();
    }
}
