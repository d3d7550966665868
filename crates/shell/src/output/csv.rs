//! CSV lines, RFC 4180 quoting.

/// One line without its end.
pub fn line(cells: impl Iterator<Item = String>) -> String {
    cells.map(quoted).collect::<Vec<_>>().join(",")
}

fn quoted(cell: String) -> String {
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

/// Reads CSV with a heading line; `,`, `;` or tab, whichever the heading uses.
pub fn read(text: &str) -> Vec<Vec<String>> {
    let heading = text.lines().next().unwrap_or_default();
    let separator = [',', ';', '\t'].into_iter().max_by_key(|s| heading.matches(*s).count()).unwrap_or(',');
    let mut records = Vec::new();
    let (mut record, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if quoted || cell.is_empty() => quoted = !quoted,
            c if c == separator && !quoted => record.push(std::mem::take(&mut cell)),
            '\r' if !quoted && chars.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                record.push(std::mem::take(&mut cell));
                records.push(std::mem::take(&mut record));
            }
            c => cell.push(c),
        }
    }
    if !cell.is_empty() || !record.is_empty() {
        record.push(cell);
        records.push(record);
    }
    records.retain(|r| r.iter().any(|c| !c.is_empty()));
    records
}

#[cfg(test)]
mod tests {
    #[test]
    fn quoted_cells_come_back() {
        assert_eq!(
            super::read("a,b\r\n\"x, \"\"y\"\"\",\"two\nlines\"\n\nlast,"),
            [vec!["a", "b"], vec!["x, \"y\"", "two\nlines"], vec!["last", ""]]
        );
        assert_eq!(super::read("a;b\n1;2,3"), [vec!["a", "b"], vec!["1", "2,3"]]);
    }
}
