//! What happened, in one plain sentence: what a person learns from a ladder by experience.
//!
//! Rules are asked in order, the more certain and more harmful first; the first that knows an answer
//! gives it. `tests/ladders/*.ladder` holds the cases, readable without knowing Rust.

mod facts;
mod network;
mod peer;
mod server;
mod sign_in;
mod story;

use crate::ladder::Ladder;
use facts::Facts;
use serde::Serialize;

/// What happened and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Explanation {
    /// The code, with a page under `docs/errors/`: `LYM0201`, or the server's own `LYS0014`.
    pub code: &'static str,
    /// How bad it is.
    pub verdict: Verdict,
    /// What happened, one sentence. It names people and numbers: for whom may see the call.
    pub sentence: String,
    /// What to do; empty when nothing is to be done.
    pub hint: String,
    /// The transaction in which it went wrong, or that tells the story.
    pub transaction: Option<usize>,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All went as the people wished, or as they chose.
    #[default]
    Fine,
    /// It worked, and something is worth a look.
    Notice,
    /// It did not work.
    Failed,
}

type Rule = fn(&Facts<'_>) -> Option<Explanation>;

/// In order of precedence.
const RULES: &[Rule] = &[
    story::nothing,
    network::answers_unheard,
    network::ack_missing,
    network::ack_unheard,
    network::bye_unanswered,
    story::cancelled,
    network::silent,
    sign_in::stale_for_ever,
    sign_in::wrong_password,
    sign_in::question_not_answered,
    server::refused,
    story::rang_out,
    peer::refused,
    server::refused_by_status,
    peer::in_dialog,
    network::private_media,
    network::one_direction,
    network::loss,
    story::told,
];

/// Finds what happened.
pub(crate) fn explain(ladder: &Ladder) -> Explanation {
    let facts = Facts::of(ladder);
    RULES.iter().find_map(|rule| rule(&facts)).unwrap_or_default()
}

impl Explanation {
    fn new(code: &'static str, verdict: Verdict, transaction: usize, sentence: String, hint: &str) -> Self {
        Self { code, verdict, sentence, hint: hint.to_owned(), transaction: Some(transaction) }
    }
}
