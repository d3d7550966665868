//! The base image of a group.
//!
//! ```text
//! image = "LYGR" version:u8 group:u8 count:u32 (len:varint record)* facets check:u64
//! facets = count:u32 (len:varint facet)*      from version 2
//! ```

use crate::bytes::{Cursor, hash64, put_bytes};
use crate::facet::Facet;
use crate::group::Group;
use crate::record::Record;
use lyceum_sip::time::WallTime;

const MAGIC: &[u8; 4] = b"LYGR";
const VERSION: u8 = 2;
/// Bindings alone: what images were before there were facets.
const WITHOUT_FACETS: u8 = 1;

/// Why a base image cannot be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageError {
    /// Written by a newer version of the server.
    Version(u8),
    /// The image of another group.
    Group(u8),
    /// Not an image: cut short or damaged.
    Damaged,
}

impl std::fmt::Display for ImageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ImageError::Version(v) => {
                write!(
                    f,
                    "a base image of bindings has format {v}; this server reads up to {VERSION}: start the newer server"
                )
            }
            ImageError::Group(g) => write!(f, "a base image of bindings belongs to group {g}; restore a backup"),
            ImageError::Damaged => write!(f, "a base image of bindings is damaged; restore a backup"),
        }
    }
}

impl std::error::Error for ImageError {}

impl Group {
    /// Appends the group's base image. Bindings that ended before `now` stay out.
    pub fn snapshot(&self, now: WallTime, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&[VERSION, self.id]);
        let count_at = out.len();
        out.extend_from_slice(&[0; 4]);
        let mut count = 0u32;
        for packed in &self.table {
            if Record(packed).live(now).next().is_some() {
                put_bytes(out, packed);
                count += 1;
            }
        }
        out[count_at..count_at + 4].copy_from_slice(&count.to_le_bytes());
        out.extend_from_slice(&(self.facets.len() as u32).to_le_bytes());
        self.facets.packed().for_each(|packed| put_bytes(out, packed));
        let check = hash64(&out[start..]);
        out.extend_from_slice(&check.to_le_bytes());
    }

    /// Replaces what the group holds by a base image; on an error the group is left as it was.
    pub fn load(&mut self, image: &[u8]) -> Result<(), ImageError> {
        let mut loaded = Group::new(self.id);
        read_into(&mut loaded, image)?;
        (self.table, self.bindings, self.earliest) = (loaded.table, loaded.bindings, loaded.earliest);
        self.facets = loaded.facets;
        Ok(())
    }
}

fn read_into(group: &mut Group, image: &[u8]) -> Result<(), ImageError> {
    let (body, check) = image.split_last_chunk::<8>().ok_or(ImageError::Damaged)?;
    let mut at = Cursor::new(body);
    if at.array() != Some(*MAGIC) {
        return Err(ImageError::Damaged);
    }
    let version = at.byte().ok_or(ImageError::Damaged)?;
    if !(WITHOUT_FACETS..=VERSION).contains(&version) {
        return Err(ImageError::Version(version));
    }
    if hash64(body) != u64::from_le_bytes(*check) {
        return Err(ImageError::Damaged);
    }
    let id = at.byte().ok_or(ImageError::Damaged)?;
    if id != group.id {
        return Err(ImageError::Group(id));
    }
    let count = u32::from_le_bytes(at.array().ok_or(ImageError::Damaged)?);
    for _ in 0..count {
        let record = at.bytes().filter(|r| Record(r).is_valid()).ok_or(ImageError::Damaged)?;
        group.insert_image(record);
    }
    if version > WITHOUT_FACETS {
        let count = u32::from_le_bytes(at.array().ok_or(ImageError::Damaged)?);
        for _ in 0..count {
            let packed = at.bytes().filter(|f| Facet(f).is_valid()).ok_or(ImageError::Damaged)?;
            group.facets.insert(packed.into());
        }
    }
    if at.is_empty() { Ok(()) } else { Err(ImageError::Damaged) }
}
