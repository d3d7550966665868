//! The machine: clock, file limit, socket buffers, kernel settings.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lyceum_net::Bounds;

use super::finding::Finding;
use crate::config::Port;

/// How long a helper program may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// No right clock shows an earlier time: 2025-01-01.
const EARLIEST: u64 = 1_735_689_600;
/// Files of the store, the log and the web role beside the connections.
const OTHER_FILES: u64 = 1_024;
/// Fewer files than this do not carry an office.
const FEW_FILES: u64 = 1_024;
/// Connections that the kernel holds until they are accepted; what the workers ask for.
const BACKLOG: u64 = 4_096;

/// Whether something keeps the clock right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synchronised {
    /// Yes, says this program.
    Yes(&'static str),
    /// No, says this program.
    No(&'static str),
    /// Nobody can tell.
    Unknown,
}

/// Asks the programs that know.
pub fn clock() -> (Synchronised, u64) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let timedatectl = ask("timedatectl", &["show", "-p", "NTPSynchronized", "--value"]);
    let answer = match timedatectl.as_deref().map(str::trim) {
        Some("yes") => Synchronised::Yes("timedatectl"),
        Some("no") => Synchronised::No("timedatectl"),
        _ => match ask("chronyc", &["-n", "tracking"]) {
            Some(text) => chrony(&text),
            None => Synchronised::Unknown,
        },
    };
    (answer, now)
}

fn chrony(text: &str) -> Synchronised {
    let leap = text.lines().find_map(|line| line.strip_prefix("Leap status")?.split_once(':'));
    match leap.map(|(_, state)| state.trim()) {
        Some("Not synchronised") | None => Synchronised::No("chronyc"),
        Some(_) => Synchronised::Yes("chronyc"),
    }
}

