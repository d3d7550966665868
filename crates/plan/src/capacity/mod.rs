//! The capacity calculator: servers of each role at each site, what they are made of, how full they are, what they
//! store, and whether the loss of one goes unnoticed.

mod front_end;
mod limits;
mod load;
mod report;
mod roles;
mod storage;
mod voice;

pub use front_end::{Check, Pools, QuorumNeed, n_plus_one, quorum, users_per_front_end};
pub use limits::{ApplicationLimit, application_limits, availability, mobility_memory};
pub use load::{Load, MeetingLoad, meetings, non_bypass, presence_kbps, pstn_erlang};
pub(crate) use report::choices_table;
pub use roles::{Role, RoleServers, mediation_servers};
pub use storage::{Storage, storage};
pub use voice::{Ports, judge as judge_ports, ports, trunks, usage, users_per_port};

use std::collections::BTreeMap;

use serde::Serialize;

use crate::figures::{Choice, Figure, choice, limit};
use crate::file::{Breakout, Edition, LargeMeetings, Mediation, Plan};
use crate::table::grouped;

/// What the whole deployment needs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Capacity {
    /// Each site, in the plan's order.
    pub sites: Vec<SiteCapacity>,
    /// Servers of each role over all sites.
    pub totals: BTreeMap<Role, u64>,
    /// Where sources disagree, and what was used.
    pub choices: Vec<&'static Choice>,
}

/// What one site needs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SiteCapacity {
    /// Its number in the plan.
    pub site: usize,
    /// Its name.
    pub name: String,
    /// What its users do; at a central site those of its branches too.
    pub load: Load,
    /// Its Front Ends; a branch has none.
    pub pools: Option<Pools>,
    /// Its servers.
    pub roles: Vec<RoleServers>,
    /// Its databases.
    pub storage: Vec<Storage>,
    /// Its PSTN ports.
    pub ports: Option<Ports>,
    /// Memory that mobile sessions take of a Front End, in MB.
    pub mobility: Option<Figure>,
    /// What its pools can do for response groups, call park and pickup.
    pub applications: Vec<ApplicationLimit>,
    /// What to think about.
    pub warnings: Vec<String>,
}

impl Capacity {
    /// Servers in all.
    pub fn servers(&self) -> u64 {
        self.totals.values().sum()
    }

    /// Servers of `role` at site `number`.
    pub fn at(&self, number: usize, role: Role) -> u64 {
        let found = self.sites[number].roles.iter().find(|found| found.role == role);
        found.map_or(0, |found| found.servers.value as u64)
    }
}

/// The points on which this calculator chose between sources.
const CHOICES: &[&str] = &[
    "front-end-users",
    "voice-share",
    "meeting-size",
    "presence-kbps",
    "two-servers-start",
    "branch-size",
    "voice-ports",
    "light-ports",
    "e1-channels",
    "server-retention",
    "response-group-scale",
];

/// What the plan needs.
pub fn capacity(plan: &Plan) -> Capacity {
    let mut homed: Vec<Vec<usize>> = vec![Vec::new(); plan.sites.len()];
    for (number, _) in plan.centrals() {
        homed[number].push(number);
    }
    for (number, site) in plan.sites.iter().enumerate() {
        if let Some(hub) = site.hub {
            homed[hub].push(number);
        }
    }
    let partners = partners(plan);
    let loads: Vec<Load> = homed
        .iter()
        .enumerate()
        .map(|(number, sites)| if sites.is_empty() { load::of_site(plan, number) } else { load::of_sites(plan, sites) })
        .collect();
    let first = plan.centrals().next().map(|(number, _)| number);
    let sites: Vec<SiteCapacity> = (0..plan.sites.len())
        .map(|number| match plan.sites[number].hub {
            None => central(plan, number, first == Some(number), &loads, partners[number]),
            Some(_) => branch(plan, number, &loads[number]),
        })
        .collect();
    let mut totals = BTreeMap::new();
    for role in sites.iter().flat_map(|site| &site.roles) {
        *totals.entry(role.role).or_insert(0) += role.servers.value as u64;
    }
    Capacity { sites, totals, choices: CHOICES.iter().map(|id| choice(id)).collect() }
}

