//! Which files people may send each other (Lync: `Set-CsFileTransferFilterConfiguration`).

use super::Clash;
use super::kind::Ranged;
use serde::{Deserialize, Serialize};

/// Which files the filter stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileAction {
    /// Those whose extension is listed.
    Block,
    /// All.
    BlockAll,
}

impl Ranged for FileAction {
    fn number(&self) -> Option<u64> {
        None
    }
}

policy! {
    /// Which files people may send each other, and how long they are kept.
    pub struct FileTransferPolicy / FileTransferSettings, FileTransfer, clashes clashes;

    /// Whether the user may send files.
    enable_file_transfer: bool = true,
        source "Lync EnableP2PFileTransfer True";
    /// Whether the filter of extensions is on.
    enabled: bool = true,
        source "Lync Enabled True";
    /// Which files the filter stops: block (the listed extensions) or block_all.
    action: FileAction = FileAction::Block,
        source "Lync Action Block";
    /// The extensions stopped, with their dot, letter case ignored.
    extensions: Vec<String> = lync_extensions(), range 0 ..= 1_000,
        source "Lync Extensions";
    /// The largest file.
    max_file_mib: u32 = 500, unit "MiB", range 1 ..= 4_095,
        source "Lync MaxUploadFileSizeMb 500";
    /// How much a user's files may take that wait to be fetched; a further one is refused.
    max_stored_mib: u32 = 2_000, unit "MiB", range 1 ..= 1_000_000,
        source "four of the largest files";
    /// How long a file is kept.
    keep_days: u32 = 15, unit "days", range 1 ..= 365,
        source "Lync ContentGracePeriod 15 days";
    /// Whether a file is refused where no virus scanner is set up.
    require_scan: bool = false,
        source "Lync leaves the scan to the client's machine";
    /// Whether a file passes while the virus scanner that is set up is away or fails.
    allow_unscanned: bool = false,
        source "a scanner that is set up is meant to look";
    /// How long the virus scanner may take for one file.
    scan_seconds: u32 = 120, unit "s", range 1 ..= 3_600, pool_wide true,
        source "500 MiB at 5 MiB/s and some";
    /// The largest photo of a user.
    max_photo_kib: u32 = 30, unit "KiB", range 1 ..= 1_024,
        source "Lync MaxPhotoSizeKB 30";
}

/// The letters after the dot of what Lync stops from the start.
const LYNC_EXTENSIONS: &str = "ade adp app asp bas bat cer chm cmd com cpl crt csh exe fxp grp hlp hta inf ins isp its \
    js jse ksh lnk mad maf mag mam maq mar mas mat mau mav maw mda mdb mde mdt mdw mdz msc msi msp mst ocx ops pcd pif \
    pl pnp prf prg pst reg scf scr sct shb shs tmp url vb vbe vbs vsd vsmacros vss vst vsw ws wsc wsf wsh";

fn lync_extensions() -> Vec<String> {
    LYNC_EXTENSIONS.split_ascii_whitespace().map(|letters| format!(".{letters}")).collect()
}

/// Why a file may not be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileRefusal {
    /// The user may send none.
    NotAllowed,
    /// Nobody may send any.
    AllBlocked,
    /// Files of this extension are stopped.
    Extension(String),
    /// It is over this many bytes.
    TooLarge(u64),
}

impl FileTransferPolicy {
    /// The listed extension that a name ends in, if the filter stops it. What a Windows drops from the end of a name
    /// (dots, blanks) is dropped here too.
    pub fn blocked_extension<'a>(&'a self, name: &str) -> Option<&'a str> {
        if !self.enabled {
            return None;
        }
        let name = name.trim_end_matches(|c: char| c == '.' || c.is_whitespace());
        let ends = |extension: &&String| {
            let from = name.len().checked_sub(extension.len());
            from.and_then(|from| name.get(from..)).is_some_and(|end| end.eq_ignore_ascii_case(extension))
        };
        self.extensions.iter().find(ends).map(String::as_str)
    }

    /// Whether a file of this name and size may be sent.
    pub fn check(&self, name: &str, size_bytes: u64) -> Result<(), FileRefusal> {
        let largest = u64::from(self.max_file_mib) << 20;
        if !self.enable_file_transfer {
            return Err(FileRefusal::NotAllowed);
        }
        if self.enabled && self.action == FileAction::BlockAll {
            return Err(FileRefusal::AllBlocked);
        }
        if let Some(extension) = self.blocked_extension(name) {
            return Err(FileRefusal::Extension(extension.to_owned()));
        }
        if size_bytes > largest { Err(FileRefusal::TooLarge(largest)) } else { Ok(()) }
    }
}

fn clashes(policy: &FileTransferPolicy) -> Vec<Clash> {
    if policy.max_file_mib <= policy.max_stored_mib {
        return Vec::new();
    }
    vec![Clash {
        fields: &["max_file_mib", "max_stored_mib"],
        what: format!(
            "A file may be {} MiB but a user's files together only {} MiB.",
            policy.max_file_mib, policy.max_stored_mib
        ),
        fix: "Raise max_stored_mib or lower max_file_mib.",
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lyncs_list_is_whole_and_each_once() {
        let mut list = lync_extensions();
        assert_eq!(list.len(), 76);
        list.sort();
        list.dedup();
        assert_eq!(list.len(), 76);
    }

    #[test]
    fn what_may_be_sent() {
        let filter = FileTransferPolicy::default();
        let off = FileTransferPolicy { enabled: false, ..filter.clone() };
        let none = FileTransferPolicy { action: FileAction::BlockAll, ..filter.clone() };
        let forbidden = FileTransferPolicy { enable_file_transfer: false, ..filter.clone() };
        let exe = || Err(FileRefusal::Extension(".exe".to_owned()));
        let largest = 500 << 20;
        for (policy, name, size, answer) in [
            (&filter, "report.pdf", 1, Ok(())),
            (&filter, "setup.exe", 1, exe()),
            (&filter, "SETUP.EXE", 1, exe()),
            (&filter, "setup.exe. .", 1, exe()),
            (&filter, "setup.exe.pdf", 1, Ok(())),
            (&filter, "exe", 1, Ok(())),
            (&filter, "plan.vsmacros", 1, Err(FileRefusal::Extension(".vsmacros".to_owned()))),
            (&filter, "\u{fc}.jse", 1, Err(FileRefusal::Extension(".jse".to_owned()))),
            (&filter, "", 1, Ok(())),
            (&filter, "film.mkv", largest, Ok(())),
            (&filter, "film.mkv", largest + 1, Err(FileRefusal::TooLarge(largest))),
            (&off, "setup.exe", 1, Ok(())),
            (&none, "report.pdf", 1, Err(FileRefusal::AllBlocked)),
            (&forbidden, "report.pdf", 1, Err(FileRefusal::NotAllowed)),
        ] {
            assert_eq!(policy.check(name, size), answer, "{name} {size}");
        }
    }
}
