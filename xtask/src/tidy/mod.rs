//! The architecture's rules, kept by reading the sources and manifests.
//!
//! Each rule is one function from the [`Tree`] to what it found, with a test at its foot that plants the fault the
//! rule is for: a check that cannot fail is a defect. The rules are listed in `docs/decisions/0002-tidy-keeps-the-floors.md`.

mod documents;
mod floors;
mod hygiene;
mod lock;
mod manifest;
mod purity;
mod size;
mod source;
mod tree;

use std::path::Path;

pub use tree::Tree;

/// One broken rule at one place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// `path` or `path:line`.
    pub place: String,
    /// What is wrong and what to do.
    pub what: String,
}

impl Finding {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }
}

type Rule = (&'static str, fn(&Tree) -> Vec<Finding>);

/// Every rule with its name.
const RULES: &[Rule] = &[
    ("floors", floors::imports),
    ("floor-names", floors::names),
    ("edge-links", floors::edge),
    ("lints", manifest::lints),
    ("pure", purity::pure),
    ("runtime", purity::runtime),
    ("sql", purity::sql),
    ("one-tls", lock::one_tls),
    ("one-sqlite", lock::one_sqlite),
    ("unsafe", hygiene::unsafe_code),
    ("hollow", hygiene::hollow),
    ("secrets", hygiene::secrets),
    ("words", hygiene::words),
    ("crate-docs", hygiene::crate_docs),
    ("sizes", size::sizes),
    ("ci", documents::ci),
    ("readme", documents::readme),
    ("parity", documents::parity),
    ("rfc", documents::rfc),
    ("error-pages", documents::error_pages),
    ("links", documents::links),
];

/// What every rule found, rules without a finding included.
pub fn judge(tree: &Tree) -> Vec<(&'static str, Vec<Finding>)> {
    RULES.iter().map(|(name, rule)| (*name, rule(tree))).collect()
}

/// Findings as indented lines.
pub fn list(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("    {}: {}\n", finding.place, finding.what)).collect()
}

/// `cargo xtask tidy`: prints every rule; fails when one is broken. `--ratchet` writes today's sizes.
pub fn command(root: &Path, arguments: &[String]) -> Result<(), String> {
    let tree = Tree::read(root)?;
    if arguments.iter().any(|argument| argument == "--ratchet") {
        return size::ratchet(root, &tree);
    }
    let mut broken = 0;
    for (name, findings) in judge(&tree) {
        if findings.is_empty() {
            println!("ok   {name}");
        } else {
            broken += 1;
            print!("FAIL {name}\n{}", list(&findings));
        }
    }
    if broken == 0 { Ok(()) } else { Err(format!("{broken} of {} rules are broken", RULES.len())) }
}
