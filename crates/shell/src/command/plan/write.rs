//! What a plan comes to, as files.

use super::survey::Brought;
use crate::failure::Failure;
use crate::session::Run;
use clap::Args;
use lyceum_plan::report::report;
use lyceum_plan::{Results, picture};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub struct Report {
    /// The plan file; '-' is standard input
    plan: PathBuf,
    /// What to write: a page (.html), a workbook (.xlsx), a folder for pictures (.svg inside); '-' is the page on standard output
    #[arg(required = true, value_name = "OUT")]
    outs: Vec<PathBuf>,
    /// The day that the report shows
    #[arg(long, value_name = "TEXT")]
    date: Option<String>,
    #[command(flatten)]
    brought: Brought,
}

impl Report {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let plan = super::read(run, &self.plan)?;
        let results = Results::of(&plan);
        let judged = self.brought.judge(run, Some(&results.bandwidth))?;
        let report = report(&results, &judged.extras(self.date.as_deref()));
        for out in &self.outs {
            let kind = out.extension().map(|kind| kind.to_string_lossy().to_lowercase());
            match kind.as_deref() {
                _ if out == Path::new("-") => file(run, out, report.html().as_bytes())?,
                Some("html" | "htm") => file(run, out, report.html().as_bytes())?,
                Some("xlsx") => file(run, out, &report.workbook())?,
                Some(other) if !out.is_dir() => {
                    let text = format!(
                        "{}: .{other} is nothing that is written: name .html, .xlsx or a folder",
                        out.display()
                    );
                    return Err(Failure::Usage(text));
                }
                _ => {
                    let all = picture::pictures(&results).into_iter();
                    let files: Vec<(String, String)> = all.map(|p| (format!("{}.svg", p.id), p.svg())).collect();
                    folder(run, out, &files)?;
                }
            }
        }
        Ok(())
    }
}

/// Writes a file, asking before one is written over; `-` is standard output.
pub fn file(run: &mut Run<'_>, file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if file == Path::new("-") {
        return run.streams.output.write_all(bytes).map_err(|_| Failure::OutputClosed);
    }
    if run.common.what_if {
        return run.say(&format!("what if: write {}", file.display()));
    }
    if file.exists() {
        run.confirm(&format!("Write over {}?", file.display()))?;
    }
    std::fs::write(file, bytes).map_err(|why| Failure::File { file: file.to_owned(), why })?;
    run.say(&format!("wrote {}", file.display()))
}

/// Writes files into a folder, which is made where there is none.
pub fn folder(run: &mut Run<'_>, folder: &Path, files: &[(String, String)]) -> Result<(), Failure> {
    if run.common.what_if {
        return run.say(&format!("what if: write {} files into {}", files.len(), folder.display()));
    }
    let there = files.iter().filter(|(name, _)| folder.join(name).exists()).count();
    if there > 0 {
        run.confirm(&format!("Write over {there} files in {}?", folder.display()))?;
    }
    std::fs::create_dir_all(folder).map_err(|why| Failure::File { file: folder.to_owned(), why })?;
    for (name, text) in files {
        let file = folder.join(name);
        std::fs::write(&file, text).map_err(|why| Failure::File { file, why })?;
    }
    run.say(&format!("wrote {} files into {}", files.len(), folder.display()))
}
