//! `/client/groups/{address}`: the people of a distribution group, when somebody looks into it.

use super::SignedIn;
use super::session::person;
use crate::Web;
use crate::extract::Name;
use crate::refused::Refused;
use crate::resource::groups::find;
use axum::extract::State;
use axum::{Extension, Json};
use lyceum_api::client::DistributionGroup;
use lyceum_topology::{GroupRecord, Snapshot};

/// `GET /client/groups/{address}`.
pub async fn get(
    State(web): State<Web>,
    Extension(_): Extension<SignedIn>,
    Name(address): Name,
) -> Result<Json<DistributionGroup>, Refused> {
    let snapshot = web.options().publisher.current();
    web.for_people(move || {
        let group = find(&snapshot, &address)?;
        let people = snapshot.directory().expand(group).people.iter().map(|user| person(user)).collect();
        Ok(Json(DistributionGroup { people, ..shown(&snapshot, group) }))
    })
    .await
}

/// The group without its people's cards.
pub(super) fn shown(snapshot: &Snapshot, group: &GroupRecord) -> DistributionGroup {
    let found = snapshot.directory().expand(group);
    DistributionGroup {
        address: group.address.to_string(),
        display_name: group.display_name.as_deref().map(str::to_owned),
        members: found.people.iter().map(|user| user.address.to_string()).collect(),
        people: Vec::new(),
        cut: found.cut,
    }
}
