//! `/session`: sign-in, sign-out, and the one-time link.

use crate::Web;
use crate::authorize::{Actor, COOKIE, SessionToken};
use crate::extract::Payload;
use crate::password::{self, ADMINISTRATOR_LEAST};
use crate::peer::Peer;
use crate::refused::{Refused, unavailable};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use lyceum_api::session::{FirstSignIn, Session, SignIn, SignedIn};
use lyceum_api::{Refusal, Secret, Timestamp};
use lyceum_store::{AdministratorError, By, Password};
use std::time::Duration;

/// How long a session lives.
const LIFE: Duration = Duration::from_secs(8 * 3600);
/// The only role until there are more: everything.
pub(super) const ROLE: &str = "administrator";
/// The account of a one-time link until its person has chosen a name.
const UNNAMED: &str = "one-time-link";

/// `GET /session`.
pub async fn get(Extension(actor): Extension<Actor>) -> Json<Session> {
    Json(Session { name: actor.name, expires: actor.expires })
}

/// `DELETE /session`.
pub async fn end(State(web): State<Web>, token: Option<Extension<SessionToken>>) -> Result<Response, Refused> {
    if let Some(Extension(SessionToken(token))) = token {
        let store = web.options().store.clone();
        web.blocking(move || store.session_end(&token).map_err(|e| unavailable(&e))).await?;
    }
    let gone = format!("{COOKIE}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict");
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Ok(value) = HeaderValue::from_str(&gone) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    Ok(response)
}

/// `POST /session`.
pub async fn new(
    State(web): State<Web>,
    Extension(peer): Extension<Peer>,
    Payload(wanted): Payload<SignIn>,
) -> Result<Response, Refused> {
    let (cookie, name) = (wanted.cookie, wanted.name.clone());
    let store = web.options().store.clone();
    let check =
        web.hashing(move || match store.administrator_check(&wanted.name, Password(wanted.password.reveal())) {
            Ok(_) => Ok(()),
            Err(AdministratorError::Store(error)) => Err(unavailable(&error)),
            Err(_) => Err(Refused::new(Refusal::SignInRefused, "name and password do not match", "/session")),
        });
    web.guarded(&peer, &name, check).await?;
    web.signed_in(name, cookie).await
}

/// `POST /session/first`.
pub async fn first(
    State(web): State<Web>,
    Extension(peer): Extension<Peer>,
    Payload(wanted): Payload<FirstSignIn>,
) -> Result<Response, Refused> {
    let name = wanted.name.clone();
    web.first_administrator(wanted, &peer).await?;
    web.signed_in(name, false).await
}

/// A name people can type and logs can show.
pub(super) fn check_name(name: &str) -> Result<(), Refused> {
    let letters = |c: char| c.is_ascii_alphanumeric() || ".-_@".contains(c);
    if (1..=64).contains(&name.len()) && name.chars().all(letters) && name != UNNAMED {
        return Ok(());
    }
    Err(Refused::new(Refusal::AdministratorInvalid, format!("'{}' is not usable", name.escape_debug()), "name"))
}

/// An attempt to sign in that has begun.
struct Begun<'a> {
    web: &'a Web,
    source: std::net::IpAddr,
    name: &'a str,
    ended: bool,
}

impl Begun<'_> {
    fn failed(&self) {
        let closed = self.web.attempts().failed(self.source, self.name, self.web.now().0);
        tracing::warn!(source = %self.source, name = %self.name.escape_debug(), closed, "sign-in failed");
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.failed();
        }
    }
}

impl Web {
    /// The session of a token; with a cookie also its CSRF token has to fit.
    pub(crate) fn session(&self, token: &str, csrf: Option<&str>) -> Result<Session, Refused> {
        let found = self.options().store.session(token, self.now()).map_err(|error| match error {
            AdministratorError::Store(error) => unavailable(&error),
            _ => Refused::new(Refusal::SessionRequired, "the session is over or was never begun", "Authorization"),
        })?;
        if csrf.is_some_and(|csrf| !found.csrf_matches(csrf)) {
            let what = "the CSRF token does not belong to the session";
            return Err(Refused::new(Refusal::CsrfTokenMissing, what, crate::CSRF));
        }
        Ok(Session { name: found.name, expires: Some(Timestamp(found.expires.0)) })
    }

    /// Makes the administrator of a one-time link.
    pub(crate) async fn first_administrator(&self, wanted: FirstSignIn, peer: &Peer) -> Result<(), Refused> {
        check_name(&wanted.name)?;
        password::check(wanted.password.reveal(), &wanted.name, ADMINISTRATOR_LEAST)?;
        let web = self.clone();
        self.guarded(peer, UNNAMED, self.hashing(move || web.spend_link(&wanted))).await
    }

