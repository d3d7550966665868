//! `node.toml`: what belongs to one node and not to the topology document.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use lyceum_sip::Transport;
use serde::Deserialize;

/// The node file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    /// Name of this node, as in the topology.
    pub name: String,
    /// Pool that it belongs to, as in the topology.
    #[serde(default = "default_pool")]
    pub pool: String,
    /// Data folder.
    pub data: PathBuf,
    /// File of the master key; outside the data folder.
    pub master_key: PathBuf,
    /// Local socket of the management shell.
    #[serde(default = "default_socket")]
    pub socket: PathBuf,
    /// SIP ports.
    #[serde(rename = "listener", default)]
    pub listeners: Vec<ListenerConfig>,
    /// HTTPS: administration API and SIP over WebSocket.
    #[serde(default)]
    pub https: Option<HttpsConfig>,
    /// Certificates.
    #[serde(default)]
    pub tls: Option<TlsConfig>,
    /// Log.
    #[serde(default)]
    pub log: LogConfig,
    /// Worker threads; one fits up to some ten thousand requests a second.
    #[serde(default = "default_workers")]
    pub workers: u8,
    /// Folder of backups that name no file.
    #[serde(default)]
    pub backups: Option<PathBuf>,
}

/// One SIP port.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListenerConfig {
    /// `udp`, `tcp` or `tls`.
    pub transport: String,
    /// Address and port.
    pub address: SocketAddr,
    /// What peers shall use to reach it, `host:port`.
    #[serde(default)]
    pub advertised: Option<String>,
    /// Only hosts of the inside network can reach it.
    #[serde(default)]
    pub inside: bool,
}

impl ListenerConfig {
    /// The transport, or what is wrong with it.
    pub fn transport(&self) -> Result<Transport> {
        match self.transport.as_str() {
            "udp" => Ok(Transport::Udp),
            "tcp" => Ok(Transport::Tcp),
            "tls" => Ok(Transport::Tls),
            other => bail!("listener.transport = \"{other}\": use udp, tcp or tls (ws and wss come with [https])"),
        }
    }
}

/// The HTTPS port.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpsConfig {
    /// Address and port.
    pub address: SocketAddr,
    /// Where browsers reach it, `https://sip.example.org`.
    #[serde(default)]
    pub url: Option<String>,
    /// Plain HTTP port for SIP over WebSocket behind a proxy of your own.
    #[serde(default)]
    pub ws: Option<SocketAddr>,
    /// Origins besides our own whose pages may use the API.
    #[serde(default)]
    pub origins: Vec<String>,
}

/// Certificates in PEM files.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// Chain, own certificate first.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Authorities that vouch for trusted hosts and next hops.
    #[serde(default)]
    pub authorities: Option<PathBuf>,
}

/// Log output on standard error.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// `text` or `json`.
    #[serde(default = "default_format")]
    pub format: String,
    /// `error`, `warn`, `info`, `debug`, or a filter such as `info,lyceum_net=debug`.
    #[serde(default = "default_level")]
    pub level: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        LogConfig { format: default_format(), level: default_level() }
    }
}

fn default_pool() -> String {
    "pool1".into()
}
fn default_socket() -> PathBuf {
    "/run/lyceum/lyceum.sock".into()
}
fn default_workers() -> u8 {
    1
}
fn default_format() -> String {
    "text".into()
}
fn default_level() -> String {
    "info".into()
}

impl NodeConfig {
    /// Reads and checks the file.
    pub fn read(path: &Path) -> Result<NodeConfig> {
        let text = std::fs::read_to_string(path).with_context(|| {
            format!("the node file {} cannot be read; give its path with --config", path.display())
        })?;
        let config: NodeConfig =
            toml::from_str(&text).with_context(|| format!("the node file {} is not right", path.display()))?;
        config.check().with_context(|| format!("the node file {} is not right", path.display()))?;
        Ok(config)
    }

    fn check(&self) -> Result<()> {
        if self.listeners.is_empty() {
            bail!("there is no [[listener]]: add one with transport and address, so that phones can reach the node");
        }
        if self.workers == 0 {
            bail!("workers = 0: use 1 or more");
        }
        let needs_tls = self.https.is_some() || self.listeners.iter().any(|listener| listener.transport == "tls");
        for listener in &self.listeners {
            listener.transport()?;
        }
        if needs_tls && self.tls.is_none() {
            bail!("a TLS or HTTPS port is asked for without [tls]: add certificate and key");
        }
        if self.master_key.starts_with(&self.data) {
            bail!("master_key lies inside the data folder: put it elsewhere, so that a copy of the data alone opens nothing");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"
        name = "node1"
        data = "/var/lib/lyceum"
        master_key = "/etc/lyceum/master.key"
        [[listener]]
        transport = "udp"
        address = "0.0.0.0:5060"
    "#;

    fn check(text: &str) -> String {
        let config: NodeConfig = match toml::from_str(text) {
            Ok(config) => config,
            Err(error) => return error.message().to_owned(),
        };
        config.check().map_or_else(|error| error.to_string(), |()| "ok".into())
    }

    #[test]
    fn faults_are_named_with_their_cure() {
        assert_eq!(check(SAMPLE), "ok");
        assert!(check(&SAMPLE.replace("\"udp\"", "\"sctp\"")).contains("use udp, tcp or tls"));
        assert!(check(&SAMPLE.replace("\"udp\"", "\"tls\"")).contains("without [tls]"));
        assert!(check(&SAMPLE.replace("/etc/lyceum", "/var/lib/lyceum")).contains("inside the data folder"));
        assert!(check(&format!("colour = 1\n{SAMPLE}")).contains("unknown field `colour`"));
        assert!(check("name = \"n\"\ndata = \"/d\"\nmaster_key = \"/k\"").contains("no [[listener]]"));
    }
}
