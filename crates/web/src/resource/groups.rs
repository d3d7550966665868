//! `/groups`: distribution groups.

use super::numbers::Query;
use super::users::{address, next, store_refused, text};
use crate::Web;
use crate::authorize::Actor;
use crate::extract::{Name, Params, Payload, WhatIf};
use crate::refused::Refused;
use crate::resource::Order;
use axum::extract::State;
use axum::{Extension, Json};
use lyceum_api::change::differences;
use lyceum_api::group::{Group, GroupChange};
use lyceum_api::{Changed, Page, Refusal};
use lyceum_topology::{AddressOfRecord, GroupRecord, Snapshot};
use std::collections::BTreeMap;
use std::sync::Arc;

/// `GET /groups`.
pub async fn list(State(web): State<Web>, Params(query): Params<Query>) -> Result<Json<Page<Group>>, Refused> {
    let snapshot = web.options().publisher.current();
    web.blocking(move || {
        let groups = snapshot.directory().groups();
        let found: BTreeMap<_, _> = groups.map(|g| (g.address.to_string(), shown(&snapshot, g))).collect();
        Ok(query.page(found))
    })
    .await
    .map(Json)
}

/// `GET /groups/{address}`.
pub async fn get(State(web): State<Web>, Name(text): Name) -> Result<Json<Group>, Refused> {
    let snapshot = web.options().publisher.current();
    Ok(Json(shown(&snapshot, find(&snapshot, &text)?)))
}

/// `POST /groups`.
pub async fn new(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Payload(wanted): Payload<Group>,
) -> Result<Json<Changed>, Refused> {
    let order = Order { actor, action: "new", what_if };
    web.clone().blocking(move || web.new_group(&order, &wanted)).await.map(Json)
}

/// `PATCH /groups/{address}`.
pub async fn set(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Name(text): Name,
    Payload(wanted): Payload<GroupChange>,
) -> Result<Json<Changed>, Refused> {
    let order = Order { actor, action: "set", what_if };
    web.clone().blocking(move || web.set_group(&order, &text, &wanted)).await.map(Json)
}

/// `DELETE /groups/{address}`.
pub async fn remove(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Name(text): Name,
) -> Result<Json<Changed>, Refused> {
    let order = Order { actor, action: "remove", what_if };
    web.clone().blocking(move || web.remove_group(&order, &text)).await.map(Json)
}

/// The group of an address.
pub(super) fn find<'s>(snapshot: &'s Snapshot, text: &str) -> Result<&'s Arc<GroupRecord>, Refused> {
    let address = address(snapshot, text)?;
    snapshot.directory().group(&address).ok_or_else(|| {
        Refused::new(Refusal::GroupNotFound, format!("there is no group {address}"), format!("/groups/{address}"))
    })
}

fn shown(snapshot: &Snapshot, group: &GroupRecord) -> Group {
    Group {
        address: group.address.to_string(),
        display_name: group.display_name.as_deref().unwrap_or_default().to_owned(),
        members: group.members.iter().map(AddressOfRecord::to_string).collect(),
        people: Some(snapshot.directory().expand(group).people.len()),
    }
}

fn members(snapshot: &Snapshot, texts: &[String]) -> Result<Vec<AddressOfRecord>, Refused> {
    texts.iter().map(|text| address(snapshot, text)).collect()
}

fn json(snapshot: &Snapshot, group: &GroupRecord) -> serde_json::Value {
    serde_json::to_value(shown(snapshot, group)).unwrap_or_default()
}

impl Web {
    fn new_group(&self, order: &Order, wanted: &Group) -> Result<Changed, Refused> {
        let _turn = self.turn();
        let before = self.options().publisher.current();
        let address = address(&before, &wanted.address)?;
        let place = format!("/groups/{address}");
        if before.directory().group(&address).is_some() {
            return Err(Refused::new(Refusal::GroupExists, format!("there is a group {address} already"), place));
        }
        if !before.is_our_domain(address.domain().as_bytes()) {
            let what = format!("{} is not a SIP domain of the organisation", address.domain());
            return Err(Refused::new(Refusal::DomainUnknown, what, place));
        }
        let display_name = text(&wanted.display_name, "display_name")?;
        let group = GroupRecord { address, display_name, members: members(&before, &wanted.members)?.into() };
        self.put_group(order, &before, None, group)
    }

    fn set_group(&self, order: &Order, name: &str, wanted: &GroupChange) -> Result<Changed, Refused> {
        let _turn = self.turn();
        let before = self.options().publisher.current();
        let old = find(&before, name)?;
        let mut group = GroupRecord::clone(old);
        if let Some(name) = &wanted.display_name {
            group.display_name = text(name, "display_name")?;
        }
        let mut all = match &wanted.members {
            Some(texts) => members(&before, texts)?,
            None => group.members.to_vec(),
        };
        all.extend(members(&before, &wanted.add)?);
        let gone = members(&before, &wanted.remove)?;
        all.retain(|member| !gone.contains(member));
        group.members = all.into();
        self.put_group(order, &before, Some(old), group)
    }

    fn put_group(
        &self,
        order: &Order,
        before: &Snapshot,
        old: Option<&Arc<GroupRecord>>,
        mut group: GroupRecord,
    ) -> Result<Changed, Refused> {
        let mut sorted = group.members.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        group.members = sorted.into();
        before.directory().check_group(&group).map_err(|fault| {
            Refused::new(Refusal::GroupInvalid, fault.to_string(), format!("/groups/{}", group.address))
        })?;
        let mut directory = before.directory().clone();
        directory.insert_group(group.clone());
        let next = next(before, directory)?;
        let old = old.map(|old| json(before, old));
        let object = json(&next, &group);
        let changes = differences(old.as_ref(), Some(&object));
        if !order.what_if && !changes.is_empty() {
            self.options().store.group_put(&group, self.by(&order.actor)).map_err(store_refused)?;
            self.options().publisher.publish(next);
        }
        Ok(changed(order, &group, changes, Some(object)))
    }

    fn remove_group(&self, order: &Order, text: &str) -> Result<Changed, Refused> {
        let _turn = self.turn();
        let before = self.options().publisher.current();
        let group = find(&before, text)?.clone();
        let mut directory = before.directory().clone();
        directory.remove_group(&group.address);
        let next = next(&before, directory)?;
        if !order.what_if {
            self.options().store.group_remove(&group.address, self.by(&order.actor)).map_err(store_refused)?;
            self.options().publisher.publish(next);
        }
        Ok(changed(order, &group, differences(Some(&json(&before, &group)), None), None))
    }
}

fn changed(
    order: &Order,
    group: &GroupRecord,
    changes: Vec<lyceum_api::Difference>,
    object: Option<serde_json::Value>,
) -> Changed {
    Changed {
        what_if: order.what_if,
        action: order.action.to_owned(),
        kind: "group".to_owned(),
        name: group.address.to_string(),
        changes,
        version: None,
        object,
    }
}
