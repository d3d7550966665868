//! What is recorded of calls and for how long (Lync: `Set-CsCdrConfiguration`).

use super::Clash;
use super::kind::Ranged;
use serde::{Deserialize, Serialize};

/// Whose SIP ladders are written without a trace running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeepLadders {
    /// Nobody's.
    None,
    /// Those of calls that failed; busy, declined and cancelled calls did not.
    Failed,
    /// Those of all calls.
    All,
}

impl Ranged for KeepLadders {
    fn number(&self) -> Option<u64> {
        None
    }
}

policy! {
    /// What is recorded of calls and for how long.
    pub struct CallDetailPolicy / CallDetailSettings, CallDetail, clashes clashes;

    /// Whether call detail records are written.
    enable_call_detail: bool = true,
        source "Lync EnableCDR True";
    /// Whether old records are removed.
    enable_purging: bool = true,
        source "Lync EnablePurging True";
    /// How long call detail records are kept.
    keep_call_detail_days: u32 = 60, unit "days", range 1 ..= 3_650,
        source "Lync KeepCallDetailForDays 60";
    /// Whose SIP ladders are written without a trace running: none, failed or all. They need `enable_call_detail`.
    keep_ladders: KeepLadders = KeepLadders::Failed,
        source "Lync EnableMonitoring: error reports hold the failing message of a call";
    /// How long ladders and error reports are kept.
    keep_ladder_days: u32 = 14, unit "days", range 1 ..= 3_650,
        source "Lync CacheFileLocalRetentionPeriod 14";
    /// The hour of the day, in UTC, in which old records are removed.
    purge_hour: u32 = 2, unit "h", range 0 ..= 23,
        source "Lync PurgeHourOfDay 2";
}

fn clashes(policy: &CallDetailPolicy) -> Vec<Clash> {
    if policy.keep_ladder_days <= policy.keep_call_detail_days {
        return Vec::new();
    }
    vec![Clash {
        fields: &["keep_ladder_days", "keep_call_detail_days"],
        what: "Ladders are kept longer than the records they belong to.".to_owned(),
        fix: "Raise keep_call_detail_days or lower keep_ladder_days.",
    }]
}
