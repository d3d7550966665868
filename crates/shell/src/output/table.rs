//! Tables for people.

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;

const LINES: &str = "     ━            ";

/// Many objects: a column per field.
pub fn rows(rows: &[Value], fields: &[&str], width: Option<u16>) -> String {
    let mut table = empty(width);
    table.load_preset(presets::NOTHING).load_preset(LINES);
    table.set_header(fields.iter().map(|f| heading(f)));
    for row in rows {
        table.add_row(fields.iter().map(|f| shown(super::field(row, f))));
    }
    trimmed(table)
}

/// One object: a line per field, known fields first.
pub fn fields(object: &Value, fields: &[&str], width: Option<u16>) -> String {
    let mut table = empty(width);
    table.load_preset(presets::NOTHING);
    let others = object.as_object().into_iter().flat_map(|o| o.keys());
    let others = others.map(String::as_str).filter(|name| !fields.contains(name));
    for name in fields.iter().copied().chain(others) {
        let value = super::field(object, name);
        if !value.is_null() {
            table.add_row([heading(name), shown(value)]);
        }
    }
    trimmed(table)
}

fn empty(width: Option<u16>) -> Table {
    let mut table = Table::new();
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width.max(40));
    }
    table
}

fn trimmed(table: Table) -> String {
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn heading(field: &str) -> String {
    field.rsplit('.').next().unwrap_or(field).replace('_', " ").to_uppercase()
}

/// A value as one cell, with words a person uses.
fn shown(value: &Value) -> String {
    match value {
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        // Moments to the second: the milliseconds are in the other formats.
        Value::String(text) if text.len() == 24 && text.ends_with('Z') && text.as_bytes()[10] == b'T' => {
            format!("{} {}", &text[..10], &text[11..19])
        }
        value => printable(&plain(value)),
    }
}

/// Text from the network may hold escape sequences; a terminal must not obey them.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

/// A value as text: lists with spaces between, objects as `key=value`.
pub fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) if !items.is_empty() && items.iter().all(is_change) => {
            items.iter().map(change).collect::<Vec<_>>().join("\n")
        }
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(" "),
        Value::Object(map) => map.iter().map(|(k, v)| format!("{k}={}", plain(v))).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

fn is_change(value: &Value) -> bool {
    let known = |name: &String| ["path", "before", "after"].contains(&name.as_str());
    value.as_object().is_some_and(|map| map.contains_key("path") && map.keys().all(known))
}

/// `mail: a@x -> b@x`.
fn change(value: &Value) -> String {
    let side = |name: &str| value.get(name).filter(|v| !v.is_null()).map_or_else(|| "-".to_owned(), plain);
    let path = plain(&value["path"]);
    match (value.get("before"), value.get("after")) {
        (None | Some(Value::Null), None | Some(Value::Null)) => path,
        _ => format!("{path}: {} -> {}", side("before"), side("after")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn a_terminal_gets_no_escape_sequences_from_the_network() {
        assert_eq!(super::shown(&json!("a\u{1b}[2Jb")), "a\u{fffd}[2Jb");
    }

    #[test]
    fn changes_read_from_left_to_right() {
        let changes =
            json!([{"path": "mail", "before": "a@x", "after": "b@x"}, {"path": "password", "after": "changed"}]);
        assert_eq!(super::shown(&changes), "mail: a@x -> b@x\npassword: - -> changed");
    }

    #[test]
    fn one_object_shows_its_fields_below_each_other() {
        let text = super::fields(
            &json!({"address": "a@x", "enabled": true, "at": "2026-01-31T08:05:09.120Z", "mail": null, "zone": {"k": 1}}),
            &["address", "enabled", "mail", "at"],
            None,
        );
        assert_eq!(text, " ADDRESS  a@x\n ENABLED  yes\n AT       2026-01-31 08:05:09\n ZONE     k=1");
    }
}
