//! What the doctor looks at: a node by its file, a folder of `lyceum dev`, or a data folder by itself.

use std::path::{Path, PathBuf};

use super::finding::Finding;
use crate::config::{NodeConfig, Port, TlsConfig};
use crate::dev::data_folder;

/// A node, as far as it is known.
#[derive(Debug, Default)]
pub struct Subject {
    /// What reading the configuration gave.
    pub findings: Vec<Finding>,
    /// Name and pool, as the node file says.
    pub node: Option<(String, String)>,
    /// Data folder.
    pub data: Option<PathBuf>,
    /// Master key file.
    pub key: Option<PathBuf>,
    /// Local socket.
    pub socket: Option<PathBuf>,
    /// Certificate files.
    pub tls: Option<TlsConfig>,
    /// Ports that it is to open; for a dev folder those of the running server.
    pub ports: Vec<Port>,
    /// Workers.
    pub workers: u8,
    /// Loopback only, found by address: names are not asked for.
    pub dev: bool,
    /// The command that starts it.
    pub start: String,
}

impl Subject {
    /// A node by its file; `data` overrides the data folder, as after a restore on trial.
    pub fn node(path: &Path, data: Option<&Path>) -> Subject {
        const WHAT: &str = "node file";
        let shown = path.display();
        let mut subject = Subject { start: "systemctl start lyceum".into(), workers: 1, ..Subject::default() };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let fix = format!(
                    "start from deploy/node.toml: `install -D -m 0640 node.toml {shown}`; for a folder of `lyceum dev`: `lyceum doctor --data DIR`"
                );
                subject.findings.push(Finding::fail(WHAT, format!("{shown} is not there"), fix));
                return subject.with_data(data);
            }
            Err(error) => {
                subject.findings.push(Finding::fail(
                    WHAT,
                    format!("{shown} cannot be read ({error})"),
                    "sudo lyceum doctor",
                ));
                return subject.with_data(data);
            }
        };
        let (config, faults) = NodeConfig::examine(&text);
        subject.findings = faults
            .iter()
            .map(|fault| Finding::fail(WHAT, format!("{shown}: {}", fault.what), fault.fix.clone()))
            .collect();
        if faults.is_empty() {
            subject.findings.push(Finding::ok(WHAT, format!("{shown} is right")));
        }
        if let Some(config) = config {
            subject.ports = config.ports();
            subject.node = Some((config.name, config.pool));
            subject.data = Some(config.data);
            subject.key = Some(config.master_key);
            subject.socket = Some(config.socket);
            subject.tls = config.tls;
            subject.workers = config.workers;
        }
        subject.with_data(data)
    }

    /// Another data folder than the node's: neither its server nor its ports have to do with that one.
    fn with_data(mut self, data: Option<&Path>) -> Subject {
        if let Some(data) = data {
            self.data = Some(data.to_owned());
            self.socket = None;
            self.ports.clear();
        }
        self
    }

    /// A folder by itself.
    pub fn folder(dir: &Path) -> Subject {
        let shown = dir.display();
        let mut subject =
            Subject { dev: true, workers: 1, start: format!("lyceum dev --data {shown}"), ..Subject::default() };
        if !dir.is_dir() {
            let fix =
                format!("name the folder that was given to `lyceum dev --data`, or make one: `{}`", subject.start);
            subject.findings.push(Finding::fail("folder", format!("{shown} is no folder"), fix));
            return subject;
        }
        if dir.join("lyceum.db").exists() && !dir.join("key/master.key").exists() {
            // The data alone, as `lyceum restore` leaves it; which key belongs to it only a node file says.
            subject.data = Some(dir.to_owned());
            let fix = format!("lyceum doctor --config NODE.TOML --data {shown}");
            subject.findings.push(Finding::warn(
                "folder",
                format!("{shown} is a data folder; which key opens it is not known here"),
                fix,
            ));
            return subject;
        }
        let (certificate, key) = (dir.join("ca/server.pem"), dir.join("ca/server.key"));
        subject.tls =
            certificate.exists().then(|| TlsConfig { certificate, key, authorities: Some(dir.join("ca/ca.pem")) });
        subject.data = Some(data_folder(dir));
        subject.key = Some(dir.join("key/master.key"));
        subject.socket = Some(dir.join(lyceum_api::SOCKET_NAME));
        subject.findings.push(match subject.tls {
            Some(_) => Finding::ok("folder", format!("{shown} belongs to `lyceum dev`")),
            None => Finding::warn("folder", format!("{shown} was never used by `lyceum dev`"), subject.start.clone()),
        });
        subject
    }
}
