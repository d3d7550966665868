//! `lyceum user`.

use crate::client::{Body, encoded};
use crate::failure::Failure;
use crate::input::name_of;
use crate::output::{Columns, Format};
use crate::password::PasswordSource;
use crate::session::Run;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

pub(super) const COLUMNS: Columns = Columns::first(
    5,
    &[
        "address",
        "display_name",
        "enabled",
        "numbers",
        "policies",
        "pool",
        "site",
        "mail",
        "title",
        "company",
        "department",
        "has_password",
        "source",
    ],
);

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Create a user, or several from standard input
    New(New),
    /// Show one user, or list users
    Get(Get),
    /// Change a user, or several from standard input
    Set(Set),
    /// Let users sign in and call
    Enable(Named),
    /// Stop users from signing in and calling; their records stay
    Disable(Named),
    /// Remove users
    Remove(Named),
    /// Create or change many users at once from CSV, in one transaction
    Import(Import),
}

#[derive(Debug, Args)]
pub struct Fields {
    /// Name for people
    #[arg(long, value_name = "NAME")]
    display_name: Option<String>,
    /// A number that reaches the user; may be given several times
    #[arg(long = "number", value_name = "E164")]
    numbers: Option<Vec<String>>,
    /// Mail address; '' clears it
    #[arg(long)]
    mail: Option<String>,
    /// Job title; '' clears it
    #[arg(long)]
    title: Option<String>,
    /// Company; '' clears it
    #[arg(long)]
    company: Option<String>,
    /// Department; '' clears it
    #[arg(long)]
    department: Option<String>,
    /// Home pool
    #[arg(long)]
    pool: Option<String>,
}

impl Fields {
    fn add_to(&self, object: &mut Map<String, Value>) {
        let texts = [
            ("display_name", &self.display_name),
            ("mail", &self.mail),
            ("title", &self.title),
            ("company", &self.company),
            ("department", &self.department),
            ("pool", &self.pool),
        ];
        for (name, value) in texts {
            if let Some(value) = value {
                object.insert(name.to_owned(), json!(value));
            }
        }
        if let Some(numbers) = &self.numbers {
            let numbers: Vec<_> = numbers.iter().filter(|n| !n.is_empty()).collect();
            object.insert("numbers".to_owned(), json!(numbers));
        }
    }
}

#[derive(Debug, Args)]
pub struct New {
    /// Sign-in address user@domain, or '-' for objects on standard input
    address: Option<String>,
    #[command(flatten)]
    fields: Fields,
    /// Create the user disabled
    #[arg(long)]
    disabled: bool,
    /// Create the user without a password
    #[arg(long, conflicts_with_all = ["password_stdin", "password_file", "generate"])]
    no_password: bool,
    /// Policy to grant, KIND=NAME; may be given several times
    #[arg(long = "policy", value_name = "KIND=NAME")]
    policies: Vec<String>,
    #[command(flatten)]
    password: PasswordSource,
}

#[derive(Debug, Args)]
pub struct Get {
    /// Addresses; '*' stands for any text; '-' reads them from standard input; nothing lists all
    addresses: Vec<String>,
    /// Matched against address, name and numbers; '*' stands for any text
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Only this domain
    #[arg(long)]
    domain: Option<String>,
    /// Only enabled users
    #[arg(long, conflicts_with = "disabled")]
    enabled: bool,
    /// Only disabled users
    #[arg(long)]
    disabled: bool,
    /// Only this home site
    #[arg(long)]
    site: Option<String>,
    /// Only this home pool
    #[arg(long)]
    pool: Option<String>,
    /// Only holders of this policy
    #[arg(long, value_name = "KIND:NAME")]
    policy: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

#[derive(Debug, Args)]
pub struct Set {
    /// Addresses, or '-' for objects on standard input whose fields are set
    addresses: Vec<String>,
    #[command(flatten)]
    fields: Fields,
    /// Ask for a new password
    #[arg(long)]
    password: bool,
    /// Let the next sign-in by the issuer tie the user anew
    #[arg(long)]
    untie: bool,
    #[command(flatten)]
    source: PasswordSource,
}

#[derive(Debug, Args)]
pub struct Named {
    /// Addresses, or '-' to read them from standard input
    addresses: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Import {
    /// CSV file: 'user;password' lines, or a heading 'address;password;display_name;number;mail;title;company;
    /// department;enabled'; '-' is standard input
    file: PathBuf,
    /// Domain for names without one [default: the default domain]
    #[arg(long)]
    domain: Option<String>,
}

impl Verb {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        match self {
            Verb::New(command) => command.run(run),
            Verb::Get(command) => command.run(run),
            Verb::Set(command) => command.run(run),
            Verb::Enable(named) => named.switch(run, "enable"),
            Verb::Disable(named) => named.switch(run, "disable"),
            Verb::Remove(named) => named.remove(run),
            Verb::Import(command) => command.run(run),
        }
    }
}

pub(super) fn path(address: &str) -> String {
    format!("/users/{}", encoded(address))
}

impl New {
    fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let named: Vec<String> = self.address.clone().into_iter().collect();
        let single = self.address.as_deref().is_some_and(|a| a != "-");
        let objects = run.objects(&named)?;
        if !single && self.password.password_stdin {
            return Err(Failure::Usage("standard input cannot be both objects and password".to_owned()));
        }
        run.each(objects, COLUMNS, |run, object| self.create(run, object, single))
    }

