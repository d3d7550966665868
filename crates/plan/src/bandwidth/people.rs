//! How many people of a place are busy with what, at the busiest moment.

use serde::Serialize;

use crate::figures::limit;
use crate::file::{Persona, Plan};

/// Busy people of one place: counted where the plan gives shares, in erlang where it gives calls and minutes.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Busy {
    /// Signed-in users.
    pub users: f64,
    /// People who talk with a colleague.
    pub peer_audio: f64,
    /// The same in erlang.
    pub peer_erlang: f64,
    /// Of those who talk with a colleague, by share and by erlang: those whose colleague is elsewhere by the plan's word.
    pub away: Option<f64>,
    /// People who see each other.
    pub peer_video: f64,
    /// People on the PSTN.
    pub pstn_audio: f64,
    /// The same in erlang.
    pub pstn_erlang: f64,
    /// People who hear a meeting.
    pub meeting_audio: f64,
    /// People who see one.
    pub meeting_video: f64,
    /// People who see a shared screen in one.
    pub sharing: f64,
    /// People who see slides in one.
    pub data: f64,
}

/// What one user of a kind does, as shares and erlang.
#[derive(Debug, Clone, Copy)]
struct Habits {
    remote: Option<f64>,
    away: Option<f64>,
    busy: Busy,
}

/// The user of Lync's user model: calls and minutes of the voice section, meetings of the meetings section.
fn modelled(plan: &Plan) -> Habits {
    let (voice, meetings) = (&plan.voice, &plan.meetings);
    let erlang = if *voice.enabled { *voice.share * *voice.calls_busy_hour * *voice.minutes / 60.0 } else { 0.0 };
    let people = if *meetings.enabled { *meetings.share } else { 0.0 };
    let web = people * *meetings.web_share;
    let busy = Busy {
        users: 1.0,
        peer_erlang: erlang * (1.0 - *voice.pstn_share),
        pstn_erlang: erlang * *voice.pstn_share,
        // Who joins by phone comes over the PSTN gateway, not over a link between sites.
        meeting_audio: people * (1.0 - *meetings.audio_less - *meetings.dial_in_only).max(0.0),
        meeting_video: web * *meetings.video,
        sharing: web * *meetings.app_sharing,
        data: web * *meetings.data,
        ..Busy::default()
    };
    Habits { remote: None, away: None, busy }
}

fn habits(persona: &Persona) -> Habits {
    let minutes = *persona.minutes / 60.0;
    let busy = Busy {
        users: 1.0,
        peer_audio: *persona.peer_audio,
        peer_erlang: *persona.peer_calls * minutes,
        away: None,
        peer_video: *persona.peer_video,
        pstn_audio: *persona.pstn_audio,
        pstn_erlang: *persona.pstn_calls * minutes,
        meeting_audio: *persona.meeting_audio,
        meeting_video: *persona.meeting_video,
        sharing: *persona.sharing,
        data: *persona.data,
    };
    let share = |answer: &Option<crate::Answer<f64>>| answer.as_ref().map(|answer| answer.value);
    Habits { remote: share(&persona.remote_share), away: share(&persona.away_share), busy }
}

impl Busy {
    fn add(&mut self, each: &Busy, users: f64, away: Option<f64>) {
        let calling = users * (each.peer_audio + each.peer_erlang + each.peer_video);
        self.users += users;
        self.peer_audio += users * each.peer_audio;
        self.peer_erlang += users * each.peer_erlang;
        self.peer_video += users * each.peer_video;
        self.pstn_audio += users * each.pstn_audio;
        self.pstn_erlang += users * each.pstn_erlang;
        self.meeting_audio += users * each.meeting_audio;
        self.meeting_video += users * each.meeting_video;
        self.sharing += users * each.sharing;
        self.data += users * each.data;
        if let Some(away) = away {
            *self.away.get_or_insert(0.0) += calling * away;
        }
    }

    /// Adds other people, whose own word on where they call does not count.
    pub(super) fn join(&mut self, other: &Busy) {
        self.add(&Busy { users: 1.0, ..*other }, 1.0, None);
        self.users += other.users - 1.0;
    }

    /// People who call a colleague, in any way.
    pub(super) fn calling(&self) -> f64 {
        self.peer_audio + self.peer_erlang + self.peer_video
    }

    /// Share of the colleagues that are elsewhere, where the plan says it for any persona; the rest goes by `usual`.
    pub(super) fn away_share(&self, usual: f64, said: f64) -> f64 {
        let calling = self.calling();
        if calling <= 0.0 {
            0.0
        } else {
            ((self.away.unwrap_or(0.0) + (calling - said) * usual) / calling).clamp(0.0, 1.0)
        }
    }
}

/// People of one site: those inside, and those outside who come in by its hub's Edge.
pub(super) struct Place {
    pub inside: Busy,
    pub outside: Busy,
    /// Of the people who call inside, those for whom the plan says how many calls leave the site.
    pub said: f64,
}

/// The people of site `number`.
pub(super) fn place(plan: &Plan, number: usize) -> Place {
    let site = &plan.sites[number];
    let (enabled, signed_in) = (*site.users as f64, *site.signed_in);
    let concurrency = if enabled > 0.0 { signed_in / enabled } else { 0.0 };
    let mut found = Place { inside: Busy::default(), outside: Busy::default(), said: 0.0 };
    let of_personas: u64 = site.personas.iter().map(|(_, users)| users).sum();
    let rest = (modelled(plan), (enabled - of_personas as f64).max(0.0));
    let kinds = site.personas.iter().map(|(persona, users)| (habits(&plan.personas[*persona]), *users as f64));
    for (habits, users) in kinds.chain([rest]) {
        let users = users * concurrency;
        let remote = if *plan.access.edge { habits.remote.unwrap_or(*site.remote_share) } else { 0.0 };
        for (side, users) in [users * (1.0 - remote), users * remote].into_iter().enumerate() {
            let busy = if side == 0 { &mut found.inside } else { &mut found.outside };
            busy.add(&habits.busy, users, habits.away);
            if habits.away.is_some() && side == 0 {
                found.said += users * habits.busy.calling();
            }
        }
    }
    found
}

/// Personas that talk more of the day than anybody does.
pub(super) fn talkative(plan: &Plan) -> Vec<String> {
    let most = limit("talk.most").value / 100.0;
    let talk = |persona: &Persona| {
        let erlang = (*persona.peer_calls + *persona.pstn_calls) * *persona.minutes / 60.0;
        *persona.peer_audio + *persona.pstn_audio + erlang
    };
    let found = plan.personas.iter().filter(|persona| talk(persona) > most);
    found
        .map(|persona| {
            format!(
                "persona {} talks {} % of the time; more than 20 % of the day is unrealistic",
                persona.name.value,
                crate::table::grouped((talk(persona) * 100.0).round())
            )
        })
        .collect()
}
