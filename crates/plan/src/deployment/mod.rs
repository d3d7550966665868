//! The servers of a plan with names and addresses: what DNS, certificates, filters and VPN rules are made of.
//!
//! A site whose networks the plan does not give gets some of its own from ranges that nobody routes on the internet; they
//! are marked as assumed, and everything made of them has to be made again with the true ones.

mod certificate;
mod dns;
mod firewall;
mod names;
mod nftables;
mod report;
mod zone;

pub use certificate::{Certificate, certificates};
pub(crate) use dns::public_addresses;
pub use dns::{Record, Scope, Value, records};
pub use firewall::{Filter, Flow, filter};
pub use nftables::nftables;
pub(crate) use nftables::set as nftables_set;
pub use report::{certificates_table, dns_table, firewall_table, hosts_table};
pub use zone::{ZoneFile, empty_zone, zone_files};

use std::net::Ipv4Addr;

use serde::Serialize;

use crate::capacity::{Capacity, Role};
use crate::file::{Edition, LoadBalancing, Mediation, Plan};
use crate::network::Network;
use names::slugs;

/// A deployment: every server with its names and addresses.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Deployment {
    /// SIP domains, the main one first.
    pub sip_domains: Vec<String>,
    /// The domain of the servers.
    pub server_domain: String,
    /// Networks and shared names of each site.
    pub places: Vec<Place>,
    /// Every server.
    pub hosts: Vec<Host>,
    /// Pools of them.
    pub pools: Vec<Pool>,
    /// What cannot be built as planned.
    pub problems: Vec<String>,
}

/// Networks of a site.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Place {
    /// Its name.
    pub name: String,
    /// The same for host names.
    pub slug: String,
    /// Where its servers stand.
    pub network: Network,
    /// Where the inner interfaces of its Edge servers stand.
    pub perimeter: Network,
    /// Its public addresses.
    pub public: Network,
    /// Where its clients stand.
    pub clients: Vec<Network>,
    /// Whether any of these is assumed.
    pub assumed: bool,
    /// The reverse proxy's public address, where it has one.
    pub proxy: Option<Ipv4Addr>,
}

/// One server.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Host {
    /// Its full name inside.
    pub fqdn: String,
    /// Its site.
    pub site: usize,
    /// What it does.
    pub role: Role,
    /// Its address inside; for an Edge server that of its inner interface.
    pub address: Ipv4Addr,
    /// Public addresses of an Edge server: Access, Web Conferencing, A/V.
    pub public: Option<[Ipv4Addr; 3]>,
}

/// Servers that share a name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pool {
    /// Its full name.
    pub fqdn: String,
    /// Its site.
    pub site: usize,
    /// What it does.
    pub role: Role,
    /// Numbers of its servers.
    pub hosts: Vec<usize>,
    /// Where a load balancer answers for it, if one does.
    pub vip: Option<Ipv4Addr>,
    /// Its web services inside, for Front Ends and Directors.
    pub web_internal: Option<String>,
    /// Its web services outside.
    pub web_external: Option<String>,
    /// Public addresses of a load balancer before an Edge pool: Access, Web Conferencing, A/V.
    pub public_vip: Option<[Ipv4Addr; 3]>,
}

impl Deployment {
    /// The domain of the organisation's main SIP addresses.
    pub fn main_domain(&self) -> &str {
        self.sip_domains.first().map_or("", String::as_str)
    }

    /// The pools of `role`.
    pub fn pools_of(&self, role: Role) -> impl Iterator<Item = &Pool> {
        self.pools.iter().filter(move |pool| pool.role == role)
    }

    /// Pools where users sign in: Front Ends and Standard Edition servers.
    pub fn home_pools(&self) -> impl Iterator<Item = &Pool> {
        self.pools.iter().filter(|pool| matches!(pool.role, Role::FrontEnd | Role::StandardEdition))
    }

