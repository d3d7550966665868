//! What each link carries in each direction, as bars against its speed.

use super::Picture;
use super::canvas::{Canvas, SMALL, TEXT};
use super::measure;
use super::world::classes;
use crate::bandwidth::{Direction, LinkDemand, Modality};
use crate::results::Results;
use crate::table::grouped;

const WIDTH: f64 = 960.0;
const MARGIN: f64 = 24.0;
/// Where bars begin, and how long one is that fills its link.
const BARS: (f64, f64) = (232.0, 440.0);
/// Bars end here, in parts of their link, with the number beside.
const MOST: f64 = 1.2;
const ROW: f64 = 22.0;
/// Links drawn; those that lack most, where there are more.
const MAX_LINKS: usize = 60;

/// Draws the links.
pub(super) fn draw(results: &Results<'_>) -> Picture {
    let mut links: Vec<&LinkDemand> = results.bandwidth.links.iter().collect();
    let all = links.len();
    if all > MAX_LINKS {
        // The fullest ones; the sort is stable, so that equals keep the plan's order.
        links.sort_by(|a, b| fullness(b).partial_cmp(&fullness(a)).unwrap_or(std::cmp::Ordering::Equal));
        links.truncate(MAX_LINKS);
    }
    let mut canvas = Canvas::new(WIDTH);
    canvas.text("h", (MARGIN, 34.0), "Planned traffic of each link, against its speed");
    let mut y = legend(&mut canvas, results) + 14.0;
    axis(&mut canvas, y);
    y += 12.0;
    for link in &links {
        y = row(&mut canvas, y, link);
    }
    if links.is_empty() {
        canvas.text("m", (MARGIN, y + 16.0), "There is one site and nobody outside: no link carries anything.");
        y += 30.0;
    }
    if all > links.len() {
        canvas.text(
            "s m",
            (MARGIN, y + 10.0),
            &format!("The {} fullest of {all} links; all are in the table.", links.len()),
        );
        y += 20.0;
    }
    let description = "A bar for each link and direction, divided by kind of traffic; a line shows the share that real-time traffic may use.";
    let element = canvas.finish(y + 12.0, "Bandwidth of links", description);
    Picture { id: "links".to_owned(), title: "Bandwidth of links".to_owned(), element }
}

/// The speed that bars are drawn against: the link's, else the one it needs.
fn whole(link: &LinkDemand) -> f64 {
    let kbps = link.mbps.unwrap_or(link.needed_mbps.value) * 1000.0;
    if kbps > 0.0 { kbps } else { 1.0 }
}

fn fullness(link: &LinkDemand) -> f64 {
    let most = link.directions.iter().map(|way| way.planned_kbps).fold(0.0, f64::max);
    if link.mbps.is_some() { most / whole(link) } else { 0.0 }
}

fn kind(modality: Modality) -> usize {
    Modality::ALL.iter().position(|known| *known == modality).unwrap_or(0)
}

fn legend(canvas: &mut Canvas, results: &Results<'_>) -> f64 {
    let (mut x, mut y) = (MARGIN, 58.0);
    for modality in Modality::ALL {
        if !results.bandwidth.totals.contains_key(&modality) {
            continue;
        }
        let wide = 30.0 + measure::width(modality.name(), SMALL);
        if x + wide > WIDTH - MARGIN {
            (x, y) = (MARGIN, y + 20.0);
        }
        canvas.bar(&format!("k{}", kind(modality)), (x, y - 9.0), (12.0, 10.0), 2.0);
        canvas.text("s", (x + 17.0, y), modality.name());
        x += wide;
    }
    let words = "share for real-time traffic";
    if x + 40.0 + measure::width(words, SMALL) > WIDTH - MARGIN {
        (x, y) = (MARGIN, y + 20.0);
    }
    canvas.line("limit", 2.0, &[(x + 6.0, y - 11.0), (x + 6.0, y + 3.0)]);
    canvas.text("s", (x + 17.0, y), words);
    y
}

fn axis(canvas: &mut Canvas, y: f64) {
    for part in [0.0, 0.25, 0.5, 0.75, 1.0] {
        canvas.text("s m c", (BARS.0 + part * BARS.1, y + 8.0), &format!("{} %", part * 100.0));
    }
}

/// One link with its two directions; gives where the next one begins.
fn row(canvas: &mut Canvas, y: f64, link: &LinkDemand) -> f64 {
    let (_, words) = classes(link.verdict);
    let height = 20.0 + 2.0 * ROW + 6.0;
    canvas.line("thin", 1.0, &[(MARGIN, y), (WIDTH - MARGIN, y)]);
    for part in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let x = BARS.0 + part * BARS.1;
        canvas.line("thin", 1.0, &[(x, y), (x, y + height)]);
    }
    let speed = match link.mbps {
        Some(mbps) => format!("{} to {}, {} Mbps", link.from, link.to, grouped(mbps)),
        None => format!(
            "{} to {}, no speed given: against the {} Mbps it needs",
            link.from,
            link.to,
            // As the other pictures write it.
            grouped((link.needed_mbps.value * 10.0).ceil() / 10.0)
        ),
    };
    canvas.fitted("b", (MARGIN, y + 15.0), &speed, TEXT, 560.0);
    canvas.fitted(&format!("s e {words}"), (WIDTH - MARGIN, y + 15.0), link.verdict.words(), SMALL, 330.0);
    let share = link.share_kbps.as_ref().map(|figure| figure.value / whole(link));
    for (way, direction) in link.directions.iter().enumerate() {
        let top = y + 20.0 + way as f64 * ROW;
        let to = if way == 0 { &link.to } else { &link.from };
        canvas.fitted("s m e", (BARS.0 - 8.0, top + 14.0), &format!("to {to}"), SMALL, BARS.0 - MARGIN - 12.0);
        bar(canvas, top + 3.0, direction, whole(link));
        if let Some(share) = share {
            let x = BARS.0 + share.min(MOST) * BARS.1;
            canvas.line("limit", 2.0, &[(x, top), (x, top + ROW - 2.0)]);
        }
    }
    y + height
}

/// The traffic of one direction, by kind, and its number.
fn bar(canvas: &mut Canvas, top: f64, direction: &Direction, whole: f64) {
    let (mut x, end) = (BARS.0, BARS.0 + MOST * BARS.1);
    for flow in &direction.flows {
        let next = (x + flow.planned.value / whole * BARS.1).min(end);
        canvas.bar(&format!("k{}", kind(flow.modality)), (x, top), (next - x, ROW - 8.0), 0.0);
        x = next;
    }
    let percent = (direction.planned_kbps / whole * 100.0).round();
    let mbps = (direction.planned_kbps / 100.0).round() / 10.0;
    let text = format!("{} Mbps, {} %", grouped(mbps), grouped(percent));
    canvas.fitted("s", (end + 10.0, top + 11.0), &text, SMALL, WIDTH - MARGIN - end - 10.0);
}
