//! A result as rows and columns: what a terminal, a page, a CSV file and a spreadsheet all show.

use serde::Serialize;

use crate::csv;

/// Rows under named columns, with remarks below.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Table {
    /// What the rows are.
    pub title: String,
    /// Names of the columns; a unit stands in brackets.
    pub columns: Vec<String>,
    /// One cell for each column.
    pub rows: Vec<Vec<Cell>>,
    /// What a reader should know besides.
    pub notes: Vec<String>,
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A number, shown with at most three decimals.
    Number(f64),
    /// Yes or no.
    Flag(bool),
    /// Nothing to say.
    Empty,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        if text.is_empty() { Cell::Empty } else { Cell::Text(text.to_owned()) }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        if text.is_empty() { Cell::Empty } else { Cell::Text(text) }
    }
}

impl From<&String> for Cell {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Cell::Number(number)
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Cell::Number(number as f64)
    }
}

impl From<usize> for Cell {
    fn from(number: usize) -> Self {
        Cell::Number(number as f64)
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Self {
        Cell::Flag(flag)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(cell: Option<T>) -> Self {
        cell.map_or(Cell::Empty, Into::into)
    }
}

/// A row from values of different kinds: `row!["Front End", 6u64, true]`.
macro_rules! row {
    ($($cell:expr),* $(,)?) => { vec![$($crate::table::Cell::from($cell)),*] };
}
pub(crate) use row;

impl Table {
    /// An empty table.
    pub fn new(title: impl Into<String>, columns: &[&str]) -> Table {
        Table {
            title: title.into(),
            columns: columns.iter().map(|&name| name.to_owned()).collect(),
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The rows as RFC 4180 with a line of names. A text that a spreadsheet would take for a formula gets an apostrophe.
    pub fn to_csv(&self) -> String {
        let mut out = String::new();
        write_line(&mut out, self.columns.iter().map(String::as_str));
        for row in &self.rows {
            let cells: Vec<String> = row.iter().map(csv_cell).collect();
            write_line(&mut out, cells.iter().map(String::as_str));
        }
        out
    }

    /// The table for a terminal: title, columns padded to their widest cell, remarks.
    pub fn to_text(&self) -> String {
        let rows: Vec<Vec<String>> = self.rows.iter().map(|row| row.iter().map(shown).collect()).collect();
        let mut widths: Vec<usize> = self.columns.iter().map(|name| name.chars().count()).collect();
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut out = format!("{}\n", self.title);
        write_padded(&mut out, &self.columns, &widths, &[]);
        let rules: Vec<String> = widths.iter().map(|&width| "-".repeat(width)).collect();
        write_padded(&mut out, &rules, &widths, &[]);
        for (cells, row) in rows.iter().zip(&self.rows) {
            write_padded(&mut out, cells, &widths, row);
        }
        for note in &self.notes {
            out.push_str(&format!("* {note}\n"));
        }
        out
    }
}

fn write_line<'a>(out: &mut String, cells: impl Iterator<Item = &'a str>) {
    for (number, cell) in cells.enumerate() {
        if number > 0 {
            out.push(',');
        }
        csv::write_cell(out, cell);
    }
    out.push('\n');
}

fn csv_cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => format!("'{text}"),
        Cell::Text(text) => text.clone(),
        Cell::Number(number) => plain(*number),
        Cell::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        Cell::Empty => String::new(),
    }
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.replace('\n', " "),
        Cell::Number(number) => grouped(*number),
        other => csv_cell(other),
    }
}

fn write_padded(out: &mut String, cells: &[String], widths: &[usize], kinds: &[Cell]) {
    let mut line = String::new();
    for (number, (cell, &width)) in cells.iter().zip(widths).enumerate() {
        let gap = " ".repeat(width.saturating_sub(cell.chars().count()));
        let right = matches!(kinds.get(number), Some(Cell::Number(_)));
        line.push_str(&if right { format!("{gap}{cell}  ") } else { format!("{cell}{gap}  ") });
    }
    out.push_str(line.trim_end());
    out.push('\n');
}

/// A number with at most three decimals and no zeros behind.
pub(crate) fn plain(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A number as people write it: `30,000`, `2.517`.
pub(crate) fn grouped(number: f64) -> String {
    let text = plain(number);
    let (sign, text) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, rest) = text.split_once('.').map_or((text, String::new()), |(whole, part)| (whole, format!(".{part}")));
    let mut groups = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            groups.push(',');
        }
        groups.push(digit);
    }
    format!("{sign}{groups}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new("Servers", &["role", "servers", "note"]);
        table.rows.push(row!["Front End", 30_000u64, "=cmd"]);
        table.rows.push(row!["Edge", 2.5, true]);
        table.notes.push("two".to_owned());
        table
    }

    #[test]
    fn csv_is_plain_numbers_and_no_formula() {
        assert_eq!(table().to_csv(), "role,servers,note\nFront End,30000,'=cmd\nEdge,2.5,yes\n");
    }

    #[test]
    fn text_is_padded_and_numbers_are_grouped() {
        let text = "Servers\nrole       servers  note\n---------  -------  ----\nFront End   30,000  =cmd\nEdge           2.5  yes\n* two\n";
        assert_eq!(table().to_text(), text);
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let cases = [(0.0, "0"), (999.0, "999"), (1000.0, "1,000"), (-1_234_567.5, "-1,234,567.5"), (0.0004, "0")];
        for (number, text) in cases {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn json_holds_values_not_text() {
        let json = serde_json::to_value(table()).expect("serialises");
        assert_eq!(json["rows"][0], serde_json::json!(["Front End", 30000.0, "=cmd"]));
    }
}
