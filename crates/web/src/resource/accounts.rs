//! `/accounts`: users that come from a directory server, and the secrets shown to servers elsewhere.

mod check;
mod report;
mod state;
mod sync;

use crate::Web;
use crate::authorize::Actor;
use crate::extract::{Name, Params, Payload, WhatIf};
use crate::refused::{Refused, unavailable};
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use lyceum_accounts::Secret;
use lyceum_accounts::ldap::LdapFault;
use lyceum_api::Refusal;
use lyceum_api::account::{AccountCheck, AccountSecret, AccountSource, AccountSync};
use lyceum_topology::accounts::{Ldap, Secret as SecretName};
use sync::Wish;

pub(crate) use state::AccountsState;
pub(super) use sync::first_password;

/// The longest secret.
const SECRET_MOST: usize = 1_024;

/// `?force=true`.
#[derive(Debug, Default, serde::Deserialize)]
pub struct Query {
    #[serde(default)]
    force: bool,
}

/// `GET /accounts`.
pub async fn status(State(web): State<Web>) -> Result<Json<Vec<AccountSource>>, Refused> {
    web.clone().blocking(move || web.account_sources()).await.map(Json)
}

/// `POST /accounts/test`.
pub async fn test(State(web): State<Web>) -> Result<Json<Vec<AccountCheck>>, Refused> {
    web.check_accounts().await.map(Json)
}

/// `POST /accounts/sync`.
pub async fn sync(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Params(query): Params<Query>,
) -> Result<Json<AccountSync>, Refused> {
    web.sync_accounts(actor, Wish { what_if, force: query.force }).await.map(Json)
}

/// `PUT /accounts/secrets/{name}`.
pub async fn set_secret(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Name(name): Name,
    Payload(wanted): Payload<AccountSecret>,
) -> Result<StatusCode, Refused> {
    let text = wanted.secret.reveal();
    if text.is_empty() || text.len() > SECRET_MOST || text.chars().any(char::is_control) {
        let what = format!("a secret has 1 to {SECRET_MOST} bytes and no control characters");
        return Err(Refused::new(Refusal::RequestMalformed, what, "secret"));
    }
    put_secret(web, actor, what_if, &name, Some(wanted.secret)).await
}

/// `DELETE /accounts/secrets/{name}`.
pub async fn remove_secret(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Name(name): Name,
) -> Result<StatusCode, Refused> {
    put_secret(web, actor, what_if, &name, None).await
}

async fn put_secret(
    web: Web,
    actor: Actor,
    what_if: bool,
    name: &str,
    secret: Option<lyceum_api::Secret>,
) -> Result<StatusCode, Refused> {
    let Some(name) = SecretName::parse(name) else {
        let what = format!("there is no secret '{}'", name.escape_debug());
        return Err(Refused::new(Refusal::RequestMalformed, what, "name").fix("write ldap or oidc"));
    };
    if what_if {
        return Ok(StatusCode::NO_CONTENT);
    }
    web.clone()
        .blocking(move || {
            let text = secret.as_ref().map(|secret| secret.reveal());
            let store = &web.options().store;
            store.secret_put(&stored_name(name), text, web.by(&actor)).map_err(|error| unavailable(&error))
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the store calls it.
fn stored_name(name: SecretName) -> String {
    format!("accounts.{}", name.as_str())
}

/// Nothing is set that could be asked.
pub(super) fn not_configured(what: &str) -> Refused {
    Refused::new(Refusal::AccountsNotConfigured, format!("the topology has no section accounts.{what}"), "accounts")
}

/// What a directory server did not do for us.
pub(super) fn server_fault(fault: &LdapFault) -> Refused {
    Refused::new(Refusal::AccountsServerFault, fault.to_string(), "accounts.ldap").fix(fault.fix())
}

impl Web {
    /// A secret for a server elsewhere. Blocks.
    pub(super) fn accounts_secret(&self, name: SecretName) -> Result<Option<Secret>, Refused> {
        let found = self.options().store.secret(&stored_name(name)).map_err(|error| unavailable(&error))?;
        Ok(found.map(Secret::new))
    }

    /// The directory server, if one is set.
    pub(super) fn ldap(&self) -> Option<Ldap> {
        self.options().publisher.current().document().accounts.ldap.clone()
    }

    fn account_sources(&self) -> Result<Vec<AccountSource>, Refused> {
        let snapshot = self.options().publisher.current();
        let accounts = &snapshot.document().accounts;
        let mut sources = Vec::new();
        if let Some(ldap) = &accounts.ldap {
            let last = self.accounts_state().last();
            sources.push(AccountSource {
                source: "ldap".to_owned(),
                server: ldap.url.clone(),
                state: last.state.to_owned(),
                accounts: self.options().store.accounts().map_err(|error| unavailable(&error))?.len() as u64,
                secret: self.accounts_secret(SecretName::Ldap)?.is_some(),
                last: last.at,
                next: last.next.filter(|_| ldap.interval_seconds > 0),
                what: last.what,
            });
        }
        if let Some(oidc) = &accounts.oidc {
            sources.push(AccountSource {
                source: "oidc".to_owned(),
                server: oidc.issuer.clone(),
                state: "ok".to_owned(),
                secret: self.accounts_secret(SecretName::Oidc)?.is_some(),
                what: format!("vouches for users by the claim {}", oidc.claim),
                ..AccountSource::default()
            });
        }
        Ok(sources)
    }
}
