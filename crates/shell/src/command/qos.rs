//! `lyceum qos`: ports and marks of each modality, and what the network needs to keep to them.

use super::plan::{tables, write};
use super::qos_probe::{Agent, Verify};
use crate::failure::Failure;
use crate::session::Run;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use lyceum_plan::qos::{QosTarget, advice, export, table};
use lyceum_topology::Document;
use lyceum_topology::qos::Qos;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Ports and mark of each modality
    Show(Source),
    /// Check the table: ranges that overlap or cannot be used, and what is allowed but unwise
    Check(Source),
    /// Settings for hosts, routers, switches, access points and phones
    Export(Export),
    /// Send marked probes to an agent and tell for each modality and direction whether the mark arrived
    Verify(Verify),
    /// Answer the probes of 'lyceum qos verify' from another host, until interrupted
    Agent(Agent),
}

/// Which topology.
#[derive(Debug, Args)]
pub struct Source {
    /// A topology document, YAML or JSON; '-' is standard input [default: the one in force on the server]
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Export {
    /// For what; without one, for all, into --dir
    #[arg(value_parser = PossibleValuesParser::new(QosTarget::ALL.map(QosTarget::as_str)), value_name = "TARGET")]
    targets: Vec<String>,
    /// Write a file for each target into this folder instead of standard output
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    source: Source,
}

impl Verb {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        match self {
            Verb::Show(source) => {
                let qos = source.document(run)?.qos.in_force();
                tables::print(run, &[table(&qos)], None)
            }
            Verb::Check(source) => check(run, &source),
            Verb::Export(export) => export.run(run),
            Verb::Verify(verify) => verify.run(run),
            Verb::Agent(agent) => agent.run(run),
        }
    }
}

impl Source {
    fn document(&self, run: &mut Run<'_>) -> Result<Document, Failure> {
        let (name, value) = match &self.file {
            Some(file) => {
                let text = run.file(file)?;
                let document = Document::from_yaml(&text);
                return document.map_err(|problems| faults(&shown(file), &problems));
            }
            None => ("the server's topology".to_owned(), run.get("/topology", &[])?["document"].take()),
        };
        Document::from_value(value).map_err(|problems| faults(&name, &problems))
    }

    /// What is in force.
    pub fn qos(&self, run: &mut Run<'_>) -> Result<Qos, Failure> {
        let document = self.document(run)?;
        let problems = problems(&document);
        if problems.is_empty() { Ok(document.qos.in_force()) } else { Err(faults("qos", &problems)) }
    }
}

fn shown(file: &Path) -> String {
    if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() }
}

fn faults(name: &str, problems: &[lyceum_topology::Problem]) -> Failure {
    let lines: Vec<String> = problems.iter().map(|problem| format!("{name}: {problem}")).collect();
    Failure::Input(lines.join("\n"))
}

/// What is wrong with the ports and marks of a document.
fn problems(document: &Document) -> Vec<lyceum_topology::Problem> {
    document.validate().into_iter().filter(|problem| problem.path.starts_with("qos")).collect()
}

fn check(run: &mut Run<'_>, source: &Source) -> Result<(), Failure> {
    let document = source.document(run)?;
    let problems = problems(&document);
    if !problems.is_empty() {
        return Err(faults("qos", &problems));
    }
    let advice = advice(&document.qos.in_force());
    run.say("every modality has ports of its own")?;
    advice.iter().try_for_each(|one| run.say(&format!("advice: {one}")))
}

impl Export {
    fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let mut targets: Vec<QosTarget> = self.targets.iter().filter_map(|name| QosTarget::parse(name)).collect();
        if targets.is_empty() {
            targets = QosTarget::ALL.to_vec();
        }
        let qos = self.source.qos(run)?;
        match (self.dir, targets.as_slice()) {
            (Some(dir), targets) => {
                let file = |target: &QosTarget| (target.file_name().to_owned(), export(&qos, *target));
                write::folder(run, &dir, &targets.iter().map(file).collect::<Vec<_>>())
            }
            (None, [target]) => tables::write(run, &export(&qos, *target)),
            (None, _) => Err(Failure::Usage("name one target, or a folder with --dir".to_owned())),
        }
    }
}
