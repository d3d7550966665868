//! What a write did, or would do.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One field that a write changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    /// Where, as a path such as `display_name` or `domains[1].name`.
    pub path: String,
    /// The value before; absent for something new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub before: Option<serde_json::Value>,
    /// The value after; absent for something removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub after: Option<serde_json::Value>,
}

/// The answer to every write. With `?what_if=true` nothing was changed and this is what would have been.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Changed {
    /// Whether this was only a question.
    pub what_if: bool,
    /// What was done: `new`, `set`, `remove`, `enable`, `publish`…
    pub action: String,
    /// The kind of object: `user`, `domain`, `topology`…
    pub kind: String,
    /// Which object.
    pub name: String,
    /// What differs; empty when everything was so already.
    pub changes: Vec<Difference>,
    /// The version of the topology document that is in force after it, when the document changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// The object after the change; absent when it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub object: Option<serde_json::Value>,
}

/// The fields in which two JSON objects differ, one level deep: what an audit line and a dry run show.
pub fn differences(before: Option<&serde_json::Value>, after: Option<&serde_json::Value>) -> Vec<Difference> {
    let empty = serde_json::Map::new();
    let fields = |v: Option<&'_ serde_json::Value>| v.and_then(|v| v.as_object()).cloned().unwrap_or(empty.clone());
    let (before, after) = (fields(before), fields(after));
    let mut paths: Vec<&String> = before.keys().chain(after.keys()).collect();
    paths.sort();
    paths.dedup();
    paths
        .into_iter()
        .filter(|path| before.get(*path) != after.get(*path))
        .map(|path| Difference {
            path: path.clone(),
            before: before.get(path).cloned(),
            after: after.get(path).cloned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Difference, differences};
    use serde_json::json;

    #[test]
    fn only_differing_fields_are_named() {
        let (a, b) = (json!({"x": 1, "y": 2}), json!({"x": 1, "y": 3, "z": 4}));
        assert_eq!(
            differences(Some(&a), Some(&b)),
            [
                Difference { path: "y".into(), before: Some(json!(2)), after: Some(json!(3)) },
                Difference { path: "z".into(), before: None, after: Some(json!(4)) },
            ]
        );
        assert_eq!(differences(Some(&a), Some(&a)), []);
        assert_eq!(differences(Some(&a), None).len(), 2);
    }
}
