//! Session timers (RFC 4028): what a proxy does to a request and its answer (§8), what an end
//! does (§7, §9, §10).

use crate::header::session_expires::{Refresher, SessionExpires};
use crate::message::Message;
use crate::method::Method;
use crate::name::Name;
use std::time::Duration;

/// The least interval anybody may ask for (§5).
pub const ABSOLUTE_MIN: u32 = 90;

/// What a request says about its session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Offer {
    /// Session-Expires.
    pub expires: Option<SessionExpires>,
    /// Min-SE; [`ABSOLUTE_MIN`] when absent.
    pub min: u32,
    /// The caller knows session timers.
    pub supported: bool,
}

impl Offer {
    /// Reads an INVITE or UPDATE; `None` for other methods. Unreadable values count as absent.
    #[must_use]
    pub fn of(m: &Message<'_>) -> Option<Offer> {
        matches!(m.method(), Method::Invite | Method::Update).then(|| Offer {
            expires: interval(m, Name::SessionExpires),
            min: interval(m, Name::MinSE).map_or(ABSOLUTE_MIN, |min| min.interval),
            supported: m.has_option(Name::Supported, "timer") || m.has_option(Name::Require, "timer"),
        })
    }
}

fn interval(m: &Message<'_>, name: Name) -> Option<SessionExpires> {
    SessionExpires::parse(m.value(name)?).ok()
}

/// What a proxy or an end wants of sessions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Shortest interval accepted, at least [`ABSOLUTE_MIN`].
    pub min: u32,
    /// Interval wanted; 0 leaves sessions alone.
    pub wanted: u32,
}

/// What a proxy does with a request (§8.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AtProxy {
    /// Forward it; the headers stay or become as said.
    Forward {
        /// New Session-Expires, else untouched.
        expires: Option<SessionExpires>,
        /// New Min-SE, else untouched.
        min: Option<u32>,
        /// What the answer must be held against ([`answer_at_proxy`]).
        remember: Option<Remembered>,
    },
    /// 422 with this Min-SE.
    TooSmall(u32),
}

/// What a proxy keeps of a request until its 2xx.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Remembered {
    /// The interval in the request as it was forwarded.
    pub interval: u32,
    /// The caller knows session timers.
    pub uac_supports: bool,
}

/// Decides over a request at a proxy.
#[must_use]
pub fn at_proxy(offer: &Offer, policy: &Policy) -> AtProxy {
    let floor = policy.min.max(ABSOLUTE_MIN);
    let Some(asked) = offer.expires else {
        if policy.wanted == 0 {
            return AtProxy::Forward { expires: None, min: None, remember: None };
        }
        let interval = policy.wanted.max(offer.min).max(floor);
        let remember = Some(Remembered { interval, uac_supports: offer.supported });
        return AtProxy::Forward { expires: Some(SessionExpires { interval, refresher: None }), min: None, remember };
    };
    if asked.interval < floor {
        if offer.supported {
            return AtProxy::TooSmall(floor.max(offer.min));
        }
        // §8.1: a caller who cannot read a 422 gets the interval raised, and Min-SE tells the
        // next hop not to lower it again.
        let remember = Some(Remembered { interval: floor, uac_supports: false });
        let expires = Some(SessionExpires { interval: floor, refresher: asked.refresher });
        return AtProxy::Forward { expires, min: Some(floor), remember };
    }
    let wanted = policy.wanted.max(offer.min).max(floor);
    let lowered = policy.wanted > 0 && wanted < asked.interval;
    let interval = if lowered { wanted } else { asked.interval };
    // The refresher is the ends' to choose (§8.1).
    let expires = lowered.then_some(SessionExpires { interval, refresher: asked.refresher });
    AtProxy::Forward { expires, min: None, remember: Some(Remembered { interval, uac_supports: offer.supported }) }
}

/// What a proxy adds to a 2xx (§8.2): when the callee knows nothing of timers but the caller
/// does, the caller shall refresh. The answer then also needs `Require: timer`.
#[must_use]
pub fn answer_at_proxy(remembered: &Remembered, answer: &Message<'_>) -> Option<SessionExpires> {
    let missing = (200..300).contains(&answer.status()) && answer.value(Name::SessionExpires).is_none();
    (missing && remembered.uac_supports)
        .then_some(SessionExpires { interval: remembered.interval, refresher: Some(Refresher::Uac) })
}

