//! Time zones as a feed explains them (RFC 5545 §3.6.5), and moments in them.

use super::lines::Line;
use super::rule::Rule;
use crate::format::datetime::Date;

/// Most changes of one zone.
const MAX_OBSERVANCES: usize = 256;
/// Most of these that come again every year; of further ones the first time counts.
const MAX_YEARLY: usize = 8;

/// A date, or a date and time, as it stands: seconds since 1970 on the clock of its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub local: i64,
    pub zone: Zone,
    /// A whole day.
    pub is_date: bool,
}

/// Which clock a moment is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    Utc,
    Floating,
    Named(usize),
}

struct Observance {
    start: i64,
    offset_from: i64,
    offset_to: i64,
    rule: Option<Rule>,
}

struct Named {
    name: String,
    observances: Vec<Observance>,
}

/// The zones of a feed.
pub(super) struct Zones {
    named: Vec<Named>,
    floating: i64,
}

impl Zones {
    pub fn new(components: &[Vec<Line<'_>>], floating_offset: i32) -> Zones {
        let named = components.iter().filter_map(|lines| {
            let name = lines.iter().find(|line| line.is("TZID"))?.value.trim().to_owned();
            Some(Named { name, observances: observances(lines) })
        });
        Zones { named: named.collect(), floating: floating_offset.into() }
    }

    /// Reads a property's value in the zone that it names.
    pub fn moment(&self, line: &Line<'_>) -> Option<Moment> {
        self.parse(line.value.trim(), line.parameter("TZID"))
    }

    /// Reads one value.
    pub fn parse(&self, text: &str, zone: Option<&str>) -> Option<Moment> {
        let (local, is_date, is_utc) = civil(text)?;
        let zone = match zone {
            _ if is_utc => Zone::Utc,
            Some(name) => self.named.iter().position(|n| n.name == name).map_or(Zone::Floating, Zone::Named),
            None => Zone::Floating,
        };
        Some(Moment { local, zone, is_date })
    }

    /// Seconds since 1970 of what a clock of that zone shows.
    pub fn utc(&self, local: i64, zone: Zone) -> i64 {
        match zone {
            Zone::Utc => local,
            Zone::Floating => local - self.floating,
            Zone::Named(at) => local - self.named.get(at).map_or(0, |named| named.offset(local)),
        }
    }
}

impl Named {
    /// The offset after the last change before that moment; before the first, what held until it.
    fn offset(&self, local: i64) -> i64 {
        let onset = |observance: &Observance| observance.onset(local);
        let last = self.observances.iter().filter_map(|o| Some((onset(o)?, o.offset_to))).max();
        let before = || self.observances.iter().min_by_key(|o| o.start).map(|o| o.offset_from);
        last.map(|(_, offset)| offset).or_else(before).unwrap_or(0)
    }
}

impl Observance {
    /// When it last began, on the clock that held until then.
    fn onset(&self, local: i64) -> Option<i64> {
        if local < self.start {
            return None;
        }
        let Some(rule) = &self.rule else { return Some(self.start) };
        let start = Date::from_days(self.start.div_euclid(86_400));
        let time = self.start.rem_euclid(86_400);
        let until = rule.until.as_deref().and_then(civil);
        // UNTIL is in universal time.
        let until = until.map_or(i64::MAX, |(until, _, is_utc)| if is_utc { until + self.offset_from } else { until });
        let in_year = |year| rule.in_year(start, year).map(|day| day * 86_400 + time);
        let year = Date::from_days(local.min(until).div_euclid(86_400)).year;
        let ended = |onset: &i64| *onset <= local && *onset <= until && *onset >= self.start;
        [year, year - 1].into_iter().filter_map(in_year).find(ended).or(Some(self.start))
    }
}

fn observances(lines: &[Line<'_>]) -> Vec<Observance> {
    let mut all = Vec::new();
    for part in lines.split(|line| line.is("BEGIN")).skip(1).take(MAX_OBSERVANCES) {
        let value = |name: &str| part.iter().find(|line| line.is(name)).map(|line| line.value.trim());
        let start = value("DTSTART").and_then(civil).map(|(local, ..)| local);
        let offset = |name| value(name).and_then(offset);
        if let (Some(start), Some(offset_to)) = (start, offset("TZOFFSETTO")) {
            let offset_from = offset("TZOFFSETFROM").unwrap_or(offset_to);
            let yearly = all.iter().filter(|observance: &&Observance| observance.rule.is_some()).count();
            let rule = value("RRULE").filter(|_| yearly < MAX_YEARLY).and_then(Rule::read);
            all.push(Observance { start, offset_from, offset_to, rule });
        }
    }
    all
}

/// `+0200`, `-053000`.
fn offset(text: &str) -> Option<i64> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let seconds = match digits.len() {
        4 => 0,
        6 => number(digits, 4, 2)?,
        _ => return None,
    };
    Some(sign * (number(digits, 0, 2)? * 3600 + number(digits, 2, 2)? * 60 + seconds))
}

/// `20260329`, `20260329T091500`, `20260329T091500Z`: seconds, whether it is a date, whether it is universal time.
pub(super) fn civil(text: &str) -> Option<(i64, bool, bool)> {
    let date = Date::new(number(text, 0, 4)?.try_into().ok()?, number(text, 4, 2)? as u32, number(text, 6, 2)? as u32)?;
    let day = date.days() * 86_400;
    let Some(time) = text.get(8..).filter(|rest| !rest.is_empty()) else { return Some((day, true, false)) };
    let time = time.strip_prefix('T')?;
    let (hour, minute, second) = (number(time, 0, 2)?, number(time, 2, 2)?, number(time, 4, 2)?);
    let valid = hour < 24 && minute < 60 && second <= 60 && matches!(time.get(6..), Some("" | "Z"));
    valid.then_some((day + hour * 3600 + minute * 60 + second, false, time.len() == 7))
}

fn number(text: &str, from: usize, len: usize) -> Option<i64> {
    let digits = text.get(from..from + len)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}
