//! What one watcher may see: Lync's five privacy relationships, each with its own view.

use super::activity::Activity;
use super::aggregate::AggregateState;
use super::availability::Availability;
use super::calendar::BusyInterval;
use super::choice::UserChoice;
use super::endpoint::DeviceKind;
use lyceum_sip::time::WallTime;
use serde::{Deserialize, Serialize};

/// What a watcher is to the person watched, the least trusted first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Relationship {
    /// Sees name and mail address alone, and cannot reach the person.
    Blocked = 0,
    /// Sees availability, name, title, mail, company and picture; the default outside the organisation.
    External = 1,
    /// Sees all but private numbers and what meetings are about; the default inside.
    Colleagues = 2,
    /// Sees meetings and the mobile number too, and may interrupt do not disturb.
    Workgroup = 3,
    /// Sees everything but what meetings are about.
    FriendsAndFamily = 4,
}

impl Relationship {
    /// All of them.
    pub const ALL: &[Relationship] = &[
        Relationship::Blocked,
        Relationship::External,
        Relationship::Colleagues,
        Relationship::Workgroup,
        Relationship::FriendsAndFamily,
    ];

    /// The word used by the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Relationship::Blocked => "blocked",
            Relationship::External => "external",
            Relationship::Colleagues => "colleagues",
            Relationship::Workgroup => "workgroup",
            Relationship::FriendsAndFamily => "friends-and-family",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Relationship> {
        Relationship::ALL.iter().copied().find(|relationship| relationship.as_str() == word)
    }

    pub(crate) fn from_code(code: u8) -> Option<Relationship> {
        Relationship::ALL.get(usize::from(code)).copied()
    }
}

/// What a watcher is to a person, and whether privacy mode hides the person's presence from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Standing {
    /// The relationship.
    pub relationship: Relationship,
    /// The person shows presence to their contacts alone, and the watcher is none. They can still be reached.
    pub hidden: bool,
}

impl From<Relationship> for Standing {
    fn from(relationship: Relationship) -> Self {
        Standing { relationship, hidden: false }
    }
}

/// What a number is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NumberKind {
    /// At work.
    Work,
    /// Mobile.
    Mobile,
    /// At home.
    Home,
    /// Another.
    Other,
}

impl NumberKind {
    /// The word used in documents and by the API.
    pub fn as_str(self) -> &'static str {
        match self {
            NumberKind::Work => "work",
            NumberKind::Mobile => "mobile",
            NumberKind::Home => "home",
            NumberKind::Other => "other",
        }
    }

    /// Who sees numbers of this kind.
    fn shown_to(self, relationship: Relationship) -> bool {
        match self {
            NumberKind::Work => relationship >= Relationship::Colleagues,
            NumberKind::Mobile => relationship >= Relationship::Workgroup,
            NumberKind::Home | NumberKind::Other => relationship == Relationship::FriendsAndFamily,
        }
    }
}

/// A telephone number of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number<'a> {
    /// What it is for.
    pub kind: NumberKind,
    /// The number.
    pub number: &'a str,
}

/// What the directory knows of a person; empty where it knows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Card<'a> {
    /// Name.
    pub display_name: &'a str,
    /// Mail address.
    pub mail: &'a str,
    /// Job title.
    pub title: &'a str,
    /// Company.
    pub company: &'a str,
    /// Department.
    pub department: &'a str,
    /// Office or room.
    pub office: &'a str,
    /// Telephone numbers.
    pub numbers: Vec<Number<'a>>,
    /// Whether there is a picture.
    pub photo: bool,
}

