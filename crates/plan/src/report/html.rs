//! The report as one page without anything beside it: no script, no face, no picture from elsewhere.

use std::fmt::Write;

use super::{Part, Report, is_assumed};
use crate::markup::escape;
use crate::picture::STYLE as PICTURE_STYLE;
use crate::table::{Cell, Table, grouped};

/// Rows of a table on the page; all are in the workbook.
pub const MAX_PAGE_ROWS: usize = 2000;

const STYLE: &str = "\
:root{color-scheme:light dark;--paper:#fff;--ink:#1d2430;--quiet:#566072;--edge:#d3dae4;--head:#f0f3f8;--mark:#8a5200;\
--link:#1f5fb0}\
@media screen and (prefers-color-scheme:dark){:root{--paper:#14181f;--ink:#e6eaf0;--quiet:#a3adbd;--edge:#333d4d;\
--head:#1e2530;--mark:#e5a63c;--link:#7db2f0}}\
*{box-sizing:border-box}\
body{margin:0 auto;max-width:1180px;padding:24px;background:var(--paper);color:var(--ink);\
font:15px/22px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif}\
h1{font-size:28px;line-height:36px;margin:0 0 4px;overflow-wrap:anywhere}h2{font-size:20px;margin:40px 0 8px}\
a{color:var(--link)}p{margin:4px 0 12px}.quiet{color:var(--quiet)}nav ol{columns:2;padding-left:20px}\
figure{margin:16px 0;overflow-x:auto}figure svg{max-width:100%;height:auto;border:1px solid var(--edge);border-radius:8px}\
.scroll{overflow-x:auto;margin:16px 0}\
details{margin:8px 0}summary{cursor:pointer;padding:4px 0}\
pre{font:12px/16px ui-monospace,Consolas,monospace;background:var(--head);padding:8px 12px;border-radius:8px;\
overflow-x:auto;margin:4px 0}\
table{border-collapse:collapse;font-size:13px;line-height:18px;width:100%;font-variant-numeric:tabular-nums}\
caption{text-align:left;font-weight:600;font-size:15px;padding:4px 0}\
th,td{text-align:left;vertical-align:top;padding:4px 8px;border-bottom:1px solid var(--edge);\
overflow-wrap:break-word}\
th{background:var(--head);font-weight:600}.n{text-align:right;white-space:nowrap}.a{color:var(--mark);font-weight:600;white-space:nowrap}\
@page{size:A4 landscape;margin:14mm;@bottom-right{content:counter(page) ' / ' counter(pages);font-size:9px}}\
@media print{body{padding:0;max-width:none;font-size:11px;line-height:15px}\
section{break-before:page}h2{break-after:avoid;margin-top:0}nav h2{margin-top:24px}table{font-size:9px;line-height:12px}th,td{padding:2px 4px}\
tr,figure{break-inside:avoid}caption{break-after:avoid}thead{display:table-header-group}.scroll,figure{overflow:visible}\
pre{white-space:pre-wrap;font-size:8px;line-height:11px}figure svg{border:0;max-height:162mm}a{color:inherit;text-decoration:none}}";

impl Report {
    /// The report as a page.
    pub fn html(&self) -> String {
        let name = escape(&self.organisation);
        let mut out = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n\
             <title>Plan of {name}</title>\n<style>{STYLE}\n{PICTURE_STYLE}</style>\n</head>\n<body>\n\
             <header>\n<h1>Plan of <bdi>{name}</bdi></h1>\n"
        );
        if let Some(made) = &self.made {
            let _ = writeln!(out, "<p class=\"quiet\">{}</p>", escape(made));
        }
        out.push_str("</header>\n<nav aria-label=\"Contents\">\n<h2 id=\"contents\">Contents</h2>\n<ol>\n");
        for (number, part) in self.parts.iter().enumerate() {
            let _ = writeln!(out, "<li><a href=\"#part-{number}\">{}</a></li>", escape(part.title));
        }
        out.push_str("</ol>\n</nav>\n<main>\n");
        for (number, part) in self.parts.iter().enumerate() {
            write_part(&mut out, number, part);
        }
        out.push_str("</main>\n</body>\n</html>\n");
        out
    }
}

fn write_part(out: &mut String, number: usize, part: &Part) {
    let _ = writeln!(out, "<section>\n<h2 id=\"part-{number}\">{}</h2>", escape(part.title));
    if !part.about.is_empty() {
        let _ = writeln!(out, "<p>{}</p>", escape(&part.about));
    }
    for picture in &part.pictures {
        let _ = writeln!(out, "<figure id=\"{}\">\n{}</figure>", escape(&picture.id), picture.element);
    }
    for table in &part.tables {
        write_table(out, table);
    }
    for file in &part.files {
        // The line ends of Windows belong to the file, not to the page.
        let text = file.text.replace("\r\n", "\n");
        let (name, about, text) = (escape(file.name), escape(file.about), escape(&text));
        let _ = writeln!(out, "<details>\n<summary>{name}: {about}</summary>\n<pre>{text}</pre>\n</details>");
    }
    out.push_str("</section>\n");
}

fn write_table(out: &mut String, table: &Table) {
    let _ = write!(out, "<div class=\"scroll\">\n<table>\n<caption>{}</caption>\n<thead><tr>", escape(&table.title));
    for (column, name) in table.columns.iter().enumerate() {
        let number = table.rows.iter().any(|row| matches!(row.get(column), Some(Cell::Number(_))));
        let class = if number { " class=\"n\"" } else { "" };
        let _ = write!(out, "<th scope=\"col\"{class}>{}</th>", escape(name));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in table.rows.iter().take(MAX_PAGE_ROWS) {
        out.push_str("<tr>");
        for cell in row {
            write_cell(out, cell);
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n");
    for note in &table.notes {
        let _ = writeln!(out, "<p class=\"quiet\">{}</p>", escape(note));
    }
    if table.rows.len() > MAX_PAGE_ROWS {
        let more = grouped((table.rows.len() - MAX_PAGE_ROWS) as f64);
        let _ = writeln!(out, "<p class=\"quiet\">and {more} more rows: they are in the workbook</p>");
    }
    out.push_str("</div>\n");
}

fn write_cell(out: &mut String, cell: &Cell) {
    let _ = match cell {
        Cell::Text(text) if is_assumed(cell) => write!(out, "<td class=\"a\">{}</td>", escape(text)),
        Cell::Text(text) => write!(out, "<td>{}</td>", escape(text)),
        Cell::Number(number) => write!(out, "<td class=\"n\">{}</td>", grouped(*number)),
        Cell::Flag(flag) => write!(out, "<td>{}</td>", if *flag { "yes" } else { "no" }),
        Cell::Empty => write!(out, "<td></td>"),
    };
}