/// Output of a helper program; `None` when it is not there, fails or takes too long.
fn ask(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments).env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let begun = Instant::now();
    let status = loop {
        match child.try_wait().ok()? {
            Some(status) => break status,
            None if begun.elapsed() > PATIENCE => {
                child.kill().ok();
                child.wait().ok();
                return None;
            }
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    let output = child.wait_with_output().ok()?;
    status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// How it stands with the clock, `now` in seconds since the epoch.
pub fn judge_clock(synchronised: Synchronised, now: u64) -> Finding {
    const WHAT: &str = "clock";
    if now < EARLIEST {
        let detail = "shows a time before 2025: certificates and nonces will be refused";
        return Finding::fail(WHAT, detail, "timedatectl set-ntp true");
    }
    match synchronised {
        Synchronised::Yes(by) => Finding::ok(WHAT, format!("synchronised, says {by}")),
        Synchronised::No(by) => {
            let detail = format!("not synchronised, says {by}: certificates, records and nonces go wrong with it");
            Finding::warn(WHAT, detail, "timedatectl set-ntp true, or `apt install chrony`")
        }
        Synchronised::Unknown => {
            let detail = "neither timedatectl nor chronyc can tell whether it is synchronised";
            Finding::warn(WHAT, detail, "apt install chrony && chronyc tracking")
        }
    }
}

/// A process's limit on open files: what it has and what it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileLimit {
    /// In force; the server raises it to `hard` when it starts.
    pub soft: u64,
    /// The most that it may become.
    pub hard: u64,
    /// The running server, or nobody: then it is this shell's.
    pub of: Option<u32>,
}

/// The limit of the running server, or of this process.
pub fn file_limit(running: Option<u32>) -> Option<FileLimit> {
    let read = |who: &str, of| limit(&fs::read_to_string(format!("/proc/{who}/limits")).ok()?, of);
    running.and_then(|pid| read(&pid.to_string(), Some(pid))).or_else(|| read("self", None))
}

fn limit(text: &str, of: Option<u32>) -> Option<FileLimit> {
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let mut numbers =
        line.split_ascii_whitespace().map(|n| if n == "unlimited" { Some(u64::MAX) } else { n.parse().ok() });
    Some(FileLimit { soft: numbers.next()??, hard: numbers.next()??, of })
}

/// Files that are needed when every connection that our bounds allow is open.
pub fn files_wanted(ports: &[Port], workers: u8) -> u64 {
    let bounds = Bounds::default();
    let streams = ports.iter().filter(|port| !port.datagram).count() as u64;
    streams * bounds.connections_per_listener as u64
        + u64::from(workers) * bounds.connections_opened as u64
        + OTHER_FILES
}

/// How it stands with the limit.
pub fn judge_files(limit: Option<FileLimit>, wanted: u64) -> Finding {
    const WHAT: &str = "open files";
    let Some(limit) = limit else {
        return Finding::warn(WHAT, "the limit cannot be read from /proc", "ulimit -Hn");
    };
    // A running server has raised it as far as it goes.
    let (have, whose) = match limit.of {
        Some(pid) => (limit.soft, format!("the running server (process {pid})")),
        None => (limit.hard, "a server started from this shell".to_owned()),
    };
    let fix = "LimitNOFILE=1048576 in `systemctl edit lyceum`; in a shell `ulimit -Hn 1048576` as root";
    if have < FEW_FILES {
        return Finding::fail(WHAT, format!("{whose} may hold {have}: some {} connections", have / 2), fix);
    }
    if have < wanted {
        let detail = format!("{whose} may hold {have}; {wanted} would carry every connection that it accepts");
        return Finding::warn(WHAT, detail, fix);
    }
    Finding::ok(WHAT, format!("{whose} may hold {have}, {wanted} are enough"))
}

/// A kernel setting, by its name as sysctl writes it.
pub fn setting(name: &str) -> Option<String> {
    fs::read_to_string(format!("/proc/sys/{}", name.replace('.', "/"))).ok().map(|text| text.trim().to_owned())
}

/// The kernel settings that matter: name, least value, what is lost below it.
pub fn settings() -> Vec<(&'static str, u64, &'static str)> {
    let buffer = Bounds::default().datagram_buffer as u64;
    vec![
        ("net.core.rmem_max", buffer, "bursts of UDP requests are dropped"),
        ("net.core.wmem_max", buffer, "bursts of UDP answers are dropped"),
        ("net.core.somaxconn", BACKLOG, "connections are refused when everybody reconnects at once"),
    ]
}

/// How it stands with one of them.
pub fn judge_setting(name: &str, value: Option<&str>, least: u64, lost: &str) -> Finding {
    let fix = format!("sysctl -w {name}={least} && echo '{name} = {least}' >> /etc/sysctl.d/60-lyceum.conf");
    match value.and_then(|value| value.parse::<u64>().ok()) {
        Some(value) if value >= least => Finding::ok(name, value.to_string()),
        Some(value) => Finding::warn(name, format!("{value} is less than {least}: {lost}"), fix),
        None => Finding::warn(name, "cannot be read", format!("sysctl {name}")),
    }
}

/// A port of ours in the range that the kernel gives to outgoing connections may be taken at the next start.
pub fn judge_range(range: Option<&str>, ports: &[Port]) -> Option<Finding> {
    let mut ends = range?.split_ascii_whitespace().map(str::parse::<u16>);
    let (low, high) = (ends.next()?.ok()?, ends.next()?.ok()?);
    let inside = ports.iter().map(|port| port.addr.port()).find(|port| (low..=high).contains(port))?;
    let detail = format!(
        "port {inside} lies in {low}–{high}, which the kernel gives to outgoing connections: it may be taken at the next start"
    );
    let fix = format!("sysctl -w net.ipv4.ip_local_reserved_ports={inside}, or choose a port below {low}");
    Some(Finding::warn("net.ipv4.ip_local_port_range", detail, fix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Verdict::{Fail, Ok, Warn};

    #[test]
    fn the_clock_is_judged_by_who_keeps_it() {
        let now = EARLIEST + 1;
        for (synchronised, now, verdict) in [
            (Synchronised::Yes("chronyc"), now, Ok),
            (Synchronised::No("chronyc"), now, Warn),
            (Synchronised::Unknown, now, Warn),
            (Synchronised::Yes("chronyc"), 0, Fail),
        ] {
            assert_eq!(judge_clock(synchronised, now).verdict, verdict, "{synchronised:?} {now}");
        }
    }

    #[test]
    fn chrony_says_it_in_its_leap_status() {
        for (text, answer) in [
            ("Reference ID : X\nLeap status     : Normal\n", Synchronised::Yes("chronyc")),
            ("Leap status     : Not synchronised\n", Synchronised::No("chronyc")),
            ("506 Cannot talk to daemon", Synchronised::No("chronyc")),
        ] {
            assert_eq!(chrony(text), answer);
        }
    }

    #[test]
    fn the_file_limit_is_judged_by_what_the_server_can_get() {
        let limit = |soft, hard, of| Some(FileLimit { soft, hard, of });
        for (facts, verdict) in [
            (limit(1_024, 1_048_576, None), Ok),
            (limit(1_024, 1_048_576, Some(7)), Warn),
            (limit(1_048_576, 1_048_576, Some(7)), Ok),
            (limit(1_024, 4_096, None), Warn),
            (limit(256, 512, None), Fail),
            (None, Warn),
        ] {
            assert_eq!(judge_files(facts, 190_000).verdict, verdict, "{facts:?}");
        }
    }

    #[test]
    fn limits_are_read_as_proc_writes_them() {
        let text = "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 524288               files\n";
        assert_eq!(limit(text, None), Some(FileLimit { soft: 1024, hard: 524_288, of: None }));
        assert_eq!(limit(&text.replace("524288", "unlimited"), None).unwrap().hard, u64::MAX);
        assert_eq!(limit("nothing", None), None);
        assert!(file_limit(None).is_some());
    }

    #[test]
    fn a_stream_port_wants_files_and_a_datagram_port_does_not() {
        let port = |datagram| Port { what: "x".into(), addr: "127.0.0.1:1".parse().unwrap(), datagram };
        assert_eq!(files_wanted(&[port(true)], 1), 8_000 + OTHER_FILES);
        assert_eq!(files_wanted(&[port(true), port(false)], 2), 60_000 + 16_000 + OTHER_FILES);
    }

    #[test]
    fn a_setting_is_judged_by_its_least_value() {
        for (value, verdict) in [(Some("4096"), Ok), (Some("128"), Warn), (Some("what"), Warn), (None, Warn)] {
            assert_eq!(judge_setting("net.core.somaxconn", value, 4096, "x").verdict, verdict);
        }
        let fix = judge_setting("net.core.somaxconn", Some("128"), 4096, "x").fix.unwrap();
        assert!(fix.starts_with("sysctl -w net.core.somaxconn=4096"), "{fix}");
    }

    #[test]
    fn a_port_in_the_kernels_own_range_is_told() {
        let port = |port: u16| [Port { what: "udp".into(), addr: ([0, 0, 0, 0], port).into(), datagram: true }];
        assert!(judge_range(Some("32768\t60999"), &port(5060)).is_none());
        assert!(judge_range(Some("32768\t60999"), &port(40_000)).is_some());
        assert!(judge_range(Some("nonsense"), &port(40_000)).is_none());
        assert!(judge_range(None, &port(40_000)).is_none());
    }
}