/// The site each is paired with, said by either side.
fn partners(plan: &Plan) -> Vec<Option<usize>> {
    let mut partners = vec![None; plan.sites.len()];
    for (number, site) in plan.sites.iter().enumerate() {
        if let Some(pair) = site.pair {
            partners[number] = Some(pair);
            partners[pair] = Some(number);
        }
    }
    partners
}

fn central(plan: &Plan, number: usize, first: bool, loads: &[Load], partner: Option<usize>) -> SiteCapacity {
    let (site, load) = (&plan.sites[number], &loads[number]);
    let demand = front_end::Demand {
        users: load.signed_in.value,
        pair_users: partner.map(|partner| loads[partner].signed_in.value),
        non_bypass: load.non_bypass.value + partner.map_or(0.0, |partner| loads[partner].non_bypass.value),
    };
    let edition = front_end::edition(plan, *site.edition, &demand);
    let pools = front_end::pools(plan, edition, &demand);
    let mut warnings = warnings(plan, load, &pools);
    if let Some(partner) = partner {
        let other = front_end::edition(
            plan,
            *plan.sites[partner].edition,
            &front_end::Demand {
                users: loads[partner].signed_in.value,
                pair_users: Some(load.signed_in.value),
                non_bypass: demand.non_bypass,
            },
        );
        if other != edition {
            warnings.push(format!(
                "paired with {}, which has another edition: only like editions pair",
                plan.sites[partner].name.value
            ));
        }
    } else if *plan.availability.recovery {
        warnings.push("the loss of this site is not survived: it has no pair".to_owned());
    }
    SiteCapacity {
        site: number,
        name: site.name.value.clone(),
        roles: roles::central(plan, first, load, &pools),
        storage: storage::databases(plan, load.signed_in.value),
        ports: voice::ports(plan, load.calling),
        mobility: limits::mobility(plan, load.signed_in.value / pools.servers as f64),
        applications: application_limits(plan, &pools),
        load: load.clone(),
        pools: Some(pools),
        warnings,
    }
}

fn branch(plan: &Plan, number: usize, load: &Load) -> SiteCapacity {
    let site = &plan.sites[number];
    let mut warnings = Vec::new();
    if *site.survivable && *plan.voice.enabled {
        if (*site.users as f64) < limit("branch.least").value {
            warnings.push(format!("{} users are fewer than the 25 an appliance is made for", *site.users));
        } else if *site.users as f64 > limit("branch.standard").value {
            warnings.push(format!(
                "{} users are more than the 5,000 of a branch: make it a central site",
                grouped(*site.users as f64)
            ));
        }
    }
    let local = *site.pstn == Breakout::Local;
    SiteCapacity {
        site: number,
        name: site.name.value.clone(),
        load: load.clone(),
        pools: None,
        roles: roles::branch(plan, site),
        storage: Vec::new(),
        ports: if local { voice::ports(plan, *site.signed_in) } else { None },
        mobility: None,
        applications: Vec::new(),
        warnings,
    }
}

fn warnings(plan: &Plan, load: &Load, pools: &Pools) -> Vec<String> {
    let mut found = Vec::new();
    let calls = pools.non_bypass;
    let most = limit("front-end.collocated-calls").value;
    if *plan.voice.enabled && pools.mediation == Mediation::Collocated && calls / pools.servers as f64 > most {
        let alternative = mediation_servers(calls, *plan.voice.hyper_threading).value;
        found.push(format!(
            "{} non-bypass calls are more than 150 for each of {} servers: take {alternative} Mediation Servers",
            grouped(calls.round()),
            pools.servers
        ));
    }
    if pools.edition == Edition::Enterprise && *plan.availability.high && !pools.n_plus_one.passes {
        found.extend(pools.n_plus_one.advice.clone());
    }
    if *plan.chat.enabled && load.signed_in.value * *plan.chat.share > limit("chat.pool-users").value {
        found.push("more users of rooms than the 80,000 of one pool: divide them over sites".to_owned());
    }
    let people = load.meetings.as_ref().map_or(0.0, |meetings| meetings.people.value);
    let (large, beside) = (limit("meeting.shared").value, limit("meeting.beside").value);
    if *plan.meetings.large == LargeMeetings::Shared && people > 0.0 && people < large + beside {
        found.push(format!(
            "a meeting of 250 beside 125 others is more than the {} people the pool is reckoned for",
            grouped(people.round())
        ));
    }
    found
}
