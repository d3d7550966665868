//! Date (RFC 3261 §20.17): the preferred format of RFC 1123, always GMT.

use crate::lex::number;
use crate::limits::HeaderError;
use crate::time::WallTime;

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Reads a SIP-date such as `Sat, 13 Nov 2010 23:29:00 GMT`.
///
/// # Errors
/// When it has another shape or time zone.
pub fn parse(value: &[u8]) -> Result<WallTime, HeaderError> {
    const BROKEN: HeaderError = HeaderError("Date is not an RFC 1123 date in GMT");
    if value.len() != 29 || &value[25..] != b" GMT" || &value[3..5] != b", " {
        return Err(BROKEN);
    }
    let separators = [(7, b' '), (11, b' '), (16, b' '), (19, b':'), (22, b':')];
    if separators.iter().any(|&(at, b)| value[at] != b) || !DAYS.iter().any(|d| d.as_bytes() == &value[..3]) {
        return Err(BROKEN);
    }
    let field = |from: usize, to: usize, max: u64| number(&value[from..to], max).ok_or(BROKEN);
    let (day, year) = (field(5, 7, 31)?, field(12, 16, 9999)?);
    let (hour, minute, second) = (field(17, 19, 23)?, field(20, 22, 59)?, field(23, 25, 60)?);
    let month = MONTHS.iter().position(|m| m.as_bytes() == &value[8..11]).ok_or(BROKEN)? as u64 + 1;
    if day == 0 || year < 1970 {
        return Err(BROKEN);
    }
    let days = days_from_civil(year, month, day);
    Ok(WallTime((days * 86_400 + hour * 3600 + minute * 60 + second) * 1000))
}

/// Adds the Date value of a moment.
pub fn write(out: &mut Vec<u8>, at: WallTime) {
    let seconds = at.seconds();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil_from_days(days);
    let weekday = DAYS[(days % 7) as usize];
    let month = MONTHS[(month - 1) as usize];
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    let text = format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT");
    out.extend_from_slice(text.as_bytes());
}

// Days since 1970-01-01 and back, after Howard Hinnant's "chrono-compatible date algorithms".
fn days_from_civil(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year / 400;
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let of_era = days - era * 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_round_trip() {
        for seconds in [0, 1_289_690_940, 951_782_400, 4_102_444_799, 1_709_164_800] {
            let mut text = Vec::new();
            write(&mut text, WallTime(seconds * 1000));
            assert_eq!(parse(&text), Ok(WallTime(seconds * 1000)));
        }
        assert_eq!(parse(b"Sat, 13 Nov 2010 23:29:00 GMT"), Ok(WallTime(1_289_690_940_000)));
    }

    #[test]
    fn other_zones_and_shapes_are_refused() {
        for bad in
            [&b"Fri, 01 Jan 2010 16:00:00 EST"[..], b"", b"Fri, 00 Jan 2010 16:00:00 GMT", b"01 Jan 2010 16:00:00 GMT"]
        {
            assert!(parse(bad).is_err());
        }
    }
}
