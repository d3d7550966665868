//! `lyceum admin`.

use crate::client::{Body, encoded};
use crate::failure::Failure;
use crate::output::{Columns, Format};
use crate::password::PasswordSource;
use crate::session::Run;
use clap::Subcommand;
use serde_json::{Value, json};

const COLUMNS: Columns = Columns::all(&["name", "created"]);

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Add an administrator
    New {
        /// Name to sign in with
        name: String,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// List administrators
    Get,
    /// Set an administrator's password; open sessions end
    Set {
        /// Name
        name: String,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Remove an administrator; open sessions end
    Remove {
        /// Name
        name: String,
    },
    /// Make a link that lives 30 minutes and makes one administrator, once
    OneTimeUrl,
}

impl Verb {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        match self {
            Verb::New { name, password } => write(run, "POST", "/administrators", name, password),
            Verb::Set { name, password } => {
                let path = format!("/administrators/{}", encoded(&name));
                write(run, "PATCH", &path, name, password)
            }
            Verb::Get => match run.get("/administrators", &[])? {
                Value::Array(found) => run.list(found, COLUMNS),
                _ => Err(Failure::Failed("the server's answer is not a list".to_owned())),
            },
            Verb::Remove { name } => {
                run.confirm(&format!("Remove administrator {name} and end the sessions?"))?;
                let answer = run.write("DELETE", &format!("/administrators/{}", encoded(&name)), Body::Empty)?;
                run.changed(answer, COLUMNS)
            }
            Verb::OneTimeUrl if run.common.what_if => run.say("what if: make a link that makes one administrator"),
            Verb::OneTimeUrl => {
                let link = run.post("/administrators/one-time-url", Body::Empty)?;
                run.object(link, Columns::all(&["url", "expires"]))
            }
        }
    }
}

fn write(
    run: &mut Run<'_>,
    method: &'static str,
    path: &str,
    name: String,
    source: PasswordSource,
) -> Result<(), Failure> {
    let password = source.read(run, &name)?;
    let mut body = json!({ "password": password.text });
    if method == "POST" {
        body["name"] = json!(name);
    }
    let mut answer = run.write(method, path, Body::Json(body))?;
    if password.generated && !run.common.what_if {
        if run.common.output == Format::Table {
            run.say(&format!("password of {name}: {}", password.text))?;
        } else {
            answer["object"]["password"] = json!(password.text);
        }
    }
    run.changed(answer, COLUMNS)
}
