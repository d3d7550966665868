//! `lyceum edge`.

use crate::client::{Body, encoded};
use crate::failure::Failure;
use crate::output::Columns;
use crate::session::Run;
use clap::Subcommand;
use serde_json::json;
use std::path::PathBuf;

const COLUMNS: Columns = Columns::all(&["name", "number", "linked", "enrolled", "token_ends"]);
const TOKEN: Columns = Columns::all(&["name", "expires", "token"]);

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Show the Access Edges, and whether their links stand
    List,
    /// Make a one-time token by which an Access Edge is enrolled, or enrolled anew
    Token {
        /// The Edge's name
        name: String,
        /// How long the token is good, in minutes [default: 60]
        #[arg(long)]
        minutes: Option<u32>,
    },
    /// On the Edge itself: make its key and get its certificate from the pool
    Enrol {
        /// What 'lyceum edge token' printed on the pool
        token: String,
        /// The folder named 'data' in the Edge's node file
        #[arg(long = "into", value_name = "DIR", default_value = "/var/lib/lyceum-edge")]
        into: PathBuf,
    },
    /// Take Access Edges away; their links end at once
    Remove {
        /// Names
        #[arg(required = true)]
        names: Vec<String>,
    },
}

impl Verb {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        match self {
            Verb::List => super::listed(run, "/edges", COLUMNS),
            Verb::Token { name, minutes } => {
                let mut body = json!({ "name": name });
                if let Some(minutes) = minutes {
                    body["minutes"] = json!(minutes);
                }
                let answer = run.write("POST", "/edges/tokens", Body::Json(body))?;
                run.object(answer, TOKEN)
            }
            Verb::Enrol { token, into } => {
                let done = run.offline.enrol(&token, &into);
                run.say(&done.map_err(Failure::Failed)?)
            }
            Verb::Remove { names } => {
                run.confirm(&format!("Take {} Edge(s) away?", names.len()))?;
                for name in names {
                    let answer = run.write("DELETE", &format!("/edges/{}", encoded(&name)), Body::Empty)?;
                    run.changed(answer, COLUMNS)?;
                }
                Ok(())
            }
        }
    }
}
