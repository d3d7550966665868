//! The published topology: whole, and with this node in it.

use lyceum_topology::{Document, DomainName};

use super::finding::Finding;
use super::names::Wanted;

/// How it stands with the document and our place in it.
pub fn judge(document: Option<&Document>, node: Option<(&str, &str)>) -> Vec<Finding> {
    const WHAT: &str = "topology";
    let Some(document) = document else {
        let fix = "lyceum serve --config node.toml --topology FILE, at the first start";
        return vec![Finding::warn(WHAT, "nothing is published yet: domains and names cannot be checked", fix)];
    };
    let mut found: Vec<Finding> = document
        .validate()
        .iter()
        .map(|problem| Finding::fail(WHAT, format!("{}: {}", problem.path, problem.what), problem.fix.clone()))
        .collect();
    if let Some((name, pool)) = node {
        let place = document.pools().find(|(_, candidate)| candidate.name == pool);
        match place {
            None => {
                let pools: Vec<&str> = document.pools().map(|(_, pool)| pool.name.as_str()).collect();
                let detail = format!("the node file says pool = \"{pool}\"; the topology has {}", pools.join(", "));
                found.push(Finding::fail(WHAT, detail, "correct `pool` in the node file, or add the pool and publish"));
            }
            Some((_, pool)) if pool.nodes.iter().all(|candidate| candidate.name != name) => {
                let nodes: Vec<&str> = pool.nodes.iter().map(|node| node.name.as_str()).collect();
                let detail =
                    format!("the node file says name = \"{name}\"; pool {} has {}", pool.name, nodes.join(", "));
                found.push(Finding::fail(WHAT, detail, "correct `name` in the node file, or add the node and publish"));
            }
            Some(_) => {}
        }
    }
    if found.is_empty() {
        let domains: Vec<&str> = document.domains.iter().map(|domain| domain.name.as_str()).collect();
        found.push(Finding::ok(WHAT, format!("version {}, domains {}", document.version, domains.join(", "))));
    }
    found
}

/// The names that clients look for: domains, and pool and node of this node.
pub fn names(document: &Document, node: Option<(&str, &str)>) -> Wanted {
    let text = |name: &DomainName| name.as_str().to_owned();
    let domains: Vec<String> = document.domains.iter().map(|domain| text(&domain.name)).collect();
    let mut wanted = Wanted { domains, ..Wanted::default() };
    let Some((name, pool)) = node else { return wanted };
    let Some((_, pool)) = document.pools().find(|(_, candidate)| candidate.name == pool) else { return wanted };
    wanted.hosts.push(text(&pool.fqdn));
    wanted.node = text(&pool.fqdn);
    if let Some(node) = pool.nodes.iter().find(|candidate| candidate.name == name) {
        wanted.node = text(&node.fqdn);
        wanted.hosts.push(text(&node.fqdn));
    }
    wanted.hosts.dedup();
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Verdict::{Fail, Ok as Good, Warn};

    #[test]
    fn the_node_must_be_in_the_document() {
        let name = |text: &str| DomainName::parse(text).unwrap();
        let document = Document::dev(name("example.org"), name("node.example.org"));
        for (document, node, verdict, part) in [
            (Some(&document), Some(("node1", "pool1")), Good, "domains example.org"),
            (Some(&document), None, Good, "domains example.org"),
            (Some(&document), Some(("node2", "pool1")), Fail, "pool pool1 has node1"),
            (Some(&document), Some(("node1", "pool2")), Fail, "the topology has pool1"),
            (None, Some(("node1", "pool1")), Warn, "nothing is published"),
        ] {
            let found = judge(document, node);
            assert!(
                found.len() == 1 && found[0].verdict == verdict && found[0].detail.contains(part),
                "{part}: {found:?}"
            );
        }
        let empty = Document { domains: Vec::new(), ..document.clone() };
        assert!(judge(Some(&empty), None).iter().all(|finding| finding.verdict == Fail));
        let wanted = names(&document, Some(("node1", "pool1")));
        assert_eq!(
            (wanted.hosts, wanted.node.as_str()),
            (vec!["example.org".into(), "node.example.org".into()], "node.example.org")
        );
    }
}
