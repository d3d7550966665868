//! The Lyceum binary: `dev`, `serve`, and the management shell as a client of a running server.

mod config;
mod dev;
mod doctor;
mod edge;
mod link;
mod memory;
mod offline;
mod preflight;
mod probe;
mod serve;
mod server;
mod users_csv;

use std::process::ExitCode;

use clap::{Args, FromArgMatches};

#[global_allocator]
static ALLOCATOR: memory::Allocator = memory::Allocator;

/// Exit code of a server that could not start or work.
const FAILED: u8 = 1;

fn tree() -> clap::Command {
    lyceum_shell::command()
        .subcommand(
            dev::DevArgs::augment_args(clap::Command::new("dev"))
                .about("Runs a throw-away server on loopback with two demo users and calls itself")
                .disable_version_flag(true),
        )
        .subcommand(
            serve::ServeArgs::augment_args(clap::Command::new("serve"))
                .about("Runs a node from its node file")
                .disable_version_flag(true),
        )
        .subcommand(
            doctor::DoctorArgs::augment_args(clap::Command::new("doctor"))
                .about("Checks configuration, names, certificates, ports, clock and limits, and says what mends them")
                .disable_version_flag(true),
        )
}

fn main() -> ExitCode {
    let tree = tree();
    let matches = tree.clone().get_matches();
    let outcome = match matches.subcommand() {
        Some(("dev", below)) => dev::DevArgs::from_arg_matches(below).map_err(Into::into).and_then(|args| {
            log_to_stderr("text", &args.log);
            dev::run(&args)
        }),
        Some(("serve", below)) => serve::ServeArgs::from_arg_matches(below).map_err(Into::into).and_then(|args| {
            if let Some(config) = edge::EdgeConfig::read(&args.config)? {
                log_to_stderr(&config.log.format, &config.log.level);
                return edge::run(&config);
            }
            let config = config::NodeConfig::read(&args.config)?;
            log_to_stderr(&config.log.format, &config.log.level);
            serve::run(&args, config)
        }),
        Some(("doctor", below)) => match doctor::DoctorArgs::from_arg_matches(below) {
            Ok(args) => return doctor::run(&args),
            Err(error) => Err(error.into()),
        },
        _ => {
            let context = lyceum_shell::Context { tree, offline: Box::new(offline::Binary) };
            return lyceum_shell::run(&matches, context);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lyceum: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}

fn log_to_stderr(format: &str, level: &str) {
    let filter =
        tracing_subscriber::EnvFilter::try_new(level).unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    match format {
        "json" => subscriber.json().init(),
        _ => subscriber.init(),
    }
}
