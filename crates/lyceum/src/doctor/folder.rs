//! The data folder: there, ours, private, with room, on a disk of this machine.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, FlockOperation, accessat, flock, statfs, statvfs};

use super::finding::Finding;

/// Below this a server does not start.
const NEEDED: u64 = 32 << 20;
/// Below this there is no room for a busy day's records and a backup.
const COMFORTABLE: u64 = 1 << 30;

/// What a folder looks like.
#[derive(Clone, Debug)]
pub struct FolderFacts {
    /// The folder.
    pub dir: PathBuf,
    /// What is there.
    pub state: State,
    /// Whether we may make files in it, or make it.
    pub writable: bool,
    /// Bytes left for us on its disk.
    pub free: Option<u64>,
    /// The network file system that it is on.
    pub network: Option<&'static str>,
    /// Somebody holds its lock; the process, where it can be read.
    pub held: Option<Option<u32>>,
    /// A file in it that belongs to somebody else than the folder.
    pub stranger: Option<PathBuf>,
}

/// What is at the folder's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing: a first start makes it.
    Missing,
    /// Something that is no folder.
    NoFolder,
    /// A folder with this mode.
    Here(u32),
}

/// Looks, and changes nothing.
pub fn gather(dir: &Path) -> FolderFacts {
    let metadata = fs::metadata(dir);
    let state = match &metadata {
        // A file on the way there cannot be made a folder.
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => State::NoFolder,
        Err(_) => State::Missing,
        Ok(there) if !there.is_dir() => State::NoFolder,
        Ok(there) => State::Here(there.mode() & 0o777),
    };
    let nearest = dir.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("/"));
    let nearest = if nearest.as_os_str().is_empty() { Path::new(".") } else { nearest };
    let may = accessat(CWD, nearest, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS);
    FolderFacts {
        dir: dir.to_owned(),
        state,
        writable: may.is_ok(),
        free: statvfs(nearest).ok().map(|disk| disk.f_bavail * disk.f_frsize),
        network: statfs(nearest).ok().and_then(|disk| network_file_system(disk.f_type as u32)),
        held: holder(dir),
        stranger: metadata.ok().and_then(|folder| stranger(dir, folder.uid())),
    }
}

/// Kinds of file systems whose locks and syncs cannot be trusted.
fn network_file_system(kind: u32) -> Option<&'static str> {
    match kind {
        0x6969 => Some("NFS"),
        0xff53_4d42 | 0xfe53_4d42 | 0x517b => Some("SMB"),
        0x0102_1997 => Some("9P"),
        0x00c3_6400 => Some("Ceph"),
        0x6573_5546 => Some("FUSE"),
        _ => None,
    }
}

/// Who holds the folder's lock: taking it for a moment is the only way to know.
fn holder(dir: &Path) -> Option<Option<u32>> {
    let path = dir.join("lock");
    let file = fs::File::open(&path).ok()?;
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => None,
        Err(rustix::io::Errno::WOULDBLOCK) => {
            Some(fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok()))
        }
        Err(_) => None,
    }
}

fn stranger(dir: &Path, owner: u32) -> Option<PathBuf> {
    let entries = fs::read_dir(dir).ok()?.flatten();
    entries.map(|entry| entry.path()).find(|path| fs::symlink_metadata(path).is_ok_and(|there| there.uid() != owner))
}

/// What keeps a server from using it, one sentence each.
pub fn obstacles(facts: &FolderFacts) -> Vec<String> {
    let dir = facts.dir.display();
    let mut found = Vec::new();
    if facts.state == State::NoFolder {
        return vec![format!(
            "the data folder {dir} is no folder, or lies below a file: move that file away, or name another folder"
        )];
    }
    if !facts.writable {
        found.push(match facts.state {
            State::Missing => format!("the data folder {dir} cannot be made: `install -d -m 0700 -o lyceum {dir}`"),
            _ => format!(
                "the data folder {dir} may not be written: `chown -R lyceum {dir}`, or start the server as its owner"
            ),
        });
    }
    if let Some(free) = facts.free.filter(|free| *free < NEEDED) {
        let (free, needed) = (size(free), size(NEEDED));
        found.push(format!(
            "the disk of the data folder {dir} has {free} left: free at least {needed} on it; `df -h {dir}`"
        ));
    }
    if let Some(pid) = facts.held {
        let who = pid.map_or("another server".into(), |pid| format!("the server with process id {pid}"));
        found.push(format!("the data folder {dir} is in use by {who}: stop that server, or name another folder"));
    }
    found
}

