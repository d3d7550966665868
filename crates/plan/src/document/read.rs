//! From a document to the plan file.

use std::collections::BTreeMap;

use lyceum_topology::{Document, TrustedBy};

use super::{archiving, call_detail, gateways, is_gateway};
use crate::file::{Draft, DraftTable, Plan, Problems, quoted};

/// A plan that was read from a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The plan file.
    pub text: String,
    /// The same, read.
    pub plan: Plan,
    /// What the document says and a plan cannot, and what has to be asked for.
    pub remarks: Vec<String>,
}

/// The SIP domains, the default one first.
pub(super) fn domains(document: &Document) -> Vec<String> {
    let of = |default: bool| document.domains.iter().filter(move |domain| domain.default == default);
    of(true).chain(of(false)).map(|domain| domain.name.to_string()).collect()
}

/// The most days of call detail that a plan says.
const MOST_DAYS: u64 = 2562;

/// The plan of a running document. `users` counts those of each site, where somebody has counted them; what a document
/// cannot say is as in `before`, a plan file, if there is one.
pub fn from_topology(
    document: &Document,
    users: &BTreeMap<String, u64>,
    before: Option<&str>,
) -> Result<Imported, Problems> {
    let mut draft = before.map_or_else(|| Ok(Draft::default()), Draft::read)?;
    let list =
        |texts: Vec<String>| format!("[{}]", texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "));
    let organisation = draft.table("organisation");
    if !document.organisation.is_empty() {
        organisation.set("name", quoted(&document.organisation));
    }
    if !document.domains.is_empty() {
        organisation.set("sip_domains", list(domains(document)));
    }
    let gateways: Vec<String> = gateways(document).iter().map(ToString::to_string).collect();
    match gateways.is_empty() {
        true => draft.table("voice").forget("gateways"),
        false => draft.table("voice").set("gateways", list(gateways)),
    }
    let (archive, kept) = archiving(&document.policies.archiving.global);
    draft.table("archiving").set("enabled", archive.to_string());
    draft.table("archiving").set("days", kept.to_string());
    let (detail, days) = call_detail(&document.policies.call_detail.global);
    draft.table("monitoring").set("enabled", detail.to_string());
    draft.table("monitoring").set("cdr_days", days.min(MOST_DAYS).to_string());
    sites(document, users, &mut draft);
    let text = draft.text(HEAD);
    let plan = Plan::read(&text)?;
    let mut remarks = remarks(document, users, &plan);
    if days > MOST_DAYS {
        remarks.push(format!("call detail is kept for {days} days; a plan says {MOST_DAYS} at most"));
    }
    Ok(Imported { text, plan, remarks })
}

const HEAD: &str =
    "A plan, read from a topology. What a topology does not say is assumed after Lync until it is answered here.";

/// Sites as they are: those that are gone take their links and pairs along.
fn sites(document: &Document, users: &BTreeMap<String, u64>, draft: &mut Draft) {
    let (known, others): (Vec<DraftTable>, _) =
        std::mem::take(&mut draft.tables).into_iter().partition(|table| table.section == "site");
    draft.tables = others;
    let names: Vec<String> = document.sites.iter().map(|site| quoted(&site.name)).collect();
    let there = |name: Option<&str>| name.is_some_and(|name| names.iter().any(|known| known == name));
    let internet = |end: Option<&str>| end.is_some_and(|end| end.eq_ignore_ascii_case("\"internet\""));
    draft.tables.retain(|table| {
        let (from, to) = (table.get("from"), table.get("to"));
        table.section != "link" || (there(from) && (there(to) || internet(to)))
    });
    for (site, name) in document.sites.iter().zip(&names) {
        let before = known.iter().find(|table| table.get("name") == Some(name));
        let mut table = before.cloned().unwrap_or_else(|| DraftTable::new("site"));
        table.set("name", name.clone());
        match &site.branch_of {
            Some(hub) => {
                table.set("hub", quoted(hub));
                table.set("survivable", (!site.pools.is_empty()).to_string());
                table.forget("pair");
            }
            None => table.forget("hub"),
        }
        let central = |pair: &str| document.sites.iter().any(|s| quoted(&s.name) == pair && s.branch_of.is_none());
        if table.get("pair").is_some_and(|pair| !central(pair)) {
            table.forget("pair");
        }
        if let Some(users) = users.get(&site.name) {
            table.set("users", users.to_string());
        }
        draft.tables.push(table);
    }
}

fn remarks(document: &Document, users: &BTreeMap<String, u64>, plan: &Plan) -> Vec<String> {
    let mut found = Vec::new();
    let assumed = plan.sites.iter().filter(|site| site.users.is_assumed() && !users.contains_key(&site.name.value));
    let uncounted: Vec<&str> = assumed.map(|site| site.name.as_str()).take(20).collect();
    if !uncounted.is_empty() {
        found.push(format!("the users of these sites are not counted, and assumed: {}", uncounted.join(", ")));
    }
    let others = |host: &&lyceum_topology::TrustedHost| {
        !is_gateway(host) || !matches!(&host.by, TrustedBy::Address { cidr, .. } if cidr.prefix() == 32)
    };
    let stays = [
        (document.trusted_hosts.iter().filter(others).count(), "trusted hosts that are no gateway with one address"),
        (document.static_routes.len(), "static routes"),
        (
            usize::from(document.accounts.ldap.is_some()) + usize::from(document.accounts.oidc.is_some()),
            "sources of accounts",
        ),
    ];
    for (count, what) in stays {
        if count > 0 {
            found.push(format!("{count} {what} stay in the topology: a plan does not say them"));
        }
    }
    found
}
