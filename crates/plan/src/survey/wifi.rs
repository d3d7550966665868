//! A Wi-Fi survey against what real-time traffic needs: signal, noise, neighbours on the same channel, coverage.

use std::collections::BTreeMap;

use serde::Serialize;

use super::sheet::{Faults, Row, Sheet};
use crate::figures::{Datum, limit};
use crate::table::{Table, row};

/// One measured point.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Point {
    /// Where the file has it.
    pub line: usize,
    /// The floor.
    pub floor: String,
    /// What the point is called.
    pub point: String,
    /// Signal in dBm.
    pub rssi: f64,
    /// Signal over noise in dB.
    pub snr: f64,
    /// Signal over the strongest neighbour on the same channel in dB, where there is one.
    pub separation: Option<f64>,
    /// What fails there.
    pub fails: Vec<Shortfall>,
}

/// What fails at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shortfall {
    /// The signal is too weak.
    Signal,
    /// The noise is too strong.
    Noise,
    /// A neighbour on the same channel is too strong.
    Separation,
}

/// One floor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Floor {
    /// Its name.
    pub floor: String,
    /// Points where people use it.
    pub points: usize,
    /// Of these, points where nothing fails.
    pub good: usize,
    /// The good ones by hundred.
    pub coverage: f64,
    /// Points by what fails.
    pub fails: BTreeMap<Shortfall, usize>,
    /// The weakest signal.
    pub worst_rssi: f64,
    /// Whether it will do.
    pub passes: bool,
}

/// A survey, judged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WifiSurvey {
    /// Each floor.
    pub floors: Vec<Floor>,
    /// The points where something fails.
    pub failing: Vec<Point>,
    /// Points outside the areas of use, which are not judged.
    pub unused: usize,
    /// Whether every floor will do.
    pub passes: bool,
    /// What was asked for.
    pub limits: [&'static Datum; 4],
}

/// Reads and judges a survey.
///
/// Columns: `floor`, `point`, `rssi_dbm`, `snr_db` or `noise_dbm`, and where there are neighbours `separation_db` or
/// `cochannel_dbm`; `in_use` says `no` where nobody uses it.
pub fn judge_wifi(text: &str) -> Result<WifiSurvey, Faults> {
    let points = Sheet::read(text, &["floor", "point", "rssi_dbm"])?.rows(read)?;
    let (used, unused): (Vec<_>, Vec<_>) = points.into_iter().partition(|(_, used)| *used);
    let mut floors: BTreeMap<String, Floor> = BTreeMap::new();
    let mut failing = Vec::new();
    for (point, _) in used {
        let floor = floors.entry(point.floor.clone()).or_insert_with(|| Floor {
            floor: point.floor.clone(),
            points: 0,
            good: 0,
            coverage: 0.0,
            fails: BTreeMap::new(),
            worst_rssi: f64::INFINITY,
            passes: false,
        });
        floor.points += 1;
        floor.worst_rssi = floor.worst_rssi.min(point.rssi);
        for fail in &point.fails {
            *floor.fails.entry(*fail).or_default() += 1;
        }
        if point.fails.is_empty() {
            floor.good += 1;
        } else {
            failing.push(point);
        }
    }
    let limits = ["wifi.rssi", "wifi.snr", "wifi.separation", "wifi.coverage"].map(limit);
    let floors: Vec<Floor> = floors
        .into_values()
        .map(|floor| {
            let coverage = floor.good as f64 * 100.0 / floor.points as f64;
            Floor { coverage, passes: coverage >= limits[3].value, ..floor }
        })
        .collect();
    let passes = !floors.is_empty() && floors.iter().all(|floor| floor.passes);
    Ok(WifiSurvey { floors, failing, unused: unused.len(), passes, limits })
}

fn read(row: &mut Row<'_>) -> Option<(Point, bool)> {
    let (floor, point) = (row.word("floor"), row.word("point"));
    let rssi = row.must("rssi_dbm", -120.0, 0.0, "dBm");
    let snr = row.number("snr_db", -20.0, 100.0, "dB");
    let noise = row.number("noise_dbm", -130.0, 0.0, "dBm");
    let separation = row.number("separation_db", -100.0, 120.0, "dB");
    let neighbour = row.number("cochannel_dbm", -130.0, 0.0, "dBm");
    let used = row.flag("in_use", true);
    let (floor, point, rssi, used) = (floor?, point?, rssi?, used?);
    let snr = match (snr.ok()?, noise.ok()?) {
        (Some(snr), _) => snr,
        (None, Some(noise)) => rssi - noise,
        (None, None) => {
            row.fault("snr_db", "a number of dB here, or of dBm in noise_dbm");
            return None;
        }
    };
    let separation = separation.ok()?.or(neighbour.ok()?.map(|neighbour| rssi - neighbour));
    let mut fails = Vec::new();
    if rssi < limit("wifi.rssi").value {
        fails.push(Shortfall::Signal);
    }
    if snr < limit("wifi.snr").value {
        fails.push(Shortfall::Noise);
    }
    if separation.is_some_and(|separation| separation < limit("wifi.separation").value) {
        fails.push(Shortfall::Separation);
    }
    Some((Point { line: row.line(), floor, point, rssi, snr, separation, fails }, used))
}

impl WifiSurvey {
    /// The floors, and the points that fail.
    pub fn tables(&self) -> Vec<Table> {
        let columns = [
            "floor",
            "points",
            "good",
            "coverage (%)",
            "weak signal",
            "noisy",
            "close neighbours",
            "weakest (dBm)",
            "passes",
        ];
        let mut floors = Table::new("Wi-Fi by floor", &columns);
        for floor in &self.floors {
            let count = |fail: Shortfall| floor.fails.get(&fail).copied().unwrap_or(0);
            floors.rows.push(row![
                &floor.floor,
                floor.points,
                floor.good,
                floor.coverage,
                count(Shortfall::Signal),
                count(Shortfall::Noise),
                count(Shortfall::Separation),
                floor.worst_rssi,
                floor.passes,
            ]);
        }
        for datum in self.limits {
            floors
                .notes
                .push(format!("{}: {} {} {} ({})", datum.id, datum.value, datum.unit, datum.note, datum.source));
        }
        if self.unused > 0 {
            floors.notes.push(format!("{} points outside the areas of use are not judged", self.unused));
        }
        let mut failing = Table::new(
            "Wi-Fi: points that fail",
            &["floor", "point", "signal (dBm)", "SNR (dB)", "separation (dB)", "fails", "line"],
        );
        for point in &self.failing {
            let words = |fail: &Shortfall| match fail {
                Shortfall::Signal => "signal",
                Shortfall::Noise => "noise",
                Shortfall::Separation => "neighbour on the channel",
            };
            let fails: Vec<&str> = point.fails.iter().map(words).collect();
            failing.rows.push(row![
                &point.floor,
                &point.point,
                point.rssi,
                point.snr,
                point.separation,
                fails.join(", "),
                point.line
            ]);
        }
        vec![floors, failing]
    }
}
