//! DNS for RFC 3263: answers the questions of [`lyceum_sip::locate`], on a runtime of the caller's, never in a worker.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolverConfig};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use lyceum_sip::locate::{NaptrRecord, Query, Records, Search, SrvRecord, Step, Target};
use rand_core::RngCore;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// How names are resolved, and its bounds.
#[derive(Clone, Debug)]
pub struct ResolverOptions {
    /// DNS servers; none means those of `/etc/resolv.conf`.
    pub servers: Vec<SocketAddr>,
    /// Answers kept, each as long as its TTL says.
    pub cached_answers: u64,
    /// How long one question may take, repetitions included; then it counts as failed.
    pub question: Duration,
    /// How long a whole search may take; then it counts as failed.
    pub search: Duration,
    /// Searches at once; more are refused.
    pub searches: usize,
}

impl Default for ResolverOptions {
    fn default() -> ResolverOptions {
        ResolverOptions {
            servers: Vec::new(),
            cached_answers: 4096,
            question: Duration::from_secs(3),
            search: Duration::from_secs(8),
            searches: 512,
        }
    }
}

/// Why a search gave no target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookupError {
    /// DNS knows no place to send to.
    Nowhere,
    /// DNS did not answer in time.
    Late,
    /// As many searches as allowed are under way.
    Busy,
    /// DNS answered with an error, or could not be asked.
    Failed(String),
}

impl fmt::Display for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LookupError::Nowhere => f.write_str("DNS names no address for it"),
            LookupError::Late => f.write_str("DNS did not answer in time; check the servers in /etc/resolv.conf"),
            LookupError::Busy => f.write_str("too many names are being looked up already; try again later"),
            LookupError::Failed(why) => write!(f, "DNS failed: {why}"),
        }
    }
}

impl std::error::Error for LookupError {}

