//! Comma-separated values after RFC 4180, with the line of every record, so that a fault can be shown where it is.

/// A record and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// Line in the file, from 1.
    pub line: usize,
    /// Its cells, without surrounding spaces.
    pub cells: Vec<String>,
}

/// What is wrong with the shape of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A quoted cell never ends; the line it began on.
    OpenQuote(usize),
    /// There are more records than `limit`.
    TooMany(usize),
}

/// Reads at most `limit` records; empty lines are skipped, a byte order mark is too.
pub(crate) fn read(text: &str, limit: usize) -> Result<Vec<Record>, Fault> {
    let mut reader = Reader { rest: text.trim_start_matches('\u{feff}'), line: 1 };
    let mut records = Vec::new();
    while !reader.rest.is_empty() {
        let line = reader.line;
        let cells = reader.record()?;
        if cells.iter().all(String::is_empty) {
            continue;
        }
        if records.len() == limit {
            return Err(Fault::TooMany(limit));
        }
        records.push(Record { line, cells });
    }
    Ok(records)
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl Reader<'_> {
    fn record(&mut self) -> Result<Vec<String>, Fault> {
        let mut cells = Vec::new();
        loop {
            cells.push(self.cell()?);
            match self.rest.strip_prefix(',') {
                Some(rest) => self.rest = rest,
                None => break,
            }
        }
        self.rest = self.rest.strip_prefix('\r').unwrap_or(self.rest);
        if let Some(rest) = self.rest.strip_prefix('\n') {
            self.rest = rest;
            self.line += 1;
        }
        Ok(cells)
    }

    fn cell(&mut self) -> Result<String, Fault> {
        let Some(quoted) = self.rest.strip_prefix('"') else {
            let end = self.rest.find([',', '\n']).unwrap_or(self.rest.len());
            let (cell, rest) = self.rest.split_at(end);
            self.rest = rest;
            return Ok(cell.trim().to_owned());
        };
        let (began, mut cell) = (self.line, String::new());
        self.rest = quoted;
        loop {
            let end = self.rest.find('"').ok_or(Fault::OpenQuote(began))?;
            cell.push_str(&self.rest[..end]);
            self.line += self.rest[..end].matches('\n').count();
            self.rest = &self.rest[end + 1..];
            match self.rest.strip_prefix('"') {
                Some(rest) => self.rest = rest,
                None => break,
            }
            cell.push('"');
        }
        let end = self.rest.find([',', '\n']).unwrap_or(self.rest.len());
        cell.push_str(self.rest[..end].trim_end());
        self.rest = &self.rest[end..];
        Ok(cell)
    }
}

/// Writes one cell, quoted where it must be.
pub(crate) fn write_cell(out: &mut String, cell: &str) {
    if cell.contains([',', '"', '\n', '\r']) || cell.trim() != cell {
        out.push('"');
        out.push_str(&cell.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(cell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Vec<Vec<String>> {
        read(text, 100).expect("well formed").into_iter().map(|record| record.cells).collect()
    }

    #[test]
    fn quotes_commas_and_line_ends_are_read_after_rfc_4180() {
        assert_eq!(cells("a,b\r\n\"c,\"\"d\"\"\",\"e\nf\"\n"), [vec!["a", "b"], vec!["c,\"d\"", "e\nf"]]);
        assert_eq!(cells("\u{feff}a , b\n\n,,\nc"), [vec!["a", "b"], vec!["c"]]);
    }

    #[test]
    fn the_line_of_a_record_counts_lines_inside_quotes() {
        let records = read("a\n\"b\nc\"\nd\n", 10).expect("well formed");
        assert_eq!(records.iter().map(|record| record.line).collect::<Vec<_>>(), [1, 2, 4]);
    }

    #[test]
    fn an_open_quote_and_too_many_records_are_refused() {
        assert_eq!(read("a\n\"b", 10), Err(Fault::OpenQuote(2)));
        assert_eq!(read("a\nb\nc", 2), Err(Fault::TooMany(2)));
    }

    #[test]
    fn what_is_written_is_read_back() {
        for cell in ["plain", "a,b", "say \"no\"", "two\nlines", " edge "] {
            let mut out = String::new();
            write_cell(&mut out, cell);
            let back = cells(&out);
            assert_eq!(back[0][0].trim(), cell.trim());
        }
    }
}
