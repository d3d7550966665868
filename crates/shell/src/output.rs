//! Output: rows of JSON objects shown as a table, JSON, JSON lines, CSV or YAML.

mod csv;
mod table;

use crate::failure::Failure;
use clap::ValueEnum;
use serde_json::Value;
use std::io::Write;

pub use csv::read as read_csv;
pub use table::plain as cell;

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// One JSON document.
    Json,
    /// One JSON object per line, for pipelines.
    Jsonl,
    /// Comma-separated with a heading line.
    Csv,
    /// YAML.
    Yaml,
}

/// The columns of a kind of object: field paths in order; tables show the first `shown` of them.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// Field names.
    pub fields: &'static [&'static str],
    /// How many a table shows.
    pub shown: usize,
}

impl Columns {
    /// Columns of which a table shows all.
    pub const fn all(fields: &'static [&'static str]) -> Columns {
        Columns { fields, shown: fields.len() }
    }

    /// Columns of which a table shows the first few.
    pub const fn first(shown: usize, fields: &'static [&'static str]) -> Columns {
        Columns { fields, shown }
    }
}

/// Writes rows as they come where the format allows, and at the end where it does not.
pub struct Printer<'a> {
    out: &'a mut dyn Write,
    format: Format,
    columns: Columns,
    width: Option<u16>,
    rows: Vec<Value>,
    headed: bool,
}

impl<'a> Printer<'a> {
    /// A printer to `out`; `width` is the terminal's.
    pub fn new(out: &'a mut dyn Write, format: Format, columns: Columns, width: Option<u16>) -> Printer<'a> {
        Printer { out, format, columns, width, rows: Vec::new(), headed: false }
    }

    /// The format it writes.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Adds a row.
    pub fn row(&mut self, row: Value) -> Result<(), Failure> {
        match self.format {
            Format::Jsonl => self.line(&row.to_string()),
            Format::Csv => {
                self.head()?;
                self.line(&csv::line(self.columns.fields.iter().map(|f| table::plain(field(&row, f)))))
            }
            _ => {
                self.rows.push(row);
                Ok(())
            }
        }
    }

    /// Writes what is left. A list is a list even with one item in it.
    pub fn list(mut self) -> Result<(), Failure> {
        let rows = std::mem::take(&mut self.rows);
        match self.format {
            Format::Table if rows.is_empty() => self.line("(nothing found)"),
            Format::Table => {
                let text = table::rows(&rows, &self.columns.fields[..self.columns.shown], self.width);
                self.line(&text)
            }
            Format::Json => self.line(&pretty(&Value::Array(rows))),
            Format::Yaml => self.text(&yaml(&Value::Array(rows))),
            Format::Csv => self.head(),
            Format::Jsonl => Ok(()),
        }
    }

    /// Writes one object: fields below each other in a table, the bare object elsewhere.
    pub fn object(mut self, object: Value) -> Result<(), Failure> {
        match self.format {
            Format::Table => {
                let text = table::fields(&object, self.columns.fields, self.width);
                self.line(&text)
            }
            Format::Json => self.line(&pretty(&object)),
            Format::Yaml => self.text(&yaml(&object)),
            Format::Csv | Format::Jsonl => self.row(object),
        }
    }

    fn head(&mut self) -> Result<(), Failure> {
        if std::mem::replace(&mut self.headed, true) {
            return Ok(());
        }
        self.line(&csv::line(self.columns.fields.iter().map(|f| (*f).to_owned())))
    }

    fn line(&mut self, text: &str) -> Result<(), Failure> {
        self.text(text)?;
        self.text("\n")
    }

    fn text(&mut self, text: &str) -> Result<(), Failure> {
        self.out.write_all(text.as_bytes()).map_err(|_| Failure::OutputClosed)
    }
}

/// A field by its name, or `a.b` for a field of a field.
pub fn field<'v>(row: &'v Value, path: &str) -> &'v Value {
    path.split('.').fold(row, |value, name| value.get(name).unwrap_or(&Value::Null))
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("a JSON value serializes")
}

/// A value as YAML text.
pub fn yaml(value: &Value) -> String {
    serde_yaml_ng::to_string(value).expect("a JSON value is YAML")
}

#[cfg(test)]
mod tests {
    use super::{Columns, Format, Printer};
    use serde_json::{Value, json};

    const COLUMNS: Columns = Columns::first(2, &["address", "numbers", "mail"]);

    fn printed(format: Format, rows: &[Value]) -> String {
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, format, COLUMNS, Some(80));
        for row in rows {
            printer.row(row.clone()).expect("a Vec takes everything");
        }
        printer.list().expect("a Vec takes everything");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn each_format_shows_the_same_rows() {
        let rows = [
            json!({"address": "a@x", "numbers": ["+1", "+2"], "mail": "say \"hi\", you"}),
            json!({"address": "b@x", "numbers": []}),
        ];
        assert_eq!(printed(Format::Table, &rows), " ADDRESS  NUMBERS\n━━━━━━━━━━━━━━━━━━\n a@x      +1 +2\n b@x\n");
        assert_eq!(printed(Format::Csv, &rows), "address,numbers,mail\na@x,+1 +2,\"say \"\"hi\"\", you\"\nb@x,,\n");
        assert_eq!(printed(Format::Jsonl, &rows).lines().count(), 2);
        assert_eq!(serde_json::from_str::<Value>(&printed(Format::Json, &rows)).expect("JSON"), json!(rows));
        assert_eq!(serde_yaml_ng::from_str::<Value>(&printed(Format::Yaml, &rows)).expect("YAML"), json!(rows));
    }

    #[test]
    fn an_empty_list_is_still_well_formed() {
        assert_eq!(printed(Format::Table, &[]), "(nothing found)\n");
        assert_eq!(printed(Format::Csv, &[]), "address,numbers,mail\n");
        assert_eq!(printed(Format::Json, &[]), "[]\n");
        assert_eq!(printed(Format::Jsonl, &[]), "");
        assert_eq!(printed(Format::Yaml, &[]), "[]\n");
    }
}
