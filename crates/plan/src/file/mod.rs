//! The plan file: TOML in which every answer may be missing, and a wrong one is named with its line, its field and what
//! was expected.

mod answer;
mod check;
mod choice;
mod draft;
mod field;
mod model;
mod read;
mod section;
mod template;

pub use answer::{Answer, Answered, Origin, Problem, Problems};
pub use choice::{AudioMode, Breakout, Edition, LargeMeetings, LoadBalancing, Mediation, SimpleUrls, Usage};
pub(crate) use draft::{Draft, DraftTable, quoted};
pub use field::{Field, Kind, fields};
pub use model::{
    Access, Archiving, Availability, Chat, Exchange, Hardware, Link, Meetings, Mobility, Model, Monitoring, NetworkUse,
    Organisation, Persona, Plan, Site, Voice, Vpn,
};
pub use template::template;

/// The largest plan file that is read, in bytes.
pub const MAX_FILE_BYTES: usize = 4 << 20;
/// Sites of a plan.
pub const MAX_SITES: usize = 1000;
/// Links of a plan.
pub const MAX_LINKS: usize = 4000;
/// Personas of a plan.
pub const MAX_PERSONAS: usize = 100;

use toml::de::{DeTable, DeValue};

use section::{Notes, Section};

impl Plan {
    /// Reads a plan file. All faults are named at once, in the order of their lines.
    pub fn read(text: &str) -> Result<Plan, Problems> {
        let mut notes = Notes::new(text);
        if text.len() > MAX_FILE_BYTES {
            let found = format!("a file of {} bytes", text.len());
            notes.problem(1, "", &found, format!("at most {MAX_FILE_BYTES} bytes"));
            return Err(Problems(notes.problems));
        }
        let (root, faults) = DeTable::parse_recoverable(text);
        for fault in &faults {
            let line = notes.line(fault.span().map_or(0, |span| span.start));
            notes.problem(line, "", &format!("text that is not TOML ({})", fault.message()), "TOML: `key = value`");
        }
        if !faults.is_empty() {
            return Err(sorted(notes.problems));
        }
        refuse_unknown_tables(&mut notes, root.get_ref());
        let plan = read::plan(&mut notes, root.get_ref());
        if notes.problems.is_empty() { Ok(plan) } else { Err(sorted(notes.problems)) }
    }

    /// The answers that the file left to Lync's defaults.
    pub fn assumed(&self) -> impl Iterator<Item = &Answered> {
        self.answers.iter().filter(|answer| matches!(answer.origin, Origin::Assumed(_)))
    }
}

fn sorted(mut problems: Vec<Problem>) -> Problems {
    problems.sort_by_key(|problem| problem.line);
    Problems(problems)
}

/// Tables that may come many times, as `[[name]]`.
const LISTS: &[&str] = &["site", "link", "persona"];

fn refuse_unknown_tables(notes: &mut Notes<'_>, root: &DeTable<'_>) {
    let names: std::collections::BTreeSet<&str> = fields().iter().map(|field| field.section).collect();
    for (name, value) in root.iter() {
        let (name, line) = (name.get_ref().as_ref(), notes.line(name.span().start));
        let list = LISTS.contains(&name);
        let (wanted, fits) = match list {
            true => (
                format!("[[{name}]]"),
                value.get_ref().as_array().is_some_and(|a| a.iter().all(|v| v.get_ref().is_table())),
            ),
            false => (format!("[{name}]"), value.get_ref().is_table()),
        };
        if !names.contains(name) {
            let nearest = names.iter().map(|known| (section::distance(known, name), *known)).min();
            let expected = match nearest {
                Some((steps, known)) if steps <= 2 => format!("\"{known}\", if that is what is meant"),
                _ => format!("one of {}", names.iter().copied().collect::<Vec<_>>().join(", ")),
            };
            notes.problem(line, name, "a table that means nothing here", expected);
        } else if !fits {
            notes.problem(line, name, value.get_ref().type_str(), wanted);
        }
    }
}

/// The table `name`, if the file has one.
fn table<'n, 't>(root: &'n DeTable<'t>, name: &str) -> Option<(&'n DeTable<'t>, usize)> {
    let value = root.get(name)?;
    value.get_ref().as_table().map(|table| (table, value.span().start))
}

/// The tables `[[name]]`.
fn tables<'n, 't>(root: &'n DeTable<'t>, name: &str) -> Vec<(&'n DeTable<'t>, usize)> {
    let items = root.get(name).and_then(|value| value.get_ref().as_array());
    let items = items.into_iter().flat_map(|items| items.iter());
    items.filter_map(|item| Some((DeValue::as_table(item.get_ref())?, item.span().start))).collect()
}

fn section<'n, 't>(notes: &'n mut Notes<'t>, root: &'n DeTable<'t>, name: &'static str) -> Section<'n, 't> {
    Section::new(notes, name, name.to_owned(), table(root, name))
}

#[cfg(test)]
mod tests;
