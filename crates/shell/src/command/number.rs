//! `lyceum number`.

use crate::client::{Body, encoded};
use crate::failure::Failure;
use crate::input::name_of;
use crate::output::Columns;
use crate::session::Run;
use clap::Subcommand;
use serde_json::json;

const COLUMNS: Columns = Columns::all(&["number", "user", "site", "reserved", "note"]);

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Show a number, or list all
    Get {
        /// E.164
        number: Option<String>,
        /// Only this user's
        #[arg(long)]
        user: Option<String>,
        /// At most so many
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// Create or change the record of a number; 'user set --number' gives it to a user
    Set {
        /// E.164
        number: String,
        /// The site it belongs to
        #[arg(long)]
        site: Option<String>,
        /// Keep it back from being given to anyone
        #[arg(long)]
        reserved: bool,
        /// What it is for
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Remove numbers
    Remove {
        /// E.164, or '-' to read them from standard input
        numbers: Vec<String>,
    },
}

impl Verb {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        match self {
            Verb::Get { number: Some(number), .. } => {
                let found = run.get(&path(&number), &[])?;
                run.object(found, COLUMNS)
            }
            Verb::Get { number: None, user, limit } => run.pages("/numbers", &[("user", user)], limit, COLUMNS),
            Verb::Set { number, site, reserved, note } => {
                let body = json!({ "number": number, "site": site, "reserved": reserved, "note": note });
                let answer = run.write("PUT", &path(&number), Body::Json(body))?;
                run.changed(answer, COLUMNS)
            }
            Verb::Remove { numbers } => {
                let objects = run.objects(&numbers)?;
                run.confirm(&format!("Remove {} number(s)?", objects.len()))?;
                run.each(objects, COLUMNS, |run, object| {
                    run.write("DELETE", &path(&name_of(&object, &["number"])?), Body::Empty)
                })
            }
        }
    }
}

fn path(number: &str) -> String {
    format!("/numbers/{}", encoded(number))
}
