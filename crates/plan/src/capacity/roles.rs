//! Servers of every role at a site, with their hardware and the rule behind each count.

use serde::Serialize;

use super::front_end::Pools;
use super::load::{Load, presence_kbps};
use crate::figures::{Figure, Machine, limit, machines, modes};
use crate::file::{AudioMode, Edition, LargeMeetings, Mediation, Plan, Site};
use crate::table::grouped;

/// What a server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each is the Lync role of its name")]
pub enum Role {
    FrontEnd,
    StandardEdition,
    BackEnd,
    Witness,
    Director,
    Mediation,
    Edge,
    ReverseProxy,
    PersistentChat,
    OfficeWebApps,
    MonitoringStore,
    MeetingFrontEnd,
    MeetingBackEnd,
    BranchAppliance,
    BranchStandardEdition,
}

impl Role {
    /// Its name in Lync.
    pub fn name(self) -> &'static str {
        match self {
            Role::FrontEnd => "Front End",
            Role::StandardEdition => "Standard Edition",
            Role::BackEnd => "Back End",
            Role::Witness => "Witness",
            Role::Director => "Director",
            Role::Mediation => "Mediation",
            Role::Edge => "Edge",
            Role::ReverseProxy => "Reverse proxy",
            Role::PersistentChat => "Persistent Chat",
            Role::OfficeWebApps => "Office Web Apps",
            Role::MonitoringStore => "Monitoring and archiving store",
            Role::MeetingFrontEnd => "Front End for large meetings",
            Role::MeetingBackEnd => "Back End for large meetings",
            Role::BranchAppliance => "Survivable Branch Appliance",
            Role::BranchStandardEdition => "Standard Edition at a branch",
        }
    }

    /// Its hardware; nothing is published for appliances, proxies and witnesses.
    pub fn machine(self) -> Option<&'static Machine> {
        let row = match self {
            Role::Edge | Role::Mediation | Role::Director => 1,
            Role::MonitoringStore => 2,
            Role::Witness | Role::ReverseProxy | Role::OfficeWebApps | Role::BranchAppliance => return None,
            _ => 0,
        };
        machines().get(row)
    }
}

/// The servers of one role at one site.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RoleServers {
    /// What they do.
    pub role: Role,
    /// How many.
    pub servers: Figure,
    /// The hardware of each.
    pub machine: Option<&'static Machine>,
    /// What each sends and receives, where a rule says so.
    pub mbps_each: Option<Figure>,
    /// How much of what it may carry each carries, where a rule says so.
    pub load_each: Option<Figure>,
}

fn servers(role: Role, rule: &'static str, count: u64, working: String) -> RoleServers {
    let servers = Figure::by(rule, count as f64, "servers", working);
    RoleServers { role, servers, machine: role.machine(), mbps_each: None, load_each: None }
}

fn carried(value: f64, most: f64) -> Option<Figure> {
    let working = format!("{} of {}", grouped(value.round()), grouped(most.round()));
    Some(Figure::by("cpu.load", value / most * 100.0, "%", working))
}

/// The roles of a central site.
pub(super) fn central(plan: &Plan, first: bool, load: &Load, pools: &Pools) -> Vec<RoleServers> {
    let high = *plan.availability.high;
    let two = if high { 2 } else { 1 };
    let mut roles = vec![front_ends(plan, load, pools)];
    if pools.edition == Edition::Enterprise {
        let count = pools.pools.value as u64;
        roles.push(servers(
            Role::BackEnd,
            "back-end.count",
            count * two,
            format!("{count} pools x {two} = {}", count * two),
        ));
    }
    roles.extend(mediation(plan, pools));
    if *plan.access.director {
        roles.push(by_remote(
            Role::Director,
            "director.count",
            ["director.users", "director.least"],
            load.remote,
            high,
        ));
    }
    if *plan.access.edge {
        roles.push(by_remote(Role::Edge, "edge.count", ["edge.users", "edge.least"], load.remote, high));
    }
    if *plan.access.edge || *plan.mobility.enabled {
        roles.push(servers(Role::ReverseProxy, "proxy.count", two, format!("{two}")));
    }
    if *plan.chat.enabled {
        roles.push(chat(plan, load, two));
    }
    if *plan.meetings.enabled && *plan.meetings.office_web_apps {
        roles.push(servers(Role::OfficeWebApps, "web-apps.count", two, format!("{two}")));
    }
    if *plan.monitoring.enabled || *plan.archiving.enabled {
        let users = load.signed_in.value;
        let count = (users / limit("store.users").value).ceil().max(1.0) as u64;
        let working = format!("{} / 160,000 x {two} = {}", grouped(users), count * two);
        roles.push(servers(Role::MonitoringStore, "store.count", count * two, working));
    }
    if first && *plan.meetings.enabled && *plan.meetings.large == LargeMeetings::Dedicated {
        let count = limit("meeting.dedicated-servers").value as u64;
        roles.push(servers(Role::MeetingFrontEnd, "meeting.dedicated", count, format!("{count}")));
        roles.push(servers(Role::MeetingBackEnd, "back-end.count", two, format!("1 pool x {two} = {two}")));
    }
    if high && roles.iter().any(|role| role.role == Role::BackEnd) {
        roles.push(servers(Role::Witness, "back-end.count", 1, "one for all mirrors of the site".to_owned()));
    }
    roles
}

