//! Symmetric latching: which source of packets is the peer, when NAT hides what its description says.
//!
//! | state | a packet from | next | verdict |
//! |---|---|---|---|
//! | open | the described address | latched | taken |
//! | open | elsewhere, authenticated | latched | taken |
//! | open | elsewhere | after [`PROOF`] in a row: latched | dropped until then |
//! | latched | the latched source | – | taken |
//! | latched | elsewhere, authenticated and newest | latched there | taken |
//! | latched | elsewhere, the source silent for [`SILENCE`], from a known host | after [`PROOF`] in a row: latched there | dropped until then |
//! | latched | anywhere else | – | dropped, counted |
//! | latched | (re-INVITE or ICE restart: [`Latch::reopen`]) | open | – |
//!
//! Known hosts are the one latched before, the described one, and the one that the signalling came from. On a plain leg
//! the first packets are believed only when they come from one of these, unless the leg is told to believe anybody.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::time::Time;

/// How long the source must be silent before another may take its place without new signalling.
pub const SILENCE: Duration = Duration::from_secs(5);
/// Packets in unbroken order that a plain source must show before it is believed.
pub const PROOF: u8 = 4;

/// Who may be latched to on a leg that cannot authenticate its packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Believe {
    /// Hosts that the signalling named or came from: phones beside their signalling.
    KnownHosts,
    /// Anybody, after the proof: a phone whose media leaves by another address than its signalling.
    Anybody,
}

/// What a packet proves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Evidence {
    /// Nothing but its own order.
    Plain {
        /// Its source.
        ssrc: u32,
        /// Its number.
        sequence: u16,
    },
    /// It was authenticated; `newest` when no later one was here before.
    Authenticated {
        /// As [`crate::srtp::Unprotector`] said.
        newest: bool,
    },
}

/// What to do with a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is the peer's.
    Take,
    /// It is the peer's, which is somewhere else now: answer there.
    Moved,
    /// It may become the peer's; drop it.
    Learning,
    /// It is a stranger's; drop it.
    Refuse,
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    from: SocketAddr,
    ssrc: u32,
    next: u16,
    seen: u8,
}

/// The latch of one leg and one port.
#[derive(Clone, Debug)]
pub struct Latch {
    described: Option<SocketAddr>,
    signalled_from: Option<IpAddr>,
    believe: Believe,
    current: Option<(SocketAddr, Time)>,
    previous: Option<IpAddr>,
    candidate: Option<Candidate>,
    refused: u64,
}

impl Latch {
    /// An open latch: the address of the description, and the host that the signalling came from.
    #[must_use]
    pub fn new(described: Option<SocketAddr>, signalled_from: Option<IpAddr>, believe: Believe) -> Self {
        Self { described, signalled_from, believe, current: None, previous: None, candidate: None, refused: 0 }
    }

    /// New signalling (re-INVITE, ICE restart) with a new address: it begins anew. With the same address and a peer that
    /// is latched nothing changes, so that a session refresh opens no door.
    pub fn reopen(&mut self, described: Option<SocketAddr>, signalled_from: Option<IpAddr>) {
        self.signalled_from = signalled_from.or(self.signalled_from);
        if described.is_none() || described == self.described {
            return;
        }
        self.previous = self.current.map(|(from, _)| from.ip()).or(self.previous);
        (self.described, self.current, self.candidate) = (described, None, None);
    }

    /// Where to send: to the latched source, else where the description says.
    #[must_use]
    pub fn destination(&self) -> Option<SocketAddr> {
        self.current.map(|(from, _)| from).or(self.described)
    }

    /// Packets of strangers so far.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Whether the peer's source is known.
    #[must_use]
    pub fn is_latched(&self) -> bool {
        self.current.is_some()
    }

    /// Judges a packet from `from`.
    pub fn judge(&mut self, now: Time, from: SocketAddr, evidence: Evidence) -> Verdict {
        if let Some((current, last)) = &mut self.current
            && *current == from
        {
            *last = now;
            return Verdict::Take;
        }
        let silent = self.current.is_none_or(|(_, last)| now.since(last) >= SILENCE);
        match evidence {
            Evidence::Authenticated { newest: true } => self.latch(now, from),
            // The described address needs no proof as long as nobody else speaks.
            Evidence::Plain { .. } if silent && self.described == Some(from) => self.latch(now, from),
            Evidence::Plain { ssrc, sequence } if silent && self.may_try(from.ip()) => {
                self.learn(now, from, ssrc, sequence)
            }
            _ => {
                self.refused += 1;
                Verdict::Refuse
            }
        }
    }

    fn may_try(&self, host: IpAddr) -> bool {
        let latched = self.current.map(|(from, _)| from.ip());
        let known = [latched, self.previous, self.described.map(|at| at.ip()), self.signalled_from];
        known.contains(&Some(host)) || (self.current.is_none() && self.believe == Believe::Anybody)
    }

