//! Why it is done at all: drivers of the business, the requirements that follow from them, and the answers of the plan that
//! fulfil them (SEED2, item 1).

use std::sync::LazyLock;

use serde::Serialize;

use crate::figures::rows;
use crate::file::{Field, Plan, fields};
use crate::table::{Table, row};

/// What a driver asks of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Requirement {
    /// The driver: a key of the table `[drivers]`.
    pub driver: &'static str,
    /// What follows from it.
    pub requirement: &'static str,
    /// The answer that fulfils it: `meetings.enabled`.
    pub field: &'static str,
    /// What that answer has to be.
    pub wanted: &'static str,
    /// Who says so.
    pub source: &'static str,
}

/// What all drivers ask.
pub fn requirements() -> &'static [Requirement] {
    static REQUIREMENTS: LazyLock<Vec<Requirement>> = LazyLock::new(|| {
        let list = rows(include_str!("../data/drivers.csv"));
        list.map(|row| Requirement {
            driver: &row[0],
            requirement: &row[1],
            field: &row[2],
            wanted: &row[3],
            source: &row[4],
        })
        .collect()
    });
    &REQUIREMENTS
}

/// The questions that ask for drivers.
pub fn drivers() -> impl Iterator<Item = &'static Field> {
    fields().iter().filter(|field| field.section == "drivers")
}

/// A requirement of a driver that the plan names, and whether its answers fulfil it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fulfilment {
    /// The requirement.
    pub requirement: &'static Requirement,
    /// What the plan answers.
    pub found: String,
    /// Whether that is what is wanted.
    pub fulfilled: bool,
}

/// The requirements of all drivers of `plan`.
pub fn fulfilments(plan: &Plan) -> Vec<Fulfilment> {
    let answer = |field: &str| plan.answers.iter().find(|answer| answer.field == field).map(|answer| &answer.value);
    let wanted = |driver: &str| answer(&format!("drivers.{driver}")).is_some_and(|value| value == "true");
    let found = requirements().iter().filter(|requirement| wanted(requirement.driver));
    found
        .map(|requirement| {
            let found = answer(requirement.field).cloned().unwrap_or_default();
            Fulfilment { fulfilled: found == requirement.wanted, found, requirement }
        })
        .collect()
}

/// Drivers, requirements, features.
pub fn drivers_table(plan: &Plan) -> Table {
    let columns = ["driver", "requirement", "feature", "wanted", "found", "fulfilled", "source"];
    let mut table = Table::new("From drivers to features", &columns);
    for Fulfilment { requirement, found, fulfilled } in fulfilments(plan) {
        let driver = drivers().find(|field| field.key == requirement.driver).map_or("", |field| field.question);
        table.rows.push(row![
            driver,
            requirement.requirement,
            requirement.field,
            requirement.wanted,
            found,
            fulfilled,
            requirement.source,
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_driver_has_requirements_and_every_requirement_a_flag_that_fulfils_it() {
        for driver in drivers() {
            assert!(requirements().iter().any(|row| row.driver == driver.key), "{}", driver.key);
        }
        for row in requirements() {
            assert!(drivers().any(|driver| driver.key == row.driver), "{}", row.driver);
            let (section, key) = row.field.split_once('.').expect("section.key");
            let field = fields().iter().find(|field| field.section == section && field.key == key);
            assert_eq!(field.map(|field| field.kind), Some(crate::Kind::Flag), "{}", row.field);
            assert!(["true", "false"].contains(&row.wanted));
        }
    }

    #[test]
    fn a_driver_whose_feature_is_off_is_not_fulfilled() {
        let plan = Plan::read("[drivers]\nteams = true\ntravel = true\n[chat]\nenabled = false\n").expect("a plan");
        let found: Vec<(&str, bool)> =
            fulfilments(&plan).iter().map(|found| (found.requirement.field, found.fulfilled)).collect();
        assert_eq!(found, [("meetings.enabled", true), ("access.edge", true), ("chat.enabled", false)]);
    }
}
