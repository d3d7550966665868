//! Files: modes, synced folders, and whether a folder is on a network.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Makes a new name in a folder durable.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Writes a file that only the owner may read; fails when it exists.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    path.parent().filter(|p| !p.as_os_str().is_empty()).map_or(Ok(()), sync_dir)
}

/// Makes sure that a database is there and that only its owner may read it; SQLite gives its companions the same mode.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    for ending in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        let is_open = |file: &std::fs::Metadata| file.permissions().mode() & 0o077 != 0;
        if std::fs::metadata(&name).is_ok_and(|file| is_open(&file)) {
            std::fs::set_permissions(&name, std::fs::Permissions::from_mode(0o600))?;
        }
    }
    Ok(())
}

/// The network file system a folder is on; file locks and syncs are not to be trusted there.
pub(crate) fn network_file_system(dir: &Path) -> Option<&'static str> {
    let path = std::ffi::CString::new(dir.as_os_str().as_bytes()).ok()?;
    let mut stat = std::mem::MaybeUninit::<libc::statfs>::zeroed();
    // SAFETY: `path` is a NUL-terminated string and `stat` is room for one statfs.
    let answer = unsafe { libc::statfs(path.as_ptr(), stat.as_mut_ptr()) };
    if answer != 0 {
        return None;
    }
    // SAFETY: statfs answered 0, so it filled the structure (which was zeroed before).
    let stat = unsafe { stat.assume_init() };
    match stat.f_type as u32 {
        0x6969 => Some("NFS"),
        0xff53_4d42 | 0xfe53_4d42 | 0x517b => Some("SMB"),
        0x0102_1997 => Some("9P"),
        0x00c3_6400 => Some("Ceph"),
        0x6573_5546 => Some("FUSE"),
        _ => None,
    }
}
