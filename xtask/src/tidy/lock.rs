//! What the whole dependency tree may hold, read from `Cargo.lock`.

use super::{Finding, Tree};

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

/// Every `name` and `version` in the lock file.
fn packages(lock: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut name = "";
    for line in lock.lines() {
        let quoted = line.split('"').nth(1).unwrap_or("");
        if line.starts_with("name = ") {
            name = quoted;
        } else if line.starts_with("version = ") && !name.is_empty() {
            found.push((name, quoted));
            name = "";
        }
    }
    found
}

/// One TLS provider in the whole tree: rustls over aws-lc-rs, each in one version.
pub fn one_tls(tree: &Tree) -> Vec<Finding> {
    let Some(lock) = tree.file("Cargo.lock") else {
        return vec![Finding::new("Cargo.lock", "is missing; the versions we test are the versions we ship")];
    };
    let packages = packages(lock);
    let mut found: Vec<Finding> = packages
        .iter()
        .filter(|(name, _)| OTHER_PROVIDERS.contains(name))
        .map(|(name, version)| {
            let what = format!("{name} {version} is a second TLS provider; find who asks with `cargo tree -i {name}`");
            Finding::new("Cargo.lock", what)
        })
        .collect();
    for one in ["rustls", "aws-lc-rs", "aws-lc-sys"] {
        found.extend(twice(&packages, one));
    }
    found
}

/// Never two SQLites in one process.
pub fn one_sqlite(tree: &Tree) -> Vec<Finding> {
    let packages = packages(tree.file("Cargo.lock").unwrap_or(""));
    let mut found: Vec<Finding> = twice(&packages, "libsqlite3-sys").into_iter().collect();
    for other in ["sqlite3-sys", "libsql-ffi", "sqlite-src"] {
        if packages.iter().any(|(name, _)| *name == other) {
            found.push(Finding::new("Cargo.lock", format!("{other} links another SQLite")));
        }
    }
    found
}

fn twice(packages: &[(&str, &str)], wanted: &str) -> Option<Finding> {
    let versions: Vec<&str> =
        packages.iter().filter(|(name, _)| *name == wanted).map(|(_, version)| *version).collect();
    (versions.len() > 1).then(|| {
        Finding::new("Cargo.lock", format!("{wanted} is there {} times: {}", versions.len(), versions.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(packages: &[(&str, &str)]) -> String {
        packages
            .iter()
            .map(|(name, version)| format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n\n"))
            .collect()
    }

    #[test]
    fn a_second_provider_is_found() {
        let fine = lock(&[("rustls", "0.23.1"), ("aws-lc-rs", "1.0.0")]);
        assert!(one_tls(&Tree::of(&[("Cargo.lock", &fine)])).is_empty());
        for other in OTHER_PROVIDERS {
            let text = lock(&[("rustls", "0.23.1"), (other, "0.1.0")]);
            assert_eq!(one_tls(&Tree::of(&[("Cargo.lock", &text)])).len(), 1, "{other}");
        }
        let two = lock(&[("rustls", "0.22.0"), ("rustls", "0.23.1")]);
        assert_eq!(one_tls(&Tree::of(&[("Cargo.lock", &two)])).len(), 1);
        assert_eq!(one_tls(&Tree::of(&[])).len(), 1);
    }

    #[test]
    fn a_second_sqlite_is_found() {
        let two = lock(&[("libsqlite3-sys", "0.30.0"), ("libsqlite3-sys", "0.35.0"), ("libsql-ffi", "0.1.0")]);
        assert_eq!(one_sqlite(&Tree::of(&[("Cargo.lock", &two)])).len(), 2);
        let one = lock(&[("libsqlite3-sys", "0.35.0")]);
        assert!(one_sqlite(&Tree::of(&[("Cargo.lock", &one)])).is_empty());
    }
}
