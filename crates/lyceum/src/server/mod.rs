//! Puts the parts of a node together: store, snapshot, workers, resolver, records, web.

mod addresses;
mod history;
mod import;
mod live;
mod mediation;
mod opening;
mod page_ends;
mod people;
mod publisher;
mod purge;
mod records;
mod relay;
mod resolve;
mod signals;
mod test_users;
mod web_ports;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use arc_swap::ArcSwap;
use lyceum_edge::av::Carrier;
use lyceum_front_end::core::{Core, CoreOptions};
use lyceum_front_end::credentials::Credentials;
use lyceum_front_end::executor::{Executor, Post, Sinks};
use lyceum_front_end::keys::Keys;
use lyceum_front_end::metrics::Metrics;
use lyceum_net::{Handle, Listener, ListenerOptions, Running, Tls};
use lyceum_sip::SecretKey;
use lyceum_sip::token::bearer::Bearers;
use lyceum_store::{BindingWriter, BindingWriterOptions, MasterKey, MessageWriter, Store};
use lyceum_topology::qos::{Dscp, Modality};
use lyceum_topology::{Document, Snapshot};
use lyceum_web::listen::{Drain, DrainSwitch, LocalListener, Protection};
use lyceum_web::relay::RelayAccess;
use lyceum_web::sip::{SipOptions, WorkerSockets};

use crate::link::{self, LinkAuthority, LinkOptions};

pub use addresses::Addresses;
pub use mediation::{MediaNode, Webhook};
pub use opening::in_pool;
pub use relay::{RelayOptions, RelayPeers};
use signals::{Signals, Wish};
pub(crate) use test_users::random_bytes;
pub use test_users::{TestUsers, reachable, summary};
use web_ports::{WebKind, WebPort};

/// Longest SIP message over WebSocket.
const WEBSOCKET_MESSAGE: usize = 65_535;
/// How long a stopping server waits for what is under way.
const DRAIN: Duration = Duration::from_secs(5);

/// What a node is built from.
pub struct ServerOptions {
    /// The node's name.
    pub node: String,
    /// Its pool.
    pub pool: String,
    /// Data folder.
    pub data: PathBuf,
    /// Opens the secrets.
    pub master_key: MasterKey,
    /// The document to begin with when the store has none.
    pub first_document: Option<Document>,
    /// The domain that users are taken for at the start; a folder of another one is refused.
    pub domain: Option<String>,
    /// SIP ports.
    pub listeners: Vec<ListenerOptions>,
    /// TLS settings, if TLS or HTTPS is served or spoken.
    pub tls: Option<Tls>,
    /// Reads the certificate files again.
    pub reload: Arc<dyn Fn() -> Result<lyceum_net::TlsSettings, String> + Send + Sync>,
    /// HTTPS port.
    pub https: Option<SocketAddr>,
    /// Plain HTTP port for SIP over WebSocket.
    pub ws: Option<SocketAddr>,
    /// Plain HTTP port for Prometheus.
    pub metrics: Option<SocketAddr>,
    /// Where browsers reach HTTPS; made from the port when absent.
    pub base_url: Option<String>,
    /// Further origins of the API.
    pub origins: Vec<String>,
    /// What looks files through for viruses.
    pub scanner: Option<lyceum_web::scanner::Scanner>,
    /// The A/V Edge, if this node has one.
    pub relay: Option<RelayOptions>,
    /// Media that goes through this node.
    pub media: MediaNode,
    /// The port for links of Access Edges, if this node has one.
    pub link: Option<LinkOptions>,
    /// The HTTPS port counts as inside.
    pub https_inside: bool,
    /// Local socket of the shell.
    pub socket: PathBuf,
    /// Folder of backups.
    pub backups: PathBuf,
    /// Workers.
    pub workers: u8,
}

/// A node that runs.
pub struct Server {
    runtime: tokio::runtime::Runtime,
    signals: Signals,
    running: Running<Executor>,
    switch: DrainSwitch,
    writer: BindingWriter,
    messages: MessageWriter,
    records: records::RecordWriter,
    relay: Option<lyceum_edge::av::Running>,
    media: mediation::Running,
    /// Where it listens.
    pub addresses: Addresses,
    /// The link for the first administrator, while there is none.
    pub first_administrator: Option<String>,
    /// The built-in test users.
    pub test_users: TestUsers,
    /// Local socket of the shell.
    pub socket: PathBuf,
    pool: String,
    shared: Arc<Shared>,
}

