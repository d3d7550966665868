//! From many states one: choice, devices, calls and calendar become what others see.
//!
//! The order is Lync's. Who has no binding is offline, unless a publication stands alone (RFC 3903: who publishes need not
//! be who registers). What the user chose holds, until it ends. Else the device used
//! last speaks: do not disturb before calls and meetings of the server, these before what else the device says, this
//! before the calendar, and the calendar before whether the devices are used at all. The tables in
//! `crates/users/tests/presence` say it case by case.

use super::activity::Activity;
use super::availability::Availability;
use super::calendar::{BusyInterval, BusyKind};
use super::choice::UserChoice;
use super::document::{Document, OutOfOffice};
use super::endpoint::{DeviceActivity, DeviceKind, Endpoint, Facts, Use, endpoints, thresholds};
use crate::bytes::{hash64, put_bytes, put_varint};
use lyceum_sip::time::WallTime;
use lyceum_topology::PresencePolicy;

/// What the server knows of a user at the moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Situation<'a> {
    /// Bindings and calls.
    pub facts: Facts,
    /// How devices are used.
    pub devices: &'a [DeviceActivity],
}

/// What a user's presence comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AggregateState {
    /// How available, as a number.
    pub availability: Availability,
    /// What the user is doing.
    pub activity: Activity,
    /// A label shown instead of the usual word.
    pub label: Option<Box<str>>,
    /// The user's note.
    pub note: Option<Box<str>>,
    /// The out-of-office note.
    pub out_of_office: Option<OutOfOffice>,
    /// When a device was last used, as far as is known.
    pub last_active: Option<WallTime>,
    /// Since when the activity is what it is; known to [`super::Presentities`] alone.
    pub since: Option<WallTime>,
    /// The devices at which the user can be reached, by sort.
    pub devices: Vec<DeviceKind>,
    /// The calendar's busy time of now.
    pub meeting: Option<BusyInterval>,
    /// What the user chose; for the user's own devices only.
    pub choice: UserChoice,
}

impl AggregateState {
    /// A number for all that watchers are told, so that a change is seen by comparing two: moments that pass by
    /// themselves are left out.
    pub fn digest(&self) -> u64 {
        let mut told = Vec::with_capacity(128);
        told.extend_from_slice(&self.availability.0.to_le_bytes());
        told.extend_from_slice(&[self.activity as u8, self.choice as u8]);
        let out_of_office = self.out_of_office.as_ref().map(|oof| &oof.note);
        let meeting = self.meeting.as_ref();
        let (subject, location) = (meeting.and_then(|m| m.subject.as_ref()), meeting.and_then(|m| m.location.as_ref()));
        for text in [self.label.as_ref(), self.note.as_ref(), out_of_office, subject, location] {
            told.push(u8::from(text.is_some()));
            put_bytes(&mut told, text.map_or("", |text| text).as_bytes());
        }
        put_varint(&mut told, meeting.map_or(0, |meeting| meeting.to.0));
        put_varint(&mut told, self.out_of_office.as_ref().and_then(|oof| oof.until).map_or(0, |until| until.0));
        told.extend(self.devices.iter().map(|kind| *kind as u8));
        hash64(&told)
    }
}

/// What a user's presence comes to now.
pub fn aggregate(
    now: WallTime,
    policy: &PresencePolicy,
    document: &Document,
    situation: Situation<'_>,
) -> AggregateState {
    let mut endpoints = endpoints(now, policy, document, situation.devices);
    let last_active = endpoints.iter().filter_map(|e| e.last_active).max().max(document.last_active);
    if situation.facts.registered == 0 {
        endpoints.retain(|endpoint| endpoint.alone);
    }
    let speaker = speaker(now, policy, &endpoints);
    let choice = match document.choice.at(now) {
        UserChoice::AppearOffline if !policy.appear_offline => UserChoice::Automatic,
        choice => choice,
    };
    let meeting = document.calendar.iter().filter(|_| policy.calendar_presence).find(|busy| busy.covers(now));
    let inputs = Inputs {
        facts: situation.facts,
        present: if endpoints.is_empty() {
            situation.facts.registered > 0
        } else {
            endpoints.iter().any(|e| !e.closed)
        },
        choice,
        speaker,
        used: speaker.and_then(|s| s.used(now, policy)).unwrap_or(Use::Active),
        meeting: meeting.map(|busy| busy.kind),
        phone_presence: policy.phone_presence,
    };
    let (availability, activity) = inputs.outcome();
    let out_of_office = document.out_of_office.as_ref().filter(|oof| oof.until.is_none_or(|until| until > now));
    let activity = if activity == Activity::Away && choice == UserChoice::Automatic && out_of_office.is_some() {
        Activity::OutOfOffice
    } else {
        activity
    };
    let label = match choice {
        UserChoice::Automatic => speaker
            .filter(|s| s.statement.unwrap_or(Activity::Available) == activity)
            .and_then(|s| s.label)
            .map(Into::into),
        _ => document.choice.label.clone(),
    };
    // A device's note would give away who appears offline; the user's own stays.
    let speaks = speaker.filter(|_| activity != Activity::Offline);
    let note = document.note.clone().or_else(|| speaks.and_then(|s| s.note).map(Into::into));
    AggregateState {
        availability,
        activity,
        label: label.filter(|_| activity != Activity::Offline),
        note: note.filter(|_| policy.presence_note),
        out_of_office: out_of_office.cloned(),
        last_active,
        since: None,
        devices: summary(&endpoints),
        meeting: meeting.cloned(),
        choice,
    }
}

