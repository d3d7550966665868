//! Credentials that end by themselves: the username is `expiry:user`, the password base64(HMAC-SHA1(secret, username)).
//!
//! Whoever knows the secret makes them, whoever knows it checks them, and nothing is stored in between. Browsers take them
//! as they are (RTCIceServer).

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::Mac;

use crate::integrity::{Key, hmac_sha1};

/// How long a credential is good, as Lync's MaxTokenLifetime.
pub const CREDENTIAL_LIFE: Duration = Duration::from_secs(8 * 3600);
/// How long credentials of others may be good.
const SHARED_LIFE: Duration = Duration::from_secs(24 * 3600);
/// Longest username that is looked at.
pub const USERNAME_MAX: usize = 128;
/// By how much the clock that issued may be ahead of ours.
const AHEAD_SECONDS: u64 = 60;

/// What the issuer of credentials and the relay share.
#[derive(Clone)]
pub struct Secret(Box<[u8]>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

impl Secret {
    /// Takes the bytes as they are.
    pub fn new(bytes: &[u8]) -> Secret {
        Secret(bytes.into())
    }
}

/// What a client signs in to the relay with.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// `expiry:user`.
    pub username: String,
    /// What goes with it.
    pub password: String,
    /// How long both are good.
    pub life: Duration,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential {{ username: {:?}, password: <secret> }}", self.username)
    }
}

/// Makes and checks credentials.
#[derive(Clone, Debug)]
pub struct Authority {
    secret: Secret,
    /// The longest life that a credential can have been given.
    longest: Duration,
}

/// What a username says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Claim<'a> {
    /// When it ends, in seconds since 1970.
    pub(crate) expires: u64,
    /// For whom it was made.
    pub(crate) user: &'a str,
}

impl Authority {
    /// An authority over a secret.
    pub fn new(secret: Secret) -> Authority {
        Authority { secret, longest: CREDENTIAL_LIFE }
    }

    /// One whose secret others make credentials with too, for up to a day: coturn's tools do.
    pub fn shared(secret: Secret) -> Authority {
        Authority { secret, longest: SHARED_LIFE }
    }

    pub(crate) fn longest(&self) -> Duration {
        self.longest
    }

    /// A credential for `user` from now (seconds since 1970) on.
    pub fn issue(&self, user: &str, now: u64) -> Credential {
        let username = format!("{}:{user}", now + CREDENTIAL_LIFE.as_secs());
        let password = self.password(username.as_bytes());
        Credential { username, password, life: CREDENTIAL_LIFE }
    }

    fn password(&self, username: &[u8]) -> String {
        let mut mac = hmac_sha1(&self.secret.0);
        mac.update(username);
        BASE64_STANDARD.encode(mac.finalize().into_bytes())
    }

    /// The key of a username, whether or not it is still good.
    pub(crate) fn key(&self, username: &[u8], realm: &str) -> Key {
        Key::long_term(username, realm.as_bytes(), self.password(username).as_bytes())
    }
}

impl<'a> Claim<'a> {
    /// What a username claims; none when it is no `expiry:user`, has ended, or ends later than any that is issued.
    pub(crate) fn read(username: &'a [u8], now: u64, longest: Duration) -> Option<Claim<'a>> {
        if username.len() > USERNAME_MAX {
            return None;
        }
        let (expires, user) = std::str::from_utf8(username).ok()?.split_once(':')?;
        if expires.len() > 12 || !expires.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let expires = expires.parse().ok()?;
        let good = now < expires && expires <= now + longest.as_secs() + AHEAD_SECONDS;
        (good && !user.is_empty()).then_some(Claim { expires, user })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_names_its_end_and_its_user() {
        let authority = Authority::new(Secret::new(b"north"));
        let credential = authority.issue("anna", 1_700_000_000);
        assert_eq!(credential.username, "1700028800:anna");
        // printf %s 1700028800:anna | openssl dgst -sha1 -hmac north -binary | base64
        assert_eq!(credential.password, "NLiMW5hz78RVNIgPLgiOg9RDyrY=");
        assert!(!format!("{credential:?}").contains(&credential.password));
        assert_eq!(
            Claim::read(credential.username.as_bytes(), 1_700_000_000, CREDENTIAL_LIFE),
            Some(Claim { expires: 1_700_028_800, user: "anna" })
        );
    }

    #[test]
    fn what_has_ended_or_never_was_issued_claims_nothing() {
        for (username, now) in [
            ("1700028800:anna", 1_700_028_800),
            ("1700028800:anna", 1_699_990_000),
            ("1700028800:", 1_700_000_000),
            ("1700028800", 1_700_000_000),
            ("+1700028800:anna", 1_700_000_000),
            ("9999999999999:anna", 1_700_000_000),
            (":anna", 1_700_000_000),
            ("", 1_700_000_000),
        ] {
            assert_eq!(Claim::read(username.as_bytes(), now, CREDENTIAL_LIFE), None, "{username}");
        }
        assert_eq!(Claim::read(&[b'1'; USERNAME_MAX + 1], 0, CREDENTIAL_LIFE), None);
        assert_eq!(Claim::read(b"1700028800:\xff", 1_700_000_000, CREDENTIAL_LIFE), None);
    }
}