/// A session that must be refreshed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Session {
    /// Seconds.
    pub interval: u32,
    /// True when the refreshing is ours.
    pub ours: bool,
}

impl Session {
    /// When to refresh, counted from the last 2xx: at half time (§7.2, §9).
    #[must_use]
    pub fn refresh_after(&self) -> Duration {
        Duration::from_secs(u64::from(self.interval / 2))
    }

    /// When to send BYE if no refresh came: the smaller of 32 s and a third before the end
    /// (§10).
    #[must_use]
    pub fn give_up_after(&self) -> Duration {
        Duration::from_secs(u64::from(self.interval - (self.interval / 3).min(32)))
    }
}

/// What a callee does with a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AtCallee {
    /// No timer.
    None,
    /// The 2xx carries this Session-Expires, and `Require: timer` if so said.
    Timed {
        /// The header.
        expires: SessionExpires,
        /// `Require: timer` belongs into the 2xx: the caller must refresh (§9).
        require: bool,
        /// Our side of it.
        session: Session,
    },
    /// 422 with this Min-SE.
    TooSmall(u32),
}

/// Decides over a request at the callee (§9, table 2).
#[must_use]
pub fn at_callee(offer: &Offer, policy: &Policy) -> AtCallee {
    let floor = policy.min.max(ABSOLUTE_MIN);
    let asked = match offer.expires {
        Some(asked) if asked.interval < floor && offer.supported => return AtCallee::TooSmall(floor),
        Some(asked) => SessionExpires { interval: asked.interval.max(floor), ..asked },
        None if policy.wanted == 0 => return AtCallee::None,
        None => SessionExpires { interval: policy.wanted.max(offer.min).max(floor), refresher: None },
    };
    let refresher = match (offer.supported, asked.refresher) {
        // A caller without timers cannot refresh.
        (false, _) => Refresher::Uas,
        (true, Some(chosen)) => chosen,
        (true, None) => Refresher::Uac,
    };
    let expires = SessionExpires { interval: asked.interval, refresher: Some(refresher) };
    let session = Session { interval: asked.interval, ours: refresher == Refresher::Uas };
    AtCallee::Timed { expires, require: refresher == Refresher::Uac, session }
}

/// What a caller learns from the 2xx (§7.2); `None`: no timer runs.
#[must_use]
pub fn at_caller(answer: &Message<'_>) -> Option<Session> {
    let expires = interval(answer, Name::SessionExpires)?;
    // §7.2: without a refresher parameter the caller, who asked for timers, refreshes.
    Some(Session { interval: expires.interval, ours: expires.refresher != Some(Refresher::Uas) })
}

/// The Min-SE of a 422, for the caller's next attempt (§7.3).
#[must_use]
pub fn wanted_min(refusal: &Message<'_>) -> Option<u32> {
    (refusal.status() == 422).then(|| interval(refusal, Name::MinSE)).flatten().map(|min| min.interval)
}

