//! Content-addressed files beside the databases: `blobs/ab/cd/<sha-256>`.

use crate::error::{StoreError, family};
use crate::fs::sync_dir;
use crate::key::{from_hex, hex, random, sha256};
use crate::sqlite::Store;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Largest blob, in bytes: recordings of a long meeting stay below.
const LARGEST: u64 = 4 << 30;

/// The name of a blob: the SHA-256 of what is in it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobId(pub [u8; 32]);

impl BlobId {
    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<BlobId> {
        from_hex(text).map(BlobId)
    }

    /// Where it stands below `blobs/`.
    pub(crate) fn relative(self) -> PathBuf {
        let name = hex(&self.0);
        Path::new(&name[..2]).join(&name[2..4]).join(name)
    }
}

impl std::fmt::Display for BlobId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl std::fmt::Debug for BlobId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// Why a blob cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlobError {
    /// There is none of this name.
    NoBlob(BlobId),
    /// Its content is not what its name says.
    Damaged(BlobId),
    /// Over the largest size.
    TooLarge,
    /// Disk or file.
    Store(StoreError),
}

family!(BlobError);

impl std::fmt::Display for BlobError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            BlobError::NoBlob(id) => write!(f, "there is no file {id} in the blob folder"),
            BlobError::Damaged(id) => {
                write!(f, "the file {id} in the blob folder is damaged: bring it back from a backup")
            }
            BlobError::TooLarge => write!(f, "the file is over {} GiB, the largest that is kept", LARGEST >> 30),
            BlobError::Store(error) => error.fmt(f),
        }
    }
}

impl Store {
    /// Keeps what is read and answers with its name, once it is durable.
    pub fn blob_put(&self, content: &mut dyn Read) -> Result<BlobId, BlobError> {
        let dir = self.dir().join("blobs");
        let temporary = dir.join(format!("new-{}", hex(&random::<8>())));
        let mut put = || -> io::Result<Option<BlobId>> {
            fs::create_dir_all(&dir)?;
            let Some(id) = copy_hashed(content, &temporary)? else { return Ok(None) };
            let place = dir.join(id.relative());
            let folder = place.parent().expect("a blob stands two folders down");
            fs::create_dir_all(folder)?;
            fs::rename(&temporary, &place)?;
            for folder in [folder, folder.parent().unwrap_or(&dir), &dir] {
                sync_dir(folder)?;
            }
            Ok(Some(id))
        };
        let result = put();
        if !matches!(result, Ok(Some(_))) {
            let _ = fs::remove_file(&temporary);
        }
        result.map_err(|e| StoreError::io(&e, &dir))?.ok_or(BlobError::TooLarge)
    }

    /// The whole content, checked against its name.
    pub fn blob(&self, id: BlobId) -> Result<Vec<u8>, BlobError> {
        let path = self.blob_path(id);
        let bytes = fs::read(&path).map_err(|e| missing(&e, id, &path))?;
        if sha256(&bytes) == id.0 { Ok(bytes) } else { Err(BlobError::Damaged(id)) }
    }

    /// An open file for streaming. The caller that needs the check reads with [`Store::blob`].
    pub fn blob_open(&self, id: BlobId) -> Result<File, BlobError> {
        let path = self.blob_path(id);
        File::open(&path).map_err(|e| missing(&e, id, &path))
    }

    /// Removes a blob; tells whether it was there.
    pub fn blob_remove(&self, id: BlobId) -> Result<bool, BlobError> {
        let path = self.blob_path(id);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(StoreError::io(&error, &path).into()),
        }
    }

    /// The names of all blobs.
    pub fn blobs(&self) -> Result<Vec<BlobId>, BlobError> {
        let dir = self.dir().join("blobs");
        let mut ids = Vec::new();
        list(&dir, 2, &mut ids).map_err(|e| StoreError::io(&e, &dir))?;
        ids.sort();
        Ok(ids)
    }

    /// Where a blob's content stands, for a program that looks at it.
    pub fn blob_path(&self, id: BlobId) -> PathBuf {
        self.dir().join("blobs").join(id.relative())
    }
}

fn missing(error: &io::Error, id: BlobId, path: &Path) -> BlobError {
    if error.kind() == io::ErrorKind::NotFound { BlobError::NoBlob(id) } else { StoreError::io(error, path).into() }
}

/// Copies into a new synced file; `None` when there is too much.
fn copy_hashed(content: &mut dyn Read, to: &Path) -> io::Result<Option<BlobId>> {
    let mut file = File::create_new(to)?;
    let mut hash = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    let mut buffer = vec![0; 64 << 10];
    let mut total = 0;
    loop {
        let count = content.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        total += count as u64;
        if total > LARGEST {
            return Ok(None);
        }
        hash.update(&buffer[..count]);
        file.write_all(&buffer[..count])?;
    }
    file.sync_all()?;
    let digest = hash.finish();
    Ok(digest.as_ref().try_into().ok().map(BlobId))
}

fn list(dir: &Path, depth: u32, ids: &mut Vec<BlobId>) -> io::Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if depth > 0 && entry.file_type()?.is_dir() {
            list(&entry.path(), depth - 1, ids)?;
        } else if depth == 0 {
            ids.extend(entry.file_name().to_str().and_then(BlobId::parse));
        }
    }
    Ok(())
}
