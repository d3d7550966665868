//! A session with a person: line editing, history, completion, and the server's name in the prompt.

use super::complete::propose;
use super::{Line, execute, show, tree};
use crate::failure::Failure;
use crate::session::Run;
use reedline::{
    ColumnarMenu, Completer, DefaultHinter, Emacs, FileBackedHistory, KeyCode, KeyModifiers, MenuBuilder, Prompt,
    PromptEditMode, PromptHistorySearch, Reedline, ReedlineEvent, ReedlineMenu, Signal, Span, Suggestion,
    default_emacs_keybindings,
};
use std::borrow::Cow;
use std::path::PathBuf;

/// Lines remembered; the oldest give way.
const HISTORY: usize = 2_000;
const MENU: &str = "commands";

/// Runs until the person has enough.
pub fn session(run: &mut Run<'_>) -> Result<(), Failure> {
    let mut editor = editor();
    let prompt = ServerName(name(run));
    loop {
        match editor.read_line(&prompt) {
            Ok(Signal::Success(line)) => match execute(run, &line) {
                Line::Exit => return Ok(()),
                Line::Done(Err(failure)) => show(run, &failure),
                Line::Empty | Line::Done(Ok(())) => {}
            },
            Ok(Signal::CtrlD) => return Ok(()),
            Ok(_) => {}
            Err(error) => return Err(Failure::Failed(format!("the terminal cannot be read: {error}"))),
        }
    }
}

/// What the server calls itself; a person who cannot reach it is told so at once and may go on.
fn name(run: &mut Run<'_>) -> String {
    match run.get("/status", &[]) {
        Ok(status) => status["node"].as_str().filter(|name| !name.is_empty()).unwrap_or("lyceum").to_owned(),
        Err(failure) => {
            show(run, &failure);
            "not connected".to_owned()
        }
    }
}

fn editor() -> Reedline {
    let menu = ColumnarMenu::default().with_name(MENU);
    let mut keys = default_emacs_keybindings();
    let next = ReedlineEvent::UntilFound(vec![ReedlineEvent::Menu(MENU.to_owned()), ReedlineEvent::MenuNext]);
    keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, next);
    let editor = Reedline::create()
        .with_completer(Box::new(FromTree(tree())))
        .with_menu(ReedlineMenu::EngineCompleter(Box::new(menu)))
        .with_hinter(Box::new(DefaultHinter::default()))
        .with_quick_completions(true)
        .with_partial_completions(true)
        .with_edit_mode(Box::new(Emacs::new(keys)));
    // Without a home, or when its disk is full, there is no history: no reason not to work.
    match history_file().and_then(|file| FileBackedHistory::with_file(HISTORY, file).ok()) {
        Some(history) => editor.with_history(Box::new(history)),
        None => editor,
    }
}

/// Where the lines are remembered. No line holds a password: those are prompted for.
fn history_file() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let state = state.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state")))?;
    Some(state.join("lyceum/history"))
}

struct FromTree(clap::Command);

impl Completer for FromTree {
    fn complete(&mut self, line: &str, pos: usize) -> Vec<Suggestion> {
        let Some(line) = line.get(..pos) else { return Vec::new() };
        let (begin, found) = propose(&self.0, line);
        let suggestion = |proposal: super::complete::Proposal| Suggestion {
            value: proposal.text,
            description: Some(proposal.about).filter(|about| !about.is_empty()),
            span: Span::new(begin, pos),
            append_whitespace: true,
            ..Suggestion::default()
        };
        found.into_iter().map(suggestion).collect()
    }
}

struct ServerName(String);

impl Prompt for ServerName {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.0)
    }
    fn render_prompt_right(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }
    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        Cow::Borrowed("> ")
    }
    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        Cow::Borrowed("  ")
    }
    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        Cow::Owned(format!(" (search: {}) ", search.term))
    }
}
