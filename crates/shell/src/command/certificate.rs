//! `lyceum certificate`.

use crate::client::Body;
use crate::failure::Failure;
use crate::output::Columns;
use crate::session::Run;
use clap::Subcommand;
use serde_json::Value;

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Show the certificates in use
    Get,
    /// Read the certificate files again; connections stay up
    Reload,
}

impl Verb {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let found = match self {
            Verb::Get => run.get("/status", &[])?["certificates"].take(),
            Verb::Reload => run.write("POST", "/certificates/reload", Body::Empty)?,
        };
        match found {
            Value::Array(found) => run.list(found, Columns::all(&["names", "expires"])),
            _ => Err(Failure::Failed("the server's answer is not a list".to_owned())),
        }
    }
}
