//! What goes over the wire when an Edge is enrolled.

use lyceum_sip::SecretKey;
use serde::{Deserialize, Serialize};

use super::token::{ID, Secret, hex, unhex, unhex_all};

/// What the Edge says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The token's name.
    token: String,
    /// The public half of its key.
    key: String,
    /// That it has the token.
    proof: String,
}

impl Asked {
    /// For the Edge.
    pub fn new(id: &[u8; ID], secret: &Secret, public: &[u8]) -> Asked {
        Asked { token: hex(id), key: hex(public), proof: hex(&secret.proof(public)) }
    }

    /// The token's name and the key, if the proof holds.
    pub fn proven(&self, secret: impl FnOnce(&[u8; ID]) -> Secret) -> Option<([u8; ID], Vec<u8>)> {
        let id = unhex(&self.token)?;
        let (public, proof) = (unhex_all(&self.key)?, unhex::<32>(&self.proof)?);
        SecretKey(secret(&id).proof(&public)).is(&proof).then_some((id, public))
    }
}

/// What the Edge gets and keeps.
#[derive(Debug, Serialize, Deserialize)]
pub struct Papers {
    /// Its name.
    pub name: String,
    /// Its number.
    pub number: u32,
    /// Its certificate.
    certificate: String,
    /// The authority's.
    authority: String,
}

impl Papers {
    /// For the pool.
    pub fn new(name: &str, number: u32, certificate: &[u8], authority: &[u8]) -> Papers {
        Papers { name: name.to_owned(), number, certificate: hex(certificate), authority: hex(authority) }
    }

    /// Certificate and authority.
    pub fn certificates(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        Some((unhex_all(&self.certificate)?, unhex_all(&self.authority)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_has_the_token_proves_it_and_only_for_its_own_key() {
        let tokens = SecretKey([1; 32]);
        let secret = |id: &[u8; ID]| Secret::of(&tokens, id);
        let asked = Asked::new(&[2; ID], &secret(&[2; ID]), b"key");
        assert_eq!(asked.proven(secret), Some(([2; ID], b"key".to_vec())));
        let other_key = Asked { key: hex(b"other"), ..Asked::new(&[2; ID], &secret(&[2; ID]), b"key") };
        assert_eq!(other_key.proven(secret), None);
        assert_eq!(Asked::new(&[3; ID], &secret(&[2; ID]), b"key").proven(secret), None);
    }
}
