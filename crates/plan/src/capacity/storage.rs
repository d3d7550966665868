//! How the databases of call detail, quality and archive grow.

use serde::Serialize;

use crate::figures::{Figure, limit};
use crate::file::Plan;
use crate::table::grouped;

/// One database.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Storage {
    /// What is in it.
    pub database: &'static str,
    /// What one day adds.
    pub growth_per_day: Figure,
    /// Days that are kept.
    pub days: u64,
    /// What is there once the oldest day is purged.
    pub kept: Figure,
    /// The volume it stands on.
    pub volume: Figure,
}

/// KB of a GB.
const KB_PER_GB: f64 = 1024.0 * 1024.0;

/// The database that `users` fill with `datum` KB each day.
pub fn storage(database: &'static str, datum: &str, users: f64, days: u64) -> Storage {
    let (each, factor) = (limit(datum).value, limit("store.volume").value);
    let day = users * each / KB_PER_GB;
    let kept = day * days as f64;
    Storage {
        database,
        growth_per_day: Figure::by(
            "storage.growth",
            day,
            "GB/day",
            format!("{} x {each} KB = {} GB", grouped(users), grouped(day)),
        ),
        days,
        kept: Figure::by("storage.kept", kept, "GB", format!("{} x {days} = {}", grouped(day), grouped(kept))),
        volume: Figure::by(
            "storage.volume",
            kept * factor,
            "GB",
            format!("{} x {factor} = {}", grouped(kept), grouped(kept * factor)),
        ),
    }
}

/// The databases that `users` fill.
pub(super) fn databases(plan: &Plan, users: f64) -> Vec<Storage> {
    let mut found = Vec::new();
    if *plan.monitoring.enabled {
        found.push(storage("call detail", "store.cdr", users, *plan.monitoring.cdr_days));
        found.push(storage("quality", "store.qoe", users, *plan.monitoring.qoe_days));
    }
    if *plan.archiving.enabled {
        found.push(storage("archive", "store.archive", users, *plan.archiving.days));
    }
    found
}
