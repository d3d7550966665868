//! What signalling asks of media, and what it hears of it.

use std::fmt;
use std::net::SocketAddr;

use lyceum_media::Time;
use lyceum_media::bridge::{LegSetup, Side};
use lyceum_media::quality::LegRecord;
use lyceum_sdp::{Fingerprint, Ice};
use lyceum_topology::qos::Modality;

/// A stream, one `m=` line of a call, between two legs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct StreamId(pub u64);

/// How a leg's media travels.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LegKind {
    /// RTP and RTCP on two ports, plain or with SDES.
    Rtp,
    /// ICE, DTLS-SRTP and rtcp-mux on one port: a browser.
    Web,
}

/// What a stream is opened with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Open {
    /// From which range its ports come, and which mark its packets carry.
    pub modality: Modality,
    /// Its two legs.
    pub legs: [LegKind; 2],
}

/// What our description says of a leg.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Local {
    /// Where media comes to, as told to the peer.
    pub rtp: SocketAddr,
    /// Where reports come to; `None` where they share the port of media.
    pub rtcp: Option<SocketAddr>,
    /// What a browser is told besides.
    pub web: Option<LocalWeb>,
}

/// Our side of ICE and DTLS.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LocalWeb {
    /// Name, password and candidates of ours.
    pub ice: Ice,
    /// Of the certificate that we show.
    pub fingerprint: Fingerprint,
}

/// A stream that was opened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opened {
    /// Its name from now on.
    pub id: StreamId,
    /// Its legs.
    pub legs: [Local; 2],
}

/// The other side of ICE and DTLS.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RemoteWeb {
    /// Name, password and candidates of the peer.
    pub ice: Ice,
    /// What its certificate must hash to.
    pub fingerprint: Fingerprint,
    /// Whether we send the first DTLS message.
    pub we_begin: bool,
    /// Whether we are the controlling agent of ICE: we are when the offer was ours (RFC 8445 §6.1.1).
    pub controlling: bool,
}

/// What offer and answer agreed on for a leg. For a web leg the addresses and the protection in `setup` are not looked at.
#[derive(Clone, Debug)]
pub struct Agreement {
    /// Addresses, keys, direction, codecs.
    pub setup: LegSetup,
    /// Of a browser.
    pub web: Option<RemoteWeb>,
}

/// Why media was not opened.
#[derive(Debug)]
pub enum MediaError {
    /// Every port of the range is in use.
    NoPort(Modality),
    /// As many streams as there may be.
    Full(usize),
    /// The thread that moves media is behind with its orders.
    Busy,
    /// The system refused a socket.
    Socket(std::io::Error),
}

impl fmt::Display for MediaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPort(modality) => {
                write!(f, "no port for {modality:?} is free: widen its range in the topology (qos)")
            }
            Self::Full(limit) => write!(f, "{limit} streams are bridged already, no more are taken"),
            Self::Busy => f.write_str("media is behind with what it was told; try again"),
            Self::Socket(error) => write!(f, "no socket for media: {error}"),
        }
    }
}

impl std::error::Error for MediaError {}

/// What signalling hears of a stream.
#[derive(Clone, Debug)]
pub enum MediaEvent {
    /// Media can flow to and from a browser: ICE and DTLS are through.
    Connected(StreamId, Side),
    /// A browser is not reached any more; it may come back by itself or by a restart of ICE.
    Disconnected(StreamId, Side),
    /// A browser will not be reached: its certificate is another than it said, or DTLS failed. In words.
    Failed(StreamId, Side, String),
    /// A key was pressed.
    Key(StreamId, Side, char),
    /// Media of a leg comes from another address than before.
    Moved(StreamId, Side, SocketAddr),
    /// Nothing was heard from either leg for as long as the options say. Told again and again until something is heard.
    Silent {
        /// Of which stream.
        stream: StreamId,
        /// When it was told, on the clock of all streams.
        at: Time,
        /// It counts until then: it is told again before.
        until: Time,
        /// Both legs send and receive: a held one may be silent for as long as it likes.
        expected: bool,
    },
    /// Something is heard again of a stream that was told to be silent.
    Heard(StreamId),
    /// A stream was opened and not agreed for as long as the options say. Told again until it is agreed or closed.
    Unagreed(StreamId),
    /// A stream was closed: how good it was, leg by leg.
    Closed(StreamId, Box<[LegRecord; 2]>),
}

/// Media, as signalling sees it.
pub trait Media {
    /// Opens the ports of a stream.
    fn open(&mut self, open: Open) -> Result<Opened, MediaError>;
    /// A leg was agreed, or agreed anew. Media flows when both are.
    fn agree(&mut self, stream: StreamId, side: Side, agreement: Agreement) -> Result<(), MediaError>;
    /// New name and password for ICE of a leg, which its browser is to be told; `None` when there is no such web leg.
    fn restart_ice(&mut self, stream: StreamId, side: Side) -> Option<LocalWeb>;
    /// Presses a key on a leg.
    fn press(&mut self, stream: StreamId, side: Side, key: char);
    /// The stream is over. [`MediaEvent::Closed`] follows.
    fn close(&mut self, stream: StreamId);
}
