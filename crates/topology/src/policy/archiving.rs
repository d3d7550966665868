//! Whose messages are archived and for how long (Lync: `Set-CsArchivingPolicy`, `Set-CsArchivingConfiguration`).

use super::Clash;

policy! {
    /// Whose messages are archived and for how long.
    pub struct ArchivingPolicy / ArchivingSettings, Archiving, clashes clashes;

    /// Whether the user's messages with people of the organisation are archived.
    archive_internal: bool = false,
        source "Lync ArchiveInternal False";
    /// Whether the user's messages with anybody else are archived.
    archive_external: bool = false,
        source "Lync ArchiveExternal False";
    /// Critical mode: whether a message that should be archived is refused while the archive cannot be written.
    block_on_archive_failure: bool = false, pool_wide true,
        source "Lync BlockOnArchiveFailure False";
    /// Whether old messages are removed from the archive.
    enable_purging: bool = false, pool_wide true,
        source "Lync EnablePurging, not set";
    /// How long they are kept.
    keep_archiving_data_days: u32 = 14, unit "days", range 1 ..= 2_562, pool_wide true,
        source "Lync KeepArchivingDataForDays 14, range 1-2,562";
    /// Whether only messages that were exported are removed.
    purge_exported_archives_only: bool = false, pool_wide true,
        source "Lync PurgeExportedArchivesOnly, not set";
    /// The hour of the day, in UTC, in which old messages are removed.
    purge_hour: u32 = 2, unit "h", range 0 ..= 23, pool_wide true,
        source "Lync PurgeHourOfDay 2";
}

/// Where the other side of a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// A user of the organisation.
    Internal,
    /// Anybody else.
    External,
}

/// What is to be done with a message before it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ArchiveDuty {
    /// Nothing.
    None,
    /// Archive it; when that fails it goes on all the same, and the failure is counted.
    Archive,
    /// Archive it, and refuse it when that fails (critical mode).
    ArchiveOrRefuse,
}

impl ArchivingPolicy {
    /// What this policy of one participant asks for a message with somebody on that side. The duty of a message is
    /// the greatest that any of its participants' policies asks.
    pub fn duty(&self, other: Side) -> ArchiveDuty {
        let archived = match other {
            Side::Internal => self.archive_internal,
            Side::External => self.archive_external,
        };
        match (archived, self.block_on_archive_failure) {
            (false, _) => ArchiveDuty::None,
            (true, false) => ArchiveDuty::Archive,
            (true, true) => ArchiveDuty::ArchiveOrRefuse,
        }
    }
}

fn clashes(_: &ArchivingPolicy) -> Vec<Clash> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ArchiveDuty::{Archive, ArchiveOrRefuse, None};

    #[test]
    fn what_is_archived() {
        for (internal, external, critical, inside, outside) in [
            (false, false, false, None, None),
            (false, false, true, None, None),
            (true, false, false, Archive, None),
            (false, true, false, None, Archive),
            (true, true, false, Archive, Archive),
            (true, false, true, ArchiveOrRefuse, None),
            (true, true, true, ArchiveOrRefuse, ArchiveOrRefuse),
        ] {
            let policy = ArchivingPolicy {
                archive_internal: internal,
                archive_external: external,
                block_on_archive_failure: critical,
                ..ArchivingPolicy::default()
            };
            assert_eq!((policy.duty(Side::Internal), policy.duty(Side::External)), (inside, outside), "{policy:?}");
        }
        assert!(ArchiveOrRefuse > Archive && Archive > None);
    }
}
