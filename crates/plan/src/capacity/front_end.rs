//! How many Front Ends, in how many pools, and whether the loss of one goes unnoticed.

use serde::Serialize;

use crate::figures::{Figure, limit, quorums};
use crate::file::{Edition, Mediation, Plan};
use crate::table::grouped;

/// Users that a Front End carries: 80,000 by 12, not the 6,660 that would make a thirteenth server of them.
pub fn users_per_front_end() -> f64 {
    limit("front-end.pool-users").value / limit("front-end.pool-servers").value
}

/// The Front Ends of one central site.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pools {
    /// Standard Edition or Enterprise.
    pub edition: Edition,
    /// Pools, or Standard Edition servers.
    pub pools: Figure,
    /// Servers of each.
    pub servers_each: Figure,
    /// Servers in all.
    pub servers: u64,
    /// Users of a pool: with those of its pair, where it has one.
    pub users_each: f64,
    /// Whether one server can be lost.
    pub n_plus_one: Check,
    /// How many servers of a pool must be there.
    pub quorum: Option<QuorumNeed>,
    /// Where Mediation runs.
    pub mediation: Mediation,
    /// Non-bypass calls that it is sized for: with those of the pair.
    pub non_bypass: f64,
}

/// A rule that holds or not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// Whether it holds.
    pub passes: bool,
    /// What was compared.
    pub figure: Figure,
    /// With what.
    pub limit: f64,
    /// What to do, where it does not hold.
    pub advice: Option<String>,
}

/// How many servers of a pool must be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuorumNeed {
    /// For the first start.
    pub first_start: u64,
    /// To stay functional, as published.
    pub functional: &'static str,
    /// Copies of each routing group.
    pub copies: u64,
    /// Who says so.
    pub source: &'static str,
}

/// The quorum of a pool of `servers`, for pools of 2 to 12.
pub fn quorum(servers: u64) -> Option<QuorumNeed> {
    let row = quorums().iter().find(|row| row.servers == servers)?;
    let copies = limit("group.copies").value as u64;
    Some(QuorumNeed { first_start: row.first_start, functional: row.functional, copies, source: row.source })
}

/// Servers of a pool that carries `load`, in servers: at least three, one to spare where there is room for it.
fn servers_of_pool(load: f64, spare: bool) -> u64 {
    let most = limit("front-end.pool-servers").value as u64;
    let mut servers = (load.ceil() as u64).max(limit("front-end.least").value as u64);
    if spare {
        while servers < most && load > (servers - 1) as f64 {
            servers += 1;
        }
    }
    servers.min(most)
}

/// Servers of each of `pools` that share `load` evenly: never so few that fewer pools would have had more in all.
fn servers_each(load: f64, pools: u64, spare: bool) -> u64 {
    let most = limit("front-end.pool-servers").value as u64;
    let mut each = 0;
    for count in 1..=pools {
        let in_all: u64 = each * (count - 1);
        each = servers_of_pool(load / count as f64, spare).max(in_all.div_ceil(count)).min(most);
    }
    each
}

/// What a pool is sized for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Demand {
    /// Signed-in users of the site and its branches.
    pub users: f64,
    /// Those of the site it is paired with.
    pub pair_users: Option<f64>,
    /// Non-bypass calls of both.
    pub non_bypass: f64,
}

/// Where Mediation runs: decided by the plan's ratios, and by the calls of the place only in one direction, so that
/// more users never need fewer servers.
pub(super) fn place_mediation(plan: &Plan, non_bypass: f64) -> Mediation {
    let voice = &plan.voice;
    let per_user =
        *voice.share * *voice.pstn_share * *voice.calls_busy_hour * *voice.minutes / 60.0 * (1.0 - *voice.bypass);
    let calls = limit("front-end.collocated-calls").value;
    match *voice.mediation {
        Mediation::Auto if per_user * users_per_front_end() <= calls => Mediation::Collocated,
        Mediation::Auto if non_bypass <= calls * limit("front-end.least").value => Mediation::Collocated,
        Mediation::Auto => Mediation::Standalone,
        said => said,
    }
}

/// The edition of a site by what the plan says, its size and whether the loss of a server must go unnoticed.
pub(super) fn edition(plan: &Plan, said: Edition, demand: &Demand) -> Edition {
    let alone = limit("standard.users").value;
    let largest = demand.users.max(demand.pair_users.unwrap_or(0.0));
    match said {
        Edition::Auto if *plan.availability.high || largest > alone => Edition::Enterprise,
        Edition::Auto => Edition::Standard,
        said => said,
    }
}

