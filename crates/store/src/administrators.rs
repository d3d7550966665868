//! Who may administer, and their passwords.

use crate::audit::{By, NewLine, add};
use crate::error::{StoreError, family};
use crate::key::{from_hex, hex, random};
use crate::sqlite::Store;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use lyceum_sip::time::WallTime;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use std::sync::{Mutex, PoisonError};

/// Memory of one password check, in KiB (OWASP's first choice for Argon2id).
const MEMORY_KIB: u32 = 19_456;
/// Passes over the memory.
const PASSES: u32 = 2;
/// Shortest password that is accepted.
const SHORTEST: usize = 8;

/// A password on its way; it does not print itself.
#[derive(Clone, Copy)]
pub struct Password<'a>(pub &'a str);

impl std::fmt::Debug for Password<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<secret>")
    }
}

/// A person who may administer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Administrator {
    /// Sign-in name.
    pub name: String,
    /// What the person may do; the API knows the roles.
    pub role: String,
    /// Whether the person may sign in.
    pub enabled: bool,
    /// When the account was made.
    pub created: WallTime,
    /// False until a password was set.
    pub has_password: bool,
}

/// Why an act of or on an administrator is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdministratorError {
    /// There is no such administrator.
    NoAdministrator(String),
    /// The last enabled one cannot be removed or disabled.
    LastOne(String),
    /// The password is too short.
    WeakPassword,
    /// Name and password do not match, or the account is disabled; which one is not told.
    WrongPassword,
    /// The token or session is unknown, used up or over.
    NotValid,
    /// Disk, file, damage or a stale owner.
    Store(StoreError),
}

family!(AdministratorError);

impl std::fmt::Display for AdministratorError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            AdministratorError::NoAdministrator(name) => write!(f, "there is no administrator {name}"),
            AdministratorError::LastOne(name) => {
                write!(f, "{name} is the last administrator who can sign in: add another first")
            }
            AdministratorError::WeakPassword => {
                write!(f, "the password is too short: use at least {SHORTEST} characters")
            }
            AdministratorError::WrongPassword => write!(f, "name and password do not match"),
            AdministratorError::NotValid => {
                write!(f, "the link or session is not valid any more: ask for a new link, or sign in again")
            }
            AdministratorError::Store(error) => error.fmt(f),
        }
    }
}

impl Store {
    /// Adds an administrator, or changes role and state of one. The password stays.
    pub fn administrator_put(
        &self,
        name: &str,
        role: &str,
        enabled: bool,
        by: By<'_>,
    ) -> Result<(), AdministratorError> {
        self.write(|tx, epoch| {
            let before = find(tx, name)?;
            tx.execute(
                "INSERT INTO administrator (name, role, enabled, created, epoch) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (name) DO UPDATE SET role = ?2, enabled = ?3, epoch = ?5",
                params![name, role, enabled, by.at.0, epoch],
            )?;
            if !enabled {
                tx.execute("DELETE FROM session WHERE name = ?1", [name])?;
                keep_one(tx, name, before.as_ref().is_some_and(|b| b.enabled))?;
            }
            let before = before.map(|b| describe(&b.role, b.enabled));
            let after = describe(role, enabled);
            let (before, after) = (before.as_deref(), Some(after.as_str()));
            let line = NewLine { what: "administrator.put", object: name, before, after, ..NewLine::default() };
            Ok(add(tx, epoch, by, &line)?)
        })
    }

    /// Removes an administrator and ends the sessions.
    pub fn administrator_remove(&self, name: &str, by: By<'_>) -> Result<(), AdministratorError> {
        self.write(|tx, epoch| {
            let before = find(tx, name)?.ok_or_else(|| AdministratorError::NoAdministrator(name.to_owned()))?;
            tx.execute("DELETE FROM administrator WHERE name = ?1", [name])?;
            keep_one(tx, name, before.enabled)?;
            let before = describe(&before.role, before.enabled);
            let line =
                NewLine { what: "administrator.remove", object: name, before: Some(&before), ..NewLine::default() };
            Ok(add(tx, epoch, by, &line)?)
        })
    }

