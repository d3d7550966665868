//! Who changed what, and when. Lines are only ever added.

use crate::error::StoreError;
use crate::sqlite::Store;
use lyceum_sip::time::WallTime;
use rusqlite::{Row, Transaction, params};

/// Most lines that one question is answered with.
const MOST_LINES: u32 = 10_000;

/// The author of a change.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    /// Name of the administrator, or of the part of the server that acts by itself.
    pub who: &'a str,
    /// When.
    pub at: WallTime,
}

/// One line of the audit list. No secret is ever in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLine {
    /// Its number, rising.
    pub id: u64,
    /// When.
    pub at: WallTime,
    /// The author.
    pub who: String,
    /// What was done, as `user.put`.
    pub what: String,
    /// To which object, as the user's address.
    pub object: String,
    /// The record before, as JSON.
    pub before: Option<String>,
    /// The record after, as JSON.
    pub after: Option<String>,
    /// Version of the topology before, for changes of the document.
    pub version_before: Option<u64>,
    /// Version of the topology after.
    pub version_after: Option<u64>,
}

/// Which lines to show, newest first.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// Not before.
    pub from: Option<WallTime>,
    /// Not after.
    pub to: Option<WallTime>,
    /// By this author.
    pub who: Option<String>,
    /// What, a whole word or its beginning up to a dot, as `user`.
    pub what: Option<String>,
    /// To this object.
    pub object: Option<String>,
    /// Only lines before this number, for paging.
    pub before_id: Option<u64>,
    /// At most this many; 0 means the most there is.
    pub limit: u32,
}

/// What a change adds to the list.
#[derive(Default)]
pub(crate) struct NewLine<'a> {
    pub what: &'a str,
    pub object: &'a str,
    pub before: Option<&'a str>,
    pub after: Option<&'a str>,
    pub version_before: Option<u64>,
    pub version_after: Option<u64>,
}

/// Adds a line inside the transaction of its change.
pub(crate) fn add(tx: &Transaction<'_>, epoch: u64, by: By<'_>, line: &NewLine<'_>) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO audit (at, who, what, object, before, after, version_before, version_after, epoch)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        by.at.0,
        by.who,
        line.what,
        line.object,
        line.before,
        line.after,
        line.version_before,
        line.version_after,
        epoch
    ])?;
    Ok(())
}

impl Store {
    /// Notes an act that changes no row of its own, as a sign-in or a backup.
    pub fn audit_note(&self, by: By<'_>, what: &str, object: &str, after: Option<&str>) -> Result<(), StoreError> {
        self.write(|tx, epoch| Ok(add(tx, epoch, by, &NewLine { what, object, after, ..NewLine::default() })?))
    }

    /// Lines of the audit list, newest first.
    pub fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditLine>, StoreError> {
        let limit = if query.limit == 0 { MOST_LINES } else { query.limit.min(MOST_LINES) };
        self.read(|db| {
            let mut select = db.prepare_cached(
                "SELECT id, at, who, what, object, before, after, version_before, version_after FROM audit
                 WHERE (?1 IS NULL OR at >= ?1) AND (?2 IS NULL OR at <= ?2)
                   AND (?3 IS NULL OR who = ?3)
                   AND (?4 IS NULL OR what = ?4 OR substr(what, 1, length(?4) + 1) = ?4 || '.')
                   AND (?5 IS NULL OR object = ?5) AND (?6 IS NULL OR id < ?6)
                 ORDER BY id DESC LIMIT ?7",
            )?;
            let lines = select.query_map(
                params![
                    query.from.map(|t| t.0),
                    query.to.map(|t| t.0),
                    query.who,
                    query.what,
                    query.object,
                    query.before_id,
                    limit
                ],
                line,
            )?;
            Ok(lines.collect::<Result<_, _>>()?)
        })
    }
}

fn line(row: &Row<'_>) -> rusqlite::Result<AuditLine> {
    Ok(AuditLine {
        id: row.get(0)?,
        at: WallTime(row.get(1)?),
        who: row.get(2)?,
        what: row.get(3)?,
        object: row.get(4)?,
        before: row.get(5)?,
        after: row.get(6)?,
        version_before: row.get(7)?,
        version_after: row.get(8)?,
    })
}
