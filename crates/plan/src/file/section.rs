//! Reads one table of the file by the questions of [`fields`](super::field::fields), and notes every fault on the way.

use std::net::Ipv4Addr;

use toml::de::{DeTable, DeValue};

use super::answer::{Answer, Answered, Origin, Problem};
use super::choice::Choice;
use super::field::{self, Field, Kind};
use crate::network::Network;
use lyceum_topology::qos::PortRange;

/// Faults named at once; what comes after them is not looked for.
pub(super) const MAX_PROBLEMS: usize = 200;

/// What reading gathers: the answers and the faults.
pub(super) struct Notes<'t> {
    text: &'t str,
    starts: Vec<usize>,
    pub(super) answers: Vec<Answered>,
    pub(super) problems: Vec<Problem>,
}

impl<'t> Notes<'t> {
    pub(super) fn new(text: &'t str) -> Notes<'t> {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Notes { text, starts, answers: Vec::new(), problems: Vec::new() }
    }

    /// The line of a place in the text, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|&start| start <= at.min(self.text.len()))
    }

    pub(super) fn problem(&mut self, line: usize, field: impl Into<String>, found: &str, expected: impl Into<String>) {
        if self.problems.len() < MAX_PROBLEMS {
            let (field, expected) = (field.into(), expected.into());
            self.problems.push(Problem { line, field, found: found.to_owned(), expected });
        }
    }
}

/// One table of the file, or the lack of one.
pub(super) struct Section<'n, 't> {
    notes: &'n mut Notes<'t>,
    name: &'static str,
    shown: String,
    table: Option<&'n DeTable<'t>>,
    line: usize,
}

impl<'n, 't> Section<'n, 't> {
    pub(super) fn new(
        notes: &'n mut Notes<'t>,
        name: &'static str,
        shown: String,
        table: Option<(&'n DeTable<'t>, usize)>,
    ) -> Section<'n, 't> {
        let line = table.map_or(1, |(_, at)| notes.line(at));
        let mut section = Section { notes, name, shown, table: table.map(|(table, _)| table), line };
        section.refuse_unknown_keys();
        section
    }

    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// Reads without noting what is missing.
    pub(super) fn forgiving<T>(self, read: impl Fn(Section<'_, '_>) -> T) -> T {
        let known = self.notes.problems.len();
        let Section { notes, name, shown, table, line } = self;
        let value = read(Section { notes: &mut *notes, name, shown, table, line });
        notes.problems.truncate(known);
        value
    }

    fn refuse_unknown_keys(&mut self) {
        let Some(table) = self.table else { return };
        for (key, value) in table.iter() {
            let known = |field: &&Field| field.section == self.name && field.key == key.get_ref().as_ref();
            if !field::fields().iter().any(|field| known(&field)) {
                let line = self.notes.line(key.span().start.min(value.span().start));
                let expected = nearest(self.name, key.get_ref());
                let name = format!("{}.{}", self.shown, key.get_ref());
                self.notes.problem(line, name, "a key that means nothing here", expected);
            }
        }
    }

    /// The value under `key` and its line.
    fn value(&self, key: &str) -> Option<(&'n DeValue<'t>, usize)> {
        let value = self.table?.get(key)?;
        Some((value.get_ref(), self.notes.line(value.span().start)))
    }

