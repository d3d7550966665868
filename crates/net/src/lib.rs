//! Drives engines that do no IO: sockets, TLS, WebSocket flows, name resolution, and the workers that own them.
//!
//! A worker is one thread with its own sockets and its own [`Engine`]. The engine is told what came in and what time
//! it is, and puts what it wants sent into an [`Outbox`]; nothing else crosses the border. Several workers share a
//! port by `SO_REUSEPORT`, so the kernel spreads the peers over them.
//!
//! ```
//! use lyceum_net::{Arrival, Destination, Engine, Flow, ListenerOptions, Load, Options, Outbox};
//! use lyceum_sip::{Now, Time, Transport};
//!
//! struct Mirror;
//!
//! impl Engine for Mirror {
//!     type Post = ();
//!     fn message(&mut self, _: Now, a: Arrival<'_>, out: &mut Outbox) {
//!         out.send(&a.flow.into(), 0, |bytes| bytes.extend_from_slice(a.bytes));
//!     }
//!     fn flow_closed(&mut self, _: Now, _: Flow, _: &mut Outbox) {}
//!     fn send_failed(&mut self, _: Now, _: u64, _: &mut Outbox) {}
//!     fn posted(&mut self, _: Now, _: (), _: &mut Outbox) {}
//!     fn timeout(&mut self, _: Now, _: &mut Outbox) {}
//!     fn next_timeout(&self) -> Option<Time> { None }
//!     fn settle(&mut self, _: Now, _: Load, _: &mut Outbox) {}
//! }
//!
//! let mut options = Options::default();
//! options.listeners.push(ListenerOptions::new(Transport::Udp, "127.0.0.1:0".parse()?));
//! let running = options.build()?.start(|_worker| Mirror)?;
//! let address = running.handle().listeners()[0].addr;
//!
//! let phone = std::net::UdpSocket::bind("127.0.0.1:0")?;
//! phone.send_to(b"hello", address)?;
//! let mut buffer = [0; 16];
//! assert_eq!(phone.recv(&mut buffer)?, 5);
//! running.drain(std::time::Duration::from_secs(1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(unsafe_code)]

mod bind;
mod clock;
mod command;
mod counters;
mod engine;
mod error;
mod flow;
mod foreign;
mod gate;
mod holder;
mod io;
mod mailbox;
mod options;
mod outbox;
mod pace;
pub mod probe;
mod resolver;
mod streams;
// The one file that may: see there.
#[allow(unsafe_code)]
mod sys;
mod tls;
mod udp;
mod worker;
mod workers;

/// What other drivers of engines are built from: waiting, batches of datagrams, TLS without buffers of its own.
pub mod driver {
    pub use crate::sys::{
        BATCH, DatagramReader, DatagramWriter, Epoll, EventFd, Events, HEADROOM, Interest, Ready, force_buffers,
    };
    pub use crate::tls::session::{Pumped, Session};
}

pub use clock::Clock;
pub use counters::Totals;
pub use engine::{Arrival, Engine, Listener, Load, PeerIdentity};
pub use error::{Holder, NetError};
pub use flow::{FLOW_BYTES_MAX, Flow, FlowBytes, ListenerId};
pub use foreign::{FlowEnded, ForeignFlow, ForeignInput, ForeignOutput};
pub use gate::Refused;
pub use options::{Bounds, Coalesce, ListenerOptions, Options};
pub use outbox::{Destination, Outbox, Sent};
pub use resolver::{LookupError, Resolver, ResolverOptions};
pub use tls::{
    Certificate, CertificateFacts, ClientCertificates, DevCa, Issued, LinkCa, LinkKey, LinkPapers, NotShown, POOL_LINK,
    Tls, TlsError, TlsSettings, fingerprint, load_authorities, shown_certificate, shown_chain,
};
pub use workers::{Handle, Running, WorkerHandle, Workers};
