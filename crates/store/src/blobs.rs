//! Content-addressed files beside the databases: `blobs/ab/cd/<sha-256>`.

use crate::error::{StoreError, family};
use crate::fs::sync_dir;
use crate::key::{from_hex, hex, random, sha256};
use crate::sqlite::Store;
use aws_lc_rs::digest::{Context, SHA256};
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
        let mut blob = self.blob_begin()?;
        let mut buffer = vec![0; 64 << 10];
        loop {
            match content.read(&mut buffer).map_err(|e| StoreError::io(&e, &blob.temporary))? {
                0 => return blob.keep(),
                count => blob.write(&buffer[..count])?,
            }
        }
    }

    /// Begins a blob whose content comes piece by piece.
    pub fn blob_begin(&self) -> Result<NewBlob, BlobError> {
        let dir = self.dir().join("blobs");
        let temporary = dir.join(format!("new-{}", hex(&random::<8>())));
        let made = fs::create_dir_all(&dir).and_then(|()| File::create_new(&temporary));
        let file = made.map_err(|e| StoreError::io(&e, &dir))?;
        Ok(NewBlob { dir, temporary, file, hash: Context::new(&SHA256), size: 0 })
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

/// A blob that is being written; dropped before it is kept, it leaves nothing behind.
pub struct NewBlob {
    dir: PathBuf,
    temporary: PathBuf,
    file: File,
    hash: Context,
    size: u64,
}

impl NewBlob {
    /// Bytes written so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a piece.
    pub fn write(&mut self, piece: &[u8]) -> Result<(), BlobError> {
        self.size += piece.len() as u64;
        if self.size > LARGEST {
            return Err(BlobError::TooLarge);
        }
        self.hash.update(piece);
        self.file.write_all(piece).map_err(|e| StoreError::io(&e, &self.temporary).into())
    }

    /// Keeps it under the name of its content, once that is durable.
    pub fn keep(self) -> Result<BlobId, BlobError> {
        self.place().map_err(|e| StoreError::io(&e, &self.dir).into())
    }

    fn place(&self) -> io::Result<BlobId> {
        self.file.sync_all()?;
        let digest = self.hash.clone().finish();
        let id = BlobId(digest.as_ref().try_into().expect("SHA-256 has 32 bytes"));
        let place = self.dir.join(id.relative());
        let folder = place.parent().expect("a blob stands two folders down");
        fs::create_dir_all(folder)?;
        fs::rename(&self.temporary, &place)?;
        for folder in [folder, folder.parent().unwrap_or(&self.dir), &self.dir] {
            sync_dir(folder)?;
        }
        Ok(id)
    }
}

impl Drop for NewBlob {
    fn drop(&mut self) {
        // Kept ones have another name by now.
        let _ = fs::remove_file(&self.temporary);
    }
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
