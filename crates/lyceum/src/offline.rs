//! Shell commands that need no running server.

use std::path::{Path, PathBuf};

/// The binary's own abilities for the shell.
pub struct Binary;

impl lyceum_shell::Offline for Binary {
    fn restore(&self, file: &Path, data: Option<&Path>, what_if: bool) -> Result<String, String> {
        let data: PathBuf = data.map_or_else(|| "/var/lib/lyceum".into(), Path::to_path_buf);
        if what_if {
            return Ok(format!("{} would be restored into {}.", file.display(), data.display()));
        }
        lyceum_store::restore(file, &data, &mut |_| {}).map_err(|error| error.to_string())?;
        Ok(format!("{} is restored into {}.", file.display(), data.display()))
    }
}
