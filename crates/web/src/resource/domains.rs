//! `/domains`.

use super::documents::{Commit, Edit};
use crate::Web;
use crate::authorize::Actor;
use crate::extract::{Name, Payload, WhatIf};
use crate::refused::Refused;
use axum::extract::State;
use axum::{Extension, Json};
use lyceum_api::domain::{Domain, DomainChange, NewDomain};
use lyceum_api::{Changed, Refusal};
use lyceum_topology::{DomainName, SipDomain, Snapshot};
use serde_json::{Value, json};
use std::collections::HashMap;

/// `GET /domains`.
pub async fn list(State(web): State<Web>) -> Result<Json<Vec<Domain>>, Refused> {
    web.clone()
        .blocking(move || {
            let snapshot = web.options().publisher.current();
            let mut users: HashMap<&str, u64> = HashMap::new();
            for user in snapshot.directory().users() {
                *users.entry(user.address.domain()).or_default() += 1;
            }
            let shown = |d: &SipDomain| Domain {
                name: d.name.to_string(),
                default: d.default,
                users: users.get(d.name.as_str()).copied().unwrap_or_default(),
            };
            Ok(snapshot.document().domains.iter().map(shown).collect())
        })
        .await
        .map(Json)
}

/// `POST /domains`.
pub async fn new(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    what_if: WhatIf,
    Payload(new): Payload<NewDomain>,
) -> Result<Json<Changed>, Refused> {
    let name = parse(&new.name)?;
    change(web, actor, what_if, "new", name, move |document, name| {
        if document.domains.iter().any(|d| d.name == *name) {
            return Err(Refused::new(Refusal::DomainExists, format!("{name} is one of our domains already"), "name"));
        }
        let first = document.domains.is_empty();
        document.domains.push(SipDomain { name: name.clone(), default: first });
        if new.default {
            document.set_default_domain(name);
        }
        Ok(())
    })
    .await
}

/// `PATCH /domains/{name}`.
pub async fn set(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    what_if: WhatIf,
    Name(name): Name,
    Payload(wanted): Payload<DomainChange>,
) -> Result<Json<Changed>, Refused> {
    let name = parse(&name)?;
    change(web, actor, what_if, "set", name, move |document, name| {
        let Some(domain) = document.domains.iter().find(|d| d.name == *name) else { return Err(missing(name)) };
        if domain.default && !wanted.default {
            let what = "the default domain cannot be unset, only replaced";
            return Err(Refused::new(Refusal::RequestMalformed, what, "default")
                .fix("make another domain the default: lyceum domain set NAME --default"));
        }
        if wanted.default {
            document.set_default_domain(name);
        }
        Ok(())
    })
    .await
}

/// `DELETE /domains/{name}`.
pub async fn remove(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    what_if: WhatIf,
    Name(name): Name,
) -> Result<Json<Changed>, Refused> {
    let name = parse(&name)?;
    let snapshot = web.options().publisher.current();
    let holder = snapshot.directory().users().find(|u| u.address.domain() == name.as_str());
    if let Some(user) = holder {
        let what = format!("{name} still has users, {} for one", user.address);
        return Err(Refused::new(Refusal::DomainInUse, what, format!("/domains/{name}")));
    }
    change(web, actor, what_if, "remove", name, |document, name| {
        let before = document.domains.len();
        document.domains.retain(|d| d.name != *name);
        if document.domains.len() == before { Err(missing(name)) } else { Ok(()) }
    })
    .await
}

fn parse(name: &str) -> Result<DomainName, Refused> {
    DomainName::parse(name).map_err(|e| Refused::new(Refusal::RequestMalformed, e.to_string(), "name"))
}

fn missing(name: &DomainName) -> Refused {
    Refused::new(Refusal::DomainNotFound, format!("{name} is not one of our domains"), format!("/domains/{name}"))
}

async fn change(
    web: Web,
    actor: Actor,
    WhatIf(what_if): WhatIf,
    action: &'static str,
    name: DomainName,
    edit: impl Fn(&mut lyceum_topology::Document, &DomainName) -> Result<(), Refused> + Send + 'static,
) -> Result<Json<Changed>, Refused> {
    web.clone()
        .blocking(move || {
            let apply = |snapshot: &Snapshot| {
                let mut document = snapshot.document().clone();
                edit(&mut document, &name).map(|()| document)
            };
            let object = |snapshot: &Snapshot| -> Option<Value> {
                let found = snapshot.document().domains.iter().find(|d| d.name == name)?;
                Some(json!({ "name": found.name, "default": found.default }))
            };
            let edit = Edit {
                action,
                kind: "domain",
                name: name.to_string(),
                expected: None,
                commit: Commit::Publish,
                edit: &apply,
                object: &object,
            };
            web.edit_document(&actor, edit, what_if)
        })
        .await
        .map(Json)
}
