//! Sites, the pools in them, and the nodes of a pool.

use crate::domain::DomainName;
use serde::{Deserialize, Serialize};

/// A place with servers, or a branch that hangs on one (Lync: central site, branch site).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// The site's name, unique in the organisation: `Berlin`.
    #[serde(default)]
    pub name: String,
    /// What a person wants to know about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The central site this branch belongs to; a central site has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch_of: Option<String>,
    /// The pools of servers that stand here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<Pool>,
}

/// Servers that share their users: one node, or several that are alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// The pool's name, unique in the organisation, not only in its site.
    #[serde(default)]
    pub name: String,
    /// The name clients find the pool by in DNS and certificates.
    #[serde(default)]
    pub fqdn: DomainName,
    /// Its servers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<Node>,
}

/// One server of a pool. Its listeners and roles are in its own `node.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// The server's name, unique in the organisation.
    #[serde(default)]
    pub name: String,
    /// Its host name in DNS and certificates.
    #[serde(default)]
    pub fqdn: DomainName,
}
