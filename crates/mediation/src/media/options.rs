//! What media is built from.

use std::net::IpAddr;
use std::time::Duration;

use lyceum_topology::qos::{ByModality, Dscp, Modality, PortRange, Qos};

/// Streams at a time, unless told otherwise: as many as the default audio range has pairs of ports for.
pub const STREAMS_MAX: usize = 3_000;
/// How long both legs may be silent before the call is over, unless told otherwise. A phone that suppresses silence still
/// sends comfort noise or RTCP, a browser its consent; what sends none of these for a minute is gone.
pub const SILENCE: Duration = Duration::from_secs(60);
/// How long a stream may be open before it is agreed, unless told otherwise: longer than anything rings.
pub const AGREEMENT: Duration = Duration::from_secs(600);
/// Addresses of a server: one for each family, and some to spare.
pub const ADDRESSES_MAX: usize = 4;

/// An address that media is sent from and comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MediaAddress {
    /// Of this host's interface.
    pub bind: IpAddr,
    /// What peers see, behind a NAT that maps ports one to one.
    pub advertised: IpAddr,
}

impl MediaAddress {
    /// An address that peers see as it is.
    #[must_use]
    pub fn plain(address: IpAddr) -> Self {
        Self { bind: address, advertised: address }
    }
}

/// What media is built from.
#[derive(Clone, Debug)]
pub struct MediaOptions {
    /// Legs of browsers use all of them, legs of phones the first.
    pub addresses: Vec<MediaAddress>,
    /// From which range each modality's ports come; a modality without one has no streams.
    pub ports: ByModality<PortRange>,
    /// Which mark each modality's packets carry; none: unmarked.
    pub marks: ByModality<Dscp>,
    /// Streams at a time; further ones are refused.
    pub streams_max: usize,
    /// How long both legs may be silent before it is told.
    pub silence: Duration,
    /// How long a stream may be open and not agreed before it is told.
    pub agreement: Duration,
    /// Threads that move media; a stream stays on one.
    pub threads: usize,
}

impl MediaOptions {
    /// Ports and marks of the topology, one thread.
    #[must_use]
    pub fn new(addresses: Vec<MediaAddress>, qos: &Qos) -> Self {
        let ports = |modality| qos.row(modality).server_ports;
        let mark = |modality| qos.mark_of(modality);
        Self {
            addresses,
            ports: by_modality(ports),
            marks: by_modality(mark),
            streams_max: STREAMS_MAX,
            silence: SILENCE,
            agreement: AGREEMENT,
            threads: 1,
        }
    }
}

fn by_modality<T>(of: impl Fn(Modality) -> Option<T>) -> ByModality<T> {
    ByModality {
        audio: of(Modality::Audio),
        video: of(Modality::Video),
        sharing: of(Modality::Sharing),
        files: of(Modality::Files),
        // Signalling is not carried here.
        signalling: None,
    }
}
