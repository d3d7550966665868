//! `lyceum policy`.

use crate::client::{Body, encoded};
use crate::failure::Failure;
use crate::input::name_of;
use crate::output::Columns;
use crate::session::Run;
use clap::Subcommand;
use serde_json::{Map, Value, json};

const COLUMNS: Columns = Columns::all(&["kind", "scope", "settings"]);

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// List the policies of every kind, of one kind, or show one
    Get {
        /// Kind: registrar, authentication, …
        kind: Option<String>,
        /// global, site:NAME, pool:NAME or tag:NAME
        scope: Option<String>,
    },
    /// Create or change a policy
    Set {
        /// Kind
        kind: String,
        /// global, site:NAME, pool:NAME or tag:NAME
        scope: String,
        /// Settings; an empty value gives a setting back to the wider scope; '-' reads an object from standard input
        #[arg(required = true, value_name = "SETTING=VALUE")]
        settings: Vec<String>,
    },
    /// Give users a policy, or take it back
    Grant {
        /// Kind
        kind: String,
        /// Addresses, or '-' to read them from standard input
        users: Vec<String>,
        /// Name of the policy, without 'tag:'
        #[arg(long, value_name = "NAME", required_unless_present = "revoke")]
        policy: Option<String>,
        /// Take the grant back
        #[arg(long, conflicts_with = "policy")]
        revoke: bool,
    },
    /// Remove a policy; the global one returns to its defaults
    Remove {
        /// Kind
        kind: String,
        /// global, site:NAME, pool:NAME or tag:NAME
        scope: String,
    },
}

impl Verb {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        match self {
            Verb::Get { kind, scope } => get(run, kind, scope),
            Verb::Set { kind, scope, settings } => {
                let settings = if settings == ["-"] { piped(run)? } else { parsed(&settings)? };
                let answer = run.write("PATCH", &path(&kind, &scope), Body::Json(Value::Object(settings)))?;
                run.changed(answer, COLUMNS)
            }
            Verb::Grant { kind, users, policy, .. } => {
                let objects = run.objects(&users)?;
                let path = format!("/policies/{}/grant", encoded(&kind));
                run.each(objects, super::user::COLUMNS, |run, object| {
                    let user = name_of(&object, &["address", "user"])?;
                    run.write("POST", &path, Body::Json(json!({ "user": user, "policy": policy })))
                })
            }
            Verb::Remove { kind, scope } => {
                run.confirm(&format!("Remove {kind} policy {scope}?"))?;
                let answer = run.write("DELETE", &path(&kind, &scope), Body::Empty)?;
                run.changed(answer, COLUMNS)
            }
        }
    }
}

fn path(kind: &str, scope: &str) -> String {
    format!("/policies/{}/{}", encoded(kind), encoded(scope))
}

fn get(run: &mut Run<'_>, kind: Option<String>, scope: Option<String>) -> Result<(), Failure> {
    let found = match (&kind, &scope) {
        (Some(kind), Some(scope)) => run.get(&path(kind, scope), &[])?,
        (Some(kind), None) => run.get(&format!("/policies/{}", encoded(kind)), &[])?,
        (None, _) => run.get("/policies", &[])?,
    };
    match found {
        Value::Array(policies) => run.list(policies, COLUMNS),
        policy => run.object(policy, COLUMNS),
    }
}

/// Settings from standard input: the object itself, or a policy as `policy get` shows it.
fn piped(run: &mut Run<'_>) -> Result<Map<String, Value>, Failure> {
    let mut objects = run.objects(&["-".to_owned()])?;
    let settings = objects.pop().map(|mut o| o.get_mut("settings").map(Value::take).unwrap_or(o));
    match settings {
        Some(Value::Object(settings)) if objects.is_empty() => Ok(settings),
        _ => Err(Failure::Usage("standard input has to hold one object with settings".to_owned())),
    }
}

fn parsed(settings: &[String]) -> Result<Map<String, Value>, Failure> {
    settings
        .iter()
        .map(|setting| {
            let (name, value) =
                setting.split_once('=').ok_or_else(|| Failure::Usage(format!("'{setting}' is not SETTING=VALUE")))?;
            let value = match value {
                "" => Value::Null,
                text => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)),
            };
            Ok((name.replace('-', "_"), value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn settings_are_json_where_they_read_as_such() {
        let settings = ["max-expires=900", "algorithms=[\"md5\"]", "name=plain text", "gone="].map(str::to_owned);
        assert_eq!(
            serde_json::Value::Object(super::parsed(&settings).expect("settings")),
            json!({"max_expires": 900, "algorithms": ["md5"], "name": "plain text", "gone": null})
        );
        assert!(super::parsed(&["novalue".to_owned()]).is_err());
    }
}
