//! `/client`: what the pages of signed-in users call.

pub mod calendar;
pub mod calls;
pub mod contacts;
pub mod conversations;
pub mod elsewhere;
pub mod files;
pub mod groups;
mod password;
pub mod photos;
pub mod presence;
pub mod search;
pub mod session;

use crate::Web;
use crate::authorize::bearer;
use crate::port::People;
use crate::refused::Refused;
use axum::http::HeaderMap;
use lyceum_api::Refusal;
use lyceum_sip::token::bearer::{Audience, Claims};
use lyceum_topology::{UserId, UserRecord};
use std::sync::Arc;

/// The signed-in user of a request.
#[derive(Clone)]
pub struct SignedIn {
    /// The user.
    pub user: Arc<UserRecord>,
    /// What the token said.
    pub claims: Claims,
}

impl SignedIn {
    /// The address.
    pub fn address(&self) -> &str {
        self.user.address.as_str()
    }
}

impl Web {
    pub(crate) fn people(&self) -> Result<Arc<dyn People>, Refused> {
        let missing = || Refused::new(Refusal::NotSupportedHere, "this server has no pages for users", "/client");
        self.options().people.clone().ok_or_else(missing)
    }

    /// The user whom a token for this audience names, while they may sign in and have the same password.
    pub(crate) fn user_of_token(&self, token: &str, audience: Audience) -> Result<SignedIn, Refused> {
        let over = || Refused::new(Refusal::ClientSessionOver, "the session has ended", "Authorization");
        let people = self.options().people.as_ref().ok_or_else(over)?;
        let claims = people.bearers().check(token.as_bytes(), audience, self.now()).ok_or_else(over)?;
        let snapshot = self.options().publisher.current();
        let user = snapshot.directory().by_id(UserId(claims.user)).filter(|user| user.enabled).ok_or_else(over)?;
        if people.mark(user.id) != Some(claims.mark) || people.has_ended(&claims) {
            return Err(over());
        }
        Ok(SignedIn { user: Arc::clone(user), claims })
    }

    /// The user of a request, for the routes of pages.
    pub(crate) fn signed_in_user(&self, headers: &HeaderMap) -> Result<SignedIn, Refused> {
        let Some(token) = bearer(headers) else {
            return Err(Refused::new(Refusal::ClientSessionOver, "this call needs a user's session", "Authorization"));
        };
        self.user_of_token(&token, Audience::Client)
    }
}
