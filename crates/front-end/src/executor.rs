//! Carries out what the core decides: joins it to the driver of the sockets and to the store's writer.

use std::sync::Arc;

use lyceum_monitoring::CallRecord;
use lyceum_net::{Arrival, Engine, Flow, Listener, Load, Outbox};
use lyceum_sip::time::{Now, Time};
use lyceum_store::{BindingWriter, Committed, MessageEntry};
use lyceum_topology::Snapshot;

use crate::calls::{Lookup, Resolved};
use crate::core::{Core, Effect, EnrolledEdge};
use crate::credentials::Credentials;
use crate::ladders::Ladder;

/// What other threads tell a worker.
pub enum Post {
    /// The store's writer has news.
    Committed(Committed),
    /// What was to be archived is written, or cannot be.
    Archived {
        /// As given with [`Effect::Archive`].
        tokens: Vec<u64>,
        /// Whether it is durable.
        written: bool,
    },
    /// New configuration.
    Snapshot(Arc<Snapshot>),
    /// New digest secrets.
    Credentials(Credentials),
    /// A name was looked up.
    Resolved {
        /// Given with [`Effect::Resolve`].
        query: u64,
        /// What was found, in the order to try.
        answer: Resolved,
    },
    /// The HTTPS server announced its listener.
    Listener(Listener),
    /// What becomes of a node that wants a certificate.
    Enrolled {
        /// Given with [`Effect::Enrol`].
        query: u64,
        /// Its papers; `None` when its token is not good.
        papers: Option<Vec<u8>>,
    },
    /// Access Edges that are enrolled now.
    Edges(Vec<EnrolledEdge>),
    /// Look into the core (registrations, traces): runs on the worker's thread, so it must be short.
    Inspect(Box<dyn FnOnce(&mut Core, Now) + Send>),
    /// Change something and send what follows from it (removing a user's bindings).
    Act(Box<dyn FnOnce(&mut Core, Now, &mut Outbox) + Send>),
}

/// Asks for a name's addresses; the answer comes back as [`Post::Resolved`].
pub type ResolveFn = Box<dyn Fn(u64, Lookup) + Send>;
/// Judges who wants a certificate; the answer comes back as [`Post::Enrolled`].
pub type EnrolFn = Box<dyn Fn(u64, Box<[u8]>) + Send>;
/// Takes call detail records for the store; says no when its queue is full.
pub type RecordFn = Box<dyn Fn(Box<CallRecord>) + Send>;

/// Takes ladders for the store; says no when its queue is full.
pub type LadderFn = Box<dyn Fn(Box<Ladder>) + Send>;

/// Takes messages and marks for history and archive; false when its queue is full and nothing will be written. A token
/// above 0 comes back as [`Post::Archived`].
pub type MessagesFn = Box<dyn Fn(u64, Vec<MessageEntry>) -> bool + Send>;

/// Where what is not urgent goes: each takes it or counts it as lost.
pub struct Sinks {
    /// Call detail records.
    pub record: RecordFn,
    /// Ladders.
    pub ladder: LadderFn,
    /// Messages for the history.
    pub messages: MessagesFn,
}

/// One worker's engine: the core with its hands.
pub struct Executor {
    core: Core,
    writer: BindingWriter,
    resolve: ResolveFn,
    enrol: EnrolFn,
    sinks: Sinks,
}

impl Executor {
    /// Joins a core to the store's writer, a resolver and the record writer.
    pub fn new(core: Core, writer: BindingWriter, resolve: ResolveFn, sinks: Sinks) -> Self {
        let enrol: EnrolFn = Box::new(|_, _| {});
        Executor { core, writer, resolve, enrol, sinks }
    }

    /// Lets nodes be enrolled.
    #[must_use]
    pub fn enrolling(mut self, enrol: EnrolFn) -> Self {
        self.enrol = enrol;
        self
    }

    fn carry_out(&mut self, now: Now, out: &mut Outbox) {
        while let Some(effect) = self.core.poll_effect() {
            match effect {
                Effect::Persist { seq, block } => {
                    if self.writer.submit(self.core.worker(), seq, block).is_err() {
                        self.core.handed_back(now, seq, out);
                    }
                }
                Effect::Messages(entries) => {
                    (self.sinks.messages)(0, entries);
                }
                Effect::Archive { token, entries } => {
                    if !(self.sinks.messages)(token, entries) {
                        self.core.archived(now, &[token], false, out);
                    }
                }
                Effect::Record(record) => (self.sinks.record)(record),
                Effect::Ladder(ladder) => (self.sinks.ladder)(ladder),
                Effect::Enrol { query, asked } => (self.enrol)(query, asked),
                Effect::Resolve { query, target } => (self.resolve)(query, target),
            }
        }
    }
}

impl Engine for Executor {
    type Post = Post;

    fn message(&mut self, now: Now, arrival: Arrival<'_>, out: &mut Outbox) {
        self.core.message(now, arrival, out);
    }

    fn flow_closed(&mut self, now: Now, flow: Flow, out: &mut Outbox) {
        self.core.flow_closed(now, flow, out);
    }

    fn send_failed(&mut self, now: Now, ticket: u64, out: &mut Outbox) {
        self.core.send_failed(now, ticket, out);
    }

    fn posted(&mut self, now: Now, post: Post, out: &mut Outbox) {
        self.core.begin(now);
        match post {
            Post::Committed(Committed { upto, result: Ok(()), .. }) => self.core.committed(now, upto, out),
            Post::Committed(Committed { upto, result: Err(error), .. }) => {
                tracing::error!(%error, "registrations could not be stored");
                self.core.commit_failed(now, upto, out);
            }
            Post::Archived { tokens, written } => self.core.archived(now, &tokens, written, out),
            Post::Snapshot(snapshot) => self.core.swap_snapshot(now, snapshot),
            Post::Credentials(credentials) => self.core.swap_credentials(credentials),
            Post::Resolved { query, answer } => self.core.resolved(now, query, answer, out),
            Post::Listener(listener) => self.core.add_listener(listener),
            Post::Enrolled { query, papers } => self.core.enrolled(query, papers.as_deref(), out),
            Post::Edges(edges) => self.core.set_edges(edges, out),
            Post::Inspect(look) => look(&mut self.core, now),
            Post::Act(act) => act(&mut self.core, now, out),
        }
    }

    fn timeout(&mut self, now: Now, out: &mut Outbox) {
        self.core.timeout(now, out);
        self.carry_out(now, out);
    }

    fn next_timeout(&self) -> Option<Time> {
        self.core.next_timeout()
    }

    fn settle(&mut self, now: Now, load: Load, out: &mut Outbox) {
        self.core.settle(now, load, out);
        self.carry_out(now, out);
    }

    fn drain(&mut self, now: Now, out: &mut Outbox) {
        self.core.drain(now);
        self.carry_out(now, out);
    }

    fn is_drained(&self) -> bool {
        self.core.is_drained()
    }
}
