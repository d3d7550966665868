//! `lyceum completions`.

use crate::failure::Failure;
use crate::session::Run;
use clap::Args;
use clap_complete::Shell;

#[derive(Debug, Args)]
pub struct Completions {
    /// bash, zsh, fish, elvish or powershell
    shell: Shell,
}

impl Completions {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut run.tree.clone(), "lyceum", &mut text);
        run.streams.output.write_all(&text).map_err(|_| Failure::OutputClosed)
    }
}
