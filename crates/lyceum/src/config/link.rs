//! The port of this node to which Access Edges open their links.

use std::net::SocketAddr;

use serde::Deserialize;

use super::{Fault, Port, names_a_port};
use crate::link::LinkOptions;

/// Links of Access Edges.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkConfig {
    /// Address and port, reached by Edges alone.
    pub address: SocketAddr,
    /// `host:port` by which Edges reach it, when that is another; it goes into their tokens.
    #[serde(default)]
    pub advertised: Option<String>,
}

impl LinkConfig {
    /// What the listener is built from.
    pub fn options(&self) -> LinkOptions {
        LinkOptions { address: self.address, advertised: self.advertised.clone() }
    }

    /// What is wrong.
    pub fn fault(&self) -> Option<Fault> {
        let fix = "write host:port, as in 10.0.0.5:5063";
        match &self.advertised {
            Some(host) if !names_a_port(host) => Some(Fault::new(format!("link.advertised = \"{host}\""), fix)),
            None if self.address.ip().is_unspecified() => Some(Fault::new(
                format!("link.address = \"{}\" tells Edges nothing", self.address),
                "add link.advertised",
            )),
            _ => None,
        }
    }

    /// The port it opens.
    pub fn opens(&self) -> Port {
        Port { what: "link".into(), addr: self.address, datagram: false }
    }
}
