//! One leg of a bridge: its latches, its keys, its counts.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use lyceum_sdp::{Agreed, Codec, Direction, Encoding, KeySalt, Keys, Suite};

use super::{Dropped, Port};
use crate::dtmf::event::Receiver;
use crate::latch::{Believe, Evidence, Latch, Verdict};
use crate::quality::{Flow, LegRecord, Runs, SentReports};
use crate::rtcp::Block;
use crate::rtp::{Arrival, Packet, Reception};
use crate::srtp::{Protector, Unprotector};
use crate::time::Time;

/// What a leg's packets hold when nobody says.
const PTIME_MS: u32 = 20;

/// How a leg's packets are protected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Protection {
    /// Not at all.
    Plain,
    /// SRTP by keys from the descriptions.
    Sdes {
        /// The suite of both directions.
        suite: Suite,
        /// Our key.
        send: KeySalt,
        /// The peer's.
        receive: KeySalt,
    },
    /// SRTP by keys from a DTLS handshake; nothing passes before they are there. Who may send, and where to, is then
    /// known to the leg's transport ([`crate::web`]) and not judged here. An update without keys leaves those that are.
    Dtls(Option<DtlsKeys>),
}

/// Keys that a DTLS handshake came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DtlsKeys {
    /// The suite of both directions.
    pub suite: Suite,
    /// Our key.
    pub send: KeySalt,
    /// The peer's.
    pub receive: KeySalt,
}

/// A leg as it was agreed.
#[derive(Clone, PartialEq, Debug)]
pub struct LegSetup {
    /// Where the peer says it receives RTP.
    pub rtp: Option<SocketAddr>,
    /// And RTCP.
    pub rtcp: Option<SocketAddr>,
    /// The host that the leg's signalling comes from.
    pub signalled_from: Option<IpAddr>,
    /// Who may be latched to when packets prove nothing.
    pub believe: Believe,
    /// How packets are protected.
    pub protection: Protection,
    /// Seen by us.
    pub direction: Direction,
    /// What we may send, with the peer's numbers.
    pub send: Vec<Codec>,
    /// What we may receive, with our numbers.
    pub receive: Vec<Codec>,
    /// Whether RTP and RTCP share a port.
    pub rtcp_mux: bool,
    /// Milliseconds of sound in a packet that the peer likes.
    pub ptime: u32,
}

impl LegSetup {
    /// From what was agreed; a DTLS leg's keys come later, by [`super::Bridge::key`].
    #[must_use]
    pub fn of(agreed: &Agreed, signalled_from: Option<IpAddr>) -> Self {
        let protection = match &agreed.keys {
            Keys::Plain => Protection::Plain,
            Keys::Sdes { send, receive } => {
                Protection::Sdes { suite: send.suite, send: send.key.clone(), receive: receive.key.clone() }
            }
            Keys::Dtls { .. } => Protection::Dtls(None),
        };
        Self {
            rtp: agreed.rtp,
            rtcp: agreed.rtcp,
            signalled_from,
            believe: Believe::KnownHosts,
            protection,
            direction: agreed.direction,
            send: agreed.send.clone(),
            receive: agreed.receive.clone(),
            rtcp_mux: agreed.rtcp_mux,
            ptime: agreed.ptime.unwrap_or(PTIME_MS),
        }
    }
}

/// Keys at work.
enum Shield {
    Plain,
    Srtp(Box<(Protector, Unprotector)>),
    Dtls(Option<Box<(Protector, Unprotector)>>),
}

/// What was counted of one direction.
#[derive(Default)]
pub(super) struct Sent {
    pub packets: u64,
    pub bytes: u64,
    /// What the peer told last of what it receives.
    pub heard: Option<Block>,
    pub jitter_max: u32,
}

/// The source that is counted: the newest one.
pub(super) struct Counted {
    pub ssrc: u32,
    pub reception: Reception,
    /// The last sender report: the middle of its NTP time, and when it came.
    pub last_sr: Option<(u32, Time)>,
}

pub(super) struct Leg {
    pub setup: LegSetup,
    pub rtp: Latch,
    pub rtcp: Latch,
    shield: Shield,
    pub keys: Receiver,
    pub counted: Option<Counted>,
    pub runs: Runs,
    encoding: Option<Encoding>,
    packets: u64,
    bytes: u64,
    /// Losses of sources that were counted before.
    lost_before: u64,
    jitter_max_us: u64,
    pub sent: Sent,
    pub sent_reports: SentReports,
    pub round_trip: Option<Duration>,
    pub round_trip_max: Option<Duration>,
    pub refused: u64,
    pub last_heard: Option<Time>,
}

