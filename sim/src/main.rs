//! `cargo run --release -p sim`: a thousand seeds of ten virtual minutes; see [`sim`].

use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

use sim::Counts;
use sim::options::Options;
use sim::plant::Fault;

/// Seeds in which each planted fault must be found.
const PLANT_SEEDS: u64 = 25;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(text) => {
            eprintln!("{text}");
            return ExitCode::from(2);
        }
    };
    let passed = if options.plants { plants(&options) } else { seeds(&options) };
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs the seeds; true when all passed.
fn seeds(options: &Options) -> bool {
    let begun = Instant::now();
    let (mut failed, mut counts) = (0, Counts::default());
    for number in 0..options.seeds {
        let seed = options.first + number;
        let outcome = sim::run(seed, options.plant, options.trace);
        for line in &outcome.lines {
            println!("{line}");
        }
        counts += outcome.counts;
        if let Some(violation) = outcome.violations.first() {
            failed += 1;
            let plant = options.plant.map(|fault| format!(" --plant {}", fault.name())).unwrap_or_default();
            println!("seed {seed} {violation}");
            println!("  repeat: cargo run --release -p sim -- --seed {seed} --trace{plant}");
        }
        if options.seeds > 1 && (number + 1) % 100 == 0 {
            progress(number + 1, options.seeds, begun);
        }
    }
    let each = begun.elapsed() / options.seeds.max(1) as u32;
    println!(
        "{} messages, {} INVITEs, {} calls answered, {} REGISTERs granted, {} kills of the server; {each:?} a seed",
        counts.messages, counts.invites, counts.answered, counts.registered, counts.crashes
    );
    println!("sim: {} passed, {failed} failed", options.seeds - failed);
    failed == 0
}

fn progress(done: u64, all: u64, begun: Instant) {
    eprintln!("  {done} of {all} seeds, {:.0} s", begun.elapsed().as_secs_f64());
    std::io::stderr().flush().ok();
}

/// Plants every fault; true when each was found.
fn plants(options: &Options) -> bool {
    let mut missed = 0;
    for fault in Fault::ALL {
        match sim::find(fault, options.first..options.first + PLANT_SEEDS) {
            Some((seed, violation)) => println!("planted {}: found in seed {seed}, {violation}", fault.name()),
            None => {
                missed += 1;
                println!("planted {}: NOT found in {PLANT_SEEDS} seeds", fault.name());
            }
        }
    }
    println!("sim: {} passed, {missed} failed", Fault::ALL.len() - missed);
    missed == 0
}
