//! What changed between two documents, and making such changes.
//!
//! Lists of named things are compared by name: an inserted site is one addition, not a change of all
//! behind it. Other lists, such as the algorithms of a rule, are compared as one value. The version
//! number is left out, since the store gives it.

mod apply;
mod sentence;

use crate::document::Document;
use crate::path::Path;
use serde::Serialize;
use serde_json::{Map, Value};

/// One difference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The field.
    #[serde(serialize_with = "as_text")]
    pub path: Path,
    /// What kind of difference.
    pub kind: ChangeKind,
    /// What stood there before; for a new order, the names in the old one.
    pub before: Option<Value>,
    /// What stands there now; for a new order, the names in it.
    pub after: Option<Value>,
}

/// The kinds of difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// There was nothing.
    Added,
    /// There is nothing any more.
    Removed,
    /// There is something else.
    Changed,
    /// A list has the same entries in another order.
    Reordered,
}

fn as_text<S: serde::Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(path)
}

impl Change {
    /// A change that sets a field, or with `None` unsets it, so that the next broader scope or the default holds.
    pub fn set(path: Path, value: Option<Value>) -> Self {
        let kind = if value.is_some() { ChangeKind::Changed } else { ChangeKind::Removed };
        Self { path, kind, before: None, after: value }
    }
}

impl Document {
    /// What one has to change in `before` to get `after`, in the document's order.
    pub fn diff(before: &Self, after: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        objects(&Path::root(), &unversioned(before), &unversioned(after), &mut changes);
        changes
    }
}

fn unversioned(document: &Document) -> Map<String, Value> {
    let Value::Object(mut map) = document.to_value() else { return Map::new() };
    map.remove("version");
    map
}

fn objects(path: &Path, before: &Map<String, Value>, after: &Map<String, Value>, changes: &mut Vec<Change>) {
    for (key, old) in before {
        match after.get(key) {
            Some(new) => values(&path.key(key), old, new, changes),
            None => changes.push(removed(path.key(key), old)),
        }
    }
    for (key, new) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
        changes.push(added(path.key(key), new));
    }
}

fn values(path: &Path, old: &Value, new: &Value, changes: &mut Vec<Change>) {
    match (old, new) {
        _ if old == new => {}
        (Value::Object(old), Value::Object(new)) => objects(path, old, new, changes),
        (Value::Array(old), Value::Array(new)) if named(old) && named(new) => lists(path, old, new, changes),
        _ => changes.push(Change {
            path: path.clone(),
            kind: ChangeKind::Changed,
            before: Some(old.clone()),
            after: Some(new.clone()),
        }),
    }
}

fn lists(path: &Path, old: &[Value], new: &[Value], changes: &mut Vec<Change>) {
    let find = |list: &[Value], name: &str| list.iter().position(|entry| name_of(entry) == Some(name));
    let mut kept: Vec<&str> = Vec::new();
    for entry in old {
        let name = name_of(entry).unwrap_or_default();
        match find(new, name) {
            Some(at) => {
                values(&path.key(name), entry, &new[at], changes);
                kept.push(name);
            }
            None => changes.push(removed(path.key(name), entry)),
        }
    }
    for entry in new {
        let name = name_of(entry).unwrap_or_default();
        if find(old, name).is_none() {
            changes.push(added(path.key(name), entry));
            kept.push(name);
        }
    }
    // Additions are put at the end; whatever else the order is, is a change of its own.
    let order: Vec<&str> = new.iter().filter_map(name_of).collect();
    if kept != order {
        let (before, after) = (Some(kept.into()), Some(order.into()));
        changes.push(Change { path: path.clone(), kind: ChangeKind::Reordered, before, after });
    }
}

fn added(path: Path, value: &Value) -> Change {
    Change { path, kind: ChangeKind::Added, before: None, after: Some(value.clone()) }
}

fn removed(path: Path, value: &Value) -> Change {
    Change { path, kind: ChangeKind::Removed, before: Some(value.clone()), after: None }
}

fn name_of(entry: &Value) -> Option<&str> {
    entry.get("name").and_then(Value::as_str)
}

/// Whether every entry has a name of its own.
fn named(list: &[Value]) -> bool {
    let mut names = std::collections::BTreeSet::new();
    list.iter().all(|entry| name_of(entry).is_some_and(|name| names.insert(name)))
}
