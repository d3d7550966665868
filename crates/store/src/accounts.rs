//! Users that come from a directory server, and the secrets we show to servers elsewhere.

use crate::audit::{By, NewLine, add};
use crate::credentials::CredentialError;
use crate::directory::{DirectoryError, next_ids, put_user};
use crate::error::StoreError;
use crate::key::Sealer;
use crate::sqlite::{Store, to_json};
use lyceum_sip::digest::Ha1;
use lyceum_topology::accounts::{Account, Standing};
use lyceum_topology::{UserId, UserRecord};
use rusqlite::{OptionalExtension, Row, Transaction, params};

/// Changes per transaction: long enough to be fast, short enough that another change gets between.
const PER_TRANSACTION: usize = 1_000;

/// One user of a directory server to be written down.
#[derive(Debug, Clone)]
pub enum AccountChange {
    /// A new user and the hashes of a first password; the number is given here.
    New(UserRecord, Ha1, Account),
    /// A user that is there.
    Set(UserRecord, Account),
    /// Only how the person is found.
    Keep(Account),
    /// The user goes.
    Remove(UserId),
}

impl Store {
    /// All users of the directory server.
    pub fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        self.read(|db| {
            let mut select = db.prepare_cached("SELECT user, id, dn, standing FROM account ORDER BY user")?;
            let rows = select.query_map([], account)?;
            rows.map(|row| row.map_err(StoreError::from)).collect()
        })
    }

    /// What ties a user to a directory server; `None` for one made by hand.
    pub fn account(&self, user: UserId) -> Result<Option<Account>, StoreError> {
        self.read(|db| {
            let mut select = db.prepare_cached("SELECT user, id, dn, standing FROM account WHERE user = ?1")?;
            Ok(select.query_row([user.0], account).optional()?)
        })
    }

    /// Writes changes down, each with its audit line, some hundreds per transaction.
    pub fn put_accounts(&self, changes: Vec<AccountChange>, by: By<'_>) -> Result<(), DirectoryError> {
        let mut changes = changes.into_iter().peekable();
        while changes.peek().is_some() {
            let some: Vec<AccountChange> = changes.by_ref().take(PER_TRANSACTION).collect();
            self.write(|tx, epoch| some.into_iter().try_for_each(|change| self.put_account(tx, epoch, change, by)))?;
        }
        Ok(())
    }

    fn put_account(
        &self,
        tx: &Transaction<'_>,
        epoch: u64,
        change: AccountChange,
        by: By<'_>,
    ) -> Result<(), DirectoryError> {
        match change {
            AccountChange::New(mut user, secret, account) => {
                user.id = UserId(next_ids(tx, epoch, "user", 1)?);
                let after = put_user(tx, epoch, &user)?;
                self.put_secret(tx, epoch, user.id, &secret)?;
                tie(tx, epoch, &Account { user: user.id, ..account })?;
                let object = user.address.as_str();
                add(tx, epoch, by, &NewLine { what: "user.put", object, after: Some(&after), ..NewLine::default() })?;
            }
            AccountChange::Set(user, account) => {
                let before = record(tx, user.id)?;
                put_user(tx, epoch, &user)?;
                tie(tx, epoch, &account)?;
                let (object, after) = (user.address.as_str(), to_json(&user)?);
                let (before, after) = (before.as_deref(), Some(after.as_str()));
                add(tx, epoch, by, &NewLine { what: "user.put", object, before, after, ..NewLine::default() })?;
            }
            AccountChange::Keep(account) => tie(tx, epoch, &account)?,
            AccountChange::Remove(user) => {
                let address: Option<String> =
                    tx.query_row("SELECT address FROM user WHERE id = ?1", [user.0], |row| row.get(0)).optional()?;
                let before = record(tx, user)?;
                tx.execute("DELETE FROM user WHERE id = ?1", [user.0])?;
                let (object, before) = (address.as_deref().unwrap_or_default(), before.as_deref());
                add(tx, epoch, by, &NewLine { what: "user.remove", object, before, ..NewLine::default() })?;
            }
        }
        Ok(())
    }

    /// Keeps a secret we show elsewhere, sealed; `None` forgets it.
    pub fn secret_put(&self, name: &str, secret: Option<&str>, by: By<'_>) -> Result<(), StoreError> {
        self.write(|tx, epoch| {
            match secret {
                Some(text) => {
                    let sealed = self.with_sealer(|sealer| sealer.seal(&context(name), text.as_bytes()));
                    tx.execute(
                        "INSERT OR REPLACE INTO secret (name, sealed, epoch) VALUES (?1, ?2, ?3)",
                        params![name, sealed, epoch],
                    )?;
                }
                None => {
                    tx.execute("DELETE FROM secret WHERE name = ?1", [name])?;
                }
            }
            let what = if secret.is_some() { "secret.put" } else { "secret.remove" };
            Ok::<_, StoreError>(add(tx, epoch, by, &NewLine { what, object: name, ..NewLine::default() })?)
        })
    }

    /// A secret we show elsewhere; `None` when it was never set or does not open any more.
    pub fn secret(&self, name: &str) -> Result<Option<String>, StoreError> {
        let sealed: Option<Vec<u8>> = self.read(|db| {
            let mut select = db.prepare_cached("SELECT sealed FROM secret WHERE name = ?1")?;
            Ok::<_, StoreError>(select.query_row([name], |row| row.get(0)).optional()?)
        })?;
        let plain = sealed.and_then(|sealed| self.with_sealer(|sealer| sealer.open(&context(name), &sealed).ok()));
        Ok(plain.and_then(|plain| String::from_utf8(plain).ok()))
    }
}

/// Seals every such secret anew, when the master key is changed.
pub(crate) fn reseal(tx: &Transaction<'_>, epoch: u64, old: &Sealer, new: &Sealer) -> Result<(), CredentialError> {
    let mut select = tx.prepare("SELECT name, sealed FROM secret")?;
    let rows = select.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
    let all: Vec<(String, Vec<u8>)> = rows.collect::<Result<_, _>>()?;
    for (name, sealed) in all {
        // One that does not open now never will: it is set anew by hand.
        let Ok(plain) = old.open(&context(&name), &sealed) else { continue };
        let sealed = new.seal(&context(&name), &plain);
        tx.execute("UPDATE secret SET sealed = ?2, epoch = ?3 WHERE name = ?1", params![name, sealed, epoch])?;
    }
    Ok(())
}

fn context(name: &str) -> Vec<u8> {
    [b"secret\0", name.as_bytes()].concat()
}

fn tie(tx: &Transaction<'_>, epoch: u64, account: &Account) -> rusqlite::Result<()> {
    let Account { user, id, dn, standing } = account;
    tx.prepare_cached("INSERT OR REPLACE INTO account (user, id, dn, standing, epoch) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![user.0, id, dn, standing.as_str(), epoch])?;
    Ok(())
}

fn record(tx: &Transaction<'_>, user: UserId) -> rusqlite::Result<Option<String>> {
    tx.query_row("SELECT record FROM user WHERE id = ?1", [user.0], |row| row.get(0)).optional()
}

fn account(row: &Row<'_>) -> rusqlite::Result<Account> {
    let standing: String = row.get(3)?;
    // What cannot be read is compared anew: the next look says how the person stands.
    let standing = Standing::parse(&standing).unwrap_or(Standing::Gone);
    Ok(Account { user: UserId(row.get(0)?), id: row.get(1)?, dn: row.get(2)?, standing })
}
