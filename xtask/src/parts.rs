//! What each part of the test run does.

use std::fs;
use std::path::Path;

use crate::command::{Finished, Step};
use crate::count::Count;
use crate::part::{Context, Depth, Part, Report};
use crate::{launch, setup, tidy, web};

/// Every part, in the order a person would run them.
pub const ALL: &[Part] = &[
    Part { name: "setup", what: "install the test tools that are missing", tools: &[], run: tools },
    Part { name: "web", what: "the web client: types, build, its own tests", tools: setup::NODE, run: pages },
    Part { name: "format", what: "cargo fmt --check", tools: &[], run: format },
    Part { name: "tidy", what: "the architecture's rules", tools: &[], run: rules },
    Part { name: "clippy", what: "lints and banned calls, warnings denied", tools: &[], run: clippy },
    Part { name: "build", what: "everything, tests included", tools: &[], run: build },
    Part { name: "test", what: "unit, property, conformance and whole-server tests", tools: &[], run: test },
    Part { name: "doc", what: "documentation, warnings denied", tools: &[], run: doc },
    Part { name: "fuzz", what: "each fuzz target for a minute, with coverage", tools: setup::FUZZ, run: fuzz },
    Part {
        name: "sim",
        what: "a thousand seeds of the simulated network, and the planted faults",
        tools: &[],
        run: sim,
    },
    Part { name: "interop", what: "foreign clients judge us", tools: setup::INTEROP, run: interop },
    Part { name: "browser", what: "the web client in Chromium", tools: setup::BROWSER, run: browser },
    Part { name: "counts", what: "instruction counts of the hot paths", tools: setup::VALGRIND, run: counts },
];

/// The part of that name.
pub fn named(name: &str) -> Option<Part> {
    ALL.iter().copied().find(|part| part.name == name)
}

fn tools(context: &Context, report: &mut Report) {
    let wanted = [setup::FUZZ, setup::VALGRIND, setup::INTEROP, setup::BROWSER].concat();
    match setup::ensure(&context.root, &wanted, &context.log("setup")) {
        Ok(()) => report.pass(),
        Err(sentence) => report.fail(sentence),
    }
}

/// Builds the client, so that the server that is built next embeds it, and runs its tests without a browser.
fn pages(context: &Context, report: &mut Report) {
    match web::build(&context.root, &context.log("web")) {
        Ok(_) => report.pass(),
        Err(sentence) => return report.fail(sentence),
    }
    let done = report.step(context, "npm", &["--prefix", "web", "test"]).limit(300).run();
    report.add("web", Count::of_cases(&done.output), &done);
}

/// Two people in two pages, against a server of the tests' own; the pictures are for a person's eye.
fn browser(context: &Context, report: &mut Report) {
    if let Err(sentence) = web::build(&context.root, &context.log("browser")) {
        return report.fail(sentence);
    }
    let out = context.target.join("xtask/browser").display().to_string();
    let done =
        report.step(context, "npm", &["--prefix", "web", "run", "harness", "--", "--out", &out]).limit(600).run();
    report.add("browser", Count::of_cases(&done.output), &done);
    report.note(format!("pictures of every page: {out}"));
}

fn format(context: &Context, report: &mut Report) {
    let done = report.step(context, "cargo", &["fmt", "--all", "--check", "--", "--color=never"]).run();
    report.check("format", &done);
}

fn rules(context: &Context, report: &mut Report) {
    match tidy::Tree::read(&context.root) {
        Ok(tree) => {
            for (rule, findings) in tidy::judge(&tree) {
                match findings.is_empty() {
                    true => report.pass(),
                    false => report.fail(format!("tidy {rule}:\n{}", tidy::list(&findings))),
                }
            }
        }
        Err(sentence) => report.fail(sentence),
    }
}

fn clippy(context: &Context, report: &mut Report) {
    let done = report.step(context, "cargo", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]).run();
    report.check("clippy", &done);
}

fn build(context: &Context, report: &mut Report) {
    let done = report.step(context, "cargo", &["build", "--workspace"]).run();
    report.check("build", &done);
    let done = report.step(context, "cargo", &["test", "--workspace", "--no-run"]).run();
    report.check("build tests", &done);
}

