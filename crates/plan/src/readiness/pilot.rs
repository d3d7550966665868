//! The choice of pilot users: spread over skill, role and department, with IT, training and help desk among them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::survey::{Faults, Sheet};
use crate::table::{Table, row};

/// A pilot, judged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pilot {
    /// People in it.
    pub people: usize,
    /// Each rule, whether it is kept, and who is missing.
    pub checks: Vec<PilotCheck>,
    /// Whether all are kept.
    pub passes: bool,
}

/// One rule of the choice.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PilotCheck {
    /// The rule.
    pub rule: &'static str,
    /// Whether it is kept.
    pub passes: bool,
    /// What was found.
    pub found: String,
    /// Who says so.
    pub source: &'static str,
}

/// The most that one department, role or skill may be of a pilot that is spread.
const MOST_OF_ONE: f64 = 0.5;

/// Reads and judges a list of pilot users: columns `user`, `department`, `role`, `skill` (`low`, `medium`, `high`).
pub fn judge_pilot(text: &str) -> Result<Pilot, Faults> {
    let people = Sheet::read(text, &["user", "department", "role", "skill"])?.rows(|row| {
        let (user, department, role) = (row.word("user"), row.word("department"), row.word("role"));
        let skill = row.text("skill").to_lowercase();
        if !["low", "medium", "high"].contains(&skill.as_str()) {
            row.fault("skill", "low, medium or high");
            return None;
        }
        user?;
        Some([department?, role?, skill])
    })?;
    let mut checks = Vec::new();
    let columns = [
        (0, "No department is more than half of the pilot"),
        (1, "No role is more than half of the pilot"),
        (2, "No level of skill is more than half of the pilot"),
    ];
    for (column, rule) in columns {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        people.iter().for_each(|person| *counts.entry(person[column].to_lowercase()).or_default() += 1);
        let most = counts.values().copied().max().unwrap_or(0) as f64;
        let found: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
        let passes = counts.len() > 1 && most <= people.len() as f64 * MOST_OF_ONE;
        checks.push(PilotCheck { rule, passes, found: found.join(", "), source: "GENEP" });
    }
    let groups = [
        ("IT is in the pilot", "it"),
        ("Training is in the pilot", "training"),
        ("The help desk is in the pilot", "help desk"),
    ];
    for (rule, wanted) in groups {
        let is = |person: &&[String; 3]| person[..2].iter().any(|word| word.to_lowercase().replace('-', " ") == wanted);
        let count = people.iter().filter(is).count();
        checks.push(PilotCheck { rule, passes: count > 0, found: format!("{count}"), source: "GENEP" });
    }
    Ok(Pilot { people: people.len(), passes: checks.iter().all(|check| check.passes), checks })
}

impl Pilot {
    /// The rules and what was found.
    pub fn table(&self) -> Table {
        let mut table = Table::new("Pilot", &["rule", "kept", "found", "source"]);
        table.rows.extend(self.checks.iter().map(|check| row![check.rule, check.passes, &check.found, check.source]));
        table.notes.push(format!("{} people", self.people));
        table
    }
}
