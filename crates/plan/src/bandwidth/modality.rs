//! Kinds of streams and what one of each takes.

use serde::Serialize;

use crate::figures::{Codec, codecs, modes, stream};
use crate::file::{AudioMode, Plan};

/// A kind of traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Modality {
    /// Sound between two people.
    PeerAudio,
    /// Sound of meetings.
    MeetingAudio,
    /// Sound towards the PSTN.
    PstnAudio,
    /// Video between two people.
    PeerVideo,
    /// Video of meetings.
    MeetingVideo,
    /// A shared screen.
    Sharing,
    /// Slides and boards.
    Data,
    /// Presence, messages and the rest of SIP.
    Signalling,
}

impl Modality {
    /// All, in the order of tables.
    pub const ALL: [Modality; 8] = [
        Modality::PeerAudio,
        Modality::MeetingAudio,
        Modality::PstnAudio,
        Modality::PeerVideo,
        Modality::MeetingVideo,
        Modality::Sharing,
        Modality::Data,
        Modality::Signalling,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Modality::PeerAudio => "audio between two",
            Modality::MeetingAudio => "audio of meetings",
            Modality::PstnAudio => "audio to the PSTN",
            Modality::PeerVideo => "video between two",
            Modality::MeetingVideo => "video of meetings",
            Modality::Sharing => "shared screens",
            Modality::Data => "slides and boards",
            Modality::Signalling => "signalling",
        }
    }

    /// Whether an audio policy admits it.
    pub fn is_audio(self) -> bool {
        matches!(self, Modality::PeerAudio | Modality::MeetingAudio | Modality::PstnAudio)
    }

    /// Whether a video policy admits it.
    pub fn is_video(self) -> bool {
        matches!(self, Modality::PeerVideo | Modality::MeetingVideo)
    }
}

/// What one stream takes in one direction, in kbps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rate {
    /// On average.
    pub typical: f64,
    /// What a link is sized for: the most for audio, the average for what adapts.
    pub planned: f64,
    /// At most.
    pub maximum: f64,
    /// What an admission policy reckons for it; 0 where none admits it.
    pub admission: f64,
    /// The codec, or what else it is.
    pub codec: &'static str,
    /// Who says so.
    pub source: &'static str,
}

/// The rates of one plan: by its way to provision, or by the codecs that it names.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rates {
    /// Sound between two.
    pub peer_audio: Rate,
    /// Sound of meetings.
    pub meeting_audio: Rate,
    /// Sound towards the PSTN.
    pub pstn_audio: Rate,
    /// Video between two.
    pub peer_video: Rate,
    /// Video of meetings, towards a person.
    pub meeting_video_receive: Rate,
    /// Video of meetings, from a person.
    pub meeting_video_send: Rate,
    /// A shared screen.
    pub sharing: Rate,
    /// Slides and boards.
    pub data: Rate,
    /// An endpoint's SIP.
    pub signalling: Rate,
}

/// The row of a codec in a scenario: that scenario's own, else any of the codec.
fn codec(name: &str, scenario: &str) -> &'static Codec {
    let named = |codec: &&'static Codec| codec.short() == name || codec.name == name;
    let rows = || codecs().iter().filter(named);
    let found = rows().find(|codec| codec.scenario.contains(scenario)).or_else(|| rows().next());
    found.expect("names of codecs are checked when the plan is read")
}

/// What one audio stream takes with `codec`.
fn audio(codec: &'static Codec, fec: bool) -> Rate {
    let plain = codec.plan.or(codec.plan_fec).unwrap_or(0.0);
    let maximum = if fec { codec.plan_fec.unwrap_or(plain) } else { plain };
    let admission = if fec { codec.admission_fec } else { codec.admission };
    Rate {
        typical: codec.typical.unwrap_or(maximum),
        planned: maximum,
        maximum,
        // Where no admission value is published it is the planning value with 10 kbps of RTCP for its 5.
        admission: admission.unwrap_or(maximum + 5.0),
        codec: codec.name,
        source: codec.source,
    }
}

/// What audio takes in `scenario` by the plan's way to provision: the published value, and of its codec the rest.
fn provisioned(plan: &Plan, mode: &str, scenario: &str) -> Rate {
    let row = modes().iter().find(|row| row.scenario == mode).expect("every scenario asked for is in modes.csv");
    let column = match *plan.network.audio {
        AudioMode::Quantity => 0,
        AudioMode::Balanced => 1,
        AudioMode::Quality => 2,
    };
    let fec = column == 2 || *plan.network.fec;
    let rate = audio(codec(row.codec[column], scenario), fec);
    let planned = if fec && column < 2 { rate.maximum } else { row.kbps[column] };
    Rate { planned, maximum: rate.maximum.max(planned), source: row.source, ..rate }
}

fn other(id: &str) -> Rate {
    let row = stream(id);
    Rate {
        typical: row.typical,
        planned: row.planned,
        maximum: row.maximum,
        admission: 0.0,
        codec: row.id,
        source: row.source,
    }
}

fn video(id: &str) -> Rate {
    let rate = other(id);
    Rate { admission: rate.planned, ..rate }
}

impl Rates {
    /// The rates of `plan`.
    pub fn of(plan: &Plan) -> Rates {
        let network = &plan.network;
        let fec = *network.fec || *network.audio == AudioMode::Quality;
        let named = |said: &Option<crate::Answer<String>>, mode: &str, scenario: &str| match said {
            Some(name) => audio(codec(name, scenario), fec),
            None => provisioned(plan, mode, scenario),
        };
        Rates {
            peer_audio: named(&network.peer_codec, "peer", "P2P"),
            meeting_audio: named(&network.meeting_codec, "meeting", "conference"),
            pstn_audio: named(&network.pstn_codec, "pstn-mediation", "PSTN"),
            peer_video: video("peer-video"),
            meeting_video_receive: video("meeting-video-receive"),
            meeting_video_send: video("meeting-video-send"),
            sharing: other("sharing"),
            data: other("data"),
            signalling: other("signalling"),
        }
    }
}