fn test(context: &Context, report: &mut Report) {
    let done = report.step(context, "cargo", &["test", "--workspace", "--no-fail-fast"]).limit(900).run();
    report.add("test", Count::of_cargo_test(&done.output), &done);
}

fn doc(context: &Context, report: &mut Report) {
    let done =
        report.step(context, "cargo", &["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings").run();
    report.check("doc", &done);
}

/// Fuzz targets at a time: the first builds what they share, and the simulation beside them ends before they do.
const FUZZERS: usize = 2;

/// Builds the targets once, then runs two of them at a time; libFuzzer's last `cov:` is the coverage reported.
fn fuzz(context: &Context, report: &mut Report) {
    let folder = context.root.join("fuzz");
    let names = targets(&folder);
    if names.is_empty() {
        report.fail("fuzz/ has no targets".to_owned());
        return;
    }
    let script = folder.join("run");
    let seconds = if context.depth == Depth::Soak { "900" } else { "60" };
    let script = script.display().to_string();
    for pair in names.chunks(FUZZERS) {
        // A log for each: what two of them print at a time could not be told apart.
        let fuzzed = |name: &String| {
            let log = context.log(&format!("fuzz-{name}"));
            let _ = fs::remove_file(&log);
            Step::new(&context.root, &script, &[name, seconds], &log).limit(1500).run()
        };
        let ended: Vec<Finished> = std::thread::scope(|scope| {
            let running: Vec<_> = pair.iter().map(|name| scope.spawn(|| fuzzed(name))).collect();
            running.into_iter().map(|one| one.join().expect("a step does not panic")).collect()
        });
        for (name, done) in pair.iter().zip(&ended) {
            report.check(&format!("fuzz {name}"), done);
            if let Some(figure) = done.output.lines().rev().find(|line| line.contains(" cov: ")) {
                report.note(format!("fuzz {name}: {}", figure.trim()));
            }
        }
    }
}

/// The names of the fuzz targets: one file each.
fn targets(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for entry in fs::read_dir(folder.join("targets")).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|end| end == "rs") {
            names.extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
        }
    }
    names.sort();
    names
}

fn sim(context: &Context, report: &mut Report) {
    let seeds = if context.depth == Depth::Soak { "20000" } else { "1000" };
    let done = report
        .step(context, "cargo", &["run", "--release", "--quiet", "--package", "sim", "--", "--seeds", seeds])
        .limit(if context.depth == Depth::Soak { 7200 } else { 900 })
        .run();
    report.add("sim", Count::of_cases(&done.output), &done);
    if let Some(last) = done.output.lines().rev().find(|line| !line.trim().is_empty()) {
        report.note(format!("sim: {last}"));
    }
    // Faults planted on purpose: a simulation that finds nothing must be one that would find something.
    let done = report
        .step(context, "cargo", &["run", "--release", "--quiet", "--package", "sim", "--", "--plants"])
        .limit(600)
        .run();
    report.add("sim --plants", Count::of_cases(&done.output), &done);
}

fn interop(context: &Context, report: &mut Report) {
    // One of the judges is a browser: it gets the pages of these sources.
    if let Err(sentence) = web::build(&context.root, &context.log("interop-pages")) {
        return report.fail(sentence);
    }
    let done = report.step(context, "cargo", &["build", "--package", "lyceum"]).run();
    report.check("build the server", &done);
    if !done.ok {
        return;
    }
    let server = launch::target(&context.root).join("debug/lyceum").display().to_string();
    let out = context.target.join("xtask/interop").display().to_string();
    let depth = if context.depth == Depth::Soak { "soak" } else { "commit" };
    let done = report
        .step(context, "python3", &["interop/run.py", "--server", &server, "--out", &out, "--depth", depth])
        .limit(if context.depth == Depth::Soak { 7200 } else { 2400 })
        .run();
    report.add("interop", Count::of_cases(&done.output), &done);
}

/// Instruction counts do not depend on what else the machine does, so they are held against committed figures.
fn counts(context: &Context, report: &mut Report) {
    let arguments = ["run", "--release", "--quiet", "--package", "load", "--", "instructions", "--check"];
    let done = report.step(context, "cargo", &arguments).limit(900).run();
    report.add("counts", Count::of_rows(&done.output, "ok", "too many"), &done);
}