/// Pools, servers and checks of one central site.
pub(super) fn pools(plan: &Plan, edition: Edition, demand: &Demand) -> Pools {
    let mediation = place_mediation(plan, demand.non_bypass);
    match edition {
        Edition::Standard => standard(demand, mediation),
        Edition::Auto | Edition::Enterprise => enterprise(plan, demand, mediation),
    }
}

/// Weaker hardware carries fewer users; for stronger hardware nothing is published, so it carries no more.
fn hardware_factor(plan: &Plan) -> f64 {
    let reference = limit("cpu.cores").value * limit("cpu.mhz").value;
    (*plan.hardware.cores as f64 * *plan.hardware.mhz as f64 / reference).min(1.0)
}

fn enterprise(plan: &Plan, demand: &Demand, mediation: Mediation) -> Pools {
    let per_server = users_per_front_end() * hardware_factor(plan);
    let users = demand.users + demand.pair_users.unwrap_or(0.0);
    let calls = if mediation == Mediation::Collocated { demand.non_bypass } else { 0.0 };
    let by_users = users / per_server;
    let by_calls = calls / limit("front-end.collocated-calls").value;
    let load = by_users.max(by_calls);
    let most = limit("front-end.pool-servers").value;
    let homed = demand.users.max(demand.pair_users.unwrap_or(0.0)) / limit("front-end.pool-users-paired").value;
    let pairs = if demand.pair_users.is_some() { homed.ceil() } else { 0.0 };
    let pools = (load / most).ceil().max(pairs).max(1.0) as u64;
    let spare = *plan.availability.high;
    let each = servers_each(load, pools, spare);
    let users_each = users / pools as f64;
    Pools {
        edition: Edition::Enterprise,
        pools: pools_figure(demand, pools),
        servers_each: Figure::by(
            if spare { "front-end.spare" } else { "front-end.count" },
            each as f64,
            "servers",
            format!(
                "max({} users / {} = {:.2}; {} calls / 150 = {:.2}; 3){} = {each}",
                grouped(users_each),
                grouped(per_server.round()),
                by_users / pools as f64,
                grouped(calls / pools as f64),
                by_calls / pools as f64,
                if spare { ", one to spare" } else { "" },
            ),
        ),
        servers: pools * each,
        users_each,
        n_plus_one: n_plus_one(users_each, each, per_server),
        quorum: quorum(each),
        mediation,
        non_bypass: demand.non_bypass,
    }
}

fn pools_figure(demand: &Demand, pools: u64) -> Figure {
    let working = match demand.pair_users {
        Some(pair) => format!(
            "max({} here, {} at the pair) / 40,000, both sides / 80,000 = {pools}",
            grouped(demand.users),
            grouped(pair)
        ),
        None => format!("{} / 80,000 = {pools}", grouped(demand.users)),
    };
    Figure::by("front-end.pools", pools as f64, "pools", working)
}

/// Whether a pool of `servers` keeps `users` when it loses one: users / (servers - 1) against what a server carries.
pub fn n_plus_one(users: f64, servers: u64, per_server: f64) -> Check {
    let left = servers.saturating_sub(1);
    let each = if left == 0 { users } else { users / left as f64 };
    let passes = left > 0 && each <= per_server;
    let working = format!("{} / ({servers} - 1) = {}", grouped(users), grouped(each.round()));
    let most = limit("front-end.pool-servers").value as u64;
    let advice = match passes {
        true => None,
        false if servers >= most => Some("the pool is full: divide the users over one pool more".to_owned()),
        false => Some(format!("take {} servers", (users / per_server).ceil() as u64 + 1)),
    };
    Check { passes, figure: Figure::by("front-end.n-plus-one", each, "users", working), limit: per_server, advice }
}

fn standard(demand: &Demand, mediation: Mediation) -> Pools {
    let (alone, both) = (limit("standard.users").value, limit("standard.users-failover").value);
    let pair = demand.pair_users.unwrap_or(0.0);
    let servers = (demand.users.max(pair) / alone).max((demand.users + pair) / both).ceil().max(1.0) as u64;
    let users = (demand.users + pair) / servers as f64;
    let working = format!("{} / 2,500 = {servers}", grouped(demand.users.max(pair)));
    let advice = (pair == 0.0).then(|| "pair it with a Standard Edition server at another site".to_owned());
    Pools {
        edition: Edition::Standard,
        pools: Figure::by("standard.count", servers as f64, "servers", working.clone()),
        servers_each: Figure::by("standard.count", 1.0, "servers", "a Standard Edition server stands alone".to_owned()),
        servers,
        users_each: users,
        n_plus_one: Check {
            passes: demand.pair_users.is_some() && users <= both,
            figure: Figure::by("standard.count", users, "users", format!("the survivor serves {}", grouped(users))),
            limit: both,
            advice,
        },
        quorum: None,
        mediation,
        non_bypass: demand.non_bypass,
    }
}
