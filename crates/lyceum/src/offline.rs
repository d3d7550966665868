//! Shell commands that need no running server.

use std::fs;
use std::path::{Path, PathBuf};

use crate::config::NodeConfig;
use crate::doctor::folder;

/// The node file whose data folder is meant when none is named.
const NODE_FILE: &str = "/etc/lyceum/node.toml";
/// The data folder when there is no node file either.
const DATA: &str = "/var/lib/lyceum/data";

/// The binary's own abilities for the shell.
pub struct Binary;

impl lyceum_shell::Offline for Binary {
    fn restore(&self, file: &Path, data: Option<&Path>, what_if: bool) -> Result<String, String> {
        let data = target(data);
        if let Some(pid) = folder::gather(&data).held {
            let who = pid.map_or("a server".into(), |pid| format!("the server with process id {pid}"));
            return Err(format!("{} is in use by {who}: stop it, and move the folder away", data.display()));
        }
        if what_if {
            let (file, data) = (file.display(), data.display());
            fs::File::open(file.to_string())
                .map_err(|error| format!("{file} cannot be read ({error}): check the path"))?;
            if fs::read_dir(data.to_string()).is_ok_and(|mut entries| entries.next().is_some()) {
                return Err(format!("the folder {data} is not empty: move it away first, `mv {data} {data}.old`"));
            }
            return Ok(format!("{file} would be restored into {data}."));
        }
        let summary = lyceum_store::restore(file, &data, &mut |_| {}).map_err(|error| error.to_string())?;
        let (file, data, topology) = (file.display(), data.display(), summary.topology);
        Ok(format!(
            "{file} is restored into {data}: topology version {topology}. It opens with the master key of the server that made it."
        ))
    }

    fn enrol(&self, token: &str, data: &Path) -> Result<String, String> {
        crate::edge::enrolment::enrol(token, data).map_err(|error| format!("{error:#}"))
    }
}

/// The data folder to restore into: the one named, below it when it is a folder of `lyceum dev`, or the node's own.
fn target(data: Option<&Path>) -> PathBuf {
    match data {
        Some(dir) if dir.join("key/master.key").exists() => dir.join("data"),
        Some(dir) => dir.to_owned(),
        None => {
            let text = fs::read_to_string(NODE_FILE).unwrap_or_default();
            NodeConfig::examine(&text).0.map_or_else(|| DATA.into(), |config| config.data)
        }
    }
}
