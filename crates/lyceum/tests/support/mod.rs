//! What the tests of the binary share: a folder that goes away, a server that is ended by its process id.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a server may take to start or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder of one test.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new() -> Scratch {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("lyceum-test-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        Scratch(dir)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lyceum"));
    command.stdin(Stdio::null()).env_remove("LYCEUM_SOCKET");
    command
}

/// Runs to the end.
pub fn lyceum(arguments: &[&str]) -> Output {
    command().args(arguments).output().unwrap()
}

/// Runs to the end and gives standard output; must succeed.
pub fn done(arguments: &[&str]) -> String {
    let output = lyceum(arguments);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{arguments:?}: {}\n{out}{err}", output.status);
    out
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn str(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A `lyceum dev` on free ports.
pub struct Server {
    child: Child,
    pub facts: Value,
}

impl Server {
    pub fn start(folder: &Path, more: &[&str]) -> Server {
        let free = ["--sip", "127.0.0.1:0", "--tls", "127.0.0.1:0", "--https", "127.0.0.1:0"];
        let mut child = command()
            .args(["dev", "--json", "--data", str(folder)])
            .args(free)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let facts = serde_json::from_str(&line).unwrap_or_else(|_| {
            let mut said = String::new();
            child.kill().ok();
            child.stderr.as_mut().unwrap().read_to_string(&mut said).ok();
            panic!("no line of JSON: {line}{said}")
        });
        Server { child, facts }
    }

    pub fn address(&self, of: &str) -> std::net::SocketAddr {
        self.facts[of].as_str().unwrap().parse().unwrap()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, and waits for that.
    pub fn stop(mut self) -> ExitStatus {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        wait(&mut self.child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.child.kill().ok();
            self.child.wait().ok();
        }
    }
}

/// Waits for a process to end by itself.
pub fn wait(child: &mut Child) -> ExitStatus {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(begun.elapsed() < PATIENCE, "it does not end");
        std::thread::sleep(Duration::from_millis(10));
    }
}
