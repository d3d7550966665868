//! What is known of the two parties before anything is agreed, and what each can be offered.

use std::net::IpAddr;

use lyceum_sdp::{Codec, Encoding, Kind, Protocol};

use crate::media::LegKind;

/// How a phone's media may be protected.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Protection {
    /// Not at all: its signalling is plain, and keys in it would be no secret.
    Plain,
    /// Keys are offered, and media goes plain where they are not taken (RTP/AVP with `a=crypto`, as Lync offered it).
    Optional,
    /// SRTP or nothing.
    Required,
}

/// One of the two parties of a bridged call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Party {
    /// Browser or phone.
    pub kind: LegKind,
    /// Of a phone; a browser is always protected.
    pub protection: Protection,
    /// The host that its signalling comes from.
    pub host: Option<IpAddr>,
}

impl Party {
    /// A browser.
    #[must_use]
    pub fn browser(host: Option<IpAddr>) -> Self {
        Self { kind: LegKind::Web, protection: Protection::Required, host }
    }

    /// A phone.
    #[must_use]
    pub fn phone(protection: Protection, host: Option<IpAddr>) -> Self {
        Self { kind: LegKind::Rtp, protection, host }
    }

    /// The transport that its media is offered.
    pub(super) fn protocol(&self) -> Protocol {
        match (self.kind, self.protection) {
            (LegKind::Web, _) => Protocol::DtlsSavpf,
            (LegKind::Rtp, Protection::Required) => Protocol::RtpSavp,
            (LegKind::Rtp, _) => Protocol::RtpAvp,
        }
    }

    /// Which codecs this party is offered when the other offered these: the same, so that nothing is transcoded, and
    /// behind them what we can make of them.
    pub(super) fn codecs(&self, kind: &Kind, offered: &[Codec]) -> Vec<Codec> {
        let mut codecs: Vec<Codec> = offered.iter().filter(|codec| self.takes(kind, codec)).cloned().collect();
        if *kind != Kind::Audio {
            return codecs;
        }
        let can_be_made = offered.iter().any(|codec| lyceum_media::codec::natural_rate(codec).is_some());
        if can_be_made {
            let more: &[(u8, Encoding)] = match self.kind {
                LegKind::Web => &[(111, Encoding::Opus)],
                LegKind::Rtp => &[(9, Encoding::G722), (8, Encoding::Pcma), (0, Encoding::Pcmu)],
            };
            let at = codecs.iter().take_while(|codec| codec.encoding.is_primary()).count();
            let more = more.iter().map(|(payload, encoding)| Codec::new(*payload, encoding.clone()));
            let more: Vec<Codec> = more.filter(|codec| !codecs.iter().any(|had| had.fits(codec))).collect();
            codecs.splice(at..at, more);
        }
        let events = |codec: &&Codec| codec.encoding == Encoding::TelephoneEvent;
        if offered.iter().any(|codec| events(&codec)) && !codecs.iter().any(|codec| events(&codec)) {
            codecs.push(Codec::new(101, Encoding::TelephoneEvent).with_fmtp("0-16"));
        }
        codecs
    }

    fn takes(&self, kind: &Kind, codec: &Codec) -> bool {
        match (&codec.encoding, self.kind) {
            (Encoding::H264 | Encoding::Vp8, _) => *kind == Kind::Video,
            (Encoding::Pcmu | Encoding::Pcma | Encoding::G722 | Encoding::Opus, _) => true,
            // Events of 48 kHz are a browser's own.
            (Encoding::TelephoneEvent, kind) => codec.clock == 8_000 || kind == LegKind::Web,
            (Encoding::ComfortNoise, kind) => kind == LegKind::Rtp && codec.clock == 8_000,
            (Encoding::Other(_), LegKind::Rtp) => codec.encoding.is_primary(),
            (Encoding::Other(_), LegKind::Web) => false,
        }
    }
}

