//! Many users at once.

use crate::audit::{By, NewLine, add};
use crate::directory::{DirectoryError, next_ids, put_user, reserve_id};
use crate::sqlite::Store;
use lyceum_sip::digest::Ha1;
use lyceum_topology::{UserId, UserRecord};
use rusqlite::{OptionalExtension, Transaction};

/// Users per transaction: long enough to be fast, short enough that another change gets between.
const PER_TRANSACTION: usize = 5_000;
/// Refused users that are named in a report; the rest is counted.
const NAMED: usize = 100;

/// One user to import.
#[derive(Debug, Clone)]
pub struct ImportUser {
    /// The record; number 0 takes the number of the user with this address, or the next.
    pub record: UserRecord,
    /// Hashes of the password; `None` leaves the one that is there.
    pub secret: Option<Ha1>,
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Users that were new.
    pub added: u64,
    /// Users that were there and are changed.
    pub replaced: u64,
    /// How many were refused.
    pub refused: u64,
    /// The first of the refused, with the reason.
    pub reasons: Vec<(String, String)>,
}

impl Store {
    /// Adds or replaces users, some thousands per transaction with one audit line each. A user who
    /// conflicts with another is refused and reported, the rest goes on. `progress` is told the
    /// number of users handled.
    pub fn import_users(
        &self,
        users: impl IntoIterator<Item = ImportUser>,
        by: By<'_>,
        mut progress: impl FnMut(u64),
    ) -> Result<ImportReport, DirectoryError> {
        let mut users = users.into_iter().peekable();
        let mut report = ImportReport::default();
        let mut handled = 0;
        while users.peek().is_some() {
            let chunk: Vec<ImportUser> = users.by_ref().take(PER_TRANSACTION).collect();
            handled += chunk.len() as u64;
            let done = self.write(|tx, epoch| self.import_chunk(tx, epoch, chunk, by))?;
            report.add(done);
            progress(handled);
        }
        Ok(report)
    }

    fn import_chunk(
        &self,
        tx: &Transaction<'_>,
        epoch: u64,
        chunk: Vec<ImportUser>,
        by: By<'_>,
    ) -> Result<ImportReport, DirectoryError> {
        let mut report = ImportReport::default();
        for ImportUser { mut record, secret } in chunk {
            let known = is_known(tx, &mut record)?;
            if record.id.0 == 0 {
                record.id = UserId(next_ids(tx, epoch, "user", 1)?);
            } else {
                reserve_id(tx, epoch, "user", record.id.0)?;
            }
            match put_user(tx, epoch, &record) {
                Ok(_) if known => report.replaced += 1,
                Ok(_) => report.added += 1,
                Err(DirectoryError::Conflict(conflict)) => {
                    report.refuse(record.address.as_str(), &conflict.to_string());
                    continue;
                }
                Err(error) => return Err(error),
            }
            if let Some(secret) = &secret {
                self.put_secret(tx, epoch, record.id, secret)?;
            }
        }
        let ImportReport { added, replaced, refused, .. } = report;
        let after = format!("{{\"added\":{added},\"replaced\":{replaced},\"refused\":{refused}}}");
        let line = NewLine { what: "user.import", object: "users", after: Some(&after), ..NewLine::default() };
        add(tx, epoch, by, &line)?;
        Ok(report)
    }
}

/// Whether the user is there; finds the number of one that is named by address alone.
fn is_known(tx: &Transaction<'_>, record: &mut UserRecord) -> Result<bool, DirectoryError> {
    if record.id.0 != 0 {
        let mut select = tx.prepare_cached("SELECT 1 FROM user WHERE id = ?1")?;
        return Ok(select.exists([record.id.0])?);
    }
    let known: Option<u32> = tx
        .prepare_cached("SELECT id FROM user WHERE address = ?1")?
        .query_row([record.address.as_str()], |row| row.get(0))
        .optional()?;
    record.id = UserId(known.unwrap_or(0));
    Ok(known.is_some())
}

impl ImportReport {
    fn refuse(&mut self, who: &str, why: &str) {
        self.refused += 1;
        if self.reasons.len() < NAMED {
            self.reasons.push((who.to_owned(), why.to_owned()));
        }
    }

    fn add(&mut self, chunk: ImportReport) {
        self.added += chunk.added;
        self.replaced += chunk.replaced;
        self.refused += chunk.refused;
        let room = NAMED - self.reasons.len();
        self.reasons.extend(chunk.reasons.into_iter().take(room));
    }
}
