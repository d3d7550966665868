//! What ties the way to the issuer to the way back (RFC 6749 §10.12, RFC 7636, OpenID Connect Core §3.1.2.1).

use crate::base64;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;

/// Random values of one sign-in.
#[derive(Clone, PartialEq, Eq)]
pub struct SignIn {
    /// Comes back with the code: the answer belongs to a question of this browser.
    pub state: String,
    /// Comes back in the ID token: the token belongs to this sign-in.
    pub nonce: String,
    /// Goes with the code to the issuer, which knows its hash: the code was not taken by somebody else.
    pub verifier: String,
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignIn(<secret>)")
    }
}

impl SignIn {
    /// Begins one; `None` when the system gives no randomness.
    pub fn begin() -> Option<SignIn> {
        Some(SignIn { state: random()?, nonce: random()?, verifier: random()? })
    }

    /// As the browser's cookie keeps it.
    pub fn to_cookie(&self) -> String {
        [self.state.as_str(), &self.nonce, &self.verifier].join(".")
    }

    /// Reads a cookie.
    pub fn from_cookie(text: &str) -> Option<SignIn> {
        let mut parts = text.split('.');
        let mut part = || parts.next().filter(|part| base64::from_token(part).is_some_and(|bytes| bytes.len() == 32));
        let found = SignIn { state: part()?.to_owned(), nonce: part()?.to_owned(), verifier: part()?.to_owned() };
        parts.next().is_none().then_some(found)
    }

    /// The hash of the verifier that goes ahead.
    pub(super) fn challenge(&self) -> String {
        base64::token(digest(&SHA256, self.verifier.as_bytes()).as_ref())
    }
}

fn random() -> Option<String> {
    let mut bytes = [0_u8; 32];
    rand::fill(&mut bytes).ok()?;
    Some(base64::token(&bytes))
}

#[cfg(test)]
mod tests {
    use super::SignIn;

    #[test]
    fn the_challenge_is_the_standards() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned();
        let sign_in = SignIn { state: String::new(), nonce: String::new(), verifier };
        assert_eq!(sign_in.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn a_cookie_reads_back_and_another_does_not() {
        let sign_in = SignIn::begin().unwrap();
        assert_eq!(SignIn::from_cookie(&sign_in.to_cookie()), Some(sign_in.clone()));
        for bad in ["", "a.b.c", &format!("{}.x", sign_in.to_cookie()), &sign_in.to_cookie()[1..]] {
            assert_eq!(SignIn::from_cookie(bad), None, "{bad}");
        }
    }
}
