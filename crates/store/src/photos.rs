//! People's photos.

mod pixels;

use crate::error::{StoreError, family};
use crate::key::{hex, sha256};
use crate::sqlite::Store;
use lyceum_sip::time::WallTime;
use rusqlite::{OptionalExtension, params};

/// Largest photo, in bytes, whatever the policy says.
const LARGEST: usize = 1 << 20;
/// Most pixels along a side: a few bytes may claim to be a picture that fills a page's memory.
const SIDE_MOST: u32 = 2048;

/// A photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Photo {
    /// `image/jpeg`, `image/png`, `image/gif` or `image/webp`, as the image itself says.
    pub content_type: String,
    /// The image.
    pub image: Vec<u8>,
    /// The SHA-256 of the image in hexadecimal digits: an entity tag.
    pub digest: String,
    /// When it was set.
    pub changed: WallTime,
}

/// Why a photo is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhotoError {
    /// It is none of the formats that every browser shows.
    Format,
    /// It is over this many bytes.
    TooLarge(usize),
    /// It is over so many pixels wide or high.
    TooManyPixels(u32),
    /// It begins as an image and does not go on as one.
    Truncated,
    /// Disk or file.
    Store(StoreError),
}

family!(PhotoError);

impl std::fmt::Display for PhotoError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Format => f.write_str("the photo is no JPEG, PNG, GIF or WebP image: convert it first"),
            Self::TooManyPixels(most) => write!(f, "the photo is over {most} pixels wide or high: make it smaller"),
            Self::Truncated => f.write_str("the photo is not whole: save it again"),
            Self::TooLarge(most) => write!(f, "the photo is over {} KiB: make it smaller", most >> 10),
            Self::Store(error) => error.fmt(f),
        }
    }
}

/// The format, by how the image begins. What a sender says of it is not asked, so that no page can pass as an image.
fn format(image: &[u8]) -> Option<&'static str> {
    let is_webp = image.starts_with(b"RIFF") && image.get(8..12) == Some(b"WEBP");
    match image {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        _ => is_webp.then_some("image/webp"),
    }
}

impl Store {
    /// Sets a user's photo of at most `most` bytes.
    pub fn photo_put(&self, user: &str, image: &[u8], most: usize, at: WallTime) -> Result<Photo, PhotoError> {
        let most = most.min(LARGEST);
        if image.len() > most {
            return Err(PhotoError::TooLarge(most));
        }
        let content_type = format(image).ok_or(PhotoError::Format)?;
        let (width, height) = pixels::of(content_type, image).ok_or(PhotoError::Truncated)?;
        if width.max(height) > SIDE_MOST {
            return Err(PhotoError::TooManyPixels(SIDE_MOST));
        }
        let digest = sha256(image);
        let inner = self.inner();
        inner.messages.write(inner.messages_epoch, |tx, epoch| {
            tx.prepare_cached(
                "INSERT OR REPLACE INTO photo (user, content_type, image, digest, changed, epoch)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![user, content_type, image, digest, at.0, epoch])?;
            Ok::<_, PhotoError>(())
        })?;
        Ok(Photo { content_type: content_type.to_owned(), image: image.to_vec(), digest: hex(&digest), changed: at })
    }

    /// A user's photo.
    pub fn photo(&self, user: &str) -> Result<Option<Photo>, StoreError> {
        self.inner().messages.read(|db| {
            let mut select =
                db.prepare_cached("SELECT content_type, image, digest, changed FROM photo WHERE user = ?1")?;
            let photo = |row: &rusqlite::Row<'_>| {
                Ok(Photo {
                    content_type: row.get(0)?,
                    image: row.get(1)?,
                    digest: hex(&row.get::<_, [u8; 32]>(2)?),
                    changed: WallTime(row.get(3)?),
                })
            };
            Ok(select.query_row([user], photo).optional()?)
        })
    }

    /// The entity tag of a user's photo, without the image.
    pub fn photo_digest(&self, user: &str) -> Result<Option<String>, StoreError> {
        self.inner().messages.read(|db| {
            let mut select = db.prepare_cached("SELECT digest FROM photo WHERE user = ?1")?;
            Ok(select.query_row([user], |row| Ok(hex(&row.get::<_, [u8; 32]>(0)?))).optional()?)
        })
    }

    /// Removes a user's photo; tells whether there was one.
    pub fn photo_remove(&self, user: &str) -> Result<bool, StoreError> {
        let inner = self.inner();
        inner.messages.write(inner.messages_epoch, |tx, _| {
            Ok(tx.prepare_cached("DELETE FROM photo WHERE user = ?1")?.execute([user])? > 0)
        })
    }
}
