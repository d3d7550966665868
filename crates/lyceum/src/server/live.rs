//! What the web role may ask of the running node.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use lyceum_api::registration::{Preference, Registration, RegistrationQuery};
use lyceum_api::server::Certificate;
use lyceum_api::trace::{TraceStart, TraceStatus};
use lyceum_api::{Page, Problem, Refusal, Timestamp};
use lyceum_front_end::core::Core;
use lyceum_front_end::executor::Post;
use lyceum_monitoring::TraceFilter;
use lyceum_net::Flow;
use lyceum_sip::time::Now;
use lyceum_store::{MessageBatch, MessageEntry, TraceRow};
use lyceum_topology::routing_group;
use lyceum_web::port::{Condition, Figure, FigureKind, Live};

use super::Shared;

/// How long a worker may take to answer a question.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long who reads a history waits for what was just sent.
const HISTORY_PATIENCE: Duration = Duration::from_millis(500);
/// A trace stops by itself after this time unless told otherwise.
const TRACE_MINUTES: u32 = 30;
/// Registrations on one page unless told otherwise.
const PAGE: usize = 100;

/// The trace as the API sees it.
#[derive(Debug, Default)]
pub struct TraceState {
    status: TraceStatus,
}

/// The running node.
pub struct LiveServer(pub Arc<Shared>);

impl LiveServer {
    /// Asks one worker something and waits for the answer.
    fn ask<T: Send + 'static>(&self, worker: u8, look: impl FnOnce(&mut Core, Now) -> T + Send + 'static) -> Option<T> {
        let (answer, wait) = sync_channel(1);
        let post = Post::Inspect(Box::new(move |core, now| {
            answer.send(look(core, now)).ok();
        }));
        self.0.handle.worker(worker).post(post).ok()?;
        wait.recv_timeout(PATIENCE).ok()
    }

    fn workers(&self) -> std::ops::Range<u8> {
        0..self.0.handle.workers()
    }

    fn busy(place: &str) -> Problem {
        Problem::new(Refusal::ServerBusy, "a worker did not answer in time; the server is very busy", place)
    }
}

fn registration(aor: &str, binding: &lyceum_users::Binding<'_>) -> Registration {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let received = match Flow::decode(binding.flow()) {
        Some(Flow::Datagram { remote, .. }) => Some(remote.to_string()),
        _ => None,
    };
    Registration {
        address: aor.to_owned(),
        contact: text(binding.uri()),
        transport: binding.transport().uri_param().to_owned(),
        received,
        user_agent: text(binding.user_agent()),
        instance: binding.instance().map(text),
        q: Preference(binding.q()),
        expires: Timestamp(binding.expires_at().0),
    }
}

/// Bindings of one address, or of the addresses after `after` in order.
fn bindings(
    core: &Core,
    now: Now,
    user: Option<&str>,
    after: &str,
    limit: usize,
) -> (Vec<Registration>, Option<String>) {
    if let Some(user) = user {
        let group = &core.groups()[usize::from(routing_group(user))];
        return (group.bindings(now, user).map(|binding| registration(user, &binding)).collect(), None);
    }
    let mut addresses: BTreeMap<String, Vec<Registration>> = BTreeMap::new();
    let mut more = false;
    for group in core.groups() {
        for one in group.iter(now) {
            if one.aor <= after {
                continue;
            }
            addresses.insert(one.aor.to_owned(), one.bindings.map(|binding| registration(one.aor, &binding)).collect());
            if addresses.len() > limit {
                addresses.pop_last();
                more = true;
            }
        }
    }
    let next = if more { addresses.keys().next_back().cloned() } else { None };
    (addresses.into_values().flatten().collect(), next)
}

impl Live for LiveServer {
    fn condition(&self) -> Condition {
        if self.0.draining.load(Ordering::Relaxed) {
            Condition::Draining
        } else if self.0.writer.get().is_some_and(|writer| writer.is_away()) || self.0.store.refuses_writes() {
            Condition::Degraded
        } else {
            Condition::Ok
        }
    }

    fn listeners(&self) -> Vec<String> {
        let name =
            |listener: &Arc<lyceum_net::Listener>| format!("{} {}", listener.transport.uri_param(), listener.addr);
        let web = self.0.web.get().into_iter().flatten().cloned();
        self.0.handle.listeners().iter().map(name).chain(web).collect()
    }

    fn node(&self) -> String {
        self.0.node.clone()
    }

    fn registered(&self) -> u64 {
        self.workers()
            .filter_map(|worker| {
                self.ask(worker, |core, _| core.groups().iter().map(|group| group.addresses() as u64).sum::<u64>())
            })
            .sum()
    }

    fn calls(&self) -> u64 {
        self.0.metrics.calls_active.value().max(0) as u64
    }

    fn figures(&self) -> Vec<Figure> {
        let metrics = &self.0.metrics;
        let mut figures: Vec<Figure> = metrics
            .each()
            .into_iter()
            .map(|(name, help, counter, value)| Figure {
                name,
                help,
                kind: if counter { FigureKind::Counter } else { FigureKind::Gauge },
                labels: Vec::new(),
                value: value as f64,
            })
            .collect();
        figures.extend(metrics.refusals().filter(|(_, count)| *count > 0).map(|(refusal, count)| Figure {
            name: "refusals",
            help: "Requests refused, by diagnostics code",
            kind: FigureKind::Counter,
            labels: vec![("code", refusal.code().to_owned())],
            value: count as f64,
        }));
        figures
    }