/// The doctor's view of it; `running` is the server that should hold it.
pub fn judge(facts: &FolderFacts, running: Option<u32>) -> Vec<Finding> {
    const WHAT: &str = "data folder";
    let dir = facts.dir.display();
    // A server that runs on it is as it should be.
    let unheld = FolderFacts { held: None, ..facts.clone() };
    let mut found: Vec<Finding> = obstacles(&unheld).iter().map(|said| Finding::sentence(WHAT, said)).collect();
    if let (Some(held), Some(running)) = (facts.held.flatten(), running)
        && held != running
    {
        let detail = format!("{dir} is held by process {held}, but process {running} answers on the local socket");
        found.push(Finding::fail(
            WHAT,
            detail,
            format!("stop the one that should not run: `ps -p {held},{running} -o pid,lstart,args`"),
        ));
    }
    if let State::Here(mode) = facts.state
        && mode & 0o077 != 0
    {
        found.push(Finding::warn(
            WHAT,
            format!("{dir} may be read by others (mode {mode:03o})"),
            format!("chmod 700 {dir}"),
        ));
    }
    if let Some(kind) = facts.network {
        let detail = format!("{dir} is on a network file system ({kind}): a power cut may lose acknowledged data");
        found.push(Finding::warn(WHAT, detail, "set `data` to a folder on a disk of this machine"));
    }
    if let Some(path) = &facts.stranger {
        let detail = format!("{} belongs to another user than {dir}", path.display());
        found.push(Finding::warn(WHAT, detail, format!("chown -R --reference={dir} {dir}")));
    }
    if let Some(free) = facts.free.filter(|free| (NEEDED..COMFORTABLE).contains(free)) {
        let detail = format!("the disk of {dir} has {} left", size(free));
        found.push(Finding::warn(WHAT, detail, format!("keep 1 GiB free for records and backups: `df -h {dir}`")));
    }
    if found.is_empty() {
        let state = if facts.state == State::Missing { "is made at the first start" } else { "is ours and private" };
        let room = facts.free.map_or(String::new(), |free| format!(", {} free", size(free)));
        found.push(Finding::ok(WHAT, format!("{dir} {state}{room}")));
    }
    found
}

/// User ids of the owners of data folder and key file.
pub fn owners(dir: &Path, key: &Path) -> Option<(u32, u32)> {
    Some((fs::metadata(dir).ok()?.uid(), fs::metadata(key).ok()?.uid()))
}

/// The server runs as one user: data and key that belong to two are not both for it, as after a restore by root.
pub fn judge_owners(dir: &Path, key: &Path, owners: Option<(u32, u32)>) -> Option<Finding> {
    let (data_of, key_of) = owners.filter(|(one, other)| one != other)?;
    let (dir, key) = (dir.display(), key.display());
    let detail = format!("{dir} belongs to user {data_of}, {key} to user {key_of}: no server can use both");
    Some(Finding::warn("owner", detail, format!("chown -R --reference={key} {dir}")))
}

fn size(bytes: u64) -> String {
    match bytes {
        0..0x10_0000 => format!("{} KiB", bytes >> 10),
        0x10_0000..0x4000_0000 => format!("{} MiB", bytes >> 20),
        _ => format!("{} GiB", bytes >> 30),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Verdict::{self, Fail, Ok, Warn};

    fn facts() -> FolderFacts {
        let (dir, state) = (PathBuf::from("/d"), State::Here(0o700));
        FolderFacts { dir, state, writable: true, free: Some(5 << 30), network: None, held: None, stranger: None }
    }

    #[test]
    fn facts_lead_to_a_verdict() {
        let cases: &[(FolderFacts, Option<u32>, Verdict, &str)] = &[
            (facts(), None, Ok, "5 GiB free"),
            (FolderFacts { state: State::Missing, ..facts() }, None, Ok, "made at the first start"),
            (FolderFacts { held: Some(Some(7)), ..facts() }, Some(7), Ok, "private"),
            (FolderFacts { held: Some(Some(7)), ..facts() }, Some(8), Fail, "held by process 7, but process 8"),
            (FolderFacts { state: State::NoFolder, ..facts() }, None, Fail, "is no folder"),
            (FolderFacts { writable: false, ..facts() }, None, Fail, "may not be written"),
            (FolderFacts { writable: false, state: State::Missing, ..facts() }, None, Fail, "cannot be made"),
            (FolderFacts { free: Some(100 << 10), ..facts() }, None, Fail, "100 KiB left"),
            (FolderFacts { free: Some(100 << 20), ..facts() }, None, Warn, "100 MiB left"),
            (FolderFacts { state: State::Here(0o755), ..facts() }, None, Warn, "mode 755"),
            (FolderFacts { network: Some("NFS"), ..facts() }, None, Warn, "NFS"),
            (FolderFacts { stranger: Some("/d/x".into()), ..facts() }, None, Warn, "/d/x belongs to another user"),
        ];
        for (facts, running, verdict, part) in cases {
            let found = judge(facts, *running);
            assert!(
                found.len() == 1 && found[0].verdict == *verdict && found[0].detail.contains(part),
                "{part}: {found:?}"
            );
        }
    }

    #[test]
    fn a_start_is_kept_from_a_folder_in_use() {
        assert!(obstacles(&facts()).is_empty());
        let held = obstacles(&FolderFacts { held: Some(Some(7)), ..facts() });
        assert_eq!(
            held,
            ["the data folder /d is in use by the server with process id 7: stop that server, or name another folder"]
        );
    }

    #[test]
    fn data_and_key_have_one_owner() {
        let (dir, key) = (Path::new("/d"), Path::new("/k"));
        assert_eq!(judge_owners(dir, key, None), None);
        assert_eq!(judge_owners(dir, key, Some((7, 7))), None);
        let found = judge_owners(dir, key, Some((0, 7))).unwrap();
        assert_eq!((found.verdict, found.fix.as_deref()), (Warn, Some("chown -R --reference=/k /d")));
    }

    #[test]
    fn network_file_systems_are_known_by_their_number() {
        assert_eq!(network_file_system(0x6969), Some("NFS"));
        assert_eq!(network_file_system(0xef53), None);
    }
}
