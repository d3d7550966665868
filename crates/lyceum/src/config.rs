//! `node.toml`: what belongs to one node and not to the topology document.

mod link;
mod media;
mod metrics;
mod relay;
mod shape;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use lyceum_sip::Transport;
use lyceum_web::scanner::Scanner;
use serde::Deserialize;

use crate::server::MediaNode;

pub use link::LinkConfig;
pub use media::MediaConfig;
pub use metrics::MetricsConfig;
pub use relay::RelayConfig;
pub use shape::edge_faults as edge_shape;

/// One thing that is wrong in the node file: what, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong, and where.
    pub what: String,
    /// What to do.
    pub fix: String,
}

impl Fault {
    pub(crate) fn new(what: impl Into<String>, fix: impl Into<String>) -> Fault {
        Fault { what: what.into(), fix: fix.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.fix)
    }
}

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
    /// Figures for Prometheus.
    #[serde(default)]
    pub metrics: Option<MetricsConfig>,
    /// Media that goes through this node.
    #[serde(default)]
    pub media: MediaConfig,
    /// The relay for media.
    #[serde(default)]
    pub relay: Option<RelayConfig>,
    /// The port for links of Access Edges.
    #[serde(default)]
    pub link: Option<LinkConfig>,
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
            _ => bail!("write udp, tcp or tls (ws and wss come with [https])"),
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
    /// What looks through files people send each other: the path of a command whose last argument is the file and whose
    /// exit code 0 says clean, 1 infected; or `clamd:` with the socket or the address and port of a ClamAV daemon.
    #[serde(default)]
    pub virus_scanner: Option<Scanner>,
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
    /// Reads and checks the file; the error names every fault.
    pub fn read(path: &Path) -> Result<NodeConfig> {
        let (config, faults) = NodeConfig::examine(&NodeConfig::text(path)?);
        match config {
            Some(config) if faults.is_empty() => Ok(config),
            _ => Err(crate::preflight::listed(&format!("the node file {} is not right", path.display()), &faults)),
        }
    }

    /// The file's text.
    pub fn text(path: &Path) -> Result<String> {
        std::fs::read_to_string(path).map_err(|error| {
            anyhow!("the node file {} cannot be read ({error}): name another with --config", path.display())
        })
    }

    /// What the text says, as far as it can be understood, and everything that is wrong with it.
    pub fn examine(text: &str) -> (Option<NodeConfig>, Vec<Fault>) {
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(error) => return (None, vec![unreadable(text, &error)]),
        };
        let mut faults = shape::faults(&table);
        match table.try_into::<NodeConfig>() {
            Ok(config) => {
                faults.extend(config.faults());
                (Some(config), faults)
            }
            Err(error) => {
                if faults.is_empty() {
                    faults = wrong_values(text, &error);
                }
                (None, faults)
            }
        }
    }

    /// What is wrong although every key is known and of the right kind.
    fn faults(&self) -> Vec<Fault> {
        let mut found = Vec::new();
        let mut add = |what: String, fix: &str| found.push(Fault::new(what, fix));
        if self.listeners.is_empty() {
            add(
                "there is no [[listener]]".into(),
                "add one with transport and address, so that phones can reach the node",
            );
        }
        if self.workers != 1 {
            add(
                format!("workers = {}", self.workers),
                "write 1: one worker owns all routing groups until they can be spread",
            );
        }
        for (number, listener) in (1..).zip(&self.listeners) {
            if let Err(error) = listener.transport() {
                add(format!("listener {number}: transport = \"{}\"", listener.transport), &error.to_string());
            }
            if let Some(host) = &listener.advertised
                && !names_a_port(host)
            {
                add(
                    format!("listener {number}: advertised = \"{host}\""),
                    "write host:port, as in sip.example.org:5060",
                );
            }
        }
        for (one, other) in self.collisions() {
            add(format!("{one} and {other} want the same port"), "give one of them another");
        }
        if let Some(fault) = self.metrics.as_ref().and_then(MetricsConfig::fault) {
            add(fault.what, &fault.fix);
        }
        if let Err(fault) = self.media_node() {
            add(fault.what, &fault.fix);
        }
        if let Some(fault) = self.link.as_ref().and_then(LinkConfig::fault) {
            add(fault.what, &fault.fix);
        }
        if let Some(Err(fault)) = self.relay.as_ref().map(RelayConfig::options) {
            add(fault.what, &fault.fix);
        }
        if self.needs_tls() && self.tls.is_none() {
            add("a TLS or HTTPS port is asked for without [tls]".into(), "add [tls] with certificate and key");
        }
        if let Some(url) = self.https.as_ref().and_then(|https| https.url.as_ref())
            && !url.starts_with("https://")
        {
            add(format!("https.url = \"{url}\""), "write https:// and the name that browsers use");
        }
        if self.master_key.starts_with(&self.data) {
            let fix = "put it elsewhere, so that a copy of the data alone opens nothing";
            add("master_key lies inside the data folder".into(), fix);
        }
        if !["text", "json"].contains(&self.log.format.as_str()) {
            add(format!("log.format = \"{}\"", self.log.format), "write text or json");
        }
        if tracing_subscriber::EnvFilter::try_new(&self.log.level).is_err() {
            add(
                format!("log.level = \"{}\"", self.log.level),
                "write error, warn, info, debug or a filter such as info,lyceum_net=debug",
            );
        }
        found
    }

    /// What media of this node is built from.
    pub fn media_node(&self) -> Result<MediaNode, Fault> {
        let listeners: Vec<IpAddr> = self.listeners.iter().map(|listener| listener.address.ip()).collect();
        self.media.node(&listeners)
    }

    fn needs_tls(&self) -> bool {
        self.https.is_some()
            || self.relay.as_ref().is_some_and(|relay| relay.tls.is_some())
            || self.listeners.iter().any(|listener| listener.transport == "tls")
    }

    /// Every port with what it is for and whether it is UDP.
    pub fn ports(&self) -> Vec<Port> {
        let listeners = self.listeners.iter().map(|listener| Port {
            what: listener.transport.clone(),
            addr: listener.address,
            datagram: listener.transport == "udp",
        });
        let https = self.https.iter().flat_map(|https| {
            let port = |what: &str, addr| Port { what: what.into(), addr, datagram: false };
            [Some(port("https", https.address)), https.ws.map(|addr| port("ws", addr))].into_iter().flatten()
        });
        listeners
            .chain(https)
            .chain(self.metrics.iter().map(MetricsConfig::port))
            .chain(self.relay.iter().flat_map(RelayConfig::opens))
            .chain(self.link.iter().map(LinkConfig::opens))
            .collect()
    }

    fn collisions(&self) -> Vec<(String, String)> {
        let ports = self.ports();
        let name = |port: &Port| format!("{} {}", port.what, port.addr);
        let mut found = Vec::new();
        for (i, one) in ports.iter().enumerate() {
            let same = ports[i + 1..].iter().filter(|other| one.stands_in_the_way_of(other));
            found.extend(same.map(|other| (name(one), name(other))));
        }
        found
    }
}

