//! From what a business needs to what must be bought, opened, named and trained: the planning tools.
//!
//! A [`Plan`] is read from a file in which every answer may be missing. Each calculator makes plain values of it that
//! serialise, every number with the rule it follows from and who says so, and [`Table`]s for those who print. Nothing
//! here reads a clock, a file or a socket.
//!
//! ```
//! use lyceum_plan::Plan;
//!
//! let wrong = Plan::read("[voice]\nbypas = 65\nminutes = \"three\"\n").unwrap_err();
//! assert_eq!(
//!     wrong.to_string(),
//!     "line 2: voice.bypas: found a key that means nothing here; expected \"bypass\", if that is what is meant\n\
//!      line 3: voice.minutes: found string \"three\"; expected a number from 0 to 600 min\n"
//! );
//! let plan = Plan::read("").unwrap();
//! assert!(plan.voice.minutes.is_assumed());
//! ```

pub mod bandwidth;
pub mod capacity;
mod csv;
pub mod deployment;
pub mod document;
pub mod drivers;
pub mod erlang;
pub mod figures;
mod file;
pub mod interview;
mod markup;
mod network;
pub mod pack;
pub mod picture;
pub mod qos;
pub mod readiness;
pub mod report;
mod results;
pub mod survey;
mod table;
pub mod verify;
pub mod vpn;

pub use file::*;
pub use lyceum_topology::qos::PortRange;
pub use network::{Malformed, Network};
pub use results::Results;
pub use table::{Cell, Table};
