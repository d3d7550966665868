//! The running server, asked over its local socket.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use lyceum_api::server::Status;
use lyceum_shell::client::{Api, Body, Call, Socket};
use lyceum_shell::failure::Failure;
use lyceum_topology::Document;

use super::finding::Finding;
use crate::config::Port;

/// A server that does not answer within this hangs.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the local socket gives.
#[derive(Debug)]
pub enum Answer {
    /// A server, with the document it runs.
    Running(Box<Status>, Option<Box<Document>>),
    /// There is no socket.
    Nothing,
    /// There is one, and this came of it.
    Refused(String),
    /// It took the question and gave no answer in time.
    Hangs,
}

impl Answer {
    /// The server's process.
    pub fn pid(&self) -> Option<u32> {
        match self {
            Answer::Running(status, _) => Some(status.pid),
            _ => None,
        }
    }

    /// The ports that it serves.
    pub fn ports(&self) -> Vec<Port> {
        let Answer::Running(status, _) = self else { return Vec::new() };
        status.listeners.iter().filter_map(|line| port(line)).collect()
    }
}

/// `udp 192.0.2.1:5060`, perhaps with more words behind it.
fn port(line: &str) -> Option<Port> {
    let mut words = line.split_ascii_whitespace();
    let what = words.next()?.to_ascii_lowercase();
    let addr: SocketAddr = words.next()?.parse().ok()?;
    let datagram = what == "udp";
    Some(Port { what: if what == "wss" { "https".into() } else { what }, addr, datagram })
}

/// Asks for status and topology.
pub fn ask(socket: &Path) -> Answer {
    if !socket.exists() {
        return Answer::Nothing;
    }
    let (say, hear) = mpsc::sync_channel(1);
    let path: PathBuf = socket.to_owned();
    std::thread::spawn(move || say.send(question(&path)).ok());
    match hear.recv_timeout(PATIENCE) {
        Ok(Ok(answer)) => answer,
        Ok(Err(Failure::Unreachable { why, .. })) => Answer::Refused(why),
        Ok(Err(failure)) => Answer::Refused(failure.explain().lines().next().unwrap_or_default().to_owned()),
        Err(_) => Answer::Hangs,
    }
}

fn question(path: &Path) -> Result<Answer, Failure> {
    let mut server = Socket::new(path)?;
    let mut get = |path: &str| server.call(Call { method: "GET", path: path.into(), body: Body::Empty });
    let status: Status = serde_json::from_value(get("/status")?).map_err(|error| Failure::Failed(error.to_string()))?;
    let topology = get("/topology").ok();
    let document = topology.and_then(|topology| Document::from_json(&topology["document"].to_string()).ok());
    // The document as such has no number: its edition is the server's.
    let document = document.map(|document| Box::new(Document { version: status.topology_version, ..document }));
    Ok(Answer::Running(Box::new(status), document))
}

/// How it stands with the server.
pub fn judge(socket: &Path, answer: &Answer, start: &str) -> Vec<Finding> {
    const WHAT: &str = "server";
    let shown = socket.display();
    let own = env!("CARGO_PKG_VERSION");
    match answer {
        Answer::Nothing => vec![Finding::warn(WHAT, format!("none runs: there is no local socket {shown}"), start)],
        Answer::Refused(why) if why.contains("ermission") => {
            let detail = format!("{shown} may not be used by this user");
            vec![Finding::warn(WHAT, detail, "sudo lyceum doctor, or ask as the server's own user")]
        }
        Answer::Refused(why) => {
            vec![Finding::fail(WHAT, format!("{shown} is there, but no server answers ({why})"), start)]
        }
        Answer::Hangs => {
            let detail = format!("{shown} gives no answer within {} s", PATIENCE.as_secs());
            vec![Finding::fail(WHAT, detail, "journalctl -u lyceum -n 100; then `systemctl restart lyceum`")]
        }
        Answer::Running(status, _) => {
            let detail = format!(
                "process {} is {}, {} users, {} registered, {} calls",
                status.pid, status.status, status.users, status.registered, status.calls
            );
            let mut found = vec![match status.status.as_str() {
                "ok" => Finding::ok(WHAT, detail),
                "draining" => Finding::warn(WHAT, detail, "it is being stopped: wait, then `systemctl start lyceum`"),
                _ => Finding::fail(
                    WHAT,
                    format!("{detail}: the store cannot be written"),
                    "df -h; journalctl -u lyceum -p err",
                ),
            }];
            if status.program != own {
                let detail = format!("version {} runs, this binary is {own}", status.program);
                found.push(Finding::warn("version", detail, "systemctl restart lyceum"));
            }
            found
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Verdict::{Fail, Ok as Good, Warn};

    #[test]
    fn answers_lead_to_a_verdict() {
        let running = |state: &str, program: &str| {
            Answer::Running(
                Box::new(Status { status: state.into(), program: program.into(), pid: 7, ..Status::default() }),
                None,
            )
        };
        let own = env!("CARGO_PKG_VERSION");
        for (answer, verdicts, part) in [
            (running("ok", own), vec![Good], "process 7 is ok"),
            (running("draining", own), vec![Warn], "draining"),
            (running("degraded", own), vec![Fail], "cannot be written"),
            (running("ok", "0.0.1"), vec![Good, Warn], "process 7"),
            (Answer::Nothing, vec![Warn], "none runs"),
            (Answer::Refused("Permission denied (os error 13)".into()), vec![Warn], "may not be used"),
            (Answer::Refused("Connection refused (os error 111)".into()), vec![Fail], "no server answers"),
            (Answer::Hangs, vec![Fail], "no answer within"),
        ] {
            let found = judge(Path::new("/s"), &answer, "systemctl start lyceum");
            let said: Vec<_> = found.iter().map(|finding| finding.verdict).collect();
            assert!(said == verdicts && found[0].detail.contains(part), "{part}: {found:?}");
        }
    }

    #[test]
    fn listeners_are_read_as_the_status_writes_them() {
        let udp = port("udp 192.0.2.1:5060").unwrap();
        assert_eq!((udp.what.as_str(), udp.datagram), ("udp", true));
        assert_eq!(port("wss [::1]:8443").unwrap().what, "https");
        assert_eq!(port("nonsense"), None);
    }
}
