//! The hashes of users' passwords, sealed under the master key.

use crate::audit::{By, NewLine, add};
use crate::error::{StoreError, family};
use crate::key::{MasterKey, Sealer};
use crate::open::store_key_check;
use crate::sqlite::Store;
use lyceum_sip::digest::Ha1;
use lyceum_topology::UserId;
use rusqlite::{OptionalExtension, Transaction, params};
use std::sync::PoisonError;

/// Why a secret cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialError {
    /// There is no such user.
    NoUser(UserId),
    /// The sealed row does not open: it was moved or damaged.
    Damaged(UserId),
    /// Disk, file, damage or a stale owner.
    Store(StoreError),
}

family!(CredentialError);

impl std::fmt::Display for CredentialError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CredentialError::NoUser(id) => write!(f, "there is no user number {}", id.0),
            CredentialError::Damaged(id) => {
                write!(f, "the stored password of user number {} does not open: set it anew", id.0)
            }
            CredentialError::Store(error) => error.fmt(f),
        }
    }
}

impl Store {
    /// Sets a user's password hashes, with an audit line that names the user and nothing else.
    pub fn credential_put(&self, user: UserId, secret: &Ha1, by: By<'_>) -> Result<(), CredentialError> {
        self.write(|tx, epoch| {
            let address: Option<String> =
                tx.query_row("SELECT address FROM user WHERE id = ?1", [user.0], |row| row.get(0)).optional()?;
            let address = address.ok_or(CredentialError::NoUser(user))?;
            self.put_secret(tx, epoch, user, secret)?;
            Ok(add(tx, epoch, by, &NewLine { what: "user.password", object: &address, ..NewLine::default() })?)
        })
    }

    /// A user's password hashes; `None` for a user who has none.
    pub fn credential(&self, user: UserId) -> Result<Option<Ha1>, CredentialError> {
        match self.credential_once(user) {
            // Read just before the key was rotated and opened just after.
            Err(CredentialError::Damaged(_)) => self.credential_once(user),
            answer => answer,
        }
    }

    fn credential_once(&self, user: UserId) -> Result<Option<Ha1>, CredentialError> {
        let sealed: Option<Vec<u8>> = self.read(|db| {
            let mut select = db.prepare_cached("SELECT sealed FROM credential WHERE user = ?1")?;
            Ok::<_, CredentialError>(select.query_row([user.0], |row| row.get(0)).optional()?)
        })?;
        sealed.map(|sealed| self.with_sealer(|s| open(s, user, &sealed))).transpose()
    }

    /// All users' password hashes, for the cache that authentication reads.
    pub fn credentials(&self) -> Result<Vec<(UserId, Ha1)>, CredentialError> {
        self.read(|db| {
            let mut select = db.prepare_cached("SELECT user, sealed FROM credential")?;
            let mut rows = select.query([])?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                let user = UserId(row.get(0)?);
                let sealed = row.get_ref(1)?.as_blob().map_err(StoreError::unreadable)?;
                all.push((user, self.with_sealer(|s| open(s, user, sealed))?));
            }
            Ok(all)
        })
    }

    /// Seals every secret anew under another master key, in one transaction; from then on only
    /// the new key opens this data folder. Keep the old key for as long as old backups.
    pub fn rotate_key(&self, key: &MasterKey, by: By<'_>) -> Result<u64, CredentialError> {
        let new = key.sealer();
        let inner = self.inner();
        // Taken inside the transaction, as every other writer does (database, then key), and kept
        // until the new key is in place.
        let mut guard = None;
        let count = self.write(|tx, epoch| {
            let held = guard.insert(inner.sealer.write().unwrap_or_else(PoisonError::into_inner));
            let mut select = tx.prepare("SELECT user, sealed FROM credential")?;
            let mut rows = select.query([])?;
            let mut update = tx.prepare("UPDATE credential SET sealed = ?2, epoch = ?3 WHERE user = ?1")?;
            let mut fresh = Vec::new();
            while let Some(row) = rows.next()? {
                let (user, sealed): (u32, Vec<u8>) = (row.get(0)?, row.get(1)?);
                let secret = open(held, UserId(user), &sealed)?;
                fresh.push((user, seal(&new, UserId(user), &secret)));
            }
            for (user, sealed) in &fresh {
                update.execute(params![user, sealed, epoch])?;
            }
            crate::accounts::reseal(tx, epoch, held, &new)?;
            store_key_check(tx, &new, epoch)?;
            add(tx, epoch, by, &NewLine { what: "key.rotate", object: "master key", ..NewLine::default() })?;
            Ok::<_, CredentialError>(fresh.len() as u64)
        })?;
        if let Some(mut held) = guard {
            *held = new;
        }
        Ok(count)
    }

    pub(crate) fn put_secret(
        &self,
        tx: &Transaction<'_>,
        epoch: u64,
        user: UserId,
        secret: &Ha1,
    ) -> rusqlite::Result<()> {
        let sealed = self.with_sealer(|sealer| seal(sealer, user, secret));
        tx.prepare_cached("INSERT OR REPLACE INTO credential (user, sealed, epoch) VALUES (?1, ?2, ?3)")?
            .execute(params![user.0, sealed, epoch])?;
        Ok(())
    }

    pub(crate) fn with_sealer<T>(&self, work: impl FnOnce(&Sealer) -> T) -> T {
        work(&self.inner().sealer.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn context(user: UserId) -> [u8; 12] {
    let mut context = *b"user\0\0\0\0\0\0\0\0";
    context[8..].copy_from_slice(&user.0.to_be_bytes());
    context
}

fn seal(sealer: &Sealer, user: UserId, secret: &Ha1) -> Vec<u8> {
    let mut plain = [0; 48];
    plain[..16].copy_from_slice(&secret.md5);
    plain[16..].copy_from_slice(&secret.sha256);
    sealer.seal(&context(user), &plain)
}

fn open(sealer: &Sealer, user: UserId, sealed: &[u8]) -> Result<Ha1, CredentialError> {
    let plain = sealer.open(&context(user), sealed).map_err(|_| CredentialError::Damaged(user))?;
    let (md5, rest) = plain.split_first_chunk::<16>().ok_or(CredentialError::Damaged(user))?;
    let sha256 = rest.try_into().map_err(|_| CredentialError::Damaged(user))?;
    Ok(Ha1 { md5: *md5, sha256 })
}
