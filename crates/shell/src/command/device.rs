//! `lyceum device`.

use crate::client::{Body, encoded};
use crate::failure::Failure;
use crate::input::name_of;
use crate::output::Columns;
use crate::session::Run;
use clap::Subcommand;
use serde_json::json;

const COLUMNS: Columns = Columns::all(&["mac", "user", "model", "site", "note"]);

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Show a device, or list all
    Get {
        /// Hardware address
        mac: Option<String>,
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
        mac: String,
        /// Whose it is; without one it is shared
        #[arg(long)]
        user: Option<String>,
        /// Make and model
        #[arg(long, default_value = "")]
        model: String,
        /// The site it stands in
        #[arg(long)]
        site: Option<String>,
        /// What a person wants to know about it
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Remove devices
    Remove {
        /// Hardware addresses, or '-' to read them from standard input
        macs: Vec<String>,
    },
}

impl Verb {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        match self {
            Verb::Get { mac: Some(mac), .. } => {
                let found = run.get(&path(&mac), &[])?;
                run.object(found, COLUMNS)
            }
            Verb::Get { mac: None, user, limit } => run.pages("/devices", &[("user", user)], limit, COLUMNS),
            Verb::Set { mac, user, model, site, note } => {
                let body = json!({ "mac": mac, "user": user, "model": model, "site": site, "note": note });
                let answer = run.write("PUT", &path(&mac), Body::Json(body))?;
                run.changed(answer, COLUMNS)
            }
            Verb::Remove { macs } => {
                let objects = run.objects(&macs)?;
                run.confirm(&format!("Remove {} device(s)?", objects.len()))?;
                run.each(objects, COLUMNS, |run, object| {
                    run.write("DELETE", &path(&name_of(&object, &["mac"])?), Body::Empty)
                })
            }
        }
    }
}

fn path(mac: &str) -> String {
    format!("/devices/{}", encoded(mac))
}
