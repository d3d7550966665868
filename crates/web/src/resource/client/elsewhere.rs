//! `/sign-in/issuer`: a browser is led to the issuer, and comes back with what it vouches for.
//!
//! ```text
//! GET /sign-in/issuer?device=D ─ 302 to the issuer, cookie: state, nonce, verifier
//! GET /sign-in/issuer/back?code&state ─ code for ID token, checked ─ 302 to the page, cookie of the session
//! ```
//! No token is ever in an address: the page gets its own with the cookie, as after a reload. What goes wrong is told to the
//! page by its code alone; the log says more.

use super::session::{RENEWAL_LIFE, check_device, renewal_cookie};
use crate::Web;
use crate::authorize::Actor;
use crate::extract::Params;
use crate::refused::{Refused, unavailable};
use crate::resource::Order;
use crate::resource::accounts::first_password;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lyceum_accounts::oidc::{Claims, Issuer, OidcFault, SignIn};
use lyceum_accounts::place_vouched;
use lyceum_api::Refusal;
use lyceum_api::user::NewUser;
use lyceum_store::{By, Vouched};
use lyceum_topology::accounts::{Oidc, Secret as SecretName};
use lyceum_topology::{AddressOfRecord, Snapshot, UserRecord};
use std::sync::Arc;
use std::time::Duration;

/// Where a browser begins.
pub const START: &str = "/sign-in/issuer";
/// Where it comes back to: what the issuer has to know of us.
pub const BACK: &str = "/sign-in/issuer/back";
/// Name of the cookie that waits for it; the prefix makes browsers demand Secure, Path=/ and no Domain.
const COOKIE: &str = "__Host-lyceum-issuer";
/// How long a person may take at the issuer.
const PATIENCE: Duration = Duration::from_secs(600);
/// The author of users that are made because an issuer vouched for them.
const AUTHOR: &str = "accounts.oidc";

/// `?device=`.
#[derive(serde::Deserialize)]
pub struct Begin {
    device: String,
}

/// What the issuer adds to the address.
#[derive(Default, serde::Deserialize)]
pub struct Back {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
}

/// `GET /sign-in/issuer`.
pub async fn begin(State(web): State<Web>, Params(query): Params<Begin>) -> Response {
    match web.lead_away(&query.device).await {
        Ok(response) => response,
        Err(refused) => told(&refused),
    }
}

/// `GET /sign-in/issuer/back`.
pub async fn back(State(web): State<Web>, headers: HeaderMap, Params(query): Params<Back>) -> Response {
    let mut response = match web.come_back(&headers, query).await {
        Ok(cookie) => {
            let mut response = to_page("/client/");
            response.headers_mut().append(header::SET_COOKIE, cookie);
            response
        }
        Err(refused) => told(&refused),
    };
    // The question is answered, whatever came of it.
    set_cookie(&mut response, "", Duration::ZERO);
    response
}

/// Back to the page, which shows what the code means.
fn told(refused: &Refused) -> Response {
    let problem = refused.problem();
    tracing::warn!(code = %problem.code, what = %problem.what, fix = %problem.fix, "sign-in by the issuer failed");
    to_page(&format!("/client/?sign-in={}", problem.code))
}

fn to_page(place: &str) -> Response {
    let mut response = StatusCode::FOUND.into_response();
    if let Ok(place) = HeaderValue::from_str(place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

/// Lax, because the issuer's page leads back here.
fn set_cookie(response: &mut Response, value: &str, life: Duration) {
    let text = format!("{COOKIE}={value}; Path=/; Max-Age={}; Secure; HttpOnly; SameSite=Lax", life.as_secs());
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

fn cookie(headers: &HeaderMap) -> Option<(SignIn, String)> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|value| value.split(';'));
    let value = pairs.find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))?;
    let (sign_in, device) = value.rsplit_once('.')?;
    Some((SignIn::from_cookie(sign_in)?, device.to_owned()))
}

fn not_vouched(what: impl Into<Box<str>>) -> Refused {
    Refused::new(Refusal::OidcSignInRefused, what, START)
}

fn nobody(what: impl Into<Box<str>>) -> Refused {
    Refused::new(Refusal::OidcNoAccount, what, START)
}

