//! Why the workers could not be built: each one sentence with what, where and what to do.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use lyceum_sip::Transport;

/// The process that holds a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// Its short name.
    pub name: String,
}

/// Why [`Options::build`](crate::Options::build) failed.
#[derive(Debug)]
pub enum NetError {
    /// Another socket has the port.
    PortInUse {
        /// Of which protocol.
        transport: Transport,
        /// The address asked for.
        addr: SocketAddr,
        /// Who has it, if `/proc` tells.
        holder: Option<Holder>,
    },
    /// The address belongs to no interface of this machine.
    AddressNotHere {
        /// The address asked for.
        addr: SocketAddr,
    },
    /// Ports below 1024 need a privilege.
    Forbidden {
        /// The address asked for.
        addr: SocketAddr,
    },
    /// A TLS listener without a certificate.
    NoCertificate {
        /// The address asked for.
        addr: SocketAddr,
    },
    /// The list of listeners or a number in the options makes no sense.
    Options {
        /// What is wrong and what to write instead.
        what: String,
    },
    /// Anything else the system refused.
    System {
        /// What was tried.
        what: String,
        /// The system's answer.
        source: io::Error,
    },
}

impl NetError {
    pub(crate) fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> NetError {
        let what = what.into();
        move |source| NetError::System { what, source }
    }
}

impl fmt::Display for NetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NetError::PortInUse { transport, addr, holder } => {
                write!(f, "{} port {} on {} is in use", transport.via_token(), addr.port(), addr.ip())?;
                match holder {
                    Some(Holder { pid, name }) => {
                        write!(f, " by process {pid} ({name}); stop that process or choose another port")
                    }
                    None => write!(f, "; stop the program that holds it (`ss -lnp`) or choose another port"),
                }
            }
            NetError::AddressNotHere { addr } => write!(
                f,
                "address {} belongs to no interface of this machine; choose one that `ip address` lists",
                addr.ip()
            ),
            NetError::Forbidden { addr } => write!(
                f,
                "port {} on {} needs a privilege this process lacks; start it by systemd with \
                 AmbientCapabilities=CAP_NET_BIND_SERVICE or choose a port from 1024 on",
                addr.port(),
                addr.ip()
            ),
            NetError::NoCertificate { addr } => {
                write!(
                    f,
                    "the TLS listener on {addr} has no certificate; name one in the node file or remove the listener"
                )
            }
            NetError::Options { what } => f.write_str(what),
            NetError::System { what, source } => write!(f, "{what} failed: {source}"),
        }
    }
}

impl std::error::Error for NetError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            NetError::System { source, .. } => Some(source),
            _ => None,
        }
    }
}
