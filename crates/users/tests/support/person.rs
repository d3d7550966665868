//! A person whose presence is tried out in words.
#![allow(dead_code, reason = "each test file uses its part")]

use super::table::{Row, number, quoted, said};
use lyceum_sip::time::WallTime;
use lyceum_topology::PresencePolicy;
use lyceum_users::presence::calendar::{BusyInterval, BusyKind};
use lyceum_users::presence::{
    AggregateState, ChoiceIntent, DeviceKind, Facts, Presentities, Presentity, PublishIntent, PublishRefusal,
    Published, UserChoice,
};
use lyceum_users::{Group, Journal};

pub const ANA: &str = "ana@example.org";
/// 2026-11-21 12:00.
pub const NOON: WallTime = WallTime(1_795_262_400_000);

pub struct Person {
    pub group: Group,
    pub journal: Journal,
    pub all: Presentities,
    pub policy: PresencePolicy,
    pub facts: Facts,
    fresh: u64,
}

impl Default for Person {
    fn default() -> Self {
        Person {
            group: Group::new(3),
            journal: Journal::new(),
            all: Presentities::default(),
            policy: PresencePolicy::default(),
            facts: Facts::default(),
            fresh: 0,
        }
    }
}

pub fn minutes(before: WallTime, minutes: u64) -> WallTime {
    WallTime(before.0 - minutes * 60_000)
}

pub fn later(after: WallTime, minutes: u64) -> WallTime {
    WallTime(after.0 + minutes * 60_000)
}

/// A presence document: RPID activities, or a text of the device's own.
pub fn pidf(basic: &str, activities: &[&str], other: Option<&str>, note: Option<&str>, idle: bool) -> String {
    let activities: String = activities.iter().map(|a| format!("<r:{a}/>")).collect();
    let other = other.map_or(String::new(), |text| format!("<r:other>{text}</r:other>"));
    let note = note.map_or(String::new(), |note| format!("<d:note>{note}</d:note>"));
    let idle = if idle { "<r:user-input>idle</r:user-input>" } else { "" };
    format!(
        "<presence xmlns='urn:ietf:params:xml:ns:pidf' xmlns:d='urn:ietf:params:xml:ns:pidf:data-model' \
         xmlns:r='urn:ietf:params:xml:ns:pidf:rpid' entity='sip:{ANA}'><tuple id='t'><status><basic>{basic}</basic>\
         </status></tuple><d:person id='p'><r:activities>{activities}{other}</r:activities>{idle}{note}</d:person></presence>"
    )
}

pub fn kind_of(device: &str) -> DeviceKind {
    match device {
        "PC" | "softphone" | "agent" => DeviceKind::Desktop,
        "phone" => DeviceKind::Phone,
        "page" => DeviceKind::Browser,
        "mobile" => DeviceKind::Mobile,
        other => panic!("no device {other:?}"),
    }
}

impl Person {
    pub fn publish(
        &mut self,
        now: WallTime,
        device: &str,
        body: &str,
        expires: Option<u32>,
        if_match: Option<&str>,
    ) -> Result<Published, PublishRefusal> {
        self.fresh += 1;
        let intent = PublishIntent {
            if_match: if_match.map(str::as_bytes),
            expires,
            content_type: b"application/pidf+xml",
            body: body.as_bytes(),
            source: None,
            device: (!device.is_empty()).then_some(device),
            kind: if device.is_empty() { DeviceKind::Unknown } else { kind_of(device) },
            fresh: self.fresh,
        };
        let presentity = Presentity { aor: ANA, now, policy: &self.policy };
        self.all.publish(presentity, &intent, &mut self.group, &mut self.journal)
    }

    pub fn used(&mut self, now: WallTime, device: &str, idle_seconds: u32) -> bool {
        let presentity = Presentity { aor: ANA, now, policy: &self.policy };
        self.all.used(presentity, device, kind_of(device), idle_seconds, &self.group)
    }

    pub fn set_facts(&mut self, now: WallTime, facts: Facts) -> bool {
        self.facts = facts;
        let presentity = Presentity { aor: ANA, now, policy: &self.policy };
        self.all.facts(presentity, facts, &mut self.group, &mut self.journal).changed
    }

    pub fn choose(&mut self, now: WallTime, intent: &ChoiceIntent<'_>) -> bool {
        let presentity = Presentity { aor: ANA, now, policy: &self.policy };
        self.all.choose(presentity, intent, &mut self.group, &mut self.journal).unwrap().changed
    }

    pub fn appointment(&mut self, now: WallTime, kind: BusyKind, from: WallTime, to: WallTime) -> bool {
        let (subject, location) = (Some("Budget".into()), Some("Room 4".into()));
        let calendar = vec![BusyInterval { from, to, kind, subject, location }];
        let presentity = Presentity { aor: ANA, now, policy: &self.policy };
        self.all.set_calendar(presentity, calendar, &mut self.group, &mut self.journal).unwrap().changed
    }

    pub fn state(&self, now: WallTime) -> AggregateState {
        self.all.state(Presentity { aor: ANA, now, policy: &self.policy }, &self.group)
    }

    /// Whether Ana is named.
    pub fn sweep(&mut self, now: WallTime) -> bool {
        let mut named = false;
        let policy = self.policy.clone();
        self.all.sweep(now, |_| &policy, &mut self.group, &mut self.journal, |aor| named |= aor == ANA);
        named
    }

