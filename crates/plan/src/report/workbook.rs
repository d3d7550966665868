//! The report as a workbook (ECMA-376): a sheet of contents, then a sheet for each table.
//!
//! Written here because the libraries for it read the clock and bring a compressor each: plain cells in five kinds of
//! parts are less than either, and the same plan gives the same bytes.

mod archive;

use std::collections::BTreeSet;
use std::fmt::Write;

use super::{File, Report, is_assumed};
use crate::markup::escape;
use crate::table::{Cell, Table};
use archive::Archive;

/// Characters of a cell, after the format's own limit.
const MAX_CELL: usize = 32_767;
/// Rows of a sheet, after the format's own limit, with the line of names.
const MAX_SHEET_ROWS: usize = 1_048_576;
/// Characters of a sheet's name, after the format's own limit.
const MAX_NAME: usize = 31;

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
const TYPES: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml";

/// Plain, bold names of columns, marked answers.
const STYLES: &str = "<fonts count=\"3\"><font><sz val=\"11\"/><name val=\"Calibri\"/></font>\
    <font><b/><sz val=\"11\"/><name val=\"Calibri\"/></font>\
    <font><b/><sz val=\"11\"/><color rgb=\"FF8A5200\"/><name val=\"Calibri\"/></font></fonts>\
    <fills count=\"2\"><fill><patternFill patternType=\"none\"/></fill><fill><patternFill patternType=\"gray125\"/></fill>\
    </fills><borders count=\"1\"><border><left/><right/><top/><bottom/><diagonal/></border></borders>\
    <cellStyleXfs count=\"1\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\"/></cellStyleXfs>\
    <cellXfs count=\"3\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\"/>\
    <xf numFmtId=\"0\" fontId=\"1\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyFont=\"1\"/>\
    <xf numFmtId=\"0\" fontId=\"2\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyFont=\"1\"/></cellXfs>\
    <cellStyles count=\"1\"><cellStyle name=\"Normal\" xfId=\"0\" builtinId=\"0\"/></cellStyles>";

impl Report {
    /// The report as a workbook: the bytes of an `.xlsx` file.
    pub fn workbook(&self) -> Vec<u8> {
        let files: Vec<(&str, Table)> =
            self.parts.iter().flat_map(|part| part.files.iter().map(|file| (part.title, lines(file)))).collect();
        let tables = self.parts.iter().flat_map(|part| part.tables.iter().map(|table| (part.title, table)));
        let tables: Vec<(&str, &Table)> = tables.chain(files.iter().map(|(part, table)| (*part, table))).collect();
        let mut names = Names::default();
        let first = names.of("Contents");
        let sheets: Vec<String> = tables.iter().map(|(_, table)| names.of(&table.title)).collect();
        let mut contents = Table::new("Contents", &["part", "table", "sheet", "rows"]);
        for ((part, table), sheet) in tables.iter().zip(&sheets) {
            contents.rows.push(vec![
                (*part).into(),
                (&table.title).into(),
                sheet.into(),
                Cell::Number(table.rows.len() as f64),
            ]);
        }
        contents.notes.push(format!("Plan of {}", self.organisation));
        contents.notes.extend(self.made.clone());
        let all: Vec<(&str, &Table)> = std::iter::once((first.as_str(), &contents))
            .chain(sheets.iter().map(String::as_str).zip(tables.iter().map(|(_, table)| *table)))
            .collect();
        let mut archive = Archive::default();
        archive.add("[Content_Types].xml", &content_types(all.len()));
        archive.add("_rels/.rels", &relations(&[("officeDocument", "xl/workbook.xml".to_owned())]));
        archive.add("xl/workbook.xml", &workbook(&all));
        let mut parts: Vec<(&str, String)> =
            (1..=all.len()).map(|number| ("worksheet", format!("worksheets/sheet{number}.xml"))).collect();
        parts.push(("styles", "styles.xml".to_owned()));
        archive.add("xl/_rels/workbook.xml.rels", &relations(&parts));
        archive.add("xl/styles.xml", &format!("{HEAD}<styleSheet xmlns=\"{MAIN}\">{STYLES}</styleSheet>"));
        for (number, (_, table)) in all.iter().enumerate() {
            archive.add(&format!("xl/worksheets/sheet{}.xml", number + 1), &sheet(table));
        }
        archive.finish()
    }
}

/// A file as a sheet with a row for each of its lines.
fn lines(file: &File) -> Table {
    let mut table = Table::new(file.name, &["line"]);
    table.rows.extend(file.text.lines().map(|line| vec![line.into()]));
    table.notes.push(file.about.to_owned());
    table
}

/// Names of sheets: without the signs that are forbidden there, cut, and each only once whatever its case.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn of(&mut self, title: &str) -> String {
        let plain: String = title.chars().map(|c| if ":\\/?*[]'".contains(c) { ' ' } else { c }).collect();
        let mut number = 1;
        loop {
            let tail = if number == 1 { String::new() } else { format!(" {number}") };
            let head: String = plain.trim().chars().take(MAX_NAME - tail.len()).collect();
            let name = format!("{}{tail}", head.trim());
            if self.0.insert(name.to_lowercase()) {
                return name;
            }
            number += 1;
        }
    }
}

