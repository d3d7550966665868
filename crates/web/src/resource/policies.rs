//! `/policies`: the part of the document that has kinds and scopes, edited as JSON so that a new kind needs
//! nothing here.

use super::documents::{Commit, Edit};
use crate::Web;
use crate::authorize::Actor;
use crate::extract::{Name, Names, Payload, WhatIf};
use crate::refused::Refused;
use crate::resource::Order;
use axum::extract::State;
use axum::{Extension, Json};
use lyceum_api::policy::{Grant, Policy, PolicyChange};
use lyceum_api::{Changed, Refusal};
use lyceum_topology::{Document, PolicyKind, Snapshot};
use serde_json::{Map, Value, json};

/// Scope maps of a kind, and how the API writes their scopes.
const SCOPES: [(&str, &str); 3] = [("sites", "site:"), ("pools", "pool:"), ("named", "tag:")];

/// A scope as the API writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Scope {
    Global,
    Of { map: &'static str, name: String },
}

impl Scope {
    fn parse(text: &str) -> Result<Scope, Refused> {
        if text == "global" {
            return Ok(Scope::Global);
        }
        SCOPES
            .iter()
            .find_map(|(map, prefix)| Some(Scope::Of { map, name: text.strip_prefix(prefix)?.to_owned() }))
            .filter(|scope| !matches!(scope, Scope::Of { name, .. } if name.is_empty()))
            .ok_or_else(|| Refused::new(Refusal::ScopeInvalid, format!("'{text}' is no scope"), "scope"))
    }

    fn find<'v>(&self, kind: &'v Value) -> Option<&'v Value> {
        match self {
            Scope::Global => kind.get("global"),
            Scope::Of { map, name } => kind.get(map)?.get(name),
        }
    }
}

fn kind(name: &str) -> Result<PolicyKind, Refused> {
    PolicyKind::parse(name).ok_or_else(|| {
        let kinds: Vec<&str> = PolicyKind::ALL.iter().map(|k| k.as_str()).collect();
        let what = format!("there is no policy kind '{name}'; there are {}", kinds.join(", "));
        Refused::new(Refusal::PolicyKindUnknown, what, "kind")
    })
}

fn policies(snapshot: &Snapshot) -> Value {
    serde_json::to_value(&snapshot.document().policies).unwrap_or_default()
}

fn all_of(kind: PolicyKind, policies: &Value) -> Vec<Policy> {
    let kind_value = &policies[kind.as_str()];
    let policy =
        |scope: String, settings: &Value| Policy { kind: kind.as_str().to_owned(), scope, settings: settings.clone() };
    let mut found = vec![policy("global".to_owned(), kind_value.get("global").unwrap_or(&json!({})))];
    for (map, prefix) in SCOPES {
        let entries = kind_value.get(map).and_then(Value::as_object).into_iter().flatten();
        found.extend(entries.map(|(name, settings)| policy(format!("{prefix}{name}"), settings)));
    }
    found
}

/// `GET /policies`.
pub async fn list(State(web): State<Web>) -> Result<Json<Vec<Policy>>, Refused> {
    let policies = policies(&web.options().publisher.current());
    Ok(Json(PolicyKind::ALL.iter().flat_map(|kind| all_of(*kind, &policies)).collect()))
}

/// `GET /policies/{kind}`.
pub async fn list_of(State(web): State<Web>, Name(name): Name) -> Result<Json<Vec<Policy>>, Refused> {
    Ok(Json(all_of(kind(&name)?, &policies(&web.options().publisher.current()))))
}

/// `GET /policies/{kind}/{scope}`.
pub async fn get(State(web): State<Web>, Names(name, scope): Names) -> Result<Json<Policy>, Refused> {
    let (kind, parsed) = (kind(&name)?, Scope::parse(&scope)?);
    let policies = policies(&web.options().publisher.current());
    match parsed.find(&policies[kind.as_str()]) {
        Some(settings) => Ok(Json(Policy { kind: name, scope, settings: settings.clone() })),
        None => Err(missing(kind, &scope)),
    }
}

fn missing(kind: PolicyKind, scope: &str) -> Refused {
    let place = format!("/policies/{}/{scope}", kind.as_str());
    Refused::new(Refusal::PolicyNotFound, format!("there is no {} policy at {scope}", kind.as_str()), place)
}