    /// The pool that takes a first sign-in: a Director's, else the first home pool.
    pub fn first_pool(&self) -> Option<&Pool> {
        self.pools_of(Role::Director).next().or_else(|| self.home_pools().next())
    }

    /// Addresses of the servers of `pool`.
    pub fn addresses<'a>(&'a self, pool: &'a Pool) -> impl Iterator<Item = Ipv4Addr> + 'a {
        pool.hosts.iter().map(|&host| self.hosts[host].address)
    }

    /// Where the web services of `pool` answer inside: at its balancer, else at its servers.
    pub fn web_addresses(&self, pool: &Pool) -> Vec<Ipv4Addr> {
        pool.vip.map_or_else(|| self.addresses(pool).collect(), |vip| vec![vip])
    }
}

/// The servers of `plan` as `capacity` counted them.
pub fn deployment(plan: &Plan, capacity: &Capacity) -> Deployment {
    let mut builder = Builder::new(plan);
    for site in &capacity.sites {
        for role in &site.roles {
            builder.role(site.site, role.role, role.servers.value as u64, capacity);
        }
    }
    if *plan.access.load_balancing == LoadBalancing::Hardware && *plan.access.nat && *plan.access.edge {
        builder.found.problems.push(
            "NAT before the Edge is not allowed with a hardware load balancer: give the Edge servers public addresses"
                .to_owned(),
        );
    }
    builder.found
}

struct Builder<'p> {
    plan: &'p Plan,
    found: Deployment,
    /// The next free address of each site: servers, perimeter, public.
    next: Vec<[u32; 3]>,
}

/// Addresses left free at the beginning of a network, for routers and name servers.
const FREE: u32 = 10;

