//! One-time sign-in tokens and sessions. The store keeps hashes only: who reads the database
//! cannot sign in with what is there.

use crate::administrators::AdministratorError;
use crate::audit::{By, NewLine, add};
use crate::key::{from_hex, hex, random, sha256};
use crate::sqlite::Store;
use lyceum_sip::time::WallTime;
use rusqlite::{OptionalExtension, params};
use std::time::Duration;

/// How long a one-time URL lives.
const TOKEN_LIFE: Duration = Duration::from_secs(30 * 60);
/// Sessions of one administrator; the oldest ends when there are more.
const SESSIONS_EACH: u32 = 16;

/// 32 random bytes in hexadecimal, known to the client only. It does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    fn new() -> Secret {
        Secret(hex(&random::<32>()))
    }

    /// The text to hand to its owner: never to a log.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<secret>")
    }
}

/// A one-time sign-in token and its end.
#[derive(Debug, Clone)]
pub struct SignInToken {
    /// For the URL.
    pub secret: Secret,
    /// When it ends.
    pub expires: WallTime,
}

/// A session as a request finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Name of the administrator.
    pub name: String,
    /// The administrator's role now.
    pub role: String,
    /// When it ends.
    pub expires: WallTime,
    csrf: [u8; 32],
}

impl Session {
    /// Whether a request carries this session's CSRF token; in constant time.
    pub fn csrf_matches(&self, token: &str) -> bool {
        hashed(token).is_some_and(|h| aws_lc_rs::constant_time::verify_slices_are_equal(&h, &self.csrf).is_ok())
    }
}

fn hashed(token: &str) -> Option<[u8; 32]> {
    from_hex::<32>(token).map(|bytes| sha256(&bytes))
}

impl Store {
    /// Makes a one-time token that signs `name` in with `role`; the account is made when the token
    /// is used. It lives 30 minutes.
    pub fn sign_in_token(&self, name: &str, role: &str, by: By<'_>) -> Result<SignInToken, AdministratorError> {
        let token = SignInToken { secret: Secret::new(), expires: by.at + TOKEN_LIFE };
        self.write(|tx, epoch| {
            tx.execute("DELETE FROM sign_in_token WHERE expires <= ?1", [by.at.0])?;
            tx.execute(
                "INSERT INTO sign_in_token (hash, name, role, expires, epoch) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![hashed(token.secret.reveal()), name, role, token.expires.0, epoch],
            )?;
            let line = NewLine { what: "administrator.invite", object: name, after: Some(role), ..NewLine::default() };
            Ok::<_, AdministratorError>(add(tx, epoch, by, &line)?)
        })?;
        Ok(token)
    }

    /// Whether a token could be used, without using it up.
    pub fn sign_in_token_holds(&self, token: &str, now: WallTime) -> Result<(), AdministratorError> {
        let hash = hashed(token).ok_or(AdministratorError::NotValid)?;
        let known = self.read(|db| {
            let mut select = db.prepare_cached("SELECT 1 FROM sign_in_token WHERE hash = ?1 AND expires > ?2")?;
            Ok::<_, AdministratorError>(select.exists(params![hash, now.0])?)
        })?;
        known.then_some(()).ok_or(AdministratorError::NotValid)
    }

    /// Uses a token up and answers with name and role; makes or enables the account.
    pub fn use_sign_in_token(&self, token: &str, now: WallTime) -> Result<(String, String), AdministratorError> {
        let hash = hashed(token).ok_or(AdministratorError::NotValid)?;
        self.write(|tx, epoch| {
            let found: Option<(String, String)> = tx
                .query_row(
                    "DELETE FROM sign_in_token WHERE hash = ?1 AND expires > ?2 RETURNING name, role",
                    params![hash, now.0],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()?;
            let (name, role) = found.ok_or(AdministratorError::NotValid)?;
            tx.execute(
                "INSERT INTO administrator (name, role, enabled, created, epoch) VALUES (?1, ?2, 1, ?3, ?4)
                 ON CONFLICT (name) DO UPDATE SET role = ?2, enabled = 1, epoch = ?4",
                params![name, role, now.0, epoch],
            )?;
            let by = By { who: &name, at: now };
            let line = NewLine { what: "administrator.token", object: &name, after: Some(&role), ..NewLine::default() };
            add(tx, epoch, by, &line)?;
            Ok((name, role))
        })
    }

    /// Begins a session; answers with the cookie's secret and the CSRF token.
    pub fn session_begin(
        &self,
        name: &str,
        life: Duration,
        now: WallTime,
    ) -> Result<(Secret, Secret), AdministratorError> {
        let (cookie, csrf) = (Secret::new(), Secret::new());
        self.write(|tx, epoch| {
            tx.execute("DELETE FROM session WHERE expires <= ?1", [now.0])?;
            tx.execute(
                "DELETE FROM session WHERE name = ?1 AND hash NOT IN
                 (SELECT hash FROM session WHERE name = ?1 ORDER BY created DESC LIMIT ?2)",
                params![name, SESSIONS_EACH - 1],
            )?;
            let (cookie, csrf) = (hashed(cookie.reveal()), hashed(csrf.reveal()));
            let added = tx.execute(
                "INSERT INTO session (hash, name, csrf, created, expires, epoch)
                 SELECT ?1, name, ?3, ?4, ?5, ?6 FROM administrator WHERE name = ?2 AND enabled",
                params![cookie, name, csrf, now.0, (now + life).0, epoch],
            )?;
            if added == 0 {
                return Err(AdministratorError::NoAdministrator(name.to_owned()));
            }
            let by = By { who: name, at: now };
            Ok(add(tx, epoch, by, &NewLine { what: "administrator.sign-in", object: name, ..NewLine::default() })?)
        })?;
        Ok((cookie, csrf))
    }

    /// The session of a cookie, while it lasts and its administrator is enabled.
    pub fn session(&self, cookie: &str, now: WallTime) -> Result<Session, AdministratorError> {
        let hash = hashed(cookie).ok_or(AdministratorError::NotValid)?;
        self.read(|db| {
            let mut select = db.prepare_cached(
                "SELECT s.name, a.role, s.expires, s.csrf FROM session s JOIN administrator a ON a.name = s.name
                 WHERE s.hash = ?1 AND s.expires > ?2 AND a.enabled",
            )?;
            let found = select.query_row(params![hash, now.0], |row| {
                let (name, role, expires) = (row.get(0)?, row.get(1)?, WallTime(row.get(2)?));
                Ok(Session { name, role, expires, csrf: row.get(3)? })
            });
            found.optional()?.ok_or(AdministratorError::NotValid)
        })
    }

    /// Ends a session; one that is over already is no error.
    pub fn session_end(&self, cookie: &str) -> Result<(), AdministratorError> {
        let Some(hash) = hashed(cookie) else { return Ok(()) };
        self.write(|tx, _| {
            tx.execute("DELETE FROM session WHERE hash = ?1", [hash])?;
            Ok(())
        })
    }
}
