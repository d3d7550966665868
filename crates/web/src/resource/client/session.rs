//! `/client/session`: a user signs in with address and password, and the page gets a token that lives ten minutes.
//!
//! The page holds the token in memory. What gets it the next one is a cookie that no script sees, good for the device
//! that signed in and for nothing else.

use super::{SignedIn, elsewhere};
use crate::Web;
use crate::extract::Payload;
use crate::peer::Peer;
use crate::port::People;
use crate::refused::Refused;
use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lyceum_api::account::{SignInIssuer, SignInWays};
use lyceum_api::client::{ClientRenewal, ClientSession, ClientSignIn, Person, RelayCredentials, ServerName, SipAccess};
use lyceum_api::{PREFIX, Refusal};
use lyceum_sip::WallTime;
use lyceum_sip::token::bearer::{Audience, Claims, device};
use lyceum_topology::{Provisioning, UserRecord};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// Name of the cookie; the prefix makes browsers demand Secure.
const COOKIE: &str = "__Secure-lyceum-client";
/// How long a token lives.
const TOKEN_LIFE: Duration = Audience::Client.life();
/// How long a page may get further ones without the password.
pub(super) const RENEWAL_LIFE: Duration = Audience::Renewal.life();
/// Longest name of a device.
const DEVICE_MOST: usize = 64;

/// `POST /client/session`.
pub async fn new(
    State(web): State<Web>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Payload(wanted): Payload<ClientSignIn>,
) -> Result<Response, Refused> {
    check_device(&wanted.device)?;
    let address = wanted.address.trim().trim_start_matches("sip:").to_ascii_lowercase();
    let user = web.user_with_password(&peer, &address, wanted.password).await?;
    tracing::info!(user = %user.address, device = %wanted.device_name.escape_debug(), "page signed in");
    web.open(&user, device(wanted.device.as_bytes()), &headers, web.now() + RENEWAL_LIFE)
}

/// `GET /client/sign-in`.
pub async fn ways(State(web): State<Web>) -> Json<SignInWays> {
    let snapshot = web.options().publisher.current();
    let issuer = snapshot.document().accounts.oidc.as_ref();
    let issuer = issuer.filter(|_| web.options().people.is_some());
    Json(SignInWays {
        issuer: issuer.map(|oidc| SignInIssuer { name: oidc.name.clone(), path: elsewhere::START.to_owned() }),
    })
}

/// `POST /client/session/refresh`.
pub async fn refresh(
    State(web): State<Web>,
    headers: HeaderMap,
    Payload(wanted): Payload<ClientRenewal>,
) -> Result<Response, Refused> {
    let over = |what: &str| Refused::new(Refusal::ClientSessionOver, what, "cookie");
    let Some(token) = cookie(&headers) else { return Err(over("nobody is signed in on this device")) };
    let found = web.user_of_token(&token, Audience::Renewal)?;
    if found.claims.device != device(wanted.device.as_bytes()) {
        return Err(over("the session belongs to another device"));
    }
    web.open(&found.user, found.claims.device, &headers, found.claims.expires)
}

/// `DELETE /client/session`: the cookie and every token of this device are worth nothing from now on.
pub async fn end(State(web): State<Web>, Extension(who): Extension<SignedIn>) -> Result<Response, Refused> {
    let (people, user, device) = (web.people()?, Arc::clone(&who.user), who.claims.device);
    web.for_people(move || Ok(people.end_page(&user, device)?)).await?;
    tracing::info!(user = who.address(), "page signed out");
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_cookie(&mut response, "", Duration::ZERO);
    Ok(response)
}

/// The provisioning document, and what only the relay's secret makes.
#[derive(Serialize)]
struct Provisioned {
    #[serde(flatten)]
    document: Provisioning,
    #[serde(skip_serializing_if = "Option::is_none")]
    turn: Option<RelayCredentials>,
}

/// `GET /client/provisioning`.
pub async fn provisioning(State(web): State<Web>, Extension(who): Extension<SignedIn>) -> Result<Response, Refused> {
    let listeners = web.people()?.listeners();
    let document = Provisioning::of(&web.options().publisher.current(), &who.user, listeners);
    let turn = web.options().relay.as_ref().map(|relay| relay.credentials(&who.user, web.now()));
    let mut response = Json(Provisioned { document, turn }).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

pub(super) fn check_device(device: &str) -> Result<(), Refused> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if (8..=DEVICE_MOST).contains(&device.len()) && device.chars().all(plain) {
        return Ok(());
    }
    let what = "a device is named by 8 to 64 letters, digits and dashes, such as a UUID";
    Err(Refused::new(Refusal::RequestMalformed, what, "device"))
}