/// What the ports of the web role share.
pub(crate) struct Shared {
    pub(crate) node: String,
    pub(crate) store: Store,
    pub(crate) snapshot: ArcSwap<Snapshot>,
    pub(crate) credentials: ArcSwap<Credentials>,
    pub(crate) handle: Handle<Post>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) records: records::RecordSender,
    pub(crate) test_users: TestUsers,
    pub(crate) tls: Option<Tls>,
    pub(crate) reload: Arc<dyn Fn() -> Result<lyceum_net::TlsSettings, String> + Send + Sync>,
    pub(crate) draining: std::sync::atomic::AtomicBool,
    pub(crate) trace: std::sync::Mutex<live::TraceState>,
    pub(crate) ends: page_ends::PageEnds,
    pub(crate) writer: std::sync::OnceLock<BindingWriter>,
    pub(crate) messages: std::sync::OnceLock<MessageWriter>,
    /// The ports of the web role, as the status writes them.
    pub(crate) web: std::sync::OnceLock<Vec<String>>,
    /// The relay of this node, if it has one.
    pub(crate) relay: std::sync::OnceLock<lyceum_edge::av::Handle>,
}

impl Server {
    /// Opens the store, binds every port, starts everything; returns when all ports answer.
    pub fn start(options: ServerOptions) -> Result<Server> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(32)
            .thread_name("web")
            .enable_all()
            .build()
            .context("the system gives no threads for the web role")?;
        // Before anything is open: a signal during the start ends it as cleanly as one afterwards.
        let signals = {
            let _inside = runtime.enter();
            Signals::heed().context("the system gives no signals")?
        };
        let pool_secret = options.master_key.derive("lyceum pool");
        let store = Store::open(&options.data, options.master_key.clone(), &lyceum_store::Options::node(&options.node))
            .map_err(|error| anyhow!("{error}"))?;
        let (test_users, snapshot) = opening::open(&store, &options)?;
        let credentials = Credentials::load(store.credentials().map_err(|error| anyhow!("{error}"))?);
        let credentials = test_users.with_passwords(credentials);

        if let Some(tls) = &options.tls {
            tls.ask_clients(publisher::trusts_certificates(&snapshot));
        }
        let proxy = &snapshot.pool(&options.pool).proxy;
        let signalling = snapshot.document().qos.in_force().mark_of(Modality::Signalling);
        let link_secret = options.master_key.derive("lyceum link");
        let mut listeners = options.listeners.clone();
        if let Some(wanted) = &options.link {
            listeners.push(link::listener(wanted, &link::authority(&link_secret)?)?);
        }
        let net = lyceum_net::Options {
            workers: options.workers,
            listeners,
            tls: options.tls.clone(),
            limits: lyceum_front_end::core::message_limits(proxy),
            bounds: lyceum_net::Bounds {
                idle: Duration::from_secs(u64::from(proxy.keep_alive_seconds)),
                connections_per_source: proxy.source_connections as usize,
                ..lyceum_net::Bounds::default()
            },
            traffic_class: signalling.map_or(0, Dscp::traffic_class),
            ..lyceum_net::Options::default()
        };
        let workers = net.build::<Post>().map_err(|error| anyhow!("{error}"))?;
        let handle = workers.handle();
        let writer = binding_writer(&store, &handle)?;
        let metrics = Arc::new(Metrics::default());
        let records = records::RecordWriter::start(store.clone());
        let shared = Arc::new(Shared {
            node: options.node.clone(),
            store: store.clone(),
            snapshot: ArcSwap::new(Arc::new(snapshot)),
            credentials: ArcSwap::from_pointee(credentials),
            handle: handle.clone(),
            metrics: Arc::clone(&metrics),
            records: records.sender(),
            test_users: test_users.clone(),
            tls: options.tls.clone(),
            reload: Arc::clone(&options.reload),
            draining: false.into(),
            trace: std::sync::Mutex::default(),
            ends: page_ends::PageEnds::load(&store).map_err(|error| anyhow!("{error}"))?,
            writer: std::sync::OnceLock::new(),
            messages: std::sync::OnceLock::new(),
            web: std::sync::OnceLock::new(),
            relay: std::sync::OnceLock::new(),
        });
        shared.writer.set(writer.clone()).ok();
        // Weak, because the handle is part of what is shared.
        let known = Arc::downgrade(&shared);
        handle.know_sources(move |source| known.upgrade().is_some_and(|shared| publisher::trusts(&shared, source)));

