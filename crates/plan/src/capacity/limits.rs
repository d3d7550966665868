//! What a pool can do besides: limits of applications, memory of mobile sessions, availability.

use serde::Serialize;

use super::front_end::Pools;
use crate::figures::{Figure, limit};
use crate::file::{Edition, Plan};
use crate::table::grouped;

/// A limit of a voice application in a pool.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ApplicationLimit {
    /// The application and what is limited.
    pub what: &'static str,
    /// The limit.
    pub figure: Figure,
}

const RESPONSE_GROUP: &[(&str, &str)] = &[
    ("Response Group: calls a second", "response-group.calls"),
    ("Response Group: callers waiting", "response-group.waiting"),
    ("Response Group: anonymous sessions", "response-group.anonymous"),
    ("Response Group: anonymous sessions with messages", "response-group.anonymous-im"),
];
const CALL_PARK: &[(&str, &str)] = &[("Call Park: parked a minute", "call-park.rate")];
const GROUP_PICKUP: &[(&str, &str)] = &[
    ("Group Call Pickup: groups", "group-pickup.groups"),
    ("Group Call Pickup: users", "group-pickup.users"),
    ("Group Call Pickup: incoming calls a minute", "group-pickup.incoming"),
    ("Group Call Pickup: retrieved calls a minute", "group-pickup.retrieved"),
];

/// What the applications of the plan can do in one pool.
pub fn application_limits(plan: &Plan, pools: &Pools) -> Vec<ApplicationLimit> {
    let asked = [
        (*plan.voice.response_group, RESPONSE_GROUP),
        (*plan.voice.call_park, CALL_PARK),
        (*plan.voice.group_pickup, GROUP_PICKUP),
    ];
    let wanted = asked.into_iter().filter(|(wanted, _)| *wanted).flat_map(|(_, rows)| rows);
    wanted.map(|(what, id)| ApplicationLimit { what, figure: scaled(id, pools) }).collect()
}

fn scaled(id: &str, pools: &Pools) -> Figure {
    if pools.edition == Edition::Standard {
        let datum = limit(&format!("{id}-standard"));
        return Figure::by("application.scale", datum.value, datum.unit, "published for Standard Edition".to_owned());
    }
    let (datum, eight) = (limit(id), limit("scale.servers").value);
    let servers = pools.servers_each.value;
    let value = datum.value * servers / eight;
    let working = format!("{} x {servers} / {eight} = {}", grouped(datum.value), grouped(value));
    Figure::by("application.scale", value, datum.unit, working)
}

/// MB that mobile sessions take: `active` ones subscribe to presence, all others wait in the background.
pub fn mobility_memory(active: f64, sessions: f64) -> Figure {
    let [base, each, waiting] = ["mobility.base", "mobility.active", "mobility.background"].map(|id| limit(id).value);
    let value = base + each * active + waiting * (sessions - active);
    let working = format!(
        "{base} + 534/1024 x {} + 400/1024 x {} = {}",
        grouped(active),
        grouped(sessions - active),
        grouped(value)
    );
    Figure::by("mobility.memory", value, "MB", working)
}

/// Memory of the mobile sessions of `users` of one server, when all are active.
pub(super) fn mobility(plan: &Plan, users: f64) -> Option<Figure> {
    let sessions = (users * *plan.mobility.share).round();
    plan.mobility.enabled.then(|| mobility_memory(sessions, sessions))
}

/// Share of the time that something works which fails every `mtbf_minutes` and is mended in `mttr_minutes`.
pub fn availability(mtbf_minutes: f64, mttr_minutes: f64) -> Figure {
    let value = (mtbf_minutes - mttr_minutes) / mtbf_minutes * 100.0;
    let working = format!("({0} - {1}) / {0}", grouped(mtbf_minutes), grouped(mttr_minutes));
    Figure::by("availability", value, "%", working)
}
