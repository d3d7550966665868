//! `/devices`: desk phones the organisation owns.

use super::numbers::Query;
use super::users::{find, store_refused};
use crate::Web;
use crate::authorize::Actor;
use crate::extract::{Name, Params, Payload, WhatIf};
use crate::refused::Refused;
use axum::extract::State;
use axum::{Extension, Json};
use lyceum_api::change::differences;
use lyceum_api::directory::Device;
use lyceum_api::{Changed, Page, Refusal};
use lyceum_topology::{DeviceRecord, MacAddress, Snapshot};
use std::collections::BTreeMap;

/// `GET /devices`.
pub async fn list(State(web): State<Web>, Params(query): Params<Query>) -> Result<Json<Page<Device>>, Refused> {
    let snapshot = web.options().publisher.current();
    web.blocking(move || {
        let devices = snapshot.directory().devices();
        let mut found: BTreeMap<_, _> = devices.map(|d| (d.mac.to_string(), shown(&snapshot, d))).collect();
        if let Some(user) = &query.user {
            let address = super::users::address(&snapshot, user)?.to_string();
            found.retain(|_, device| device.user.as_deref() == Some(&address));
        }
        Ok(query.page(found))
    })
    .await
    .map(Json)
}

/// `GET /devices/{mac}`.
pub async fn get(State(web): State<Web>, Name(text): Name) -> Result<Json<Device>, Refused> {
    let mac = parse(&text)?;
    let snapshot = web.options().publisher.current();
    let record = snapshot.directory().device(mac).ok_or_else(|| missing(mac))?;
    Ok(Json(shown(&snapshot, record)))
}

/// `PUT /devices/{mac}`.
pub async fn set(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Name(text): Name,
    Payload(wanted): Payload<Device>,
) -> Result<Json<Changed>, Refused> {
    let mac = parse(&text)?;
    if parse(&wanted.mac)? != mac {
        return Err(Refused::new(Refusal::RequestMalformed, "path and body name different devices", "mac"));
    }
    web.clone().blocking(move || web.put_device(&actor, mac, wanted, what_if)).await.map(Json)
}

/// `DELETE /devices/{mac}`.
pub async fn remove(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Name(text): Name,
) -> Result<Json<Changed>, Refused> {
    let mac = parse(&text)?;
    web.clone().blocking(move || web.remove_device(&actor, mac, what_if)).await.map(Json)
}

fn parse(text: &str) -> Result<MacAddress, Refused> {
    MacAddress::parse(text).map_err(|e| Refused::new(Refusal::DeviceInvalid, e.to_string(), "mac"))
}

fn missing(mac: MacAddress) -> Refused {
    Refused::new(Refusal::DeviceNotFound, format!("there is no device {mac}"), format!("/devices/{mac}"))
}

fn shown(snapshot: &Snapshot, record: &DeviceRecord) -> Device {
    let text = |text: &Option<Box<str>>| text.as_deref().unwrap_or_default().to_owned();
    Device {
        mac: record.mac.to_string(),
        user: record.user.and_then(|id| snapshot.directory().by_id(id)).map(|user| user.address.to_string()),
        model: text(&record.model),
        site: record.site.as_deref().map(str::to_owned),
        note: text(&record.note),
    }
}

impl Web {
    fn put_device(&self, actor: &Actor, mac: MacAddress, wanted: Device, what_if: bool) -> Result<Changed, Refused> {
        let _turn = self.turn();
        let before = self.options().publisher.current();
        let user = wanted.user.filter(|u| !u.is_empty()).map(|u| find(&before, &u).map(|user| user.id)).transpose()?;
        let text = |text: String| -> Option<Box<str>> { (!text.is_empty()).then(|| text.into()) };
        let site = wanted.site.and_then(text);
        if let Some(site) = &site
            && !before.document().sites.iter().any(|s| s.name == **site)
        {
            return Err(Refused::new(Refusal::DeviceInvalid, format!("there is no site {site}"), "site")
                .fix("list the sites with 'lyceum topology get'"));
        }
        let record = DeviceRecord { mac, model: text(wanted.model), user, site, note: text(wanted.note) };
        let old = before.directory().device(mac).map(|record| shown(&before, record));
        let mut directory = before.directory().clone();
        directory.insert_device(record.clone());
        let next = super::users::next(&before, directory)?;
        let changed = change(what_if, "set", old.as_ref(), Some(&shown(&next, &record)));
        if !what_if && !changed.changes.is_empty() {
            self.options().store.device_put(&record, self.by(actor)).map_err(store_refused)?;
            self.options().publisher.publish(next);
        }
        Ok(changed)
    }

    fn remove_device(&self, actor: &Actor, mac: MacAddress, what_if: bool) -> Result<Changed, Refused> {
        let _turn = self.turn();
        let before = self.options().publisher.current();
        let old = before.directory().device(mac).map(|record| shown(&before, record)).ok_or_else(|| missing(mac))?;
        let mut directory = before.directory().clone();
        directory.remove_device(mac);
        let next = super::users::next(&before, directory)?;
        if !what_if {
            self.options().store.device_remove(mac, self.by(actor)).map_err(store_refused)?;
            self.options().publisher.publish(next);
        }
        Ok(change(what_if, "remove", Some(&old), None))
    }
}

fn change(what_if: bool, action: &str, old: Option<&Device>, new: Option<&Device>) -> Changed {
    let json = |d: Option<&Device>| d.map(|d| serde_json::to_value(d).unwrap_or_default());
    let name = new.or(old).map_or_else(String::new, |d| d.mac.clone());
    Changed {
        what_if,
        action: action.to_owned(),
        kind: "device".to_owned(),
        name,
        changes: differences(json(old).as_ref(), json(new).as_ref()),
        version: None,
        object: json(new),
    }
}
