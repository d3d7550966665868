//! The verdicts as a table.

use super::{Line, Outcome, Verdict};
use crate::table::{Table, row};

/// How many lines came to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// As planned.
    pub passed: usize,
    /// Not as planned.
    pub failed: usize,
    /// Cannot be said from here.
    pub skipped: usize,
}

/// Counts verdicts.
pub fn count(checked: &[(Line, Verdict)]) -> Count {
    let mut found = Count::default();
    for (_, verdict) in checked {
        match verdict.outcome {
            Outcome::Pass => found.passed += 1,
            Outcome::Fail => found.failed += 1,
            Outcome::Skipped => found.skipped += 1,
        }
    }
    found
}

/// Every line with what was found and what to do.
pub fn table(checked: &[(Line, Verdict)]) -> Table {
    let mut table = Table::new("Verification", &["about", "subject", "planned", "result", "found", "fix"]);
    for (line, verdict) in checked {
        let result = match verdict.outcome {
            Outcome::Pass => "pass",
            Outcome::Fail => "fail",
            Outcome::Skipped => "skipped",
        };
        table.rows.push(row![line.kind.word(), &line.subject, &line.planned, result, &verdict.found, &verdict.fix]);
    }
    let Count { passed, failed, skipped } = count(checked);
    table.notes.push(format!("{passed} as planned, {failed} not, {skipped} not judged from here"));
    table
}
