//! An Access Edge as a process of its own: a node file with `[edge]`, a folder with its papers, and no user.

mod config;
pub mod enrolment;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use lyceum_edge::access::{Access, AccessOptions, FindFn, Found, Ports, Post};
use lyceum_net::{
    Bounds, Certificate, ClientCertificates, Handle, ListenerId, ListenerOptions, Options, Resolver, ResolverOptions,
    Tls, TlsSettings, load_authorities,
};
use lyceum_sip::locate::{Query, Records};
use lyceum_sip::{SecretKey, Transport};
use tokio::signal::unix::{SignalKind, signal};

pub use config::EdgeConfig;
use enrolment::Enrolled;

use crate::config::TlsConfig;
use crate::preflight::raise_file_limit;

/// How long a stopping Edge waits for what is under way.
const DRAIN: Duration = Duration::from_secs(1);
/// Port of another organisation's Access Edge where its record names none.
const FEDERATION_PORT: u16 = 5061;
/// Addresses of a partner that are tried.
const ADDRESSES: usize = 8;

/// Runs until SIGTERM or SIGINT; SIGHUP reads the certificates again.
pub fn run(config: &EdgeConfig) -> Result<()> {
    // What the process was told before is its own file; from here on it meets users.
    crate::memory::forget();
    raise_file_limit();
    let enrolled = Enrolled::read(&config.data)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let (clients, partners) = (Tls::new(settings(&config.tls, false)?), Tls::new(settings(&config.tls, true)?));
    let (clients, partners) = (clients.map_err(|e| anyhow!("{e}"))?, partners.map_err(|e| anyhow!("{e}"))?);
    let (listeners, ports) = listeners(config, &enrolled, &clients, &partners)?;
    let options = Options {
        listeners,
        forgetful: true,
        bounds: Bounds { handshake: Duration::from_secs(8), ..Bounds::default() },
        ..Options::default()
    };
    let workers = options.build::<Post>().map_err(|error| anyhow!("{error}"))?;
    let handle = workers.handle();
    let at = |id: Option<ListenerId>| {
        let listener = id.and_then(|id| handle.listeners().iter().find(|listener| listener.id == id));
        listener.map(|listener| listener.advertised.to_string()).unwrap_or_default()
    };
    let (remote, federation) = (at(ports.remote), at(ports.federation));
    let pool = config.pool(&enrolled)?;
    tracing::info!(remote, federation, ?pool, "Access Edge serves");
    println!("{}", serde_json::json!({ "edge": config.name, "remote": remote, "federation": federation }));
    let find = find(&runtime, &config.edge.dns, handle.clone())?;
    let mut options = Some(AccessOptions {
        worker: 0,
        ports,
        remote: remote.into(),
        federation: federation.into(),
        name: enrolled.papers.name.as_str().into(),
        pool,
        key: key(&enrolled),
        find,
    });
    let running =
        workers.start(|_| Access::new(options.take().expect("one worker"))).map_err(|error| anyhow!("{error}"))?;
    runtime.block_on(wait(config, &clients, &partners))?;
    tracing::info!("stopping");
    running.drain(DRAIN);
    Ok(())
}

/// Flow tokens belong to the Edge's own key, so that dialogs with partners outlive a restart.
fn key(enrolled: &Enrolled) -> SecretKey {
    let der = enrolled.key.secret();
    let tail = &der[der.len().saturating_sub(32)..];
    SecretKey(std::array::from_fn(|at| tail.get(at).copied().unwrap_or_default())).derive("edge tokens")
}

async fn wait(config: &EdgeConfig, clients: &Tls, partners: &Tls) -> Result<()> {
    let (mut end, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut reload = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            _ = end.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = reload.recv() => {
                let again = settings(&config.tls, false).and_then(|one| Ok((one, settings(&config.tls, true)?)));
                let done = again.and_then(|(one, other)| {
                    clients.swap(one).and_then(|()| partners.swap(other)).map_err(|error| anyhow!("{error}"))
                });
                match done {
                    Ok(()) => tracing::info!("certificates read again"),
                    Err(error) => tracing::error!(%error, "certificates not read again; the old ones stay"),
                }
            }
        }
    }
}

