//! Events and free/busy lists.

use super::lines::Line;
use super::rule::{Budget, Rule};
use super::zone::{Moment, Zones};
use super::{BusyInterval, BusyKind, MAX_TEXT, Window};
use crate::format::datetime::Date;
use lyceum_sip::time::WallTime;
use std::collections::BTreeSet;

const DAY: i64 = 86_400;
/// Longest event; a longer one is cut.
const MAX_LENGTH: i64 = 366 * DAY;

/// An event.
pub(super) struct Event<'a> {
    /// What tells it from others.
    pub uid: &'a str,
    start: Moment,
    length: i64,
    rule: Option<Rule>,
    /// It has a rule that is not understood.
    pub odd_rule: bool,
    except: Vec<i64>,
    /// The time of its series for which it stands in, in universal time.
    pub replaces: Option<i64>,
    kind: Option<BusyKind>,
    subject: Option<Box<str>>,
    location: Option<Box<str>>,
}

impl<'a> Event<'a> {
    /// Reads an event; `None` for one without a time that makes sense.
    pub fn read(lines: &'a [Line<'_>], zones: &Zones) -> Option<Event<'a>> {
        let find = |name: &str| lines.iter().find(|line| line.is(name));
        let value = |name: &str| find(name).map(|line| line.value.trim());
        let start = find("DTSTART").and_then(|line| zones.moment(line))?;
        let rule = value("RRULE").map(Rule::read);
        let except = lines.iter().filter(|line| line.is("EXDATE")).flat_map(|line| {
            let moments = line.value.split(',').filter_map(|text| zones.parse(text.trim(), line.parameter("TZID")));
            moments.map(|moment| zones.utc(moment.local, moment.zone)).collect::<Vec<_>>()
        });
        let text = |name: &str| find(name).map(|line| line.text(MAX_TEXT)).filter(|text| !text.is_empty());
        Some(Event {
            uid: value("UID").unwrap_or_default(),
            start,
            length: length(lines, start, zones)?,
            odd_rule: matches!(rule, Some(None)),
            rule: rule.flatten(),
            except: except.collect(),
            replaces: find("RECURRENCE-ID").and_then(|line| zones.moment(line)).map(|m| zones.utc(m.local, m.zone)),
            kind: kind(&value),
            subject: text("SUMMARY").map(Into::into),
            location: text("LOCATION").map(Into::into),
        })
    }

    /// False for what leaves one free, or was called off.
    pub fn is_busy(&self) -> bool {
        self.kind.is_some() && self.length > 0
    }

    /// Appends the times that touch the window.
    pub fn occurrences(
        &self,
        window: Window,
        zones: &Zones,
        replaced: &BTreeSet<(&str, i64)>,
        budget: &mut Budget,
        out: &mut Vec<BusyInterval>,
    ) {
        let day = self.start.local.div_euclid(DAY);
        let time = self.start.local.rem_euclid(DAY);
        let utc = |day: i64| zones.utc(day * DAY + time, self.start.zone);
        let taken_out =
            |at: i64| self.except.contains(&at) || (self.replaces.is_none() && replaced.contains(&(self.uid, at)));
        let mut add = |at: i64| {
            if let Some(interval) = self.interval(at, window).filter(|_| !taken_out(at)) {
                out.push(interval);
            }
        };
        let Some(rule) = &self.rule else { return add(utc(day)) };
        let until = rule.until.as_deref().and_then(|text| zones.parse(text, None));
        let until = until.map_or(i64::MAX, |until| match until.is_date {
            true => zones.utc(until.local + DAY - 1, self.start.zone),
            false => {
                zones.utc(until.local, if until.zone == super::zone::Zone::Utc { until.zone } else { self.start.zone })
            }
        });
        // A day more at both ends, for zones in which it is another.
        let span = (
            (window.from.seconds() as i64 - self.length).div_euclid(DAY) - 1,
            (window.to.seconds() as i64).div_euclid(DAY) + 1,
        );
        rule.days(Date::from_days(day), span, budget, |day| {
            // Counted, but long over: not worth asking what the clock showed.
            if day < span.0 {
                return true;
            }
            let at = utc(day);
            if at <= until {
                add(at);
            }
            at <= until
        });
    }

    fn interval(&self, at: i64, window: Window) -> Option<BusyInterval> {
        let kind = self.kind?;
        let (from, to) = clip(at, at.saturating_add(self.length), window)?;
        Some(BusyInterval { from, to, kind, subject: self.subject.clone(), location: self.location.clone() })
    }
}

