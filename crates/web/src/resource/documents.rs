//! Changing the topology document: every change is a whole document that is validated, compiled,
//! committed and then published, one at a time.

use crate::Web;
use crate::authorize::Actor;
use crate::refused::{Refused, fault, unavailable};
use lyceum_api::{Changed, Difference, Refusal};
use lyceum_store::TopologyError;
use lyceum_topology::{Document, Problem, Snapshot};
use serde_json::Value;
use std::sync::Arc;

/// How a commit is written.
pub enum Commit {
    /// As a new document.
    Publish,
    /// As an old version that comes back.
    Rollback(u64),
}

/// A change of the document, and how to speak of it.
pub struct Edit<'a> {
    /// `publish`, `set`, `new`, `remove`, `rollback`.
    pub action: &'static str,
    /// `topology`, `domain`, `policy`.
    pub kind: &'static str,
    /// Which one.
    pub name: String,
    /// The version the author saw, if that matters.
    pub expected: Option<u64>,
    /// How it is written.
    pub commit: Commit,
    /// Makes the new document from the one in force.
    pub edit: &'a dyn Fn(&Snapshot) -> Result<Document, Refused>,
    /// The object after the change, for the answer.
    pub object: &'a dyn Fn(&Snapshot) -> Option<Value>,
}

impl Web {
    /// Applies an edit; with `what_if` only says what would differ.
    pub(crate) fn edit_document(&self, actor: &Actor, edit: Edit<'_>, what_if: bool) -> Result<Changed, Refused> {
        let _turn = self.turn();
        let before = self.options().publisher.current();
        if let Some(expected) = edit.expected
            && expected != before.version
        {
            return Err(conflict(expected, before.version));
        }
        let mut document = (edit.edit)(&before)?;
        document.version = before.version;
        let changes = differences(before.document(), &document);
        let mut version = None;
        let mut after = before.clone();
        if !changes.is_empty() {
            after = compiled(&document, &before)?;
            if !what_if {
                document.version = self.commit_document(actor, &edit.commit, &document, before.version)?;
                version = Some(document.version);
                after = compiled(&document, &before)?;
                self.options().publisher.publish(after.clone());
            }
        }
        let object = (edit.object)(&after);
        Ok(Changed {
            what_if,
            action: edit.action.to_owned(),
            kind: edit.kind.to_owned(),
            name: edit.name,
            changes,
            version,
            object,
        })
    }
}

impl Web {
    fn commit_document(&self, actor: &Actor, how: &Commit, document: &Document, from: u64) -> Result<u64, Refused> {
        let (store, by) = (&self.options().store, self.by(actor));
        let published = match how {
            Commit::Publish => store.publish_topology(document, from, by),
            Commit::Rollback(to) => store.rollback_topology(*to, from, by),
        };
        published.map(|p| p.version).map_err(|error| match error {
            TopologyError::Conflict { expected, current } => conflict(expected, current),
            TopologyError::NoVersion(version) => no_version(version),
            TopologyError::Store(error) => unavailable(&error),
        })
    }
}

/// No such version.
pub(crate) fn no_version(version: u64) -> Refused {
    let place = format!("/topology/versions/{version}");
    Refused::new(Refusal::VersionNotFound, format!("there is no version {version}"), place)
}

fn compiled(document: &Document, before: &Snapshot) -> Result<Arc<Snapshot>, Refused> {
    Snapshot::compile(document, before.directory().clone()).map(Arc::new).map_err(|problems| invalid(&problems))
}

/// A document that has problems.
pub(crate) fn invalid(problems: &[Problem]) -> Refused {
    let what = match problems {
        [one] => one.what.clone(),
        many => format!("the document has {} problems", many.len()),
    };
    let place = problems.first().map_or("document", |p| p.path.as_str());
    Refused::new(Refusal::TopologyInvalid, what, place).with(problems.iter().map(fault).collect())
}

/// Someone published in between.
pub(crate) fn conflict(expected: u64, current: u64) -> Refused {
    let what = format!("version {expected} was expected, but {current} is in force");
    Refused::new(Refusal::VersionConflict, what, "expected_version")
}

/// Where two documents differ; their version numbers always do and are no difference.
pub(crate) fn differences(before: &Document, after: &Document) -> Vec<Difference> {
    Document::diff(before, after)
        .into_iter()
        .map(|c| Difference { path: c.path.to_string(), before: c.before, after: c.after })
        .filter(|c| c.path != "version")
        .collect()
}
