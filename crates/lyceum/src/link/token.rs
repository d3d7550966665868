//! One-time tokens: where the pool is, how it is known, and a secret for one enrolment.

use std::fmt;
use std::str::FromStr;

use lyceum_sip::SecretKey;

/// Bytes of a token's name.
pub const ID: usize = 8;
/// Bytes of its secret.
const SECRET: usize = 16;
const BEGIN: &str = "lyedge1";

/// What proves that somebody has the token. The token itself never travels.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; SECRET]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

impl Secret {
    /// The secret that belongs to a name.
    pub fn of(tokens: &SecretKey, id: &[u8; ID]) -> Secret {
        let derived = tokens.derive(&hex(id)).0;
        Secret(std::array::from_fn(|at| derived[at]))
    }

    /// The proof that whoever shows this public key has the token.
    pub fn proof(&self, public: &[u8]) -> [u8; 32] {
        let key = SecretKey(std::array::from_fn(|at| self.0[at % SECRET]));
        key.derive(&format!("enrol {}", hex(public))).0
    }
}

/// A token as people carry it from the pool to the Edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its name.
    pub id: [u8; ID],
    /// Its secret.
    pub secret: Secret,
    /// SHA-256 of the authority's certificate.
    pub fingerprint: [u8; 32],
    /// The pool's port for links.
    pub pool: String,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, secret, fingerprint) = (hex(&self.id), hex(&self.secret.0), hex(&self.fingerprint));
        write!(f, "{BEGIN}.{id}.{secret}.{fingerprint}.{}", self.pool)
    }
}

impl FromStr for Token {
    type Err = String;

    fn from_str(text: &str) -> Result<Token, String> {
        let wrong = || "this is no token of `lyceum edge token`: copy the whole line".to_owned();
        let mut parts = text.trim().splitn(5, '.');
        let mut next = || parts.next().ok_or_else(wrong);
        if next()? != BEGIN {
            return Err(wrong());
        }
        let id = unhex(next()?).ok_or_else(wrong)?;
        let secret = Secret(unhex(next()?).ok_or_else(wrong)?);
        let fingerprint = unhex(next()?).ok_or_else(wrong)?;
        let pool = next()?.to_owned();
        if !pool.contains(':') {
            return Err(wrong());
        }
        Ok(Token { id, secret, fingerprint, pool })
    }
}

/// Hexadecimal letters.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads [`hex`] back.
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    unhex_all(text)?.try_into().ok()
}

/// Reads [`hex`] of any length back.
pub fn unhex_all(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written_and_prints_no_secret_by_accident() {
        let secret = Secret::of(&SecretKey([1; 32]), &[2; ID]);
        let token = Token { id: [2; ID], secret, fingerprint: [3; 32], pool: "[2001:db8::1]:5063".into() };
        assert_eq!(token.to_string().parse(), Ok(token.clone()));
        assert!(format!("{token:?}").contains("<secret>"));
        for wrong in ["", "lyedge1", "lyedge2.00.00.00.h:1", "lyedge1.zz.00.00.h:1", &token.to_string()[..60]] {
            assert!(wrong.parse::<Token>().is_err(), "{wrong}");
        }
    }
}
