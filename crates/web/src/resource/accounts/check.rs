//! Asking the servers that accounts come from, step by step.

use super::not_configured;
use crate::Web;
use crate::refused::Refused;
use lyceum_accounts::ldap::{Connection, LdapFault, MOST_ENTRIES};
use lyceum_accounts::oidc::Issuer;
use lyceum_accounts::{Secret, person};
use lyceum_api::account::AccountCheck;
use lyceum_topology::Document;
use lyceum_topology::accounts::{Ldap, Oidc, Secret as SecretName};

impl Web {
    /// Every step up to the first that fails, for each server.
    pub(super) async fn check_accounts(&self) -> Result<Vec<AccountCheck>, Refused> {
        let snapshot = self.options().publisher.current();
        let accounts = &snapshot.document().accounts;
        if accounts.is_empty() {
            return Err(not_configured("ldap and none accounts.oidc"));
        }
        let mut checks = Vec::new();
        if let Some(ldap) = &accounts.ldap {
            let web = self.clone();
            let password = self.blocking(move || web.accounts_secret(SecretName::Ldap)).await?;
            check_ldap(ldap, snapshot.document(), password.as_ref(), &mut checks).await;
        }
        if let Some(oidc) = &accounts.oidc {
            checks.extend(check_oidc(oidc).await);
        }
        Ok(checks)
    }
}

async fn check_oidc(oidc: &Oidc) -> Vec<AccountCheck> {
    let check = |step: &str, passed, what, fix: &str| {
        let (source, step, fix) = ("oidc".to_owned(), step.to_owned(), fix.to_owned());
        AccountCheck { source, step, passed, what, fix }
    };
    match Issuer::discover(oidc).await {
        Err(fault) => vec![check("discovery", false, fault.to_string(), fault.fix())],
        Ok(issuer) => {
            let (keys, fix) = (issuer.keys(), "let the issuer sign with RS256 or ES256");
            let found = check("discovery", true, format!("{} describes itself", oidc.issuer), "");
            let what = format!("{keys} keys sign with RS256 or ES256");
            vec![found, check("keys", keys > 0, what, if keys > 0 { "" } else { fix })]
        }
    }
}

async fn check_ldap(ldap: &Ldap, document: &Document, password: Option<&Secret>, checks: &mut Vec<AccountCheck>) {
    let mut note = |step: &str, done: Result<String, LdapFault>| {
        let (source, step) = ("ldap".to_owned(), step.to_owned());
        checks.push(match done {
            Ok(what) => AccountCheck { source, step, passed: true, what, fix: String::new() },
            Err(fault) => {
                AccountCheck { source, step, passed: false, what: fault.to_string(), fix: fault.fix().to_owned() }
            }
        });
    };
    let mut connection = match Connection::open(ldap).await {
        Ok(connection) => connection,
        Err(fault) => return note("connect", Err(fault)),
    };
    let secure = ldap.start_tls || ldap.url.starts_with("ldaps:");
    note("connect", Ok(format!("{}, {}", ldap.url, if secure { "TLS" } else { "in the clear" })));
    let who = if ldap.bind_dn.is_empty() { "nobody in particular" } else { &ldap.bind_dn };
    match connection.bind(ldap, password).await {
        Ok(()) => note("bind", Ok(format!("signed in as {who}"))),
        Err(fault) => return note("bind", Err(fault)),
    }
    let entries = match connection.search(ldap, MOST_ENTRIES).await {
        Ok(entries) => entries,
        Err(fault) => return note("search", Err(fault)),
    };
    note("search", Ok(format!("{} entries below {} match {}", entries.len(), ldap.base, ldap.filter())));
    let mapped: Vec<_> = entries.iter().map(|entry| (entry, person(ldap, document, entry))).collect();
    let good = mapped.iter().filter(|(_, person)| person.is_ok()).count();
    let first = mapped.iter().find_map(|(_, person)| person.as_ref().ok()).map(|person| person.address.to_string());
    let mut what = format!("{good} can have an account");
    if let Some(first) = first {
        what.push_str(&format!(", the first is {first}"));
    }
    if let Some((entry, Err(why))) = mapped.iter().find(|(_, person)| person.is_err()) {
        what.push_str(&format!("; {} cannot, the first is {}: {why}", entries.len() - good, entry.dn));
    }
    note("map", Ok(what));
    connection.close().await;
}
