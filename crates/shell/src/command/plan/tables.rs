//! Tables of the planner in the shell's formats.

use crate::failure::Failure;
use crate::output::{Format, yaml};
use crate::session::Run;
use lyceum_plan::{Cell, Table};
use serde_json::{Map, Value, json};

/// Prints tables: all of them as text, JSON and YAML; the first, or the one that `only` names, as CSV and JSON lines.
pub fn print(run: &mut Run<'_>, tables: &[Table], only: Option<&str>) -> Result<(), Failure> {
    let wanted = |table: &&Table| only.is_none_or(|only| table.title.to_lowercase().starts_with(&only.to_lowercase()));
    let chosen: Vec<&Table> = tables.iter().filter(wanted).collect();
    let Some(first) = chosen.first() else {
        let titles: Vec<&str> = tables.iter().map(|table| table.title.as_str()).collect();
        let only = only.unwrap_or_default();
        return Err(Failure::Usage(format!("there is no table '{only}': name one of {}", titles.join("; "))));
    };
    match run.common.output {
        Format::Table => {
            // What is empty says nothing, unless it was asked for.
            let shown =
                chosen.iter().filter(|table| only.is_some() || !table.rows.is_empty() || !table.notes.is_empty());
            let texts: Vec<String> = shown.map(|table| table.to_text()).collect();
            write(run, &texts.join("\n"))
        }
        Format::Csv => write(run, &first.to_csv()),
        Format::Jsonl => {
            let lines: String = rows(first).iter().map(|row| format!("{row}\n")).collect();
            write(run, &lines)
        }
        Format::Json => {
            let text = serde_json::to_string_pretty(&value(&chosen, only)).expect("a JSON value serializes");
            write(run, &format!("{text}\n"))
        }
        Format::Yaml => write(run, &yaml(&value(&chosen, only))),
    }
}

pub fn write(run: &mut Run<'_>, text: &str) -> Result<(), Failure> {
    run.streams.output.write_all(text.as_bytes()).map_err(|_| Failure::OutputClosed)
}

/// A list of rows where one table was asked for, else an object of such lists by title, with the notes beside.
fn value(tables: &[&Table], only: Option<&str>) -> Value {
    if let (Some(_), [table]) = (only, tables) {
        return Value::Array(rows(table));
    }
    let all = tables.iter().map(|table| {
        let body = match table.notes.is_empty() {
            true => json!({ "rows": rows(table) }),
            false => json!({ "rows": rows(table), "notes": table.notes }),
        };
        (key(&table.title), body)
    });
    Value::Object(all.collect())
}

fn rows(table: &Table) -> Vec<Value> {
    let keys: Vec<String> = table.columns.iter().map(|column| key(column)).collect();
    let row = |cells: &Vec<Cell>| {
        let fields = keys.iter().cloned().zip(cells.iter().map(cell));
        Value::Object(fields.collect::<Map<String, Value>>())
    };
    table.rows.iter().map(row).collect()
}

/// `memory (GB)` as `memory_gb`.
fn key(title: &str) -> String {
    let letters: String =
        title.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' }).collect();
    letters.split_whitespace().collect::<Vec<_>>().join("_")
}

fn cell(cell: &Cell) -> Value {
    match cell {
        Cell::Text(text) => Value::from(text.as_str()),
        // A whole number is one in JSON too.
        Cell::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => Value::from(*number as i64),
        Cell::Number(number) => Value::from(*number),
        Cell::Flag(flag) => Value::from(*flag),
        Cell::Empty => Value::Null,
    }
}
