//! `cargo xtask run` and `cargo xtask bench`: build, then become the program.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{setup, web};

/// Sets the machine up, builds the server and becomes `lyceum dev ARGUMENTS`.
pub fn run(root: &Path, arguments: &[String]) -> Result<(), String> {
    setup::ensure(root, &[setup::COMPILER], &target(root).join("xtask/setup.log"))?;
    // Without its pages the server is whole for everybody who has a phone; it says itself how to get them.
    if let Err(sentence) = web::build(root, &target(root).join("xtask/web.log")) {
        println!("  the web client is not built: {sentence}");
    }
    build(root, "lyceum")?;
    let server = target(root).join("release/lyceum");
    Err(turn_into(&server, dev(arguments).into_iter()))
}

/// What `lyceum` is called with; `cargo xtask run -- ARGS` works as `cargo xtask run ARGS` does.
fn dev(arguments: &[String]) -> Vec<String> {
    let after = arguments.strip_prefix(&["--".to_owned()]).unwrap_or(arguments);
    std::iter::once("dev".to_owned()).chain(after.iter().cloned()).collect()
}

/// Builds the server and the load generator, and becomes the latter.
pub fn bench(root: &Path, arguments: &[String]) -> Result<(), String> {
    let mut tools = vec![setup::COMPILER];
    if arguments.iter().any(|argument| argument.contains("kamailio")) {
        tools.push(setup::KAMAILIO);
    }
    setup::ensure(root, &tools, &target(root).join("xtask/setup.log"))?;
    build(root, "lyceum")?;
    build(root, "load")?;
    Err(turn_into(&target(root).join("release/lyceum-load"), arguments.iter().cloned()))
}

/// Where cargo puts what it builds.
pub fn target(root: &Path) -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root.join(folder),
        None => root.join("target"),
    }
}

fn build(root: &Path, package: &str) -> Result<(), String> {
    let status = Command::new("cargo")
        .args(["build", "--release", "--package", package])
        .current_dir(root)
        .status()
        .map_err(|error| format!("cannot start cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`cargo build --release --package {package}` failed")) }
}

/// Replaces this process, so that signals and the exit code are the program's own; returns only if it cannot.
fn turn_into(program: &Path, arguments: impl Iterator<Item = String>) -> String {
    let error = Command::new(program).args(arguments).exec();
    format!("cannot start {}: {error}", program.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_reach_the_server_with_and_without_dashes() {
        let given = |words: &[&str]| dev(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(given(&[]), ["dev"]);
        assert_eq!(given(&["--domain", "a.test"]), ["dev", "--domain", "a.test"]);
        assert_eq!(given(&["--", "--domain", "a.test"]), ["dev", "--domain", "a.test"]);
    }
}