/// Users outside show no certificate; partners must, but who does not is told so in SIP.
fn settings(config: &TlsConfig, partners: bool) -> Result<TlsSettings> {
    let certificate = Certificate::load(&config.certificate, &config.key).map_err(|error| anyhow!("{error}"))?;
    let mut settings = TlsSettings { certificates: vec![certificate], ..TlsSettings::default() };
    if partners {
        if let Some(path) = &config.authorities {
            settings.authorities = load_authorities(path).map_err(|error| anyhow!("{error}"))?;
        }
        settings.client_certificates = ClientCertificates::Optional;
    }
    Ok(settings)
}

fn listeners(
    config: &EdgeConfig,
    enrolled: &Enrolled,
    clients: &Tls,
    partners: &Tls,
) -> Result<(Vec<ListenerOptions>, Ports)> {
    let mut listeners = Vec::new();
    let mut open = |addr: Option<SocketAddr>, advertised: &Option<String>, tls: &Tls| {
        let mut listener = ListenerOptions::new(Transport::Tls, addr?).with_tls(tls.clone());
        listener.advertised.clone_from(advertised);
        listeners.push(listener);
        Some(ListenerId(listeners.len() as u16 - 1))
    };
    let remote = open(config.edge.remote, &config.edge.remote_advertised, clients);
    let federation = open(config.edge.federation, &config.edge.federation_advertised, partners);
    let four = config.pool(enrolled)?.iter().all(SocketAddr::is_ipv4);
    let any: IpAddr = if four { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let inside = SocketAddr::new(config.edge.inside.unwrap_or(any), 0);
    let tls = enrolled.papers()?.tls(&enrolled.key).map_err(|error| anyhow!("{error}"))?;
    let mut link = ListenerOptions::new(Transport::Tls, inside).with_tls(tls).inside(true);
    link.dials_only = true;
    listeners.push(link);
    let ports = Ports { remote, federation, link: ListenerId(listeners.len() as u16 - 1) };
    Ok((listeners, ports))
}

/// Finds partners by `_sipfederationtls._tcp`.
fn find(runtime: &tokio::runtime::Runtime, dns: &[SocketAddr], handle: Handle<Post>) -> Result<FindFn> {
    let options = ResolverOptions { servers: dns.to_vec(), ..ResolverOptions::default() };
    let resolver = Resolver::new(runtime.handle().clone(), options).map_err(|error| anyhow!("{error}"))?;
    let runtime = runtime.handle().clone();
    Ok(Box::new(move |query, domain| {
        let (resolver, domain, worker) = (resolver.clone(), domain.to_owned(), handle.worker(0));
        runtime.spawn(async move {
            let found = partner(&resolver, &domain).await;
            if let Err(why) = &found {
                tracing::warn!(domain, why, "partner not found");
            }
            worker.post(Post::Found { query, found }).ok();
        });
    }))
}

async fn partner(resolver: &Resolver, domain: &str) -> Found {
    let service = format!("_sipfederationtls._tcp.{domain}");
    let records = resolver.ask(&Query::Srv(service.clone())).await.map_err(|error| error.to_string())?;
    let Records::Srv(mut services) = records else { return Err(format!("{service} is no SRV record")) };
    services.sort_by_key(|one| (one.priority, std::cmp::Reverse(one.weight)));
    let mut found = Vec::new();
    for one in services {
        let port = if one.port == 0 { FEDERATION_PORT } else { one.port };
        let addresses = resolver.addresses_of(&one.target).await.unwrap_or_default();
        found.extend(addresses.into_iter().map(|ip| SocketAddr::new(ip, port)));
    }
    found.truncate(ADDRESSES);
    if found.is_empty() { Err(format!("DNS names no address for {service}")) } else { Ok(found) }
}

/// The address that a name and port stand for. Asked at the start, before anybody is served.
#[expect(clippy::disallowed_methods, reason = "nothing runs yet that it could hold up")]
fn address_of(text: &str) -> Result<Vec<SocketAddr>> {
    let found = text.to_socket_addrs().with_context(|| format!("the pool's {text} cannot be found"))?;
    Ok(found.collect())
}
