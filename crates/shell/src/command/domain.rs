//! `lyceum domain`.

use crate::client::{Body, encoded};
use crate::failure::Failure;
use crate::input::name_of;
use crate::output::Columns;
use crate::session::Run;
use clap::Subcommand;
use serde_json::{Value, json};

const COLUMNS: Columns = Columns::all(&["name", "default", "users"]);

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Show a domain, or list all
    Get {
        /// Name
        name: Option<String>,
    },
    /// Add domains
    New {
        /// Names, or '-' to read them from standard input
        names: Vec<String>,
        /// Make it the default domain
        #[arg(long)]
        default: bool,
    },
    /// Make a domain the default
    Set {
        /// Name
        name: String,
        /// Make it the default domain
        #[arg(long, required = true)]
        default: bool,
    },
    /// Remove domains without users
    Remove {
        /// Names, or '-' to read them from standard input
        names: Vec<String>,
    },
}

impl Verb {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        match self {
            Verb::Get { name } => get(run, name),
            Verb::New { names, default } => {
                let objects = run.objects(&names)?;
                run.each(objects, COLUMNS, |run, object| {
                    let default = default || object.get("default").is_some_and(|d| d == true);
                    let body = json!({ "name": name_of(&object, &["name"])?, "default": default });
                    run.write("POST", "/domains", Body::Json(body))
                })
            }
            Verb::Set { name, default } => {
                let body = Body::Json(json!({ "default": default }));
                let answer = run.write("PATCH", &format!("/domains/{}", encoded(&name)), body)?;
                run.changed(answer, COLUMNS)
            }
            Verb::Remove { names } => {
                let objects = run.objects(&names)?;
                run.confirm(&format!("Remove {} domain(s)?", objects.len()))?;
                run.each(objects, COLUMNS, |run, object| {
                    let name = name_of(&object, &["name"])?;
                    run.write("DELETE", &format!("/domains/{}", encoded(&name)), Body::Empty)
                })
            }
        }
    }
}

fn get(run: &mut Run<'_>, name: Option<String>) -> Result<(), Failure> {
    let Value::Array(domains) = run.get("/domains", &[])? else {
        return Err(Failure::Failed("the server's answer is not a list of domains".to_owned()));
    };
    let Some(name) = name else { return run.list(domains, COLUMNS) };
    let wanted = name.to_ascii_lowercase();
    let found = domains.into_iter().find(|d| d["name"] == wanted.as_str()).ok_or_else(|| {
        let refusal = lyceum_api::Refusal::DomainNotFound;
        Failure::Refused(lyceum_api::Problem::new(refusal, format!("no domain {name}"), "/domains").into())
    })?;
    run.object(found, COLUMNS)
}
