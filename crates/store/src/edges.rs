//! Access Edges that are enrolled, and the one-time tokens by which they come.

use crate::audit::{By, NewLine, add};
use crate::error::StoreError;
use crate::sqlite::Store;
use lyceum_sip::time::WallTime;
use rusqlite::{OptionalExtension, params};

/// An Access Edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeRow {
    /// Its number, for life.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// The name in its certificate; empty while it has none.
    pub link: String,
    /// When it got the certificate.
    pub enrolled: Option<WallTime>,
    /// When the token that is out ends.
    pub token_ends: Option<WallTime>,
}

impl Store {
    /// Notes a one-time token for an Edge, in the place of an earlier one. What the Edge has goes on until it is used.
    pub fn edge_token(&self, name: &str, token: &[u8], ends: WallTime, by: By<'_>) -> Result<(), StoreError> {
        self.write(|tx, epoch| {
            tx.execute(
                "INSERT INTO edge (name, token, token_ends, epoch) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (name) DO UPDATE SET token = ?2, token_ends = ?3, epoch = ?4",
                params![name, token, ends.0, epoch],
            )?;
            add(tx, epoch, by, &NewLine { what: "edge.token", object: name, ..NewLine::default() })?;
            Ok(())
        })
    }

    /// Uses a token up: the Edge gets the certificate's name that `link` makes of its number. `None` when the token was used,
    /// has ended, or never was.
    pub fn edge_enrol(
        &self,
        token: &[u8],
        link: impl FnOnce(u32) -> String,
        by: By<'_>,
    ) -> Result<Option<EdgeRow>, StoreError> {
        self.write(|tx, epoch| {
            let found: Option<(u32, String)> = tx
                .query_row(
                    "SELECT number, name FROM edge WHERE token = ?1 AND token_ends > ?2",
                    params![token, by.at.0],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()?;
            let Some((number, name)) = found else { return Ok(None) };
            let link = link(number);
            tx.execute(
                "UPDATE edge SET link = ?2, enrolled = ?3, token = NULL, token_ends = 0, epoch = ?4 WHERE number = ?1",
                params![number, link, by.at.0, epoch],
            )?;
            add(tx, epoch, by, &NewLine { what: "edge.enrol", object: &name, ..NewLine::default() })?;
            Ok(Some(EdgeRow { number, name, link, enrolled: Some(by.at), token_ends: None }))
        })
    }

    /// Takes an Edge away; false when there is none of this name.
    pub fn edge_remove(&self, name: &str, by: By<'_>) -> Result<bool, StoreError> {
        self.write(|tx, epoch| {
            let gone = tx.execute("DELETE FROM edge WHERE name = ?1", [name])? > 0;
            if gone {
                add(tx, epoch, by, &NewLine { what: "edge.remove", object: name, ..NewLine::default() })?;
            }
            Ok(gone)
        })
    }

    /// All of them, in the order of their numbers.
    pub fn edges(&self) -> Result<Vec<EdgeRow>, StoreError> {
        self.read(|db| {
            let mut select =
                db.prepare_cached("SELECT number, name, link, enrolled, token_ends FROM edge ORDER BY number")?;
            let rows = select.query_map([], |row| {
                let time = |at: i64| (at != 0).then_some(WallTime(at as u64));
                Ok(EdgeRow {
                    number: row.get(0)?,
                    name: row.get(1)?,
                    link: row.get(2)?,
                    enrolled: time(row.get(3)?),
                    token_ends: time(row.get(4)?),
                })
            })?;
            rows.map(|row| row.map_err(StoreError::from)).collect()
        })
    }
}
