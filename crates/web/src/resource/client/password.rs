//! Whose password it is: the one kept here, or for people of a directory server the one kept there.
//!
//! A user of the directory server has a password here too, for phones: digest needs a secret that no directory server gives
//! out. It does not open a page.

use crate::Web;
use crate::peer::Peer;
use crate::refused::{Refused, unavailable};
use crate::resource::accounts::server_fault;
use lyceum_accounts::Secret;
use lyceum_accounts::ldap::Connection;
use lyceum_api::Refusal;
use lyceum_topology::accounts::{Account, Ldap};
use lyceum_topology::{UserRecord, folded_address};
use std::sync::Arc;

/// A name that nobody has: who does not exist is asked for as long as who does.
const NOBODY: &str = "cn=nobody of this name signs in";

impl Web {
    /// The user with this address, if the password is theirs.
    pub(super) async fn user_with_password(
        &self,
        peer: &Peer,
        address: &str,
        password: lyceum_api::Secret,
    ) -> Result<Arc<UserRecord>, Refused> {
        let (web, asked) = (self.clone(), address.to_owned());
        let (user, account) = self.blocking(move || web.account_of(&asked)).await?;
        // However it is written, it is the same account that is guessed at.
        let counted = user.as_ref().map_or_else(|| folded_address(address), |user| user.address.to_string());
        // By hand, or a password that phones have: kept here.
        let Some(ldap) = self.ldap().filter(|_| user.is_none() || account.is_some()) else {
            return self.user_with_own_password(peer, (&counted, address), password).await;
        };
        let attempt = async {
            let known = user.filter(|user| user.enabled).zip(account);
            let dn =
                known.as_ref().map_or_else(|| format!("{NOBODY},{}", ldap.base), |(_, account)| account.dn.clone());
            let good = is_password(&ldap, &dn, &Secret::new(password.reveal())).await?;
            known.filter(|_| good).map(|(user, _)| user).ok_or_else(refused)
        };
        self.guarded(peer, &counted, attempt).await
    }

    /// The user of an address, and what ties them to a directory server. Blocks.
    fn account_of(&self, address: &str) -> Result<(Option<Arc<UserRecord>>, Option<Account>), Refused> {
        let snapshot = self.options().publisher.current();
        let parts = address.split_once('@');
        let user = parts.and_then(|(user, domain)| snapshot.user(user.as_bytes(), domain.as_bytes()).cloned());
        let account = user.as_ref().map(|user| self.options().store.account(user.id)).transpose();
        Ok((user, account.map_err(|error| unavailable(&error))?.flatten()))
    }

    async fn user_with_own_password(
        &self,
        peer: &Peer,
        (counted, address): (&str, &str),
        password: lyceum_api::Secret,
    ) -> Result<Arc<UserRecord>, Refused> {
        let people = self.people()?;
        let who = address.to_owned();
        self.try_sign_in(peer, counted, move |_| people.check_password(&who, password.reveal()).ok_or_else(refused))
            .await
    }
}

async fn is_password(ldap: &Ldap, dn: &str, password: &Secret) -> Result<bool, Refused> {
    let mut connection = Connection::open(ldap).await.map_err(|fault| server_fault(&fault))?;
    let good = connection.is_password(dn, password).await.map_err(|fault| server_fault(&fault))?;
    connection.close().await;
    Ok(good)
}

fn refused() -> Refused {
    let what = "address and password do not match, or the account is disabled";
    Refused::new(Refusal::ClientSignInRefused, what, "/client/session")
}
