//! The issuer's public keys (RFC 7517), and the two algorithms that are taken of them (RFC 7518).

use super::OidcFault;
use crate::base64;
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde::Deserialize;

/// Most keys that are read of an issuer.
const MOST_KEYS: usize = 64;

/// Keys that may have signed a token.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys(Vec<Key>);

#[derive(Debug, Clone)]
struct Key {
    kid: Option<String>,
    material: Material,
}

#[derive(Debug, Clone)]
enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
}

/// A key as it is published.
#[derive(Deserialize)]
struct Published {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

impl Keys {
    /// Reads a set; keys of other kinds are left out.
    pub(crate) fn read(text: &[u8]) -> Result<Keys, String> {
        let set: Set = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        let published = set.keys.into_iter().take(MOST_KEYS).filter_map(|key| serde_json::from_value(key).ok());
        Ok(Keys(published.filter_map(Key::of).collect()))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether one of the keys that the name allows signed this.
    pub(crate) fn verify(
        &self,
        alg: &str,
        kid: Option<&str>,
        signed: &[u8],
        signature: &[u8],
    ) -> Result<(), OidcFault> {
        let kind =
            |key: &&Key| matches!((alg, &key.material), ("RS256", Material::Rsa { .. }) | ("ES256", Material::P256(_)));
        let named = |key: &&Key| kid.is_none_or(|kid| key.kid.as_deref() == Some(kid));
        let mut keys = self.0.iter().filter(kind).filter(named).peekable();
        if keys.peek().is_none() {
            return Err(OidcFault::UnknownKey);
        }
        keys.find(|key| key.material.verifies(signed, signature)).map(|_| ()).ok_or(OidcFault::Signature)
    }
}

impl Key {
    fn of(key: Published) -> Option<Key> {
        if key.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let (alg, part) = (key.alg.as_deref(), |part: Option<String>| base64::from_token(&part?));
        let material = match (key.kty.as_str(), key.crv.as_deref()) {
            ("RSA", _) if alg.is_none_or(|alg| alg == "RS256") => Material::Rsa { n: part(key.n)?, e: part(key.e)? },
            ("EC", Some("P-256")) if alg.is_none_or(|alg| alg == "ES256") => {
                let (x, y) = (part(key.x)?, part(key.y)?);
                Material::P256([&[4], x.as_slice(), y.as_slice()].concat())
            }
            _ => return None,
        };
        Some(Key { kid: key.kid, material })
    }
}

impl Material {
    fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        match self {
            // Keys of less than 2,048 bits do not verify anything.
            Material::Rsa { n, e } => {
                PublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature).is_ok()
            }
            Material::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, signature).is_ok()
            }
        }
    }
}
