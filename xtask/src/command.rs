//! Running other programs: output to a log file, a time limit, and no descendant left behind.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// One program to run, with its log and its limit.
pub struct Step {
    command: Command,
    shown: String,
    log: PathBuf,
    limit: Duration,
}

/// What came of a [`Step`].
pub struct Finished {
    /// The program ended by itself with exit code 0.
    pub ok: bool,
    /// What went wrong, when something did: `exit code 101`, `killed after 600 s`.
    pub how: String,
    /// What this step wrote, both streams in the order they came.
    pub output: String,
}

impl Step {
    /// A program in `folder`, appending what it prints to `log`.
    pub fn new(folder: &Path, program: &str, arguments: &[&str], log: &Path) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(folder).stdin(Stdio::null());
        forget_cargo(&mut command);
        let shown = format!("{program} {}", arguments.join(" "));
        Self { command, shown, log: log.to_path_buf(), limit: Duration::from_secs(1800) }
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Ends the program and all it started after `seconds`.
    pub fn limit(mut self, seconds: u64) -> Self {
        self.limit = Duration::from_secs(seconds);
        self
    }

    /// Runs it to its end.
    pub fn run(mut self) -> Finished {
        let from = match self.open_log() {
            Ok(from) => from,
            Err(error) => return Finished::never(format!("cannot write {}: {error}", self.log.display())),
        };
        let began = Instant::now();
        let mut child = match self.command.spawn() {
            Ok(child) => child,
            Err(error) => return Finished::never(format!("cannot start `{}`: {error}", self.shown)),
        };
        let (ok, how) = loop {
            match child.try_wait() {
                Ok(Some(status)) => break (status.success(), describe(status)),
                Ok(None) if began.elapsed() > self.limit => {
                    end_tree(child.id());
                    let _ = child.wait();
                    break (false, format!("killed after {} s", self.limit.as_secs()));
                }
                Ok(None) => std::thread::sleep(Duration::from_millis(30)),
                Err(error) => break (false, error.to_string()),
            }
        };
        let whole = fs::read(&self.log).unwrap_or_default();
        let output = String::from_utf8_lossy(whole.get(from..).unwrap_or_default()).into_owned();
        Finished { ok, how, output }
    }

    /// Points both streams at the log, headed by the command itself; returns where this step's part begins.
    fn open_log(&mut self) -> std::io::Result<usize> {
        if let Some(folder) = self.log.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut log: File = OpenOptions::new().create(true).append(true).open(&self.log)?;
        writeln!(log, "$ {}", self.shown)?;
        let from = usize::try_from(log.metadata()?.len()).unwrap_or(0);
        self.command.stdout(log.try_clone()?).stderr(log);
        Ok(from)
    }
}

impl Finished {
    fn never(how: String) -> Self {
        Self { ok: false, output: how.clone(), how }
    }

    /// The lines in which a harness names its failed cases, or a test runner its failed tests; nothing when there are
    /// none.
    pub fn failures(&self) -> Option<String> {
        let named = |line: &&str| line.starts_with("FAIL ") || (line.starts_with("test ") && line.ends_with("FAILED"));
        let lines: String = self.output.lines().filter(named).take(60).map(shortened).collect();
        (!lines.is_empty()).then_some(lines)
    }

    /// The last lines it wrote, indented, for a person to read under the failing part.
    pub fn tail(&self, lines: usize) -> String {
        let all: Vec<&str> = self.output.lines().collect();
        let from = all.len().saturating_sub(lines);
        all[from..].iter().map(|line| format!("    {line}\n")).collect()
    }
}

/// An indented line of at most 400 characters.
fn shortened(line: &str) -> String {
    format!("    {}\n", line.chars().take(400).collect::<String>())
}

fn describe(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("exit code {code}"),
        None => status.to_string(),
    }
}

/// `cargo run` tells us about our own package; a nested cargo that saw it could rebuild for nothing.
fn forget_cargo(command: &mut Command) {
    for (name, _) in std::env::vars() {
        let ours = name.starts_with("CARGO_PKG_")
            || name.starts_with("CARGO_MANIFEST_")
            || matches!(name.as_str(), "CARGO_BIN_NAME" | "CARGO_CRATE_NAME" | "OUT_DIR" | "LD_LIBRARY_PATH");
        if ours {
            command.env_remove(name);
        }
    }
}

/// Ends a process and everything below it, youngest first, by their ids.
fn end_tree(pid: u32) {
    let mut all = descendants(pid);
    all.reverse();
    all.push(pid);
    for signal in ["-TERM", "-KILL"] {
        for pid in &all {
            let _ = Command::new("kill").arg(signal).arg(pid.to_string()).stderr(Stdio::null()).status();
        }
        for _ in 0..40 {
            if !all.iter().any(|pid| is_running(*pid)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Whether the process is there and not only waiting for its parent to notice its end.
fn is_running(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

/// The processes that `pid` started, and theirs, parents before children.
fn descendants(pid: u32) -> Vec<u32> {
    let mut parents: Vec<(u32, u32)> = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(child) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // The name in parentheses may hold spaces; the state and the parent follow the last one.
        let parent = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)?.parse().ok());
        if let Some(parent) = parent {
            parents.push((child, parent));
        }
    }
    let mut found = vec![pid];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(child, _)| *child));
        next += 1;
    }
    found.remove(0);
    found
}

/// The first folder of `PATH` (and the system's own `sbin`) that holds `program`.
pub fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")])
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("xtask-{}-{name}.log", std::process::id()))
    }

    #[test]
    fn output_of_both_streams_is_kept() {
        let log = log("both");
        let done = Step::new(Path::new("/"), "sh", &["-c", "echo one; echo two >&2; exit 3"], &log).run();
        let _ = fs::remove_file(&log);
        assert!(!done.ok);
        assert_eq!(done.how, "exit code 3");
        assert_eq!(done.output, "one\ntwo\n");
    }

    #[test]
    fn a_step_past_its_limit_ends_with_its_children() {
        let log = log("limit");
        let marker = format!("4321{}", std::process::id());
        let line = format!("sleep {marker} & sleep {marker}");
        let done = Step::new(Path::new("/"), "sh", &["-c", &line], &log).limit(1).run();
        let _ = fs::remove_file(&log);
        assert_eq!(done.how, "killed after 1 s");
        assert!(!running(&marker), "a child outlived its step");
    }

    fn running(marker: &str) -> bool {
        fs::read_dir("/proc").into_iter().flatten().flatten().any(|entry| {
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            line.starts_with(b"sleep") && String::from_utf8_lossy(&line).contains(marker)
        })
    }

    #[test]
    fn failed_cases_are_named_before_any_tail() {
        let output = "ok one\nFAIL two no answer\ntest three ... ok\ntest four ... FAILED\nlast line\n".to_owned();
        let done = Finished { ok: false, how: String::new(), output };
        assert_eq!(done.failures().as_deref(), Some("    FAIL two no answer\n    test four ... FAILED\n"));
        assert_eq!(done.tail(1), "    last line\n");
        assert!(Finished::never("away".to_owned()).failures().is_none());
    }

    #[test]
    fn a_program_that_is_not_there_is_a_failure_with_a_sentence() {
        let log = log("never");
        let done = Step::new(Path::new("/"), "no-such-program", &[], &log).run();
        let _ = fs::remove_file(&log);
        assert!(!done.ok);
        assert!(done.how.starts_with("cannot start `no-such-program"));
    }
}
