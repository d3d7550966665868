//! `lyceum contact`.

use crate::client::{Body, encoded};
use crate::failure::Failure;
use crate::input::name_of;
use crate::output::Columns;
use crate::session::Run;
use clap::Subcommand;
use serde_json::{Value, json};

const COLUMNS: Columns = Columns::all(&["address", "display_name", "groups", "favourite"]);
const RELATIONS: Columns = Columns::all(&["who", "relationship"]);

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// List a user's contacts
    Get {
        /// The user
        user: String,
    },
    /// Add contacts to a user's list, or change those that are there
    Add {
        /// The user
        user: String,
        /// Addresses, or '-' to read them from standard input
        contacts: Vec<String>,
        /// The name that the user gives the contact; '' takes it away
        #[arg(long)]
        name: Option<String>,
        /// A group that they are to be in, in place of those they are in; may be given again
        #[arg(long = "group", value_name = "NAME")]
        groups: Vec<String>,
        /// Whether they are shown first
        #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
        favourite: Option<bool>,
    },
    /// Remove contacts from a user's list
    Remove {
        /// The user
        user: String,
        /// Addresses, or '-' to read them from standard input
        contacts: Vec<String>,
    },
    /// List, set or remove what somebody may see of a user
    Relationship {
        /// The user
        user: String,
        /// Whom it is about: user@domain, or @domain for everybody of a domain; without it all are listed
        who: Option<String>,
        /// What they are to the user
        #[arg(value_parser = ["blocked", "external", "colleagues", "workgroup", "friends-and-family", "default"], requires = "who")]
        relationship: Option<String>,
    },
}

impl Verb {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        match self {
            Verb::Get { user } => super::listed(run, &path(&user, "contacts"), COLUMNS),
            Verb::Add { user, contacts, name, groups, favourite } => {
                let mut body = json!({ "display_name": name, "favourite": favourite });
                if !groups.is_empty() {
                    body["groups"] = json!(groups);
                }
                if let Some(fields) = body.as_object_mut() {
                    fields.retain(|_, value| !value.is_null());
                }
                let objects = run.objects(&contacts)?;
                run.each(objects, COLUMNS, |run, object| {
                    run.write("PUT", &contact(&user, &object)?, Body::Json(body.clone()))
                })
            }
            Verb::Remove { user, contacts } => {
                let objects = run.objects(&contacts)?;
                run.confirm(&format!("Remove {} contact(s) of {user}?", objects.len()))?;
                run.each(objects, COLUMNS, |run, object| run.write("DELETE", &contact(&user, &object)?, Body::Empty))
            }
            Verb::Relationship { user, who, relationship } => relate(run, &user, who, relationship),
        }
    }
}

fn relate(run: &mut Run<'_>, user: &str, who: Option<String>, relationship: Option<String>) -> Result<(), Failure> {
    let all = path(user, "relationships");
    let Some(who) = who else { return super::listed(run, &all, RELATIONS) };
    let one = format!("{all}/{}", encoded(&who));
    let answer = match relationship.as_deref() {
        None => {
            let found = run.get(&all, &[])?;
            let rows = found.as_array().cloned().unwrap_or_default();
            let rows = rows.into_iter().filter(|row| row["who"].as_str() == Some(&who.to_ascii_lowercase()));
            return run.list(rows.collect(), RELATIONS);
        }
        Some("default") => run.write("DELETE", &one, Body::Empty)?,
        Some(relationship) => run.write("PUT", &one, Body::Json(json!({ "relationship": relationship })))?,
    };
    run.changed(answer, RELATIONS)
}

fn path(user: &str, what: &str) -> String {
    format!("/users/{}/{what}", encoded(user))
}

fn contact(user: &str, object: &Value) -> Result<String, Failure> {
    Ok(format!("{}/{}", path(user, "contacts"), encoded(&name_of(object, &["address", "contact"])?)))
}
