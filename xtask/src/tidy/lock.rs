//! What is really built from outside, as `cargo tree` tells it.
//!
//! Not from `Cargo.lock`: it also names crates that a feature nobody switched on would bring.

use std::collections::BTreeSet;

use super::{Finding, Tree};

/// Where a finding is.
const BUILT: &str = "cargo tree";

/// Other TLS or cryptography providers, each of which would be a second one.
const OTHER_PROVIDERS: &[&str] = &[
    "ring",
    "openssl",
    "openssl-sys",
    "native-tls",
    "boring",
    "boring-sys",
    "mbedtls",
    "s2n-tls",
    "gnutls",
    "wolfssl",
];

/// Every name and version, once.
fn packages(list: &str) -> BTreeSet<(&str, &str)> {
    list.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?, words.next()?.strip_prefix('v')?))
        })
        .collect()
}

/// One TLS provider in the whole tree: rustls over aws-lc-rs, each in one version.
pub fn one_tls(tree: &Tree) -> Vec<Finding> {
    let packages = packages(tree.built());
    if packages.is_empty() {
        return vec![Finding::new(BUILT, "gave nothing; does `cargo tree --workspace` work?")];
    }
    let mut found: Vec<Finding> = packages
        .iter()
        .filter(|(name, _)| OTHER_PROVIDERS.contains(name))
        .map(|(name, version)| {
            let what = format!("{name} {version} is a second TLS provider; find who asks with `cargo tree -i {name}`");
            Finding::new(BUILT, what)
        })
        .collect();
    for one in ["rustls", "aws-lc-rs", "aws-lc-sys"] {
        found.extend(twice(&packages, one));
    }
    found
}

/// Never two SQLites in one process.
pub fn one_sqlite(tree: &Tree) -> Vec<Finding> {
    let packages = packages(tree.built());
    let mut found: Vec<Finding> = twice(&packages, "libsqlite3-sys").into_iter().collect();
    for other in ["sqlite3-sys", "libsql-ffi", "sqlite-src"] {
        if packages.iter().any(|(name, _)| *name == other) {
            found.push(Finding::new(BUILT, format!("{other} links another SQLite")));
        }
    }
    found
}

fn twice(packages: &BTreeSet<(&str, &str)>, wanted: &str) -> Option<Finding> {
    let versions: Vec<&str> =
        packages.iter().filter(|(name, _)| *name == wanted).map(|(_, version)| *version).collect();
    (versions.len() > 1)
        .then(|| Finding::new(BUILT, format!("{wanted} is there {} times: {}", versions.len(), versions.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(packages: &[(&str, &str)]) -> String {
        packages.iter().map(|(name, version)| format!("{name} v{version} (*)\n")).collect()
    }

    #[test]
    fn a_second_provider_is_found() {
        let fine = lock(&[("rustls", "0.23.1"), ("aws-lc-rs", "1.0.0")]);
        assert!(one_tls(&Tree::building(&fine)).is_empty());
        for other in OTHER_PROVIDERS {
            let text = lock(&[("rustls", "0.23.1"), (other, "0.1.0")]);
            assert_eq!(one_tls(&Tree::building(&text)).len(), 1, "{other}");
        }
        let two = lock(&[("rustls", "0.22.0"), ("rustls", "0.23.1")]);
        assert_eq!(one_tls(&Tree::building(&two)).len(), 1);
        assert_eq!(one_tls(&Tree::of(&[])).len(), 1);
    }

    #[test]
    fn a_second_sqlite_is_found() {
        let two = lock(&[("libsqlite3-sys", "0.30.0"), ("libsqlite3-sys", "0.35.0"), ("libsql-ffi", "0.1.0")]);
        assert_eq!(one_sqlite(&Tree::building(&two)).len(), 2);
        let one = lock(&[("libsqlite3-sys", "0.35.0")]);
        assert!(one_sqlite(&Tree::building(&one)).is_empty());
    }
}
