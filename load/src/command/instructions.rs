//! `instructions`: what the hot paths cost, counted by callgrind and held against committed ceilings.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use serde_json::json;

use crate::report;
use crate::report::row;

/// Instructions of the hot paths.
#[derive(Debug, Args)]
pub struct Instructions {
    /// Fail when a count is over its ceiling.
    #[arg(long)]
    check: bool,
    /// Write the counts found as the new figures.
    #[arg(long, conflicts_with = "check")]
    write: bool,
    /// The repository.
    #[arg(long, default_value = ".")]
    root: PathBuf,
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// What is measured: package, example, operation. Counted is what goes on inside the function `work` or `serve` of it.
const PATHS: [(&str, &str, &str); 8] = [
    ("lyceum-sip", "hot", "parse"),
    ("lyceum-sip", "hot", "forward"),
    ("load", "register_hot", "challenge"),
    ("load", "register_hot", "register"),
    ("load", "register_hot", "options"),
    ("load", "register_hot", "message"),
    ("load", "register_hot", "call"),
    ("load", "register_hot", "publish"),
];

/// Two runs of so many operations; their difference has no start-up in it.
const FEW: u64 = 100;
const MANY: u64 = 1100;
/// A count may exceed its figure by so much, in percent.
const TOLERANCE: u64 = 5;

const FILE: &str = "load/instructions.toml";
const HEAD: &str = "# Instructions of one operation, counted by callgrind: `lyceum-load instructions --check` fails when one\n\
    # takes more than 5 % more; `--write` states what is found.\n\n";

/// `name = number` lines.
fn figures(text: &str) -> Vec<(String, u64)> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines
        .filter_map(|line| line.split_once('='))
        .filter_map(|(name, number)| Some((name.trim().to_owned(), number.trim().replace('_', "").parse().ok()?)))
        .collect()
}

fn cargo(root: &Path, package: &str, example: &str) -> Result<PathBuf, String> {
    let mut command = Command::new("cargo");
    command.current_dir(root).args(["build", "--release", "--package", package, "--example", example]);
    command.args(["--message-format", "json"]);
    let output = command.output().map_err(|error| format!("cargo: {error}"))?;
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let built = lines.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let programs = built.filter(|value| value["target"]["name"] == example);
    let program = programs.filter_map(|value| value["executable"].as_str().map(PathBuf::from)).next_back();
    program.ok_or_else(|| {
        let said = String::from_utf8_lossy(&output.stderr).lines().rev().take(5).collect::<Vec<_>>().join(" / ");
        format!("{package} example {example} does not build: {said}")
    })
}

fn count(program: &Path, operation: &str, times: u64) -> Result<u64, String> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    command.args(["--toggle-collect=hot::work*", "--toggle-collect=register_hot::serve*"]).arg(program);
    command.args([operation, &times.to_string()]);
    let output =
        command.output().map_err(|error| format!("valgrind: {error}; `apt-get install valgrind` brings it"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().rev().find_map(|line| line.split("Collected :").nth(1));
    let sum = line.and_then(|line| line.trim().parse().ok()).filter(|_| output.status.success());
    sum.ok_or_else(|| format!("{} {operation}: callgrind gave no count", program.display()))
}

impl Instructions {
    /// Counts; true when every count is under its ceiling, or nobody asked.
    ///
    /// # Errors
    /// One sentence.
    pub fn run(&self) -> Result<bool, String> {
        let file = self.root.join(FILE);
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let stated = figures(&text);
        let mut rows = vec![row(["operation", "instructions", "stated", "result"])];
        let mut found = Vec::new();
        let mut passed = true;
        for (package, example, operation) in PATHS {
            let program = cargo(&self.root, package, example)?;
            let few = count(&program, operation, FEW)?;
            let each = count(&program, operation, MANY)?.saturating_sub(few) / (MANY - FEW);
            let ceiling = stated.iter().find(|(name, _)| name == operation).map(|(_, figure)| *figure);
            let holds = ceiling.is_some_and(|figure| each * 100 <= figure * (100 + TOLERANCE));
            passed &= holds;
            let stated = ceiling.map_or("-".to_owned(), |figure| figure.to_string());
            rows.push(row([operation, &each.to_string(), &stated, if holds { "ok" } else { "too many" }]));
            found.push((operation, each));
        }
        if self.write {
            let lines: String = found.iter().map(|(name, each)| format!("{name} = {each}\n")).collect();
            std::fs::write(&file, format!("{HEAD}{lines}")).map_err(|error| format!("{}: {error}", file.display()))?;
        }
        let counts: serde_json::Map<_, _> =
            found.iter().map(|(name, each)| ((*name).to_owned(), json!(each))).collect();
        report::print(self.json, &json!({ "instructions": counts, "passed": passed }), &report::table(&rows));
        Ok(passed || !self.check)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read() {
        assert_eq!(figures("# a = 1\n\nparse = 5_100\nbroken\nx = y\n"), [("parse".to_owned(), 5100)]);
    }

    #[test]
    fn every_path_has_a_committed_figure() {
        let stated = figures(include_str!("../../instructions.toml"));
        for (_, _, operation) in PATHS {
            assert!(stated.iter().any(|(name, _)| name == operation), "{operation}");
        }
    }
}
