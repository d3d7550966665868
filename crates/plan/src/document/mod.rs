//! The plan as the draft of a topology: the document that a server runs, and a plan read back from one, so that plan and
//! reality cannot part.
//!
//! | in a plan | in a document |
//! |---|---|
//! | name of the organisation, SIP domains | `organisation`, `domains`; the first is the default |
//! | sites and their hubs | `sites`, `branch_of` |
//! | Front Ends, Standard Edition and branch servers | `pools` and their nodes |
//! | addresses of gateways | trusted hosts called gateway |
//! | archiving and its days | `policies.archiving.global` |
//! | call detail and its days | `policies.call_detail.global` |
//! | users of a pool beyond the default | `policies.registrar.pools` |
//!
//! Whatever else a document holds stays as it was; whatever else a plan holds is no server's business.

mod read;
mod write;

use std::collections::BTreeSet;

use lyceum_topology::policy::{ArchivingSettings, CallDetailSettings};
use lyceum_topology::{ArchivingPolicy, CallDetailPolicy, Document, TrustedBy, TrustedHost};
use serde::Serialize;

use crate::capacity::Role;
use crate::deployment::Deployment;
use crate::file::Plan;
use crate::table::{Table, row};

pub use read::{Imported, from_topology};
pub use write::to_topology;

/// Something that both can say, and say differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What.
    pub what: String,
    /// As the plan has it.
    pub plan: String,
    /// As the document has it.
    pub document: String,
}

/// Servers on which users are homed.
fn is_home(role: Role) -> bool {
    matches!(role, Role::FrontEnd | Role::StandardEdition | Role::BranchAppliance | Role::BranchStandardEdition)
}

/// Whether a trusted host is a gateway to the PSTN, by its name.
fn is_gateway(host: &TrustedHost) -> bool {
    let name = host.name.to_lowercase();
    name.contains("gateway") || name.contains("sbc")
}

/// The addresses of the gateways of a document; a block of more than one address is none.
fn gateways(document: &Document) -> BTreeSet<std::net::Ipv4Addr> {
    let hosts = document.trusted_hosts.iter().filter(|host| is_gateway(host));
    hosts
        .filter_map(|host| match &host.by {
            TrustedBy::Address { cidr, .. } if cidr.prefix() == 32 => match cidr.address() {
                std::net::IpAddr::V4(address) => Some(address),
                std::net::IpAddr::V6(_) => None,
            },
            _ => None,
        })
        .collect()
}

/// Whether messages are archived at all, and for how many days.
fn archiving(settings: &ArchivingSettings) -> (bool, u64) {
    let default = ArchivingPolicy::default();
    let on = settings.archive_internal.unwrap_or(default.archive_internal)
        || settings.archive_external.unwrap_or(default.archive_external);
    (on, u64::from(settings.keep_archiving_data_days.unwrap_or(default.keep_archiving_data_days)))
}

/// Whether call detail is recorded, and for how many days.
fn call_detail(settings: &CallDetailSettings) -> (bool, u64) {
    let default = CallDetailPolicy::default();
    let days = settings.keep_call_detail_days.unwrap_or(default.keep_call_detail_days);
    (settings.enable_call_detail.unwrap_or(default.enable_call_detail), u64::from(days))
}

fn kept((on, days): (bool, u64)) -> String {
    if on { format!("{days} days") } else { "off".to_owned() }
}

/// Everything in which a plan and a document differ though both can say it.
pub fn compare(plan: &Plan, deployment: &Deployment, document: &Document) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut note = |what: String, plan: String, document: String| {
        if plan != document {
            found.push(Difference { what, plan, document });
        }
    };
    note("organisation".to_owned(), plan.organisation.name.value.clone(), document.organisation.clone());
    note("SIP domains".to_owned(), plan.organisation.sip_domains.join(", "), read::domains(document).join(", "));
    for (number, site) in plan.sites.iter().enumerate() {
        let name = site.name.as_str();
        let Some(other) = document.sites.iter().find(|other| other.name == name) else {
            note(format!("site {name}"), "planned".to_owned(), "none".to_owned());
            continue;
        };
        let hub = site.hub.map_or("none", |hub| plan.sites[hub].name.as_str());
        let parent = other.branch_of.as_deref().unwrap_or("none");
        note(format!("hub of {name}"), hub.to_owned(), parent.to_owned());
        let planned = deployment.hosts.iter().filter(|host| host.site == number && is_home(host.role)).count();
        let running: usize = other.pools.iter().map(|pool| pool.nodes.len()).sum();
        note(format!("servers for users of {name}"), planned.to_string(), running.to_string());
    }
    for site in &document.sites {
        if plan.sites.iter().all(|other| other.name.value != site.name) {
            note(format!("site {}", site.name), "none".to_owned(), "running".to_owned());
        }
    }
    let listed = |addresses: &BTreeSet<std::net::Ipv4Addr>| {
        addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    let planned = plan.voice.gateways.iter().flat_map(|answer| answer.value.iter().copied()).collect();
    note("gateways".to_owned(), listed(&planned), listed(&gateways(document)));
    let policies = &document.policies;
    let planned = (*plan.archiving.enabled, *plan.archiving.days);
    note("archiving".to_owned(), kept(planned), kept(archiving(&policies.archiving.global)));
    let planned = (*plan.monitoring.enabled, *plan.monitoring.cdr_days);
    note("call detail".to_owned(), kept(planned), kept(call_detail(&policies.call_detail.global)));
    found
}

/// The differences as a table.
pub fn differences_table(differences: &[Difference]) -> Table {
    let mut table = Table::new("Plan and topology", &["what", "plan", "topology"]);
    table.rows.extend(differences.iter().map(|found| row![&found.what, &found.plan, &found.document]));
    if differences.is_empty() {
        table.notes.push("plan and topology agree in everything that both can say".to_owned());
    }
    table
}
