//! One `m=` line of a bridged call: its ports, its keys, and how each party is told of them.

use lyceum_media::Time;
use lyceum_media::bridge::{LegSetup, Side};
use lyceum_sdp::{
    Agreed, Codec, Crypto, Description, Direction, Dtls, Ice, KeySalt, Keys, Kind, Line, Media as Medium, Setup,
    Stream, Suite,
};
use lyceum_topology::qos::Modality;

use super::party::{Party, Protection};
use crate::media::{Agreement, LegKind, Local, Opened, RemoteWeb, StreamId};

/// Suites that phones are offered.
const OFFERED: [Suite; 2] = [Suite::AesCm128HmacSha1_80, Suite::AeadAes128Gcm];
/// What a video leg may ask of its sender.
const FEEDBACK: [&str; 3] = ["nack", "nack pli", "ccm fir"];

/// A bridged stream.
pub(super) struct Bridged {
    pub id: StreamId,
    pub modality: Modality,
    pub locals: [Local; 2],
    /// Our keys for each leg, one of each suite.
    crypto: [Vec<Crypto>; 2],
    /// Who begins DTLS on a leg, once that is known: it stays so for as long as the leg lives.
    we_begin: [Option<bool>; 2],
    /// Media was told to move it.
    pub flows: bool,
    /// Nothing is heard of it.
    pub silent: Option<Silence>,
}

/// Nothing is heard of a stream.
#[derive(Clone, Copy)]
pub(super) struct Silence {
    /// It was told anew before, or something was heard.
    pub until: Time,
    /// Something should be heard: nobody holds.
    pub expected: bool,
}

/// Which modality a medium is: a screen says so (RFC 4796).
pub(super) fn modality(medium: &Medium) -> Option<Modality> {
    match medium.kind {
        Kind::Audio => Some(Modality::Audio),
        Kind::Video if medium.attribute("content").is_some_and(|content| content.contains("slides")) => {
            Some(Modality::Sharing)
        }
        Kind::Video => Some(Modality::Video),
        _ => None,
    }
}

impl Bridged {
    pub fn new(opened: Opened, modality: Modality, random: &mut dyn FnMut(&mut [u8])) -> Self {
        let mut keys = || {
            let line = |(at, suite): (usize, &Suite)| {
                let mut bytes = vec![0; suite.key_len() + suite.salt_len()];
                random(&mut bytes);
                Some(Crypto::new(at as u32 + 1, *suite, KeySalt::new(*suite, &bytes)?))
            };
            Suite::ALL.iter().enumerate().filter_map(line).collect()
        };
        let crypto = [keys(), keys()];
        Self {
            id: opened.id,
            modality,
            locals: opened.legs,
            crypto,
            we_begin: [None, None],
            flows: false,
            silent: None,
        }
    }

    /// The stream as our description to a party names it.
    pub fn described(
        &self,
        side: Side,
        party: &Party,
        medium: &Medium,
        codecs: Vec<Codec>,
        direction: Direction,
    ) -> Stream {
        let local = &self.locals[side as usize];
        let mut stream = Stream::audio(local.rtp, codecs);
        stream.kind = medium.kind.clone();
        stream.direction = direction;
        stream.protocol = party.protocol();
        stream.rtcp_port = local.rtcp.map(|rtcp| rtcp.port());
        stream.ptime = medium.ptime();
        if medium.kind == Kind::Video {
            let primary = stream.codecs.iter().filter(|codec| codec.encoding.is_primary());
            let lines = primary.flat_map(|codec| FEEDBACK.map(|what| format!("{} {what}", codec.payload)));
            stream.extra.extend(lines.map(|line| Line::attribute("rtcp-fb", &line)));
        }
        if self.modality == Modality::Sharing {
            stream.extra.push(Line::attribute("content", "slides"));
        }
        match (&local.web, party.kind) {
            (Some(web), LegKind::Web) => {
                stream.rtcp_mux = true;
                stream.ice = Some(web.ice.clone());
                let setup = match self.we_begin[side as usize] {
                    Some(false) => Setup::Passive,
                    _ => Setup::ActPass,
                };
                stream.dtls = Some(Dtls { fingerprint: web.fingerprint.clone(), setup });
            }
            _ => stream.crypto.clone_from(&self.crypto[side as usize]),
        }
        stream
    }

    /// The stream as it is offered: fewer suites, DTLS either way.
    pub fn offered(
        &self,
        side: Side,
        party: &Party,
        medium: &Medium,
        codecs: Vec<Codec>,
        direction: Direction,
    ) -> Stream {
        let mut stream = self.described(side, party, medium, codecs, direction);
        stream.crypto.retain(|line| OFFERED.contains(&line.suite));
        if party.protection == Protection::Plain {
            stream.crypto.clear();
        }
        if let Some(dtls) = &mut stream.dtls {
            dtls.setup = Setup::ActPass;
        }
        stream
    }

    /// What media is told of a leg that was agreed. `None` when the peer's ICE is missing.
    pub fn agreement(
        &mut self,
        side: Side,
        party: &Party,
        agreed: &Agreed,
        of: (&Description, bool),
    ) -> Option<Agreement> {
        let (remote, controlling) = of;
        let mut setup = LegSetup::of(agreed, party.host);
        if agreed.kind != Kind::Audio {
            setup.send.retain(|codec| codec.encoding.is_primary());
        }
        let web = match &agreed.keys {
            Keys::Dtls { fingerprint, we_begin } => {
                let we_begin = *self.we_begin[side as usize].get_or_insert(*we_begin);
                let ice = Ice {
                    ufrag: remote.attribute_of(agreed.index, "ice-ufrag")?.into(),
                    pwd: remote.attribute_of(agreed.index, "ice-pwd")?.into(),
                    candidates: remote.media.get(agreed.index)?.candidates(),
                };
                Some(RemoteWeb { ice, fingerprint: fingerprint.clone(), we_begin, controlling })
            }
            _ => None,
        };
        Some(Agreement { setup, web })
    }
}
