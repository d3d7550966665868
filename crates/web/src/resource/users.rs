//! `/users`.

mod change;
mod former;
mod list;

pub(super) use change::{ha1, next, number, refused as store_refused, text};

use crate::Web;
use crate::authorize::Actor;
use crate::extract::{Name, Params, Payload, WhatIf};
use crate::refused::{Refused, unavailable};
use crate::resource::Order;
use axum::extract::State;
use axum::{Extension, Json};
use lyceum_api::user::{EffectivePolicy, EffectiveValue, NewUser, User, UserChange, UserQuery};
use lyceum_api::{Changed, Page, Refusal};
use lyceum_topology::policy::Origin;
use lyceum_topology::{AddressOfRecord, GrantKind, Snapshot, UserRecord};
use std::sync::Arc;

/// `GET /users`.
pub async fn list(State(web): State<Web>, Params(query): Params<UserQuery>) -> Result<Json<Page<User>>, Refused> {
    let snapshot = web.options().publisher.current();
    web.blocking(move || Ok(list::page(&snapshot, &query))).await.map(Json)
}

/// `GET /users/{address}`.
pub async fn get(State(web): State<Web>, Name(address): Name) -> Result<Json<User>, Refused> {
    let snapshot = web.options().publisher.current();
    let user = find(&snapshot, &address)?.clone();
    let mut found = shown(&snapshot, &user);
    let store = web.options().store.clone();
    // A secret that does not open is one that is not there for signing in.
    let look = move || {
        let account = store.account(user.id).map_err(|error| unavailable(&error))?;
        Ok((store.credential(user.id).is_ok_and(|s| s.is_some()), account.is_some()))
    };
    let (secret, follows) = web.blocking(look).await?;
    found.has_password = Some(secret);
    found.source = follows.then(|| "ldap".to_owned());
    Ok(Json(found))
}

/// `POST /users`.
pub async fn new(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Payload(new): Payload<NewUser>,
) -> Result<Json<Changed>, Refused> {
    let order = Order { actor, action: "new", what_if };
    web.clone().blocking(move || web.new_user(&order, new)).await.map(Json)
}

/// `PATCH /users/{address}`.
pub async fn set(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Name(address): Name,
    Payload(wanted): Payload<UserChange>,
) -> Result<Json<Changed>, Refused> {
    let order = Order { actor, action: "set", what_if };
    web.clone()
        .blocking(move || {
            let password = wanted.password.as_ref();
            let mut changed = web.change_user(&order, &address, password, |user| change::apply(user, &wanted))?;
            if wanted.untie {
                changed.changes.extend(web.untie(&order, &address)?);
            }
            Ok(changed)
        })
        .await
        .map(Json)
}

/// `POST /users/{address}/enable`.
pub async fn enable(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    what_if: WhatIf,
    Name(address): Name,
) -> Result<Json<Changed>, Refused> {
    switch(web, actor, what_if, address, "enable").await
}

/// `POST /users/{address}/disable`.
pub async fn disable(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    what_if: WhatIf,
    Name(address): Name,
) -> Result<Json<Changed>, Refused> {
    switch(web, actor, what_if, address, "disable").await
}

async fn switch(
    web: Web,
    actor: Actor,
    WhatIf(what_if): WhatIf,
    address: String,
    action: &'static str,
) -> Result<Json<Changed>, Refused> {
    let order = Order { actor, action, what_if };
    web.clone()
        .blocking(move || {
            web.change_user(&order, &address, None, |user| {
                user.enabled = action == "enable";
                Ok(())
            })
        })
        .await
        .map(Json)
}

/// `DELETE /users/{address}`.
pub async fn remove(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Name(address): Name,
) -> Result<Json<Changed>, Refused> {
    let order = Order { actor, action: "remove", what_if };
    web.clone().blocking(move || web.remove_user(&order, &address)).await.map(Json)
}

/// `GET /users/{address}/effective-policy`.
pub async fn effective(State(web): State<Web>, Name(address): Name) -> Result<Json<EffectivePolicy>, Refused> {
    let snapshot = web.options().publisher.current();
    let policy = snapshot.effective_policy(find(&snapshot, &address)?);
    let value = |v: lyceum_topology::EffectiveValue| EffectiveValue {
        kind: v.kind.as_str().to_owned(),
        setting: v.field.to_owned(),
        value: v.value,
        unit: v.unit.to_owned(),
        from: origin(&v.origin),
        otherwise: v.otherwise.map(|(value, _)| value),
    };
    Ok(Json(EffectivePolicy { address: policy.user, values: policy.values.into_iter().map(value).collect() }))
}

fn origin(origin: &Origin) -> String {
    match origin {
        Origin::BuiltIn => "default".to_owned(),
        Origin::Global => "global".to_owned(),
        Origin::Site(name) => format!("site:{name}"),
        Origin::Pool(name) => format!("pool:{name}"),
        Origin::Named(name) => format!("tag:{name}"),
    }
}

/// The address a caller wrote; without a domain it is in the default one.
pub(crate) fn address(snapshot: &Snapshot, text: &str) -> Result<AddressOfRecord, Refused> {
    let text = text.trim();
    let whole = match text.contains('@') {
        true => text.to_owned(),
        false => format!("{text}@{}", snapshot.default_domain()),
    };
    AddressOfRecord::parse(&whole).map_err(|e| Refused::new(Refusal::AddressInvalid, e.to_string(), "address"))
}

/// The user of an address.
pub(crate) fn find<'s>(snapshot: &'s Snapshot, text: &str) -> Result<&'s Arc<UserRecord>, Refused> {
    let address = address(snapshot, text)?;
    snapshot.directory().get(&address).ok_or_else(|| {
        Refused::new(Refusal::UserNotFound, format!("there is no user {address}"), format!("/users/{address}"))
    })
}

/// The record as the API shows it.
pub(crate) fn shown(snapshot: &Snapshot, user: &UserRecord) -> User {
    let grant = |kind: GrantKind| Some((kind.policy().as_str().to_owned(), user.grant(kind)?.to_owned()));
    User {
        address: user.address.to_string(),
        display_name: user.display_name.as_deref().unwrap_or_default().to_owned(),
        enabled: user.enabled,
        pool: user.pool().to_owned(),
        site: snapshot.document().site_of(user.pool()).map(|site| site.name.clone()),
        numbers: user.numbers.iter().map(|n| n.plain()).collect(),
        mail: user.mail.as_deref().map(str::to_owned),
        title: user.job().title.as_deref().map(str::to_owned),
        company: user.job().company.as_deref().map(str::to_owned),
        department: user.job().department.as_deref().map(str::to_owned),
        policies: GrantKind::ALL.into_iter().filter_map(grant).collect(),
        has_password: None,
        source: None,
    }
}