impl Leg {
    pub fn new(setup: LegSetup) -> Self {
        let latch = |described| Latch::new(described, setup.signalled_from, setup.believe);
        Self {
            rtp: latch(setup.rtp),
            rtcp: latch(setup.rtcp),
            shield: shield(&setup.protection),
            keys: Receiver::default(),
            counted: None,
            runs: Runs::default(),
            encoding: None,
            packets: 0,
            bytes: 0,
            lost_before: 0,
            jitter_max_us: 0,
            sent: Sent::default(),
            sent_reports: SentReports::default(),
            round_trip: None,
            round_trip_max: None,
            refused: 0,
            last_heard: None,
            setup,
        }
    }

    pub fn update(&mut self, mut setup: LegSetup) {
        if matches!((&self.setup.protection, &setup.protection), (Protection::Dtls(_), Protection::Dtls(None))) {
            setup.protection = self.setup.protection.clone();
        }
        self.renew(&setup.protection);
        self.rtp.reopen(setup.rtp, setup.signalled_from);
        self.rtcp.reopen(setup.rtcp, setup.signalled_from);
        self.setup = setup;
    }

    /// A key that stays keeps its counters: to begin anew with it would use numbers twice and let old packets in.
    fn renew(&mut self, protection: &Protection) {
        match (&mut self.shield, &self.setup.protection, protection) {
            (_, old, new) if old == new => {}
            (
                Shield::Srtp(keys),
                Protection::Sdes { suite: old, send: old_send, receive: old_receive },
                Protection::Sdes { suite, send, receive },
            ) if old == suite => {
                if old_send != send {
                    keys.0 = Protector::new(*suite, send);
                }
                if old_receive != receive {
                    keys.1 = Unprotector::new(*suite, receive);
                }
            }
            _ => self.shield = shield(protection),
        }
    }

    /// The handshake of a DTLS leg came to these keys; false on any other leg.
    pub fn key(&mut self, keys: DtlsKeys) -> bool {
        if !self.is_addressed() {
            return false;
        }
        let protection = Protection::Dtls(Some(keys));
        self.renew(&protection);
        self.setup.protection = protection;
        true
    }

    /// Whether a transport of its own knows who may send and where to.
    pub fn is_addressed(&self) -> bool {
        matches!(self.shield, Shield::Dtls(_))
    }

    /// Where to send, by the latch of the port; `None` on a leg that is addressed elsewhere. An error when nobody knows yet.
    pub fn target(&self, port: Port) -> Result<Option<SocketAddr>, Dropped> {
        if self.is_addressed() {
            return Ok(None);
        }
        let latch = if port == Port::Rtp { &self.rtp } else { &self.rtcp };
        latch.destination().map(Some).ok_or(Dropped::NoDestination)
    }

    /// Whether packets can be protected now.
    pub fn is_keyed(&self) -> bool {
        !matches!(self.shield, Shield::Dtls(None))
    }

    /// Decrypts a packet, judges its source, and gives its length and whether the peer moved.
    pub fn admit(
        &mut self,
        now: Time,
        from: SocketAddr,
        buffer: &mut [u8],
        len: usize,
    ) -> Result<(usize, bool), Dropped> {
        let (len, evidence) = match &mut self.shield {
            Shield::Dtls(keys) => {
                let keys = keys.as_mut().ok_or(Dropped::NoKeys)?;
                let opened = keys.1.unprotect_rtp(&mut buffer[..len]).map_err(Dropped::Refused)?;
                self.last_heard = Some(now);
                return Ok((opened.len, false));
            }
            Shield::Srtp(keys) => {
                let opened = keys.1.unprotect_rtp(&mut buffer[..len]).map_err(Dropped::Refused)?;
                (opened.len, Evidence::Authenticated { newest: opened.newest })
            }
            Shield::Plain => {
                let packet = Packet::parse(&buffer[..len]).map_err(|_| Dropped::Malformed)?;
                (len, Evidence::Plain { ssrc: packet.ssrc(), sequence: packet.sequence() })
            }
        };
        match self.rtp.judge(now, from, evidence) {
            Verdict::Take => {}
            Verdict::Moved => {
                self.last_heard = Some(now);
                return Ok((len, true));
            }
            Verdict::Learning | Verdict::Refuse => return Err(Dropped::Stranger),
        }
        self.last_heard = Some(now);
        Ok((len, false))
    }

    pub fn unprotect_rtcp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, Dropped> {
        match &mut self.shield {
            Shield::Plain => Ok(len),
            Shield::Dtls(None) => Err(Dropped::NoKeys),
            Shield::Srtp(keys) | Shield::Dtls(Some(keys)) => {
                keys.1.unprotect_rtcp(&mut buffer[..len]).map_err(Dropped::Refused)
            }
        }
    }

    pub fn is_authenticated(&self) -> bool {
        !matches!(self.shield, Shield::Plain)
    }

