//! Busy times out of an iCalendar feed (RFC 5545): what is needed of it and no more.
//!
//! Events and free/busy lists with their time zones, repetitions and exceptions become plain intervals of a window of
//! time. What a feed says beyond that is not kept. A feed is a stranger's bytes: lines, events and steps of repetitions
//! are bounded.

mod event;
mod lines;
mod rule;
mod zone;

use event::{Event, free_busy};
use lines::{Line, lines};
use lyceum_sip::time::WallTime;
use rule::Budget;
use std::collections::BTreeSet;
use zone::Zones;

/// Largest feed that is read.
pub const MAX_FEED_BYTES: usize = 2 << 20;
/// Most events of a feed.
pub const MAX_EVENTS: usize = 10_000;
/// Most intervals kept, the earliest first; the next fetch brings the later ones.
pub const MAX_INTERVALS: usize = 64;
/// Longest subject and location kept, in bytes.
pub const MAX_TEXT: usize = 96;
/// Steps that all repetitions of a feed may take together.
const MAX_STEPS: u32 = 300_000;

/// Whether an interval says busy or out of office.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum BusyKind {
    /// Busy.
    Busy = 0,
    /// Out of office.
    OutOfOffice = 1,
}

impl BusyKind {
    pub(super) fn from_code(code: u8) -> Option<BusyKind> {
        [BusyKind::Busy, BusyKind::OutOfOffice].get(usize::from(code)).copied()
    }
}

/// A time at which a person is busy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BusyInterval {
    /// When it begins.
    pub from: WallTime,
    /// When it is over.
    pub to: WallTime,
    /// Busy or out of office.
    pub kind: BusyKind,
    /// What it is about; shown to the workgroup alone.
    pub subject: Option<Box<str>>,
    /// Where it is; shown to the workgroup alone.
    pub location: Option<Box<str>>,
}

impl BusyInterval {
    /// True while it lasts.
    pub fn covers(&self, now: WallTime) -> bool {
        self.from <= now && now < self.to
    }
}

/// The stretch of time that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// From here.
    pub from: WallTime,
    /// Up to here.
    pub to: WallTime,
    /// Seconds east of Greenwich for times that name no zone, or one that the feed does not explain.
    pub floating_offset: i32,
}

/// Why a feed is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalendarError {
    /// Over [`MAX_FEED_BYTES`].
    TooLarge,
    /// Over [`MAX_EVENTS`], or repetitions that take too many steps.
    TooComplex,
    /// Not UTF-8.
    Encoding,
    /// Not a calendar.
    NotACalendar,
}

impl std::fmt::Display for CalendarError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CalendarError::TooLarge => write!(f, "the calendar is over {MAX_FEED_BYTES} bytes; offer a shorter period"),
            CalendarError::TooComplex => {
                write!(f, "the calendar has over {MAX_EVENTS} events or endless repetitions; offer a shorter period")
            }
            CalendarError::Encoding => write!(f, "the calendar is not UTF-8"),
            CalendarError::NotACalendar => {
                write!(
                    f,
                    "the address gave something that is no iCalendar feed; check that it ends in .ics or asks no password"
                )
            }
        }
    }
}

impl std::error::Error for CalendarError {}

/// The busy times of a feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    /// In order, at most [`MAX_INTERVALS`].
    pub busy: Vec<BusyInterval>,
    /// Events whose repetition or time could not be understood; of a repetition the first time counts.
    pub not_understood: usize,
}

/// Reads a feed: the busy times that touch the window.
pub fn read(feed: &[u8], window: Window) -> Result<Calendar, CalendarError> {
    if feed.len() > MAX_FEED_BYTES {
        return Err(CalendarError::TooLarge);
    }
    let text = std::str::from_utf8(feed).map_err(|_| CalendarError::Encoding)?;
    let components = components(text.trim_start_matches('\u{feff}'))?;
    let zones = Zones::new(&components.zones, window.floating_offset);
    let mut events = Vec::new();
    let mut calendar = Calendar::default();
    for properties in &components.events {
        match Event::read(properties, &zones) {
            Some(event) => events.push(event),
            None => calendar.not_understood += 1,
        }
    }
    let replaced: BTreeSet<(&str, i64)> = events.iter().filter_map(|e| Some((e.uid, e.replaces?))).collect();
    let mut budget = Budget::new(MAX_STEPS);
    for event in events.iter().filter(|event| event.is_busy()) {
        calendar.not_understood += usize::from(event.odd_rule);
        event.occurrences(window, &zones, &replaced, &mut budget, &mut calendar.busy);
    }
    if budget.is_spent() {
        return Err(CalendarError::TooComplex);
    }
    for properties in &components.free_busy {
        free_busy(properties, &zones, window, &mut calendar.busy);
    }
    calendar.busy.sort();
    calendar.busy.dedup();
    calendar.busy.truncate(MAX_INTERVALS);
    Ok(calendar)
}

/// The parts of a calendar that matter, each as its own lines.
#[derive(Default)]
struct Components<'a> {
    events: Vec<Vec<Line<'a>>>,
    free_busy: Vec<Vec<Line<'a>>>,
    /// `BEGIN` and `END` of the observances are left in.
    zones: Vec<Vec<Line<'a>>>,
}

fn components(text: &str) -> Result<Components<'_>, CalendarError> {
    let mut found = Components::default();
    let mut all = lines(text);
    if !all.next().is_some_and(|line| line.is("BEGIN") && line.value.trim().eq_ignore_ascii_case("VCALENDAR")) {
        return Err(CalendarError::NotACalendar);
    }
    // What is inside what, below the calendar itself.
    let mut open: Vec<String> = Vec::new();
    for line in all {
        if line.is("BEGIN") {
            open.push(line.value.trim().to_ascii_uppercase());
            if open.len() > 8 {
                return Err(CalendarError::TooComplex);
            }
            if open.len() == 1 {
                found.begin(&open[0])?;
                continue;
            }
        }
        let ends = line.is("END");
        if let Some(outermost) = open.first() {
            found.put(outermost, open.len(), line);
        }
        if ends {
            open.pop();
        }
    }
    Ok(found)
}

impl<'a> Components<'a> {
    fn begin(&mut self, name: &str) -> Result<(), CalendarError> {
        let list = match name {
            "VEVENT" => &mut self.events,
            "VFREEBUSY" => &mut self.free_busy,
            "VTIMEZONE" => &mut self.zones,
            _ => return Ok(()),
        };
        if list.len() == MAX_EVENTS {
            return Err(CalendarError::TooComplex);
        }
        list.push(Vec::new());
        Ok(())
    }

    fn put(&mut self, outermost: &str, depth: usize, line: Line<'a>) {
        let list = match outermost {
            // What is inside an event, such as an alarm, does not concern us.
            "VEVENT" if depth == 1 => &mut self.events,
            "VFREEBUSY" if depth == 1 => &mut self.free_busy,
            "VTIMEZONE" if depth <= 2 => &mut self.zones,
            _ => return,
        };
        if let Some(last) = list.last_mut() {
            last.push(line);
        }
    }
}

#[cfg(test)]
mod tests;
