//! The repository's own tool: `cargo xtask COMMAND`.
//!
//! It sets a machine up, builds and starts the server, runs every check and test the project has, and keeps the
//! architecture's rules (`tidy`). It depends on the standard library alone, so that it builds in seconds anywhere.

mod command;
mod count;
mod launch;
mod part;
mod parts;
mod plan;
mod setup;
mod tidy;
mod web;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask run [ARGS…]     install what is missing, build, start `lyceum dev ARGS…`
cargo xtask test            install the test tools and run everything
cargo xtask test PART…      run only these parts (see --list)
cargo xtask test --list     the parts and what each needs
cargo xtask tidy [--ratchet] the architecture's rules; --ratchet writes today's file sizes
cargo xtask soak            what is too long for every commit: storms, more seeds, longer fuzzing
cargo xtask bench [ARGS…]   the project's own benchmark rig (load/)
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (verb, rest) = match arguments.split_first() {
        Some((verb, rest)) => (verb.as_str(), rest),
        None => ("help", &[][..]),
    };
    let root = root();
    let result = match verb {
        "run" => launch::run(&root, rest),
        "test" => plan::test(&root, rest),
        "soak" => plan::soak(&root, rest),
        "bench" => launch::bench(&root, rest),
        "tidy" => tidy::command(&root, rest),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        other => Err(format!("no such command: {other}\n{HELP}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            // The count line of `test` must stay the last one, so it says nothing here.
            if !sentence.is_empty() {
                eprintln!("xtask: {sentence}");
            }
            ExitCode::FAILURE
        }
    }
}

/// The repository's root: the parent of this package's folder.
fn root() -> std::path::PathBuf {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}
