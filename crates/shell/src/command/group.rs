//! `lyceum group`.

use crate::client::{Body, encoded};
use crate::failure::Failure;
use crate::input::name_of;
use crate::output::Columns;
use crate::session::Run;
use clap::Subcommand;
use serde_json::json;

const COLUMNS: Columns = Columns::all(&["address", "display_name", "people", "members"]);

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Create a distribution group
    New {
        /// Its address, user@domain
        address: String,
        /// Name for people
        #[arg(long, value_name = "NAME", default_value = "")]
        display_name: String,
        /// A user or another group; may be given several times
        #[arg(long = "member", value_name = "ADDRESS")]
        members: Vec<String>,
    },
    /// Show a group, or list all
    Get {
        /// Its address
        address: Option<String>,
        /// At most so many
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// Change a group
    Set {
        /// Its address
        address: String,
        /// Name for people; '' clears it
        #[arg(long, value_name = "NAME")]
        display_name: Option<String>,
        /// All members, instead of those there are; may be given several times
        #[arg(long = "member", value_name = "ADDRESS", conflicts_with_all = ["add", "remove"])]
        members: Option<Vec<String>>,
        /// A member to add; may be given several times
        #[arg(long, value_name = "ADDRESS")]
        add: Vec<String>,
        /// A member to take out; may be given several times
        #[arg(long, value_name = "ADDRESS")]
        remove: Vec<String>,
    },
    /// Remove groups; their members stay
    Remove {
        /// Addresses, or '-' to read them from standard input
        addresses: Vec<String>,
    },
}

impl Verb {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        match self {
            Verb::New { address, display_name, members } => {
                let body = json!({ "address": address, "display_name": display_name, "members": members });
                let answer = run.write("POST", "/groups", Body::Json(body))?;
                run.changed(answer, COLUMNS)
            }
            Verb::Get { address: Some(address), .. } => {
                let found = run.get(&path(&address), &[])?;
                run.object(found, COLUMNS)
            }
            Verb::Get { address: None, limit } => run.pages("/groups", &[], limit, COLUMNS),
            Verb::Set { address, display_name, members, add, remove } => {
                if display_name.is_none() && members.is_none() && add.is_empty() && remove.is_empty() {
                    return Err(Failure::Usage("nothing to set: name a field, for example --add ADDRESS".to_owned()));
                }
                let mut body = json!({ "add": add, "remove": remove });
                if let Some(name) = display_name {
                    body["display_name"] = json!(name);
                }
                if let Some(members) = members {
                    body["members"] = json!(members);
                }
                let answer = run.write("PATCH", &path(&address), Body::Json(body))?;
                run.changed(answer, COLUMNS)
            }
            Verb::Remove { addresses } => {
                let objects = run.objects(&addresses)?;
                run.confirm(&format!("Remove {} group(s)?", objects.len()))?;
                run.each(objects, COLUMNS, |run, object| {
                    run.write("DELETE", &path(&name_of(&object, &["address"])?), Body::Empty)
                })
            }
        }
    }
}

fn path(address: &str) -> String {
    format!("/groups/{}", encoded(address))
}
