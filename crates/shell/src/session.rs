//! One run of the shell: calls, questions and output that all commands share.

use crate::Offline;
use crate::client::{Api, Body, Call, encoded, with_query};
use crate::failure::Failure;
use crate::input;
use crate::options::Common;
use crate::output::{Columns, Format, Printer, cell};
use crate::terminal::Streams;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lyceum_api::Changed;
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Columns of a change; shown where no object is left to show.
const CHANGED: Columns = Columns::all(&["kind", "name", "action", "what_if", "changes"]);

/// What a command works with.
pub struct Run<'a> {
    /// The options of every command.
    pub common: Common,
    /// The server.
    pub api: &'a mut dyn Api,
    /// Standard streams.
    pub streams: &'a mut Streams,
    /// What works without a server.
    pub offline: &'a dyn Offline,
    /// The whole command tree, for completions and man pages.
    pub tree: &'a clap::Command,
}

impl Run<'_> {
    /// Reads from the API.
    pub fn get(&mut self, path: &str, query: &[(&str, Option<String>)]) -> Result<Value, Failure> {
        self.api.call(Call { method: "GET", path: with_query(path, query), body: Body::Empty })
    }

    /// Posts something that changes nothing by itself.
    pub fn post(&mut self, path: &str, body: Body) -> Result<Value, Failure> {
        self.api.call(Call { method: "POST", path: path.to_owned(), body })
    }

    /// Writes through the API; with `--what-if` only asks what it would do.
    pub fn write(&mut self, method: &'static str, path: &str, body: Body) -> Result<Value, Failure> {
        let what_if = self.common.what_if.then(|| "true".to_owned());
        self.api.call(Call { method, path: with_query(path, &[("what_if", what_if)]), body })
    }

    /// Prints one object.
    pub fn object(&mut self, object: Value, columns: Columns) -> Result<(), Failure> {
        self.printer(columns).object(object)
    }

    /// Prints a list.
    pub fn list(&mut self, rows: Vec<Value>, columns: Columns) -> Result<(), Failure> {
        let mut printer = self.printer(columns);
        for row in rows {
            printer.row(row)?;
        }
        printer.list()
    }

    fn printer(&mut self, columns: Columns) -> Printer<'_> {
        Printer::new(&mut self.streams.output, self.common.output, columns, self.streams.width)
    }

    /// Fetches a list page by page, up to `limit`, and prints it; jsonl and csv are written as they come.
    pub fn pages(
        &mut self,
        path: &str,
        query: &[(&str, Option<String>)],
        limit: Option<usize>,
        columns: Columns,
    ) -> Result<(), Failure> {
        self.pages_or(path, query, limit, columns, |_| Ok(()))
    }

    /// The same for what belongs to one user: when there is nothing, the user has to exist.
    pub fn pages_of(
        &mut self,
        user: Option<&str>,
        path: &str,
        query: &[(&str, Option<String>)],
        limit: Option<usize>,
        columns: Columns,
    ) -> Result<(), Failure> {
        self.pages_or(path, query, limit, columns, |run| match user.filter(|user| !user.contains('*')) {
            Some(user) => run.get(&format!("/users/{}", encoded(user)), &[]).map(drop),
            None => Ok(()),
        })
    }

    fn pages_or(
        &mut self,
        path: &str,
        query: &[(&str, Option<String>)],
        limit: Option<usize>,
        columns: Columns,
        when_empty: impl FnOnce(&mut Self) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut left = limit.unwrap_or(usize::MAX);
        let mut after: Option<String> = None;
        let mut found = false;
        let mut printer = Printer::new(&mut self.streams.output, self.common.output, columns, self.streams.width);
        while left > 0 {
            let page = [("limit", Some(left.min(5000).to_string())), ("after", after.take())];
            let path = with_query(&with_query(path, query), &page);
            let mut answer = self.api.call(Call { method: "GET", path, body: Body::Empty })?;
            let items = answer.get_mut("items").map(Value::take);
            let Some(Value::Array(items)) = items else {
                return Err(Failure::Failed("the server's answer is not a page of a list".to_owned()));
            };
            left = left.saturating_sub(items.len());
            found |= !items.is_empty();
            items.into_iter().take(limit.unwrap_or(usize::MAX)).try_for_each(|item| printer.row(item))?;
            after = answer.get("next").and_then(Value::as_str).map(str::to_owned);
            if after.is_none() {
                break;
            }
        }
        printer.list()?;
        if found { Ok(()) } else { when_empty(self) }
    }

    /// Prints what a write did: sentences in a table, the object itself elsewhere.
    pub fn changed(&mut self, answer: Value, columns: Columns) -> Result<(), Failure> {
        if self.common.output == Format::Table {
            return self.say(&sentence(answer)?);
        }
        let (object, columns) = self.outcome(answer, columns);
        self.object(object, columns)
    }

    /// The object after a change, or the change itself when that is all there is to show.
    fn outcome(&self, mut answer: Value, columns: Columns) -> (Value, Columns) {
        match answer.get_mut("object").map(Value::take) {
            Some(object) if !object.is_null() && !self.common.what_if => (object, columns),
            _ => (answer, CHANGED),
        }
    }

    /// A line on standard output.
    pub fn say(&mut self, line: &str) -> Result<(), Failure> {
        writeln!(self.streams.output, "{line}").map_err(|_| Failure::OutputClosed)
    }

    /// Sends what was said on its way, for who waits for it while we go on.
    pub fn flush(&mut self) -> Result<(), Failure> {
        self.streams.output.flush().map_err(|_| Failure::OutputClosed)
    }

    /// A line on standard error.
    pub fn warn(&mut self, line: &str) {
        // Nobody is left to tell when standard error is gone.
        writeln!(self.streams.errors, "{line}").ok();
    }

    /// Asks before something is destroyed. `--yes` answers, and `--what-if` has nothing to ask.
    pub fn confirm(&mut self, question: &str) -> Result<(), Failure> {
        if self.common.yes || self.common.what_if {
            return Ok(());
        }
        if !self.streams.input_is_terminal {
            return Err(Failure::NotConfirmed(format!(
                "not done: {question}\n  fix:   there is no terminal to ask on; pass --yes if you are sure"
            )));
        }
        write!(self.streams.errors, "{question} [y/N] ").and_then(|()| self.streams.errors.flush()).ok();
        let mut line = String::new();
        self.streams.input.read_line(&mut line).ok();
        if matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
            return Ok(());
        }
        Err(Failure::NotConfirmed("not done".to_owned()))
    }

    /// The objects a command is for: those named, or those on standard input when `-` or nothing is given
    /// and something is piped in.
    pub fn objects(&mut self, named: &[String]) -> Result<Vec<Value>, Failure> {
        let piped = named == ["-"] || (named.is_empty() && !self.streams.input_is_terminal);
        if piped {
            let text = input::text(&mut self.streams.input, Path::new("standard input"))?;
            let objects = input::objects(&text)?;
            if objects.is_empty() && named.is_empty() {
                return Err(Failure::Usage("nothing is named, and standard input is empty".to_owned()));
            }
            return Ok(objects);
        }
        if named.iter().any(String::is_empty) {
            return Err(Failure::Usage("a name is empty".to_owned()));
        }
        if named.is_empty() {
            return Err(Failure::Usage("name at least one, or '-' to read them from standard input".to_owned()));
        }
        Ok(named.iter().map(|name| Value::from(name.as_str())).collect())
    }

    /// Makes one change for each object and prints it, keeps going past refusals, and reports how many failed.
    pub fn each(
        &mut self,
        objects: Vec<Value>,
        columns: Columns,
        mut act: impl FnMut(&mut Self, Value) -> Result<Value, Failure>,
    ) -> Result<(), Failure> {
        let all = objects.len();
        let bar = self.bar(all as u64);
        let (mut failed, mut done, mut shape) = (0, Vec::new(), columns);
        for object in objects {
            let name = input::name_of(&object, &["address", "user", "name", "number", "mac"]).ok();
            match act(self, object) {
                Ok(answer) if self.common.output == Format::Table => {
                    let text = sentence(answer)?;
                    bar.suspend(|| self.say(&text))?;
                }
                Ok(answer) => {
                    let (object, columns) = self.outcome(answer, columns);
                    shape = columns;
                    done.push(object);
                }
                Err(failure @ (Failure::Refused(_) | Failure::Usage(_) | Failure::Failed(_))) if all > 1 => {
                    failed += 1;
                    let text = failure.explain();
                    let name = name.filter(|name| !text.contains(name.as_str()));
                    let name = name.map_or_else(String::new, |name| format!("{name}: "));
                    bar.suspend(|| self.warn(&format!("error: {name}{text}")));
                }
                Err(failure) => return Err(failure),
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        match done.len() {
            0 => {}
            1 if all == 1 => self.object(done.remove(0), shape)?,
            _ => self.list(done, shape)?,
        }
        if failed > 0 { Err(Failure::Partly { failed, all }) } else { Ok(()) }
    }

    /// A progress bar on standard error when a person looks at it and there is something to wait for.
    pub fn bar(&self, length: u64) -> ProgressBar {
        if !self.streams.errors_is_terminal || length < 20 {
            return ProgressBar::hidden();
        }
        let style =
            ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(length).with_style(style);
        bar.set_draw_target(ProgressDrawTarget::stderr());
        bar
    }

    /// The text of a file, or of standard input for `-`.
    pub fn file(&mut self, file: &Path) -> Result<String, Failure> {
        if file == Path::new("-") {
            return input::text(&mut self.streams.input, Path::new("standard input"));
        }
        let mut open = std::fs::File::open(file).map_err(|why| Failure::File { file: PathBuf::from(file), why })?;
        input::text(&mut open, file)
    }
}

/// `user alice@example.org: set display_name "Alice" (was "Al")`.
fn sentence(answer: Value) -> Result<String, Failure> {
    let changed: Changed = serde_json::from_value(answer)
        .map_err(|e| Failure::Failed(format!("the server's answer does not read as a change: {e}")))?;
    let mode = if changed.what_if { "what if: " } else { "" };
    let mut text = format!("{mode}{} {}: {}", changed.kind, changed.name, changed.action);
    if changed.changes.is_empty() && changed.object.is_some() {
        text.push_str(", nothing to change");
    }
    if let Some(version) = changed.version {
        text.push_str(&format!(" (topology version {version})"));
    }
    for change in &changed.changes {
        let value = |v: &Option<Value>| v.as_ref().map_or("-".to_owned(), cell);
        text.push_str(&format!("\n  {}: {} -> {}", change.path, value(&change.before), value(&change.after)));
    }
    Ok(text)
}

/// An error as it is shown: `error:` and the explanation.
pub fn report(streams: &mut Streams, failure: &Failure) {
    let text = failure.explain();
    if text.is_empty() {
        return;
    }
    let mark = if streams.colours { "\u{1b}[1;31merror:\u{1b}[0m" } else { "error:" };
    writeln!(streams.errors, "{mark} {text}").ok();
}