/// The interval as moments, if it touches the window.
fn clip(from: i64, to: i64, window: Window) -> Option<(WallTime, WallTime)> {
    let moment = |seconds: i64| u64::try_from(seconds.max(0)).ok()?.checked_mul(1000).map(WallTime);
    let (from, to) = (moment(from)?, moment(to)?);
    (from < to && from < window.to && to > window.from).then_some((from, to))
}

fn length(lines: &[Line<'_>], start: Moment, zones: &Zones) -> Option<i64> {
    let find = |name: &str| lines.iter().find(|line| line.is(name));
    let length = if let Some(end) = find("DTEND") {
        let end = zones.moment(end)?;
        match (start.is_date, end.is_date) {
            (true, true) => end.local - start.local,
            _ => zones.utc(end.local, end.zone) - zones.utc(start.local, start.zone),
        }
    } else if let Some(length) = find("DURATION") {
        duration(length.value.trim())?
    } else if start.is_date {
        DAY
    } else {
        0
    };
    Some(length.clamp(0, MAX_LENGTH))
}

/// What an event does to its owner: nothing where it leaves them free.
fn kind<'a>(value: &impl Fn(&str) -> Option<&'a str>) -> Option<BusyKind> {
    let is = |name: &str, wanted: &str| value(name).is_some_and(|value| value.eq_ignore_ascii_case(wanted));
    if is("STATUS", "CANCELLED") || is("STATUS", "TENTATIVE") {
        return None;
    }
    match value("X-MICROSOFT-CDO-BUSYSTATUS").map(str::to_ascii_uppercase).as_deref() {
        Some("OOF") => Some(BusyKind::OutOfOffice),
        Some("FREE" | "TENTATIVE" | "WORKINGELSEWHERE") => None,
        Some("BUSY") => Some(BusyKind::Busy),
        _ if is("TRANSP", "TRANSPARENT") => None,
        _ => Some(BusyKind::Busy),
    }
}

/// `PT1H30M`, `P1D`, `P2W`; a negative one makes no sense here.
fn duration(text: &str) -> Option<i64> {
    let text = text.strip_prefix('+').unwrap_or(text).strip_prefix('P')?;
    let (mut seconds, mut number) = (0i64, None::<i64>);
    for byte in text.bytes() {
        let worth = match byte {
            b'0'..=b'9' => {
                let digit = i64::from(byte - b'0');
                number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(digit)?);
                continue;
            }
            b'T' => continue,
            b'W' => 7 * DAY,
            b'D' => DAY,
            b'H' => 3600,
            b'M' => 60,
            b'S' => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(number.take()?.checked_mul(worth)?)?;
    }
    number.is_none().then_some(seconds)
}

/// Appends the busy times of a free/busy list.
pub(super) fn free_busy(lines: &[Line<'_>], zones: &Zones, window: Window, out: &mut Vec<BusyInterval>) {
    for line in lines.iter().filter(|line| line.is("FREEBUSY")) {
        let kind = match line.parameter("FBTYPE").map(str::to_ascii_uppercase).as_deref() {
            None | Some("BUSY") => BusyKind::Busy,
            Some("BUSY-UNAVAILABLE") => BusyKind::OutOfOffice,
            Some(_) => continue,
        };
        for period in line.value.split(',') {
            let Some((from, to)) = period.trim().split_once('/') else { continue };
            let utc = |text: &str| zones.parse(text, None).map(|moment| zones.utc(moment.local, moment.zone));
            let Some(from) = utc(from) else { continue };
            let Some(to) = utc(to).or_else(|| Some(from + duration(to)?)) else { continue };
            if let Some((from, to)) = clip(from, to, window) {
                out.push(BusyInterval { from, to, kind, subject: None, location: None });
            }
        }
    }
}
