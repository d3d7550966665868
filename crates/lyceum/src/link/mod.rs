//! The pool's side of links to Access Edges: the authority that signs for them, their one-time tokens, and who is enrolled.

pub mod papers;
mod port;
pub mod token;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use lyceum_front_end::core::EnrolledEdge;
use lyceum_front_end::executor::{EnrolFn, Post};
use lyceum_net::{Handle, LinkCa, ListenerOptions, fingerprint};
use lyceum_sip::time::WallTime;
use lyceum_sip::{SecretKey, Transport};
use lyceum_store::{By, EdgeRow, Store, StoreError};

use papers::{Asked, Papers};
use token::{Secret, Token};

/// The port for links of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkOptions {
    /// Address and port.
    pub address: SocketAddr,
    /// `host:port` by which Edges reach it, when that is another.
    pub advertised: Option<String>,
}

/// What signs for Edges.
pub struct LinkAuthority {
    ca: LinkCa,
    tokens: SecretKey,
    store: Store,
    handle: Handle<Post>,
    /// Where Edges reach us.
    reached: String,
}

/// The authority belongs to the master key: every start has the same.
pub fn authority(derived: &[u8; 32]) -> Result<LinkCa> {
    LinkCa::new(&SecretKey(*derived).derive("authority").0).map_err(|error| anyhow!("{error}"))
}

/// The port as a listener of the node.
pub fn listener(options: &LinkOptions, ca: &LinkCa) -> Result<ListenerOptions> {
    let tls = ca.pool_tls().map_err(|error| anyhow!("{error}"))?;
    let mut listener = ListenerOptions::new(Transport::Tls, options.address).with_tls(tls);
    listener.link = true;
    listener.advertised.clone_from(&options.advertised);
    Ok(listener)
}

impl LinkAuthority {
    /// The authority with the store of tokens and the workers that are told.
    pub fn new(derived: &[u8; 32], store: Store, handle: Handle<Post>) -> Result<Arc<LinkAuthority>> {
        let port = handle.listeners().iter().find(|listener| listener.link);
        let reached = port.map(|listener| listener.advertised.to_string()).unwrap_or_default();
        let tokens = SecretKey(*derived).derive("tokens");
        Ok(Arc::new(LinkAuthority { ca: authority(derived)?, tokens, store, handle, reached }))
    }

    /// Makes a one-time token for an Edge.
    fn new_token(&self, name: &str, ends: WallTime, by: By<'_>) -> Result<String, StoreError> {
        let bytes = crate::server::random_bytes();
        let id: [u8; token::ID] = std::array::from_fn(|at| bytes[at]);
        self.store.edge_token(name, &id, ends, by)?;
        let fingerprint = fingerprint(self.ca.certificate());
        Ok(Token { id, secret: self.secret(&id), fingerprint, pool: self.reached.clone() }.to_string())
    }

    fn secret(&self, id: &[u8; token::ID]) -> Secret {
        Secret::of(&self.tokens, id)
    }

    /// What a worker calls for a node that wants to be enrolled.
    pub fn enrol_fn(self: &Arc<Self>, runtime: tokio::runtime::Handle, worker: u8) -> EnrolFn {
        let authority = Arc::clone(self);
        Box::new(move |query, asked| {
            let authority = Arc::clone(&authority);
            runtime.spawn_blocking(move || {
                let papers = authority.enrol(&asked);
                authority.handle.worker(worker).post_when_room(Post::Enrolled { query, papers }).ok();
            });
        })
    }

    fn enrol(&self, asked: &[u8]) -> Option<Vec<u8>> {
        let asked: Asked = serde_json::from_slice(asked).ok()?;
        let (id, public) = asked.proven(|id| self.secret(id))?;
        let by = By { who: "edge", at: lyceum_web::system_clock() };
        let serial = u64::from_le_bytes(std::array::from_fn(|at| crate::server::random_bytes()[at]));
        let row = self.store.edge_enrol(&id, |number| format!("{number}-{serial:016x}.edge.link.internal"), by);
        let row = row.inspect_err(|error| tracing::error!(%error, "an Edge could not be enrolled")).ok()??;
        let certificate =
            self.ca.sign(&public, &row.link).inspect_err(|error| tracing::error!(%error, "an Edge")).ok()?;
        tracing::info!(edge = row.name, "Access Edge enrolled");
        // Before the papers are out: the Edge may come with them at once.
        self.tell_workers();
        serde_json::to_vec(&Papers::new(&row.name, row.number, &certificate, self.ca.certificate())).ok()
    }

    /// All Edges.
    fn rows(&self) -> Result<Vec<EdgeRow>, StoreError> {
        self.store.edges()
    }

    /// Takes an Edge away; its link ends at once.
    fn take_away(&self, name: &str, by: By<'_>) -> Result<bool, StoreError> {
        let gone = self.store.edge_remove(name, by)?;
        self.tell_workers();
        Ok(gone)
    }

    /// Tells every worker who is enrolled.
    pub fn tell_workers(&self) {
        match self.rows() {
            Ok(rows) => {
                let edges = enrolled(&rows);
                for worker in 0..self.handle.workers() {
                    self.handle.worker(worker).post_when_room(Post::Edges(edges.clone())).ok();
                }
            }
            Err(error) => tracing::error!(%error, "the list of Access Edges could not be read"),
        }
    }
}

/// Those that have a certificate.
fn enrolled(rows: &[EdgeRow]) -> Vec<EnrolledEdge> {
    let with_papers = rows.iter().filter(|row| !row.link.is_empty());
    with_papers.map(|row| EnrolledEdge { number: row.number, link: row.link.as_str().into() }).collect()
}
