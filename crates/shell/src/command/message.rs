//! `lyceum message`.

use super::period::Period;
use crate::client::encoded;
use crate::failure::Failure;
use crate::output::Columns;
use crate::session::Run;
use clap::Subcommand;

const COLUMNS: Columns =
    Columns::first(5, &["at", "from", "to", "text", "unread", "content_type", "id", "conversation", "message_id"]);

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Show a user's messages, newest first; the question is noted in the audit list
    History {
        /// The user
        user: String,
        /// Only with this person
        #[arg(long, value_name = "ADDRESS")]
        peer: Option<String>,
        /// Only in this conversation
        #[arg(long, value_name = "ID")]
        conversation: Option<String>,
        /// Only with this text in them
        #[arg(long)]
        text: Option<String>,
        #[command(flatten)]
        period: Period,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: usize,
    },
}

impl Verb {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let Verb::History { user, peer, conversation, text, period, limit } = self;
        let [from, to] = period.query()?;
        let query = [("peer", peer), ("conversation", conversation), ("text", text), from, to];
        run.pages(&format!("/users/{}/messages", encoded(&user)), &query, Some(limit), COLUMNS)
    }
}
