//! Repetitions (RFC 5545 §3.3.10): the rules that calendars of offices use.

use crate::format::datetime::{Date, days_in_month};

/// How many steps are left for all repetitions together.
pub(super) struct Budget(u32);

impl Budget {
    pub fn new(steps: u32) -> Budget {
        Budget(steps)
    }

    pub fn is_spent(&self) -> bool {
        self.0 == 0
    }

    fn step(&mut self) -> bool {
        self.0 = self.0.saturating_sub(1);
        self.0 > 0
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frequency {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// A repetition.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    frequency: Frequency,
    interval: i64,
    count: Option<u32>,
    /// The value of UNTIL as it stands: a date, or a date and time.
    pub until: Option<String>,
    /// Weekdays from Monday, each with its place in the month (0: every).
    by_day: Vec<(i32, u32)>,
    by_month_day: Vec<i32>,
    by_month: Vec<u32>,
    by_set_position: Vec<i32>,
    week_start: u32,
}

impl Rule {
    /// Reads a rule; `None` for one that says more than is understood here.
    pub fn read(text: &str) -> Option<Rule> {
        let mut rule = Rule {
            frequency: Frequency::Daily,
            interval: 1,
            count: None,
            until: None,
            by_day: Vec::new(),
            by_month_day: Vec::new(),
            by_month: Vec::new(),
            by_set_position: Vec::new(),
            week_start: 0,
        };
        let mut frequency = None;
        for part in text.trim().split(';').filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=')?;
            match key.to_ascii_uppercase().as_str() {
                "FREQ" => frequency = Some(frequency_of(value)?),
                "INTERVAL" => rule.interval = value.parse().ok().filter(|interval| (1..=1_000).contains(interval))?,
                "COUNT" => rule.count = Some(value.parse().ok()?),
                "UNTIL" => rule.until = Some(value.to_owned()),
                "BYDAY" => rule.by_day = list(value, by_day)?,
                "BYMONTHDAY" => rule.by_month_day = list(value, |v| within(v, 31))?,
                "BYMONTH" => rule.by_month = list(value, |v| v.parse().ok().filter(|m| (1..=12).contains(m)))?,
                "BYSETPOS" => rule.by_set_position = list(value, |v| within(v, 366))?,
                "WKST" => rule.week_start = weekday(value)?,
                _ => return None,
            }
        }
        rule.frequency = frequency?;
        let yearly_days = rule.frequency == Frequency::Yearly && !rule.by_day.is_empty() && rule.by_month.is_empty();
        let placed_days = matches!(rule.frequency, Frequency::Daily | Frequency::Weekly)
            && rule.by_day.iter().any(|(place, _)| *place != 0);
        (!yearly_days && !placed_days).then_some(rule)
    }

    /// The days from `start` up to the last of the span, in order; each is given to `take` until that says to stop.
    /// Where nothing has to be counted, days before the span may be left out.
    pub fn days(&self, start: Date, span: (i64, i64), budget: &mut Budget, mut take: impl FnMut(i64) -> bool) {
        let (first, last) = (start.days(), span.1);
        let mut counted = 0;
        let longest = match self.frequency {
            Frequency::Daily => 1,
            Frequency::Weekly => 7,
            Frequency::Monthly => 31,
            Frequency::Yearly => 366,
        };
        let skipped = if self.count.is_some() { 0 } else { (span.0 - first) / (longest * self.interval) - 1 };
        for period in skipped.max(0).. {
            let (begins, mut days) = self.period(start, period * self.interval);
            if begins > last || !budget.step() {
                return;
            }
            days.sort_unstable();
            days.dedup();
            for day in self.positioned(&days).into_iter().filter(|day| *day >= first) {
                counted += 1;
                let over = self.count.is_some_and(|count| counted > count);
                if over || day > last || !budget.step() || !take(day) {
                    return;
                }
            }
        }
    }

    /// The day of the year in which the rule falls, for the changes of a time zone.
    pub fn in_year(&self, start: Date, year: i32) -> Option<i64> {
        let days = self.period(start, i64::from(year - start.year)).1;
        (self.frequency == Frequency::Yearly).then(|| days.into_iter().min()).flatten()
    }

    /// The first day of the period that many steps after the one of `start`, and the days in it.
    fn period(&self, start: Date, steps: i64) -> (i64, Vec<i64>) {
        match self.frequency {
            Frequency::Daily => {
                let day = start.days() + steps;
                (day, [day].into_iter().filter(|day| self.fits(*day)).collect())
            }
            Frequency::Weekly => {
                let into = (start.weekday() + 7 - self.week_start) % 7;
                let week = start.days() - i64::from(into) + 7 * steps;
                let days = (week..week + 7).filter(|day| match self.by_day.is_empty() {
                    true => Date::from_days(*day).weekday() == start.weekday() && self.in_months(*day),
                    false => self.fits(*day),
                });
                (week, days.collect())
            }
            Frequency::Monthly => {
                let months = i64::from(start.year) * 12 + i64::from(start.month) - 1 + steps;
                let (year, month) = (months.div_euclid(12) as i32, months.rem_euclid(12) as u32 + 1);
                let begins = Date::new(year, month, 1).map_or(i64::MAX, Date::days);
                let wanted = self.by_month.is_empty() || self.by_month.contains(&month);
                (begins, if wanted { self.in_month(start, year, month) } else { Vec::new() })
            }
            Frequency::Yearly => {
                let year = i64::from(start.year) + steps;
                let Ok(year) = i32::try_from(year) else { return (i64::MAX, Vec::new()) };
                let own = [start.month];
                let months = if self.by_month.is_empty() { &own[..] } else { &self.by_month };
                let days = months.iter().flat_map(|month| self.in_month(start, year, *month)).collect();
                (Date::new(year, 1, 1).map_or(i64::MAX, Date::days), days)
            }
        }
    }

    fn in_month(&self, start: Date, year: i32, month: u32) -> Vec<i64> {
        let Some(first) = Date::new(year, month, 1) else { return Vec::new() };
        let length = days_in_month(year, month);
        let dates = (1..=length).filter(|day| {
            let from_end = *day as i32 - length as i32 - 1;
            let named = |wanted: &[i32]| wanted.contains(&(*day as i32)) || wanted.contains(&from_end);
            match (self.by_day.is_empty(), self.by_month_day.is_empty()) {
                (true, true) => *day == start.day,
                (true, false) => named(&self.by_month_day),
                (false, _) => {
                    (self.by_month_day.is_empty() || named(&self.by_month_day)) && self.placed(first, *day, length)
                }
            }
        });
        dates.map(|day| first.days() + i64::from(day) - 1).collect()
    }

    /// Whether a day of a month is one of the weekdays asked for: every, the second, the last.
    fn placed(&self, first: Date, day: u32, length: u32) -> bool {
        let weekday = (first.weekday() + day - 1) % 7;
        let (from_start, from_end) = ((day - 1) / 7 + 1, (length - day) / 7 + 1);
        self.by_day.iter().any(|(place, wanted)| {
            *wanted == weekday && (*place == 0 || *place == from_start as i32 || *place == -(from_end as i32))
        })
    }

    fn fits(&self, day: i64) -> bool {
        let date = Date::from_days(day);
        let from_end = date.day as i32 - days_in_month(date.year, date.month) as i32 - 1;
        let days = &self.by_month_day;
        let of_month = days.is_empty() || days.contains(&(date.day as i32)) || days.contains(&from_end);
        let of_week = self.by_day.is_empty() || self.by_day.iter().any(|(_, weekday)| *weekday == date.weekday());
        of_month && of_week && self.in_months(day)
    }

    fn in_months(&self, day: i64) -> bool {
        self.by_month.is_empty() || self.by_month.contains(&Date::from_days(day).month)
    }

    fn positioned(&self, days: &[i64]) -> Vec<i64> {
        if self.by_set_position.is_empty() {
            return days.to_vec();
        }
        let at = |position: &i32| match *position {
            from_start @ 1.. => usize::try_from(from_start - 1).ok(),
            from_end => days.len().checked_sub(usize::try_from(-from_end).ok()?),
        };
        let mut kept: Vec<i64> =
            self.by_set_position.iter().filter_map(at).filter_map(|at| days.get(at).copied()).collect();
        kept.sort_unstable();
        kept
    }
}

fn frequency_of(text: &str) -> Option<Frequency> {
    match text.to_ascii_uppercase().as_str() {
        "DAILY" => Some(Frequency::Daily),
        "WEEKLY" => Some(Frequency::Weekly),
        "MONTHLY" => Some(Frequency::Monthly),
        "YEARLY" => Some(Frequency::Yearly),
        _ => None,
    }
}

/// At most 64 values, each of which must make sense.
fn list<T>(text: &str, one: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let values: Option<Vec<T>> = text.split(',').take(65).map(|value| one(value.trim())).collect();
    values.filter(|values| values.len() <= 64)
}

fn within(text: &str, most: i32) -> Option<i32> {
    text.parse().ok().filter(|value: &i32| *value != 0 && (-most..=most).contains(value))
}

fn by_day(text: &str) -> Option<(i32, u32)> {
    let (place, day) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let place = if place.is_empty() { 0 } else { within(place, 5)? };
    Some((place, weekday(day)?))
}

fn weekday(text: &str) -> Option<u32> {
    let days = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
    days.iter().position(|day| day.eq_ignore_ascii_case(text)).map(|day| day as u32)
}
