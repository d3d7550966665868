//! The backup file.
//!
//! ```text
//! file  = "LYCEUM-BACKUP-1\n" entry* end
//! entry = name_len:u16 name size:u64 content sha256[32]
//! end   = 0:u16 entries:u64 sha256[32]      over the check values of all entries
//! ```
//! Numbers are little endian. Entries: the databases, `blobs/ab/cd/<sha-256>`, and last
//! `manifest.json` for people.

use crate::blobs::BlobId;
use aws_lc_rs::digest::{Context, SHA256};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 16] = b"LYCEUM-BACKUP-1\n";
const BUFFER: usize = 256 << 10;

/// Databases that a backup holds.
pub(crate) const DATABASES: [&str; 4] = ["lyceum.db", "bindings.db", "records.db", "messages.db"];
/// Those that a backup of an earlier server does not hold; opening the folder makes them.
pub(crate) const LATER_DATABASES: [&str; 1] = ["messages.db"];
pub(crate) const MANIFEST: &str = "manifest.json";

/// What an entry's name may be; anything else in a backup is refused, so that no name can lead
/// out of the folder.
pub(crate) fn place_of(name: &str) -> Option<PathBuf> {
    if DATABASES.contains(&name) || name == MANIFEST {
        return Some(PathBuf::from(name));
    }
    let rest = name.strip_prefix("blobs/")?;
    let id = BlobId::parse(rest.rsplit('/').next()?)?;
    (Path::new(rest) == id.relative()).then(|| Path::new("blobs").join(rest))
}

pub(crate) struct Writer<W: Write> {
    out: W,
    checks: Context,
    entries: u64,
}

impl<W: Write> Writer<W> {
    pub(crate) fn new(mut out: W) -> io::Result<Self> {
        out.write_all(MAGIC)?;
        Ok(Writer { out, checks: Context::new(&SHA256), entries: 0 })
    }

    /// Copies exactly `size` bytes of `content` in; `passed` is told of each piece.
    pub(crate) fn entry(
        &mut self,
        name: &str,
        size: u64,
        content: &mut dyn Read,
        passed: &mut dyn FnMut(u64),
    ) -> io::Result<()> {
        let mut head = Vec::with_capacity(name.len() + 10);
        head.extend_from_slice(&u16::try_from(name.len()).unwrap_or(u16::MAX).to_le_bytes());
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(&size.to_le_bytes());
        self.out.write_all(&head)?;
        let mut hash = Context::new(&SHA256);
        hash.update(&head);
        copy(content, size, |piece| {
            hash.update(piece);
            passed(piece.len() as u64);
            self.out.write_all(piece)
        })?;
        let digest = hash.finish();
        self.out.write_all(digest.as_ref())?;
        self.checks.update(digest.as_ref());
        self.entries += 1;
        Ok(())
    }

    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.out.write_all(&0u16.to_le_bytes())?;
        self.out.write_all(&self.entries.to_le_bytes())?;
        self.out.write_all(self.checks.finish().as_ref())?;
        self.out.flush()?;
        Ok(self.out)
    }
}

/// Copies exactly `size` bytes piece by piece.
fn copy(from: &mut dyn Read, size: u64, mut to: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    let mut left = size;
    while left > 0 {
        let want = usize::try_from(left).unwrap_or(BUFFER).min(BUFFER);
        let count = from.read(&mut buffer[..want])?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        to(&buffer[..count])?;
        left -= count as u64;
    }
    Ok(())
}

/// Why a file is no whole backup.
#[derive(Debug)]
pub(crate) enum Broken {
    NotABackup,
    CutShort,
    /// The check value of this entry, or of the end, does not match.
    Check(String),
    Name(String),
    Io(io::Error),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof { Broken::CutShort } else { Broken::Io(error) }
    }
}

/// Where the content of an entry goes.
pub(crate) trait Sink {
    fn begin(&mut self, name: &str, place: &Path, size: u64) -> io::Result<()>;
    fn piece(&mut self, piece: &[u8]) -> io::Result<()>;
    fn end(&mut self) -> io::Result<()>;
}

/// Reads a whole backup into a sink. What the sink was given counts only if this ends well.
pub(crate) fn read(mut from: impl Read, sink: &mut dyn Sink) -> Result<u64, Broken> {
    let mut magic = [0; MAGIC.len()];
    from.read_exact(&mut magic).map_err(|_| Broken::NotABackup)?;
    if magic != *MAGIC {
        return Err(Broken::NotABackup);
    }
    let mut checks = Context::new(&SHA256);
    let mut entries = 0;
    while let Some(check) = read_entry(&mut from, sink)? {
        checks.update(&check);
        entries += 1;
    }
    let mut count = [0; 8];
    from.read_exact(&mut count)?;
    let mut check = [0; 32];
    from.read_exact(&mut check)?;
    if u64::from_le_bytes(count) != entries || checks.finish().as_ref() != check {
        return Err(Broken::Check("the end".to_owned()));
    }
    Ok(entries)
}

fn read_entry(from: &mut impl Read, sink: &mut dyn Sink) -> Result<Option<[u8; 32]>, Broken> {
    let mut len = [0; 2];
    from.read_exact(&mut len)?;
    if len == [0, 0] {
        return Ok(None);
    }
    let mut head = vec![0; usize::from(u16::from_le_bytes(len)) + 8];
    from.read_exact(&mut head)?;
    let (name, size) = head.split_last_chunk::<8>().ok_or(Broken::CutShort)?;
    let name = String::from_utf8_lossy(name).into_owned();
    let place = place_of(&name).ok_or_else(|| Broken::Name(name.clone()))?;
    let size = u64::from_le_bytes(*size);
    let mut hash = Context::new(&SHA256);
    hash.update(&len);
    hash.update(&head);
    sink.begin(&name, &place, size)?;
    copy(from, size, |piece| {
        hash.update(piece);
        sink.piece(piece)
    })?;
    sink.end()?;
    let mut check = [0; 32];
    from.read_exact(&mut check)?;
    if hash.finish().as_ref() != check {
        return Err(Broken::Check(name));
    }
    Ok(Some(check))
}
