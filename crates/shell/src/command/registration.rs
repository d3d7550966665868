//! `lyceum registration`.

use crate::failure::Failure;
use crate::output::Columns;
use crate::session::Run;
use clap::Subcommand;

const COLUMNS: Columns =
    Columns::first(5, &["address", "contact", "transport", "expires", "user_agent", "received", "instance", "q"]);

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// List registrations
    Get {
        /// Only this user's
        user: Option<String>,
        /// At most so many
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
}

impl Verb {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let Verb::Get { user, limit } = self;
        run.pages_of(user.as_deref(), "/registrations", &[("user", user.clone())], limit, COLUMNS)
    }
}
