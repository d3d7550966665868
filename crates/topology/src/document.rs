//! The topology document: what an administrator sets, whole and versioned.

use crate::accounts::Accounts;
use crate::domain::{DomainName, SipDomain};
use crate::federation::Federation;
use crate::policy::Policies;
use crate::qos::QosSettings;
use crate::route::StaticRoute;
use crate::site::{Node, Pool, Site};
use crate::trusted::TrustedHost;
use serde::{Deserialize, Serialize};

/// The organisation's whole setting, except what is in the directory (users, numbers, devices).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Document {
    /// Which edition this is; the store gives the number when it publishes, a draft keeps the one it started from.
    pub version: u64,
    /// The organisation's name, for people.
    pub organisation: String,
    /// The SIP domains, exactly one of them the default.
    pub domains: Vec<SipDomain>,
    /// The sites with their pools and nodes.
    pub sites: Vec<Site>,
    /// Hosts whose requests pass without a challenge.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trusted_hosts: Vec<TrustedHost>,
    /// Routes to next hops; the first that matches wins.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub static_routes: Vec<StaticRoute>,
    /// Where accounts come from besides the administrator's own hand.
    #[serde(skip_serializing_if = "Accounts::is_empty")]
    pub accounts: Accounts,
    /// Ports and marks of each modality.
    #[serde(skip_serializing_if = "QosSettings::is_default")]
    pub qos: QosSettings,
    /// Other organisations.
    #[serde(skip_serializing_if = "Federation::is_default")]
    pub federation: Federation,
    /// The policies of every kind at every scope.
    pub policies: Policies,
}

impl Document {
    /// The smallest whole document, as `lyceum dev` uses it: one domain, one site, one pool, one node.
    pub fn dev(domain: DomainName, node: DomainName) -> Self {
        let node = Node { name: "node1".to_owned(), fqdn: node };
        let pool = Pool { name: "pool1".to_owned(), fqdn: domain.clone(), nodes: vec![node] };
        let site = Site { name: "Main".to_owned(), pools: vec![pool], ..Site::default() };
        Self {
            organisation: domain.to_string(),
            domains: vec![SipDomain { name: domain, default: true }],
            sites: vec![site],
            ..Self::default()
        }
    }

    /// The default SIP domain.
    pub fn default_domain(&self) -> Option<&DomainName> {
        self.domains.iter().find(|domain| domain.default).map(|domain| &domain.name)
    }

    /// Makes another of the domains the default; `false` when there is no such domain.
    pub fn set_default_domain(&mut self, name: &DomainName) -> bool {
        let known = self.domains.iter().any(|domain| domain.name == *name);
        if known {
            for domain in &mut self.domains {
                domain.default = domain.name == *name;
            }
        }
        known
    }

    /// All pools with their sites.
    pub fn pools(&self) -> impl Iterator<Item = (&Site, &Pool)> {
        self.sites.iter().flat_map(|site| site.pools.iter().map(move |pool| (site, pool)))
    }

    /// The site a pool stands in.
    pub fn site_of(&self, pool: &str) -> Option<&Site> {
        self.pools().find(|(_, candidate)| candidate.name == pool).map(|(site, _)| site)
    }
}
