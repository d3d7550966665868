//! `lyceum plan new`: the interview in a terminal, or from a script that has the answers line by line.

use super::write;
use crate::failure::Failure;
use crate::session::Run;
use clap::Args;
use lyceum_plan::interview::{Interview, Question};
use lyceum_plan::template;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub struct New {
    /// Where to write the plan; standard output without one, or with '-'
    file: Option<PathBuf>,
    /// Ask nothing: write a file that shows every question with what is assumed
    #[arg(long)]
    defaults: bool,
}

/// The longest line that is taken for an answer, in bytes.
const MAX_LINE: u64 = 64 << 10;

const HELP: &str =
    "Enter takes what is shown in brackets; < goes back; ? says more; . takes all that is left as assumed.";

impl New {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let file = self.file.as_deref().unwrap_or(Path::new("-"));
        // Nobody wants to answer a hundred questions and be told then that the file is there.
        if file != Path::new("-") && file.exists() {
            run.confirm(&format!("Write over {}?", file.display()))?;
            run.common.yes = true;
        }
        let text = if self.defaults { template() } else { hold(run)? };
        write::file(run, file, text.as_bytes())
    }
}

/// Asks until there is nothing left to ask; what is asked goes to standard error.
fn hold(run: &mut Run<'_>) -> Result<String, Failure> {
    let mut interview = Interview::new();
    let mut group = "";
    run.warn(HELP);
    while let Some(question) = interview.question() {
        if question.group != group {
            group = question.group;
            run.warn(&format!("\n{group}"));
        }
        ask(run, &question);
        let Some(line) = line(run)? else {
            if question.required {
                let text = format!("the answers end at {}: {} has to be answered", question.id, question.text);
                return Err(Failure::Input(text));
            }
            return finish(run, interview);
        };
        match line.trim() {
            "." if !question.required => return finish(run, interview),
            "<" => {
                if !interview.back() {
                    run.warn("  this is the first question");
                }
            }
            "?" => explain(run, &question),
            "" | "." => refused(run, interview.skip())?,
            typed => refused(run, interview.answer(typed))?,
        }
    }
    Ok(interview.file())
}

/// Skips what is left; what must be answered was not begun.
fn finish(run: &mut Run<'_>, mut interview: Interview) -> Result<String, Failure> {
    while interview.question().is_some() {
        interview.skip().map_err(|refusal| Failure::Input(refusal.to_string()))?;
    }
    run.warn("\nWhat is left is assumed.");
    Ok(interview.file())
}

fn ask(run: &mut Run<'_>, question: &Question) {
    for reason in &question.because {
        run.warn(&format!("  because: {reason}"));
    }
    let bracket = match &question.skipped {
        Some(skipped) => format!(" [{skipped}]"),
        None if question.required => String::new(),
        None => " [as follows from the rest]".to_owned(),
    };
    // Nobody is left to ask when standard error is gone; the answers decide.
    write!(run.streams.errors, "{}{bracket} ", question.text).and_then(|()| run.streams.errors.flush()).ok();
}

fn explain(run: &mut Run<'_>, question: &Question) {
    run.warn(&format!("  {}: expected is {}", question.id, question.expected));
    if !question.source.is_empty() {
        run.warn(&format!("  what is assumed follows {}", question.source));
    }
    run.warn(&format!("  {HELP}"));
}

/// A person sees what was wrong and is asked again; a script has made a mistake.
fn refused(run: &mut Run<'_>, outcome: Result<(), lyceum_plan::interview::Refusal>) -> Result<(), Failure> {
    match outcome {
        Err(refusal) if !run.streams.input_is_terminal => Err(Failure::Input(format!("standard input: {refusal}"))),
        Err(refusal) => {
            run.warn(&format!("  found {}; expected {}", refusal.found, refusal.expected));
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// The next line; nothing at the end of the input.
fn line(run: &mut Run<'_>) -> Result<Option<String>, Failure> {
    let mut line = String::new();
    let mut most = std::io::Read::take(&mut run.streams.input, MAX_LINE);
    let read = std::io::BufRead::read_line(&mut most, &mut line);
    let read = read.map_err(|why| Failure::File { file: "standard input".into(), why })?;
    Ok((read > 0).then_some(line))
}
