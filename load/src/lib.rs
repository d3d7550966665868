//! Load generator and benchmark rig: sends SIP load to a server on this machine and says what it cost the server.
//!
//! [`generator`] is the load itself, in one thread with few CPU cycles; [`command`] the subcommands of `lyceum-load`,
//! which `lyceum bench` offers too. Everything goes over loopback and ends by itself.
//!
//! ```no_run
//! use load::generator::{Generator, Kind, Options, Rates};
//! use std::time::Duration;
//!
//! let users = load::users::made_up(100);
//! let options = Options::new(([127, 0, 0, 1], 5060).into(), "bench.test", users);
//! let mut generator = Generator::new(options)?;
//! generator.run(&Rates::only(Kind::Register, 1000.0), Duration::from_secs(5));
//! generator.drain(Duration::from_secs(5));
//! println!("{}", generator.stats(Kind::Register).to_json());
//! # Ok::<(), String>(())
//! ```

pub mod command;
pub mod digest;
pub mod generator;
pub mod idle;
pub mod machine;
pub mod peer;
pub mod presence;
pub mod procfs;
pub mod report;
pub mod stats;
pub mod sys;
pub mod template;
pub mod users;
