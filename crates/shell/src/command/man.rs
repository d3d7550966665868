//! `lyceum man`.

use crate::failure::Failure;
use crate::session::Run;
use clap::{Args, Command};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub struct Man {
    /// Write every page (lyceum.1, lyceum-user-new.1, …) into this folder instead of the first to standard output
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl Man {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let Some(dir) = self.dir else {
            let page = rendered(run.tree.clone())?;
            return run.streams.output.write_all(&page).map_err(|_| Failure::OutputClosed);
        };
        std::fs::create_dir_all(&dir).map_err(|why| Failure::File { file: dir.clone(), why })?;
        let mut tree = run.tree.clone();
        tree.build();
        let pages = write(&tree, "lyceum", &dir)?;
        run.say(&format!("{pages} pages in {}", dir.display()))
    }
}

fn rendered(command: Command) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page).map_err(|e| Failure::Failed(e.to_string()))?;
    Ok(page)
}

fn write(command: &Command, name: &str, dir: &Path) -> Result<usize, Failure> {
    let file = dir.join(format!("{name}.1"));
    let page = rendered(command.clone())?;
    std::fs::write(&file, page).map_err(|why| Failure::File { file, why })?;
    let mut pages = 1;
    for below in command.get_subcommands().filter(|c| c.get_name() != "help" && !c.is_hide_set()) {
        pages += write(below, &format!("{name}-{}", below.get_name()), dir)?;
    }
    Ok(pages)
}
