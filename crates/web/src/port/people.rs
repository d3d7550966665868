//! What pages of signed-in users ask of the running server.

use lyceum_api::Problem;
use lyceum_api::client::{OwnPresence, PresenceView};
use lyceum_api::presence::Watcher;
use lyceum_sip::token::bearer::{Bearers, Claims};
use lyceum_topology::{UserId, UserRecord};
use lyceum_users::contacts::{ContactList, ContactRefusal};
use lyceum_users::presence::calendar::BusyInterval;
use std::sync::Arc;

/// A change of a contact list.
pub type ContactEdit = Box<dyn FnOnce(&mut ContactList) -> Result<(), ContactRefusal> + Send>;

/// Who says what a user is seen as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chooser {
    /// The user.
    User,
    /// An administrator.
    Administrator,
}

/// The users of the running server.
///
/// Every function may block, except where it says otherwise.
pub trait People: Send + Sync + 'static {
    /// The user with this address, if the password is theirs.
    fn check_password(&self, address: &str, password: &str) -> Option<Arc<UserRecord>>;

    /// The mark that tokens for the user's present password carry. Does not block.
    fn mark(&self, user: UserId) -> Option<u32>;

    /// Whether a token ended before its time. Does not block.
    fn has_ended(&self, claims: &Claims) -> bool;

    /// Ends the tokens that were handed out to a device until now, its registrations and its connections; returns when it is
    /// durable.
    fn end_page(&self, user: &UserRecord, device: u64) -> Result<(), Problem>;

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

    /// Sets it; returns when it is durable. What an administrator sets does not make the user active.
    fn choose(&self, address: &str, wish: &OwnPresence, by: Chooser) -> Result<OwnPresence, Problem>;

    /// A device tells how long it was not used.
    fn used(&self, address: &str, device: &str, idle_seconds: u32) -> Result<(), Problem>;

    /// The address of the conversation of these people, made for one of them if there is none; returns when it is durable.
    fn make_conversation(&self, maker: &str, members: &[String], domain: &str) -> Result<String, Problem>;

    /// Everybody whose calendar is fetched, with where from. Such addresses carry keys: they are not logged.
    fn calendar_feeds(&self) -> Result<Vec<(String, String)>, Problem>;

    /// Where a user's calendar is fetched from, and how many busy times are known.
    fn calendar(&self, address: &str) -> Result<(Option<String>, usize), Problem>;

    /// Sets where a user's calendar is fetched from; without one its busy times are forgotten.
    fn set_calendar_feed(&self, address: &str, feed: Option<&str>) -> Result<(), Problem>;

    /// Sets the busy times of a user's calendar; returns when they are durable. Those that were fetched `from` a place which
    /// is no longer the user's change nothing.
    fn set_calendar(&self, address: &str, from: Option<&str>, busy: Vec<BusyInterval>) -> Result<(), Problem>;

    /// Forgets where a user's calendar was fetched from and keeps its busy times; tells how many.
    fn keep_calendar_only(&self, address: &str) -> Result<usize, Problem>;

    /// The contact list.
    fn contacts(&self, address: &str) -> Result<ContactList, Problem>;

    /// Replaces it, if it still has that version; returns when it is durable.
    fn replace_contacts(&self, address: &str, list: ContactList, based_on: u64) -> Result<ContactList, Problem>;

    /// Changes it; returns when it is durable.
    fn edit_contacts(&self, address: &str, edit: ContactEdit) -> Result<ContactList, Problem>;
}
