//! `lyceum qos verify` and `lyceum qos agent`: marked probes between two hosts.
//!
//! ```text
//! verify ── TCP: key, what is to be probed ──► agent opens a port of each modality ── its ports ──► verify
//! verify ── UDP from the client's ports, marked ──► agent counts marks, sends each probe back, marked ──► verify counts
//! verify ── TCP: done ──► agent ── what it counted, and the routers on its way back ──► verify judges
//! ```
//! A probe goes back to the address that the TCP connection came from and to no other, as long as it was, so an agent
//! helps nobody to flood a third. One verification runs at a time.

mod agent;
mod judge;
mod stream;
mod tally;
mod trace;
mod verify;
mod wire;

pub use agent::Agent;
pub use verify::Verify;

use std::time::Duration;

/// Where an agent listens unless told otherwise.
const PORT: u16 = 7_800;
/// Most probes of a modality.
const PROBES_MAX: u32 = 10_000;
/// Least distance of two probes of a modality.
const INTERVAL_MIN: Duration = Duration::from_millis(5);
/// Most modalities of one verification.
const MODALITIES_MAX: usize = 8;
/// How long after the last probe the last answers may come.
const LATEST: Duration = Duration::from_secs(1);
/// Bytes of a probe: as a packet of G.711 with 20 ms.
const PROBE_BYTES: usize = 172;
