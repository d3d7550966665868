//! `lyceum-load`: the project's load generator and benchmark rig.

use std::process::ExitCode;

use clap::Parser;
use load::command::{Load, run};

fn main() -> ExitCode {
    match run(&Load::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(sentence) => {
            eprintln!("lyceum-load: {sentence}");
            ExitCode::from(2)
        }
    }
}
