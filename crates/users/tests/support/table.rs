//! Tables of cases in Markdown, so that people who do not program can read and write them.

use std::collections::BTreeMap;

/// One row by the names of its columns.
pub type Row = BTreeMap<String, String>;

/// The tables of a document, each with the heading that it stands under.
pub fn tables(text: &str) -> Vec<(String, Vec<Row>)> {
    let (mut all, mut heading, mut columns): (Vec<(String, Vec<Row>)>, _, Option<Vec<String>>) =
        (Vec::new(), String::new(), None);
    for line in text.lines() {
        if let Some(title) = line.strip_prefix('#') {
            heading = title.trim_matches(['#', ' ']).to_owned();
        }
        let Some(cells) = line.strip_prefix('|').and_then(|line| line.strip_suffix('|')) else {
            columns = None;
            continue;
        };
        let cells: Vec<String> = cells.split('|').map(|cell| cell.trim().to_owned()).collect();
        match &columns {
            None => {
                columns = Some(cells);
                all.push((heading.clone(), Vec::new()));
            }
            Some(_) if cells.iter().all(|cell| cell.chars().all(|c| c == '-')) && !cells[0].is_empty() => {}
            Some(columns) => {
                assert_eq!(columns.len(), cells.len(), "the columns of {line}");
                all.last_mut().unwrap().1.push(columns.iter().cloned().zip(cells).collect());
            }
        }
    }
    all
}

/// A cell that says something.
pub fn said<'a>(row: &'a Row, column: &str) -> Option<&'a str> {
    row.get(column).map(String::as_str).filter(|cell| !cell.is_empty() && *cell != "–")
}

/// The words in quotes, and what stands before them.
pub fn quoted(text: &str) -> (&str, Option<&str>) {
    match text.split_once('"') {
        Some((before, rest)) => (before.trim(), rest.split_once('"').map(|(words, _)| words)),
        None => (text.trim(), None),
    }
}

/// The first number in a text.
pub fn number(text: &str) -> u64 {
    let digits: String = text.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_else(|_| panic!("a number in {text:?}"))
}
