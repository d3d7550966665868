//! A part of the test run: what it is called, what it needs, and what came of it.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::command::{Finished, Step};
use crate::count::Count;
use crate::setup::{self, Tool};

/// Lines of a failing program that are shown at once; the rest is in the log.
const TAIL: usize = 40;

/// How much a run does: every commit, or a soak.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Depth {
    /// What every commit passes.
    Commit,
    /// What takes an hour or more.
    Soak,
}

/// Where a part runs and how deep.
#[derive(Clone, Debug)]
pub struct Context {
    /// The repository.
    pub root: PathBuf,
    /// Cargo's output folder.
    pub target: PathBuf,
    /// Commit or soak.
    pub depth: Depth,
}

/// One part.
#[derive(Clone, Copy)]
pub struct Part {
    /// `cargo xtask test NAME`.
    pub name: &'static str,
    /// One line for `--list`.
    pub what: &'static str,
    /// Programs it cannot do without.
    pub tools: &'static [Tool],
    /// Runs it.
    pub run: fn(&Context, &mut Report),
}

/// What a part found so far.
pub struct Report {
    log: PathBuf,
    began: Instant,
    /// The checks.
    pub count: Count,
    /// What a person should read: failures, and figures worth a line.
    pub notes: Vec<String>,
}

impl Context {
    /// The log of a part.
    pub fn log(&self, name: &str) -> PathBuf {
        self.target.join("xtask").join(format!("{name}.log"))
    }
}

impl Part {
    /// Runs the part, after looking whether its tools are there.
    pub fn go(&self, context: &Context) -> (Report, Duration) {
        let log = context.log(self.name);
        let _ = fs::remove_file(&log);
        let mut report = Report { log, began: Instant::now(), count: Count::default(), notes: Vec::new() };
        let lacking = setup::missing(self.tools);
        if lacking.is_empty() {
            (self.run)(context, &mut report);
        } else {
            report.fail(format!("needs: {}", setup::install_command(&lacking)));
        }
        let took = report.began.elapsed();
        (report, took)
    }
}

impl Report {
    /// A step of this part, logging to the part's file.
    pub fn step(&self, context: &Context, program: &str, arguments: &[&str]) -> Step {
        Step::new(&context.root, program, arguments, &self.log)
    }

    /// Counts one program as one check.
    pub fn check(&mut self, name: &str, done: &Finished) {
        self.add(name, Count::one(done.ok), done);
    }

    /// Adds the checks that a program counted itself.
    pub fn add(&mut self, name: &str, count: Count, done: &Finished) {
        let count = count.and_exit(done.ok);
        self.count += count;
        if count.failed > 0 {
            self.notes.push(format!(
                "FAIL {name}: {} of {} failed, {}; the whole log: {}\n{}",
                count.failed,
                count.failed + count.passed,
                done.how,
                self.log.display(),
                done.failures().unwrap_or_else(|| done.tail(TAIL))
            ));
        }
    }

    /// One failed check with its sentence.
    pub fn fail(&mut self, sentence: String) {
        self.count += Count::one(false);
        self.notes.push(format!("FAIL {sentence}"));
    }

    /// One passed check.
    pub fn pass(&mut self) {
        self.count += Count::one(true);
    }

    /// A figure worth a line.
    pub fn note(&mut self, line: impl Into<String>) {
        self.notes.push(line.into());
    }
}