    fn learn(&mut self, now: Time, from: SocketAddr, ssrc: u32, sequence: u16) -> Verdict {
        let follows = |it: &Candidate| it.from == from && it.ssrc == ssrc && it.next == sequence;
        let seen = self.candidate.filter(follows).map_or(0, |it| it.seen) + 1;
        if seen >= PROOF {
            return self.latch(now, from);
        }
        self.candidate = Some(Candidate { from, ssrc, next: sequence.wrapping_add(1), seen });
        Verdict::Learning
    }

    fn latch(&mut self, now: Time, from: SocketAddr) -> Verdict {
        let moved = self.destination() != Some(from);
        self.previous = self.current.map(|(was, _)| was.ip()).or(self.previous);
        (self.current, self.candidate) = (Some((from, now)), None);
        if moved { Verdict::Moved } else { Verdict::Take }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESCRIBED: &str = "192.0.2.1:4000";
    const NATTED: &str = "203.0.113.5:61000";
    const STRANGER: &str = "198.51.100.66:5555";

    fn at(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    fn phone() -> Latch {
        Latch::new(Some(at(DESCRIBED)), Some(at(NATTED).ip()), Believe::KnownHosts)
    }

    fn plain(latch: &mut Latch, second: u64, from: &str, sequence: u16) -> Verdict {
        latch.judge(Time(second * 1_000_000), at(from), Evidence::Plain { ssrc: 1, sequence })
    }

    fn prove(latch: &mut Latch) {
        for number in 0..4 {
            plain(latch, 0, NATTED, number);
        }
    }

    #[test]
    fn the_described_address_is_taken_at_once() {
        let mut latch = phone();
        assert_eq!(latch.destination(), Some(at(DESCRIBED)));
        assert_eq!(plain(&mut latch, 0, DESCRIBED, 7), Verdict::Take);
        assert!(latch.is_latched());
    }

    #[test]
    fn a_phone_behind_nat_is_taken_after_its_proof() {
        let mut latch = phone();
        let seen: Vec<_> = (0..5).map(|number| plain(&mut latch, 0, NATTED, 65_534u16.wrapping_add(number))).collect();
        assert_eq!(seen, [Verdict::Learning, Verdict::Learning, Verdict::Learning, Verdict::Moved, Verdict::Take]);
        assert_eq!(latch.destination(), Some(at(NATTED)));
    }

    #[test]
    fn a_broken_order_proves_nothing() {
        let mut latch = phone();
        for number in [1, 2, 3, 5, 6, 7, 9] {
            assert_eq!(plain(&mut latch, 0, NATTED, number), Verdict::Learning, "{number}");
        }
    }

    #[test]
    fn a_stranger_is_refused_before_and_after() {
        let mut latch = phone();
        for number in 0..20 {
            assert_eq!(plain(&mut latch, 0, STRANGER, number), Verdict::Refuse);
        }
        plain(&mut latch, 1, DESCRIBED, 1);
        for number in 0..20 {
            assert_eq!(plain(&mut latch, 60, STRANGER, number), Verdict::Refuse, "silence opens for known hosts only");
        }
        assert_eq!((latch.destination(), latch.refused()), (Some(at(DESCRIBED)), 40));
    }

    #[test]
    fn whom_anybody_is_believed_latches_once() {
        let mut latch = Latch::new(Some(at(DESCRIBED)), None, Believe::Anybody);
        prove(&mut latch);
        assert_eq!(latch.destination(), Some(at(NATTED)));
        assert_eq!(plain(&mut latch, 60, STRANGER, 1), Verdict::Refuse);
    }

    #[test]
    fn a_new_port_of_the_same_host_is_taken_after_silence_only() {
        let mut latch = phone();
        prove(&mut latch);
        let other = "203.0.113.5:62000";
        assert_eq!(plain(&mut latch, 4, other, 1), Verdict::Refuse, "the old one spoke 4 s ago");
        let seen: Vec<_> = (1..5).map(|number| plain(&mut latch, 5, other, number)).collect();
        assert_eq!(seen.last(), Some(&Verdict::Moved));
    }

    #[test]
    fn an_authenticated_source_moves_at_once_and_an_old_packet_moves_nothing() {
        let mut latch = phone();
        let judge =
            |latch: &mut Latch, from, newest| latch.judge(Time(0), at(from), Evidence::Authenticated { newest });
        assert_eq!(judge(&mut latch, NATTED, true), Verdict::Moved);
        assert_eq!(judge(&mut latch, STRANGER, false), Verdict::Refuse);
        assert_eq!(latch.destination(), Some(at(NATTED)));
        assert_eq!(judge(&mut latch, "203.0.113.9:1", true), Verdict::Moved);
    }

    #[test]
    fn new_signalling_opens_and_a_refresh_does_not() {
        let mut latch = phone();
        prove(&mut latch);
        latch.reopen(Some(at(DESCRIBED)), None);
        assert_eq!(latch.destination(), Some(at(NATTED)), "a refresh with the old address");
        latch.reopen(Some(at("192.0.2.9:6000")), None);
        assert_eq!(latch.destination(), Some(at("192.0.2.9:6000")));
        assert_eq!(plain(&mut latch, 0, "192.0.2.9:6000", 1), Verdict::Take);
        assert_eq!(plain(&mut latch, 0, NATTED, 9), Verdict::Refuse);
    }
}
