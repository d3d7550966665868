//! What a person types, as the plan file writes it.

use crate::file::{Field, Kind, quoted};

/// The answer as TOML; nothing where it cannot be one of its kind. Whether it is in its range is the file's to say.
pub(super) fn literal(field: &Field, typed: &str) -> Option<String> {
    let typed = typed.trim();
    if typed.is_empty() {
        return None;
    }
    match field.kind {
        Kind::Flag => flag(typed).map(|flag| flag.to_string()),
        Kind::Percent => number(typed.trim_end_matches('%').trim_end()),
        Kind::Number | Kind::Count => number(without_unit(typed, field.unit)),
        Kind::Choice => choice(field, typed).map(quoted),
        Kind::Domains | Kind::Networks | Kind::Addresses => Some(list(typed)),
        Kind::Table => users(typed),
        Kind::Text | Kind::Domain | Kind::Network | Kind::Ports => Some(quoted(bare(typed))),
    }
}

/// Without the quotes around it, if somebody typed them.
fn bare(typed: &str) -> &str {
    typed.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(typed)
}

/// Yes or no.
pub(super) fn flag(typed: &str) -> Option<bool> {
    match typed.trim().to_lowercase().as_str() {
        "y" | "yes" | "true" | "on" | "1" | "j" | "ja" => Some(true),
        "n" | "no" | "false" | "off" | "0" | "nein" => Some(false),
        _ => None,
    }
}

fn without_unit<'t>(typed: &'t str, unit: &str) -> &'t str {
    let bare = typed.strip_suffix(unit).unwrap_or(typed);
    bare.trim_end()
}

/// A number: digits, perhaps in groups of three, perhaps with a point.
fn number(typed: &str) -> Option<String> {
    let (whole, part) = typed.split_once('.').map_or((typed, None), |(whole, part)| (whole, Some(part)));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut groups = digits.split([',', ' ', '\u{a0}', '\u{202f}', '_']);
    let first = groups.next()?;
    let rest: Vec<&str> = groups.collect();
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(first) || !rest.iter().all(|group| group.len() == 3 && all_digits(group)) {
        return None;
    }
    if first.len() > 3 && !rest.is_empty() || part.is_some_and(|part| !all_digits(part)) {
        return None;
    }
    let whole = format!("{first}{}", rest.concat());
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(part.map_or_else(|| format!("{sign}{whole}"), |part| format!("{sign}{whole}.{part}")))
}

/// A word of the choice, or a beginning that only one has.
fn choice<'f>(field: &'f Field, typed: &str) -> Option<&'f str> {
    let typed = typed.trim_matches('"').to_lowercase();
    let begins: Vec<&str> = field.choices.iter().copied().filter(|word| word.starts_with(&typed)).collect();
    match (field.choices.iter().find(|word| **word == typed), begins.as_slice()) {
        (Some(word), _) => Some(word),
        (None, [only]) => Some(only),
        _ => None,
    }
}

fn list(typed: &str) -> String {
    let bare = typed.trim_start_matches('[').trim_end_matches(']');
    let items = bare.split([',', ' ', ';']).map(|item| item.trim().trim_matches('"')).filter(|item| !item.is_empty());
    format!("[{}]", items.map(quoted).collect::<Vec<_>>().join(", "))
}

/// `office = 1200, sales = 30`.
fn users(typed: &str) -> Option<String> {
    let bare = typed.trim_start_matches('{').trim_end_matches('}');
    let rows = bare.split(',').map(|row| {
        let (name, count) = row.rsplit_once(['=', ':'])?;
        let name = name.trim().trim_matches('"');
        (!name.is_empty()).then_some(())?;
        Some(format!("{} = {}", quoted(name), number(count.trim())?))
    });
    Some(format!("{{ {} }}", rows.collect::<Option<Vec<_>>>()?.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::fields;

    fn typed(field: &str, text: &str) -> Option<String> {
        let (section, key) = field.split_once('.').expect("section.key");
        let field = fields().iter().find(|field| field.section == section && field.key == key).expect("a field");
        literal(field, text)
    }

    #[test]
    fn people_type_as_they_write() {
        let cases = [
            ("voice.enabled", "Yes", Some("true")),
            ("voice.enabled", "nein", Some("false")),
            ("voice.enabled", "perhaps", None),
            ("voice.share", "60 %", Some("60")),
            ("voice.share", "0.5", Some("0.5")),
            ("site.users", "30,000", Some("30000")),
            ("site.users", "1 000 000 users", Some("1000000")),
            ("site.users", "30,00", None),
            ("site.users", "0030", Some("30")),
            ("site.users", "-5", Some("-5")),
            ("link.mbps", "2.5", Some("2.5")),
            ("link.mbps", "fast", None),
            ("meetings.large", "ded", Some("\"dedicated\"")),
            ("site.edition", "Standard", Some("\"standard\"")),
            ("voice.usage", "m", Some("\"medium\"")),
            ("site.name", "O\"Hare \\ x", Some("\"O\\\"Hare \\\\ x\"")),
            ("site.name", "\"London\"", Some("\"London\"")),
            ("site.name", "The \"West\"", Some("\"The \\\"West\\\"\"")),
            ("organisation.sip_domains", "contoso.com, fabrikam.com", Some("[\"contoso.com\", \"fabrikam.com\"]")),
            ("voice.gateways", "10.0.0.1 10.0.0.2", Some("[\"10.0.0.1\", \"10.0.0.2\"]")),
            ("site.personas", "office=1,200", None),
            ("site.personas", "office = 1200, sales force: 30", Some("{ \"office\" = 1200, \"sales force\" = 30 }")),
            ("site.name", "   ", None),
        ];
        for (field, text, written) in cases {
            assert_eq!(typed(field, text).as_deref(), written, "{field}: {text}");
        }
    }
}
