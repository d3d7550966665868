//! Where the issuer's pages are, and its keys (OpenID Connect Discovery).

use super::keys::Keys;
use super::token::{self, Claims, Expected};
use super::{OidcFault, SignIn};
use crate::http::{Form, Http};
use crate::{Secret, base64};
use lyceum_topology::accounts::Oidc;
use serde::Deserialize;

/// An issuer as it describes itself, with its keys.
#[derive(Debug, Clone)]
pub struct Issuer {
    settings: Oidc,
    http: Http,
    found: Document,
    keys: Keys,
}

/// What is read of the discovery document.
#[derive(Debug, Clone, Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    code_challenge_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// What the token endpoint answers.
#[derive(Deserialize)]
struct Answer {
    id_token: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

impl Issuer {
    /// Asks the issuer for its description and its keys.
    pub async fn discover(settings: &Oidc) -> Result<Issuer, OidcFault> {
        let authorities = settings.authorities.clone();
        let made = tokio::task::spawn_blocking(move || Http::new(authorities.as_deref())).await;
        let http = made.map_err(|error| OidcFault::Away(error.to_string()))??;
        let url = format!("{}/.well-known/openid-configuration", settings.issuer.trim_end_matches('/'));
        let text = fetched(&http, &url).await?;
        let found: Document = serde_json::from_slice(&text).map_err(|error| OidcFault::Discovery(error.to_string()))?;
        found.check(settings)?;
        let keys = Keys::read(&fetched(&http, &found.jwks_uri).await?).map_err(OidcFault::Discovery)?;
        Ok(Issuer { settings: settings.clone(), http, found, keys })
    }

    /// The settings it was found with.
    pub fn settings(&self) -> &Oidc {
        &self.settings
    }

    /// How many keys it signs with that are taken.
    pub fn keys(&self) -> usize {
        self.keys.len()
    }

    /// Where the browser goes.
    pub fn authorization_url(&self, sign_in: &SignIn, redirect_uri: &str) -> String {
        let mut scope = "openid".to_owned();
        for word in self.settings.scopes.iter().filter(|word| *word != "openid") {
            scope.push(' ');
            scope.push_str(word);
        }
        let query = form(&[
            ("response_type", "code"),
            ("client_id", &self.settings.client_id),
            ("redirect_uri", redirect_uri),
            ("scope", &scope),
            ("state", &sign_in.state),
            ("nonce", &sign_in.nonce),
            ("code_challenge", &sign_in.challenge()),
            ("code_challenge_method", "S256"),
        ]);
        let mark = if self.found.authorization_endpoint.contains('?') { '&' } else { '?' };
        format!("{}{mark}{query}", self.found.authorization_endpoint)
    }

    /// Gives the code for the ID token, which is still to be checked.
    pub async fn exchange(
        &self,
        code: &str,
        sign_in: &SignIn,
        redirect_uri: &str,
        secret: Option<&Secret>,
    ) -> Result<Secret, OidcFault> {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", &sign_in.verifier),
        ];
        let mut authorization = None;
        match secret {
            Some(secret) if self.found.takes_basic() => {
                // Each part is form-encoded first (RFC 6749 §2.3.1).
                let pair = format!("{}:{}", encoded(&self.settings.client_id), encoded(secret.reveal()));
                authorization = Some(format!("Basic {}", base64::header(pair.as_bytes())));
            }
            Some(secret) => {
                fields.extend([("client_id", &*self.settings.client_id), ("client_secret", secret.reveal())])
            }
            None => fields.push(("client_id", &self.settings.client_id)),
        }
        let body = form(&fields);
        let asked = Form { body, authorization: authorization.as_deref(), kind: crate::http::FORM };
        let (status, text) = self.http.ask(&self.found.token_endpoint, Some(asked)).await.map_err(OidcFault::Away)?;
        if status >= 500 {
            return Err(OidcFault::Away(format!("{} answers {status}", self.found.token_endpoint)));
        }
        let answer: Answer = serde_json::from_slice(&text)
            .map_err(|_| OidcFault::CodeRefused(format!("status {status}, and no answer that can be read")))?;
        if let Some(error) = answer.error {
            let more = answer.error_description.unwrap_or_default();
            let why = format!("{error} {more}").trim().chars().take(200).collect();
            return Err(OidcFault::CodeRefused(why));
        }
        answer.id_token.map(Secret::new).ok_or(OidcFault::Form("there is none in the answer"))
    }

    /// Checks an ID token with the keys there are.
    pub fn check(&self, token: &Secret, sign_in: &SignIn, now_seconds: u64) -> Result<Claims, OidcFault> {
        let expected = Expected {
            issuer: &self.settings.issuer,
            client_id: &self.settings.client_id,
            nonce: &sign_in.nonce,
            skew_seconds: self.settings.clock_skew_seconds.into(),
            now: now_seconds,
        };
        token::check(token.reveal(), &self.keys, &expected)
    }
}

impl Document {
    fn check(&self, settings: &Oidc) -> Result<(), OidcFault> {
        let fault = |why: String| Err(OidcFault::Discovery(why));
        if self.issuer != settings.issuer {
            return fault(format!("it calls itself {}, not {}", self.issuer, settings.issuer));
        }
        let plain = settings.issuer.starts_with("http://");
        for url in [&self.authorization_endpoint, &self.token_endpoint, &self.jwks_uri] {
            if !(url.starts_with("https://") || plain && url.starts_with("http://")) {
                return fault(format!("{url} is not protected by TLS"));
            }
        }
        match &self.code_challenge_methods_supported {
            Some(methods) if !methods.iter().any(|method| method == "S256") => {
                fault("it does not take PKCE with S256".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Whether our secret goes into a header, which is what holds when nothing is said.
    fn takes_basic(&self) -> bool {
        let methods = self.token_endpoint_auth_methods_supported.as_ref();
        methods.is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic"))
    }
}

async fn fetched(http: &Http, url: &str) -> Result<Vec<u8>, OidcFault> {
    match http.ask(url, None).await {
        Ok((200, text)) => Ok(text),
        Ok((status, _)) => Err(OidcFault::Away(format!("{url} answers {status}"))),
        Err(why) => Err(OidcFault::Away(why)),
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    pairs.join("&")
}

/// As a form and a query take it.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
        out
    })
}
