//! Objects from standard input or a file: JSON, JSON lines, YAML, CSV, or one name per line.

use crate::failure::Failure;
use crate::output;
use serde_json::{Map, Value};
use std::path::Path;

/// The most that is read from a file or standard input.
const LIMIT: usize = 256 << 20;

/// Reads all of `input`, up to a bound of 256 MiB.
pub fn text(input: &mut dyn std::io::Read, name: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = std::io::Read::take(input, LIMIT as u64 + 1);
    let mut read = read;
    std::io::Read::read_to_string(&mut read, &mut text).map_err(|why| Failure::File { file: name.to_owned(), why })?;
    if text.len() > LIMIT {
        return Err(Failure::Usage(format!("{} is larger than 256 MiB", name.display())));
    }
    Ok(text)
}

/// The objects in `text`. A line that is no object becomes a string.
pub fn objects(text: &str) -> Result<Vec<Value>, Failure> {
    let text = text.trim_start_matches('\u{feff}').trim();
    match text.as_bytes().first() {
        None => Ok(Vec::new()),
        Some(b'[') => serde_json::from_str(text).map_err(|e| unreadable("JSON", &e)),
        Some(b'{') => serde_json::Deserializer::from_str(text)
            .into_iter::<Value>()
            .collect::<Result<_, _>>()
            .map_err(|e| unreadable("JSON", &e)),
        _ if text.starts_with("- ") || text.starts_with("---") || is_mapping(text) => {
            let value: Value = serde_yaml_ng::from_str(text).map_err(|e| unreadable("YAML", &e))?;
            Ok(match value {
                Value::Array(items) => items,
                one => vec![one],
            })
        }
        _ if text.lines().next().is_some_and(|line| line.contains([',', ';', '\t'])) => Ok(table(text)),
        _ => Ok(text.lines().map(str::trim).filter(|l| !l.is_empty()).map(Value::from).collect()),
    }
}

/// Whether the text begins like one object in YAML: a field's name, a colon, and a space or the line's end.
fn is_mapping(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    let (name, rest) = first.split_once(':').unwrap_or_default();
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && name.chars().all(letters) && (rest.is_empty() || rest.starts_with(' '))
}

fn unreadable(kind: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::Input(format!("the input looks like {kind} but does not read as such: {error}"))
}

fn table(text: &str) -> Vec<Value> {
    let mut records = output::read_csv(text).into_iter();
    let heading = records.next().unwrap_or_default();
    records
        .map(|record| {
            let cells = heading.iter().cloned().zip(record).filter(|(_, cell)| !cell.is_empty());
            Value::Object(cells.map(|(name, cell)| (name, Value::from(cell))).collect::<Map<_, _>>())
        })
        .collect()
}

/// The name of an object: the string itself, or the first of these fields.
pub fn name_of(object: &Value, fields: &[&str]) -> Result<String, Failure> {
    let named = object.as_str().or_else(|| fields.iter().find_map(|f| object.get(f).and_then(Value::as_str)));
    named.map(str::to_owned).ok_or_else(|| {
        Failure::Usage(format!("an object on standard input has no field {}: {object}", fields.join(" or ")))
    })
}

#[cfg(test)]
mod tests {
    use super::objects;
    use crate::output;
    use serde_json::json;

    #[test]
    fn every_form_of_input_is_recognised() {
        for text in [
            r#"[{"address":"a@x"},{"address":"b@x"}]"#,
            "{\"address\":\"a@x\"}\n{\"address\":\"b@x\"}\n",
            "- address: a@x\n- address: b@x\n",
            "address,mail\na@x,\nb@x,\n",
            "\u{feff}address;mail\r\na@x;\r\nb@x;\r\n",
        ] {
            assert_eq!(
                objects(text).expect("readable"),
                [json!({"address": "a@x"}), json!({"address": "b@x"})],
                "{text}"
            );
        }
        let one = json!({"address": "a@x", "numbers": ["+44", "+45"]});
        let yaml = "address: a@x\nnumbers:\n- '+44'\n- '+45'\n";
        assert_eq!(objects(yaml).expect("readable"), std::slice::from_ref(&one));
        assert_eq!(objects(&output::yaml(&one)).expect("readable"), [one]);
        assert_eq!(objects("sip:a@x\n").expect("readable"), [json!("sip:a@x")]);
        assert_eq!(objects("a@x\n\n b@x \n").expect("readable"), [json!("a@x"), json!("b@x")]);
        assert!(objects("").expect("readable").is_empty());
        assert!(objects("{\"address\":").is_err());
    }
}