/// `PATCH /policies/{kind}/{scope}`.
pub async fn set(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Names(name, scope): Names,
    Payload(PolicyChange(wanted)): Payload<PolicyChange>,
) -> Result<Json<Changed>, Refused> {
    edit(web, Order { actor, action: "set", what_if }, name, scope, move |settings| {
        for (field, value) in &wanted {
            if value.is_null() {
                settings.remove(field)
            } else {
                settings.insert(field.clone(), value.clone())
            };
        }
        true
    })
    .await
}

/// `DELETE /policies/{kind}/{scope}`.
pub async fn remove(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Names(name, scope): Names,
) -> Result<Json<Changed>, Refused> {
    let (kind, parsed) = (kind(&name)?, Scope::parse(&scope)?);
    let snapshot = web.options().publisher.current();
    if parsed.find(&policies(&snapshot)[kind.as_str()]).is_none() {
        return Err(missing(kind, &scope));
    }
    if let (Scope::Of { map: "named", name: policy }, Some(grant)) = (&parsed, kind.grantable()) {
        let holder = snapshot.directory().users().find(|u| u.grant(grant) == Some(policy));
        if let Some(user) = holder {
            let what = format!("{} holds the {} policy {policy}", user.address, kind.as_str());
            return Err(Refused::new(Refusal::PolicyInUse, what, format!("/policies/{name}/{scope}")));
        }
    }
    edit(web, Order { actor, action: "remove", what_if }, name, scope, |settings| {
        settings.clear();
        false
    })
    .await
}

/// Edits the settings of one scope; the closure says whether the scope stays.
async fn edit(
    web: Web,
    order: Order,
    name: String,
    scope: String,
    change: impl Fn(&mut Map<String, Value>) -> bool + Send + 'static,
) -> Result<Json<Changed>, Refused> {
    let (kind, parsed) = (kind(&name)?, Scope::parse(&scope)?);
    web.clone()
        .blocking(move || {
            let apply = |snapshot: &Snapshot| changed(snapshot, kind, &parsed, &change);
            let object = |snapshot: &Snapshot| {
                let settings = parsed.find(&policies(snapshot)[kind.as_str()])?.clone();
                Some(json!({ "kind": kind.as_str(), "scope": scope, "settings": settings }))
            };
            let name = format!("{} {scope}", kind.as_str());
            let edit = Edit {
                action: order.action,
                kind: "policy",
                name,
                expected: None,
                commit: Commit::Publish,
                edit: &apply,
                object: &object,
            };
            web.edit_document(&order.actor, edit, order.what_if)
        })
        .await
        .map(Json)
}

fn changed(
    snapshot: &Snapshot,
    kind: PolicyKind,
    scope: &Scope,
    change: &dyn Fn(&mut Map<String, Value>) -> bool,
) -> Result<Document, Refused> {
    let mut document = serde_json::to_value(snapshot.document()).unwrap_or_default();
    let of_kind = &mut document["policies"][kind.as_str()];
    let (map, key) = match scope {
        Scope::Global => (of_kind, "global"),
        Scope::Of { map, name } => (&mut of_kind[*map], name.as_str()),
    };
    if map.is_null() {
        *map = json!({});
    }
    let mut settings = map.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
    let stays = change(&mut settings);
    match map.as_object_mut() {
        Some(map) if stays || *scope == Scope::Global => drop(map.insert(key.to_owned(), Value::Object(settings))),
        Some(map) => drop(map.remove(key)),
        None => {}
    }
    super::topology::read(document)
}

/// `POST /policies/{kind}/grant`.
pub async fn grant(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Name(name): Name,
    Payload(grant): Payload<Grant>,
) -> Result<Json<Changed>, Refused> {
    let kind = kind(&name)?;
    let Some(grantable) = kind.grantable() else {
        let what = format!("a {name} policy acts before the user is known, so it cannot be granted to one");
        return Err(Refused::new(Refusal::PolicyKindUnknown, what, "kind")
            .fix("set it at global, site: or pool: scope instead"));
    };
    let order = Order { actor, action: "grant", what_if };
    web.clone()
        .blocking(move || {
            if let Some(policy) = &grant.policy {
                let scope = Scope::Of { map: "named", name: policy.clone() };
                if scope.find(&policies(&web.options().publisher.current())[kind.as_str()]).is_none() {
                    return Err(missing(kind, &format!("tag:{policy}")));
                }
            }
            web.change_user(&order, &grant.user, None, |user| {
                *user = user.clone().granted(grantable, grant.policy.as_deref());
                Ok(())
            })
        })
        .await
        .map(Json)
}
