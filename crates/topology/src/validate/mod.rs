//! What is wrong with a document: all of it, never only the first thing.

mod accounts;
mod federation;
mod message_policies;
mod organisation;
mod policies;
mod qos;
mod routes;
mod trust;

use crate::document::Document;
use crate::path::Path;
use crate::problem::{Code, Problem};

/// The most entries a list of the document may have.
const MAX_ENTRIES: usize = 10_000;
/// The longest name, in characters.
const MAX_NAME: usize = 128;

impl Document {
    /// Everything that is wrong with the document by itself; empty when it may be published.
    ///
    /// Whether the directory fits it is found by [`crate::Snapshot::compile`].
    pub fn validate(&self) -> Vec<Problem> {
        let mut found = Findings::default();
        organisation::check(self, &mut found);
        trust::check(self, &mut found);
        routes::check(self, &mut found);
        policies::check(self, &mut found);
        message_policies::check(self, &mut found);
        accounts::check(self, &mut found);
        qos::check(self, &mut found);
        federation::check(self, &mut found);
        found.problems
    }
}

/// The problems so far.
#[derive(Default)]
struct Findings {
    problems: Vec<Problem>,
}

impl Findings {
    fn add(&mut self, path: &Path, code: Code, what: impl Into<String>, fix: impl Into<String>) {
        let problem = Problem::new(path, code, what, fix);
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// Checks the names of a list's entries: usable, and each only once whatever the letter case.
    fn names<'a>(&mut self, list: &Path, what: &str, names: impl Iterator<Item = &'a str>) {
        let mut seen = std::collections::BTreeSet::new();
        for (at, name) in names.enumerate() {
            let entry = if name.is_empty() { list.index(at) } else { list.key(name) };
            self.name(&entry.key("name"), what, name);
            if !name.is_empty() && !seen.insert(name.to_lowercase()) {
                self.add(
                    &entry,
                    Code::Duplicate,
                    format!("There are two {what}s named {name}."),
                    "Rename or remove one of them; letter case does not tell names apart.",
                );
            }
        }
        if seen.len() > MAX_ENTRIES {
            let what = format!("{} entries are more than the {MAX_ENTRIES} allowed.", seen.len());
            self.add(list, Code::TooMany, what, "Merge or remove some.");
        }
    }

    fn name(&mut self, path: &Path, what: &str, name: &str) {
        if name.is_empty() {
            self.add(path, Code::EmptyName, format!("The {what} has no name."), "Give it one.");
        } else if name.trim() != name || name.chars().any(char::is_control) || name.chars().count() > MAX_NAME {
            self.add(
                path,
                Code::EmptyName,
                format!("The {what}'s name begins or ends with a space, holds a control character, or is longer than {MAX_NAME} characters."),
                "Choose a plain name.",
            );
        }
    }
}

/// A list's entry by name, or by position while it has none.
fn entry(list: &Path, at: usize, name: &str) -> Path {
    if name.is_empty() { list.index(at) } else { list.key(name) }
}
