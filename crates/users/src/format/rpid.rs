//! Rich presence (RFC 4480): what a person is doing, in the words of the registry, and when they last touched a device.

use super::datetime;
use super::xml::{self, Element, RPID};
use lyceum_sip::time::WallTime;

macro_rules! activities {
    ($($name:ident = $word:literal, $doc:literal;)+) => {
        /// An activity of the registry (RFC 4480 §3.2).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum RpidActivity {
            $(#[doc = $doc] $name,)+
        }

        impl RpidActivity {
            /// All of them.
            pub const ALL: &[RpidActivity] = &[$(RpidActivity::$name,)+];

            /// The element's name.
            pub fn as_str(self) -> &'static str {
                match self { $(RpidActivity::$name => $word,)+ }
            }
        }
    };
}

activities! {
    Appointment = "appointment", "Has an appointment.";
    Away = "away", "Is away from all devices.";
    Breakfast = "breakfast", "Eats the first meal of the day.";
    Busy = "busy", "Is busy, without more.";
    Dinner = "dinner", "Eats the main meal of the day.";
    Holiday = "holiday", "Has a public holiday.";
    InTransit = "in-transit", "Rides in a vehicle.";
    LookingForWork = "looking-for-work", "Seeks work.";
    Lunch = "lunch", "Eats the midday meal.";
    Meal = "meal", "Eats.";
    Meeting = "meeting", "Is in a meeting.";
    OnThePhone = "on-the-phone", "Talks on the phone.";
    Other = "other", "Something else, said in its text.";
    Performance = "performance", "Is at a performance.";
    PermanentAbsence = "permanent-absence", "Will not come back.";
    Playing = "playing", "Plays.";
    Presentation = "presentation", "Gives a presentation.";
    Shopping = "shopping", "Is shopping.";
    Sleeping = "sleeping", "Sleeps.";
    Spectator = "spectator", "Watches an event.";
    Steering = "steering", "Controls a vehicle.";
    Travel = "travel", "Is on a journey.";
    Tv = "TV", "Watches television.";
    Unknown = "unknown", "Not known.";
    Vacation = "vacation", "Is on leave.";
    Working = "working", "Works.";
    Worship = "worship", "Is at a religious service.";
}

impl RpidActivity {
    /// Reads an element's name.
    pub fn parse(name: &str) -> Option<RpidActivity> {
        RpidActivity::ALL.iter().copied().find(|activity| activity.as_str().eq_ignore_ascii_case(name))
    }
}

/// The activities of a person, and the text of the one called `other`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activities {
    /// In the document's order; those of other namespaces left out.
    pub all: Vec<RpidActivity>,
    /// What `other` says.
    pub other: Option<String>,
}

/// Whether a device is being used (RFC 4480 §3.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserInput {
    /// It was not used for longer than the device's own threshold.
    pub idle: bool,
    /// When it was last used.
    pub last_input: Option<WallTime>,
}

/// Reads the first `<activities>` among an element's children.
pub fn activities(parent: &Element) -> Option<Activities> {
    let element = parent.child(RPID, "activities")?;
    let mut read = Activities::default();
    for child in element.children.iter().filter(|child| child.namespace == RPID) {
        let Some(activity) = RpidActivity::parse(&child.name) else { continue };
        read.all.push(activity);
        if activity == RpidActivity::Other && !child.trimmed().is_empty() {
            read.other = Some(child.trimmed().to_owned());
        }
    }
    Some(read)
}

/// Reads `<user-input>` among an element's children.
pub fn user_input(parent: &Element) -> Option<UserInput> {
    let element = parent.child(RPID, "user-input")?;
    let last_input = element.attribute("last-input").or(element.attribute("last-active")).and_then(datetime::read);
    Some(UserInput { idle: element.trimmed().eq_ignore_ascii_case("idle"), last_input })
}

/// Appends `<rpid:activities>`; nothing when there is nothing to say.
pub fn write_activities(out: &mut Vec<u8>, activities: &[RpidActivity], other: Option<&str>) {
    if activities.is_empty() && other.is_none() {
        return;
    }
    out.extend_from_slice(b"<rpid:activities>");
    for activity in activities {
        out.extend_from_slice(b"<rpid:");
        out.extend_from_slice(activity.as_str().as_bytes());
        out.extend_from_slice(b"/>");
    }
    if let Some(other) = other {
        out.extend_from_slice(b"<rpid:other>");
        xml::escape(out, other);
        out.extend_from_slice(b"</rpid:other>");
    }
    out.extend_from_slice(b"</rpid:activities>");
}

/// Appends `<rpid:user-input>`.
pub fn write_user_input(out: &mut Vec<u8>, input: UserInput) {
    out.extend_from_slice(b"<rpid:user-input");
    if let Some(last) = input.last_input {
        out.extend_from_slice(b" last-input=\"");
        datetime::write_utc(out, last);
        out.push(b'"');
    }
    out.extend_from_slice(if input.idle { b">idle</rpid:user-input>" } else { b">active</rpid:user-input>" });
}
