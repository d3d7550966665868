//! What a link has to carry, what it lacks, and what to set as its admission policy.

use serde::Serialize;

use super::graph::{Amount, Edge, KINDS, Kind};
use super::modality::{Modality, Rate, Rates};
use crate::erlang;
use crate::figures::{Figure, limit};
use crate::file::Plan;
use crate::table::grouped;

/// A link with its load.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LinkDemand {
    /// Where it begins.
    pub from: String,
    /// Where it ends: a site or `internet`.
    pub to: String,
    /// Its speed, where the plan gives it.
    pub mbps: Option<f64>,
    /// What passes, from the first end and from the second.
    pub directions: [Direction; 2],
    /// What real-time traffic may use of it.
    pub share_kbps: Option<Figure>,
    /// What it would have to be for its real-time traffic to stay in its share.
    pub needed_mbps: Figure,
    /// What its share lacks.
    pub lack_kbps: Option<Figure>,
    /// How it stands.
    pub verdict: Verdict,
    /// What to set as its admission policy.
    pub admission: Admission,
}

/// How a link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// All traffic is inside its share.
    Fits,
    /// The policy that its speed allows would be used to more than 90 %.
    Critical,
    /// Real-time traffic is above its share.
    OverShare,
    /// It is more than the whole link.
    OverSpeed,
    /// The plan gives no speed.
    NoSpeed,
}

/// What passes in one direction.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Direction {
    /// By modality; those without traffic are left out.
    pub flows: Vec<Flow>,
    /// kbps on average.
    pub typical_kbps: f64,
    /// kbps to size the link for.
    pub planned_kbps: f64,
    /// kbps at most.
    pub maximum_kbps: f64,
}

/// One modality in one direction.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Flow {
    /// What it is.
    pub modality: Modality,
    /// Streams at once.
    pub streams: f64,
    /// kbps on average.
    pub typical_kbps: f64,
    /// kbps to size the link for.
    pub planned: Figure,
    /// kbps at most.
    pub maximum_kbps: f64,
    /// What an admission policy must let through, in kbps.
    pub admission_kbps: f64,
}

/// A bandwidth policy profile, one way, as Lync sets it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Admission {
    /// `AudioBWLimit` in kbps.
    pub audio_limit: Figure,
    /// `AudioBWSessionLimit` in kbps.
    pub audio_session: Figure,
    /// `VideoBWLimit` in kbps.
    pub video_limit: Figure,
    /// `VideoBWSessionLimit` in kbps.
    pub video_session: Figure,
    /// Audio that is wanted and not admitted, in kbps.
    pub audio_refused_kbps: f64,
    /// Video that is wanted and not admitted, in kbps.
    pub video_refused_kbps: f64,
}

/// Streams of a kind, with the rule that counts them.
fn streams(amount: Amount, blocking: f64) -> (f64, &'static str) {
    if amount.erlang > 0.0 {
        (amount.counted + erlang::lines(amount.erlang, blocking) as f64, "bandwidth.erlang")
    } else {
        (amount.counted, "bandwidth.concurrency")
    }
}

/// The kinds of a modality with their rates.
fn kinds(modality: Modality, rates: &Rates) -> Vec<(Kind, &Rate)> {
    match modality {
        Modality::PeerAudio => vec![(Kind::PeerAudio, &rates.peer_audio)],
        Modality::MeetingAudio => vec![(Kind::MeetingAudio, &rates.meeting_audio)],
        Modality::PstnAudio => vec![(Kind::PstnAudio, &rates.pstn_audio)],
        Modality::PeerVideo => vec![(Kind::PeerVideo, &rates.peer_video)],
        Modality::MeetingVideo => {
            vec![(Kind::VideoUp, &rates.meeting_video_send), (Kind::VideoDown, &rates.meeting_video_receive)]
        }
        Modality::Sharing => vec![(Kind::SharingUp, &rates.sharing), (Kind::SharingDown, &rates.sharing)],
        Modality::Data => vec![(Kind::DataUp, &rates.data), (Kind::DataDown, &rates.data)],
        Modality::Signalling => vec![(Kind::Signalling, &rates.signalling)],
    }
}

fn flow(modality: Modality, amounts: &[Amount; KINDS], rates: &Rates, blocking: f64) -> Option<Flow> {
    let mut sum = [0.0; 5];
    let (mut parts, mut rule) = (Vec::new(), "bandwidth.concurrency");
    for (kind, rate) in kinds(modality, rates) {
        let (streams, counted_by) = streams(amounts[kind as usize], blocking);
        if streams <= 0.0 {
            continue;
        }
        rule = counted_by;
        for (sum, each) in sum.iter_mut().zip([1.0, rate.typical, rate.planned, rate.maximum, rate.admission]) {
            *sum += streams * each;
        }
        parts.push(match amounts[kind as usize].erlang {
            erlang if erlang > 0.0 => {
                format!("{} erlang, {} streams x {} kbps", grouped(erlang), grouped(streams), rate.planned)
            }
            _ => format!("{} streams x {} kbps", grouped(streams), rate.planned),
        });
    }
    if parts.is_empty() {
        return None;
    }
    if modality == Modality::Signalling {
        rule = "bandwidth.signalling";
    }
    let [streams, typical_kbps, planned, maximum_kbps, admission_kbps] = sum;
    let planned = Figure::by(rule, planned, "kbps", parts.join(" + "));
    Some(Flow { modality, streams, typical_kbps, planned, maximum_kbps, admission_kbps })
}

