//! What a user's calls may do. Voice policies with routes and usages come beside it, not into it.

use super::Clash;

policy! {
    /// What a user's calls may do.
    pub struct CallPolicy / CallSettings, Calls, clashes clashes;

    /// Whether the user may place calls.
    allow_outgoing: bool = true,
        source "Lync AudioVideoDisabled False";
    /// How long a user's endpoints ring before the call counts as unanswered.
    ring_seconds: u32 = 60, unit "s", range 5 ..= 180,
        source "ten rings or so; below timer C, so that the caller gets a clear answer";
    /// Calls one user may be in at once, counted as caller.
    max_calls: u32 = 32, unit "calls", range 1 ..= 10_000,
        source "a stolen password should not fill the trunks";
}

fn clashes(_: &CallPolicy) -> Vec<Clash> {
    Vec::new()
}
