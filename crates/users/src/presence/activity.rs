//! What a person is doing, in one word.

use super::availability::{Availability, Band};
use crate::format::rpid::{Activities, RpidActivity};

macro_rules! activities {
    ($($name:ident = $code:literal $word:literal $availability:ident [$($rpid:ident)*], $doc:literal;)+) => {
        /// What a person is doing.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Activity {
            $(#[doc = $doc] $name = $code,)+
        }

        impl Activity {
            /// All of them.
            pub const ALL: &[Activity] = &[$(Activity::$name,)+];

            /// The word used in documents and by the API.
            pub fn as_str(self) -> &'static str {
                match self { $(Activity::$name => $word,)+ }
            }

            /// The availability that goes with it where nobody is idle.
            pub fn availability(self) -> Availability {
                match self { $(Activity::$name => Availability::$availability,)+ }
            }

            /// The nearest activities of the registry, for clients that know no other.
            pub fn rpid(self) -> &'static [RpidActivity] {
                match self { $(Activity::$name => &[$(RpidActivity::$rpid,)*],)+ }
            }
        }
    };
}

activities! {
    Available = 0 "available" AVAILABLE [], "Can be reached.";
    Inactive = 1 "inactive" IDLE [], "Has not used a device for some minutes.";
    Busy = 2 "busy" BUSY [Busy], "Busy.";
    OnThePhone = 3 "on-the-phone" BUSY [OnThePhone Busy], "In a call.";
    InAMeeting = 4 "in-a-meeting" BUSY [Meeting Busy], "In a meeting.";
    DoNotDisturb = 5 "do-not-disturb" DO_NOT_DISTURB [Busy], "Wants to be left alone.";
    Presenting = 6 "presenting" DO_NOT_DISTURB [Presentation Busy], "Shows a screen to others.";
    BeRightBack = 7 "be-right-back" BE_RIGHT_BACK [Away], "Gone for a moment.";
    Away = 8 "away" AWAY [Away], "Away.";
    OffWork = 9 "off-work" AWAY [Away], "Has finished work.";
    OutOfOffice = 10 "out-of-office" AWAY [Vacation Away], "Not in for a longer time.";
    Offline = 11 "offline" OFFLINE [], "At no device.";
}

impl Activity {
    /// Reads the word.
    pub fn parse(word: &str) -> Option<Activity> {
        Activity::ALL.iter().copied().find(|activity| activity.as_str() == word)
    }

    pub(crate) fn from_code(code: u8) -> Option<Activity> {
        Activity::ALL.get(usize::from(code)).copied()
    }

    /// The plain activity of a band: what somebody sees who is not told more.
    pub fn plain(band: Band) -> Activity {
        match band {
            Band::Available => Activity::Available,
            Band::Inactive => Activity::Inactive,
            Band::Busy | Band::BusyInactive => Activity::Busy,
            Band::DoNotDisturb => Activity::DoNotDisturb,
            Band::BeRightBack => Activity::BeRightBack,
            Band::Away => Activity::Away,
            Band::Offline => Activity::Offline,
        }
    }

    /// What a device says by its activities: the one that leaves the person least available counts. `None` where they
    /// say nothing against being available.
    pub fn of(activities: &Activities) -> Option<Activity> {
        let said = activities.all.iter().filter_map(|activity| said(*activity, activities.other.as_deref()));
        // A device that says "on the phone, busy" means the first; both have one availability.
        said.reduce(|best, next| if next.availability() > best.availability() { next } else { best })
    }
}

fn said(activity: RpidActivity, other: Option<&str>) -> Option<Activity> {
    use RpidActivity as R;
    Some(match activity {
        R::Busy | R::Steering => Activity::Busy,
        R::OnThePhone => Activity::OnThePhone,
        R::Appointment | R::Meeting | R::Performance => Activity::InAMeeting,
        R::Presentation => Activity::Presenting,
        R::Breakfast | R::Dinner | R::Lunch | R::Meal => Activity::BeRightBack,
        R::Holiday | R::Vacation => Activity::OutOfOffice,
        R::Away
        | R::InTransit
        | R::PermanentAbsence
        | R::Playing
        | R::Shopping
        | R::Sleeping
        | R::Spectator
        | R::Travel
        | R::Tv
        | R::Worship => Activity::Away,
        R::Other if other.is_some_and(means_do_not_disturb) => Activity::DoNotDisturb,
        R::LookingForWork | R::Other | R::Unknown | R::Working => return None,
    })
}

/// The registry has no word for it, so clients write it out.
fn means_do_not_disturb(text: &str) -> bool {
    let letters: String = text.chars().filter(char::is_ascii_alphabetic).collect();
    letters.eq_ignore_ascii_case("donotdisturb") || letters.eq_ignore_ascii_case("dnd")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_codes_go_there_and_back() {
        for (code, activity) in (0u8..).zip(Activity::ALL) {
            assert_eq!(Activity::parse(activity.as_str()), Some(*activity));
            assert_eq!(Activity::from_code(code), Some(*activity));
            assert_eq!(*activity as u8, code);
        }
    }

    #[test]
    fn what_we_write_for_foreign_clients_reads_back_as_the_same_availability() {
        for activity in Activity::ALL {
            let read = Activity::of(&Activities { all: activity.rpid().to_vec(), other: None });
            let lost = [Activity::DoNotDisturb, Activity::BeRightBack, Activity::Inactive, Activity::Offline];
            if !lost.contains(activity) {
                assert_eq!(read.unwrap_or(Activity::Available).availability(), activity.availability(), "{activity:?}");
            }
        }
    }

    #[test]
    fn the_least_available_of_what_a_device_says_counts() {
        let of = |all: &[RpidActivity], other: Option<&str>| {
            Activity::of(&Activities { all: all.to_vec(), other: other.map(str::to_owned) })
        };
        assert_eq!(of(&[RpidActivity::OnThePhone, RpidActivity::Busy], None), Some(Activity::OnThePhone));
        assert_eq!(of(&[RpidActivity::Busy, RpidActivity::Away], None), Some(Activity::Away));
        assert_eq!(of(&[RpidActivity::Other], Some("Do not disturb")), Some(Activity::DoNotDisturb));
        assert_eq!(of(&[RpidActivity::Other], Some("Gardening")), None);
        assert_eq!(of(&[RpidActivity::Working], None), None);
        assert_eq!(of(&[], None), None);
    }
}
