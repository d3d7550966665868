//! Certificates in service, and the rules by which peers are believed.

mod certificate;
mod dev_ca;
mod identity;
mod link_ca;
mod look;
pub(crate) mod session;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use arc_swap::ArcSwap;
use rustls::client::{ClientConfig, Resumption};
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{Ticketer, default_provider};
use rustls::pki_types::CertificateDer;
use rustls::server::{ClientHello, NoServerSessionStorage, ProducesTickets, ResolvesServerCert, ServerConfig};
use rustls::sign::CertifiedKey;

pub use certificate::{Certificate, CertificateFacts, TlsError, load_authorities};
pub use dev_ca::{DevCa, Issued};
pub use link_ca::{LinkCa, LinkKey, LinkPapers, POOL_LINK, fingerprint};
pub use look::{NotShown, shown_certificate, shown_chain};

use crate::PeerIdentity;
use identity::{AnyClient, SipServers, Trust};

/// Sessions we opened that are remembered for resumption, per process.
const CLIENT_SESSIONS: usize = 64;

/// Whether peers that connect to us are asked for a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ClientCertificates {
    /// Never asked.
    #[default]
    Ignore,
    /// Asked, while [`Tls::ask_clients`] says so; who shows none, or one that no configured authority vouches for, is
    /// served without an identity.
    Optional,
    /// Who cannot show one that a configured authority vouches for is refused.
    Required,
}

/// What TLS works with; exchanged as a whole by [`Tls::swap`].
#[derive(Debug, Default)]
pub struct TlsSettings {
    /// Our certificates. The server name asked for chooses; the first serves those who ask for none or an unknown one.
    pub certificates: Vec<Certificate>,
    /// Authorities that vouch for peers, clients and servers alike.
    pub authorities: Vec<CertificateDer<'static>>,
    /// Whether clients are asked for a certificate.
    pub client_certificates: ClientCertificates,
}

/// The TLS settings in force. Clones share them.
#[derive(Clone)]
pub struct Tls {
    loaded: Arc<ArcSwap<Loaded>>,
    /// Sessions live in tickets at the client, so nothing grows here; kept over swaps.
    ticketer: Arc<dyn ProducesTickets>,
    /// Kept over swaps, too.
    ask: Arc<AtomicBool>,
}

pub(crate) struct Loaded {
    certificates: Vec<(Vec<String>, Arc<CertifiedKey>)>,
    trust: Arc<Trust>,
    provider: Arc<CryptoProvider>,
    server: Option<Arc<ServerConfig>>,
    client: Arc<ClientConfig>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.loaded.load().certificates.iter().map(|(names, _)| names.clone()).collect();
        f.debug_struct("Tls").field("certificates", &names).finish_non_exhaustive()
    }
}

impl Tls {
    /// Checks `settings` and puts them in force.
    pub fn new(settings: TlsSettings) -> Result<Tls, TlsError> {
        let ticketer = Ticketer::new().map_err(|e| TlsError::refused("making the key of session tickets", &e))?;
        let ask = Arc::new(AtomicBool::new(true));
        let loaded = Loaded::new(settings, &ticketer, &ask)?;
        Ok(Tls { loaded: Arc::new(ArcSwap::from_pointee(loaded)), ticketer, ask })
    }

    /// Checks `settings` and puts them in force for new connections; those that stand go on. After an error the old
    /// settings remain.
    pub fn swap(&self, settings: TlsSettings) -> Result<(), TlsError> {
        self.loaded.store(Arc::new(Loaded::new(settings, &self.ticketer, &self.ask)?));
        Ok(())
    }

    /// Whether [`ClientCertificates::Optional`] asks, from the next connection on: where nobody is trusted by certificate
    /// the question only makes phones ask their users. True at first.
    pub fn ask_clients(&self, ask: bool) {
        self.ask.store(ask, Relaxed);
    }

    /// Certificates in force, chosen anew at each handshake: for servers with a TLS configuration of their own (HTTPS).
    pub fn resolver(&self) -> Arc<dyn ResolvesServerCert> {
        Arc::new(Current(self.loaded.clone()))
    }