/// The device that counts most: the one used last. Devices of which no use is known, and that say nothing, count where
/// there are no others.
fn speaker<'a>(now: WallTime, policy: &PresencePolicy, endpoints: &[Endpoint<'a>]) -> Option<Endpoint<'a>> {
    let open = || endpoints.iter().filter(|endpoint| !endpoint.closed);
    let speaks = |endpoint: &&Endpoint<'_>| endpoint.statement.is_some() || endpoint.last_active.is_some();
    let heaviest = |endpoint: &&Endpoint<'_>| endpoint.weight(now, policy);
    open().filter(speaks).max_by_key(heaviest).or_else(|| open().max_by_key(heaviest)).copied()
}

/// Everything that decides, each already reduced to what holds now.
struct Inputs<'a> {
    facts: Facts,
    /// There is a device, and not every one says that it cannot be reached.
    present: bool,
    choice: UserChoice,
    speaker: Option<Endpoint<'a>>,
    used: Use,
    meeting: Option<BusyKind>,
    phone_presence: bool,
}

impl Inputs<'_> {
    fn outcome(&self) -> (Availability, Activity) {
        if !self.present {
            return plain(Activity::Offline);
        }
        match self.choice {
            UserChoice::Automatic => self.automatic(),
            UserChoice::Available => self.machine(),
            UserChoice::Busy => self.talking().map_or_else(|| self.busy(Activity::Busy), plain),
            UserChoice::DoNotDisturb => plain(Activity::DoNotDisturb),
            UserChoice::BeRightBack => plain(Activity::BeRightBack),
            UserChoice::Away => plain(Activity::Away),
            UserChoice::OffWork => plain(Activity::OffWork),
            UserChoice::AppearOffline => plain(Activity::Offline),
        }
    }

    fn automatic(&self) -> (Availability, Activity) {
        let statement = self.speaker.and_then(|speaker| speaker.statement);
        if let Some(quiet @ (Activity::DoNotDisturb | Activity::Presenting)) = statement {
            return plain(quiet);
        }
        if let Some(talking) = self.talking() {
            return plain(talking);
        }
        match statement {
            Some(Activity::OnThePhone) => return plain(Activity::OnThePhone),
            Some(busy @ (Activity::Busy | Activity::InAMeeting)) => return self.busy(busy),
            Some(other) => return plain(other),
            None => {}
        }
        match self.meeting {
            Some(BusyKind::Busy) => self.busy(Activity::InAMeeting),
            Some(BusyKind::OutOfOffice) => plain(Activity::OutOfOffice),
            None => self.machine(),
        }
    }

    /// What the server's own calls say.
    fn talking(&self) -> Option<Activity> {
        if !self.phone_presence {
            None
        } else if self.facts.in_meeting {
            Some(Activity::InAMeeting)
        } else {
            (self.facts.calls > 0).then_some(Activity::OnThePhone)
        }
    }

    fn busy(&self, activity: Activity) -> (Availability, Activity) {
        let availability = if self.used == Use::Active { Availability::BUSY } else { Availability::BUSY_IDLE };
        (availability, activity)
    }

    fn machine(&self) -> (Availability, Activity) {
        plain(match self.used {
            Use::Active => Activity::Available,
            Use::Inactive => Activity::Inactive,
            Use::Away => Activity::Away,
        })
    }
}

fn plain(activity: Activity) -> (Availability, Activity) {
    (activity.availability(), activity)
}

fn summary(endpoints: &[Endpoint<'_>]) -> Vec<DeviceKind> {
    let mut kinds: Vec<DeviceKind> = endpoints.iter().filter(|e| !e.closed).map(|e| e.kind).collect();
    kinds.sort_unstable();
    kinds
}

/// The next moment at which the outcome may change by itself.
pub fn next_change(
    now: WallTime,
    policy: &PresencePolicy,
    document: &Document,
    situation: Situation<'_>,
) -> Option<WallTime> {
    let endpoints = endpoints(now, policy, document, situation.devices);
    let used = endpoints.iter().filter_map(|e| e.last_active).flat_map(|at| thresholds(policy, at));
    let published = document.publications.iter().map(|publication| publication.expires);
    let reported = situation.devices.iter().map(DeviceActivity::expires);
    let calendar = document.calendar.iter().flat_map(|busy| [busy.from, busy.to]);
    let chosen = document.choice.until.into_iter();
    let out = document.out_of_office.iter().filter_map(|oof| oof.until);
    let all = used.chain(published).chain(reported).chain(calendar).chain(chosen).chain(out);
    all.filter(|at| *at > now).min()
}