fn front_ends(plan: &Plan, load: &Load, pools: &Pools) -> RoleServers {
    let (role, most) = match pools.edition {
        Edition::Standard => (Role::StandardEdition, limit("standard.users-failover").value),
        _ => (Role::FrontEnd, super::front_end::users_per_front_end()),
    };
    let count = pools.servers as f64;
    let working = format!("{} x {} = {}", pools.pools.value, pools.servers_each.value, pools.servers);
    let mut found = servers(role, pools.servers_each.rule, pools.servers, working);
    found.load_each = carried(pools.users_each / pools.servers_each.value, most);
    let presence = presence_kbps(load.signed_in.value / count, plan.endpoints_per_user()).value / 1000.0;
    let people = load.meetings.as_ref().map_or(0.0, |meetings| meetings.people.value) / count;
    let audio = people * mode_kbps(plan, "meeting") / 1000.0;
    found.mbps_each = Some(Figure::by(
        "network.front-end",
        presence + audio,
        "Mbps",
        format!("presence {} + {} people in meetings {}", grouped(presence), grouped(people.round()), grouped(audio)),
    ));
    found
}

/// What audio takes in `scenario`, by the plan's way to provision.
pub(crate) fn mode_kbps(plan: &Plan, scenario: &str) -> f64 {
    let mode = modes().iter().find(|mode| mode.scenario == scenario).expect("every scenario asked for is in modes.csv");
    match *plan.network.audio {
        AudioMode::Quantity => mode.kbps[0],
        AudioMode::Balanced => mode.kbps[1],
        AudioMode::Quality => mode.kbps[2],
    }
}

/// Servers of a Mediation pool for `calls`, with the spare one.
pub fn mediation_servers(calls: f64, hyper_threading: bool) -> Figure {
    let most = limit(if hyper_threading { "mediation.calls" } else { "mediation.calls-without-ht" }).value;
    let count = (calls / most).ceil().max(1.0) + 1.0;
    Figure::by("mediation.count", count, "servers", format!("{} / {} + 1 = {count}", grouped(calls), grouped(most)))
}

fn mediation(plan: &Plan, pools: &Pools) -> Option<RoleServers> {
    let calls = pools.non_bypass;
    if !*plan.voice.enabled || pools.mediation != Mediation::Standalone {
        return None;
    }
    let count = mediation_servers(calls, *plan.voice.hyper_threading);
    let most = limit(if *plan.voice.hyper_threading { "mediation.calls" } else { "mediation.calls-without-ht" }).value;
    let each = calls / count.value;
    let kbps = mode_kbps(plan, "pstn-mediation") + mode_kbps(plan, "pstn-gateway");
    Some(RoleServers {
        role: Role::Mediation,
        machine: Role::Mediation.machine(),
        mbps_each: Some(Figure::by(
            "network.mediation",
            each * kbps / 1000.0,
            "Mbps",
            format!("{} calls x {kbps} kbps each way", grouped(each.round())),
        )),
        load_each: carried(each, most),
        servers: count,
    })
}

fn by_remote(role: Role, rule: &'static str, ids: [&str; 2], remote: f64, high: bool) -> RoleServers {
    let (each, least) = (limit(ids[0]).value, if high { limit(ids[1]).value } else { 1.0 });
    let count = (remote / each).ceil().max(least);
    let working = format!("max({} / {}, {least}) = {count}", grouped(remote), grouped(each));
    let mut found = servers(role, rule, count as u64, working);
    found.load_each = carried(remote / count, each);
    found
}

fn chat(plan: &Plan, load: &Load, least: u64) -> RoleServers {
    let users = load.signed_in.value * *plan.chat.share;
    let each = limit("chat.users").value;
    let count = (users / each).ceil().max(least as f64);
    let working = format!("max({} / {}, {least}) = {count}", grouped(users), grouped(each));
    let mut found = servers(Role::PersistentChat, "chat.count", count as u64, working);
    found.load_each = carried(users / count, each);
    found
}

/// What keeps the phones of a branch when its link is down.
pub(super) fn branch(plan: &Plan, site: &Site) -> Vec<RoleServers> {
    if !*site.survivable || !*plan.voice.enabled || *site.users == 0 {
        return Vec::new();
    }
    let users = *site.users as f64;
    let shown = grouped(users);
    let (one, two) = (limit("branch.appliance").value, limit("branch.two").value);
    let found = if users <= one {
        servers(Role::BranchAppliance, "branch.count", 1, format!("{shown} <= 1,000: one"))
    } else if users <= two {
        servers(Role::BranchAppliance, "branch.count", 2, format!("{shown} <= 2,000: two"))
    } else {
        let count = (users / limit("standard.users").value).ceil().max(2.0);
        servers(
            Role::BranchStandardEdition,
            "branch.count",
            count as u64,
            format!("{shown} / 2,500, at least 2 = {count}"),
        )
    };
    vec![found]
}