impl<'p> Builder<'p> {
    fn new(plan: &'p Plan) -> Builder<'p> {
        let names: Vec<&str> = plan.sites.iter().map(|site| site.name.as_str()).collect();
        let places = slugs(&names).into_iter().enumerate().map(|(number, slug)| place(plan, number, slug)).collect();
        let found = Deployment {
            sip_domains: plan.organisation.sip_domains.value.clone(),
            server_domain: plan.organisation.server_domain.value.clone(),
            places,
            hosts: Vec::new(),
            pools: Vec::new(),
            problems: Vec::new(),
        };
        Builder { plan, found, next: vec![[FREE; 3]; plan.sites.len()] }
    }

    /// The next free address of a site; where its network is full that is a problem, and the last one is used again.
    fn take(&mut self, site: usize, side: usize) -> Ipv4Addr {
        let place = &self.found.places[site];
        let network = [place.network, place.perimeter, place.public][side];
        let number = self.next[site][side];
        self.next[site][side] += 1;
        match (network.address(number), network.address(number + 1)) {
            (Some(address), Some(_)) => address,
            _ => {
                let text = format!(
                    "{}: {network} has no room for all its servers (the first {FREE} addresses stay free)",
                    place.name
                );
                if !self.found.problems.contains(&text) {
                    self.found.problems.push(text);
                }
                network.address(number.saturating_sub(1)).or(network.address(0)).unwrap_or(Ipv4Addr::UNSPECIFIED)
            }
        }
    }

    /// The servers of one role at one site, in pools of as many as `capacity` gives each.
    fn role(&mut self, site: usize, role: Role, servers: u64, capacity: &Capacity) {
        let each = match role {
            Role::FrontEnd => capacity.sites[site].pools.as_ref().map_or(1, |pools| pools.servers_each.value as u64),
            Role::StandardEdition | Role::BranchAppliance | Role::BranchStandardEdition => 1,
            Role::BackEnd if *self.plan.availability.high => 2,
            Role::BackEnd | Role::MonitoringStore | Role::Witness => 1,
            _ => servers,
        };
        let pools = servers.div_ceil(each.max(1));
        let mut number = 0;
        for pool in 0..pools {
            let hosts: Vec<usize> = (0..each.min(servers - number))
                .map(|_| {
                    number += 1;
                    self.host(site, role, number)
                })
                .collect();
            self.pool(site, role, pool + 1, pools, hosts);
        }
        if role == Role::ReverseProxy {
            self.found.places[site].proxy = Some(self.take(site, 2));
        }
    }

    fn host(&mut self, site: usize, role: Role, number: u64) -> usize {
        let edge = role == Role::Edge;
        let address = self.take(site, usize::from(edge || role == Role::ReverseProxy));
        let public = edge.then(|| [self.take(site, 2), self.take(site, 2), self.take(site, 2)]);
        let fqdn =
            format!("{}{number}-{}.{}", names::short(role), self.found.places[site].slug, self.found.server_domain);
        self.found.hosts.push(Host { fqdn, site, role, address, public });
        self.found.hosts.len() - 1
    }

    fn pool(&mut self, site: usize, role: Role, number: u64, of: u64, hosts: Vec<usize>) {
        let Some(&first) = hosts.first() else { return };
        let slug = &self.found.places[site].slug;
        let tail = if of > 1 { format!("{number}-{slug}") } else { format!("-{slug}") };
        let alone = hosts.len() == 1 && role != Role::FrontEnd && role != Role::Edge && role != Role::Director;
        let domain = &self.found.server_domain;
        let fqdn = match alone {
            true => self.found.hosts[first].fqdn.clone(),
            false => format!("{}pool{tail}.{domain}", names::short(role)),
        };
        let hardware = *self.plan.access.load_balancing == LoadBalancing::Hardware;
        let web = matches!(role, Role::FrontEnd | Role::StandardEdition | Role::Director);
        let mark = if role == Role::Director { "dir" } else { "" };
        let main = self.found.main_domain().to_owned();
        let web_internal = match (web, alone || hardware) {
            (false, _) => None,
            (true, true) => Some(fqdn.clone()),
            (true, false) => Some(format!("web{mark}int{tail}.{domain}")),
        };
        let web_external = web.then(|| format!("web{mark}ext{tail}.{main}"));
        let balanced = hosts.len() > 1 && (web || (hardware && matches!(role, Role::Mediation | Role::Edge)));
        let vip = balanced.then(|| self.take(site, usize::from(role == Role::Edge)));
        let public_vip = (role == Role::Edge && hardware && hosts.len() > 1)
            .then(|| [self.take(site, 2), self.take(site, 2), self.take(site, 2)]);
        self.found.pools.push(Pool { fqdn, site, role, hosts, vip, web_internal, web_external, public_vip });
    }
}

/// The networks of a site, as the plan gives them or from ranges of their own by its number.
fn place(plan: &Plan, number: usize, slug: String) -> Place {
    let site = &plan.sites[number];
    let own = |base: [u8; 4], length: u8| {
        let start = u32::from(Ipv4Addr::from(base)) + ((number as u32) << (32 - u32::from(length)));
        Network::of(Ipv4Addr::from(start), length)
    };
    let said =
        |answer: &Option<crate::Answer<Network>>, usual: Network| answer.as_ref().map_or(usual, |answer| answer.value);
    Place {
        name: site.name.value.clone(),
        slug,
        network: said(&site.network, own([10, 0, 0, 0], 22)),
        perimeter: said(&site.perimeter, own([172, 16, 0, 0], 24)),
        // RFC 2544: 198.18.0.0/15 is for tests and routed nowhere.
        public: said(&site.public, own([198, 18, 0, 0], 25)),
        clients: site.clients.as_ref().map_or_else(|| vec![own([10, 128, 0, 0], 20)], |answer| answer.value.clone()),
        assumed: site.network.is_none() || site.perimeter.is_none() || site.public.is_none() || site.clients.is_none(),
        proxy: None,
    }
}

/// Whether Mediation runs on the Front Ends of any site.
pub(crate) fn collocated(capacity: &Capacity) -> bool {
    let pools = capacity.sites.iter().filter_map(|site| site.pools.as_ref());
    pools.into_iter().any(|pools| pools.mediation == Mediation::Collocated && pools.edition != Edition::Auto)
}
