//! `--from` and `--to`: a moment, or how long ago.

use crate::failure::Failure;
use clap::Args;
use lyceum_api::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

#[derive(Debug, Args)]
pub struct Period {
    /// Not before: 2026-01-31T08:05:00Z, 2026-01-31, or how long ago: 90s, 30m, 2h, 7d
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Not after
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
}

impl Period {
    /// Both ends as query parameters.
    pub fn query(self) -> Result<[(&'static str, Option<String>); 2], Failure> {
        let now = now();
        let read = |text: Option<String>| text.map(|text| moment(&text, now)).transpose();
        Ok([("from", read(self.from)?), ("to", read(self.to)?)])
    }
}

/// Milliseconds since the Unix epoch.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
}

/// One moment, as `--from` takes it.
pub fn moment_now(text: &str) -> Result<String, Failure> {
    moment(text, now())
}

/// A moment to come: absolute, or how long from now.
pub fn moment_ahead(text: &str) -> Result<String, Failure> {
    ahead(text, now())
}

fn moment(text: &str, now: u64) -> Result<String, Failure> {
    let relative = duration(text).map(|ms| Timestamp(now.saturating_sub(ms)));
    absolute(relative, text, "30m for half an hour ago")
}

fn ahead(text: &str, now: u64) -> Result<String, Failure> {
    let relative = duration(text).map(|ms| Timestamp(now.saturating_add(ms)));
    absolute(relative, text, "30m for half an hour from now")
}

/// Milliseconds of `90s`, `30m`, `2h`, `7d`.
fn duration(text: &str) -> Option<u64> {
    let units = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];
    let ms = |(number, seconds): (&str, u64)| number.parse::<u64>().ok()?.checked_mul(seconds * 1000);
    units.iter().find_map(|(unit, seconds)| ms((text.strip_suffix(*unit)?, *seconds)))
}

fn absolute(relative: Option<Timestamp>, text: &str, example: &str) -> Result<String, Failure> {
    relative.or_else(|| Timestamp::parse(text)).map(|t| t.to_string()).ok_or_else(|| {
        Failure::Usage(format!("'{text}' is no time: write 2026-01-31T08:05:00Z, 2026-01-31, or {example}"))
    })
}

#[cfg(test)]
mod tests {
    use super::{ahead, moment};

    #[test]
    fn moments_are_absolute_or_ago() {
        let now = 86_400_000;
        assert_eq!(moment("30m", now).expect("a time"), "1970-01-01T23:30:00.000Z");
        assert_eq!(moment("2d", now).expect("a time"), "1970-01-01T00:00:00.000Z");
        assert_eq!(moment("1970-01-02", now).expect("a time"), "1970-01-02T00:00:00.000Z");
        assert!(moment("soon", now).is_err());
        assert_eq!(ahead("90m", now).expect("a time"), "1970-01-02T01:30:00.000Z");
        assert!(ahead("soon", now).is_err());
    }
}
