//! `lyceum status`.

use crate::failure::Failure;
use crate::output::Columns;
use crate::session::Run;
use clap::Args;

const COLUMNS: Columns = Columns::all(&[
    "status",
    "node",
    "program",
    "pid",
    "started",
    "topology_version",
    "users",
    "registered",
    "calls",
    "listeners",
    "certificates",
]);

#[derive(Debug, Args)]
pub struct Status {}

impl Status {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let status = run.get("/status", &[])?;
        let good = status["status"] == "ok";
        run.object(status, COLUMNS)?;
        if good { Ok(()) } else { Err(Failure::Failed("the server is not well; see its log".to_owned())) }
    }
}