    fn create(&self, run: &mut Run<'_>, object: Value, single: bool) -> Result<Value, Failure> {
        let address = name_of(&object, &["address", "user"])?;
        if !single && object.is_string() && !address.contains('@') {
            // Any text has lines; a line that is no address makes no user.
            return Err(Failure::Usage(format!(
                "'{address}' on standard input is no address user@domain and no object"
            )));
        }
        let mut new = accepted(&object, NEW_FIELDS)?;
        new.insert("address".to_owned(), json!(address));
        self.fields.add_to(&mut new);
        if self.disabled {
            new.insert("enabled".to_owned(), json!(false));
        }
        for policy in &self.policies {
            let (kind, name) =
                policy.split_once('=').ok_or_else(|| Failure::Usage(format!("'{policy}' is not KIND=NAME")))?;
            let policies = new.entry("policies").or_insert_with(|| json!({}));
            policies[kind] = json!(name);
        }
        let wanted = self.password.given() || (single && !self.no_password && run.streams.input_is_terminal);
        let mut told = None;
        if wanted && !new.contains_key("password") {
            let password = self.password.read(run, &address)?;
            new.insert("password".to_owned(), json!(password.text));
            told = password.generated.then_some(password.text);
        }
        let mut answer = run.write("POST", "/users", Body::Json(Value::Object(new)))?;
        tell(run, &mut answer, &address, told)?;
        Ok(answer)
    }
}

/// Shows a generated password once: a line for a person, a field for a program.
fn tell(run: &mut Run<'_>, answer: &mut Value, address: &str, password: Option<String>) -> Result<(), Failure> {
    let Some(password) = password.filter(|_| !run.common.what_if) else { return Ok(()) };
    if run.common.output == Format::Table {
        return run.say(&format!("password of {address}: {password}"));
    }
    answer["object"]["password"] = json!(password);
    Ok(())
}

const NEW_FIELDS: &[&str] =
    &["display_name", "password", "enabled", "pool", "numbers", "mail", "title", "company", "department", "policies"];
const SET_FIELDS: &[&str] =
    &["display_name", "password", "enabled", "pool", "numbers", "mail", "title", "company", "department"];
/// What `user get` shows beside; passed over, so that its output can be fed back.
const SHOWN_ONLY: &[&str] = &["address", "user", "has_password", "source", "policies", "site"];

/// The fields of an input object that a request takes, with CSV text turned into what is meant.
fn accepted(object: &Value, fields: &[&str]) -> Result<Map<String, Value>, Failure> {
    let mut out = Map::new();
    for (name, value) in object.as_object().into_iter().flatten() {
        if fields.contains(&name.as_str()) {
            out.insert(name.clone(), meant(name, value)?);
        } else if !SHOWN_ONLY.contains(&name.as_str()) {
            return Err(Failure::Usage(format!("a user has no field '{name}'; there are {}", fields.join(", "))));
        }
    }
    Ok(out)
}

