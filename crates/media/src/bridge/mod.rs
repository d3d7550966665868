//! The bridge between two legs: packets in, packets out.
//!
//! A packet that only has to be forwarded stays in its buffer: it is decrypted, judged, counted, given the other leg's
//! payload type, encrypted, and goes. Nothing is allocated on that way, and nothing waits for a timer. Where the legs
//! have no codec in common the sound is decoded and encoded again, packet by packet.
//!
//! ```text
//! packet(now, A, Rtp, source, buffer) ─ unprotect ─ latch ─ count ─ plan ─┬─ relay: protect ─ Forward
//!                                                                         └─ transcode ─ Made: poll(buffer) until None
//! ```
//!
//! After each call that says so [`Bridge::poll`] is emptied, and [`Bridge::poll_event`] after any.

mod flow;
mod leg;
mod numbering;
mod plan;
mod reports;

use std::collections::VecDeque;
use std::net::SocketAddr;

use crate::codec::natural_rate;
use crate::dtmf;
use crate::quality::LegRecord;
use crate::rtp::{self, Packet, is_rtcp};
use crate::time::Time;

use flow::Flow;
use leg::Leg;
pub use leg::{DtlsKeys, LegSetup, Protection};
use plan::{Action, Plan};

/// Events that wait to be fetched; further ones are dropped, the oldest stay.
pub const MAX_EVENTS: usize = 16;

/// One of the two legs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Side {
    /// The first.
    A,
    /// The second.
    B,
}

impl Side {
    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// Which of a leg's two ports; with rtcp-mux everything is `Rtp`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Port {
    /// Media.
    Rtp,
    /// Reports.
    Rtcp,
}

/// A packet to be sent: the first `len` bytes of the buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transmit {
    /// On which leg.
    pub side: Side,
    /// From which of its ports.
    pub port: Port,
    /// Whereto; `None` on a leg whose transport knows it ([`Protection::Dtls`]).
    pub to: Option<SocketAddr>,
    /// Its length.
    pub len: usize,
}

/// Why a packet went nowhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dropped {
    /// No RTP or RTCP, or too long.
    Malformed,
    /// Its protection is wrong or it was here before.
    Refused(crate::srtp::SrtpError),
    /// From a stranger, or one not yet believed.
    Stranger,
    /// The leg is on hold in this direction.
    Held,
    /// Its payload type was not agreed on, or leads nowhere on the other leg.
    PayloadType,
    /// The other leg has no address yet.
    NoDestination,
    /// The handshake that brings a leg's keys is not through.
    NoKeys,
    /// It came twice or far too late for a stream that is transcoded.
    Late,
}

/// What became of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It goes on, in its own buffer.
    Forward(Transmit),
    /// It was taken in: ask [`Bridge::poll`].
    Made,
    /// It goes nowhere.
    Dropped(Dropped),
}

/// What the signalling may like to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A key was pressed on a leg.
    Key(Side, char),
    /// A leg's media comes from a new address.
    Moved(Side, SocketAddr),
    /// A leg said good-bye by RTCP.
    Bye(Side),
}

/// Why no bridge can be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BridgeError {
    /// There is no codec that one sends, the other takes, and we know how to change.
    NoCodec(Side),
}

impl std::fmt::Display for BridgeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoCodec(side) => write!(f, "what leg {side:?} sends cannot be made into what the other takes"),
        }
    }
}

impl std::error::Error for BridgeError {}

/// What a bridge needs of chance and of names, drawn by the caller.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Our sources, one for what we make for each leg.
    pub ssrcs: [u32; 2],
    /// First sequence numbers and timestamps of what we make.
    pub starts: [(u16, u32); 2],
    /// Our name in RTCP (RFC 7022): random, the same on both legs.
    pub cname: String,
}

/// Two legs and what flows between them.
pub struct Bridge {
    legs: [Leg; 2],
    /// From A to B, and from B to A.
    plans: [Plan; 2],
    flows: [Option<Flow>; 2],
    identity: Identity,
    events: VecDeque<Event>,
    next_report: Option<Time>,
    /// Of whom a picture that stands by itself is wanted, because the other leg begins to look.
    pictures: [bool; 2],
}

