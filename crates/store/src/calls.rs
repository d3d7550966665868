//! Call records. They are appended in batches beside the calls and synced now and then: losing
//! the last second of them in a power cut harms no call.

use crate::error::StoreError;
use crate::sqlite::Store;
use lyceum_sip::time::WallTime;
use rusqlite::{OptionalExtension, Row, params};

/// Most rows that one question is answered with.
const MOST_ROWS: u32 = 10_000;
/// Rows that one purge transaction removes, so that appending is never held up for long.
const PURGE_ROWS: u32 = 2_000;

/// A call record; what is in `record` belongs to `monitoring`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRow {
    /// The call's identity: its Session-ID, or Call-ID with tags.
    pub id: String,
    /// When it began.
    pub started: WallTime,
    /// When it ended; `None` while it lasts.
    pub ended: Option<WallTime>,
    /// The caller's address.
    pub caller: String,
    /// The callee's address.
    pub callee: String,
    /// Final status of the INVITE, 0 while there is none.
    pub status: u16,
    /// The whole record.
    pub record: Vec<u8>,
}

/// Which calls to show, newest first.
#[derive(Debug, Clone, Default)]
pub struct CallQuery {
    /// Of this address, as caller or callee.
    pub user: Option<String>,
    /// Begun not before.
    pub from: Option<WallTime>,
    /// Begun not after.
    pub to: Option<WallTime>,
    /// At most this many; 0 means the most there is.
    pub limit: u32,
}

/// What a purge removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purged {
    /// Call records.
    pub calls: u64,
    /// Trace rows.
    pub traces: u64,
}

impl Store {
    /// Adds records, or replaces those of the same call.
    pub fn append_calls(&self, rows: &[CallRow]) -> Result<(), StoreError> {
        let inner = self.inner();
        inner.records.write(inner.records_epoch, |tx, epoch| {
            let mut insert = tx.prepare_cached(
                "INSERT OR REPLACE INTO call (id, started, ended, caller, callee, status, record, epoch)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?;
            for row in rows {
                let ended = row.ended.map(|t| t.0);
                insert.execute(params![
                    row.id,
                    row.started.0,
                    ended,
                    row.caller,
                    row.callee,
                    row.status,
                    row.record,
                    epoch
                ])?;
            }
            Ok(())
        })
    }

    /// One call.
    pub fn call(&self, id: &str) -> Result<Option<CallRow>, StoreError> {
        self.inner().records.read(|db| {
            let mut select = db.prepare_cached(&format!("SELECT {COLUMNS} FROM call WHERE id = ?1"))?;
            Ok(select.query_row([id], call).optional()?)
        })
    }

    /// Calls, newest first.
    pub fn calls(&self, query: &CallQuery) -> Result<Vec<CallRow>, StoreError> {
        let limit = if query.limit == 0 { MOST_ROWS } else { query.limit.min(MOST_ROWS) };
        let (from, to) = (query.from.map_or(0, |t| t.0), query.to.map_or(i64::MAX as u64, |t| t.0));
        self.inner().records.read(|db| {
            // Two index searches for a user, merged; one range for everybody.
            let by = |column: &str| {
                format!(
                    "SELECT * FROM (SELECT {COLUMNS} FROM call WHERE {column} = ?4 AND started BETWEEN ?1 AND ?2
                     ORDER BY started DESC LIMIT ?3)"
                )
            };
            let rows: Vec<CallRow> = match &query.user {
                Some(user) => {
                    let sql = format!("{} UNION {} ORDER BY started DESC LIMIT ?3", by("caller"), by("callee"));
                    let mut select = db.prepare_cached(&sql)?;
                    select.query_map(params![from, to, limit, user], call)?.collect::<Result<_, _>>()?
                }
                None => {
                    let sql = format!(
                        "SELECT {COLUMNS} FROM call WHERE started BETWEEN ?1 AND ?2 ORDER BY started DESC LIMIT ?3"
                    );
                    let mut select = db.prepare_cached(&sql)?;
                    select.query_map(params![from, to, limit], call)?.collect::<Result<_, _>>()?
                }
            };
            Ok(rows)
        })
    }

    /// Removes calls begun before the first time and traces before the second, and the oldest beyond `most` rows of each.
    /// `go_on` is asked between transactions.
    pub fn purge_records(
        &self,
        before: [WallTime; 2],
        most: u64,
        mut go_on: impl FnMut() -> bool,
    ) -> Result<Purged, StoreError> {
        let mut purged = Purged::default();
        let tables = [("call", "started", &mut purged.calls), ("trace", "at", &mut purged.traces)];
        for ((table, time, count), before) in tables.into_iter().zip(before) {
            while go_on() {
                let gone = self.purge_some(table, time, before, most)?;
                *count += u64::from(gone);
                if gone < PURGE_ROWS {
                    break;
                }
            }
        }
        Ok(purged)
    }

    fn purge_some(&self, table: &str, time: &str, before: WallTime, most: u64) -> Result<u32, StoreError> {
        let inner = self.inner();
        inner.records.write(inner.records_epoch, |tx, _| {
            let held: u64 = tx.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
            let over = u32::try_from(held.saturating_sub(most)).unwrap_or(u32::MAX).min(PURGE_ROWS);
            let oldest = |condition: &str| {
                format!(
                    "DELETE FROM {table} WHERE rowid IN
                     (SELECT rowid FROM {table} WHERE {condition} ORDER BY {time} LIMIT ?2)"
                )
            };
            let gone = tx.execute(&oldest(&format!("{time} < ?1")), params![before.0, PURGE_ROWS])?;
            let rest = over.saturating_sub(gone as u32);
            let more = if rest > 0 { tx.execute(&oldest("?1 IS NULL"), params![None::<i64>, rest])? } else { 0 };
            Ok((gone + more) as u32)
        })
    }
}

const COLUMNS: &str = "id, started, ended, caller, callee, status, record";

fn call(row: &Row<'_>) -> rusqlite::Result<CallRow> {
    Ok(CallRow {
        id: row.get(0)?,
        started: WallTime(row.get(1)?),
        ended: row.get::<_, Option<u64>>(2)?.map(WallTime),
        caller: row.get(3)?,
        callee: row.get(4)?,
        status: row.get(5)?,
        record: row.get(6)?,
    })
}
