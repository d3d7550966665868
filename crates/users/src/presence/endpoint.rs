//! A user's devices as aggregation sees them: what they published and how they are used, put together.

use super::activity::Activity;
use super::availability::Band;
use super::document::Document;
use lyceum_sip::time::WallTime;
use lyceum_topology::PresencePolicy;

/// What sort of device it is; for show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
#[repr(u8)]
pub enum DeviceKind {
    /// Not known.
    #[default]
    Unknown = 0,
    /// A program on a computer.
    Desktop = 1,
    /// Our page in a browser.
    Browser = 2,
    /// A mobile phone's app.
    Mobile = 3,
    /// A desk phone.
    Phone = 4,
}

impl DeviceKind {
    /// All of them.
    pub const ALL: &[DeviceKind] =
        &[DeviceKind::Unknown, DeviceKind::Desktop, DeviceKind::Browser, DeviceKind::Mobile, DeviceKind::Phone];

    /// The word used in documents and by the API.
    pub fn as_str(self) -> &'static str {
        match self {
            DeviceKind::Unknown => "unknown",
            DeviceKind::Desktop => "desktop",
            DeviceKind::Browser => "browser",
            DeviceKind::Mobile => "mobile",
            DeviceKind::Phone => "phone",
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<DeviceKind> {
        DeviceKind::ALL.get(usize::from(code)).copied()
    }
}

/// What the server itself knows of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Facts {
    /// Bindings of the user.
    pub registered: u16,
    /// Calls that the user is in.
    pub calls: u16,
    /// The user is in a meeting that the server holds.
    pub in_meeting: bool,
}

/// A device's report of when it was last used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceActivity {
    /// Which device, as a hash of its name.
    pub device: u64,
    /// What sort of device.
    pub kind: DeviceKind,
    /// When it was last used.
    pub last_active: WallTime,
    /// When that was reported.
    pub reported: WallTime,
}

impl DeviceActivity {
    /// When the report no longer counts.
    pub fn expires(&self) -> WallTime {
        WallTime(self.reported.0.saturating_add(super::DEVICE_TTL_MS))
    }
}

/// How much a device is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Use {
    Away,
    Inactive,
    Active,
}

/// One device, put together from its publication and its report.
#[derive(Clone, Copy, Debug)]
pub(super) struct Endpoint<'a> {
    pub kind: DeviceKind,
    pub closed: bool,
    /// Counts where there is no binding.
    pub alone: bool,
    pub statement: Option<Activity>,
    pub label: Option<&'a str>,
    pub note: Option<&'a str>,
    pub last_active: Option<WallTime>,
    /// When its publication's body came.
    pub received: WallTime,
}

/// The moments at which an active device becomes inactive and away.
pub(super) fn thresholds(policy: &PresencePolicy, last_active: WallTime) -> [WallTime; 2] {
    let idle = u64::from(policy.idle_seconds) * 1000;
    let away = idle + u64::from(policy.away_seconds) * 1000;
    [idle, away].map(|ms| WallTime(last_active.0.saturating_add(ms)))
}

impl Endpoint<'_> {
    /// How it is used, where that is known.
    pub fn used(&self, now: WallTime, policy: &PresencePolicy) -> Option<Use> {
        let [inactive, away] = thresholds(policy, self.last_active?);
        Some(match now {
            now if now >= away => Use::Away,
            now if now >= inactive => Use::Inactive,
            _ => Use::Active,
        })
    }

    /// How much it counts against others. A device that tells no use but says busy comes first: its user set that by hand,
    /// and may well be using another device. Then used devices, then those of which no use is known, then those left
    /// alone; among equals the newest.
    pub fn weight(&self, now: WallTime, policy: &PresencePolicy) -> (bool, Use, WallTime) {
        let used = self.used(now, policy);
        let engaged = |said: Activity| (Band::Busy..=Band::DoNotDisturb).contains(&said.availability().band());
        let insists = used.is_none() && self.statement.is_some_and(engaged);
        (insists, used.unwrap_or(Use::Inactive), self.last_active.unwrap_or(self.received))
    }
}

/// The user's devices: every live publication with the report of its device, and reports alone.
pub(super) fn endpoints<'a>(
    now: WallTime,
    policy: &PresencePolicy,
    document: &'a Document,
    devices: &'a [DeviceActivity],
) -> Vec<Endpoint<'a>> {
    let report = |device: u64| devices.iter().find(|d| d.device == device && d.expires() > now);
    let published = document.live(now).map(|publication| {
        let report = report(publication.device).filter(|_| publication.device != 0);
        // A device that only says "idle" has been so for its own threshold, which is taken to be ours.
        let idle_since = publication.received.0.saturating_sub(u64::from(policy.idle_seconds) * 1000);
        let said = publication.last_active.or_else(|| publication.idle.then_some(WallTime(idle_since)));
        Endpoint {
            kind: report.map_or(publication.kind, |report| report.kind),
            closed: publication.closed,
            alone: publication.alone,
            statement: publication.statement,
            label: publication.label.as_deref(),
            note: publication.note.as_deref(),
            last_active: report.map(|report| report.last_active).max(said),
            received: publication.received,
        }
    });
    let mut all: Vec<Endpoint<'a>> = published.collect();
    let published = |device: u64| device != 0 && document.live(now).any(|p| p.device == device);
    all.extend(devices.iter().filter(|d| d.expires() > now && !published(d.device)).map(|device| Endpoint {
        kind: device.kind,
        closed: false,
        alone: false,
        statement: None,
        label: None,
        note: None,
        last_active: Some(device.last_active),
        received: device.reported,
    }));
    all
}