    pub fn protect_rtp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, Dropped> {
        match &mut self.shield {
            Shield::Plain => Ok(len),
            Shield::Dtls(None) => Err(Dropped::NoKeys),
            Shield::Srtp(keys) | Shield::Dtls(Some(keys)) => keys.0.protect_rtp(buffer, len).map_err(Dropped::Refused),
        }
    }

    pub fn protect_rtcp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, Dropped> {
        match &mut self.shield {
            Shield::Plain => Ok(len),
            Shield::Dtls(None) => Err(Dropped::NoKeys),
            Shield::Srtp(keys) | Shield::Dtls(Some(keys)) => keys.0.protect_rtcp(buffer, len).map_err(Dropped::Refused),
        }
    }

    /// Counts a packet that was let in.
    pub fn count(&mut self, now: Time, packet: &Packet<'_>) -> Arrival {
        self.packets += 1;
        self.bytes += packet.payload().len() as u64;
        if self.counted.as_ref().is_none_or(|counted| counted.ssrc != packet.ssrc()) {
            let codec = self.setup.receive.iter().find(|codec| codec.payload == packet.payload_type());
            let clock = codec.map_or(8_000, |codec| codec.clock);
            if let Some(old) = &self.counted {
                self.lost_before += u64::try_from(old.reception.lost()).unwrap_or(0);
            }
            self.counted = Some(Counted { ssrc: packet.ssrc(), reception: Reception::new(clock), last_sr: None });
        }
        let Some(counted) = &mut self.counted else { return Arrival::First };
        // Events repeat the time at which their key was pressed: they say nothing of jitter.
        let codec = self.setup.receive.iter().find(|codec| codec.payload == packet.payload_type());
        let primary = codec.is_some_and(|codec| codec.encoding.is_primary());
        if primary && self.encoding.as_ref() != codec.map(|codec| &codec.encoding) {
            self.encoding = codec.map(|codec| codec.encoding.clone());
        }
        let arrival = match primary {
            true => counted.reception.packet(packet.sequence(), packet.timestamp(), now),
            false => counted.reception.numbered(packet.sequence()),
        };
        self.jitter_max_us = self.jitter_max_us.max(counted.reception.jitter_us());
        match arrival {
            Arrival::First => self.runs.came(),
            Arrival::Next { missing } => {
                self.runs.missing(missing);
                self.runs.came();
            }
            Arrival::Late | Arrival::Duplicate | Arrival::Jump => {}
        }
        arrival
    }

    pub fn record(&self) -> LegRecord {
        let encoding = self.encoding.clone().unwrap_or(Encoding::Pcma);
        let mut received =
            Flow { packets: self.packets, bytes: self.bytes, jitter_max_us: self.jitter_max_us, ..Flow::default() };
        received.codec = self.encoding.as_ref().map(ToString::to_string).unwrap_or_default();
        if let Some(counted) = &self.counted {
            received.lost = self.lost_before + u64::try_from(counted.reception.lost()).unwrap_or(0);
            received.jitter_us = counted.reception.jitter_us();
        }
        received.loss = received.lost as f32 / (received.lost + received.packets).max(1) as f32;
        received.count(&self.runs, self.setup.ptime);
        received.judge(&encoding, self.round_trip, self.setup.ptime);
        let sent = self.sent_record();
        LegRecord {
            received,
            sent,
            round_trip: self.round_trip,
            round_trip_max: self.round_trip_max,
            refused: self.refused,
        }
    }

    fn sent_record(&self) -> Flow {
        let codec = self.setup.send.iter().find(|codec| codec.encoding.is_primary());
        let mut sent = Flow { packets: self.sent.packets, bytes: self.sent.bytes, ..Flow::default() };
        let Some(codec) = codec else { return sent };
        sent.codec = codec.encoding.to_string();
        let us = |units: u32| u64::from(units) * 1_000_000 / u64::from(codec.clock.max(1));
        if let Some(block) = &self.sent.heard {
            sent.lost = u64::try_from(block.lost).unwrap_or(0);
            (sent.jitter_us, sent.jitter_max_us) = (us(block.jitter), us(self.sent.jitter_max));
            sent.loss = sent.lost as f32 / sent.packets.max(1) as f32;
        }
        sent.bursts.burst_ratio = 1.0;
        sent.judge(&codec.encoding, self.round_trip, self.setup.ptime);
        sent
    }
}

fn shield(protection: &Protection) -> Shield {
    match protection {
        Protection::Plain => Shield::Plain,
        Protection::Dtls(keys) => Shield::Dtls(keys.as_ref().map(|keys| pair(keys.suite, &keys.send, &keys.receive))),
        Protection::Sdes { suite, send, receive } => Shield::Srtp(pair(*suite, send, receive)),
    }
}

fn pair(suite: Suite, send: &KeySalt, receive: &KeySalt) -> Box<(Protector, Unprotector)> {
    Box::new((Protector::new(suite, send), Unprotector::new(suite, receive)))
}
