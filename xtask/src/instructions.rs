//! Instruction counts of the hot paths, held against committed figures.
//!
//! A shared machine makes times meaningless; callgrind counts the same number whatever else runs. Each crate with an
//! `examples/hot.rs` (arguments: operation, times) can be listed in `xtask/instructions.txt`.

use std::fs;

use crate::count::Count;
use crate::part::{Context, Report};

/// Rows of `package operation instructions`.
const LIST: &str = "xtask/instructions.txt";

/// Above the figure by more than this, in percent, is a failure; below by as much is worth a new figure.
const TOLERANCE: u64 = 8;

/// How often an operation runs in the two measured runs; their difference has no start-up in it.
const FEW: u64 = 50;
const MANY: u64 = 550;

struct Row<'a> {
    package: &'a str,
    operation: &'a str,
    allowed: u64,
}

/// The test run's part: one check a row.
pub fn run(context: &Context, report: &mut Report) {
    let text = fs::read_to_string(context.root.join(LIST)).unwrap_or_default();
    let rows = rows(&text);
    if rows.is_empty() {
        report.fail(format!("{LIST} has no rows"));
    }
    let mut built = "";
    for row in rows {
        if row.package != built {
            let arguments = ["build", "--release", "--package", row.package, "--example", "hot"];
            let done = report.step(context, "cargo", &arguments).run();
            if !done.ok {
                report.check(&format!("build {} hot", row.package), &done);
                continue;
            }
            built = row.package;
        }
        match measure(context, report, &row) {
            Ok(counted) => judge(report, &row, counted),
            Err(sentence) => report.fail(sentence),
        }
    }
}

fn judge(report: &mut Report, row: &Row<'_>, counted: u64) {
    let Row { package, operation, allowed } = row;
    let line = format!("{package} {operation}: {counted} instructions, {allowed} are stated in {LIST}");
    if counted * 100 > allowed * (100 + TOLERANCE) {
        report.fail(line);
    } else {
        report.count += Count::one(true);
        let better = counted * 100 < allowed * (100 - TOLERANCE);
        report.note(if better { format!("{line}: state the better figure") } else { line });
    }
}

/// Instructions of one operation.
fn measure(context: &Context, report: &Report, row: &Row<'_>) -> Result<u64, String> {
    let few = callgrind(context, report, row, FEW)?;
    let many = callgrind(context, report, row, MANY)?;
    Ok(many.saturating_sub(few) / (MANY - FEW))
}

fn callgrind(context: &Context, report: &Report, row: &Row<'_>, times: u64) -> Result<u64, String> {
    let program = context.target.join("release/examples/hot").display().to_string();
    let times = times.to_string();
    let arguments = ["--tool=callgrind", "--callgrind-out-file=/dev/null", &program, row.operation, &times];
    let done = report.step(context, "valgrind", &arguments).limit(300).run();
    collected(&done.output).filter(|_| done.ok).ok_or_else(|| {
        format!("{} {}: callgrind gave no count ({})\n{}", row.package, row.operation, done.how, done.tail(8))
    })
}

/// The sum in callgrind's closing lines.
fn collected(output: &str) -> Option<u64> {
    output.lines().rev().find_map(|line| line.split("Collected :").nth(1))?.trim().parse().ok()
}

fn rows(text: &str) -> Vec<Row<'_>> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some(Row { package: words.next()?, operation: words.next()?, allowed: words.next()?.parse().ok()? })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_read_from_callgrind() {
        let output = "==7== Events    : Ir\n==7== Collected : 5123456\n==7== I   refs:      5,123,456\n";
        assert_eq!(collected(output), Some(5_123_456));
        assert_eq!(collected("==7== no such line"), None);
    }

    #[test]
    fn rows_name_package_operation_and_figure() {
        let rows = rows("# note\nlyceum-sip parse 5100\nbroken line\n\n");
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].package, rows[0].operation, rows[0].allowed), ("lyceum-sip", "parse", 5100));
    }
}