fn direction(amounts: &[Amount; KINDS], rates: &Rates, blocking: f64) -> Direction {
    let flows: Vec<Flow> =
        Modality::ALL.into_iter().filter_map(|modality| flow(modality, amounts, rates, blocking)).collect();
    Direction {
        typical_kbps: flows.iter().map(|flow| flow.typical_kbps).sum(),
        planned_kbps: flows.iter().map(|flow| flow.planned.value).sum(),
        maximum_kbps: flows.iter().map(|flow| flow.maximum_kbps).sum(),
        flows,
    }
}

/// What `edge` carries and what follows.
pub(super) fn judge(plan: &Plan, rates: &Rates, edge: &Edge) -> LinkDemand {
    let name = |place: usize| match plan.sites.get(place) {
        Some(site) => site.name.value.clone(),
        None => "internet".to_owned(),
    };
    let directions = [0, 1].map(|way| direction(&edge.amounts[way], rates, *plan.voice.blocking));
    let planned = directions[0].planned_kbps.max(directions[1].planned_kbps);
    let link = edge.link.map(|number| &plan.links[number]);
    let part = link.map_or(*plan.network.realtime_share, |link| *link.realtime_share);
    let mbps = link.map(|link| *link.mbps);
    let share = mbps.map(|mbps| mbps * 1000.0 * part);
    let admission = admission(plan, rates, &directions, mbps);
    let lack = share.map(|share| planned - share).filter(|lack| *lack > 0.0);
    LinkDemand {
        from: name(edge.ends[0]),
        to: name(edge.ends[1]),
        mbps,
        verdict: verdict(mbps, planned, lack, &admission),
        share_kbps: share.map(|share| {
            let working = format!("{} Mbps x {} % = {} kbps", mbps.unwrap_or(0.0), part * 100.0, grouped(share));
            Figure::by("bandwidth.share", share, "kbps", working)
        }),
        needed_mbps: Figure::by(
            "bandwidth.share",
            planned / part / 1000.0,
            "Mbps",
            format!("{} kbps / {} %", grouped(planned), part * 100.0),
        ),
        lack_kbps: lack.map(|lack| {
            let working = format!("{} - {} = {}", grouped(planned), grouped(planned - lack), grouped(lack));
            Figure::by("bandwidth.lack", lack, "kbps", working)
        }),
        directions,
        admission,
    }
}

fn verdict(mbps: Option<f64>, planned: f64, lack: Option<f64>, admission: &Admission) -> Verdict {
    match (mbps, lack) {
        (None, _) => Verdict::NoSpeed,
        (Some(mbps), _) if planned > mbps * 1000.0 => Verdict::OverSpeed,
        (_, Some(_)) => Verdict::OverShare,
        _ if admission.audio_refused_kbps > 0.0 || admission.video_refused_kbps > 0.0 => Verdict::Critical,
        _ => Verdict::Fits,
    }
}

/// The policy of a link: what is wanted with room for a tenth more, so that it is never critical, up to the caps.
fn admission(plan: &Plan, rates: &Rates, directions: &[Direction; 2], mbps: Option<f64>) -> Admission {
    let wanted = |admitted: fn(Modality) -> bool| {
        let way = |direction: &Direction| -> f64 {
            direction.flows.iter().filter(|flow| admitted(flow.modality)).map(|flow| flow.admission_kbps).sum()
        };
        way(&directions[0]).max(way(&directions[1]))
    };
    let critical = limit("link.critical").value / 100.0;
    let capped = |rule: &'static str, wanted: f64, cap: f64| {
        let asked = (wanted / critical).ceil();
        let most = mbps.map_or(f64::INFINITY, |mbps| (mbps * 1000.0 * cap).floor());
        let value = asked.min(most);
        let working = format!(
            "min({} kbps / {} % = {}, {})",
            grouped(wanted),
            critical * 100.0,
            grouped(asked),
            if most.is_finite() {
                format!("{} % of the link = {}", grouped(cap * 100.0), grouped(most))
            } else {
                "no speed given".to_owned()
            }
        );
        (Figure::by(rule, value, "kbps", working), (wanted - value * critical).max(0.0))
    };
    let (audio_limit, audio_refused_kbps) =
        capped("admission.audio", wanted(Modality::is_audio), *plan.network.audio_cap);
    let (video_limit, video_refused_kbps) =
        capped("admission.video", wanted(Modality::is_video), *plan.network.video_cap);
    let audio = [&rates.peer_audio, &rates.meeting_audio, &rates.pstn_audio];
    let audio = audio.into_iter().map(|rate| rate.admission).fold(0.0, f64::max);
    let session = |id: &str, asked: f64| {
        let usual = limit(id).value;
        let value = usual.max(asked.ceil());
        Figure::by("admission.session", value, "kbps", format!("max({usual}, {})", grouped(asked)))
    };
    Admission {
        audio_limit,
        audio_session: session("admission.audio-session", audio),
        video_limit,
        video_session: session("admission.video-session", rates.peer_video.admission),
        audio_refused_kbps,
        video_refused_kbps,
    }
}