    fn spend_link(&self, wanted: &FirstSignIn) -> Result<(), Refused> {
        let _turn = self.turn();
        let store = &self.options().store;
        let spent = |error: AdministratorError| match error {
            AdministratorError::NotValid => {
                Refused::new(Refusal::OneTimeLinkSpent, "the link was used, is too old, or was never made", "token")
            }
            other => unavailable(&other),
        };
        // Who has no link learns nothing of who administers; who has one keeps it for another name.
        store.sign_in_token_holds(wanted.token.reveal(), self.now()).map_err(spent)?;
        if store.administrator(&wanted.name).map_err(|e| unavailable(&e))?.is_some_and(|a| a.has_password) {
            let what = format!("there is an administrator {} already", wanted.name);
            return Err(Refused::new(Refusal::AdministratorExists, what, "name"));
        }
        let (unnamed, role) = store.use_sign_in_token(wanted.token.reveal(), self.now()).map_err(spent)?;
        let by = By { who: &wanted.name, at: self.now() };
        let made = store
            .administrator_put(&wanted.name, &role, true, by)
            .and_then(|()| store.administrator_password(&wanted.name, Password(wanted.password.reveal()), by))
            .and_then(|()| if unnamed == wanted.name { Ok(()) } else { store.administrator_remove(&unnamed, by) });
        made.map_err(|e| unavailable(&e))?;
        tracing::info!(name = wanted.name, "administrator made by one-time link");
        Ok(())
    }

    /// Tries something that a stranger must not try often, and that takes no time to look at.
    pub(crate) async fn try_sign_in<T: Send + 'static>(
        &self,
        peer: &Peer,
        name: &str,
        attempt: impl FnOnce(&Web) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        let web = self.clone();
        self.guarded(peer, name, self.blocking(move || attempt(&web))).await
    }

    /// The same for what another server judges.
    pub(crate) async fn guarded<T>(
        &self,
        peer: &Peer,
        name: &str,
        attempt: impl Future<Output = Result<T, Refused>>,
    ) -> Result<T, Refused> {
        let source = peer.source();
        if let Err(seconds) = self.attempts().begin(source, name, self.now().0) {
            let what = format!("too many failed sign-ins; try again in {seconds} s");
            return Err(Refused::new(Refusal::SignInThrottled, what, "/session").retry_after(seconds));
        }
        // A client that goes away meanwhile has guessed all the same.
        let mut begun = Begun { web: self, source, name, ended: false };
        let outcome = attempt.await;
        begun.ended = true;
        match &outcome {
            Ok(_) => self.attempts().succeeded(source, name),
            Err(refused) if matches!(refused.problem().status, 401 | 403) => begun.failed(),
            Err(_) => self.attempts().undecided(source, name),
        }
        outcome
    }

    /// Begins a session and hands it out.
    async fn signed_in(&self, name: String, cookie: bool) -> Result<Response, Refused> {
        let now = self.now();
        let (store, who) = (self.options().store.clone(), name.clone());
        let begin = move || store.session_begin(&who, LIFE, now).map_err(|e| unavailable(&e));
        let (token, csrf) = self.blocking(begin).await?;
        tracing::info!(name, "administrator signed in");
        let signed_in = SignedIn {
            name,
            token: (!cookie).then(|| Secret::new(token.reveal())),
            csrf: Secret::new(csrf.reveal()),
            expires: Timestamp((now + LIFE).0),
        };
        let mut response = Json(signed_in).into_response();
        let value = format!(
            "{COOKIE}={}; Path=/; Max-Age={}; Secure; HttpOnly; SameSite=Strict",
            token.reveal(),
            LIFE.as_secs()
        );
        if let Ok(value) = HeaderValue::from_str(&value)
            && cookie
        {
            response.headers_mut().insert(header::SET_COOKIE, value);
        }
        Ok(response)
    }

    /// A link for the first administrator, while nobody can sign in yet; to be printed at start. Blocks.
    pub fn first_administrator_url(&self) -> Result<Option<String>, Refused> {
        let known = self.options().store.administrators().map_err(|e| unavailable(&e))?;
        if known.iter().any(|a| a.enabled && a.has_password) {
            return Ok(None);
        }
        self.one_time_url("server").map(|(url, _)| Some(url.reveal().to_owned()))
    }

    /// A link that makes one administrator, once, within 30 minutes.
    pub(super) fn one_time_url(&self, who: &str) -> Result<(Secret, Timestamp), Refused> {
        let by = By { who, at: self.now() };
        let token = self.options().store.sign_in_token(UNNAMED, ROLE, by).map_err(|e| unavailable(&e))?;
        let url = format!("{}/first/{}", self.options().base_url.trim_end_matches('/'), token.secret.reveal());
        Ok((Secret::new(url), Timestamp(token.expires.0)))
    }
}
