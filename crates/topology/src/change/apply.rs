//! Making changes: a diff applied, a field set.

use super::{Change, ChangeKind, name_of};
use crate::document::Document;
use crate::path::{Path, Segment};
use crate::problem::{Code, Problem};
use serde_json::{Map, Value};

impl Document {
    /// The document with these changes made, in order; or what cannot be done. It still wants [`Document::validate`].
    pub fn with_changes(&self, changes: &[Change]) -> Result<Self, Vec<Problem>> {
        let mut value = self.to_value();
        let mut problems = Vec::new();
        for change in changes {
            if make(&mut value, change).is_none() {
                let what = "The change has nothing to act on there.";
                problems.push(Problem::new(
                    &change.path,
                    Code::UnknownField,
                    what,
                    "Check the path; `lyceum topology export` shows the document.",
                ));
            }
        }
        if problems.is_empty() { Self::from_value(value) } else { Err(problems) }
    }

    /// What stands at this path in the text form; `None` where nothing is set.
    pub fn value_at(&self, path: &Path) -> Option<Value> {
        let mut value = self.to_value();
        path.segments().iter().try_fold(&mut value, descend).cloned()
    }
}

fn make(root: &mut Value, change: &Change) -> Option<()> {
    let Some((last, above)) = change.path.segments().split_last() else {
        *root = change.after.clone()?;
        return Some(());
    };
    match (change.kind, &change.after) {
        (ChangeKind::Removed, _) => remove(above.iter().try_fold(root, descend)?, last),
        (ChangeKind::Reordered, Some(Value::Array(names))) => {
            reorder(change.path.segments().iter().try_fold(root, descend)?.as_array_mut()?, names)
        }
        (_, Some(value)) => put(above.iter().try_fold(root, descend_or_make)?, last, value.clone()),
        (_, None) => None,
    }
}

fn descend<'a>(value: &'a mut Value, segment: &Segment) -> Option<&'a mut Value> {
    match (value, segment) {
        (Value::Object(map), Segment::Key(key)) => map.get_mut(key),
        (Value::Array(list), Segment::Index(at)) => list.get_mut(*at),
        (Value::Array(list), Segment::Key(name)) => list.iter_mut().find(|entry| name_of(entry) == Some(name)),
        _ => None,
    }
}

/// As `descend`, but settings of a scope that has none yet are begun.
fn descend_or_make<'a>(value: &'a mut Value, segment: &Segment) -> Option<&'a mut Value> {
    match (value, segment) {
        (Value::Object(map), Segment::Key(key)) => {
            Some(map.entry(key.as_str()).or_insert_with(|| Value::Object(Map::new())))
        }
        (value, segment) => descend(value, segment),
    }
}

fn put(parent: &mut Value, at: &Segment, value: Value) -> Option<()> {
    match (parent, at) {
        (Value::Object(map), Segment::Key(key)) => {
            map.insert(key.clone(), value);
        }
        (Value::Array(list), Segment::Key(name)) if name_of(&value) == Some(name) => {
            match list.iter_mut().find(|entry| name_of(entry) == Some(name)) {
                Some(entry) => *entry = value,
                None => list.push(value),
            }
        }
        (Value::Array(list), Segment::Index(at)) if *at <= list.len() => match list.get_mut(*at) {
            Some(entry) => *entry = value,
            None => list.push(value),
        },
        _ => return None,
    }
    Some(())
}

fn remove(parent: &mut Value, at: &Segment) -> Option<()> {
    match (parent, at) {
        (Value::Object(map), Segment::Key(key)) => map.remove(key).map(drop),
        (Value::Array(list), Segment::Key(name)) => {
            let at = list.iter().position(|entry| name_of(entry) == Some(name))?;
            list.remove(at);
            Some(())
        }
        (Value::Array(list), Segment::Index(at)) if *at < list.len() => {
            list.remove(*at);
            Some(())
        }
        _ => None,
    }
}

fn reorder(list: &mut [Value], names: &[Value]) -> Option<()> {
    let place = |entry: &Value| names.iter().position(|name| name.as_str() == name_of(entry));
    if list.len() != names.len() || !list.iter().all(|entry| place(entry).is_some()) {
        return None;
    }
    list.sort_by_key(place);
    Some(())
}
