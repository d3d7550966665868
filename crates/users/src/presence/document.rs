//! What is remembered of a user's presence: the value of a facet.

use super::activity::Activity;
use super::calendar::BusyInterval;
use super::choice::Choice;
use super::endpoint::DeviceKind;
use super::publish::ETag;
use lyceum_sip::time::WallTime;

/// A note for those who write or call while one is out of office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutOfOffice {
    /// What it says.
    pub note: Box<str>,
    /// When it ends; `None`: when it is taken back.
    pub until: Option<WallTime>,
}

/// Where a calendar is fetched from: such addresses carry a key, so it does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct FeedAddress(pub Box<str>);

impl std::fmt::Debug for FeedAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<secret>")
    }
}

/// What a device published, as far as it matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Its entity tag.
    pub etag: ETag,
    /// When it ends.
    pub expires: WallTime,
    /// When its body came.
    pub received: WallTime,
    /// Which device it is, as a hash of its name; 0 where it is not known.
    pub device: u64,
    /// What sort of device.
    pub kind: DeviceKind,
    /// The device says that it cannot be reached.
    pub closed: bool,
    /// The device says that it was not used for longer than its own threshold.
    pub idle: bool,
    /// It came while its user had no binding, so it stands alone: the user is there while it lives and is open. Any other
    /// speaks only while there is a binding.
    pub alone: bool,
    /// What the device says its user is doing.
    pub statement: Option<Activity>,
    /// The same in words of its own.
    pub label: Option<Box<str>>,
    /// A note of the device.
    pub note: Option<Box<str>>,
    /// When the device was last used.
    pub last_active: Option<WallTime>,
}

/// Everything that is remembered of one user's presence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// What the user chose.
    pub choice: Choice,
    /// The user's note.
    pub note: Option<Box<str>>,
    /// The user's out-of-office note.
    pub out_of_office: Option<OutOfOffice>,
    /// When the user was last seen active.
    pub last_active: Option<WallTime>,
    /// Where the user's calendar is fetched from.
    pub feed: Option<FeedAddress>,
    /// Busy times of the calendar, in order.
    pub calendar: Vec<BusyInterval>,
    /// What devices published.
    pub publications: Vec<Publication>,
}

impl Document {
    /// The publications that have not ended.
    pub fn live(&self, now: WallTime) -> impl Iterator<Item = &Publication> {
        self.publications.iter().filter(move |publication| publication.expires > now)
    }

    /// True when there is nothing to remember.
    pub fn is_empty(&self) -> bool {
        *self == Document::default()
    }
}
