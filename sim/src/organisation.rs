//! The organisation that the simulation runs: one domain, one pool, a handful of users.

use std::sync::Arc;
use std::time::Duration;

use lyceum_front_end::core::{Core, CoreOptions};
use lyceum_front_end::credentials::Credentials;
use lyceum_front_end::keys::Keys;
use lyceum_front_end::metrics::Metrics;
use lyceum_net::{Listener, ListenerId};
use lyceum_sip::Transport;
use lyceum_sip::digest::Ha1;
use lyceum_topology::{AddressOfRecord, Directory, Document, DomainName, Snapshot, UserId, UserRecord, routing_group};

/// The SIP domain, and the realm.
pub const DOMAIN: &str = "example.org";
/// Where the server listens, UDP and TCP.
pub const SERVER: &str = "192.0.2.1:5060";
/// Every user's password.
pub const PASSWORD: &str = "open sesame";
/// Shortest life of a binding.
pub const MIN_EXPIRES: u32 = 60;
/// How long the server lets endpoints ring.
pub const RING_SECONDS: u64 = 30;

/// A user's address of record.
pub fn address(user: usize) -> String {
    format!("u{user}@{DOMAIN}")
}

/// The routing group of a user.
pub fn group_of(user: usize) -> u8 {
    routing_group(&address(user))
}

/// What every process of the server is built from.
pub struct Organisation {
    snapshot: Arc<Snapshot>,
    credentials: Credentials,
    keys: Keys,
}

impl Organisation {
    /// An organisation with users 0 to `users`.
    pub fn new(users: usize, key: [u8; 32]) -> Self {
        let name = || DomainName::parse(DOMAIN).expect("a DNS name");
        let mut document = Document::dev(name(), name());
        let registrar = &mut document.policies.registrar.global;
        registrar.min_expires = Some(MIN_EXPIRES);
        registrar.default_expires = Some(120);
        registrar.max_expires = Some(300);
        document.policies.calls.global.ring_seconds = Some(RING_SECONDS as u32);
        let mut directory = Directory::default();
        for user in 0..users {
            let address = AddressOfRecord::parse(&address(user)).expect("a SIP address");
            directory.insert(UserRecord::new(UserId(user as u32), address, "pool1")).expect("addresses differ");
        }
        let snapshot = Snapshot::compile(&document, directory).expect("the document is valid");
        let secret = |user: usize| {
            let name = format!("u{user}");
            (UserId(user as u32), Ha1::of(name.as_bytes(), DOMAIN.as_bytes(), PASSWORD.as_bytes()))
        };
        let credentials = Credentials::load((0..users).map(secret));
        Organisation { snapshot: Arc::new(snapshot), credentials, keys: Keys::new(key) }
    }

    /// A new server process, its groups still empty.
    pub fn core(&self, seed: [u8; 32]) -> Core {
        Core::new(CoreOptions {
            worker: 0,
            listeners: vec![listener(Transport::Udp), listener(Transport::Tcp)],
            snapshot: Arc::clone(&self.snapshot),
            credentials: self.credentials.clone(),
            keys: self.keys.clone(),
            seed,
            metrics: Arc::new(Metrics::default()),
            node: "node1".into(),
            pool: "pool1".into(),
            commit_interval: Duration::from_millis(5),
            epoch: 1,
        })
    }
}

/// The listener of a transport.
pub fn listener(transport: Transport) -> Listener {
    let id = ListenerId(if transport == Transport::Udp { 0 } else { 1 });
    let addr = SERVER.parse().expect("an address");
    Listener { id, transport, addr, advertised: SERVER.into(), inside: false, link: false }
}
