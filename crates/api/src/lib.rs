//! Request and response types of Lyceum's administration API, its table of routes and its OpenAPI text.
//!
//! The web role serves [`route::ROUTES`] under [`PREFIX`], the management shell calls them, and
//! [`openapi::text`] describes them to everyone else; all three read the same table, so a route that
//! is not in it is neither served nor documented. Nothing here does IO.
//!
//! ```
//! use lyceum_api::{Problem, refusal::Refusal};
//!
//! let problem = Problem::new(Refusal::UserNotFound, "no user bob@example.org", "/users/bob@example.org");
//! assert_eq!(problem.status, 404);
//! assert_eq!(&*problem.code, "user-not-found");
//! ```

pub mod account;
pub mod administrator;
pub mod archive;
pub mod audit;
pub mod calendar;
pub mod call;
pub mod change;
pub mod client;
pub mod contact;
pub mod directory;
pub mod domain;
pub mod edge;
pub mod eml;
pub mod group;
pub mod message;
pub mod openapi;
pub mod page;
pub mod plan;
pub mod policy;
pub mod presence;
pub mod probe;
pub mod problem;
pub mod refusal;
pub mod registration;
pub mod route;
pub mod secret;
pub mod server;
pub mod session;
pub mod time;
pub mod topology;
pub mod trace;
pub mod user;

pub use change::{Changed, Difference};
pub use page::{Page, Paging};
pub use problem::{FieldProblem, Problem};
pub use refusal::Refusal;
pub use secret::Secret;
pub use time::Timestamp;

/// Every path of the API starts with this; a breaking change gets a new one.
pub const PREFIX: &str = "/api/v1";

/// File name of the local socket inside the data or run folder.
pub const SOCKET_NAME: &str = "lyceum.sock";

/// Where the local socket is when nobody says otherwise.
pub const DEFAULT_SOCKET: &str = "/run/lyceum/lyceum.sock";
