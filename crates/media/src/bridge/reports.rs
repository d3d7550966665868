//! RTCP between two legs: forwarded where packets are forwarded, our own where we transcode.

use std::net::SocketAddr;
use std::time::Duration;

use super::{Bridge, Dropped, Event, Outcome, Port, Side, Transmit};
use crate::latch::{Evidence, Verdict};
use crate::rtcp::{self, Block, Outgoing, Part, SenderInfo};
use crate::time::Time;

/// How often we report on a leg that is transcoded (RFC 3550 §6.2: five seconds for few members).
const INTERVAL: Duration = Duration::from_secs(5);

impl Bridge {
    pub(super) fn report(
        &mut self,
        now: Time,
        side: Side,
        port: Port,
        from: SocketAddr,
        buffer: &mut [u8],
        len: usize,
    ) -> Outcome {
        let leg = &mut self.legs[side as usize];
        let len = match leg.unprotect_rtcp(buffer, len) {
            Ok(len) => len,
            Err(why) => return Outcome::Dropped(why),
        };
        if !rtcp::is_well_formed(&buffer[..len]) {
            return Outcome::Dropped(Dropped::Malformed);
        }
        if !leg.is_addressed() && !heard_from(leg, now, port, from) {
            return Outcome::Dropped(Dropped::Stranger);
        }
        leg.last_heard = Some(now);
        self.read(now, side, &buffer[..len]);
        if self.flows[side as usize].is_some() || self.flows[side.other() as usize].is_some() {
            return Outcome::Made;
        }
        self.forward_report(now, side.other(), buffer, len)
    }

    /// What the reports of a leg's endpoint tell.
    fn read(&mut self, now: Time, side: Side, bytes: &[u8]) {
        let mut left = false;
        let leg = &mut self.legs[side as usize];
        for part in rtcp::parts(bytes) {
            match part {
                Part::Report(report) => {
                    if let (Some(info), Some(counted)) = (report.sender, &mut leg.counted)
                        && counted.ssrc == report.ssrc
                    {
                        counted.last_sr = Some(((info.ntp >> 16) as u32, now));
                    }
                    if let Some(block) = report.blocks().next() {
                        leg.heard_report(&block, now);
                    }
                }
                Part::Bye { .. } => left = true,
                Part::Cname { .. } | Part::Other { .. } => {}
            }
        }
        if left {
            self.event(Event::Bye(side));
        }
    }

    fn forward_report(&mut self, now: Time, side: Side, buffer: &mut [u8], len: usize) -> Outcome {
        let leg = &mut self.legs[side as usize];
        for part in rtcp::parts(&buffer[..len]) {
            if let Part::Report(report) = part
                && let Some(info) = report.sender
            {
                leg.sent_reports.sent((info.ntp >> 16) as u32, now);
            }
        }
        self.send_report(side, buffer, len)
    }

    fn send_report(&mut self, side: Side, buffer: &mut [u8], len: usize) -> Outcome {
        let leg = &mut self.legs[side as usize];
        let port = if leg.setup.rtcp_mux { Port::Rtp } else { Port::Rtcp };
        match leg.target(port).and_then(|to| Ok((to, leg.protect_rtcp(buffer, len)?))) {
            Ok((to, len)) => Outcome::Forward(Transmit { side, port, to, len }),
            Err(why) => Outcome::Dropped(why),
        }
    }

    pub(super) fn ask_picture(&mut self, now: Time, side: Side, buffer: &mut [u8]) -> Option<Transmit> {
        let own = side as usize;
        let of = self.legs[own].counted.as_ref()?.ssrc;
        let block = self.legs[own].block(now);
        let (ssrc, cname) = (self.identity.ssrcs[own], &self.identity.cname);
        let outgoing = Outgoing { ssrc, info: None, blocks: block.as_slice(), cname, bye: false };
        let len = rtcp::ask_picture(buffer, &outgoing, of)?;
        match self.send_report(side, buffer, len) {
            Outcome::Forward(transmit) => Some(transmit),
            Outcome::Made | Outcome::Dropped(_) => None,
        }
    }

    /// When [`Bridge::tick`] has something to do; `None` while nothing is transcoded.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Time> {
        self.flows.iter().any(Option::is_some).then_some(self.next_report.unwrap_or(Time(0)))
    }

    /// Writes a report for the leg `side` when its time has come; asked for both legs after [`Bridge::next_timeout`].
    pub fn tick(&mut self, now: Time, side: Side, buffer: &mut [u8]) -> Option<Transmit> {
        self.next_timeout().filter(|due| *due <= now)?;
        if side == Side::B {
            self.next_report = Some(now + INTERVAL);
        }
        let (own, from) = (side as usize, side.other() as usize);
        let block = self.legs[own].block(now);
        let timestamp = self.flows[from].as_ref().map(|flow| flow.timestamp());
        let sent = &self.legs[own].sent;
        let info = timestamp.filter(|_| sent.packets > 0).map(|timestamp| SenderInfo {
            ntp: now.ntp(),
            timestamp,
            packets: sent.packets as u32,
            octets: sent.bytes as u32,
        });
        let blocks: &[Block] = block.as_slice();
        let outgoing =
            Outgoing { ssrc: self.identity.ssrcs[own], info, blocks, cname: &self.identity.cname, bye: false };
        let len = rtcp::write(buffer, &outgoing)?;
        if info.is_some() {
            self.legs[own].sent_reports.sent(now.ntp_middle(), now);
        }
        match self.send_report(side, buffer, len) {
            Outcome::Forward(transmit) => Some(transmit),
            Outcome::Made | Outcome::Dropped(_) => None,
        }
    }
}

/// Whether RTCP comes from whom it should: the RTP source when muxed; else its own latch, which on a plain leg takes the
/// described address and, once media is latched, other ports of the same host.
fn heard_from(leg: &mut super::leg::Leg, now: Time, port: Port, from: SocketAddr) -> bool {
    if port == Port::Rtp {
        return leg.rtp.destination() == Some(from) || leg.is_authenticated();
    }
    let beside = leg.rtp.is_latched() && leg.rtp.destination().is_some_and(|media| media.ip() == from.ip());
    let evidence = match leg.is_authenticated() || beside {
        true => Evidence::Authenticated { newest: true },
        false => Evidence::Plain { ssrc: 0, sequence: 0 },
    };
    matches!(leg.rtcp.judge(now, from, evidence), Verdict::Take | Verdict::Moved)
}

impl super::leg::Leg {
    fn heard_report(&mut self, block: &Block, now: Time) {
        if let Some(trip) = self.sent_reports.round_trip(block, now) {
            self.round_trip = Some(trip);
            self.round_trip_max = self.round_trip_max.max(Some(trip));
        }
        self.sent.jitter_max = self.sent.jitter_max.max(block.jitter);
        self.sent.heard = Some(*block);
    }

    /// What we tell the leg of what it sends.
    fn block(&mut self, now: Time) -> Option<Block> {
        let counted = self.counted.as_mut()?;
        let (last_sr, delay) = match counted.last_sr {
            Some((middle, came)) => (middle, (now.since(came).as_micros() * 65_536 / 1_000_000) as u32),
            None => (0, 0),
        };
        Some(Block {
            ssrc: counted.ssrc,
            fraction_lost: counted.reception.fraction_lost(),
            lost: counted.reception.lost(),
            highest: counted.reception.highest(),
            jitter: counted.reception.jitter(),
            last_sr,
            delay,
        })
    }
}