fn other_person(subject: &str, address: &AddressOfRecord, tied: &str) -> Refused {
    let subject = subject.escape_debug();
    nobody(format!("the issuer's {subject} is named {address}, which is tied to {tied}"))
        .fix(format!("if that is right, untie the user: lyceum user set {address} --untie"))
}

fn fault(fault: &OidcFault) -> Refused {
    let refusal = match fault {
        OidcFault::Away(_) | OidcFault::Trust(_) | OidcFault::Discovery(_) => Refusal::AccountsServerFault,
        _ => Refusal::OidcSignInRefused,
    };
    Refused::new(refusal, fault.to_string(), "accounts.oidc").fix(fault.fix())
}

impl Web {
    fn redirect_uri(&self) -> String {
        format!("{}{BACK}", self.options().base_url.trim_end_matches('/'))
    }

    async fn lead_away(&self, device: &str) -> Result<Response, Refused> {
        check_device(device)?;
        let issuer = self.issuer().await?;
        let sign_in = SignIn::begin()
            .ok_or_else(|| Refused::new(Refusal::InternalFault, "the system gives no randomness", START))?;
        let mut response = to_page(&issuer.authorization_url(&sign_in, &self.redirect_uri()));
        set_cookie(&mut response, &format!("{}.{device}", sign_in.to_cookie()), PATIENCE);
        Ok(response)
    }

    /// The cookie of the session of who was vouched for.
    async fn come_back(&self, headers: &HeaderMap, query: Back) -> Result<HeaderValue, Refused> {
        let (sign_in, device) =
            cookie(headers).ok_or_else(|| not_vouched("this browser did not ask, or too long ago"))?;
        check_device(&device)?;
        if query.state.as_deref() != Some(&sign_in.state) {
            return Err(not_vouched("the answer is not to what this browser asked"));
        }
        if let Some(error) = query.error {
            let error: String = error.chars().take(100).collect();
            return Err(not_vouched(format!("the issuer says {}", error.escape_debug())));
        }
        let code = query.code.ok_or_else(|| not_vouched("the issuer gave no code"))?;
        let claims = self.vouched(&code, &sign_in).await?;
        let web = self.clone();
        let user = self.blocking(move || web.user_of_claims(&claims)).await?;
        tracing::info!(user = %user.address, "page signed in by the issuer");
        renewal_cookie(self, &user, &device, self.now() + RENEWAL_LIFE)
    }

    async fn vouched(&self, code: &str, sign_in: &SignIn) -> Result<Claims, Refused> {
        let issuer = self.issuer().await?;
        let web = self.clone();
        let secret = self.blocking(move || web.accounts_secret(SecretName::Oidc)).await?;
        let token = issuer.exchange(code, sign_in, &self.redirect_uri(), secret.as_ref()).await;
        let token = token.map_err(|error| fault(&error))?;
        let now = self.now().0 / 1000;
        match issuer.check(&token, sign_in, now) {
            // It may sign with a key that it did not publish when we last looked.
            Err(OidcFault::UnknownKey) => match self.newer_issuer(&issuer).await? {
                Some(newer) => newer.check(&token, sign_in, now),
                None => Err(OidcFault::UnknownKey),
            },
            checked => checked,
        }
        .map_err(|error| fault(&error))
    }

    /// The user whom the claims name, made if that is wanted. Blocks.
    fn user_of_claims(&self, claims: &Claims) -> Result<Arc<UserRecord>, Refused> {
        let snapshot = self.options().publisher.current();
        let Some(oidc) = &snapshot.document().accounts.oidc else {
            return Err(not_vouched("no issuer is set any more"));
        };
        let written = claims.text(&oidc.claim).ok_or_else(|| nobody(format!("the token has no {}", oidc.claim)))?;
        let mail_will_do = claims.mail_is_verified() || oidc.trust_unverified_mail && !claims.mail_is_doubtful();
        if oidc.claim == "email" && !mail_will_do {
            return Err(nobody("the issuer does not say that it verified the mail address"));
        }
        let subject = claims.text("sub").ok_or_else(|| nobody("the token has no sub"))?;
        let who = Vouched { issuer: oidc.issuer.clone(), subject: subject.to_owned() };
        let address = place_vouched(snapshot.document(), oidc.domain.as_deref(), written);
        let address = address.map_err(|why| nobody(why.to_string()))?;
        self.check_tie(&snapshot, &who, &address)?;
        if snapshot.directory().get(&address).is_none() {
            self.make(oidc, &address, claims)?;
        }
        let snapshot = self.options().publisher.current();
        let user = snapshot.directory().get(&address).filter(|user| user.enabled).cloned();
        let user = user.ok_or_else(|| nobody(format!("{address} has no account that may sign in")))?;
        self.tie(&user, &who)?;
        self.give_mark(&user)?;
        Ok(user)
    }