    /// The process ends and another reads what is stored; bindings are there, what devices told of their use is not.
    pub fn restart(&mut self, now: WallTime) {
        let mut image = Vec::new();
        self.group.snapshot(now, &mut image);
        let mut group = Group::new(3);
        group.load(&image).unwrap();
        self.group = group;
        self.all = Presentities::load(now, &self.group, |_| &self.policy).unwrap();
        self.set_facts(now, self.facts);
    }

    /// A row of a table, as of noon.
    pub fn of(row: &Row) -> Person {
        let mut person = Person::default();
        besides(said(row, "besides").unwrap_or_default(), &mut person);
        let mut devices: Vec<Device> =
            said(row, "devices").into_iter().flat_map(|d| d.split(';')).map(device).collect();
        devices.sort_by_key(|device| device.said.map_or(0, |minutes| u64::MAX - minutes));
        for device in &devices {
            person.tell(device);
        }
        match said(row, "calendar") {
            None => {}
            Some("busy") => drop(person.appointment(NOON, BusyKind::Busy, minutes(NOON, 30), later(NOON, 30))),
            Some("busy in 10 min") => drop(person.appointment(NOON, BusyKind::Busy, later(NOON, 10), later(NOON, 30))),
            Some("over") => drop(person.appointment(NOON, BusyKind::Busy, minutes(NOON, 30), NOON)),
            Some("out of office") => {
                person.appointment(NOON, BusyKind::OutOfOffice, minutes(NOON, 300), later(NOON, 300));
            }
            Some(other) => panic!("no calendar {other:?}"),
        }
        if let Some(chosen) = said(row, "chosen") {
            person.chose(chosen);
        }
        let calls = said(row, "calls").unwrap_or_default();
        let registered = number(&row["signed in"]) as u16;
        let facts = Facts { registered, calls: calls.contains("call").into(), in_meeting: calls.contains("meeting") };
        person.set_facts(NOON, facts);
        person
    }

    fn chose(&mut self, text: &str) {
        let (words, label) = quoted(text);
        let (choice, until) = match words.split_once(" until ") {
            Some((choice, until)) if until.starts_with("in") => (choice, Some(later(NOON, number(until)))),
            Some((choice, until)) => (choice, Some(minutes(NOON, number(until)))),
            None => (words, None),
        };
        let choice = UserChoice::parse(choice).unwrap_or_else(|| panic!("no choice {choice:?}"));
        let allowed = std::mem::replace(&mut self.policy.appear_offline, true);
        self.choose(
            minutes(NOON, 20),
            &ChoiceIntent { choice: Some((choice, label, until)), ..ChoiceIntent::default() },
        );
        self.policy.appear_offline = allowed;
    }

    fn tell(&mut self, device: &Device) {
        if device.said.is_some() || device.closed || device.note.is_some() {
            let activities: Vec<&str> = device.activities.iter().map(String::as_str).collect();
            let basic = if device.closed { "closed" } else { "open" };
            let body = pidf(basic, &activities, device.other.as_deref(), device.note.as_deref(), device.idle);
            let at = minutes(NOON, device.said.unwrap_or(1));
            self.set_facts(at, Facts { registered: (!device.alone).into(), ..Facts::default() });
            self.publish(at, &device.name, &body, Some(43_200), None).unwrap();
        }
        if let Some(used) = device.used {
            self.used(NOON, &device.name, used as u32 * 60);
        }
    }
}

#[derive(Default)]
struct Device {
    name: String,
    used: Option<u64>,
    said: Option<u64>,
    activities: Vec<String>,
    other: Option<String>,
    note: Option<String>,
    idle: bool,
    closed: bool,
    alone: bool,
}

fn device(text: &str) -> Device {
    let text = text.trim();
    let (name, rest) = text.split_once(' ').unwrap();
    let mut device = Device { name: name.to_owned(), ..Device::default() };
    for clause in rest.split(" and ") {
        let (verb, what) = clause.split_once(' ').unwrap();
        let (plain, words) = quoted(what);
        match verb {
            "used" => device.used = Some(number(what)),
            "is" if what == "closed" => device.closed = true,
            "stands" if what == "alone" => device.alone = true,
            "notes" => device.note = words.map(str::to_owned),
            "says" => {
                device.said = Some(number(what.rsplit('"').next().unwrap()));
                device.other = words.map(str::to_owned);
                let said = plain.split(',').map(|word| word.split_whitespace().next().unwrap_or_default());
                for word in said.filter(|word| !word.is_empty()) {
                    match word {
                        "open" => {}
                        "idle" => device.idle = true,
                        word => device.activities.push(word.to_owned()),
                    }
                }
            }
            other => panic!("no device that {other:?}"),
        }
    }
    device
}

fn besides(text: &str, person: &mut Person) {
    let at = minutes(NOON, 20);
    for part in text.split(", ").filter(|part| !part.is_empty()) {
        let (words, value) = quoted(part);
        let policy = &mut person.policy;
        match words {
            "inactive after 15 min" => policy.idle_seconds = 900,
            "away after 30 min" => policy.away_seconds = 1_800,
            "calls do not count" => policy.phone_presence = false,
            "calendar does not count" => policy.calendar_presence = false,
            "appear offline not allowed" => policy.appear_offline = false,
            "notes are not shown" => policy.presence_note = false,
            "note" => drop(person.choose(at, &ChoiceIntent { note: value, ..ChoiceIntent::default() })),
            "out of office" => {
                let out_of_office = value.map(|note| (note, None));
                person.choose(at, &ChoiceIntent { out_of_office, ..ChoiceIntent::default() });
            }
            other => panic!("nothing like {other:?}"),
        }
    }
}