/// A port that the node opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// `udp`, `tcp`, `tls`, `https`, `ws` or `metrics`.
    pub what: String,
    /// Address to bind.
    pub addr: SocketAddr,
    /// UDP, not TCP.
    pub datagram: bool,
}

impl Port {
    fn stands_in_the_way_of(&self, other: &Port) -> bool {
        let (one, two) = (self.addr, other.addr);
        let overlap = one.ip() == two.ip() || one.ip().is_unspecified() || two.ip().is_unspecified();
        let family = one.is_ipv4() == two.is_ipv4();
        self.datagram == other.datagram && family && overlap && one.port() == two.port() && one.port() != 0
    }
}

pub(crate) fn names_a_port(host: &str) -> bool {
    host.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0))
}

/// The text is not TOML.
fn unreadable(text: &str, error: &toml::de::Error) -> Fault {
    let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].lines().count().max(1));
    let what = error.message().lines().next().unwrap_or("no TOML").to_owned();
    Fault::new(format!("line {line}: {what}"), "mend that line; deploy/node.toml shows a whole file")
}

/// Values of the right kind that cannot be what they should: every address is looked at, not only the first.
fn wrong_values(text: &str, error: &toml::de::Error) -> Vec<Fault> {
    let Ok(table) = text.parse::<toml::Table>() else { return Vec::new() };
    let mut found = Vec::new();
    let mut look = |place: String, value: Option<&toml::Value>| {
        if let Some(text) = value.and_then(toml::Value::as_str)
            && text.parse::<SocketAddr>().is_err()
        {
            let fix = "write an IP address and a port, as in 0.0.0.0:5060 or [::]:5060";
            found.push(Fault::new(format!("{place} = \"{text}\""), fix));
        }
    };
    let listeners = table.get("listener").and_then(toml::Value::as_array).into_iter().flatten();
    for (number, listener) in (1..).zip(listeners) {
        look(format!("listener {number}: address"), listener.get("address"));
    }
    for key in ["address", "ws"] {
        look(format!("https.{key}"), table.get("https").and_then(|https| https.get(key)));
    }
    look("metrics.listen".into(), table.get("metrics").and_then(|metrics| metrics.get("listen")));
    if found.is_empty() {
        found.push(Fault::new(error.message().to_owned(), "deploy/node.toml shows every setting"));
    }
    found
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

    fn faults(text: &str) -> Vec<String> {
        NodeConfig::examine(text).1.iter().map(Fault::to_string).collect()
    }

    #[test]
    fn each_fault_is_named_with_its_cure() {
        assert_eq!(faults(SAMPLE), Vec::<String>::new());
        let https = "[https]\naddress = \"0.0.0.0:443\"\n";
        let tls = "[tls]\ncertificate = \"/c\"\nkey = \"/k\"\n";
        for (text, fault) in [
            (SAMPLE.replace("\"udp\"", "\"sctp\""), "listener 1: transport = \"sctp\": write udp, tcp or tls"),
            (SAMPLE.replace("\"udp\"", "\"tls\""), "without [tls]"),
            (SAMPLE.replace("/etc/lyceum", "/var/lib/lyceum"), "inside the data folder"),
            (format!("colour = 1\n{SAMPLE}"), "`colour` is no setting"),
            (format!("workers = 0\n{SAMPLE}"), "workers = 0: write 1"),
            (format!("workers = \"two\"\n{SAMPLE}"), "`workers` is string: write workers = 1"),
            (format!("workers = 999\n{SAMPLE}"), "`workers` is integer"),
            (SAMPLE.replace("0.0.0.0:5060", "5060"), "listener 1: address = \"5060\": write an IP address and a port"),
            (format!("{SAMPLE}{https}"), "without [tls]"),
            (
                format!("{SAMPLE}{https}url = \"sip.example.org\"\n{tls}"),
                "https.url = \"sip.example.org\": write https://",
            ),
            (
                format!("{SAMPLE}advertised = \"sip.example.org\""),
                "listener 1: advertised = \"sip.example.org\": write host:port",
            ),
            (
                format!("{SAMPLE}[metrics]\nlisten = \"9464\""),
                "metrics.listen = \"9464\": write an IP address and a port",
            ),
            (
                format!("{SAMPLE}[metrics]\nlisten = \"0.0.0.0:9464\""),
                "metrics.listen = \"0.0.0.0:9464\" can be reached by other machines, without a password: write 127.0.0.1",
            ),
            (format!("{SAMPLE}[log]\nformat = \"xml\""), "log.format = \"xml\": write text or json"),
            (format!("{SAMPLE}[log]\nlevel = \"lyceum=loud\""), "log.level"),
            (
                format!("{SAMPLE}[[listener]]\ntransport = \"udp\"\naddress = \"127.0.0.1:5060\""),
                "udp 0.0.0.0:5060 and udp 127.0.0.1:5060 want the same port: give one of them another",
            ),
        ] {
            let found = faults(&text);
            assert!(found.len() == 1 && found[0].contains(fault), "{fault}: {found:?}");
        }
    }

    #[test]
    fn all_faults_come_at_once() {
        let found = faults("colour = 1\ndata = 5\n[[listener]]\ntransport = \"udp\"\nport = 5060\n[tls]\nkey = \"/k\"");
        let expected = [
            "`colour` is no setting",
            "`name` is missing: write name = \"node1\"",
            "`data` is integer",
            "`master_key` is missing",
            "`listener 1: port` is no setting",
            "`listener 1: address` is missing",
            "`tls.certificate` is missing",
        ];
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (fault, expected) in found.iter().zip(expected) {
            assert!(fault.contains(expected), "{expected}: {fault}");
        }
    }

    #[test]
    fn a_file_that_is_no_toml_says_where() {
        let found = faults("name = \"n\"\ndata = /var\n");
        assert!(found.len() == 1 && found[0].starts_with("line 2: "), "{found:?}");
    }

    #[test]
    fn the_sample_in_deploy_is_right() {
        assert_eq!(faults(include_str!("../../../deploy/node.toml")), Vec::<String>::new());
    }
}