        let web_ports = runtime.block_on(web_ports::bind(&options, &handle))?;
        shared.web.set(web_ports.iter().map(WebPort::shown).collect()).ok();
        let resolver = resolve::resolver(&runtime)?;
        let groups = store.load_groups().map_err(|error| anyhow!("{error}"))?;
        let mut groups = Some(groups);
        let mut listeners: Vec<Listener> = handle.listeners().iter().map(|listener| (**listener).clone()).collect();
        listeners.extend(web_ports.iter().flat_map(|port| port.listener.as_deref().cloned()));
        let messages = history::writer(&store, handle.clone())?;
        shared.messages.set(messages.clone()).ok();
        let mut names: Vec<Box<str>> =
            live::certificate_names(&shared).iter().map(|name| name.as_str().into()).collect();
        names.push("localhost".into());
        let base_url = base_url(&options, &web_ports);
        let qos = shared.snapshot.load().document().qos.in_force();
        let (media, desk) = mediation::start(&runtime, &options, &qos, handle.worker(0))?;
        let mut desk = Some(desk);
        let authority = LinkAuthority::new(&link_secret, store.clone(), handle.clone())?;
        let running = workers
            .start(|worker| {
                let mut core = Core::new(CoreOptions {
                    worker,
                    listeners: listeners.clone(),
                    snapshot: shared.snapshot.load_full(),
                    credentials: (**shared.credentials.load()).clone(),
                    keys: Keys::new(pool_secret),
                    seed: test_users::random_bytes(),
                    metrics: Arc::clone(&metrics),
                    node: options.node.as_str().into(),
                    pool: options.pool.as_str().into(),
                    // The writer closes batches by its own clock; handing a block over wakes nobody.
                    commit_interval: Duration::ZERO,
                    epoch: 0,
                });
                if let Some(desk) = desk.take().flatten() {
                    core.set_mediation(desk);
                }
                core.set_names(names.clone());
                core.set_pages(&base_url);
                core.set_ends(shared.ends.now());
                if let Some(groups) = groups.take() {
                    for (slot, loaded) in core.groups_mut().iter_mut().zip(groups) {
                        *slot = loaded.group;
                    }
                }
                let resolve = resolve::ask(resolver.clone(), handle.worker(worker));
                let sinks = Sinks {
                    record: records.sender().record_fn(),
                    ladder: records.sender().ladder_fn(Arc::clone(&metrics)),
                    messages: history::sink(messages.clone(), worker),
                };
                let enrol = authority.enrol_fn(runtime.handle().clone(), worker);
                Executor::new(core, writer.clone(), resolve, sinks).enrolling(enrol)
            })
            .map_err(|error| anyhow!("{error}"))?;

        authority.tell_workers();
        runtime.spawn(purge::watch_disk(Arc::clone(&shared)));
        runtime.spawn(purge::run(Arc::clone(&shared), options.pool.clone()));
        let (switch, drain) = Drain::new();
        let relay = start_relay(&options, &shared)?;
        let mut addresses = Addresses::of(&handle, &web_ports);
        addresses.turn = relay.as_ref().and_then(|relay| relay.address(Carrier::Udp));
        addresses.turns = relay.as_ref().and_then(|relay| relay.address(Carrier::Tls));
        if let Some(relay) = &relay {
            shared.relay.set(relay.running.handle().clone()).ok();
        }
        let (relay, access) = relay.map(|relay| (relay.running, relay.access)).unzip();
        let bearers = Bearers::new(&SecretKey(Keys::new(pool_secret).bearer()));
        let first_administrator =
            serve_web(&runtime, &options, (&shared, bearers, access, authority), web_ports, &addresses, drain)?;
        Ok(Server {
            runtime,
            signals,
            running,
            switch,
            writer,
            messages,
            records,
            relay,
            media,
            addresses,
            first_administrator,
            test_users,
            socket: options.socket,
            pool: options.pool,
            shared,
        })
    }

    /// Reads the certificate files again.
    pub fn reload_certificates(&self) -> Result<(), String> {
        live::reload(&self.shared, false).map(|_| ())
    }

    /// Waits for SIGTERM or SIGINT; SIGHUP reads the certificates again.
    pub fn wait_for_signal(&mut self) {
        while self.runtime.block_on(self.signals.next()) == Wish::Reload {
            match self.reload_certificates() {
                Ok(()) => tracing::info!("certificates read again"),
                Err(error) => tracing::error!(%error, "certificates not read again; the old ones stay"),
            }
        }
    }

    /// Ends: nothing new begins, what is under way may finish, everything is written.
    pub fn stop(self) {
        self.shared.draining.store(true, std::sync::atomic::Ordering::Relaxed);
        self.switch.begin();
        // With the engines their calls are gone, and whoever keeps records of them.
        drop(self.running.drain(DRAIN));
        self.media.stop();
        if let Some(relay) = self.relay {
            relay.stop();
        }
        self.writer.stop();
        self.messages.stop();
        self.records.stop();
        self.runtime.shutdown_timeout(Duration::from_secs(2));
    }
}

