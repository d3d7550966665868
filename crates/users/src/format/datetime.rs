//! Dates and times as XML and calendars write them (RFC 3339), and the calendar's arithmetic.

use lyceum_sip::time::WallTime;

/// Milliseconds of a day.
pub const DAY_MS: u64 = 86_400_000;

/// A date of the Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// Year, 1970 to 9999.
    pub year: i32,
    /// Month, 1 to 12.
    pub month: u32,
    /// Day of the month, 1 to 31.
    pub day: u32,
}

impl Date {
    /// The date, if there is one.
    pub fn new(year: i32, month: u32, day: u32) -> Option<Date> {
        let valid = (1970..=9999).contains(&year) && (1..=12).contains(&month);
        (valid && (1..=days_in_month(year, month)).contains(&day)).then_some(Date { year, month, day })
    }

    /// Days since 1970-01-01.
    pub fn days(self) -> i64 {
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let (era, month) = (year.div_euclid(400), i64::from((self.month + 9) % 12));
        let of_era = year.rem_euclid(400);
        let of_year = (153 * month + 2) / 5 + i64::from(self.day) - 1;
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
    }

    /// The date that many days after 1970-01-01.
    pub fn from_days(days: i64) -> Date {
        let days = days + 719_468;
        let of_era = days.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year_of_era + days.div_euclid(146_097) * 400 + i64::from(month <= 2);
        Date { year: year as i32, month: month as u32, day: day as u32 }
    }

    /// 0 for Monday to 6 for Sunday.
    pub fn weekday(self) -> u32 {
        (self.days() + 3).rem_euclid(7) as u32
    }
}

/// Days of a month.
pub fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Appends `2026-03-29T09:15:00Z`.
pub fn write_utc(out: &mut Vec<u8>, at: WallTime) {
    let date = Date::from_days((at.0 / DAY_MS) as i64);
    let second = at.0 % DAY_MS / 1000;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let Date { year, month, day } = date;
    let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
    out.extend_from_slice(text.as_bytes());
}

/// Reads an RFC 3339 date and time: an offset or `Z` must be there, fractions of a second are kept to the millisecond.
pub fn read(text: &str) -> Option<WallTime> {
    let bytes = text.as_bytes();
    let number = |from: usize, len: usize| -> Option<u32> {
        let digits = text.get(from..from + len)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
    };
    let is = |at: usize, any: &[u8]| bytes.get(at).is_some_and(|b| any.contains(b));
    if !(is(4, b"-") && is(7, b"-") && is(10, b"Tt ") && is(13, b":") && is(16, b":")) {
        return None;
    }
    let date = Date::new(number(0, 4)?.try_into().ok()?, number(5, 2)?, number(8, 2)?)?;
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut rest = text.get(19..)?;
    let mut millis = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let len = fraction.bytes().take_while(u8::is_ascii_digit).count();
        let digits = fraction.bytes().take(len.min(3));
        millis = digits.zip([100, 10, 1]).map(|(digit, worth)| i64::from(digit - b'0') * worth).sum();
        rest = if len == 0 { return None } else { &fraction[len..] };
    }
    let seconds = date.days() * 86_400 + i64::from(hour * 3600 + minute * 60 + second) - offset(rest)?;
    u64::try_from(seconds * 1000 + millis).ok().map(WallTime)
}

/// Seconds east of Greenwich.
fn offset(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let part = |text: &str, most: i64| {
        let valid = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        valid.then(|| text.parse().ok()).flatten().filter(|value: &i64| *value <= most)
    };
    Some(sign * (part(hours, 23)? * 3600 + part(minutes, 59)? * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_a_century_goes_there_and_back() {
        let first = Date::new(1970, 1, 1).unwrap();
        assert_eq!((first.days(), first.weekday()), (0, 3), "a Thursday");
        for days in 0..36_525 {
            let date = Date::from_days(days);
            assert_eq!(date.days(), days);
            assert_eq!(Date::new(date.year, date.month, date.day), Some(date));
        }
    }

    #[test]
    fn times_are_read_with_any_offset_and_written_in_utc() {
        for (text, utc) in [
            ("2026-03-29T09:15:00Z", "2026-03-29T09:15:00Z"),
            ("2026-03-29t11:15:00.250+02:00", "2026-03-29T09:15:00Z"),
            ("2024-02-29T23:59:59-00:30", "2024-03-01T00:29:59Z"),
        ] {
            let mut out = Vec::new();
            write_utc(&mut out, read(text).unwrap());
            assert_eq!(String::from_utf8(out).unwrap(), utc);
        }
        for text in ["", "2026-03-29", "2026-02-30T00:00:00Z", "2026-03-29T24:00:00Z", "2026-03-29T09:15:00", "é"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
