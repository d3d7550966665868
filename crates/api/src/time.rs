//! A moment on the wire: RFC 3339 in UTC with milliseconds, `2026-01-31T08:05:09.120Z`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

/// Milliseconds since the Unix epoch; written and read as RFC 3339 text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-01-31T08:05:09.120Z")]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// Reads RFC 3339 text (`Z` or a numeric offset), a bare date, or `YYYY-MM-DD HH:MM[:SS]` taken as UTC.
    pub fn parse(text: &str) -> Option<Timestamp> {
        let text = text.trim();
        let days = date(text.get(..10)?)?;
        let rest = text.get(10..)?;
        if rest.is_empty() {
            return Some(Timestamp(days * 86_400_000));
        }
        let clock = rest.strip_prefix(['T', 't', ' '])?;
        let (clock, offset) = split_offset(clock)?;
        let at = (days * 86_400_000 + millis_of_day(clock)?) as i64 - offset;
        u64::try_from(at).ok().map(Timestamp)
    }
}

fn number(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Days since the epoch of `YYYY-MM-DD`, from 1970 on.
fn date(text: &str) -> Option<u64> {
    let mut parts = text.split('-');
    let (y, m, d) = (number(parts.next()?)?, number(parts.next()?)?, number(parts.next()?)?);
    if y < 1970 || !(1..=12).contains(&m) || !(1..=31).contains(&d) {
        return None;
    }
    // Days from civil, Howard Hinnant's algorithm: the year starts in March.
    let (y, m) = if m <= 2 { (y - 1, m + 9) } else { (y, m - 3) };
    let (era, yoe) = (y / 400, y % 400);
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + (153 * m + 2) / 5 + d - 1;
    (era * 146_097 + doe).checked_sub(719_468)
}

/// Splits `08:05:09Z` or `08:05:09+02:00` into clock text and offset in milliseconds.
fn split_offset(text: &str) -> Option<(&str, i64)> {
    if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let Some(at) = text.rfind(['+', '-']) else {
        return Some((text, 0));
    };
    let (h, m) = text[at + 1..].split_once(':')?;
    let offset = (number(h)? * 60 + number(m)?) as i64 * 60_000;
    Some((&text[..at], if text.as_bytes()[at] == b'-' { -offset } else { offset }))
}

fn millis_of_day(clock: &str) -> Option<u64> {
    let mut parts = clock.split(':');
    let (h, m) = (number(parts.next()?)?, number(parts.next()?)?);
    let (s, ms) = match parts.next() {
        None => (0, 0),
        Some(s) => match s.split_once('.') {
            None => (number(s)?, 0),
            Some((s, fraction)) => {
                let digits: String = fraction.chars().chain("00".chars()).take(3).collect();
                (number(s)?, number(&digits)?)
            }
        },
    };
    (h < 24 && m < 60 && s <= 60).then_some(((h * 60 + m) * 60 + s) * 1000 + ms)
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (days, ms) = (self.0 / 86_400_000, self.0 % 86_400_000);
        let z = days + 719_468;
        let (era, doe) = (z / 146_097, z % 146_097);
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let (d, m) = (doy - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
        let y = era * 400 + yoe + u64::from(m <= 2);
        let (s, ms) = (ms / 1000, ms % 1000);
        write!(f, "{y:04}-{m:02}-{d:02}T{:02}:{:02}:{:02}.{ms:03}Z", s / 3600, s / 60 % 60, s % 60)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Timestamp::parse(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("'{text}' is not a time such as 2026-01-31T08:05:09Z")))
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn times_are_written_and_read_as_rfc_3339() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_769_846_709_120, "2026-01-31T08:05:09.120Z"),
            (4_102_444_799_999, "2099-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Timestamp(ms).to_string(), text);
            assert_eq!(Timestamp::parse(text), Some(Timestamp(ms)));
        }
    }

    #[test]
    fn offsets_dates_and_short_clocks_are_read() {
        let at = Timestamp::parse("2026-01-31T08:05:00Z");
        assert_eq!(Timestamp::parse("2026-01-31T10:05:00+02:00"), at);
        assert_eq!(Timestamp::parse("2026-01-31 08:05"), at);
        assert_eq!(Timestamp::parse("1970-01-02"), Some(Timestamp(86_400_000)));
        for bad in ["", "yesterday", "2026-13-01", "2026-01-31T25:00:00Z", "2026-01-31T", "1969-12-31", "ä026-01-01x"]
        {
            assert_eq!(Timestamp::parse(bad), None, "{bad}");
        }
    }
}