    fn registrations(&self, query: &RegistrationQuery) -> Result<Page<Registration>, Problem> {
        let limit = query.limit.unwrap_or(PAGE).max(1);
        let user = query.user.as_ref().map(|user| user.to_lowercase());
        let after = query.after.clone().unwrap_or_default();
        let (items, next) = self
            .ask(0, move |core, now| bindings(core, now, user.as_deref(), &after, limit))
            .ok_or_else(|| Self::busy("/registrations"))?;
        Ok(Page { items, next })
    }

    fn certificates(&self) -> Vec<Certificate> {
        (self.0.reload)().map(|settings| certificates(&settings)).unwrap_or_default()
    }

    fn reload_certificates(&self, what_if: bool) -> Result<Vec<Certificate>, Problem> {
        reload(&self.0, what_if).map_err(|error| Problem::new(Refusal::CertificateInvalid, error, "/certificates"))
    }

    fn trace_status(&self) -> TraceStatus {
        let mut status = self.0.trace.lock().map(|state| state.status.clone()).unwrap_or_default();
        let seen: Vec<_> = self
            .workers()
            .filter_map(|worker| {
                self.ask(worker, |core, _| {
                    let tracer = core.tracer();
                    (tracer.is_running(), tracer.ring().len() as u64, tracer.ring().dropped())
                })
            })
            .collect();
        status.running = status.running && seen.iter().any(|(running, ..)| *running);
        status.messages += seen.iter().map(|(_, messages, _)| messages).sum::<u64>();
        status.dropped += seen.iter().map(|(.., dropped)| dropped).sum::<u64>();
        status
    }

    fn start_trace(&self, start: &TraceStart) -> Result<TraceStatus, Problem> {
        if self.trace_status().running {
            return Err(Problem::new(Refusal::TraceRunning, "a trace runs already", "/trace"));
        }
        let minutes = start.minutes.unwrap_or(TRACE_MINUTES);
        let span = Duration::from_secs(u64::from(minutes) * 60);
        let filter = TraceFilter { user: start.user.clone(), ..TraceFilter::default() };
        for worker in self.workers() {
            let filter = filter.clone();
            self.ask(worker, move |core, now| core.tracer().start(filter, now.mono + span))
                .ok_or_else(|| Self::busy("/trace"))?;
        }
        let now = lyceum_web::system_clock();
        if let Ok(mut state) = self.0.trace.lock() {
            state.status = TraceStatus {
                running: true,
                user: start.user.clone(),
                since: Some(Timestamp(now.0)),
                until: Some(Timestamp((now + span).0)),
                messages: 0,
                dropped: 0,
            };
        }
        Ok(self.trace_status())
    }

    fn stop_trace(&self) -> Result<TraceStatus, Problem> {
        if !self.trace_status().running {
            return Err(Problem::new(Refusal::TraceNotRunning, "no trace runs", "/trace"));
        }
        for worker in self.workers() {
            self.ask(worker, |core, _| core.tracer().stop());
        }
        self.flush_records();
        if let Ok(mut state) = self.0.trace.lock() {
            state.status.running = false;
        }
        Ok(self.trace_status())
    }

    fn flush_messages(&self) {
        if let Some(writer) = self.0.messages.get() {
            writer.flush(HISTORY_PATIENCE);
        }
    }

    fn write_message(&self, entry: MessageEntry) -> bool {
        // While the disk refuses, the room in the queue is for messages.
        let Some(writer) = self.0.messages.get().filter(|writer| !writer.is_refused()) else { return false };
        writer.submit(MessageBatch { worker: 0, token: 0, entries: vec![entry] }).is_ok()
    }

    fn flush_calls(&self) {
        self.0.records.flush();
    }

    fn flush_records(&self) {
        self.0.records.flush();
        for worker in self.workers() {
            let Some(ring) = self.ask(worker, |core, _| core.tracer().take()) else { continue };
            let rows: Vec<TraceRow> = ring.entries().filter_map(super::records::trace_row).collect();
            if let Ok(mut state) = self.0.trace.lock() {
                state.status.messages += rows.len() as u64;
                state.status.dropped += ring.dropped();
            }
            if let Err(error) = self.0.store.append_traces(&rows) {
                tracing::error!(%error, "traced messages could not be written");
            }
        }
    }
}

fn certificates(settings: &lyceum_net::TlsSettings) -> Vec<Certificate> {
    let facts = settings.certificates.iter().filter_map(|certificate| certificate.facts().ok());
    facts
        .map(|facts| {
            let addresses = facts.addresses.iter().map(ToString::to_string);
            Certificate {
                names: facts.names.iter().cloned().chain(addresses).collect(),
                expires: Timestamp(facts.not_after.0),
            }
        })
        .collect()
}

/// Reads the certificate files and, unless only asked what would be, puts them in force for new connections.
pub fn reload(shared: &Shared, what_if: bool) -> Result<Vec<Certificate>, String> {
    let settings = (shared.reload)()?;
    let list = certificates(&settings);
    if let (Some(tls), false) = (&shared.tls, what_if) {
        tls.swap(settings).map_err(|error| error.to_string())?;
    }
    Ok(list)
}

/// Names that our certificates prove: by them phones may reach us.
pub fn certificate_names(shared: &Shared) -> Vec<String> {
    let settings = (shared.reload)().unwrap_or_default();
    settings
        .certificates
        .iter()
        .filter_map(|certificate| certificate.facts().ok())
        .flat_map(|facts| facts.names)
        .collect()
}
