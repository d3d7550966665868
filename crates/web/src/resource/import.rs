//! `/users/import`: many users from CSV. The whole file is checked before anything is written.

use super::users::{address, ha1, next, number, store_refused, text as short};
use crate::Web;
use crate::authorize::Actor;
use crate::extract::{Csv, Params, WhatIf};
use crate::refused::{Refused, unavailable};
use axum::extract::State;
use axum::{Extension, Json};
use lyceum_api::user::Imported;
use lyceum_api::{FieldProblem, Refusal, Secret};
use lyceum_sip::digest::Ha1;
use lyceum_store::ImportUser;
use lyceum_topology::{Snapshot, UserId, UserRecord};
use std::collections::{HashMap, HashSet};

/// Faults that an answer lists; the rest is counted.
const FAULTS_MOST: usize = 100;

/// `?domain=`.
#[derive(Debug, Default, serde::Deserialize)]
pub struct Query {
    domain: Option<String>,
}

/// `POST /users/import`.
pub async fn import(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Params(query): Params<Query>,
    Csv(text): Csv,
) -> Result<Json<Imported>, Refused> {
    web.clone().blocking(move || web.import(&actor, &text, query.domain.as_deref(), what_if)).await.map(Json)
}

impl Web {
    /// Imports users from CSV text in the name of the server, as `--users FILE` does at start. Blocks.
    pub fn import_users(&self, text: &str, domain: Option<&str>) -> Result<Imported, Refused> {
        let server = Actor { name: "server".to_owned(), local: true, expires: None };
        self.import(&server, text, domain, false)
    }

    fn import(&self, actor: &Actor, text: &str, domain: Option<&str>, what_if: bool) -> Result<Imported, Refused> {
        let _turn = self.turn();
        let before = self.options().publisher.current();
        let lines = Lines::read(text, &before, domain)?;
        let secrets = match lines.with_password {
            true => self.options().store.credentials().map_err(|e| unavailable(&e))?.into_iter().collect(),
            false => HashMap::new(),
        };
        let mut report = Imported { what_if, ..Imported::default() };
        let users: Vec<ImportUser> =
            lines.users.into_iter().filter(|user| counts(&mut report, user, &before, &secrets)).collect();
        check(&before, &users)?;
        if what_if || users.is_empty() {
            return Ok(report);
        }
        let done = self.options().store.import_users(users, self.by(actor), |_| {}).map_err(store_refused);
        // What is written is put in force, also when the rest could not be.
        self.publish_stored(&before)?;
        let done = done?;
        if done.refused > 0 {
            // Cannot be: the snapshot holds the same rules, and nobody else has the turn.
            tracing::error!(refused = done.refused, first = ?done.reasons.first(), "an import was refused in part");
        }
        Ok(report)
    }
}

/// Counts what a line does; false when it changes nothing.
fn counts(report: &mut Imported, user: &ImportUser, before: &Snapshot, secrets: &HashMap<UserId, Ha1>) -> bool {
    let Some(old) = before.directory().by_id(user.record.id) else {
        report.created += 1;
        return true;
    };
    let same_secret = user
        .secret
        .as_ref()
        .is_none_or(|new| secrets.get(&old.id).is_some_and(|have| have.md5 == new.md5 && have.sha256 == new.sha256));
    let same = **old == user.record && same_secret;
    *(if same { &mut report.same } else { &mut report.changed }) += 1;
    !same
}

/// Everything that would stand against the import, before the first write.
fn check(before: &Snapshot, users: &[ImportUser]) -> Result<(), Refused> {
    let mut directory = before.directory().clone();
    let mut free = directory.users().map(|u| u.id.0).max().unwrap_or(0);
    let mut faults = Faults::default();
    for user in users {
        let mut record = user.record.clone();
        if record.id.0 == 0 {
            // A number for this check only; the store gives the real one.
            free += 1;
            record.id = UserId(free);
        }
        if let Err(conflict) = directory.insert(record) {
            let problem = conflict.problem(&user.record);
            faults.add(&problem.path, problem.code, &problem.what, &problem.fix);
        }
    }
    faults.end()?;
    next(before, directory).map(drop)
}

#[derive(Default)]
struct Faults {
    listed: Vec<FieldProblem>,
    count: usize,
}

impl Faults {
    fn add(&mut self, path: &str, code: &str, what: &str, fix: &str) {
        self.count += 1;
        if self.listed.len() < FAULTS_MOST {
            let (path, code) = (path.to_owned(), code.to_owned());
            self.listed.push(FieldProblem { path, code, what: what.to_owned(), fix: fix.to_owned() });
        }
    }

    fn end(self) -> Result<(), Refused> {
        if self.count == 0 {
            return Ok(());
        }
        let what = format!("{} line(s) of the import are wrong; nothing was changed", self.count);
        Err(Refused::new(Refusal::ImportRefused, what, "/users/import").with(self.listed))
    }
}

/// Columns of a line by their position.
struct Columns {
    names: Vec<String>,
    separator: char,
}

