//! What the web role asks of the running server. The binary implements these traits; nothing here knows how.
//!
//! Every function may block (it is called on a blocking thread), except where it says otherwise.

mod people;

pub use people::{Chooser, ContactEdit, People};

use lyceum_api::edge::Edge;
use lyceum_api::probe::{ProbeRequest, ProbeResult};
use lyceum_api::registration::{Registration, RegistrationQuery};
use lyceum_api::server::Certificate;
use lyceum_api::trace::{TraceStart, TraceStatus};
use lyceum_api::{Page, Problem};
use lyceum_sip::WallTime;
use lyceum_store::{By, MessageEntry};
use lyceum_topology::{Snapshot, UserId, UserRecord};
use std::sync::Arc;

/// The user parts of the built-in users with whom [`SyntheticTests`] are made.
pub const TEST_USERS: [&str; 2] = ["lyceum-test-1", "lyceum-test-2"];

/// Puts a new snapshot in force after the store has committed it.
pub trait Publisher: Send + Sync + 'static {
    /// The snapshot in force. Does not block.
    fn current(&self) -> Arc<Snapshot>;

    /// Swaps it. Called by one thread at a time, in the order of the commits.
    fn publish(&self, snapshot: Arc<Snapshot>);

    /// A user's password changed: forget what was remembered of the old one.
    fn credentials_changed(&self, user: UserId);

    /// Many passwords changed, as by an import.
    fn all_credentials_changed(&self);

    /// These addresses have new holders, who are not in force yet: forgets everything that the former ones left, in the
    /// store too. After an error some of it may be forgotten.
    fn forget_former(&self, addresses: &[String]) -> Result<(), Problem>;

    /// A user was removed or disabled: end the registrations.
    fn user_gone(&self, user: &UserRecord);
}

/// How the server fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// All is well.
    Ok,
    /// The store is away; what is in memory goes on.
    Degraded,
    /// Shutting down; no new calls.
    Draining,
}

impl Condition {
    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Condition::Ok => "ok",
            Condition::Degraded => "degraded",
            Condition::Draining => "draining",
        }
    }
}

/// The running server.
pub trait Live: Send + Sync + 'static {
    /// How it fares. Does not block.
    fn condition(&self) -> Condition;

    /// Its listeners as `udp 192.0.2.1:5060`.
    fn listeners(&self) -> Vec<String>;

    /// Name of the node.
    fn node(&self) -> String;

    /// Addresses with a registration.
    fn registered(&self) -> u64;

    /// Calls that are up or being set up.
    fn calls(&self) -> u64;

    /// Further figures, for `/metrics` and `lyceum status`.
    fn figures(&self) -> Vec<Figure>;

    /// Registrations in the order of addresses.
    fn registrations(&self, query: &RegistrationQuery) -> Result<Page<Registration>, Problem>;

    /// Certificates in use.
    fn certificates(&self) -> Vec<Certificate>;

    /// Reads the certificate files again and, unless `what_if`, puts them in force.
    fn reload_certificates(&self, what_if: bool) -> Result<Vec<Certificate>, Problem>;

    /// Whether a trace runs.
    fn trace_status(&self) -> TraceStatus;

    /// Starts a trace; refuses with `trace-running` when one runs.
    fn start_trace(&self, start: &TraceStart) -> Result<TraceStatus, Problem>;

    /// Stops the trace; refuses with `trace-not-running` when none runs.
    fn stop_trace(&self) -> Result<TraceStatus, Problem>;

    /// Writes buffered call records and traced messages to the store, so that a question sees them.
    fn flush_records(&self);

    /// Writes buffered call records to the store, so that a page shows the call that just ended.
    fn flush_calls(&self);

    /// Writes messages that wait for their batch to the store, so that a page shows what was just sent. While the disk
    /// refuses nobody waits.
    fn flush_messages(&self);

    /// Has an entry of the history written with the next batch; false when no more may wait.
    fn write_message(&self, entry: MessageEntry) -> bool;
}

/// Access Edges: who is enrolled, and by which token the next one is.
pub trait Edges: Send + Sync + 'static {
    /// All of them.
    fn edges(&self) -> Result<Vec<Edge>, Problem>;

    /// Makes a one-time token that is good until `ends`.
    fn token(&self, name: &str, ends: WallTime, by: By<'_>) -> Result<String, Problem>;

    /// Takes one away; false when there is none of this name.
    fn remove(&self, name: &str, by: By<'_>) -> Result<bool, Problem>;
}

/// Synthetic transactions with the two built-in test users.
pub trait SyntheticTests: Send + Sync + 'static {
    /// Registers and unregisters a test user.
    fn registration(&self, request: &ProbeRequest) -> Result<ProbeResult, Problem>;

    /// Calls from one test user to the other with sound both ways.
    fn call(&self, request: &ProbeRequest) -> Result<ProbeResult, Problem>;

    /// One test user watches the other, who publishes.
    fn presence(&self, request: &ProbeRequest) -> Result<ProbeResult, Problem>;

    /// A message from one test user to the other.
    fn im(&self, request: &ProbeRequest) -> Result<ProbeResult, Problem>;
}

/// Whether a figure only grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureKind {
    /// Only grows; its name has no `_total`, which the text format adds.
    Counter,
    /// Goes up and down.
    Gauge,
}

/// One figure with its labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Name without the `lyceum_` prefix: `registrations`, `sip_requests`.
    pub name: &'static str,
    /// What it counts, one sentence.
    pub help: &'static str,
    /// Whether it only grows.
    pub kind: FigureKind,
    /// Labels, for example `method="INVITE"`.
    pub labels: Vec<(&'static str, String)>,
    /// Its value.
    pub value: f64,
}
