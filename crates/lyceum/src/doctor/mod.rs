//! `lyceum doctor`: looks at a node and its machine, changes nothing, and says for each thing how it stands and what
//! mends it.
//!
//! Every check is two functions: one gathers facts, one judges them. The judges know no machine and are tested as tables.

mod certificates;
mod finding;
pub mod folder;
mod machine;
mod names;
mod ports;
mod secrets;
mod server;
mod subject;
mod topology;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use lyceum_store::MasterKey;
use lyceum_topology::Document;

use finding::{Finding, Verdict};
use server::Answer;
use subject::Subject;

/// Where the node file is when nobody says.
const DEFAULT_CONFIG: &str = "/etc/lyceum/node.toml";

/// What `lyceum doctor` takes.
#[derive(Args, Clone, Debug)]
pub struct DoctorArgs {
    /// The node file [default: /etc/lyceum/node.toml]
    #[arg(long)]
    config: Option<PathBuf>,
    /// The folder of a `lyceum dev`; with --config, a data folder to look at instead of the node's own
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// One JSON array instead of lines
    #[arg(long)]
    json: bool,
}

/// Prints what is found; 1 when something fails.
pub fn run(args: &DoctorArgs) -> ExitCode {
    let findings = examine(&match (&args.config, &args.data) {
        (None, Some(dir)) => Subject::folder(dir),
        (config, data) => Subject::node(config.as_deref().unwrap_or(DEFAULT_CONFIG.as_ref()), data.as_deref()),
    });
    if args.json {
        println!("{}", serde_json::to_string_pretty(&findings).unwrap_or_default());
    } else {
        print!("{}", finding::text(&findings));
    }
    let failed = findings.iter().any(|finding| finding.verdict == Verdict::Fail);
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn examine(subject: &Subject) -> Vec<Finding> {
    let mut found = subject.findings.clone();
    let answer = subject.socket.as_deref().map(server::ask);
    let running = answer.as_ref().and_then(Answer::pid);
    if let (Some(socket), Some(answer)) = (&subject.socket, &answer) {
        found.extend(server::judge(socket, answer, &subject.start));
    }
    let held = storage(subject, running, &mut found);
    let document = document(subject, answer.as_ref(), held, &mut found);
    if let Some(document) = document.as_ref().filter(|_| subject.dev) {
        name_domain(&mut found, &subject.start, document);
    }
    // A server whose socket this user may not open still holds its folder.
    let running = running.or(held);
    let ports = match &answer {
        Some(answer) if subject.dev => answer.ports(),
        _ => subject.ports.clone(),
    };
    network(subject, document.as_ref(), &ports, &mut found);
    found.extend(ports.iter().map(|port| ports::judge(port, &ports::gather(port), running)));
    machine(subject, &ports, running, &mut found);
    found
}

/// A folder of another domain than the usual one starts with its name only: what is advised has to work.
fn name_domain(found: &mut [Finding], start: &str, document: &Document) {
    let Some(domain) = document.domains.first().map(|domain| domain.name.as_str()) else { return };
    if domain != crate::dev::DOMAIN {
        for fix in found.iter_mut().filter_map(|finding| finding.fix.as_mut()) {
            *fix = fix.replace(start, &format!("{start} --domain {domain}"));
        }
    }
}

/// Data folder and master key; gives the process that holds the folder.
fn storage(subject: &Subject, running: Option<u32>, found: &mut Vec<Finding>) -> Option<u32> {
    let data = subject.data.as_deref()?;
    let facts = folder::gather(data);
    found.extend(folder::judge(&facts, running));
    if let Some(path) = subject.key.as_deref() {
        found.extend(secrets::judge_key(path, data, &MasterKey::read(path)));
        found.extend(folder::judge_owners(data, path, folder::owners(data, path)));
    }
    facts.held.flatten()
}

/// The document in force: from the server, or from the store when none runs.
fn document(
    subject: &Subject,
    answer: Option<&Answer>,
    held: Option<u32>,
    found: &mut Vec<Finding>,
) -> Option<Document> {
    let node = subject.node.as_ref().map(|(name, pool)| (name.as_str(), pool.as_str()));
    let document = match (answer, &subject.data, &subject.key) {
        (Some(Answer::Running(_, document)), _, _) => document.as_deref().cloned(),
        // Without the key the store stays shut; the key's own line says so.
        (_, Some(data), Some(key)) if held.is_none() => {
            let opened = secrets::open_copy(data, MasterKey::read(key).ok()?);
            found.push(secrets::judge_store(data, opened.as_ref()));
            opened.map(|opened| opened.ok().map(|stored| stored.document)).unwrap_or(Some(None))?
        }
        _ => return None,
    };
    found.extend(topology::judge(document.as_ref(), node));
    document
}

/// Certificates and names in DNS.
fn network(subject: &Subject, document: Option<&Document>, ports: &[crate::config::Port], found: &mut Vec<Finding>) {
    let node = subject.node.as_ref().map(|(name, pool)| (name.as_str(), pool.as_str()));
    let mut wanted = document.map(|document| topology::names(document, node)).unwrap_or_default();
    if let Some(tls) = &subject.tls {
        let mut names: Vec<String> = wanted.domains.iter().chain(&wanted.hosts).cloned().collect();
        names.sort();
        names.dedup();
        found.extend(certificates::examine(tls, &names));
    }
    if subject.dev || document.is_none() {
        return;
    }
    wanted.ports = ports.to_vec();
    const WHAT: &str = "DNS";
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return found.push(Finding::fail(
                WHAT,
                format!("the system gives no timer or socket ({error})"),
                "ulimit -n",
            ));
        }
    };
    match names::gather(&runtime, &wanted) {
        Ok(facts) => found.extend(names::judge(&facts, &wanted)),
        Err(error) => {
            found.push(Finding::fail(WHAT, error.to_string(), "write `nameserver ADDRESS` into /etc/resolv.conf"))
        }
    }
}

/// Ports that a `lyceum dev` opens for streams, for one that does not run now.
fn dev_ports() -> Vec<crate::config::Port> {
    let port =
        |what: &str| crate::config::Port { what: what.into(), addr: ([127, 0, 0, 1], 0).into(), datagram: false };
    ["tcp", "tls", "https"].map(port).into()
}

fn machine(subject: &Subject, ports: &[crate::config::Port], running: Option<u32>, found: &mut Vec<Finding>) {
    let usual = dev_ports();
    let opened = if subject.dev && ports.is_empty() { &usual } else { ports };
    let (synchronised, now) = machine::clock();
    found.push(machine::judge_clock(synchronised, now));
    found.push(machine::judge_files(
        machine::file_limit(running),
        machine::files_wanted(opened, subject.workers.max(1)),
    ));
    for (name, least, lost) in machine::settings() {
        found.push(machine::judge_setting(name, machine::setting(name).as_deref(), least, lost));
    }
    if !subject.dev {
        found.extend(machine::judge_range(machine::setting("net.ipv4.ip_local_port_range").as_deref(), ports));
    }
}
