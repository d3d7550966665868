//! Seeded simulation of the ground: endpoints, proxy and registrar on a virtual network.
//!
//! The machine under test is the product's own [`lyceum_front_end::core::Core`]; the clock, the network, the store and
//! the endpoints are virtual. Everything that happens by chance is drawn from one seed, so a seed that fails fails again.
//!
//! ```
//! let outcome = sim::run(7, None, false);
//! assert!(outcome.violations.is_empty(), "{:?}", outcome.violations);
//! ```

mod device;
mod dice;
mod log;
mod mangle;
mod network;
pub mod options;
mod organisation;
pub mod plant;
mod queue;
mod report;
mod store;
pub mod violation;
mod world;

use plant::Fault;
use violation::Violation;
pub use world::Counts;
use world::World;

/// What came of one seed.
pub struct Outcome {
    /// Rules broken; empty when all is well.
    pub violations: Vec<Violation>,
    /// How much happened.
    pub counts: Counts,
    /// One number for all that happened.
    pub fingerprint: u64,
    /// What happened, if a trace was asked for.
    pub lines: Vec<String>,
}

/// Runs one seed.
pub fn run(seed: u64, plant: Option<Fault>, trace: bool) -> Outcome {
    let mut world = World::new(seed, plant, trace);
    let violations = world.run();
    let (counts, fingerprint) = (world.counts, world.log.fingerprint());
    Outcome { violations, counts, fingerprint, lines: world.log.into_lines() }
}

/// The first of `seeds` in which a planted fault is found.
pub fn find(plant: Fault, seeds: std::ops::Range<u64>) -> Option<(u64, Violation)> {
    seeds.into_iter().find_map(|seed| Some((seed, run(seed, Some(plant), false).violations.into_iter().next()?)))
}
