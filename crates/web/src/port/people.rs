//! What pages of signed-in users ask of the running server.

use lyceum_api::Problem;
use lyceum_api::client::{OwnPresence, PresenceView};
use lyceum_api::presence::Watcher;
use lyceum_sip::token::bearer::Bearers;
use lyceum_topology::{UserId, UserRecord};
use lyceum_users::contacts::{ContactList, ContactRefusal};
use std::sync::Arc;

/// A change of a contact list.
pub type ContactEdit = Box<dyn FnOnce(&mut ContactList) -> Result<(), ContactRefusal> + Send>;

/// The users of the running server.
///
/// Every function may block, except where it says otherwise.
pub trait People: Send + Sync + 'static {
    /// The user with this address, if the password is theirs.
    fn check_password(&self, address: &str, password: &str) -> Option<Arc<UserRecord>>;

    /// The mark that tokens for the user's present password carry. Does not block.
    fn mark(&self, user: UserId) -> Option<u32>;

    /// Signs and checks tokens. Does not block.
    fn bearers(&self) -> &Bearers;

    /// Where the server listens, as `tls sip.example.org:5061`. Does not block.
    fn listeners(&self) -> Vec<String>;

    /// What a user sees of others; unknown ones are left out.
    fn presence(&self, watcher: &str, of: &[String]) -> Result<Vec<PresenceView>, Problem>;

    /// The subscriptions to a user's presence.
    fn watchers(&self, address: &str) -> Result<Vec<Watcher>, Problem>;

    /// What a user says of themselves.
    fn own_presence(&self, address: &str) -> Result<OwnPresence, Problem>;

    /// Sets it; returns when it is durable.
    fn choose(&self, address: &str, wish: &OwnPresence) -> Result<OwnPresence, Problem>;

    /// A device tells how long it was not used.
    fn used(&self, address: &str, device: &str, idle_seconds: u32) -> Result<(), Problem>;

    /// The address of the conversation of these people, made if there is none; returns when it is durable.
    fn make_conversation(&self, members: &[String], domain: &str) -> Result<String, Problem>;

    /// The contact list.
    fn contacts(&self, address: &str) -> Result<ContactList, Problem>;

    /// Replaces it, if it still has that version; returns when it is durable.
    fn replace_contacts(&self, address: &str, list: ContactList, based_on: u64) -> Result<ContactList, Problem>;

    /// Changes it; returns when it is durable.
    fn edit_contacts(&self, address: &str, edit: ContactEdit) -> Result<ContactList, Problem>;
}
