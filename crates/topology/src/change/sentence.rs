//! Changes in words.

use super::{Change, ChangeKind};
use crate::path::{Path, Segment};
use serde_json::Value;

impl Change {
    /// The change as a sentence: `Registrar policy of site Berlin: max_endpoints changed from 8 to 12.`
    pub fn sentence(&self) -> String {
        let (subject, field) = subject(&self.path);
        let what = if field.is_empty() { subject } else { format!("{subject}: {field}") };
        match (self.kind, &self.before, &self.after) {
            (ChangeKind::Added | ChangeKind::Changed, None, Some(value)) if field.is_empty() && value.is_object() => {
                format!("{what} added.")
            }
            (ChangeKind::Removed, _, _) if field.is_empty() => format!("{what} removed."),
            (ChangeKind::Added, _, Some(value)) => format!("{what} set to {}.", short(value)),
            (ChangeKind::Removed, Some(value), _) => format!("{what} no longer set (was {}).", short(value)),
            (ChangeKind::Removed, None, _) => format!("{what} no longer set."),
            (ChangeKind::Reordered, _, Some(names)) => format!("{what} now in the order {}.", short(names)),
            (_, Some(before), Some(after)) => format!("{what} changed from {} to {}.", short(before), short(after)),
            (_, _, Some(after)) => format!("{what} set to {}.", short(after)),
            (_, _, None) => format!("{what} changed."),
        }
    }
}

/// The thing that changed in words, and the field of it.
fn subject(path: &Path) -> (String, String) {
    let keys: Vec<&str> = path
        .segments()
        .iter()
        .map_while(|segment| match segment {
            Segment::Key(key) => Some(key.as_str()),
            Segment::Index(_) => None,
        })
        .collect();
    let (subject, used) = match keys[..] {
        ["policies", kind, "global", ..] => (format!("{} of the organisation", policy(kind)), 3),
        ["policies", kind, "sites", name, ..] => (format!("{} of site {name}", policy(kind)), 4),
        ["policies", kind, "pools", name, ..] => (format!("{} of pool {name}", policy(kind)), 4),
        ["policies", kind, "named", name, ..] => (format!("{} {name}", policy(kind)), 4),
        ["policies", kind, ..] => (policy(kind), 2),
        ["sites", site, "pools", pool, "nodes", node, ..] => (format!("Node {node} of pool {pool} in site {site}"), 6),
        ["sites", site, "pools", pool, "nodes"] => (format!("Nodes of pool {pool} in site {site}"), 5),
        ["sites", site, "pools", pool, ..] => (format!("Pool {pool} in site {site}"), 4),
        ["sites", site, ..] => (format!("Site {site}"), 2),
        ["domains", name, ..] => (format!("SIP domain {name}"), 2),
        ["trusted_hosts", name, ..] => (format!("Trusted host {name}"), 2),
        ["static_routes", name, ..] => (format!("Static route {name}"), 2),
        ["accounts", "ldap", ..] => ("Accounts from LDAP".to_owned(), 2),
        ["accounts", "oidc", ..] => ("Accounts by OpenID Connect".to_owned(), 2),
        ["static_routes"] => ("Static routes".to_owned(), 1),
        [first, ..] => (capitalised(first), 1),
        [] => ("Document".to_owned(), 0),
    };
    let rest =
        path.segments()[used.min(path.segments().len())..].iter().fold(Path::root(), |path, segment| match segment {
            Segment::Key(key) => path.key(key),
            Segment::Index(at) => path.index(*at),
        });
    (subject, rest.to_string())
}

fn policy(kind: &str) -> String {
    format!("{} policy", capitalised(kind))
}

fn capitalised(word: &str) -> String {
    let word = word.replace('_', " ");
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// A value in few words.
fn short(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(list) if list.iter().all(|item| !item.is_object() && !item.is_array()) => {
            list.iter().map(short).collect::<Vec<_>>().join(", ")
        }
        Value::Array(list) => format!("{} entries", list.len()),
        Value::Object(map) => {
            map.iter().map(|(key, value)| format!("{key} {}", short(value))).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    };
    if text.is_empty() { "nothing".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn change(path: &str, kind: ChangeKind, before: Option<Value>, after: Option<Value>) -> String {
        Change { path: Path::parse(path).unwrap(), kind, before, after }.sentence()
    }

    #[test]
    fn sentences() {
        use ChangeKind::*;
        for (path, kind, before, after, sentence) in [
            (
                "policies.registrar.sites.Berlin.max_endpoints",
                Changed,
                Some(json!(8)),
                Some(json!(12)),
                "Registrar policy of site Berlin: max_endpoints changed from 8 to 12.",
            ),
            (
                "policies.call_detail.global.enable_purging",
                Added,
                None,
                Some(json!(false)),
                "Call detail policy of the organisation: enable_purging set to false.",
            ),
            ("policies.calls.named.Lobby", Removed, Some(json!({"max_calls": 1})), None, "Calls policy Lobby removed."),
            (
                "policies.authentication.global.algorithms",
                Removed,
                Some(json!(["md5"])),
                None,
                "Authentication policy of the organisation: algorithms no longer set (was md5).",
            ),
            (
                "domains.\"fabrikam.com\"",
                Added,
                None,
                Some(json!({"name": "fabrikam.com"})),
                "SIP domain fabrikam.com added.",
            ),
            (
                "domains.\"fabrikam.com\".default",
                Added,
                None,
                Some(json!(true)),
                "SIP domain fabrikam.com: default set to true.",
            ),
            (
                "sites.Berlin.pools.pool1.nodes.fe1.fqdn",
                Changed,
                Some(json!("a.b")),
                Some(json!("c.b")),
                "Node fe1 of pool pool1 in site Berlin: fqdn changed from a.b to c.b.",
            ),
            (
                "static_routes",
                Reordered,
                Some(json!(["a", "b"])),
                Some(json!(["b", "a"])),
                "Static routes now in the order b, a.",
            ),
            (
                "static_routes.pstn.next_hops",
                Changed,
                Some(json!([{"host": "a"}])),
                Some(json!([{"host": "a"}, {"host": "b"}])),
                "Static route pstn: next_hops changed from 1 entries to 2 entries.",
            ),
            (
                "organisation",
                Changed,
                Some(json!("")),
                Some(json!("Contoso")),
                "Organisation changed from nothing to Contoso.",
            ),
        ] {
            assert_eq!(change(path, kind, before, after), sentence);
        }
    }
}