fn meant(name: &str, value: &Value) -> Result<Value, Failure> {
    Ok(match (name, value.as_str()) {
        ("enabled", Some(text)) => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" => json!(true),
            "false" | "no" => json!(false),
            _ => return Err(Failure::Usage(format!("enabled is '{text}': write true, false, yes or no"))),
        },
        ("numbers", Some(text)) => json!(text.split_whitespace().collect::<Vec<_>>()),
        ("policies", Some(text)) => {
            json!(
                text.split_whitespace().filter_map(|p| p.split_once('=')).collect::<std::collections::BTreeMap<_, _>>()
            )
        }
        _ => value.clone(),
    })
}

impl Get {
    fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let pattern = self.addresses.len() == 1 && self.addresses[0].contains('*');
        if self.addresses.is_empty() || pattern {
            let enabled = if self.enabled { Some("true") } else { self.disabled.then_some("false") };
            let query = [
                ("filter", self.addresses.into_iter().next().or(self.filter)),
                ("domain", self.domain),
                ("enabled", enabled.map(str::to_owned)),
                ("site", self.site),
                ("pool", self.pool),
                ("policy", self.policy),
            ];
            return run.pages("/users", &query, self.limit, COLUMNS);
        }
        let objects = run.objects(&self.addresses)?;
        let single = self.addresses.len() == 1 && self.addresses[0] != "-";
        let mut found = Vec::new();
        for object in objects {
            found.push(run.get(&path(&name_of(&object, &["address", "user"])?), &[])?);
        }
        match found.pop() {
            Some(user) if single => run.object(user, COLUMNS),
            last => run.list(found.into_iter().chain(last).collect(), COLUMNS),
        }
    }
}

impl Set {
    fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let objects = run.objects(&self.addresses)?;
        let password = if self.password || self.source.given() {
            let whose = self.addresses.first().map_or("the users", String::as_str).to_owned();
            Some(self.source.read(run, &whose)?)
        } else {
            None
        };
        run.each(objects, COLUMNS, |run, object| {
            let address = name_of(&object, &["address", "user"])?;
            let mut change = accepted(&object, SET_FIELDS)?;
            self.fields.add_to(&mut change);
            if let Some(password) = &password {
                change.insert("password".to_owned(), json!(password.text));
            }
            if self.untie {
                change.insert("untie".to_owned(), json!(true));
            }
            if change.is_empty() {
                return Err(Failure::Usage("nothing to set: name a field, for example --display-name".to_owned()));
            }
            let mut answer = run.write("PATCH", &path(&address), Body::Json(Value::Object(change)))?;
            let told = password.as_ref().filter(|p| p.generated).map(|p| p.text.clone());
            tell(run, &mut answer, &address, told)?;
            Ok(answer)
        })
    }
}

impl Named {
    fn switch(self, run: &mut Run<'_>, verb: &'static str) -> Result<(), Failure> {
        let objects = run.objects(&self.addresses)?;
        run.each(objects, COLUMNS, |run, object| {
            let address = name_of(&object, &["address", "user"])?;
            run.write("POST", &format!("{}/{verb}", path(&address)), Body::Empty)
        })
    }

    fn remove(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let objects = run.objects(&self.addresses)?;
        if objects.is_empty() {
            return Ok(());
        }
        let first = name_of(&objects[0], &["address", "user"])?;
        run.confirm(&match objects.len() {
            1 => format!("Remove user {first}, with password, grants and registrations?"),
            n => format!("Remove {n} users ({first} and {} more), with passwords, grants and registrations?", n - 1),
        })?;
        run.each(objects, COLUMNS, |run, object| {
            let address = name_of(&object, &["address", "user"])?;
            run.write("DELETE", &path(&address), Body::Empty)
        })
    }
}

impl Import {
    fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let text = run.file(&self.file)?;
        let spinner = run.bar(text.lines().count() as u64);
        spinner.set_message("importing");
        spinner.enable_steady_tick(std::time::Duration::from_millis(200));
        let path = crate::client::with_query("/users/import", &[("domain", self.domain)]);
        let answer = run.write("POST", &path, Body::Csv(text));
        spinner.finish_and_clear();
        run.object(answer?, Columns::all(&["created", "changed", "same", "what_if"]))
    }
}
