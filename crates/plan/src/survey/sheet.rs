//! A CSV file with a line of names, read by name, all its faults at once.

use std::fmt;

use serde::Serialize;

use crate::csv::{self, Record};

/// The most rows of a file.
pub const MAX_ROWS: usize = 1_000_000;

/// Faults named at once.
const MAX_FAULTS: usize = 200;

/// One thing that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// The column, empty where it is the whole line.
    pub column: String,
    /// What stands there.
    pub found: String,
    /// What should stand there.
    pub expected: String,
}

/// Everything that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Fault { line, column, found, expected } in &self.0 {
            let column = if column.is_empty() { String::new() } else { format!("{column}: ") };
            writeln!(f, "line {line}: {column}found {found}; expected {expected}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// The rows of a file by the names of their columns.
pub(crate) struct Sheet {
    names: Vec<String>,
    records: Vec<Record>,
    faults: Vec<Fault>,
}

impl Sheet {
    /// Reads a file that must have `needed` columns.
    pub(crate) fn read(text: &str, needed: &[&str]) -> Result<Sheet, Faults> {
        let whole = |line: usize, found: &str, expected: String| {
            Faults(vec![Fault { line, column: String::new(), found: found.to_owned(), expected }])
        };
        let mut records = csv::read(text, MAX_ROWS + 1).map_err(|fault| match fault {
            csv::Fault::OpenQuote(line) => whole(line, "a quote that never ends", "a second \"".to_owned()),
            csv::Fault::TooMany(_) => whole(1, "more rows than are read", format!("at most {MAX_ROWS}")),
        })?;
        if records.is_empty() {
            return Err(whole(1, "an empty file", format!("a line of names: {}", needed.join(","))));
        }
        let head = records.remove(0);
        let names: Vec<String> = head.cells.iter().map(|name| name.to_lowercase().replace([' ', '-'], "_")).collect();
        let missing: Vec<&str> = needed.iter().copied().filter(|name| !names.iter().any(|n| n == name)).collect();
        if !missing.is_empty() {
            return Err(whole(head.line, &head.cells.join(","), format!("columns {} as well", missing.join(", "))));
        }
        Ok(Sheet { names, records, faults: Vec::new() })
    }

    /// Makes something of every row; a row that is at fault makes nothing.
    pub(crate) fn rows<T>(mut self, make: impl Fn(&mut Row<'_>) -> Option<T>) -> Result<Vec<T>, Faults> {
        let mut found = Vec::with_capacity(self.records.len());
        for record in &self.records {
            let mut row = Row { names: &self.names, record, faults: &mut self.faults };
            found.extend(make(&mut row));
        }
        if self.faults.is_empty() { Ok(found) } else { Err(Faults(self.faults)) }
    }
}

/// One row.
pub(crate) struct Row<'s> {
    names: &'s [String],
    record: &'s Record,
    faults: &'s mut Vec<Fault>,
}

impl Row<'_> {
    pub(crate) fn line(&self) -> usize {
        self.record.line
    }

    /// The cell of a column; empty where there is none.
    pub(crate) fn text(&self, column: &str) -> &str {
        let at = self.names.iter().position(|name| name == column);
        at.and_then(|at| self.record.cells.get(at)).map_or("", String::as_str)
    }

    pub(crate) fn fault(&mut self, column: &str, expected: &str) {
        let found = self.text(column);
        let found = if found.is_empty() { "nothing".to_owned() } else { format!("\"{found}\"") };
        if self.faults.len() < MAX_FAULTS {
            let (column, expected) = (column.to_owned(), expected.to_owned());
            self.faults.push(Fault { line: self.record.line, column, found, expected });
        }
    }

    /// A cell that must not be empty.
    pub(crate) fn word(&mut self, column: &str) -> Option<String> {
        let text = self.text(column).to_owned();
        if text.is_empty() {
            self.fault(column, "a name");
            return None;
        }
        Some(text)
    }

    /// A number between two; nothing, where the cell is empty.
    pub(crate) fn number(&mut self, column: &str, least: f64, most: f64, unit: &str) -> Result<Option<f64>, ()> {
        match self.text(column) {
            "" => Ok(None),
            text => match text.parse::<f64>() {
                Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
                _ => {
                    self.fault(column, &format!("a number from {least} to {most} {unit}"));
                    Err(())
                }
            },
        }
    }

    /// The same where the cell must not be empty.
    pub(crate) fn must(&mut self, column: &str, least: f64, most: f64, unit: &str) -> Option<f64> {
        match self.number(column, least, most, unit) {
            Ok(Some(number)) => Some(number),
            Ok(None) => {
                self.fault(column, &format!("a number from {least} to {most} {unit}"));
                None
            }
            Err(()) => None,
        }
    }

    /// Yes or no; `usual` where the cell is empty.
    pub(crate) fn flag(&mut self, column: &str, usual: bool) -> Option<bool> {
        match self.text(column).to_lowercase().as_str() {
            "" => Some(usual),
            "yes" | "true" | "y" | "1" => Some(true),
            "no" | "false" | "n" | "0" => Some(false),
            _ => {
                self.fault(column, "yes or no");
                None
            }
        }
    }
}
