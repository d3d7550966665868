//! The commands: one file per noun.

mod accounts;
mod administrator;
mod archive;
mod audit;
mod backup;
mod call;
mod certificate;
mod completions;
mod contact;
mod device;
mod domain;
mod edge;
mod effective_policy;
mod group;
mod man;
mod message;
mod number;
mod period;
mod plan;
mod policy;
mod presence;
mod qos;
mod qos_probe;
mod registration;
mod status;
mod test;
mod topology;
mod trace;
mod user;

use crate::failure::{EXIT_CODES, Failure};
use crate::interactive::Shell;
use crate::output::Columns;
use crate::session::Run;
use clap::{Parser, Subcommand};
use serde_json::Value;

/// Lyceum, the unified-communications server, and its management shell
#[derive(Debug, Parser)]
#[command(name = "lyceum", version, about, after_help = EXIT_CODES, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, Subcommand)]
enum Noun {
    /// Users: create, show, change, enable, disable, remove, import
    #[command(subcommand)]
    User(user::Verb),
    /// Accounts from a directory server or an issuer: status, test, sync
    #[command(subcommand)]
    Accounts(accounts::Verb),
    /// Numbers and what they reach
    #[command(subcommand)]
    Number(number::Verb),
    /// Distribution groups: create, show, change, remove
    #[command(subcommand)]
    Group(group::Verb),
    /// Desk phones and other devices
    #[command(subcommand)]
    Device(device::Verb),
    /// SIP domains
    #[command(subcommand)]
    Domain(domain::Verb),
    /// Access Edges: one-time tokens, who is enrolled, whose link stands
    #[command(subcommand)]
    Edge(edge::Verb),
    /// Policies by kind and scope, and their grants
    #[command(subcommand)]
    Policy(policy::Verb),
    /// The policies in force for a user, and where each value comes from
    EffectivePolicy(effective_policy::EffectivePolicy),
    /// The topology document: show, check, publish, compare, roll back
    #[command(subcommand)]
    Topology(topology::Verb),
    /// Planning: from a business's needs to servers, links, names, filters, a report, and the topology
    #[command(subcommand)]
    Plan(plan::Verb),
    /// Quality of Service: ports and marks, what the network needs, and whether marks arrive
    #[command(subcommand)]
    Qos(qos::Verb),
    /// Where users can be reached now
    #[command(subcommand)]
    Registration(registration::Verb),
    /// Call detail records with the trace of the routing decision
    #[command(subcommand)]
    Call(call::Verb),
    /// What users are seen as, and who watches
    #[command(subcommand)]
    Presence(presence::Verb),
    /// Contact lists, and what certain people may see
    #[command(subcommand)]
    Contact(contact::Verb),
    /// Messages of a user
    #[command(subcommand)]
    Message(message::Verb),
    /// The archive of messages: export, purge
    #[command(subcommand)]
    Archive(archive::Verb),
    /// Synthetic transactions with two built-in test users
    #[command(subcommand)]
    Test(test::Verb),
    /// SIP traces: capture, search, and the ladder of a call
    #[command(subcommand)]
    Trace(trace::Verb),
    /// Who changed what
    #[command(subcommand)]
    Audit(audit::Verb),
    /// Administrators
    #[command(subcommand)]
    Admin(administrator::Verb),
    /// Certificates of the running server
    #[command(subcommand)]
    Certificate(certificate::Verb),
    /// Back the running server up
    Backup(backup::Backup),
    /// Put a backup in the place of the data of a stopped server
    Restore(backup::Restore),
    /// What the running server is and does
    Status(status::Status),
    /// Runs commands one after another: from a prompt, or from a script on standard input
    Shell(Shell),
    /// Completions for a shell
    Completions(completions::Completions),
    /// Manual pages
    Man(man::Man),
}

/// Prints a list that comes in one piece.
fn listed(run: &mut Run<'_>, path: &str, columns: Columns) -> Result<(), Failure> {
    match run.get(path, &[])? {
        Value::Array(rows) => run.list(rows, columns),
        _ => Err(Failure::Failed("the server's answer is not a list".to_owned())),
    }
}

impl Cli {
    /// Does what the command line says.
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        match self.noun {
            Noun::User(verb) => verb.run(run),
            Noun::Accounts(verb) => verb.run(run),
            Noun::Number(verb) => verb.run(run),
            Noun::Group(verb) => verb.run(run),
            Noun::Device(verb) => verb.run(run),
            Noun::Domain(verb) => verb.run(run),
            Noun::Edge(verb) => verb.run(run),
            Noun::Policy(verb) => verb.run(run),
            Noun::EffectivePolicy(command) => command.run(run),
            Noun::Topology(verb) => verb.run(run),
            Noun::Plan(verb) => verb.run(run),
            Noun::Qos(verb) => verb.run(run),
            Noun::Registration(verb) => verb.run(run),
            Noun::Call(verb) => verb.run(run),
            Noun::Presence(verb) => verb.run(run),
            Noun::Contact(verb) => verb.run(run),
            Noun::Message(verb) => verb.run(run),
            Noun::Archive(verb) => verb.run(run),
            Noun::Test(verb) => verb.run(run),
            Noun::Trace(verb) => verb.run(run),
            Noun::Audit(verb) => verb.run(run),
            Noun::Admin(verb) => verb.run(run),
            Noun::Certificate(verb) => verb.run(run),
            Noun::Backup(command) => command.run(run),
            Noun::Restore(command) => command.run(run),
            Noun::Status(command) => command.run(run),
            Noun::Shell(command) => command.run(run),
            Noun::Completions(command) => command.run(run),
            Noun::Man(command) => command.run(run),
        }
    }
}
