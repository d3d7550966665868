//! From a plan to the document.

use lyceum_topology::qos::RoleAddresses;
use lyceum_topology::{
    ArchivingPolicy, CallDetailPolicy, Cidr, Document, DomainName, HopTransport, Node, Pool, Problem, RegistrarPolicy,
    SipDomain, Site, TrustedBy, TrustedHost,
};

use super::{is_gateway, is_home};
use crate::deployment::Deployment;
use crate::file::Plan;

/// The document of `plan`, in which everything that a plan cannot say is as in `base`; what is wrong with it, if anything
/// is.
pub fn to_topology(plan: &Plan, deployment: &Deployment, base: &Document) -> Result<Document, Vec<Problem>> {
    let mut document = base.clone();
    document.organisation.clone_from(&plan.organisation.name.value);
    let domains = plan.organisation.sip_domains.iter().enumerate();
    document.domains = domains.map(|(number, name)| SipDomain { name: fqdn(name), default: number == 0 }).collect();
    document.sites = (0..plan.sites.len()).map(|number| site(plan, deployment, base, number)).collect();
    trust_gateways(plan, &mut document);
    set_policies(plan, &mut document);
    make_room(plan, &mut document);
    // Planned roles stand on hosts of their own, and filters and exports of the plan have the ranges that go with that.
    if document.qos.is_default() {
        document.qos.role_addresses = Some(RoleAddresses::Own);
    }
    let problems = document.validate();
    if problems.is_empty() { Ok(document) } else { Err(problems) }
}

/// A name that a plan took; an empty one, which validation refuses, where DNS could not hold it.
fn fqdn(name: &str) -> DomainName {
    DomainName::parse(name).unwrap_or_default()
}

/// The first label of a host name.
fn label(fqdn: &str) -> String {
    fqdn.split('.').next().unwrap_or(fqdn).to_owned()
}

fn site(plan: &Plan, deployment: &Deployment, base: &Document, number: usize) -> Site {
    let planned = &plan.sites[number];
    let name = planned.name.value.clone();
    let known = base.sites.iter().find(|site| site.name == name);
    let planned_pools = deployment.pools.iter().filter(|pool| pool.site == number && is_home(pool.role));
    let pools = planned_pools
        .enumerate()
        .map(|(at, pool)| {
            let hosts = pool.hosts.iter().map(|&host| deployment.hosts[host].fqdn.as_str());
            let nodes = hosts.map(|host| Node { name: label(host), fqdn: fqdn(host) }).collect();
            let planned = Pool { name: label(&pool.fqdn), fqdn: fqdn(&pool.fqdn), nodes };
            match known.and_then(|site| site.pools.get(at)) {
                Some(running) => renamed(planned, running),
                None => planned,
            }
        })
        .collect();
    Site {
        description: known.map(|site| site.description.clone()).unwrap_or_default(),
        branch_of: planned.hub.map(|hub| plan.sites[hub].name.value.clone()),
        pools,
        name,
    }
}

/// A planned pool under the names of the one that runs: users are homed on it by name, and its servers have theirs.
fn renamed(planned: Pool, running: &Pool) -> Pool {
    let names = running.nodes.iter().cloned().map(Some).chain(std::iter::repeat(None));
    let nodes = planned.nodes.into_iter().zip(names).map(|(planned, running)| running.unwrap_or(planned)).collect();
    Pool { name: running.name.clone(), fqdn: running.fqdn.clone(), nodes }
}

/// Gateways of the plan are trusted by address; those of the base that the plan does not name are no longer.
fn trust_gateways(plan: &Plan, document: &mut Document) {
    let planned: Vec<Cidr> = plan
        .voice
        .gateways
        .iter()
        .flat_map(|answer| &answer.value)
        .filter_map(|address| Cidr::parse(&address.to_string()).ok())
        .collect();
    let address = |host: &TrustedHost| match &host.by {
        TrustedBy::Address { cidr, .. } => Some(*cidr),
        TrustedBy::Mtls { .. } => None,
    };
    // One that is known by its certificate or by a block stays: a plan cannot say it.
    let single = |host: &TrustedHost| address(host).is_some_and(|cidr| cidr.address().is_ipv4() && cidr.prefix() == 32);
    document
        .trusted_hosts
        .retain(|host| !is_gateway(host) || !single(host) || address(host).is_some_and(|cidr| planned.contains(&cidr)));
    for cidr in planned {
        if document.trusted_hosts.iter().any(|host| is_gateway(host) && address(host) == Some(cidr)) {
            continue;
        }
        let by = TrustedBy::Address { cidr, transports: vec![HopTransport::Tcp, HopTransport::Tls] };
        // A host that is trusted by the same already and called otherwise becomes a gateway.
        document.trusted_hosts.retain(|host| host.by != by);
        let description = "Gateway to the PSTN, from the plan".to_owned();
        document.trusted_hosts.push(TrustedHost { name: format!("gateway {}", cidr.address()), description, by });
    }
}

fn set_policies(plan: &Plan, document: &mut Document) {
    let archiving = &mut document.policies.archiving.global;
    let default = ArchivingPolicy::default();
    if *plan.archiving.enabled {
        if super::archiving(archiving) != (true, *plan.archiving.days) {
            (archiving.archive_internal, archiving.archive_external) = (Some(true), Some(true));
            archiving.enable_purging = Some(true);
            archiving.keep_archiving_data_days = days(*plan.archiving.days, default.keep_archiving_data_days);
        }
    } else {
        (archiving.archive_internal, archiving.archive_external) = (None, None);
    }
    let detail = &mut document.policies.call_detail.global;
    let default = CallDetailPolicy::default();
    detail.enable_call_detail = (!*plan.monitoring.enabled).then_some(false);
    if *plan.monitoring.enabled {
        detail.keep_call_detail_days = days(*plan.monitoring.cdr_days, default.keep_call_detail_days);
        // Ladders are not kept longer than the records they belong to.
        let most = detail.keep_call_detail_days.unwrap_or(default.keep_call_detail_days);
        if detail.keep_ladder_days.unwrap_or(default.keep_ladder_days) > most {
            detail.keep_ladder_days = Some(most);
        }
    }
}

/// Days as a setting; nothing where they are the default.
fn days(days: u64, default: u32) -> Option<u32> {
    let days = u32::try_from(days).unwrap_or(u32::MAX);
    (days != default).then_some(days)
}

/// A pool that has more users than the default lets in says so.
fn make_room(plan: &Plan, document: &mut Document) {
    let registrar = &mut document.policies.registrar;
    let usual = registrar.global.max_users.unwrap_or(RegistrarPolicy::default().max_users);
    for (number, site) in plan.sites.iter().enumerate() {
        let users: u64 = match site.hub {
            Some(_) => *site.users,
            None => (0..plan.sites.len()).filter(|&at| plan.hub_of(at) == number).map(|at| *plan.sites[at].users).sum(),
        };
        let pools: Vec<String> = document.sites[number].pools.iter().map(|pool| pool.name.clone()).collect();
        let each = users.div_ceil(pools.len().max(1) as u64);
        for pool in pools.into_iter().filter(|_| each > u64::from(usual)) {
            registrar.pools.entry(pool).or_default().max_users = Some(u32::try_from(each).unwrap_or(u32::MAX));
        }
    }
}
