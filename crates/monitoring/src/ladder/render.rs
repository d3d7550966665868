//! A ladder as text: one column per party, one line per message.

use super::Ladder;
use crate::explain::Verdict;
use crate::head::{Head, address};

/// How to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Lines and arrows of Unicode, else of ASCII.
    pub unicode: bool,
    /// From one column's line to the next.
    pub column: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self { unicode: true, column: 28 }
    }
}

/// The characters of a style.
struct Pen {
    lane: char,
    line: char,
    right: char,
    left: char,
    failed: &'static str,
}

const UNICODE: Pen = Pen { lane: '│', line: '─', right: '▶', left: '◀', failed: "✗" };
const ASCII: Pen = Pen { lane: '|', line: '-', right: '>', left: '<', failed: "X" };
/// Before the first lane: the time and some room for its name.
const MARGIN: usize = 24;

pub(super) fn render(ladder: &Ladder, style: Style) -> String {
    let pen = if style.unicode { UNICODE } else { ASCII };
    let column = style.column.clamp(12, 80);
    let mut out = String::new();
    let names = ladder.lanes.iter().map(|lane| lane.name.clone());
    heading(names, column, &mut out);
    let places = ladder.lanes.iter().map(|lane| match (lane.address, lane.transport) {
        (Some(address), Some(transport)) => format!("{address} {}", transport.as_str()),
        _ => String::new(),
    });
    heading(places, column, &mut out);
    for rung in &ladder.rungs {
        let mut canvas: Vec<char> = vec![' '; MARGIN + column * ladder.lanes.len().saturating_sub(1) + 1];
        for lane in 0..ladder.lanes.len() {
            canvas[MARGIN + lane * column] = pen.lane;
        }
        write_at(&mut canvas, 0, &rung.entry.time.time_of_day());
        let mut label = label(&rung.entry.head());
        if rung.again {
            label.push_str(" (again)");
        }
        arrow(&mut canvas, MARGIN + rung.from * column, MARGIN + rung.to * column, &label, &pen);
        let mut line: String = canvas.into_iter().collect();
        if ladder.explanation.transaction == Some(rung.transaction) && ladder.explanation.verdict == Verdict::Failed {
            line.push_str("  ");
            line.push_str(pen.failed);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    let explanation = &ladder.explanation;
    out.push_str(&format!("\n{} {}\n", explanation.code, explanation.sentence));
    if !explanation.hint.is_empty() {
        out.push_str(&format!("What to do: {}\n", explanation.hint));
    }
    out
}

/// One word per lane, centred over its line.
fn heading(words: impl Iterator<Item = String>, column: usize, out: &mut String) {
    let mut line: Vec<char> = Vec::new();
    for (lane, word) in words.enumerate() {
        let word: String = word.chars().take(column - 1).collect();
        let centre = MARGIN + lane * column;
        let start = centre.saturating_sub(word.chars().count() / 2);
        line.resize(line.len().max(start + word.chars().count()), ' ');
        write_at(&mut line, start, &word);
    }
    let line: String = line.into_iter().collect();
    if !line.trim().is_empty() {
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

fn arrow(canvas: &mut [char], from: usize, to: usize, label: &str, pen: &Pen) {
    let (low, high) = (from.min(to), from.max(to));
    if high - low < 4 {
        return;
    }
    canvas[low + 1..high].fill(pen.line);
    if from < to {
        canvas[high - 1] = pen.right;
    } else {
        canvas[low + 1] = pen.left;
    }
    let room = high - low - 7;
    let text: String = label.chars().take(room).collect();
    let padded = format!(" {text} ");
    let start = low + 1 + (high - low - 1 - padded.chars().count()) / 2;
    write_at(canvas, start, &padded);
}

fn write_at(canvas: &mut [char], at: usize, text: &str) {
    for (cell, c) in canvas.iter_mut().skip(at).zip(text.chars()) {
        *cell = c;
    }
}

/// A message in a few words: `INVITE ben`, `180 Ringing`.
fn label(head: &Head<'_>) -> String {
    if head.is_request() {
        let target = address(head.request_uri());
        let user = target.split_once('@').map_or(target, |(user, _)| user);
        format!("{} {user}", head.method).trim_end().to_owned()
    } else {
        head.first_line.strip_prefix("SIP/2.0 ").unwrap_or(head.first_line).to_owned()
    }
}
