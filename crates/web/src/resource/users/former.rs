//! Addresses that change hands, and putting in force what is stored.

use super::{next, store_refused};
use crate::Web;
use crate::listen::Drain;
use crate::refused::{Refused, unavailable};
use lyceum_topology::{Directory, Snapshot, UserRecord};
use std::sync::Arc;
use std::time::Duration;

/// How often it is looked whether something of former users is left to forget.
const LOOK_EVERY: Duration = Duration::from_secs(2);

impl Web {
    /// The directory as the store has it: read again after an import or a sync, because the store gives out the numbers.
    pub(crate) fn stored_directory(&self) -> Result<Directory, Refused> {
        let stored = self.options().store.directory().map_err(store_refused)?;
        stored
            .into_directory()
            .map_err(|e| Refused::new(lyceum_api::Refusal::InternalFault, e.to_string(), "directory"))
    }

    /// Puts in force what is stored, whatever a write came to, and ends the registrations of everybody who could sign in
    /// before and cannot now. The turn must be held.
    pub(crate) fn publish_stored(&self, before: &Snapshot) -> Result<(), Refused> {
        let publisher = &self.options().publisher;
        let stored = next(before, self.stored_directory()?)?;
        publisher.publish(Arc::clone(&stored));
        publisher.all_credentials_changed();
        let is_gone = |old: &&Arc<UserRecord>| {
            let new = stored.directory().get(&old.address);
            old.enabled && !new.is_some_and(|new| new.enabled && new.id == old.id)
        };
        before.directory().users().filter(is_gone).for_each(|old| publisher.user_gone(old));
        if let Err(refused) = self.settle_former() {
            tracing::error!(what = %refused.problem().what, "new users with a former user's address wait; it is tried again");
        }
        Ok(())
    }

    /// Whether this address has a new holder who waits until everything of the former one is forgotten.
    pub(crate) fn has_former(&self, user: &UserRecord) -> Result<bool, Refused> {
        let former = self.options().store.former().map_err(|error| unavailable(&error))?;
        Ok(former.iter().any(|address| address == user.address.as_str()))
    }

    /// Forgets what former holders of addresses left, and puts the new ones in force. The turn must be held.
    pub(crate) fn settle_former(&self) -> Result<(), Refused> {
        let former = self.options().store.former().map_err(|error| unavailable(&error))?;
        if former.is_empty() {
            return Ok(());
        }
        let publisher = &self.options().publisher;
        publisher.forget_former(&former)?;
        publisher.publish(next(&publisher.current(), self.stored_directory()?)?);
        publisher.all_credentials_changed();
        tracing::info!(
            addresses = former.len(),
            "what former users left is forgotten: their addresses have new holders"
        );
        Ok(())
    }

    /// Does so again and again, should it have failed or the server have ended in between, until the server stops.
    pub async fn keep_forgetting(self, mut drain: Drain) {
        let mut failed = false;
        loop {
            let web = self.clone();
            let done = self
                .blocking(move || {
                    let _turn = web.turn();
                    web.settle_former()
                })
                .await;
            if let Err(refused) = &done
                && !failed
            {
                tracing::error!(what = %refused.problem().what, "what former users left is not forgotten yet");
            }
            failed = done.is_err();
            tokio::select! {
                () = drain.begun() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }
}
