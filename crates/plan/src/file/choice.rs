//! Answers that are one of a few words.

use serde::Serialize;

/// A closed list of words.
pub(super) trait Choice: Copy + Sized + 'static {
    /// All of them.
    const ALL: &'static [Self];
    /// As the file writes it.
    fn word(self) -> &'static str;
}

macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($(#[$item_doc:meta])* $item:ident $word:literal),* $(,)? })*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
        pub enum $name { $($(#[$item_doc])* #[serde(rename = $word)] $item),* }

        impl Choice for $name {
            const ALL: &'static [Self] = &[$($name::$item),*];

            fn word(self) -> &'static str {
                match self { $($name::$item => $word),* }
            }
        }
    )* };
}

choices! {
    /// Which kind of Front End a site gets.
    Edition {
        /// By size and availability.
        Auto "auto",
        /// One server that holds all.
        Standard "standard",
        /// A pool with a back end.
        Enterprise "enterprise",
    }
    /// What spreads load over the servers of a pool.
    LoadBalancing {
        /// One record for each server; the web part still needs a balancer.
        Dns "dns",
        /// A balancer in front of everything.
        Hardware "hardware",
    }
    /// How meeting addresses are named.
    SimpleUrls {
        /// `meet.` of each SIP domain.
        PerDomain "per-domain",
        /// `lync.` of one domain for all.
        Shared "shared",
    }
    /// How much the PSTN is used.
    Usage {
        /// By the calls in the busy hour.
        Auto "auto",
        /// One call an hour.
        Light "light",
        /// Two calls an hour.
        Medium "medium",
        /// Three calls an hour and more.
        Heavy "heavy",
    }
    /// Where Mediation runs.
    Mediation {
        /// On the Front Ends while they can carry the calls.
        Auto "auto",
        /// On the Front Ends.
        Collocated "collocated",
        /// On servers of its own.
        Standalone "standalone",
    }
    /// How big the largest meetings are.
    LargeMeetings {
        /// None.
        None "none",
        /// Up to 250 people, one at a time, in the shared pool.
        Shared "shared",
        /// Up to 1,000 people, in a pool of their own.
        Dedicated "dedicated",
    }
    /// How bandwidth is traded for quality.
    AudioMode {
        /// As many calls as possible.
        Quantity "quantity",
        /// Between the two.
        Balanced "balanced",
        /// The best sound, with forward error correction.
        Quality "quality",
    }
    /// Where the calls of a branch reach the PSTN.
    Breakout {
        /// At its central site.
        Central "central",
        /// At the branch.
        Local "local",
    }
}
