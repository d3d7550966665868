//! The check of an ID token (OpenID Connect Core §3.1.3.7, RFC 8725).

use super::OidcFault;
use super::keys::Keys;
use crate::base64;
use serde::Deserialize;
use serde_json::Value;

/// The longest token, in bytes.
const MOST_BYTES: usize = 64 << 10;

/// What a token must say.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Who signed it.
    pub issuer: &'a str,
    /// For whom.
    pub client_id: &'a str,
    /// For which sign-in.
    pub nonce: &'a str,
    /// How far the issuer's clock may be off, in seconds.
    pub skew_seconds: u64,
    /// Now, in seconds since 1970.
    pub now: u64,
}

/// What a token says, after everything about it was checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims(Value);

impl Claims {
    /// A claim that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// Whether the issuer says that it knows the mail address to be the person's: anybody can write another's.
    pub fn mail_is_verified(&self) -> bool {
        self.0.get("email_verified").is_some() && !self.mail_is_doubtful()
    }

    /// Whether the issuer itself says that the mail address is not known to be the person's.
    pub fn mail_is_doubtful(&self) -> bool {
        match self.0.get("email_verified") {
            None | Some(Value::Bool(true)) => false,
            Some(Value::String(text)) => text != "true",
            Some(_) => true,
        }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

/// Checks a token; what it says is worth nothing before.
pub(super) fn check(token: &str, keys: &Keys, expected: &Expected<'_>) -> Result<Claims, OidcFault> {
    if token.len() > MOST_BYTES {
        return Err(OidcFault::Form("it is far too long"));
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(OidcFault::Form("it has no signature"))?;
    let (header, payload) = signed.split_once('.').ok_or(OidcFault::Form("it has no claims"))?;
    let part = |text| base64::from_token(text).ok_or(OidcFault::Form("a part is not base64url"));
    let header: Header =
        serde_json::from_slice(&part(header)?).map_err(|_| OidcFault::Form("its header is not as it should be"))?;
    // Whoever could choose the algorithm could choose none, or take our public key for a shared secret.
    if !["RS256", "ES256"].contains(&header.alg.as_str()) {
        return Err(OidcFault::Form("its algorithm is neither RS256 nor ES256"));
    }
    if header.crit.is_some() {
        return Err(OidcFault::Form("it asks for an extension"));
    }
    keys.verify(&header.alg, header.kid.as_deref(), signed.as_bytes(), &part(signature)?)?;
    let claims: Value =
        serde_json::from_slice(&part(payload)?).map_err(|_| OidcFault::Form("its claims are not as they should be"))?;
    claims_hold(&claims, expected)?;
    Ok(Claims(claims))
}

fn claims_hold(claims: &Value, expected: &Expected<'_>) -> Result<(), OidcFault> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(expected.issuer) {
        return Err(OidcFault::Claim("iss"));
    }
    if text("sub").is_none_or(str::is_empty) {
        return Err(OidcFault::Claim("sub"));
    }
    if text("nonce") != Some(expected.nonce) {
        return Err(OidcFault::Claim("nonce"));
    }
    audience(claims, expected.client_id)?;
    time(claims, expected)
}

fn audience(claims: &Value, client_id: &str) -> Result<(), OidcFault> {
    let audiences: Vec<&str> = match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !audiences.contains(&client_id) {
        return Err(OidcFault::Claim("aud"));
    }
    match claims.get("azp").map(Value::as_str) {
        Some(party) if party != Some(client_id) => Err(OidcFault::Claim("azp")),
        None if audiences.len() > 1 => Err(OidcFault::Claim("azp")),
        _ => Ok(()),
    }
}

fn time(claims: &Value, expected: &Expected<'_>) -> Result<(), OidcFault> {
    let seconds = |name: &str| claims.get(name).and_then(Value::as_f64);
    let (now, skew) = (expected.now as f64, expected.skew_seconds as f64);
    if seconds("exp").is_none_or(|exp| exp + skew <= now) {
        return Err(OidcFault::Time("exp"));
    }
    if seconds("iat").is_none_or(|iat| iat > now + skew) {
        return Err(OidcFault::Time("iat"));
    }
    if claims.get("nbf").is_some() && seconds("nbf").is_none_or(|nbf| nbf > now + skew) {
        return Err(OidcFault::Time("nbf"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
