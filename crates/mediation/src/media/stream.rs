//! A stream: two legs, their sockets, and the bridge between them once both are agreed.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use lyceum_media::Time;
use lyceum_media::bridge::{
    Bridge, BridgeError, DtlsKeys, Event, Identity, LegSetup, Outcome, Port, Protection, Side, Transmit,
};
use lyceum_media::rtp::MAX_PACKET;
use lyceum_media::web::{Credentials, Taken, WebEvent, WebRemote, WebTransport};
use lyceum_sdp::Direction;

use super::chance;
use super::handle::{Ear, Opening, OpeningLeg};
use super::options::MediaOptions;
use super::order::{Agreement, MediaEvent, StreamId};

/// Packets of one leg that are made in one go: what a gap of five and a packet of 120 ms come to, and some to spare.
const MADE_MAX: usize = 64;
/// A silent stream is told of so many times in the time after which it counts as one, and each counts for two of them.
const SILENT_AGAIN: u32 = 12;

/// A socket and its own address.
pub(super) struct Socket {
    pub socket: UdpSocket,
    local: SocketAddr,
}

struct Leg {
    /// RTP and RTCP, or one for each address.
    sockets: Vec<Socket>,
    web: Option<Box<WebTransport>>,
    setup: Option<LegSetup>,
    /// Keys that came before the bridge.
    keys: Option<DtlsKeys>,
    /// When a browser's check or handshake came last.
    heard: Option<Time>,
}

/// A stream.
pub(super) struct Stream {
    pub id: StreamId,
    legs: [Leg; 2],
    bridge: Option<Bridge>,
    /// When it was opened, or when both legs were agreed last.
    since: Time,
    /// Both legs send and receive.
    expected: bool,
    /// When it was told last that nothing was heard, or that it is not agreed.
    told: Option<Time>,
    silence: Duration,
    agreement: Duration,
    ear: Ear,
}

impl Stream {
    pub fn new(now: Time, opening: Opening, options: &MediaOptions, ear: Ear) -> io::Result<Self> {
        let Opening { id, legs: [a, b] } = opening;
        let legs = [Leg::new(a)?, Leg::new(b)?];
        let (silence, agreement) = (options.silence, options.agreement);
        Ok(Self { id, legs, bridge: None, since: now, expected: false, told: None, silence, agreement, ear })
    }

    /// Its sockets, each with its leg and its place there.
    pub fn sockets(&self) -> impl Iterator<Item = (Side, usize, &UdpSocket)> {
        [Side::A, Side::B].into_iter().flat_map(|side| {
            let sockets = self.legs[side as usize].sockets.iter().enumerate();
            sockets.map(move |(at, socket)| (side, at, &socket.socket))
        })
    }

    pub fn socket(&self, side: Side, at: usize) -> Option<&UdpSocket> {
        self.legs[side as usize].sockets.get(at).map(|socket| &socket.socket)
    }

    /// Takes a packet that came to a socket, and sends what comes of it; true when [`Stream::next_timeout`] may be sooner.
    pub fn packet(
        &mut self,
        now: Time,
        (side, at): (Side, usize),
        from: SocketAddr,
        buffer: &mut [u8],
        len: usize,
    ) -> bool {
        let leg = &mut self.legs[side as usize];
        let mut port = if at == 0 { Port::Rtp } else { Port::Rtcp };
        if let Some(web) = &mut leg.web {
            let local = leg.sockets[at].local;
            match web.packet(now, from, local, &buffer[..len]) {
                Taken::Media => port = Port::Rtp,
                Taken::Own => {
                    leg.heard = Some(now);
                    self.heard_again();
                    self.web_turn(side);
                    return true;
                }
                Taken::Dropped => return false,
            }
        }
        let Some(bridge) = &mut self.bridge else { return false };
        match bridge.packet(now, side, port, from, buffer, len) {
            Outcome::Forward(transmit) => self.send(&transmit, buffer),
            Outcome::Made => self.send_made(),
            Outcome::Dropped(_) => {}
        }
        self.heard_again();
        self.ask_pictures(now);
        self.tell_events();
        false
    }

    /// Something of a stream that was told to be silent may have been heard.
    fn heard_again(&mut self) {
        if let Some(told) = self.told
            && self.bridge.is_some()
            && self.heard() > told
        {
            self.told = None;
            (self.ear)(MediaEvent::Heard(self.id));
        }
    }

