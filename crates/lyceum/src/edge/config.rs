//! The node file of an Access Edge.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use serde::Deserialize;

use super::address_of;
use super::enrolment::Enrolled;
use crate::config::{Fault, LogConfig, NodeConfig, TlsConfig, edge_shape, names_a_port};
use crate::preflight::listed;

/// The file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeConfig {
    /// Name of this node, for people.
    pub name: String,
    /// Folder of its papers; no user is ever in it.
    pub data: PathBuf,
    /// The role.
    pub edge: EdgeSection,
    /// The certificate for users outside and for partners, and the authorities that vouch for partners.
    pub tls: TlsConfig,
    /// Log.
    #[serde(default)]
    pub log: LogConfig,
}

/// Where it listens, and where the pool is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeSection {
    /// Address and port for users outside.
    #[serde(default)]
    pub remote: Option<SocketAddr>,
    /// What they write for it, `sip.example.org:443`.
    #[serde(default)]
    pub remote_advertised: Option<String>,
    /// Address and port for other organisations.
    #[serde(default)]
    pub federation: Option<SocketAddr>,
    /// What they write for it.
    #[serde(default)]
    pub federation_advertised: Option<String>,
    /// Our address on the inside, from which the link is opened.
    #[serde(default)]
    pub inside: Option<IpAddr>,
    /// The pool's ports for links, in the order to try, instead of the one in the token.
    #[serde(default)]
    pub pool: Vec<String>,
    /// DNS servers that know other organisations; the system's when there are none.
    #[serde(default)]
    pub dns: Vec<SocketAddr>,
}

impl EdgeConfig {
    /// Reads the file; `None` when it is not that of an Edge.
    pub fn read(path: &Path) -> Result<Option<EdgeConfig>> {
        let text = NodeConfig::text(path)?;
        let Ok(table) = text.parse::<toml::Table>() else { return Ok(None) };
        if !table.contains_key("edge") {
            return Ok(None);
        }
        let wrong = |faults: &[Fault]| listed(&format!("the node file {} is not right", path.display()), faults);
        match EdgeConfig::examine(table) {
            Ok(config) => Ok(Some(config)),
            Err(faults) => Err(wrong(&faults)),
        }
    }

    fn examine(table: toml::Table) -> Result<EdgeConfig, Vec<Fault>> {
        let faults = edge_shape(&table);
        if !faults.is_empty() {
            return Err(faults);
        }
        let config: EdgeConfig = table.try_into().map_err(|error: toml::de::Error| {
            vec![Fault::new(error.message().to_owned(), "docs/operate/edge.md shows a whole file")]
        })?;
        let faults = config.faults();
        if faults.is_empty() { Ok(config) } else { Err(faults) }
    }

    fn faults(&self) -> Vec<Fault> {
        let mut found = Vec::new();
        let edge = &self.edge;
        if edge.remote.is_none() && edge.federation.is_none() {
            let fix = "add remote = \"0.0.0.0:443\" for users outside, or federation = \"0.0.0.0:5061\" for partners";
            found.push(Fault::new("[edge] opens no port", fix));
        }
        for (name, addr, advertised) in [
            ("remote", edge.remote, &edge.remote_advertised),
            ("federation", edge.federation, &edge.federation_advertised),
        ] {
            let wrong = advertised.as_ref().is_some_and(|host| !names_a_port(host));
            if wrong || advertised.is_none() && addr.is_some_and(|addr| addr.ip().is_unspecified()) {
                let what = format!("edge.{name}_advertised does not say how the port is reached");
                found.push(Fault::new(what, "write host:port, as in sip.example.org:443"));
            }
        }
        if edge.federation.is_some() && self.tls.authorities.is_none() {
            let fix = "name the file of authorities that vouch for partners: tls.authorities";
            found.push(Fault::new("no partner can prove who it is", fix));
        }
        found
    }

    /// The pool's addresses.
    pub(super) fn pool(&self, enrolled: &Enrolled) -> Result<Vec<SocketAddr>> {
        let given = std::slice::from_ref(&enrolled.pool);
        let named = if self.edge.pool.is_empty() { given } else { &self.edge.pool };
        let mut found = Vec::new();
        for one in named {
            found.extend(address_of(one)?);
        }
        if found.is_empty() { Err(anyhow!("no address of the pool is known: write edge.pool")) } else { Ok(found) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "name = \"edge1\"\ndata = \"/var/lib/lyceum-edge\"\n\
        [tls]\ncertificate = \"/c\"\nkey = \"/k\"\nauthorities = \"/a\"\n[edge]\n";

    fn faults(more: &str) -> Vec<String> {
        let table = format!("{SAMPLE}{more}").parse().unwrap();
        EdgeConfig::examine(table).err().unwrap_or_default().iter().map(Fault::to_string).collect()
    }

    #[test]
    fn the_sample_in_deploy_is_right() {
        assert!(EdgeConfig::examine(include_str!("../../../../deploy/edge.toml").parse().unwrap()).is_ok());
    }

    #[test]
    fn each_fault_is_named_with_its_cure() {
        assert_eq!(faults("remote = \"203.0.113.5:443\"\nfederation = \"203.0.113.5:5061\""), Vec::<String>::new());
        for (more, fault) in [
            ("", "[edge] opens no port: add remote"),
            ("remote = \"0.0.0.0:443\"", "edge.remote_advertised does not say"),
            ("remote = \"203.0.113.5:443\"\nremote_advertised = \"sip.example.org\"", "edge.remote_advertised"),
            ("remote = \"203.0.113.5:443\"\ncolour = 1", "`edge.colour` is no setting"),
            ("remote = \"443\"", "docs/operate/edge.md"),
        ] {
            let found = faults(more);
            assert!(found.len() == 1 && found[0].contains(fault), "{fault}: {found:?}");
        }
    }
}
