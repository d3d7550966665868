//! Comparing with the directory server: fetch, plan, write down, put in force. By itself every minute, or when asked.

use super::report::report;
use super::{not_configured, server_fault};
use crate::Web;
use crate::authorize::Actor;
use crate::listen::Drain;
use crate::refused::{Refused, unavailable};
use crate::resource::users::store_refused;
use lyceum_accounts::ldap::{Connection, LdapFault, MOST_ENTRIES};
use lyceum_accounts::{Entry, Plan, Secret, Step, plan};
use lyceum_api::Refusal;
use lyceum_api::account::AccountSync;
use lyceum_sip::digest::Ha1;
use lyceum_store::AccountChange;
use lyceum_topology::UserRecord;
use lyceum_topology::accounts::{Ldap, Secret as SecretName};
use std::time::Duration;

/// How often the clock is looked at, and whether there is a directory server by now.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The author of what changes without being asked for.
const REPLICATOR: &str = "accounts.ldap";

/// How a comparison is to be done.
#[derive(Clone, Copy)]
pub(super) struct Wish {
    /// Only say what would change.
    pub what_if: bool,
    /// However much is taken away.
    pub force: bool,
}

/// A first password that nobody knows: it gives a user who signs in elsewhere the mark that tokens carry, until a phone
/// needs one that somebody knows.
pub(crate) fn first_password(user: &UserRecord) -> Result<Ha1, Refused> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| Refused::new(Refusal::InternalFault, format!("no randomness: {error}"), "server"))?;
    Ok(Ha1::of(user.address.user().as_bytes(), user.address.domain().as_bytes(), &bytes))
}

impl Web {
    /// Compares again and again, as often as the topology says, until the server stops.
    pub async fn keep_accounts(self, mut drain: Drain) {
        loop {
            tokio::select! {
                () = drain.begun() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let Some(ldap) = self.ldap().filter(|ldap| ldap.interval_seconds > 0) else { continue };
            let state = self.accounts_state();
            if state.last().next.is_some_and(|next| next.0 > self.now().0) {
                continue;
            }
            let actor = Actor { name: REPLICATOR.to_owned(), local: true, expires: None };
            let before = state.last().state;
            let done = self.sync_accounts(actor, Wish { what_if: false, force: false }).await;
            state.due(self.now() + Duration::from_secs(ldap.interval_seconds.into()));
            match done {
                Err(refused) if before != state.last().state => {
                    tracing::warn!(what = %refused.problem().what, "users were not compared with the directory server");
                }
                Err(_) => {}
                Ok(report) if report.new + report.changed + report.removed > 0 => {
                    let AccountSync { new, changed, removed, .. } = report;
                    tracing::info!(new, changed, removed, "users follow the directory server");
                }
                Ok(_) => {}
            }
        }
    }

    /// Compares once.
    pub(super) async fn sync_accounts(&self, actor: Actor, wish: Wish) -> Result<AccountSync, Refused> {
        let busy = |_| Refused::new(Refusal::ServerBusy, "the server stops", "/accounts/sync");
        let _one = self.accounts_state().syncing.acquire().await.map_err(busy)?;
        let ldap = self.ldap().ok_or_else(|| not_configured("ldap"))?;
        let done = self.compare(ldap, actor, wish).await;
        if !wish.what_if {
            self.remember(&done);
        }
        done
    }

    async fn compare(&self, ldap: Ldap, actor: Actor, wish: Wish) -> Result<AccountSync, Refused> {
        let web = self.clone();
        let password = self.blocking(move || web.accounts_secret(SecretName::Ldap)).await?;
        let entries = people(&ldap, password.as_ref()).await.map_err(|fault| server_fault(&fault))?;
        let web = self.clone();
        self.blocking(move || web.follow(&ldap, &entries, &actor, wish)).await
    }

    fn remember(&self, done: &Result<AccountSync, Refused>) {
        let (state, what) = match done {
            Ok(report) => ("ok", sentence(report)),
            Err(refused) if &*refused.problem().code == Refusal::AccountsSyncStopped.code() => {
                ("stopped", refused.problem().what.to_string())
            }
            Err(refused) => ("failed", refused.problem().what.to_string()),
        };
        self.accounts_state().ended(self.now(), state, what);
    }

    /// Makes the users what the entries say. Blocks.
    fn follow(&self, ldap: &Ldap, entries: &[Entry], actor: &Actor, wish: Wish) -> Result<AccountSync, Refused> {
        let _turn = self.turn();
        let before = self.options().publisher.current();
        let store = &self.options().store;
        let accounts = store.accounts().map_err(|error| unavailable(&error))?;
        let plan = plan(ldap, &before, entries, &accounts);
        let mut report = report(&plan, &before, entries.len(), wish.what_if);
        if wish.what_if {
            return Ok(report);
        }
        if let Some(stop) = plan.stop.filter(|_| !wish.force) {
            return Err(Refused::new(Refusal::AccountsSyncStopped, stop.to_string(), "accounts.ldap"));
        }
        report.stopped = None;
        let seen = plan.steps.iter().any(|step| !matches!(step, Step::Keep(_)));
        let written = store.put_accounts(changes(plan)?, self.by(actor)).map_err(store_refused);
        if seen {
            // What is written is put in force, also when the rest could not be.
            self.publish_stored(&before)?;
        }
        written?;
        if seen || actor.name != REPLICATOR {
            store
                .audit_note(self.by(actor), "accounts.sync", &ldap.url, Some(&sentence(&report)))
                .map_err(|error| unavailable(&error))?;
        }
        Ok(report)
    }
}

/// Everybody the search finds.
async fn people(ldap: &Ldap, password: Option<&Secret>) -> Result<Vec<Entry>, LdapFault> {
    let mut connection = Connection::open(ldap).await?;
    connection.bind(ldap, password).await?;
    let entries = connection.search(ldap, MOST_ENTRIES).await?;
    connection.close().await;
    Ok(entries)
}

fn changes(plan: Plan) -> Result<Vec<AccountChange>, Refused> {
    plan.steps
        .into_iter()
        .map(|step| {
            Ok(match step {
                Step::New(user, account) => {
                    let secret = first_password(&user)?;
                    AccountChange::New(user, secret, account)
                }
                Step::Change(_, user, account) => AccountChange::Set(user, account),
                Step::Keep(account) => AccountChange::Keep(account),
                Step::Remove(user) => AccountChange::Remove(user.id),
            })
        })
        .collect()
}

fn sentence(report: &AccountSync) -> String {
    let AccountSync { people, new, changed, disabled, removed, same, refused, .. } = report;
    format!(
        "{people} people: {new} new, {changed} changed ({disabled} of them disabled), {removed} removed, {same} the same, {refused} refused"
    )
}
