//! `cargo xtask test` and `cargo xtask soak`: which parts run, in which order, and the closing line.

use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::count::Count;
use crate::launch;
use crate::part::{Context, Depth, Part};
use crate::parts;

/// Parts one after another.
type Lane = &'static [&'static str];

/// Stages follow each other; the lanes of a stage run side by side, because they do not disturb each other: packages
/// are fetched and the pages built while we compile, and the fuzzers and the simulation use one core each. The server
/// is built when the pages it embeds are there. The foreign clients have the machine to themselves, for they are about
/// time; so has the browser.
const STAGES: &[&[Lane]] = &[
    &[&["setup", "web"], &["format", "tidy", "clippy"]],
    &[&["build", "test", "doc"]],
    &[&["fuzz"], &["sim"]],
    &[&["interop", "browser"]],
    &[&["counts"]],
];

const SOAK: &[&[Lane]] = &[&[&["setup", "web"]], &[&["build"]], &[&["fuzz"], &["sim"]], &[&["interop"]]];

/// Runs everything, or the parts that `arguments` name.
pub fn test(root: &Path, arguments: &[String]) -> Result<(), String> {
    if arguments.iter().any(|argument| argument == "--list") {
        list();
        return Ok(());
    }
    let chosen: Vec<Part> = arguments
        .iter()
        .map(|name| {
            parts::named(name).ok_or_else(|| format!("no part is called {name}; see `cargo xtask test --list`"))
        })
        .collect::<Result<_, _>>()?;
    let run = Run::new(root, Depth::Commit);
    if chosen.is_empty() {
        run.stages(STAGES);
    } else {
        chosen.iter().for_each(|part| run.part(part));
    }
    run.close()
}

/// The long form: more seeds, longer fuzzing, storms.
pub fn soak(root: &Path, arguments: &[String]) -> Result<(), String> {
    let run = Run::new(root, Depth::Soak);
    if arguments.is_empty() {
        run.stages(SOAK);
    }
    for name in arguments {
        run.part(&parts::named(name).ok_or_else(|| format!("no part is called {name}"))?);
    }
    run.close()
}

fn list() {
    for part in parts::ALL {
        let tools: Vec<&str> = part.tools.iter().map(|tool| tool.package).collect();
        let needs = if tools.is_empty() { String::new() } else { format!(" (needs {})", tools.join(", ")) };
        println!("{:8} {}{needs}", part.name, part.what);
    }
}

/// One run and what it has found.
struct Run {
    context: Context,
    began: Instant,
    results: Mutex<Vec<(&'static str, Count, Duration)>>,
}

impl Run {
    fn new(root: &Path, depth: Depth) -> Self {
        let context = Context { root: root.to_path_buf(), target: launch::target(root), depth };
        Self { context, began: Instant::now(), results: Mutex::new(Vec::new()) }
    }

    fn stages(&self, stages: &[&[Lane]]) {
        for stage in stages {
            std::thread::scope(|scope| {
                for lane in *stage {
                    scope.spawn(|| lane.iter().filter_map(|name| parts::named(name)).for_each(|part| self.part(&part)));
                }
            });
        }
    }

    fn part(&self, part: &Part) {
        let (report, took) = part.go(&self.context);
        let mark = if report.count.failed == 0 { "ok  " } else { "FAIL" };
        println!(
            "{mark} {:8} {:>7.1} s  {} passed, {} failed; {}",
            part.name,
            took.as_secs_f64(),
            report.count.passed,
            report.count.failed,
            part.what
        );
        report.notes.iter().for_each(|note| println!("  {}", note.trim_end()));
        self.results.lock().unwrap_or_else(|broken| broken.into_inner()).push((part.name, report.count, took));
    }

    /// The table of times and, as the last line, the sum.
    fn close(&self) -> Result<(), String> {
        let results = self.results.lock().unwrap_or_else(|broken| broken.into_inner());
        let mut sum = Count::default();
        println!("\npart        seconds  passed  failed");
        for (name, count, took) in results.iter() {
            println!("{name:10} {:>8.1} {:>7} {:>7}", took.as_secs_f64(), count.passed, count.failed);
            sum += *count;
        }
        println!("{:10} {:>8.1}", "in all", self.began.elapsed().as_secs_f64());
        println!("{} passed, {} failed", sum.passed, sum.failed);
        if sum.failed == 0 && sum.passed > 0 { Ok(()) } else { Err(String::new()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_in_the_plan_exactly_once() {
        let mut planned: Vec<&str> =
            STAGES.iter().flat_map(|stage| stage.iter()).flat_map(|lane| lane.iter()).copied().collect();
        let mut all: Vec<&str> = parts::ALL.iter().map(|part| part.name).collect();
        planned.sort_unstable();
        all.sort_unstable();
        assert_eq!(planned, all);
    }

    #[test]
    fn a_soak_names_parts_that_exist() {
        for name in SOAK.iter().flat_map(|stage| stage.iter()).flat_map(|lane| lane.iter()) {
            assert!(parts::named(name).is_some(), "{name}");
        }
    }
}
