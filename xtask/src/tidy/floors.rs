//! Who may import whom: the table of the house.

use std::collections::BTreeSet;

use super::manifest::{Manifest, members};
use super::{Finding, Tree};

/// The domain crates, which `api`, `store` and the roles above may all import.
const DOMAIN: &[&str] = &["topology", "users", "voice", "conference", "chat", "monitoring", "plan"];

/// A crate and what it may import; `domain` stands for every domain crate, `*` for anything.
const TABLE: &[(&str, &[&str])] = &[
    ("sip", &[]),
    ("sdp", &[]),
    ("media", &["sdp"]),
    ("turn", &[]),
    ("topology", &["sip"]),
    ("users", &["sip", "topology"]),
    ("voice", &["sip", "sdp", "topology"]),
    ("conference", &["sip", "sdp", "topology"]),
    ("chat", &["sip", "topology"]),
    ("monitoring", &["sip", "media", "topology"]),
    ("plan", &["sdp", "topology"]),
    ("api", &["domain"]),
    ("net", &["sip", "sdp", "media", "turn"]),
    ("accounts", &["topology"]),
    // Over what the house's plan says: the times and password hashes it keeps are `sip`'s types (decision 0007).
    ("store", &["sip", "domain"]),
    ("cluster", &["domain", "store"]),
    ("front-end", &["sip", "sdp", "turn", "domain", "net", "store", "cluster"]),
    ("mcu", &["sdp", "media", "topology", "conference", "monitoring", "net", "store", "cluster"]),
    ("mediation", &["sip", "sdp", "media", "topology", "voice", "conference", "monitoring", "net", "store", "cluster"]),
    ("edge", &["sip", "sdp", "turn", "topology", "monitoring", "net"]),
    ("web", &["sip", "turn", "domain", "api", "accounts", "net", "store", "cluster"]),
    ("shell", &["topology", "plan", "api", "net"]),
    ("lyceum", &["*"]),
    ("sim", &["*"]),
    ("load", &["*"]),
    ("xtask", &[]),
];

/// Crates of floors 0 and 1: no clock, no IO.
pub const PURE: &[&str] =
    &["sip", "sdp", "media", "turn", "topology", "users", "voice", "conference", "chat", "monitoring", "plan", "api"];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["common", "core", "types", "utils", "util", "helpers", "shared", "misc", "base"];

/// A crate imports what its row lists and nothing else.
pub fn imports(tree: &Tree) -> Vec<Finding> {
    let members = members(tree);
    let mut found = Vec::new();
    for manifest in members.values() {
        let Some((_, allowed)) = TABLE.iter().find(|(name, _)| *name == manifest.name) else {
            found.push(Finding::new(
                manifest.path,
                "this crate has no row in xtask/src/tidy/floors.rs; give it a floor",
            ));
            continue;
        };
        for import in manifest.ours().filter(|import| !allows(allowed, import)) {
            let what = format!("`{}` may not import `{import}` (allowed: {})", manifest.name, allowed.join(", "));
            found.push(Finding::new(manifest.path, what));
        }
    }
    found
}

fn allows(row: &[&str], import: &str) -> bool {
    row.iter().any(|allowed| match *allowed {
        "*" => true,
        "domain" => DOMAIN.contains(&import),
        name => name == import,
    })
}

/// No crate has an empty name, and a package is called after its folder.
pub fn names(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for manifest in members(tree).values() {
        let name = manifest.name;
        if EMPTY_NAMES.contains(&name) {
            found.push(Finding::new(manifest.path, format!("no crate is called `{name}`: name it after its duty")));
        }
        let wanted = match manifest.path.strip_prefix("crates/") {
            Some(_) if name != "lyceum" => format!("name = \"lyceum-{name}\""),
            _ => format!("name = \"{name}\""),
        };
        if !manifest.text.lines().any(|line| line.trim() == wanted) {
            found.push(Finding::new(manifest.path, format!("expected the package's `{wanted}`")));
        }
    }
    found
}

/// A host in the perimeter network holds no user, number or secret, so `edge` cannot even reach the crates that do.
pub fn edge(tree: &Tree) -> Vec<Finding> {
    let members = members(tree);
    let Some(edge) = members.get("edge") else { return Vec::new() };
    let mut reached: BTreeSet<&str> = BTreeSet::new();
    let mut next: Vec<&str> = edge.ours().collect();
    while let Some(name) = next.pop() {
        if reached.insert(name) {
            next.extend(members.get(name).into_iter().flat_map(Manifest::ours));
        }
    }
    ["store", "cluster", "users"]
        .iter()
        .filter(|forbidden| reached.contains(*forbidden))
        .map(|forbidden| Finding::new(edge.path, format!("`edge` reaches `{forbidden}`: the perimeter holds no user")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(name: &str, imports: &[&str]) -> String {
        let lines: String = imports.iter().map(|import| format!("lyceum-{import}.workspace = true\n")).collect();
        format!("[package]\nname = \"lyceum-{name}\"\n[dependencies]\n{lines}")
    }

    #[test]
    fn an_import_upward_is_found() {
        let sip = manifest("sip", &["topology"]);
        let found = imports(&Tree::of(&[("crates/sip/Cargo.toml", &sip)]));
        assert_eq!(found.len(), 1);
        assert!(found[0].what.starts_with("`sip` may not import `topology`"));
        let fine = manifest("topology", &["sip"]);
        assert!(imports(&Tree::of(&[("crates/topology/Cargo.toml", &fine)])).is_empty());
    }

    #[test]
    fn a_role_that_imports_a_role_is_found() {
        let web = manifest("web", &["front-end"]);
        assert_eq!(imports(&Tree::of(&[("crates/web/Cargo.toml", &web)])).len(), 1);
    }

    #[test]
    fn domain_stands_for_domain_crates_only() {
        let api = manifest("api", &["users", "voice", "sip"]);
        assert_eq!(imports(&Tree::of(&[("crates/api/Cargo.toml", &api)])).len(), 1);
    }

    #[test]
    fn a_crate_without_a_row_is_found() {
        let odd = manifest("odd", &[]);
        assert_eq!(imports(&Tree::of(&[("crates/odd/Cargo.toml", &odd)])).len(), 1);
    }

    #[test]
    fn an_empty_or_foreign_name_is_found() {
        let common = manifest("common", &[]);
        assert_eq!(names(&Tree::of(&[("crates/common/Cargo.toml", &common)])).len(), 1);
        let other = manifest("other", &[]);
        assert_eq!(names(&Tree::of(&[("crates/sip/Cargo.toml", &other)])).len(), 1);
    }

    #[test]
    fn an_edge_that_reaches_users_through_another_crate_is_found() {
        let (one, two) = (manifest("edge", &["monitoring"]), manifest("monitoring", &["users"]));
        let tree = Tree::of(&[("crates/edge/Cargo.toml", &one), ("crates/monitoring/Cargo.toml", &two)]);
        assert_eq!(edge(&tree).len(), 1);
        let alone = Tree::of(&[("crates/edge/Cargo.toml", &one)]);
        assert!(edge(&alone).is_empty());
    }
}