fn cookie(headers: &HeaderMap) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('=').map(str::to_owned))
}

fn set_cookie(response: &mut Response, token: &str, life: Duration) {
    if let Some(value) = cookie_of(token, life) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
}

fn cookie_of(token: &str, life: Duration) -> Option<HeaderValue> {
    let path = format!("{PREFIX}/client/session");
    let seconds = life.as_secs();
    let text = format!("{COOKIE}={token}; Path={path}; Max-Age={seconds}; Secure; HttpOnly; SameSite=Strict");
    HeaderValue::from_str(&text).ok()
}

/// The cookie with which a page on this device gets its tokens, for who signed in elsewhere.
pub(super) fn renewal_cookie(
    web: &Web,
    user: &UserRecord,
    name: &str,
    until: WallTime,
) -> Result<HeaderValue, Refused> {
    let people = web.people()?;
    let over = || Refused::new(Refusal::ClientSessionOver, "the account has no password any more", "/client/session");
    let mark = people.mark(user.id).ok_or_else(over)?;
    let audience = Audience::Renewal;
    let claims = Claims { audience, user: user.id.0, device: device(name.as_bytes()), mark, expires: until };
    let claims = after_any_end(&*people, claims);
    let left = Duration::from_millis(until.0.saturating_sub(web.now().0));
    cookie_of(&people.bearers().issue(&claims), left).ok_or_else(over)
}

/// A token of the very second in which the last one ended is one of the next second: tokens carry whole ones.
fn after_any_end(people: &dyn People, claims: Claims) -> Claims {
    let claims = Claims { expires: WallTime(claims.expires.0 / 1000 * 1000), ..claims };
    match people.has_ended(&claims) {
        true => Claims { expires: claims.expires + Duration::from_secs(1), ..claims },
        false => claims,
    }
}

impl Web {
    /// Hands out a token, and the cookie for the next ones; the session ends at `until` whatever is renewed.
    fn open(
        &self,
        user: &Arc<UserRecord>,
        device: u64,
        headers: &HeaderMap,
        until: WallTime,
    ) -> Result<Response, Refused> {
        let people = self.people()?;
        let snapshot = self.options().publisher.current();
        let mark = people.mark(user.id).ok_or_else(|| {
            Refused::new(Refusal::ClientSessionOver, "the account has no password any more", "/client/session")
        })?;
        let expires = (self.now() + TOKEN_LIFE).min(until);
        let claims = Claims { audience: Audience::Client, user: user.id.0, device, mark, expires };
        let renewal = after_any_end(&*people, Claims { audience: Audience::Renewal, expires: until, ..claims });
        let claims = after_any_end(&*people, claims);
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let provisioning = Provisioning::of(&snapshot, user, people.listeners());
        let domain = user.address.domain().to_owned();
        let session = ClientSession {
            token: people.bearers().issue(&claims),
            expires_in: u32::try_from((expires.0.saturating_sub(self.now().0)) / 1000).unwrap_or(0),
            user: person(user),
            sip: SipAccess { ws: vec![format!("wss://{host}/ws")], realm: domain.clone(), domain, outbound: None },
            policies: serde_json::Value::Object(provisioning.policies),
            server: ServerName { name: "Lyceum".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        };
        let mut response = (StatusCode::CREATED, Json(session)).into_response();
        let left = Duration::from_millis(until.0.saturating_sub(self.now().0));
        set_cookie(&mut response, &people.bearers().issue(&renewal), left);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }
}

/// A user as others find them.
pub(super) fn person(user: &UserRecord) -> Person {
    Person {
        address: user.address.to_string(),
        display_name: user.display_name.as_deref().map(str::to_owned),
        mail: user.mail.as_deref().map(str::to_owned),
        title: user.job().title.as_deref().map(str::to_owned),
        company: user.job().company.as_deref().map(str::to_owned),
        department: user.job().department.as_deref().map(str::to_owned),
        numbers: user.numbers.iter().map(|number| number.plain()).collect(),
        photo: false,
    }
}
