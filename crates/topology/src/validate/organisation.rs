//! Domains, sites, pools and nodes.

use super::{Findings, entry};
use crate::document::Document;
use crate::domain::DomainName;
use crate::path::Path;
use crate::problem::Code;
use crate::site::{Pool, Site};
use std::collections::BTreeMap;

pub(super) fn check(document: &Document, found: &mut Findings) {
    domains(document, found);
    let list = Path::root().key("sites");
    found.names(&list, "site", document.sites.iter().map(|site| site.name.as_str()));
    if document.pools().next().is_none() {
        found.add(
            &list,
            Code::NoPool,
            "There is no pool, so that no user could be homed.",
            "Add a site with a pool and a node.",
        );
    }
    let mut taken = Taken::default();
    for (at, site) in document.sites.iter().enumerate() {
        let path = entry(&list, at, &site.name);
        branch(document, site, &path, found);
        pools(site, &path.key("pools"), &mut taken, found);
    }
}

fn domains(document: &Document, found: &mut Findings) {
    let list = Path::root().key("domains");
    if document.domains.is_empty() {
        found.add(
            &list,
            Code::NoDomain,
            "There is no SIP domain.",
            "Add the domain of your users' addresses and mark it as default.",
        );
        return;
    }
    found.names(&list, "SIP domain", document.domains.iter().map(|domain| domain.name.as_str()));
    let defaults: Vec<&str> =
        document.domains.iter().filter(|domain| domain.default).map(|domain| domain.name.as_str()).collect();
    match defaults[..] {
        [_] => {}
        [] => found.add(
            &list,
            Code::DefaultDomain,
            "No SIP domain is the default.",
            "Mark one with `default: true`; the default can be replaced, not unset.",
        ),
        _ => found.add(
            &list,
            Code::DefaultDomain,
            format!("{} are all marked as default.", defaults.join(", ")),
            "Keep `default: true` at one of them.",
        ),
    }
}

fn branch(document: &Document, site: &Site, path: &Path, found: &mut Findings) {
    let Some(parent) = &site.branch_of else { return };
    let problem = match document.sites.iter().find(|candidate| candidate.name == *parent) {
        None => format!("It is a branch of {parent}, and there is no such site."),
        Some(_) if *parent == site.name => "It is a branch of itself.".to_owned(),
        Some(central) if central.branch_of.is_some() => {
            format!("It is a branch of {parent}, which is a branch itself.")
        }
        Some(_) => return,
    };
    found.add(&path.key("branch_of"), Code::BranchParent, problem, "Name a central site, or leave branch_of out.");
}

/// Names that are unique in the organisation, with who has them.
#[derive(Default)]
struct Taken {
    pools: BTreeMap<String, String>,
    pool_fqdns: BTreeMap<DomainName, String>,
    nodes: BTreeMap<String, String>,
    node_fqdns: BTreeMap<DomainName, String>,
}

fn pools(site: &Site, list: &Path, taken: &mut Taken, found: &mut Findings) {
    for (at, pool) in site.pools.iter().enumerate() {
        let path = entry(list, at, &pool.name);
        found.name(&path.key("name"), "pool", &pool.name);
        fqdn(&pool.fqdn, &path, found);
        once(&mut taken.pools, pool.name.to_lowercase(), &path, "pool is named", &pool.name, found);
        once(
            &mut taken.pool_fqdns,
            pool.fqdn.clone(),
            &path.key("fqdn"),
            "pool has the host name",
            pool.fqdn.as_str(),
            found,
        );
        if pool.nodes.is_empty() {
            found.add(
                &path.key("nodes"),
                Code::NoPool,
                "The pool has no node.",
                "Add the server that runs it, with name and fqdn.",
            );
        }
        nodes(pool, &path.key("nodes"), taken, found);
    }
}

fn nodes(pool: &Pool, list: &Path, taken: &mut Taken, found: &mut Findings) {
    for (at, node) in pool.nodes.iter().enumerate() {
        let path = entry(list, at, &node.name);
        found.name(&path.key("name"), "node", &node.name);
        fqdn(&node.fqdn, &path, found);
        once(&mut taken.nodes, node.name.to_lowercase(), &path, "node is named", &node.name, found);
        once(
            &mut taken.node_fqdns,
            node.fqdn.clone(),
            &path.key("fqdn"),
            "node has the host name",
            node.fqdn.as_str(),
            found,
        );
    }
}

fn fqdn(name: &DomainName, of: &Path, found: &mut Findings) {
    if name.as_str().is_empty() {
        found.add(&of.key("fqdn"), Code::BadFqdn, "There is no host name.", "Give the name under which DNS finds it.");
    }
}

fn once<K: Ord>(taken: &mut BTreeMap<K, String>, key: K, path: &Path, has: &str, name: &str, found: &mut Findings) {
    if name.is_empty() {
        return;
    }
    if let Some(first) = taken.insert(key, path.to_string()) {
        let what = format!("Another {has} {name}: {first}.");
        found.add(path, Code::Duplicate, what, "Rename one of them; the name is unique in the organisation.");
    }
}
