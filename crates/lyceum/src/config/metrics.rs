//! The port for Prometheus. It asks nobody for a name: who reaches it may read how many call and sign in.

use std::net::SocketAddr;

use serde::Deserialize;

use super::{Fault, Port};

/// Plain HTTP with `/metrics` and nothing else.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsConfig {
    /// Address and port, on loopback unless `expose` says otherwise.
    pub listen: SocketAddr,
    /// Other machines may read it.
    #[serde(default)]
    pub expose: bool,
}

impl MetricsConfig {
    /// What is wrong with it.
    pub fn fault(&self) -> Option<Fault> {
        (!self.listen.ip().is_loopback() && !self.expose).then(|| {
            Fault::new(
                format!("metrics.listen = \"{}\" can be reached by other machines, without a password", self.listen),
                "write 127.0.0.1:9464, or add expose = true if a firewall keeps others away",
            )
        })
    }

    /// The port it opens.
    pub fn port(&self) -> Port {
        Port { what: "metrics".into(), addr: self.listen, datagram: false }
    }
}
