//! Ended sessions of pages. Tokens are signed, not stored: what is stored is which of them are worth nothing any more.

use crate::error::StoreError;
use crate::sqlite::Store;
use lyceum_sip::time::WallTime;
use lyceum_topology::UserId;
use rusqlite::params;

/// Tokens that were handed out until then are worth nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageEnd {
    /// Whose.
    pub user: UserId,
    /// Of which device; `None` for all.
    pub device: Option<u64>,
    /// Until when.
    pub at: WallTime,
}

impl Store {
    /// Remembers an end, and forgets those from before `forgotten`, when the last token of theirs has run out.
    pub fn page_end(&self, end: PageEnd, forgotten: WallTime) -> Result<(), StoreError> {
        self.write(|tx, epoch| {
            tx.execute("DELETE FROM page_end WHERE at < ?1", [forgotten.0])?;
            tx.execute(
                "INSERT OR REPLACE INTO page_end (user, device, at, epoch) VALUES (?1, ?2, ?3, ?4)",
                params![end.user.0, end.device.unwrap_or(0) as i64, end.at.0, epoch],
            )?;
            Ok(())
        })
    }

    /// All that are remembered.
    pub fn page_ends(&self) -> Result<Vec<PageEnd>, StoreError> {
        self.read(|db| {
            let mut select = db.prepare_cached("SELECT user, device, at FROM page_end")?;
            let rows = select.query_map([], |row| {
                let device = row.get::<_, i64>(1)? as u64;
                let at = WallTime(row.get(2)?);
                Ok(PageEnd { user: UserId(row.get(0)?), device: (device != 0).then_some(device), at })
            })?;
            rows.map(|row| row.map_err(StoreError::from)).collect()
        })
    }
}