/// Writes a Session-Expires value.
pub fn write(expires: &SessionExpires, out: &mut Vec<u8>) {
    crate::lex::push_number(out, u64::from(expires.interval));
    match expires.refresher {
        None => {}
        Some(Refresher::Uac) => out.extend_from_slice(b";refresher=uac"),
        Some(Refresher::Uas) => out.extend_from_slice(b";refresher=uas"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Index, Limits, parse};

    fn se(interval: u32, refresher: Option<Refresher>) -> SessionExpires {
        SessionExpires { interval, refresher }
    }

    fn offer(expires: Option<u32>, min: u32, supported: bool) -> Offer {
        Offer { expires: expires.map(|e| se(e, None)), min, supported }
    }

    fn with<R>(text: &str, f: impl FnOnce(&Message<'_>) -> R) -> R {
        let mut index = Index::new();
        parse(text.as_bytes(), &mut index, &Limits::default()).expect("readable");
        f(&Message::new(text.as_bytes(), &index))
    }

    #[test]
    fn a_proxy_inserts_lowers_raises_or_refuses() {
        let forward = |expires: Option<u32>, min, interval, uac_supports| AtProxy::Forward {
            expires: expires.map(|e| se(e, None)),
            min,
            remember: Some(Remembered { interval, uac_supports }),
        };
        let policy = Policy { min: 120, wanted: 1800 };
        let cases = [
            (offer(None, 90, true), forward(Some(1800), None, 1800, true)),
            (offer(None, 90, false), forward(Some(1800), None, 1800, false)),
            (offer(Some(3600), 90, true), forward(Some(1800), None, 1800, true)),
            (offer(Some(3600), 2400, true), forward(Some(2400), None, 2400, true)),
            (offer(Some(600), 90, true), forward(None, None, 600, true)),
            (offer(Some(100), 90, true), AtProxy::TooSmall(120)),
            (offer(Some(100), 150, true), AtProxy::TooSmall(150)),
            (offer(Some(100), 90, false), forward(Some(120), Some(120), 120, false)),
        ];
        for (asked, want) in cases {
            assert_eq!(at_proxy(&asked, &policy), want, "{asked:?}");
        }
        let idle = Policy { min: 90, wanted: 0 };
        let nothing = AtProxy::Forward { expires: None, min: None, remember: None };
        assert_eq!(at_proxy(&offer(None, 90, true), &idle), nothing);
        assert_eq!(at_proxy(&offer(Some(7200), 90, true), &idle), forward(None, None, 7200, true));
    }

    #[test]
    fn a_proxy_speaks_for_a_callee_without_timers() {
        let knows = Remembered { interval: 1800, uac_supports: true };
        let ok = "SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(with(ok, |m| answer_at_proxy(&knows, m)), Some(se(1800, Some(Refresher::Uac))));
        let blind = Remembered { uac_supports: false, ..knows };
        assert_eq!(with(ok, |m| answer_at_proxy(&blind, m)), None);
        let timed = "SIP/2.0 200 OK\r\nSession-Expires: 900;refresher=uas\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(with(timed, |m| answer_at_proxy(&knows, m)), None);
        let busy = "SIP/2.0 486 Busy\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(with(busy, |m| answer_at_proxy(&knows, m)), None);
    }

    #[test]
    fn rfc_4028_table_2() {
        let policy = Policy { min: 90, wanted: 0 };
        let cases = [
            (false, None, Refresher::Uas),
            (false, Some(Refresher::Uas), Refresher::Uas),
            (true, None, Refresher::Uac),
            (true, Some(Refresher::Uac), Refresher::Uac),
            (true, Some(Refresher::Uas), Refresher::Uas),
        ];
        for (supported, asked, want) in cases {
            let offer = Offer { expires: Some(se(1800, asked)), min: 90, supported };
            let AtCallee::Timed { expires, require, session } = at_callee(&offer, &policy) else { panic!("no timer") };
            assert_eq!(expires.refresher, Some(want));
            assert_eq!(require, want == Refresher::Uac);
            assert_eq!(session.ours, want == Refresher::Uas);
        }
        assert_eq!(at_callee(&offer(None, 90, true), &policy), AtCallee::None);
        let strict = Policy { min: 300, wanted: 0 };
        assert_eq!(at_callee(&offer(Some(120), 90, true), &strict), AtCallee::TooSmall(300));
    }

    #[test]
    fn intervals_of_the_ends() {
        let cases = [(90, 45, 60), (300, 150, 268), (1800, 900, 1768)];
        for (interval, refresh, give_up) in cases {
            let session = Session { interval, ours: true };
            assert_eq!(session.refresh_after(), Duration::from_secs(refresh));
            assert_eq!(session.give_up_after(), Duration::from_secs(give_up));
        }
        let timed = "SIP/2.0 200 OK\r\nx: 900;refresher=uas\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(with(timed, at_caller), Some(Session { interval: 900, ours: false }));
        let small = "SIP/2.0 422 Too Small\r\nMin-SE: 300\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(with(small, wanted_min), Some(300));
        let mut out = Vec::new();
        write(&se(300, Some(Refresher::Uac)), &mut out);
        assert_eq!(out, b"300;refresher=uac");
        let invite = "INVITE sip:x SIP/2.0\r\nk: timer\r\nx: 1800\r\nMin-SE: 120\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(with(invite, Offer::of), Some(offer(Some(1800), 120, true)));
        assert_eq!(with(&invite.replace("INVITE", "BYE"), Offer::of), None);
    }
}