impl Bridge {
    /// A bridge between two agreed legs.
    pub fn new(a: LegSetup, b: LegSetup, identity: Identity) -> Result<Self, BridgeError> {
        let legs = [Leg::new(a), Leg::new(b)];
        let empty = || Plan::empty();
        let mut bridge = Self {
            legs,
            plans: [empty(), empty()],
            flows: [None, None],
            identity,
            events: VecDeque::with_capacity(MAX_EVENTS),
            next_report: None,
            pictures: [false; 2],
        };
        bridge.replan()?;
        bridge.pictures = [Side::A, Side::B].map(|side| bridge.shows_pictures(side));
        Ok(bridge)
    }

    /// A leg was agreed anew (re-INVITE): keys, addresses and codecs that stay the same keep their state.
    pub fn update(&mut self, side: Side, setup: LegSetup) -> Result<(), BridgeError> {
        self.legs[side as usize].update(setup);
        self.pictures[side.other() as usize] |= self.shows_pictures(side.other());
        self.replan()
    }

    /// The handshake of a DTLS leg came to these keys; false on any other leg.
    pub fn key(&mut self, side: Side, keys: DtlsKeys) -> bool {
        self.pictures[side.other() as usize] |= self.shows_pictures(side.other());
        self.legs[side as usize].key(keys)
    }

    fn shows_pictures(&self, side: Side) -> bool {
        self.legs[side as usize]
            .setup
            .receive
            .iter()
            .any(|codec| natural_rate(codec).is_none() && codec.clock == 90_000)
    }

    /// Whether [`Bridge::poll_picture`] may have something to say.
    #[must_use]
    pub fn wants_picture(&self) -> bool {
        self.pictures.contains(&true)
    }

    /// Asks a leg for a picture that stands by itself, once the other one has begun to look; looked at after each packet.
    pub fn poll_picture(&mut self, now: Time, buffer: &mut [u8]) -> Option<Transmit> {
        let side = [Side::A, Side::B].into_iter().find(|side| {
            // Not before it speaks, nor before its pictures can go on.
            self.pictures[*side as usize]
                && self.legs[*side as usize].counted.is_some()
                && self.legs[side.other() as usize].is_keyed()
        })?;
        self.pictures[side as usize] = false;
        self.ask_picture(now, side, buffer)
    }

    fn replan(&mut self) -> Result<(), BridgeError> {
        for side in [Side::A, Side::B] {
            let (from, to) = (side as usize, side.other() as usize);
            let plan = Plan::new(&self.legs[from].setup, &self.legs[to].setup).ok_or(BridgeError::NoCodec(side))?;
            if plan != self.plans[from] {
                let kept = self.flows[from].take().map(Flow::into_numbering);
                self.flows[from] = plan.transcode().and_then(|pair| {
                    let start = (self.identity.ssrcs[to], self.identity.starts[to]);
                    Flow::new(pair, kept.unwrap_or_else(|| numbering::Numbering::new(start)))
                });
                self.plans[from] = plan;
            }
        }
        Ok(())
    }

    /// Takes the packet in the first `len` bytes of `buffer`, which should have room for [`crate::srtp::MAX_OVERHEAD`] more.
    pub fn packet(
        &mut self,
        now: Time,
        side: Side,
        port: Port,
        from: SocketAddr,
        buffer: &mut [u8],
        len: usize,
    ) -> Outcome {
        let outcome = if len > buffer.len() || len > rtp::MAX_PACKET {
            Outcome::Dropped(Dropped::Malformed)
        } else if port == Port::Rtcp || is_rtcp(&buffer[..len]) {
            self.report(now, side, port, from, buffer, len)
        } else {
            self.media(now, side, from, buffer, len)
        };
        if matches!(
            outcome,
            Outcome::Dropped(Dropped::Malformed | Dropped::Refused(_) | Dropped::Stranger | Dropped::PayloadType)
        ) {
            self.legs[side as usize].refused += 1;
        }
        outcome
    }