    /// Refuses a person of the issuer who is somebody else here, before anybody is made for them.
    fn check_tie(&self, snapshot: &Snapshot, who: &Vouched, address: &AddressOfRecord) -> Result<(), Refused> {
        let tied = self.options().store.vouched_user(who).map_err(|error| unavailable(&error))?;
        match tied.and_then(|tied| snapshot.directory().by_id(tied)).filter(|user| user.address != *address) {
            Some(user) => Err(other_person(&who.subject, address, user.address.as_str())),
            None => Ok(()),
        }
    }

    /// The first sign-in ties a user to a person of the issuer: nobody else of it is that user then, whatever they are
    /// called. Another issuer is the administrator's choice, and its people are tied anew.
    fn tie(&self, user: &UserRecord, who: &Vouched) -> Result<(), Refused> {
        let _turn = self.turn();
        let store = &self.options().store;
        match store.vouched(user.id).map_err(|error| unavailable(&error))? {
            Some(known) if known == *who => Ok(()),
            Some(known) if known.issuer == who.issuer => Err(other_person(
                &who.subject,
                &user.address,
                &format!("the issuer's {}", known.subject.escape_debug()),
            )),
            _ => {
                tracing::info!(user = %user.address, subject = %who.subject.escape_debug(), "user tied to the issuer");
                let by = By { who: AUTHOR, at: self.now() };
                let tied = store.vouched_tie(user.id, who, user.address.as_str(), by);
                tied.map_err(|error| unavailable(&error))
            }
        }
    }

    fn make(&self, oidc: &Oidc, address: &AddressOfRecord, claims: &Claims) -> Result<(), Refused> {
        if !oidc.create {
            return Err(nobody(format!("{address} has no account")));
        }
        let actor = Actor { name: AUTHOR.to_owned(), local: true, expires: None };
        let order = Order { actor, action: "new", what_if: false };
        let mail = claims.text("email").filter(|_| !claims.mail_is_doubtful());
        let short = |text: &str| text.chars().filter(|c| !c.is_control()).take(128).collect::<String>();
        let new = NewUser {
            address: address.to_string(),
            display_name: claims.text("name").map(short),
            mail: mail.map(short),
            ..NewUser::default()
        };
        self.new_user(&order, new).map(drop)
    }

    /// Tokens carry the mark of a password: who has none gets one that nobody knows.
    fn give_mark(&self, user: &UserRecord) -> Result<(), Refused> {
        if self.people()?.mark(user.id).is_some() {
            return Ok(());
        }
        let _turn = self.turn();
        let by = By { who: AUTHOR, at: self.now() };
        let store = &self.options().store;
        store.credential_put(user.id, &first_password(user)?, by).map_err(|error| unavailable(&error))?;
        self.options().publisher.credentials_changed(user.id);
        Ok(())
    }

    /// The issuer as it was found within the last hour.
    pub(crate) async fn issuer(&self) -> Result<Arc<Issuer>, Refused> {
        let snapshot = self.options().publisher.current();
        let oidc = snapshot.document().accounts.oidc.as_ref();
        let oidc = oidc.ok_or_else(|| crate::resource::accounts::not_configured("oidc"))?;
        match self.accounts_state().issuer_of(oidc, self.now()) {
            Some(issuer) => Ok(issuer),
            None => self.find_issuer(oidc).await,
        }
    }

    /// Asks anew, unless that was done a moment ago.
    async fn newer_issuer(&self, old: &Issuer) -> Result<Option<Arc<Issuer>>, Refused> {
        match self.accounts_state().may_ask_issuer_again(self.now()) {
            true => self.find_issuer(old.settings()).await.map(Some),
            false => Ok(None),
        }
    }

    async fn find_issuer(&self, oidc: &Oidc) -> Result<Arc<Issuer>, Refused> {
        let found = Issuer::discover(oidc).await.map_err(|error| fault(&error))?;
        Ok(self.accounts_state().keep_issuer(found, self.now()))
    }
}
