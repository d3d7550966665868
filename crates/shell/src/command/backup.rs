//! `lyceum backup` and `lyceum restore`.

use crate::client::Body;
use crate::failure::Failure;
use crate::output::Columns;
use crate::session::Run;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

const COLUMNS: Columns = Columns::all(&["state", "file"]);

#[derive(Debug, Args)]
pub struct Backup {
    /// File to write [default: a dated file in the server's backup folder]
    file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Restore {
    /// A file that 'lyceum backup' wrote
    file: PathBuf,
}

impl Backup {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let mut body = json!({});
        if let Some(file) = &self.file {
            let file = std::path::absolute(file).map_err(|why| Failure::File { file: file.clone(), why })?;
            body["file"] = json!(file);
        }
        let mut status = run.write("POST", "/backup", Body::Json(body))?;
        let bar = run.bar(100);
        while status["state"] == "running" && !run.common.what_if {
            bar.set_length(status["total"].as_u64().unwrap_or(0).max(1));
            bar.set_position(status["done"].as_u64().unwrap_or(0));
            std::thread::sleep(Duration::from_millis(100));
            status = run.get("/backup", &[])?;
        }
        bar.finish_and_clear();
        match &status["error"] {
            Value::String(why) => Err(Failure::Failed(why.clone())),
            _ => run.object(status, COLUMNS),
        }
    }
}

impl Restore {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let data = run.common.data.clone();
        let place = data.as_ref().map_or("the default data folder".to_owned(), |d| d.display().to_string());
        run.confirm(&format!("Restore the backup {} into {place}?", self.file.display()))?;
        let done = run.offline.restore(&self.file, data.as_deref(), run.common.what_if);
        run.say(&done.map_err(Failure::Failed)?)
    }
}
