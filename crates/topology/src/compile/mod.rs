//! The document turned into tables: what lookups per request read.

mod check;
mod routes;
mod trust;

use crate::directory::{Directory, Placed, without_final_dot};
use crate::document::Document;
use crate::domain::DomainName;
use crate::policy::{
    ArchivingPolicy, AuthenticationPolicy, CallDetailPolicy, CallPolicy, ClientVersionPolicy, ExternalAccessPolicy,
    FileTransferPolicy, GrantKind, ImFilterPolicy, LockoutPolicy, MessagePolicy, PresencePolicy, ProxyPolicy,
    RegistrarPolicy, Scope, Scopes,
};
use crate::route::StaticRoute;
use crate::trusted::{PeerFacts, TrustedHost};
use hashbrown::HashTable;
use routes::RouteTable;
use std::sync::Arc;
use trust::TrustTable;

/// The document with its tables.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) document: Document,
    domains: HashTable<DomainName>,
    default_domain: DomainName,
    /// By name.
    pools: Vec<PoolPolicies>,
    /// What holds where no pool is known.
    global: PoolPolicies,
    trust: TrustTable,
    routes: RouteTable,
}

/// What holds in one pool, before anything granted to a user.
#[derive(Debug, Clone)]
pub struct PoolPolicies {
    /// The pool; empty for the organisation as a whole.
    pub name: Box<str>,
    /// The site it stands in.
    pub site: Option<Box<str>>,
    /// For users who were granted nothing.
    pub users: UserPolicies,
    /// What the digest challenge offers.
    pub authentication: AuthenticationPolicy,
    /// When failed sign-ins close the door.
    pub lockout: LockoutPolicy,
    /// Timers and bounds of the proxy.
    pub proxy: ProxyPolicy,
    /// What is recorded of calls.
    pub call_detail: CallDetailPolicy,
    /// What happens to hyperlinks in messages.
    pub im_filter: ImFilterPolicy,
}

/// What holds for users of one pool with the same grants.
#[derive(Debug, Clone)]
pub struct UserPolicies {
    /// How users register.
    pub registrar: RegistrarPolicy,
    /// What users' calls may do.
    pub calls: CallPolicy,
    /// What a user's presence shows, to how many, and for how long.
    pub presence: PresencePolicy,
    /// What a user's messages may do and what is remembered of them.
    pub message: MessagePolicy,
    /// Which files people may send each other.
    pub file_transfer: FileTransferPolicy,
    /// Whose messages are archived and for how long.
    pub archiving: ArchivingPolicy,
    /// Which clients may sign in.
    pub client_version: ClientVersionPolicy,
    /// `policies.external_access`
    pub external_access: ExternalAccessPolicy,
    pub(crate) placed: Arc<Placed>,
}

impl UserPolicies {
    /// Whether messages of these users are archived.
    pub(crate) fn archives(&self) -> bool {
        self.archiving.archive_internal || self.archiving.archive_external
    }
}

impl Compiled {
    /// Compiles a document that was found valid.
    pub(crate) fn new(document: Document) -> Self {
        let mut domains = HashTable::new();
        for domain in &document.domains {
            domains.insert_unique(host_hash(domain.name.as_str().as_bytes()), domain.name.clone(), |name| {
                host_hash(name.as_str().as_bytes())
            });
        }
        let default_domain = document.default_domain().expect("a valid document has a default domain").clone();
        let mut pools: Vec<PoolPolicies> =
            document.pools().map(|(site, pool)| pool_policies(&document, Some(&site.name), Some(&pool.name))).collect();
        pools.sort_by(|a, b| a.name.cmp(&b.name));
        let global = pool_policies(&document, None, None);
        let trust = TrustTable::new(&document.trusted_hosts);
        let routes = RouteTable::new(&document.static_routes);
        Self { document, domains, default_domain, pools, global, trust, routes }
    }

    pub(crate) fn default_domain(&self) -> &DomainName {
        &self.default_domain
    }

    pub(crate) fn domain(&self, host: &[u8]) -> Option<&DomainName> {
        let host = without_final_dot(host);
        self.domains.find(host_hash(host), |name| name.as_str().as_bytes().eq_ignore_ascii_case(host))
    }

    pub(crate) fn pool(&self, name: &str) -> &PoolPolicies {
        match self.pools.binary_search_by(|pool| (*pool.name).cmp(name)) {
            Ok(at) => &self.pools[at],
            Err(_) => &self.global,
        }
    }

    /// Whether a pool's own settings archive messages.
    pub(crate) fn archives(&self) -> bool {
        self.global.users.archives() || self.pools.iter().any(|pool| pool.users.archives())
    }

    pub(crate) fn trusted(&self, peer: &PeerFacts<'_>) -> Option<&TrustedHost> {
        self.trust.find(peer).map(|host| &self.document.trusted_hosts[host])
    }

    pub(crate) fn static_route(&self, request_uri: &[u8]) -> Option<&StaticRoute> {
        let route = self.routes.find(request_uri, |host| self.domain(host).is_some())?;
        Some(&self.document.static_routes[route])
    }

    /// One entry per slot of the directory's assignments.
    pub(crate) fn user_policies(&self, directory: &Directory) -> Vec<UserPolicies> {
        directory.assignments.iter().map(|(placed, _)| self.policies_for(placed)).collect()
    }

    fn policies_for(&self, placed: &Arc<Placed>) -> UserPolicies {
        let pool = &placed.assignment.pool;
        let site = self.document.site_of(pool).map(|site| site.name.as_str());
        let scope = |kind| Scope { site, pool: Some(pool), grant: placed.assignment.grant(kind) };
        let policies = &self.document.policies;
        UserPolicies {
            registrar: policies.registrar.effective(scope(GrantKind::Registrar)),
            calls: policies.calls.effective(scope(GrantKind::Calls)),
            presence: policies.presence.effective(scope(GrantKind::Presence)),
            message: policies.message.effective(scope(GrantKind::Message)),
            file_transfer: policies.file_transfer.effective(scope(GrantKind::FileTransfer)),
            archiving: policies.archiving.effective(scope(GrantKind::Archiving)),
            client_version: policies.client_version.effective(scope(GrantKind::ClientVersion)),
            external_access: policies.external_access.effective(scope(GrantKind::ExternalAccess)),
            placed: placed.clone(),
        }
    }
}

fn host_hash(host: &[u8]) -> u64 {
    crate::directory::address_hash(b"", host)
}

fn pool_policies(document: &Document, site: Option<&str>, pool: Option<&str>) -> PoolPolicies {
    let scope = Scope { site, pool, grant: None };
    let policies = &document.policies;
    PoolPolicies {
        name: pool.unwrap_or_default().into(),
        site: site.map(Into::into),
        users: UserPolicies {
            registrar: policies.registrar.effective(scope),
            calls: policies.calls.effective(scope),
            presence: policies.presence.effective(scope),
            message: policies.message.effective(scope),
            file_transfer: policies.file_transfer.effective(scope),
            archiving: policies.archiving.effective(scope),
            client_version: policies.client_version.effective(scope),
            external_access: policies.external_access.effective(scope),
            placed: Arc::default(),
        },
        authentication: policies.authentication.effective(scope),
        lockout: policies.lockout.effective(scope),
        proxy: policies.proxy.effective(scope),
        call_detail: policies.call_detail.effective(scope),
        im_filter: policies.im_filter.effective(scope),
    }
}