    fn ask_pictures(&mut self, now: Time) {
        let Some(bridge) = &mut self.bridge else { return };
        if !bridge.wants_picture() {
            return;
        }
        let mut buffer = [0; MAX_PACKET];
        if let Some(transmit) = bridge.poll_picture(now, &mut buffer) {
            self.send(&transmit, &buffer);
        }
    }

    fn send(&self, transmit: &Transmit, buffer: &[u8]) {
        let leg = &self.legs[transmit.side as usize];
        let at = if transmit.port == Port::Rtp { 0 } else { 1 };
        let (socket, to) = match &leg.web {
            Some(web) => {
                let Some((local, remote)) = web.path() else { return };
                (leg.sockets.iter().find(|socket| socket.local == local), Some(remote))
            }
            None => (leg.sockets.get(at), transmit.to),
        };
        if let (Some(socket), Some(to)) = (socket, to) {
            // What the system does not take now is lost, as on any network.
            let _ = socket.socket.send_to(&buffer[..transmit.len], to);
        }
    }

    fn send_made(&mut self) {
        let mut buffer = [0; MAX_PACKET];
        for _ in 0..MADE_MAX {
            let Some(transmit) = self.bridge.as_mut().and_then(|bridge| bridge.poll(&mut buffer)) else { return };
            self.send(&transmit, &buffer);
        }
    }

    fn tell_events(&mut self) {
        let Some(bridge) = &mut self.bridge else { return };
        while let Some(event) = bridge.poll_event() {
            (self.ear)(match event {
                Event::Key(side, key) => MediaEvent::Key(self.id, side, key),
                Event::Moved(side, to) => MediaEvent::Moved(self.id, side, to),
                // Who leaves by RTCP leaves by signalling too, or falls silent.
                Event::Bye(_) => continue,
            });
        }
    }

    /// A leg was agreed, or agreed anew.
    pub fn agree(&mut self, now: Time, side: Side, agreement: Agreement) {
        let Agreement { mut setup, web } = agreement;
        let leg = &mut self.legs[side as usize];
        if let Some(transport) = &mut leg.web {
            (setup.protection, setup.rtcp_mux) = (Protection::Dtls(None), true);
            if let Some(remote) = web {
                let (ice, fingerprint) = (remote.ice, remote.fingerprint);
                let (we_begin, controlling) = (remote.we_begin, remote.controlling);
                transport.agree(now, WebRemote { ice, fingerprint, we_begin, controlling });
            }
        }
        leg.setup = Some(setup.clone());
        if let Err(error) = self.build(side, setup) {
            (self.ear)(MediaEvent::Failed(self.id, side, error.to_string()));
        }
        // Who holds may send nothing at all: only a leg that speaks both ways is expected to.
        let expects = |leg: &Leg| leg.setup.as_ref().is_some_and(|setup| setup.direction == Direction::SendRecv);
        self.expected = self.legs.iter().all(expects);
        if self.bridge.is_some() {
            (self.since, self.told) = (now, None);
        }
        self.web_turn(side);
    }

    fn build(&mut self, side: Side, setup: LegSetup) -> Result<(), BridgeError> {
        if let Some(bridge) = &mut self.bridge {
            return bridge.update(side, setup);
        }
        let [Some(a), Some(b)] = [&self.legs[0].setup, &self.legs[1].setup] else { return Ok(()) };
        let Ok(identity) = identity() else { return Ok(()) };
        let mut bridge = Bridge::new(a.clone(), b.clone(), identity)?;
        for side in [Side::A, Side::B] {
            if let Some(keys) = self.legs[side as usize].keys.take() {
                bridge.key(side, keys);
            }
        }
        self.bridge = Some(bridge);
        Ok(())
    }

    /// New credentials for a leg's ICE.
    pub fn restart_ice(&mut self, side: Side, credentials: Credentials) {
        if let Some(web) = &mut self.legs[side as usize].web {
            web.restart_ice(credentials);
        }
    }

    /// Presses a key on a leg.
    pub fn press(&mut self, side: Side, key: char) {
        if let Some(bridge) = &mut self.bridge {
            bridge.press(side, key);
        }
    }

    /// Sends what a leg's transport wants sent, and hears what it tells.
    fn web_turn(&mut self, side: Side) {
        let leg = &mut self.legs[side as usize];
        leg.flush();
        let Some(web) = &mut leg.web else { return };
        while let Some(event) = web.poll_event() {
            (self.ear)(match event {
                WebEvent::Keys(keys) => {
                    match &mut self.bridge {
                        Some(bridge) => {
                            bridge.key(side, keys);
                        }
                        None => leg.keys = Some(keys),
                    }
                    continue;
                }
                WebEvent::Connected => MediaEvent::Connected(self.id, side),
                WebEvent::Disconnected => MediaEvent::Disconnected(self.id, side),
                WebEvent::Failed(why) => MediaEvent::Failed(self.id, side, why),
                WebEvent::Moved(to) => MediaEvent::Moved(self.id, side, to),
            });
        }
    }