/// What one watcher sees of a person. What they may not see is not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View<'a> {
    /// How available; `None` where that is not told.
    pub availability: Option<Availability>,
    /// What the person is doing; `None` where availability is not told.
    pub activity: Option<Activity>,
    /// A label instead of the usual word.
    pub label: Option<&'a str>,
    /// The personal note.
    pub note: Option<&'a str>,
    /// The out-of-office note.
    pub out_of_office: Option<&'a str>,
    /// When a device was last used.
    pub last_active: Option<WallTime>,
    /// Since when the activity is what it is.
    pub since: Option<WallTime>,
    /// The devices.
    pub devices: &'a [DeviceKind],
    /// Until when the calendar is busy.
    pub busy_until: Option<WallTime>,
    /// The meeting of now, with what it is about.
    pub meeting: Option<&'a BusyInterval>,
    /// What the person chose: for their own devices alone.
    pub choice: Option<UserChoice>,
    /// The directory's facts.
    pub card: Card<'a>,
}

/// What a watcher of this standing sees.
pub fn view<'a>(state: &'a AggregateState, card: &Card<'a>, standing: Standing) -> View<'a> {
    let is = standing.relationship;
    let card = card_for(card, is);
    if is == Relationship::Blocked || standing.hidden {
        // Who is blocked sees somebody who is never there; who is not on the list is told that it is not known.
        let offline = is == Relationship::Blocked;
        return View { card, ..View::silent(offline) };
    }
    let colleague = is >= Relationship::Colleagues;
    // Outsiders see the state but not its reason: busy, not "in a meeting".
    let activity = if colleague { state.activity } else { Activity::plain(state.availability.band()) };
    let close = is >= Relationship::Workgroup;
    View {
        availability: Some(state.availability),
        activity: Some(activity),
        label: state.label.as_deref().filter(|_| colleague),
        note: state.note.as_deref().filter(|_| colleague),
        out_of_office: state.out_of_office.as_ref().map(|oof| &*oof.note).filter(|_| colleague),
        last_active: state.last_active.filter(|_| close && !seen_offline_by_choice(state)),
        since: state.since.filter(|_| colleague && !seen_offline_by_choice(state)),
        devices: if colleague && !seen_offline_by_choice(state) { &state.devices } else { &[] },
        busy_until: state.meeting.as_ref().map(|meeting| meeting.to).filter(|_| colleague),
        meeting: state.meeting.as_ref().filter(|_| is == Relationship::Workgroup),
        choice: None,
        card,
    }
}

/// What a person's own devices see: everything.
pub fn own_view<'a>(state: &'a AggregateState, card: &Card<'a>) -> View<'a> {
    View {
        availability: Some(state.availability),
        activity: Some(state.activity),
        label: state.label.as_deref(),
        note: state.note.as_deref(),
        out_of_office: state.out_of_office.as_ref().map(|oof| &*oof.note),
        last_active: state.last_active,
        since: state.since,
        devices: &state.devices,
        busy_until: state.meeting.as_ref().map(|meeting| meeting.to),
        meeting: state.meeting.as_ref(),
        choice: Some(state.choice),
        card: card.clone(),
    }
}

/// Nothing else may give away who chose to appear offline.
fn seen_offline_by_choice(state: &AggregateState) -> bool {
    state.choice == UserChoice::AppearOffline
}

fn card_for<'a>(card: &Card<'a>, is: Relationship) -> Card<'a> {
    let from = |least: Relationship, text: &'a str| if is >= least { text } else { "" };
    Card {
        display_name: card.display_name,
        mail: card.mail,
        title: from(Relationship::External, card.title),
        company: from(Relationship::External, card.company),
        department: from(Relationship::Colleagues, card.department),
        office: from(Relationship::Colleagues, card.office),
        numbers: card.numbers.iter().filter(|number| number.kind.shown_to(is)).copied().collect(),
        photo: card.photo && is >= Relationship::External,
    }
}

impl View<'_> {
    /// Nothing of a person's presence: offline, or not known.
    pub fn silent(offline: bool) -> View<'static> {
        View {
            availability: offline.then_some(Availability::OFFLINE),
            activity: offline.then_some(Activity::Offline),
            label: None,
            note: None,
            out_of_office: None,
            last_active: None,
            since: None,
            devices: &[],
            busy_until: None,
            meeting: None,
            choice: None,
            card: Card::default(),
        }
    }
}
