//! What is recorded of calls and for how long (Lync: `Set-CsCdrConfiguration`).

use super::Clash;

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
