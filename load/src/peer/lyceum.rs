//! `lyceum dev`, as anyone starts it for tests.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::{DOMAIN, Running, free_port, log_file, spawn};
use crate::users::{self, User};

pub(super) fn start(program: &Path, folder: &Path, users: &[User], core: usize) -> Result<Running, String> {
    if !program.exists() {
        return Err(format!("{} is not there: `cargo build --release` makes it", program.display()));
    }
    let list = folder.join("users.csv");
    std::fs::write(&list, users::to_csv(users)).map_err(|error| format!("{}: {error}", list.display()))?;
    let version = Command::new(program).arg("--version").output().map_err(|error| error.to_string())?;
    let version = String::from_utf8_lossy(&version.stdout).split_whitespace().nth(1).unwrap_or("?").to_owned();
    let (sip, tls, https) = (free_port()?, free_port()?, free_port()?);
    let mut command = Command::new(program);
    command.args(["dev", "--domain", DOMAIN, "--trust", "127.0.0.0/8", "--json"]);
    command.arg("--data").arg(folder.join("data")).arg("--users").arg(&list);
    for (flag, port) in [("--sip", sip), ("--tls", tls), ("--https", https)] {
        command.arg(flag).arg(format!("127.0.0.1:{port}"));
    }
    command.stdout(Stdio::piped()).stderr(log_file(folder)?);
    let mut child = spawn(&mut command, core)?;
    // One line says that all listeners answer; the rest is read away so that the pipe never fills.
    let mut line = String::new();
    if let Some(output) = child.stdout.take() {
        let mut output = BufReader::new(output);
        let _ = output.read_line(&mut line);
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
    }
    let local = |port| ([127, 0, 0, 1], port).into();
    Ok(Running { child, folder: folder.to_owned(), name: "lyceum", version, sip: local(sip), tls: Some(local(tls)) })
}