/// Looks names up. Clones share cache and bounds.
#[derive(Clone)]
pub struct Resolver {
    dns: TokioResolver,
    runtime: Handle,
    room: Arc<Semaphore>,
    options: Arc<ResolverOptions>,
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Resolver {
    /// A resolver whose work is done on `runtime`.
    pub fn new(runtime: Handle, options: ResolverOptions) -> Result<Resolver, LookupError> {
        let failed = |e: NetError| LookupError::Failed(e.to_string());
        let mut builder = if options.servers.is_empty() {
            TokioResolver::builder_tokio().map_err(failed)?
        } else {
            let servers = options.servers.iter().map(server).collect();
            let config = ResolverConfig::from_parts(None, Vec::new(), servers);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        };
        let dns_options = builder.options_mut();
        dns_options.cache_size = options.cached_answers;
        dns_options.timeout = options.question / 2;
        dns_options.attempts = 1;
        let dns = {
            let _runtime = runtime.enter();
            builder.build().map_err(failed)?
        };
        let room = Arc::new(Semaphore::new(options.searches));
        Ok(Resolver { dns, runtime, room, options: Arc::new(options) })
    }

    /// Searches in the background and hands the result to `deliver` (which posts it to a worker, say). Never waits.
    pub fn start(
        &self,
        search: Search,
        deliver: impl FnOnce(Result<Vec<Target>, LookupError>) + Send + 'static,
    ) -> Result<(), LookupError> {
        let permit = self.room.clone().try_acquire_owned().map_err(|_| LookupError::Busy)?;
        let resolver = self.clone();
        self.runtime.spawn(async move {
            deliver(resolver.search(search).await);
            drop(permit);
        });
        Ok(())
    }

    /// Runs a search to its end. Not for workers: see [`start`](Resolver::start).
    pub async fn search(&self, search: Search) -> Result<Vec<Target>, LookupError> {
        timeout(self.options.search, self.run(search)).await.unwrap_or(Err(LookupError::Late))
    }

    async fn run(&self, mut search: Search) -> Result<Vec<Target>, LookupError> {
        let mut chance = Chance::new();
        let mut trouble = None;
        loop {
            match search.step(&mut chance) {
                Step::Ask(query) => {
                    // A failed question counts as no records, so that the other targets are still found; only if
                    // nothing at all is found the failure is told.
                    let records = self.ask(&query).await.unwrap_or_else(|error| {
                        trouble.get_or_insert(error);
                        empty(&query)
                    });
                    search.answer(records, &mut chance);
                }
                Step::Found(targets) => return Ok(targets),
                Step::Nowhere => return Err(trouble.unwrap_or(LookupError::Nowhere)),
            }
        }
    }

    /// Asks one question. No such name and no such records are an empty list.
    pub async fn ask(&self, query: &Query) -> Result<Records, LookupError> {
        let answer = async {
            match query {
                Query::Naptr(domain) => self.lookup(domain, RecordType::NAPTR).await.map(|l| Records::Naptr(naptr(&l))),
                Query::Srv(name) => self.lookup(name, RecordType::SRV).await.map(|l| Records::Srv(srv(&l))),
                Query::Addresses(host) => self.addresses(host).await.map(Records::Addresses),
            }
        };
        match timeout(self.options.question, answer).await {
            Err(_) => Err(LookupError::Late),
            Ok(Ok(records)) => Ok(records),
            Ok(Err(error)) if error.is_no_records_found() => Ok(empty(query)),
            Ok(Err(error)) => Err(LookupError::Failed(error.to_string())),
        }
    }

    /// The addresses of `name`, of both families; none when there is no such record.
    pub async fn addresses_of(&self, name: &str) -> Result<Vec<IpAddr>, LookupError> {
        match self.ask(&Query::Addresses(name.to_owned())).await? {
            Records::Addresses(addresses) => Ok(addresses),
            _ => Ok(Vec::new()),
        }
    }

    /// Ports and hosts of the services called `name`; none when there is no such record.
    pub async fn services_of(&self, name: &str) -> Result<Vec<(u16, String)>, LookupError> {
        match self.ask(&Query::Srv(name.to_owned())).await? {
            Records::Srv(services) => Ok(services.into_iter().map(|service| (service.port, service.target)).collect()),
            _ => Ok(Vec::new()),
        }
    }

    async fn lookup(&self, name: &str, kind: RecordType) -> Result<Lookup, NetError> {
        self.dns.lookup(absolute(name)?, kind).await
    }

    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, NetError> {
        let found = self.dns.lookup_ip(absolute(host)?).await?;
        let mut addresses: Vec<IpAddr> = found.iter().collect();
        addresses.dedup();
        Ok(addresses)
    }
}

fn server(addr: &SocketAddr) -> NameServerConfig {
    let mut config = NameServerConfig::udp_and_tcp(addr.ip());
    for connection in &mut config.connections {
        connection.port = addr.port();
    }
    config
}

/// A name as it stands in a URI is whole: no search list may lengthen it.
fn absolute(name: &str) -> Result<Name, NetError> {
    let mut name = Name::from_utf8(name).map_err(|e| NetError::from(e.to_string()))?;
    name.set_fqdn(true);
    Ok(name)
}

fn empty(query: &Query) -> Records {
    match query {
        Query::Naptr(_) => Records::Naptr(Vec::new()),
        Query::Srv(_) => Records::Srv(Vec::new()),
        Query::Addresses(_) => Records::Addresses(Vec::new()),
    }
}

/// A name as sip's search wants it: lower case, no dot at the end.
fn text(name: &Name) -> String {
    name.to_ascii().trim_end_matches('.').to_ascii_lowercase()
}

fn naptr(lookup: &Lookup) -> Vec<NaptrRecord> {
    let records = lookup.answers().iter().filter_map(|record| match &record.data {
        RData::NAPTR(naptr) => Some(NaptrRecord {
            order: naptr.order,
            preference: naptr.preference,
            flags: String::from_utf8_lossy(&naptr.flags).into_owned(),
            service: String::from_utf8_lossy(&naptr.services).into_owned(),
            replacement: text(&naptr.replacement),
        }),
        _ => None,
    });
    records.collect()
}

fn srv(lookup: &Lookup) -> Vec<SrvRecord> {
    let records = lookup.answers().iter().filter_map(|record| match &record.data {
        RData::SRV(srv) => {
            Some(SrvRecord { priority: srv.priority, weight: srv.weight, port: srv.port, target: text(&srv.target) })
        }
        _ => None,
    });
    records.collect()
}

/// Chance for SRV weights; nothing secret depends on it (SplitMix64, seeded by the system).
struct Chance(u64);

impl Chance {
    fn new() -> Chance {
        Chance(RandomState::new().hash_one(0u8))
    }
}

impl RngCore for Chance {
    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn next_u32(&mut self) -> u32 {
        self.next_u64() as u32
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next_u64().to_le_bytes()[..chunk.len()]);
        }
    }
}
