//! What the users of a site do to its servers at the busiest moment: Lync's user model with the plan's numbers in it.

use serde::Serialize;

use crate::figures::{Figure, limit};
use crate::file::{Breakout, Plan};
use crate::table::grouped;

/// The load of one place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Load {
    /// Users that are signed in.
    pub signed_in: Figure,
    /// Their endpoints.
    pub endpoints: Figure,
    /// Of the users, those outside.
    pub remote: f64,
    /// Of the users, those whose calls reach the PSTN here.
    pub calling: f64,
    /// PSTN calls at once, on average.
    pub pstn_erlang: Figure,
    /// Of these, those that pass a Mediation Server here.
    pub non_bypass: Figure,
    /// What presence and messages take of the network, in kbps.
    pub presence_kbps: Figure,
    /// Meetings.
    pub meetings: Option<MeetingLoad>,
}

/// The meetings of one place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MeetingLoad {
    /// People in meetings at once.
    pub people: Figure,
    /// Meetings at once.
    pub meetings: Figure,
    /// Of these, meetings with a shared screen.
    pub sharing: Figure,
    /// Meetings in the peak hour against the mean.
    pub peak: Figure,
    /// People beside one meeting of the largest size in a shared pool.
    pub beside_large: Figure,
}

/// PSTN traffic of `users` signed-in users.
pub fn pstn_erlang(plan: &Plan, users: f64) -> Figure {
    let voice = &plan.voice;
    let on = if *voice.enabled { 1.0 } else { 0.0 };
    let value = on * users * *voice.share * *voice.pstn_share * *voice.calls_busy_hour * *voice.minutes / 60.0;
    let working = format!(
        "{} x {} x {} x {} x {} / 60 = {}",
        grouped(users),
        percent(on * *voice.share),
        percent(*voice.pstn_share),
        grouped(*voice.calls_busy_hour),
        grouped(*voice.minutes),
        grouped(value)
    );
    Figure::by("voice.load", value, "erlang", working)
}

/// Of `erlang`, the calls that do not bypass the Mediation Server.
pub fn non_bypass(plan: &Plan, erlang: f64) -> Figure {
    let value = erlang * (1.0 - *plan.voice.bypass);
    let working = format!("{} x (1 - {}) = {}", grouped(erlang), percent(*plan.voice.bypass), grouped(value));
    Figure::by("voice.non-bypass", value, "calls", working)
}

/// Presence and messages of `users` with `endpoints` each.
pub fn presence_kbps(users: f64, endpoints: f64) -> Figure {
    let each = limit("presence.kbps").value;
    let value = users * endpoints * each;
    let working = format!("{} x {endpoints} x {each} = {}", grouped(users), grouped(value));
    Figure::by("network.presence", value, "kbps", working)
}

pub(crate) fn percent(share: f64) -> String {
    format!("{} %", grouped(share * 100.0))
}

/// The load that site `number` alone brings.
pub(super) fn of_site(plan: &Plan, number: usize) -> Load {
    of_sites(plan, &[number])
}

/// The load of a central site with `sites`: itself and its branches.
pub(super) fn of_sites(plan: &Plan, sites: &[usize]) -> Load {
    let hub = plan.hub_of(sites[0]);
    let users: f64 = sites.iter().map(|&site| *plan.sites[site].signed_in).sum();
    let here = |site: &&usize| **site == hub || *plan.sites[**site].pstn == Breakout::Central || sites.len() == 1;
    let calling: f64 = sites.iter().filter(here).map(|&site| *plan.sites[site].signed_in).sum();
    let remote = sites.iter().map(|&site| *plan.sites[site].signed_in * *plan.sites[site].remote_share).sum();
    let pstn_erlang = pstn_erlang(plan, calling);
    let endpoints = plan.endpoints_per_user();
    Load {
        signed_in: signed_in(plan, sites, users),
        endpoints: Figure::by(
            "endpoints",
            users * endpoints,
            "endpoints",
            format!("{} x {endpoints} = {}", grouped(users), grouped(users * endpoints)),
        ),
        remote,
        calling,
        non_bypass: non_bypass(plan, pstn_erlang.value),
        presence_kbps: presence_kbps(users, endpoints),
        meetings: plan.meetings.enabled.then(|| meetings(plan, users)),
        pstn_erlang,
    }
}

fn signed_in(plan: &Plan, sites: &[usize], users: f64) -> Figure {
    let enabled: u64 = sites.iter().map(|&site| *plan.sites[site].users).sum();
    let working = if sites.iter().all(|&site| plan.sites[site].signed_in.is_assumed()) {
        format!("{} x {} = {}", grouped(enabled as f64), percent(*plan.model.concurrency), grouped(users))
    } else {
        format!("{} of {} enabled, as the plan says", grouped(users), grouped(enabled as f64))
    };
    Figure::by("user-signed-in", users, "users", working)
}

/// The meetings of `users`.
pub fn meetings(plan: &Plan, users: f64) -> MeetingLoad {
    let asked = &plan.meetings;
    let people = users * *asked.share;
    let count = people / *asked.size;
    let (web, sharing) = (*asked.web_share, *asked.app_sharing);
    let (large, peak) = (limit("meeting.shared"), limit("meeting.peak"));
    MeetingLoad {
        people: Figure::by(
            "meeting.people",
            people,
            "people",
            format!("{} x {} = {}", grouped(users), percent(*asked.share), grouped(people)),
        ),
        meetings: Figure::by(
            "meeting.count",
            count,
            "meetings",
            format!("{} / {} = {}", grouped(people), *asked.size, grouped(count)),
        ),
        sharing: Figure::by(
            "meeting.sharing",
            count * web * sharing,
            "meetings",
            format!(
                "{} x {} x {} = {}",
                grouped(count),
                percent(web),
                percent(sharing),
                grouped(count * web * sharing)
            ),
        ),
        peak: Figure::by(
            "meeting.peak",
            count * peak.value,
            "meetings",
            format!("{} x {} = {}", grouped(count), peak.value, grouped(count * peak.value)),
        ),
        beside_large: Figure::by(
            "meeting.beside",
            (people - large.value).max(0.0),
            "people",
            format!("{} - {} = {}", grouped(people), large.value, grouped((people - large.value).max(0.0))),
        ),
    }
}
