//! Digest authentication for SIP: RFC 3261 §22 with the algorithms of RFC 8760, in the forms
//! of RFC 2617 (no qop, `auth`, `auth-int`) and RFC 7616. Both sides: challenge and verify for
//! the server, [`respond`] for endpoints of our own.
//!
//! The `-sess` algorithms and `userhash` are never offered and are refused when a client uses
//! them unasked. What is kept of a password is [`Ha1`], one hash per algorithm that can be
//! offered; SHA-512-256 serves the client side only.
//!
//! ```
//! use lyceum_sip::digest::*;
//! use lyceum_sip::time::WallTime;
//! use std::time::Duration;
//!
//! let mut nonces = Nonces::new([7; 32], 0, Duration::from_secs(600));
//! let now = WallTime(1_700_000_000_000);
//! let mut nonce = Vec::new();
//! let of = NonceUse { kind: Kind::Www, source: [192, 0, 2, 7].into() };
//! nonces.issue(of, now, &mut nonce);
//!
//! let mut line = Vec::new();
//! challenge(&mut line, Kind::Www, b"example.net", &nonce, &[Algorithm::Md5], false);
//! let value = line.strip_prefix(b"WWW-Authenticate: ").unwrap().strip_suffix(b"\r\n").unwrap();
//!
//! let asked = Challenge::parse(value).unwrap();
//! let mut answer = Vec::new();
//! let login = Login { username: b"alice", password: b"secret" };
//! let request = Signed { method: b"REGISTER", uri: b"sip:example.net", body: b"" };
//! respond(&mut answer, &asked, &login, &request, 1, b"0a4f113b").unwrap();
//!
//! let given = Credentials::parse(&answer).unwrap();
//! let ha1 = Ha1::of(b"alice", b"example.net", b"secret");
//! assert!(verify(&given, b"REGISTER", &ha1, b""));
//! assert_eq!(nonces.check(given.nonce, given.nc, of, now), NonceVerdict::Fresh);
//! ```

mod challenge;
mod compute;
mod credentials;
mod nonce;
mod params;
mod request;

pub use challenge::{Challenge, Kind, Login, Signed, challenge, respond, strongest};
pub use compute::{Ha1, verify};
pub use credentials::{Credentials, CredentialsError, Qop};
pub use nonce::{NONCE_RING, NonceUse, NonceVerdict, Nonces};
pub use params::{challenge_names, credentials_name};
pub use request::signs;

/// A hash that digest authentication may use (RFC 8760 §2.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Algorithm {
    /// RFC 2617's, and the only one that many phones know.
    Md5,
    /// SHA-256.
    Sha256,
    /// SHA-512 cut to 256 bits; no server-side secret is kept for it.
    Sha512_256,
}

impl Algorithm {
    /// The token in a challenge.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Sha512_256 => "SHA-512-256",
        }
    }

    /// Reads a token in any letter case; `-sess` forms and strangers give `None`.
    #[must_use]
    pub fn from_bytes(token: &[u8]) -> Option<Algorithm> {
        [Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha512_256]
            .into_iter()
            .find(|a| token.eq_ignore_ascii_case(a.as_str().as_bytes()))
    }
}