const KNOWN: &[&str] = &[
    "address",
    "user",
    "password",
    "display_name",
    "number",
    "numbers",
    "mail",
    "title",
    "company",
    "department",
    "enabled",
    "pool",
];

impl Columns {
    /// From the first line; `None` when that is no heading but already `user;password`.
    fn of(first: &str) -> Option<Columns> {
        let separator = separator(first);
        let names: Vec<String> = first.split(separator).map(|c| c.trim().to_ascii_lowercase()).collect();
        let named = names.iter().any(|n| n == "address" || n == "user");
        (named && names.iter().all(|n| KNOWN.contains(&n.as_str()))).then_some(Columns { names, separator })
    }
}

/// Semicolon first: a password may well hold a comma.
fn separator(line: &str) -> char {
    [';', '\t', ','].into_iter().find(|s| line.contains(*s)).unwrap_or(';')
}

struct Lines {
    users: Vec<ImportUser>,
    with_password: bool,
}

impl Lines {
    fn read(text: &str, before: &Snapshot, domain: Option<&str>) -> Result<Lines, Refused> {
        let text = text.trim_start_matches('\u{feff}');
        let first = text.lines().next().unwrap_or_default();
        let heading = Columns::of(first);
        let skip = usize::from(heading.is_some());
        let columns = heading.unwrap_or_else(|| Columns {
            names: vec!["address".to_owned(), "password".to_owned()],
            separator: separator(first),
        });
        let pool = before.document().pools().next().map(|(_, pool)| pool.name.clone()).unwrap_or_default();
        let source = Source { before, domain, pool };
        let mut lines = Lines { users: Vec::new(), with_password: false };
        let (mut faults, mut seen) = (Faults::default(), HashSet::new());
        for (at, line) in text.lines().enumerate().skip(skip) {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            match source.user(&columns, line) {
                Ok(user) if !seen.insert(user.record.address.to_string()) => {
                    let what = format!("{} is on an earlier line already", user.record.address);
                    faults.add(&format!("line {}", at + 1), "user-exists", &what, "keep one of the lines");
                }
                Ok(user) => {
                    lines.with_password |= user.secret.is_some();
                    lines.users.push(user);
                }
                Err(refused) => {
                    let problem = refused.problem();
                    faults.add(&format!("line {}", at + 1), &problem.code, &problem.what, &problem.fix);
                }
            }
        }
        faults.end().map(|()| lines)
    }
}

/// A word that says whether somebody may sign in; any other must not shut a user out by accident.
fn switch(text: &str) -> Result<bool, Refused> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" => Ok(true),
        "false" | "no" => Ok(false),
        _ => Err(Refused::new(Refusal::UserInvalid, format!("enabled is '{}'", text.escape_debug()), "enabled")
            .fix("write true, false, yes or no")),
    }
}

struct Source<'a> {
    before: &'a Snapshot,
    domain: Option<&'a str>,
    pool: String,
}

impl Source<'_> {
    fn user(&self, columns: &Columns, line: &str) -> Result<ImportUser, Refused> {
        let mut cells: Vec<&str> = line.splitn(columns.names.len(), columns.separator).collect();
        cells.resize(columns.names.len(), "");
        let cell = |names: &[&str]| {
            let at = columns.names.iter().position(|n| names.contains(&n.as_str()))?;
            Some(cells[at].trim_end_matches('\r')).filter(|text| !text.is_empty())
        };
        let name = cell(&["address", "user"]).map(str::trim).unwrap_or_default();
        let whole = match (name.contains('@'), self.domain) {
            (false, Some(domain)) => format!("{name}@{domain}"),
            _ => name.to_owned(),
        };
        let address = address(self.before, &whole)?;
        let known = self.before.directory().get(&address);
        let mut record =
            known.map_or_else(|| UserRecord::new(UserId(0), address, &self.pool), |u| UserRecord::clone(u));
        if let Some(text) = cell(&["display_name"]) {
            record.display_name = short(text, "display_name")?;
        }
        if let Some(text) = cell(&["mail"]) {
            record.mail = short(text, "mail")?;
        }
        let mut job = record.job().clone();
        for (place, name) in
            [(&mut job.title, "title"), (&mut job.company, "company"), (&mut job.department, "department")]
        {
            if let Some(text) = cell(&[name]) {
                *place = short(text, name)?;
            }
        }
        record.set_job(job);
        if let Some(text) = cell(&["number", "numbers"]) {
            record.numbers = text.split_whitespace().map(number).collect::<Result<_, _>>()?;
        }
        if let Some(text) = cell(&["enabled"]) {
            record.enabled = switch(text)?;
        }
        if let Some(pool) = cell(&["pool"]) {
            let mut assignment = record.assignment().clone();
            assignment.pool = pool.into();
            record = record.assigned(assignment);
        }
        let password = cell(&["password"]).map(Secret::new);
        let secret = password.map(|p| ha1(&record, &p)).transpose()?;
        Ok(ImportUser { record, secret })
    }
}
