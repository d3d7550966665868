//! `lyceum device`.

use crate::client::{Body, encoded};
use crate::failure::Failure;
use crate::input::name_of;
use crate::output::Columns;
use crate::session::Run;
use clap::Subcommand;
use serde_json::json;

const COLUMNS: Columns = Columns::all(&["id", "user", "model", "note"]);

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Show a device, or list all
    Get {
        /// Hardware address
        id: Option<String>,
        /// Only this user's
        #[arg(long)]
        user: Option<String>,
        /// At most so many
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// Create or change a device
    Set {
        /// Hardware address
        id: String,
        /// Whose it is; without one it is shared
        #[arg(long)]
        user: Option<String>,
        /// Make and model
        #[arg(long, default_value = "")]
        model: String,
        /// What it is for, where it stands
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Remove devices
    Remove {
        /// Hardware addresses, or '-' to read them from standard input
        ids: Vec<String>,
    },
}

impl Verb {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        match self {
            Verb::Get { id: Some(id), .. } => {
                let found = run.get(&path(&id), &[])?;
                run.object(found, COLUMNS)
            }
            Verb::Get { id: None, user, limit } => run.pages("/devices", &[("user", user)], limit, COLUMNS),
            Verb::Set { id, user, model, note } => {
                let body = json!({ "id": id, "user": user, "model": model, "note": note });
                let answer = run.write("PUT", &path(&id), Body::Json(body))?;
                run.changed(answer, COLUMNS)
            }
            Verb::Remove { ids } => {
                let objects = run.objects(&ids)?;
                run.confirm(&format!("Remove {} device(s)?", objects.len()))?;
                run.each(objects, COLUMNS, |run, object| {
                    run.write("DELETE", &path(&name_of(&object, &["id"])?), Body::Empty)
                })
            }
        }
    }
}

fn path(id: &str) -> String {
    format!("/devices/{}", encoded(id))
}