    fn media(&mut self, now: Time, side: Side, from: SocketAddr, buffer: &mut [u8], len: usize) -> Outcome {
        let (own, other) = (side as usize, side.other() as usize);
        let len = match self.legs[own].admit(now, from, buffer, len) {
            Ok((len, moved)) => {
                if moved {
                    self.event(Event::Moved(side, from));
                }
                len
            }
            Err(why) => return Outcome::Dropped(why),
        };
        let Ok(packet) = Packet::parse(&buffer[..len]) else { return Outcome::Dropped(Dropped::Malformed) };
        let action = self.plans[own].action(packet.payload_type());
        if action == Action::Drop {
            return Outcome::Dropped(Dropped::PayloadType);
        }
        let arrival = self.legs[own].count(now, &packet);
        if self.plans[own].is_event(packet.payload_type()) {
            self.keys(side, &packet);
        }
        if !self.legs[own].setup.direction.receives() || !self.legs[other].setup.direction.sends() {
            return Outcome::Dropped(Dropped::Held);
        }
        if let Some(flow) = &mut self.flows[own] {
            let taken = flow.packet(&packet, arrival, action);
            while let Some(key) = self.flows[own].as_mut().and_then(Flow::key_heard) {
                self.event(Event::Key(side, key));
            }
            return if taken { Outcome::Made } else { Outcome::Dropped(Dropped::Late) };
        }
        let Action::Relay(payload_type) = action else { return Outcome::Dropped(Dropped::PayloadType) };
        let payload = packet.payload().len();
        rtp::packet::set_payload_type(buffer, payload_type);
        self.send(side.other(), buffer, len, payload)
    }

    /// Protects what goes to a leg and says where it goes.
    fn send(&mut self, side: Side, buffer: &mut [u8], len: usize, payload: usize) -> Outcome {
        let leg = &mut self.legs[side as usize];
        match leg.target(Port::Rtp).and_then(|to| Ok((to, leg.protect_rtp(buffer, len)?))) {
            Ok((to, len)) => {
                leg.sent.packets += 1;
                leg.sent.bytes += payload as u64;
                Outcome::Forward(Transmit { side, port: Port::Rtp, to, len })
            }
            Err(why) => Outcome::Dropped(why),
        }
    }

    fn keys(&mut self, side: Side, packet: &Packet<'_>) {
        let Some(event) = dtmf::event::Event::parse(packet.payload()) else { return };
        for heard in self.legs[side as usize].keys.packet(packet.timestamp(), event).into_iter().flatten() {
            if let dtmf::event::Heard::Begin(code) = heard
                && let Some(key) = dtmf::key(code)
            {
                self.event(Event::Key(side, key));
            }
        }
    }

    fn event(&mut self, event: Event) {
        if self.events.len() < MAX_EVENTS {
            self.events.push_back(event);
        }
    }

    /// The next packet that was made; its bytes are put into `buffer`.
    pub fn poll(&mut self, buffer: &mut [u8]) -> Option<Transmit> {
        for side in [Side::A, Side::B] {
            while let Some((len, payload)) = self.flows[side as usize].as_mut().and_then(|flow| flow.make(buffer)) {
                if let Outcome::Forward(transmit) = self.send(side.other(), buffer, len, payload) {
                    return Some(transmit);
                }
            }
        }
        None
    }

    /// The next thing that the signalling may like to know.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Presses a key on a leg, as an event or, where the leg takes none, as a tone; it goes out while media flows.
    /// False when the leg takes no keys now.
    pub fn press(&mut self, side: Side, key: char) -> bool {
        let (Some(code), from) = (dtmf::event(key), side.other() as usize) else { return false };
        self.flows[from].as_mut().is_some_and(|flow| flow.press(code))
    }

    /// How good the legs were until now.
    #[must_use]
    pub fn records(&self) -> [LegRecord; 2] {
        [self.legs[0].record(), self.legs[1].record()]
    }

    /// Where a leg's media goes and whether its source was seen.
    #[must_use]
    pub fn destination(&self, side: Side) -> Option<SocketAddr> {
        self.legs[side as usize].rtp.destination()
    }

    /// When a leg's media was heard last, to find calls that nobody ended.
    #[must_use]
    pub fn last_heard(&self, side: Side) -> Option<Time> {
        self.legs[side as usize].last_heard
    }

    /// Whether sound is decoded and encoded on the way from `side`.
    #[must_use]
    pub fn is_transcoding(&self, side: Side) -> bool {
        self.flows[side as usize].is_some()
    }
}
