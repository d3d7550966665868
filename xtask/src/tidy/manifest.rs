//! The little that the rules need of a `Cargo.toml`, read line by line.

use std::collections::BTreeMap;

use super::{Finding, Tree};

/// One member of the workspace.
#[derive(Debug)]
pub struct Manifest<'a> {
    /// `crates/sip/Cargo.toml`.
    pub path: &'a str,
    /// `sip`: the folder's name.
    pub name: &'a str,
    /// The names in `[dependencies]` and its target-specific siblings.
    pub normal: Vec<&'a str>,
    /// The names in `[dev-dependencies]`.
    pub dev: Vec<&'a str>,
    /// The names in `[build-dependencies]`.
    pub build: Vec<&'a str>,
    /// As written.
    pub text: &'a str,
}

impl<'a> Manifest<'a> {
    /// Our own crates among the normal dependencies, without the `lyceum-`.
    pub fn ours(&self) -> impl Iterator<Item = &'a str> {
        self.normal.iter().filter_map(|name| name.strip_prefix("lyceum-"))
    }

    /// Every dependency of whatever kind.
    pub fn all(&self) -> impl Iterator<Item = &'a str> {
        self.normal.iter().chain(&self.dev).chain(&self.build).copied()
    }

    fn parse(path: &'a str, text: &'a str) -> Self {
        let mut parts = path.rsplit('/').skip(1);
        let name = parts.next().unwrap_or("");
        let mut manifest = Self { path, name, normal: Vec::new(), dev: Vec::new(), build: Vec::new(), text };
        let mut section = "";
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
                section = header;
                // `[dependencies.name]` names its one dependency in the header.
                if let Some((table, name)) = header.rsplit_once("dependencies.") {
                    manifest.list(table).push(name);
                }
                continue;
            }
            let Some(table) = section.strip_suffix("dependencies") else { continue };
            // Continuation lines of a multi-line value begin with a quote or bracket, never with a bare name.
            let name = line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')).next().unwrap_or("");
            if !name.is_empty() && line.contains('=') {
                manifest.list(table).push(name);
            }
        }
        manifest
    }

    fn list(&mut self, table: &str) -> &mut Vec<&'a str> {
        match table {
            table if table.ends_with("dev-") => &mut self.dev,
            table if table.ends_with("build-") => &mut self.build,
            _ => &mut self.normal,
        }
    }
}

/// The members' manifests by folder name, the workspace's own and the fuzz folder's left out.
pub fn members(tree: &Tree) -> BTreeMap<&str, Manifest<'_>> {
    tree.below("", "Cargo.toml")
        .filter(|(path, _)| path.contains('/') && !path.starts_with("fuzz/"))
        .map(|(path, text)| Manifest::parse(path, text))
        .map(|manifest| (manifest.name, manifest))
        .collect()
}

/// Every member takes the workspace's lints and licence, and no dependency comes from outside a registry.
pub fn lints(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for manifest in members(tree).values() {
        let plain: String = manifest.text.split_whitespace().collect();
        if !plain.contains("[lints]workspace=true") {
            found.push(Finding::new(manifest.path, "add `[lints]` with `workspace = true`"));
        }
        if !plain.contains("license.workspace=true") {
            found.push(Finding::new(manifest.path, "add `license.workspace = true`"));
        }
        if plain.contains("git=\"") {
            found.push(Finding::new(manifest.path, "a dependency comes from git; use a published version"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
[package]
name = \"lyceum-net\"
license.workspace = true
[lints]
workspace = true
[dependencies]
lyceum-sip.workspace = true
# socket options
socket2 = { version = \"0.5\", features = [
    \"all\",
] }
[dependencies.rustls]
version = \"0.23\"
[target.'cfg(unix)'.dependencies]
libc = \"0.2\"
[dev-dependencies]
proptest = \"1\"
";

    #[test]
    fn dependencies_are_read_by_kind() {
        let tree = Tree::of(&[("crates/net/Cargo.toml", TEXT)]);
        let members = members(&tree);
        let net = &members["net"];
        assert_eq!(net.normal, ["lyceum-sip", "socket2", "rustls", "libc"]);
        assert_eq!(net.dev, ["proptest"]);
        assert_eq!(net.ours().collect::<Vec<_>>(), ["sip"]);
    }

    #[test]
    fn a_manifest_without_lints_is_found() {
        let good = Tree::of(&[("crates/net/Cargo.toml", TEXT)]);
        assert!(lints(&good).is_empty());
        let bad = Tree::of(&[("crates/net/Cargo.toml", "[package]\nlicense.workspace = true\n")]);
        assert_eq!(lints(&bad).len(), 1);
        let git = TEXT.replace("libc = \"0.2\"", "libc = { git = \"https://example.org/libc\" }");
        assert_eq!(lints(&Tree::of(&[("crates/net/Cargo.toml", &git)])).len(), 1);
    }
}