    /// All administrators.
    pub fn administrators(&self) -> Result<Vec<Administrator>, AdministratorError> {
        self.read(|db| {
            let mut select = db.prepare_cached(&format!("{SELECT} ORDER BY name"))?;
            let rows = select.query_map([], administrator)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// One administrator.
    pub fn administrator(&self, name: &str) -> Result<Option<Administrator>, AdministratorError> {
        self.read(|db| Ok(find(db, name)?))
    }

    /// Sets a password and ends the person's sessions. Takes tens of milliseconds on purpose.
    pub fn administrator_password(
        &self,
        name: &str,
        password: Password<'_>,
        by: By<'_>,
    ) -> Result<(), AdministratorError> {
        if password.0.chars().count() < SHORTEST {
            return Err(AdministratorError::WeakPassword);
        }
        let hashed = hash(password);
        self.write(|tx, epoch| {
            let changed = tx.execute(
                "UPDATE administrator SET password = ?2, epoch = ?3 WHERE name = ?1",
                params![name, hashed, epoch],
            )?;
            if changed == 0 {
                return Err(AdministratorError::NoAdministrator(name.to_owned()));
            }
            tx.execute("DELETE FROM session WHERE name = ?1", [name])?;
            let after = Some("{\"password\":\"changed\"}");
            let line = NewLine { what: "administrator.password", object: name, after, ..NewLine::default() };
            Ok(add(tx, epoch, by, &line)?)
        })
    }

    /// Checks name and password. An unknown name costs as much time as a wrong password.
    pub fn administrator_check(&self, name: &str, password: Password<'_>) -> Result<Administrator, AdministratorError> {
        let stored: Option<(Administrator, Option<String>)> = self.read(|db| {
            let mut select = db.prepare_cached(&format!("{SELECT} WHERE name = ?1"))?;
            let row = select.query_row([name], |row| Ok((administrator(row)?, row.get(4)?)));
            Ok::<_, AdministratorError>(row.optional()?)
        })?;
        let hash = stored.as_ref().and_then(|(_, hash)| hash.as_deref());
        let right = verify(password, hash);
        stored.map(|(who, _)| who).filter(|who| right && who.enabled).ok_or(AdministratorError::WrongPassword)
    }
}

const SELECT: &str = "SELECT name, role, enabled, created, password FROM administrator";

fn administrator(row: &Row<'_>) -> rusqlite::Result<Administrator> {
    Ok(Administrator {
        name: row.get(0)?,
        role: row.get(1)?,
        enabled: row.get(2)?,
        created: WallTime(row.get(3)?),
        has_password: row.get::<_, Option<String>>(4)?.is_some(),
    })
}

fn find(db: &rusqlite::Connection, name: &str) -> rusqlite::Result<Option<Administrator>> {
    db.prepare_cached(&format!("{SELECT} WHERE name = ?1"))?.query_row([name], administrator).optional()
}

fn describe(role: &str, enabled: bool) -> String {
    format!("{role}, {}", if enabled { "enabled" } else { "disabled" })
}

/// Refuses the change that would leave nobody.
fn keep_one(tx: &Transaction<'_>, name: &str, was_enabled: bool) -> Result<(), AdministratorError> {
    let left: u32 = tx.query_row("SELECT count(*) FROM administrator WHERE enabled", [], |row| row.get(0))?;
    if was_enabled && left == 0 { Err(AdministratorError::LastOne(name.to_owned())) } else { Ok(()) }
}

/// The memory of the one hash at a time: allocated once, so that many sign-ins on many threads take no more than one.
static MEMORY: Mutex<Vec<Block>> = Mutex::new(Vec::new());

fn argon() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, Some(32)).expect("the constants above are within Argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// `argon2id$salt$hash`; parameters other than today's would get another first word.
fn hash(password: Password<'_>) -> String {
    let salt: [u8; 16] = random();
    format!("argon2id${}${}", hex(&salt), hex(&digest(password, &salt)))
}

fn digest(password: Password<'_>, salt: &[u8; 16]) -> [u8; 32] {
    let mut out = [0; 32];
    // Every hash writes all of it before it reads: what a panic left behind does no harm.
    let mut memory = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    let argon = argon();
    memory.resize(argon.params().block_count(), Block::default());
    argon
        .hash_password_into_with_memory(password.0.as_bytes(), salt, &mut out, &mut memory[..])
        .expect("16 bytes of salt and 32 of output are within Argon2's bounds");
    out
}

fn verify(password: Password<'_>, stored: Option<&str>) -> bool {
    let parts = stored.and_then(|text| {
        let (salt, hash) = text.strip_prefix("argon2id$")?.split_once('$')?;
        Some((from_hex::<16>(salt)?, from_hex::<32>(hash)?))
    });
    let (salt, hash) = parts.unwrap_or_default();
    let same = aws_lc_rs::constant_time::verify_slices_are_equal(&digest(password, &salt), &hash).is_ok();
    same && parts.is_some()
}