    /// Does what is due.
    pub fn timeout(&mut self, now: Time) {
        for side in [Side::A, Side::B] {
            if let Some(web) = &mut self.legs[side as usize].web
                && web.next_timeout().is_some_and(|due| due <= now)
            {
                web.timeout(now);
                self.web_turn(side);
            }
        }
        let mut buffer = [0; MAX_PACKET];
        for side in [Side::A, Side::B] {
            if let Some(transmit) = self.bridge.as_mut().and_then(|bridge| bridge.tick(now, side, &mut buffer)) {
                self.send(&transmit, &buffer);
            }
        }
        if self.quiet_at() <= now {
            self.told = Some(now);
            let (stream, until) = (self.id, now + self.silence * 2 / SILENT_AGAIN);
            (self.ear)(match self.bridge {
                Some(_) => MediaEvent::Silent { stream, at: now, until, expected: self.expected },
                None => MediaEvent::Unagreed(stream),
            });
        }
    }

    /// When [`Stream::timeout`] has something to do.
    pub fn next_timeout(&mut self) -> Option<Time> {
        let quiet = Some(self.quiet_at());
        let report = self.bridge.as_ref().and_then(Bridge::next_timeout);
        let web = self.legs.iter_mut().filter_map(|leg| leg.web.as_mut()?.next_timeout());
        web.chain(quiet).chain(report).min()
    }

    /// When it is to be told that nothing was heard, or that it is not agreed.
    fn quiet_at(&self) -> Time {
        let again = |pause: Duration| self.told.map(|told| told + pause);
        match self.bridge {
            Some(_) => (self.heard() + self.silence).max(again(self.silence / SILENT_AGAIN).unwrap_or_default()),
            None => again(self.agreement).unwrap_or(self.since + self.agreement),
        }
    }

    /// When something was heard of either leg, or may be expected from.
    fn heard(&self) -> Time {
        let bridge = self.bridge.as_ref();
        let of = |side| [bridge.and_then(|bridge| bridge.last_heard(side)), self.legs[side as usize].heard];
        [Side::A, Side::B].into_iter().flat_map(of).flatten().fold(self.since, Time::max)
    }

    /// The end: peers are told where there is a way, and signalling is told how it was. Sockets close with it.
    pub fn close(mut self, now: Time) -> MediaEvent {
        for side in [Side::A, Side::B] {
            if let Some(web) = &mut self.legs[side as usize].web {
                web.close(now);
            }
            self.legs[side as usize].flush();
        }
        let records = self.bridge.as_ref().map(Bridge::records).unwrap_or_default();
        MediaEvent::Closed(self.id, Box::new(records))
    }
}

impl Leg {
    fn new(opening: OpeningLeg) -> io::Result<Self> {
        let (sockets, web) = match opening {
            OpeningLeg::Rtp(sockets) => (sockets.into(), None),
            OpeningLeg::Web(sockets, setup) => (sockets, Some(Box::new(WebTransport::new(*setup)))),
        };
        let with_address = |socket: UdpSocket| Ok(Socket { local: socket.local_addr()?, socket });
        let sockets = sockets.into_iter().map(with_address).collect::<io::Result<_>>()?;
        Ok(Self { sockets, web, setup: None, keys: None, heard: None })
    }

    /// Sends what the transport wants sent.
    fn flush(&mut self) {
        let Some(web) = &mut self.web else { return };
        while let Some(transmit) = web.poll_transmit() {
            if let Some(socket) = self.sockets.iter().find(|socket| socket.local == transmit.local) {
                let _ = socket.socket.send_to(&transmit.bytes, transmit.remote);
            }
        }
    }
}

/// Sources, first numbers and a name that tell nothing (RFC 7022).
fn identity() -> io::Result<Identity> {
    let random: [u8; 32] = chance::bytes()?;
    let word = |at: usize| u32::from_be_bytes([random[at], random[at + 1], random[at + 2], random[at + 3]]);
    let starts = [(word(8) as u16, word(12)), (word(16) as u16, word(20))];
    Ok(Identity { ssrcs: [word(0), word(4)], starts, cname: format!("{:08x}{:08x}", word(24), word(28)) })
}