fn binding_writer(store: &Store, handle: &Handle<Post>) -> Result<BindingWriter> {
    let handle = handle.clone();
    store
        .binding_writer(BindingWriterOptions::default(), move |committed| {
            // A commit must not be lost, except on a worker that has ended.
            handle.worker(committed.worker).post_when_room(Post::Committed(committed)).ok();
        })
        .map_err(|error| anyhow!("{error}"))
}

/// Starts the A/V Edge, if this node has one.
fn start_relay(options: &ServerOptions, shared: &Shared) -> Result<Option<relay::Relay>> {
    let Some(wanted) = &options.relay else { return Ok(None) };
    let snapshot = shared.snapshot.load();
    let secret = options.master_key.derive("lyceum relay");
    let qos = snapshot.document().qos.in_force();
    wanted.start(snapshot.default_domain().as_str(), &qos, &secret, options.tls.as_ref()).map(Some)
}

/// Where browsers reach HTTPS; empty when it is not served.
fn base_url(options: &ServerOptions, ports: &[WebPort]) -> String {
    let bound = || ports.iter().find(|port| port.kind == WebKind::Https)?.socket.local_addr().ok();
    let given = options.base_url.clone();
    given.or_else(|| bound().map(|addr| format!("https://{addr}"))).unwrap_or_default()
}

/// Every port as clients are told of it.
fn listening(handle: &Handle<Post>, ports: &[WebPort]) -> Vec<String> {
    let sip = handle.listeners().iter().map(|one| format!("{} {}", one.transport.uri_param(), one.advertised));
    sip.chain(ports.iter().filter(|port| port.kind.sip().is_some()).map(WebPort::shown)).collect()
}

fn serve_web(
    runtime: &tokio::runtime::Runtime,
    options: &ServerOptions,
    (shared, bearers, relay, links): (&Arc<Shared>, Bearers, Option<RelayAccess>, Arc<LinkAuthority>),
    ports: Vec<WebPort>,
    addresses: &Addresses,
    drain: Drain,
) -> Result<Option<String>> {
    let listener = |kind| ports.iter().find(|port| port.kind == kind).and_then(|port| port.listener.clone());
    let sockets =
        WorkerSockets { workers: shared.handle.clone(), wss: listener(WebKind::Https), ws: listener(WebKind::Ws) };
    let web = lyceum_web::Options {
        store: shared.store.clone(),
        publisher: Arc::new(publisher::LivePublisher(Arc::clone(shared))),
        live: Arc::new(live::LiveServer(Arc::clone(shared))),
        tests: Arc::new(test_users::Synthetic { shared: Arc::clone(shared), addresses: addresses.clone() }),
        scanner: options.scanner.clone(),
        people: Some(Arc::new(people::LivePeople {
            shared: Arc::clone(shared),
            bearers,
            listeners: listening(&shared.handle, &ports),
        })),
        base_url: base_url(options, &ports),
        allowed_origins: options.origins.clone(),
        backup_dir: options.backups.clone(),
        relay,
        edges: Some(links),
        sip: Some(SipOptions {
            sockets: Arc::new(sockets),
            origins: options.origins.clone(),
            message_bytes: WEBSOCKET_MESSAGE,
        }),
        clock: lyceum_web::system_clock,
    }
    .build();
    let _inside = runtime.enter();
    if let Some(parent) = options.socket.parent() {
        std::fs::create_dir_all(parent)
            .with_context(|| format!("the folder {} of the local socket cannot be made", parent.display()))?;
    }
    let local = LocalListener::bind(&options.socket).with_context(|| {
        format!("the local socket {} cannot be made; choose another path with socket = …", options.socket.display())
    })?;
    runtime.spawn(local.serve(web.local_router(), drain.clone()));
    runtime.spawn(web.clone().keep_forgetting(drain.clone()));
    runtime.spawn(web.clone().keep_accounts(drain.clone()));
    runtime.spawn(web.clone().keep_calendars(drain.clone()));
    for port in ports {
        let (protection, router) = match (&shared.tls, port.kind) {
            (_, WebKind::Metrics) => (Protection::None, web.metrics_router()),
            (Some(tls), WebKind::Https) => (Protection::tls(tls.resolver()), web.router()),
            _ => (Protection::None, web.websocket_router()),
        };
        runtime.spawn(lyceum_web::listen::serve(port.socket, protection, router, drain.clone()));
    }
    match addresses.https {
        Some(_) => web.first_administrator_url().map_err(|refused| anyhow!("{refused:?}")),
        None => Ok(None),
    }
}
