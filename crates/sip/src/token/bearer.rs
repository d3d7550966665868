//! Short-lived tokens instead of passwords (RFC 8898, RFC 6750): for pages, which never hold a SIP password.
//!
//! ```text
//! token   = base64url( version:u8 audience:u8 user:u32 device:u64 mark:u32 expires:u64(s) tag:[16] )
//! ```
//! A token is signed, not stored: what may end it early (a disabled user, a new password) is looked up by whoever checks it.

use std::time::Duration;

use crate::keyed::{Mac, SecretKey, base64, same};
use crate::time::WallTime;

const VERSION: u8 = 1;
const CLAIMS: usize = 26;
const TAG: usize = 16;
const WHOLE: usize = CLAIMS + TAG;

/// What a token is good for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Audience {
    /// SIP and the client API.
    Client = 1,
    /// Getting the next client token, and nothing else.
    Renewal = 2,
}

impl Audience {
    /// How long a token for it lives at most, from the moment it was handed out.
    #[must_use]
    pub const fn life(self) -> Duration {
        match self {
            Audience::Client => Duration::from_secs(600),
            Audience::Renewal => Duration::from_secs(12 * 3600),
        }
    }
}

/// What a token says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Claims {
    /// What it is good for.
    pub audience: Audience,
    /// The user's number.
    pub user: u32,
    /// The device it was given to, as [`device`] makes it.
    pub device: u64,
    /// A mark of the password it was given for: another password has another.
    pub mark: u32,
    /// When it ends.
    pub expires: WallTime,
}

/// Signs and checks tokens.
#[derive(Clone)]
pub struct Bearers(Mac);

impl std::fmt::Debug for Bearers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bearers(<secret>)")
    }
}

/// A device's name as tokens carry it.
#[must_use]
pub fn device(name: &[u8]) -> u64 {
    let name = name.strip_prefix(b"urn:uuid:").unwrap_or(name).to_ascii_lowercase();
    let tag = Mac::new(&SecretKey([0; 32])).short::<8>([&name[..]]);
    u64::from_be_bytes(tag)
}

impl Bearers {
    /// From a key of its own.
    #[must_use]
    pub fn new(key: &SecretKey) -> Bearers {
        Bearers(Mac::new(&key.derive("bearer")))
    }

    /// The mark of a secret: keyed, so that a stolen token tells nothing of the password.
    #[must_use]
    pub fn mark(&self, secret: &[u8]) -> u32 {
        u32::from_be_bytes(self.0.short([&b"mark"[..], secret]))
    }

    /// The token that says this.
    #[must_use]
    pub fn issue(&self, claims: &Claims) -> String {
        let mut bytes = [0_u8; WHOLE];
        bytes[0] = VERSION;
        bytes[1] = claims.audience as u8;
        bytes[2..6].copy_from_slice(&claims.user.to_be_bytes());
        bytes[6..14].copy_from_slice(&claims.device.to_be_bytes());
        bytes[14..18].copy_from_slice(&claims.mark.to_be_bytes());
        bytes[18..26].copy_from_slice(&(claims.expires.0 / 1000).to_be_bytes());
        let tag: [u8; TAG] = self.0.short([&bytes[..CLAIMS]]);
        bytes[CLAIMS..].copy_from_slice(&tag);
        let mut letters = Vec::with_capacity(base64::encoded_len(WHOLE));
        base64::encode(&bytes, &mut letters);
        letters.into_iter().map(char::from).collect()
    }

    /// What a token says, if we signed it for this audience and it has not ended.
    #[must_use]
    pub fn check(&self, token: &[u8], audience: Audience, now: WallTime) -> Option<Claims> {
        let mut bytes = [0_u8; WHOLE];
        if base64::decode(token, &mut bytes)?.len() != WHOLE {
            return None;
        }
        let tag: [u8; TAG] = self.0.short([&bytes[..CLAIMS]]);
        if !same(&tag, &bytes[CLAIMS..]) || bytes[0] != VERSION || bytes[1] != audience as u8 {
            return None;
        }
        let number = |range: std::ops::Range<usize>| bytes[range].iter().fold(0_u64, |n, b| n << 8 | u64::from(*b));
        let claims = Claims {
            audience,
            user: number(2..6) as u32,
            device: number(6..14),
            mark: number(14..18) as u32,
            expires: WallTime(number(18..26).saturating_mul(1000)),
        };
        (claims.expires > now).then_some(claims)
    }
}

/// The token in the value of Authorization; `None` for another scheme.
#[must_use]
pub fn of_authorization(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| rest.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        let device = device(b"4f8b2c1e-0000-4000-8000-000000000001");
        Claims { audience: Audience::Client, user: 7, device, mark: 99, expires: WallTime(1_700_000_600_000) }
    }

    const NOW: WallTime = WallTime(1_700_000_000_000);

    #[test]
    fn a_token_says_what_was_signed() {
        let bearers = Bearers::new(&SecretKey([3; 32]));
        let token = bearers.issue(&claims());
        assert_eq!(bearers.check(token.as_bytes(), Audience::Client, NOW), Some(claims()));
        assert_eq!(format!("{bearers:?}"), "Bearers(<secret>)");
    }

    #[test]
    fn it_ends_and_serves_one_purpose() {
        let bearers = Bearers::new(&SecretKey([3; 32]));
        let token = bearers.issue(&claims());
        assert_eq!(bearers.check(token.as_bytes(), Audience::Client, claims().expires), None);
        assert_eq!(bearers.check(token.as_bytes(), Audience::Renewal, NOW), None);
        assert_eq!(Bearers::new(&SecretKey([4; 32])).check(token.as_bytes(), Audience::Client, NOW), None);
    }

    #[test]
    fn no_letter_may_change() {
        let bearers = Bearers::new(&SecretKey([3; 32]));
        let token = bearers.issue(&claims()).into_bytes();
        for at in 0..token.len() {
            let mut other = token.clone();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(bearers.check(&other, Audience::Client, NOW), None, "letter {at}");
        }
        assert_eq!(bearers.check(b"", Audience::Client, NOW), None);
        assert_eq!(bearers.check(&token[1..], Audience::Client, NOW), None);
    }

    #[test]
    fn a_device_is_the_same_with_and_without_its_scheme() {
        assert_eq!(device(b"urn:uuid:AB"), device(b"ab"));
        assert_eq!(of_authorization(b"bearer  x "), Some(&b"x"[..]));
        assert_eq!(of_authorization(b"Digest x"), None);
    }
}
