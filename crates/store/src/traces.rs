//! SIP ladders, message by message.

use crate::error::StoreError;
use crate::sqlite::Store;
use lyceum_sip::time::WallTime;
use rusqlite::params;

/// Most rows that one question is answered with.
const MOST_ROWS: u32 = 10_000;

/// One line of a ladder; what is in `record` belongs to `monitoring`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceRow {
    /// Identity of the call, the same as in its record.
    pub call: String,
    /// When.
    pub at: WallTime,
    /// The whole line.
    pub record: Vec<u8>,
}

impl Store {
    /// Adds lines.
    pub fn append_traces(&self, rows: &[TraceRow]) -> Result<(), StoreError> {
        let inner = self.inner();
        inner.records.write(inner.records_epoch, |tx, epoch| {
            let mut insert =
                tx.prepare_cached("INSERT INTO trace (call, at, record, epoch) VALUES (?1, ?2, ?3, ?4)")?;
            for row in rows {
                insert.execute(params![row.call, row.at.0, row.record, epoch])?;
            }
            Ok(())
        })
    }

    /// The ladder of a call, in order.
    pub fn trace(&self, call: &str) -> Result<Vec<TraceRow>, StoreError> {
        self.traces_where("call = ?1 AND at BETWEEN ?2 AND ?3", Some(call), WallTime(0), WallTime(i64::MAX as u64), 0)
    }

    /// All lines of a span of time, in order.
    pub fn traces(&self, from: WallTime, to: WallTime, limit: u32) -> Result<Vec<TraceRow>, StoreError> {
        self.traces_where("?1 IS NULL AND at BETWEEN ?2 AND ?3", None, from, to, limit)
    }

    fn traces_where(
        &self,
        condition: &str,
        call: Option<&str>,
        from: WallTime,
        to: WallTime,
        limit: u32,
    ) -> Result<Vec<TraceRow>, StoreError> {
        let limit = if limit == 0 { MOST_ROWS } else { limit.min(MOST_ROWS) };
        self.inner().records.read(|db| {
            let sql = format!("SELECT call, at, record FROM trace WHERE {condition} ORDER BY at, id LIMIT ?4");
            let mut select = db.prepare_cached(&sql)?;
            let rows = select.query_map(params![call, from.0, to.0, limit], |row| {
                Ok(TraceRow { call: row.get(0)?, at: WallTime(row.get(1)?), record: row.get(2)? })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}