/// Of what one party offered, what it is answered when the other agreed to `agreed`: what both have; else the one codec
/// that can be made of the other's with the least effort. `None` when there is none.
pub(super) fn answered(kind: &Kind, offered: &[Codec], agreed: &[Codec]) -> Option<Vec<Codec>> {
    let mut both: Vec<Codec> = Vec::new();
    for other in agreed {
        let same = offered.iter().find(|codec| codec.fits(other) && !both.contains(codec));
        both.extend(same.cloned());
    }
    if !both.iter().any(|codec| codec.encoding.is_primary()) {
        let source = agreed.iter().any(|codec| lyceum_media::codec::natural_rate(codec).is_some());
        if *kind != Kind::Audio || !source {
            return None;
        }
        let mine = offered.iter().find(|codec| lyceum_media::codec::natural_rate(codec).is_some())?;
        both.insert(0, mine.clone());
    }
    let agreed_events = agreed.iter().any(|codec| codec.encoding == Encoding::TelephoneEvent);
    let has_events = both.iter().any(|codec| codec.encoding == Encoding::TelephoneEvent);
    if agreed_events && !has_events {
        both.extend(offered.iter().find(|codec| codec.encoding == Encoding::TelephoneEvent).cloned());
    }
    Some(both)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> Vec<Codec> {
        let codec = |(at, name): (usize, &&str)| match *name {
            "PCMU" => Codec::new(0, Encoding::Pcmu),
            "PCMA" => Codec::new(8, Encoding::Pcma),
            "G722" => Codec::new(9, Encoding::G722),
            "events48" => Codec { clock: 48_000, ..Codec::new(110, Encoding::TelephoneEvent) },
            name => Codec::new(96 + at as u8, Encoding::of(name)),
        };
        names.iter().enumerate().map(codec).collect()
    }

    fn names(codecs: &[Codec]) -> String {
        let name = |codec: &Codec| match (&codec.encoding, codec.clock) {
            (Encoding::TelephoneEvent, 48_000) => "events48".to_owned(),
            (encoding, _) => encoding.to_string(),
        };
        codecs.iter().map(name).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_a_party_is_offered_begins_with_what_the_other_has() {
        let (browser, phone) = (Party::browser(None), Party::phone(Protection::Plain, None));
        let chrome = list(&["opus", "red", "G722", "PCMU", "PCMA", "CN", "events48", "telephone-event"]);
        assert_eq!(names(&phone.codecs(&Kind::Audio, &chrome)), "opus G722 PCMU PCMA CN telephone-event");
        let desk = list(&["PCMA", "PCMU", "G729", "telephone-event"]);
        assert_eq!(names(&browser.codecs(&Kind::Audio, &desk)), "PCMA PCMU opus telephone-event");
        assert_eq!(
            names(&phone.codecs(&Kind::Audio, &list(&["opus", "events48"]))),
            "opus G722 PCMA PCMU telephone-event"
        );
        assert_eq!(names(&phone.codecs(&Kind::Audio, &list(&["G729"]))), "G729");
        assert_eq!(names(&phone.codecs(&Kind::Video, &list(&["VP8", "rtx", "H264"]))), "VP8 H264");
    }

    #[test]
    fn the_answer_is_what_both_have_or_what_can_be_made() {
        let case = |offered: &[&str], agreed: &[&str]| {
            answered(&Kind::Audio, &list(offered), &list(agreed)).map(|codecs| names(&codecs))
        };
        assert_eq!(case(&["opus", "G722", "PCMA"], &["PCMA"]).as_deref(), Some("PCMA"));
        assert_eq!(
            case(&["opus", "PCMA", "telephone-event"], &["PCMA", "telephone-event"]).as_deref(),
            Some("PCMA telephone-event")
        );
        assert_eq!(case(&["opus", "events48"], &["PCMA", "telephone-event"]).as_deref(), Some("opus events48"));
        assert_eq!(case(&["G729"], &["PCMA"]), None);
        assert_eq!(answered(&Kind::Video, &list(&["VP8"]), &list(&["H264"])), None);
    }
}