fn content_types(sheets: usize) -> String {
    let mut out = format!(
        "{HEAD}<Types xmlns=\"{PACKAGE}/content-types\">\
         <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
         <Default Extension=\"xml\" ContentType=\"application/xml\"/>\
         <Override PartName=\"/xl/workbook.xml\" ContentType=\"{TYPES}.sheet.main+xml\"/>\
         <Override PartName=\"/xl/styles.xml\" ContentType=\"{TYPES}.styles+xml\"/>"
    );
    for number in 1..=sheets {
        let _ = write!(
            out,
            "<Override PartName=\"/xl/worksheets/sheet{number}.xml\" ContentType=\"{TYPES}.worksheet+xml\"/>"
        );
    }
    out + "</Types>"
}

fn relations(parts: &[(&str, String)]) -> String {
    let mut out = format!("{HEAD}<Relationships xmlns=\"{PACKAGE}/relationships\">");
    for (number, (kind, target)) in parts.iter().enumerate() {
        let id = number + 1;
        let _ = write!(out, "<Relationship Id=\"rId{id}\" Type=\"{RELATIONS}/{kind}\" Target=\"{target}\"/>");
    }
    out + "</Relationships>"
}

fn workbook(sheets: &[(&str, &Table)]) -> String {
    let mut out = format!("{HEAD}<workbook xmlns=\"{MAIN}\" xmlns:r=\"{RELATIONS}\"><sheets>");
    for (number, (name, _)) in sheets.iter().enumerate() {
        let id = number + 1;
        let _ = write!(out, "<sheet name=\"{}\" sheetId=\"{id}\" r:id=\"rId{id}\"/>", escape(name));
    }
    out + "</sheets></workbook>"
}

/// `A`, `Z`, `AA`: the letters of a column, from 0.
fn column(mut number: usize) -> String {
    let mut letters = Vec::new();
    loop {
        letters.push(b'A' + (number % 26) as u8);
        if number < 26 {
            break;
        }
        number = number / 26 - 1;
    }
    letters.iter().rev().map(|&letter| char::from(letter)).collect()
}

/// Names in bold that stay in sight, a filter on them, columns about as wide as their cells; remarks below.
fn sheet(table: &Table) -> String {
    let last = format!("{}{}", column(table.columns.len().max(1) - 1), table.rows.len().min(MAX_SHEET_ROWS - 1) + 1);
    let mut out = format!(
        "{HEAD}<worksheet xmlns=\"{MAIN}\"><sheetViews><sheetView workbookViewId=\"0\">\
         <pane ySplit=\"1\" topLeftCell=\"A2\" activePane=\"bottomLeft\" state=\"frozen\"/></sheetView></sheetViews><cols>"
    );
    for (number, name) in table.columns.iter().enumerate() {
        let texts = table.rows.iter().take(200).map(|row| match row.get(number) {
            Some(Cell::Text(text)) => text.chars().count(),
            _ => 8,
        });
        let width = texts.chain([name.chars().count()]).max().unwrap_or(8).clamp(8, 60) + 2;
        let at = number + 1;
        let _ = write!(out, "<col min=\"{at}\" max=\"{at}\" width=\"{width}\" customWidth=\"1\"/>");
    }
    out.push_str("</cols><sheetData>");
    let names: Vec<Cell> = table.columns.iter().map(Cell::from).collect();
    write_row(&mut out, 1, &names, true);
    let mut number = 1;
    for row in table.rows.iter().take(MAX_SHEET_ROWS - 1) {
        number += 1;
        write_row(&mut out, number, row, false);
    }
    number += 1;
    for note in table.notes.iter().take(MAX_SHEET_ROWS.saturating_sub(number)) {
        number += 1;
        write_row(&mut out, number, &[note.into()], false);
    }
    let _ = write!(out, "</sheetData><autoFilter ref=\"A1:{last}\"/></worksheet>");
    out
}

fn write_row(out: &mut String, number: usize, cells: &[Cell], names: bool) {
    let _ = write!(out, "<row r=\"{number}\">");
    for (at, cell) in cells.iter().enumerate() {
        let place = format!("{}{number}", column(at));
        let style = if names {
            " s=\"1\""
        } else if is_assumed(cell) {
            " s=\"2\""
        } else {
            ""
        };
        let _ = match cell {
            // Text is kept as text in the cell, so that nothing is ever read as a formula.
            Cell::Text(text) => {
                let text: String = text.chars().take(MAX_CELL).collect();
                let text = escape(&text);
                write!(out, "<c r=\"{place}\"{style} t=\"inlineStr\"><is><t xml:space=\"preserve\">{text}</t></is></c>")
            }
            Cell::Number(value) if value.is_finite() => write!(out, "<c r=\"{place}\"{style}><v>{value}</v></c>"),
            Cell::Flag(flag) => write!(out, "<c r=\"{place}\"{style} t=\"b\"><v>{}</v></c>", u8::from(*flag)),
            Cell::Number(_) | Cell::Empty => Ok(()),
        };
    }
    out.push_str("</row>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_in_letters() {
        let cases = [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ"), (702, "AAA")];
        for (number, letters) in cases {
            assert_eq!(column(number), letters);
        }
    }

    #[test]
    fn sheets_have_names_of_their_own_within_the_limit() {
        let mut names = Names::default();
        assert_eq!(names.of("What one stream takes (one way) and more"), "What one stream takes (one way)");
        assert_eq!(names.of("what one stream takes (one way)!"), "what one stream takes (one wa 2");
        assert_eq!(names.of("VPN: [why]/*?"), "VPN   why");
    }
}