    /// The answer to `key`: what `take` makes of the value that stands there, else of the default.
    fn answer<T>(&mut self, key: &str, take: impl Fn(&Field, &DeValue<'_>) -> Option<T>) -> Option<Answer<T>> {
        let field = field::find(self.name, key);
        let shown = format!("{}.{key}", self.shown);
        if let Some((value, line)) = self.value(key) {
            if let Some(taken) = take(field, value) {
                self.notes.answers.push(Answered { field: shown, value: written(value), origin: Origin::Given(line) });
                return Some(Answer { value: taken, origin: Origin::Given(line) });
            }
            let found = format!("{} {}", value.type_str(), written(value));
            self.notes.problem(line, shown, &found, field.expected());
        } else if field.required {
            let name = self.shown.clone();
            self.notes.problem(self.line, shown, &format!("{name} without {key}"), field.expected());
        }
        let origin = Origin::Assumed(field.source);
        let default = default_value(field)?;
        let text = written(&default);
        let value = take(field, &default)?;
        self.notes.answers.push(Answered { field: format!("{}.{key}", self.shown), value: text, origin });
        Some(Answer { value, origin })
    }

    pub(super) fn optional_number(&mut self, key: &str) -> Option<Answer<f64>> {
        self.answer(key, |field, value| {
            let number = as_number(value)?;
            let whole = field.kind != Kind::Count || number.fract() == 0.0;
            let inside = field.range.is_none_or(|(least, most)| (least..=most).contains(&number));
            (whole && inside).then_some(number)
        })
    }

    pub(super) fn number(&mut self, key: &str) -> Answer<f64> {
        // Only a required number without a value comes here; the fault is noted and the plan is not used.
        self.optional_number(key).unwrap_or(Answer { value: 1.0, origin: Origin::Assumed("") })
    }

    /// Percent as a share from 0 to 1.
    pub(super) fn share(&mut self, key: &str) -> Answer<f64> {
        self.number(key).map(|percent| percent / 100.0)
    }

    pub(super) fn optional_share(&mut self, key: &str) -> Option<Answer<f64>> {
        self.optional_number(key).map(|answer| answer.map(|percent| percent / 100.0))
    }

    pub(super) fn count(&mut self, key: &str) -> Answer<u64> {
        self.number(key).map(|number| number as u64)
    }

    pub(super) fn optional_count(&mut self, key: &str) -> Option<Answer<u64>> {
        self.optional_number(key).map(|answer| answer.map(|number| number as u64))
    }

    pub(super) fn flag(&mut self, key: &str) -> Answer<bool> {
        let answer = self.answer(key, |_, value| value.as_bool());
        answer.expect("every flag has a default")
    }

    pub(super) fn optional_text(&mut self, key: &str) -> Option<Answer<String>> {
        self.answer(key, |field, value| {
            let text = value.as_str()?.trim();
            let fits = match field.kind {
                Kind::Domain => is_domain(text),
                _ => !text.is_empty() && text.chars().count() <= 200 && !text.chars().any(char::is_control),
            };
            fits.then(|| if field.kind == Kind::Domain { text.to_lowercase() } else { text.to_owned() })
        })
    }

    pub(super) fn text(&mut self, key: &str) -> Answer<String> {
        self.optional_text(key).unwrap_or(Answer { value: String::new(), origin: Origin::Assumed("") })
    }

    pub(super) fn choice<C: Choice>(&mut self, key: &str) -> Answer<C> {
        let answer = self.answer(key, |_, value| C::ALL.iter().copied().find(|c| Some(c.word()) == value.as_str()));
        answer.expect("every choice has a default")
    }

    pub(super) fn domains(&mut self, key: &str) -> Answer<Vec<String>> {
        let answer = self.answer(key, |_, value| {
            let names = list(value, |text| is_domain(text).then(|| text.to_lowercase()))?;
            (!names.is_empty()).then_some(names)
        });
        answer.expect("every list of names has a default")
    }

    pub(super) fn networks(&mut self, key: &str) -> Option<Answer<Vec<Network>>> {
        self.answer(key, |_, value| list(value, |text| text.parse().ok()))
    }

    pub(super) fn network(&mut self, key: &str) -> Option<Answer<Network>> {
        self.answer(key, |_, value| value.as_str()?.parse().ok())
    }

    pub(super) fn addresses(&mut self, key: &str) -> Option<Answer<Vec<Ipv4Addr>>> {
        self.answer(key, |_, value| list(value, |text| text.parse().ok()))
    }

    pub(super) fn ports(&mut self, key: &str) -> Answer<PortRange> {
        self.answer(key, |_, value| value.as_str()?.parse().ok()).expect("every range of ports has a default")
    }

    /// Users of each persona, with the line of each.
    pub(super) fn users_by_name(&mut self, key: &str) -> Vec<(String, Answer<u64>)> {
        let users = self.answer(key, |_, value| {
            let rows = value.as_table()?.iter();
            rows.map(|(name, users)| {
                let count = as_number(users.get_ref()).filter(|n| n.fract() == 0.0 && (0.0..=1e7).contains(n))?;
                Some((name.get_ref().to_string(), count as u64))
            })
            .collect::<Option<Vec<_>>>()
        });
        let Some(users) = users else { return Vec::new() };
        let origin = users.origin;
        users.value.into_iter().map(|(name, value)| (name, Answer { value, origin })).collect()
    }
}

fn default_value(field: &Field) -> Option<DeValue<'static>> {
    let quoted = |text: &str| DeValue::String(text.to_owned().into());
    if field.default.is_empty() {
        return None;
    }
    match field.kind {
        Kind::Flag | Kind::Percent | Kind::Number | Kind::Count => {
            Some(DeValue::parse(field.default).expect("defaults are well formed").into_inner())
        }
        Kind::Domains | Kind::Networks | Kind::Addresses => {
            let text: &'static str = Box::leak(format!("[\"{}\"]", field.default).into_boxed_str());
            Some(DeValue::parse(text).expect("defaults are well formed").into_inner())
        }
        _ => Some(quoted(field.default)),
    }
}

fn as_number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok().map(|n| n as f64),
        DeValue::Float(number) => number.as_str().parse().ok().filter(|n: &f64| n.is_finite()),
        _ => None,
    }
}

fn list<T>(value: &DeValue<'_>, take: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    value.as_array()?.iter().map(|item| take(item.get_ref().as_str()?)).collect()
}

/// A value as the file would write it, cut where it is long.
pub(super) fn written(value: &DeValue<'_>) -> String {
    let text = match value {
        DeValue::String(text) => format!("\"{text}\""),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(items) => {
            format!("[{}]", items.iter().map(|item| written(item.get_ref())).collect::<Vec<_>>().join(", "))
        }
        DeValue::Table(table) => {
            let row = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| -> String {
                let key: &std::borrow::Cow<'_, str> = key.get_ref();
                format!("{key} = {}", written(value.get_ref()))
            };
            format!("{{ {} }}", table.iter().map(row).collect::<Vec<_>>().join(", "))
        }
    };
    if text.chars().count() > 100 { text.chars().take(97).chain("...".chars()).collect() } else { text }
}

fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 200 && text.contains('.') && text.split('.').all(label)
}

/// The keys of a section, the one most like `key` first.
fn nearest(section: &str, key: &str) -> String {
    let keys = field::fields().iter().filter(|field| field.section == section).map(|field| field.key);
    match keys.map(|known| (distance(known, key), known)).min() {
        Some((steps, known)) if steps <= 3 => format!("\"{known}\", if that is what is meant"),
        _ => {
            let keys: Vec<&str> = field::fields().iter().filter(|f| f.section == section).map(|f| f.key).collect();
            format!("one of {}", keys.join(", "))
        }
    }
}

/// Letters to change, add or drop to make `a` of `b`.
pub(super) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = before + usize::from(x != *y);
            before = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(before + 1);
        }
    }
    row[b.len()]
}