    /// True when there is a certificate to serve with.
    pub fn can_serve(&self) -> bool {
        self.loaded.load().server.is_some()
    }

    /// A session for a connection that was accepted; none without a certificate.
    pub fn accept(&self) -> Option<session::Session> {
        let connection = rustls::server::UnbufferedServerConnection::new(self.server()?).ok()?;
        Some(session::Session::Server(Box::new(connection)))
    }

    pub(crate) fn server(&self) -> Option<Arc<ServerConfig>> {
        self.loaded.load().server.clone()
    }

    /// For a connection to a peer that must prove `name`; without one its address (the TLS server name) decides.
    pub(crate) fn client(&self) -> Arc<ClientConfig> {
        self.loaded.load().client.clone()
    }

    /// The names in a chain, if a configured authority vouches for it now.
    pub(crate) fn identify(&self, chain: &[CertificateDer<'_>]) -> Option<PeerIdentity> {
        self.loaded.load().trust.identify(chain)
    }
}

impl Loaded {
    fn new(
        settings: TlsSettings,
        ticketer: &Arc<dyn ProducesTickets>,
        ask: &Arc<AtomicBool>,
    ) -> Result<Loaded, TlsError> {
        let provider = Arc::new(default_provider());
        let trust = Arc::new(Trust::new(&settings.authorities, settings.client_certificates, ask, &provider)?);
        let mut certificates = Vec::new();
        for certificate in settings.certificates {
            let names = certificate.facts()?.names;
            certificates.push((names, certificate.certified(&provider)?));
        }
        let client_key = certificates.first().map(|(_, key)| key.clone());
        let sessions = Resumption::in_memory_sessions(CLIENT_SESSIONS);
        let mut loaded = Loaded {
            client: Arc::new(client_config(&provider, &trust, client_key, &sessions)?),
            certificates,
            trust,
            provider,
            server: None,
        };
        if !loaded.certificates.is_empty() {
            loaded.server = Some(Arc::new(loaded.server_config(ticketer)?));
        }
        Ok(loaded)
    }

    fn server_config(&self, ticketer: &Arc<dyn ProducesTickets>) -> Result<ServerConfig, TlsError> {
        let resolver = Fixed(self.certificates.clone());
        let mut config = ServerConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|e| TlsError::refused("choosing TLS versions", &e))?
            .with_client_cert_verifier(Arc::new(AnyClient(self.trust.clone())))
            .with_cert_resolver(Arc::new(resolver));
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.ticketer = ticketer.clone();
        config.send_tls13_tickets = 1;
        Ok(config)
    }
}

fn client_config(
    provider: &Arc<CryptoProvider>,
    trust: &Arc<Trust>,
    key: Option<Arc<CertifiedKey>>,
    sessions: &Resumption,
) -> Result<ClientConfig, TlsError> {
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|e| TlsError::refused("choosing TLS versions", &e))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(SipServers(trust.clone())));
    let mut config = match key {
        Some(key) => builder.with_client_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(key))),
        None => builder.with_no_client_auth(),
    };
    config.resumption = sessions.clone();
    Ok(config)
}

/// Chooses among certificates by the server name asked for.
fn choose(certificates: &[(Vec<String>, Arc<CertifiedKey>)], wanted: Option<&str>) -> Option<Arc<CertifiedKey>> {
    let exact = |wanted: &str| {
        certificates.iter().find(|(names, _)| names.iter().any(|name| name.eq_ignore_ascii_case(wanted)))
    };
    let wildcard = |wanted: &str| {
        let (_, parent) = wanted.split_once('.')?;
        exact(&format!("*.{parent}"))
    };
    let found = wanted.and_then(|wanted| exact(wanted).or_else(|| wildcard(wanted)));
    found.or(certificates.first()).map(|(_, key)| key.clone())
}

#[derive(Debug)]
struct Fixed(Vec<(Vec<String>, Arc<CertifiedKey>)>);

impl ResolvesServerCert for Fixed {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        choose(&self.0, hello.server_name())
    }
}

struct Current(Arc<ArcSwap<Loaded>>);

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current")
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        choose(&self.0.load().certificates, hello.server_name())
    }
}
