//! What the routes do: one file per resource. Handlers read the request and hand a plain function to a
//! blocking thread; the functions hold the rules.

use crate::authorize::Actor;

/// Who asks for a change, what it is called, and whether it is only a question.
pub(crate) struct Order {
    /// Who.
    pub actor: Actor,
    /// `new`, `set`, `grant`, …
    pub action: &'static str,
    /// Only say what would change.
    pub what_if: bool,
}

pub mod accounts;
pub mod administrators;
pub mod archive;
pub mod audit;
pub mod backup;
pub mod calls;
pub mod client;
pub mod contacts;
pub mod devices;
pub mod documents;
pub mod domains;
pub mod edges;
pub mod groups;
pub mod history;
pub mod import;
pub mod numbers;
pub mod plan;
pub mod policies;
pub mod presence;
pub mod registrations;
pub mod server;
pub mod sessions;
pub mod tests;
pub mod topology;
pub mod trace;
pub mod users;
