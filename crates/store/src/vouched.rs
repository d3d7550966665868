//! Which person of an issuer a user is: tied at the first sign-in, so that the name alone opens nothing later.

use crate::audit::{By, NewLine, add};
use crate::error::StoreError;
use crate::sqlite::Store;
use lyceum_topology::UserId;
use rusqlite::{OptionalExtension, params};

/// Who somebody is at an issuer: its name for itself, and its name for the person for life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouched {
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
}

impl Store {
    /// The person of an issuer whom a user is tied to.
    pub fn vouched(&self, user: UserId) -> Result<Option<Vouched>, StoreError> {
        self.read(|db| {
            let mut select = db.prepare_cached("SELECT issuer, subject FROM vouched WHERE user = ?1")?;
            let row = |row: &rusqlite::Row<'_>| Ok(Vouched { issuer: row.get(0)?, subject: row.get(1)? });
            Ok(select.query_row([user.0], row).optional()?)
        })
    }

    /// The user who is tied to a person of an issuer.
    pub fn vouched_user(&self, of: &Vouched) -> Result<Option<UserId>, StoreError> {
        self.read(|db| {
            let mut select = db.prepare_cached("SELECT user FROM vouched WHERE issuer = ?1 AND subject = ?2")?;
            Ok(select.query_row(params![of.issuer, of.subject], |row| row.get(0).map(UserId)).optional()?)
        })
    }

    /// Ties a user to a person of an issuer, instead of whom they were tied to; `object` is the user's address, for the
    /// audit list.
    pub fn vouched_tie(&self, user: UserId, of: &Vouched, object: &str, by: By<'_>) -> Result<(), StoreError> {
        self.write(|tx, epoch| {
            let sql = "INSERT OR REPLACE INTO vouched (user, issuer, subject, epoch) VALUES (?1, ?2, ?3, ?4)";
            tx.execute(sql, params![user.0, of.issuer, of.subject, epoch])?;
            Ok::<_, StoreError>(add(tx, epoch, by, &NewLine { what: "user.tie", object, ..NewLine::default() })?)
        })
    }

    /// Unties a user: the next sign-in by the issuer ties them anew. Tells whether they were tied.
    pub fn vouched_untie(&self, user: UserId, object: &str, by: By<'_>) -> Result<bool, StoreError> {
        self.write(|tx, epoch| {
            if tx.execute("DELETE FROM vouched WHERE user = ?1", [user.0])? == 0 {
                return Ok(false);
            }
            add(tx, epoch, by, &NewLine { what: "user.untie", object, ..NewLine::default() })?;
            Ok::<_, StoreError>(true)
        })
    }
}
