//! Counters that the workers share and Prometheus reads. Each worker adds with relaxed atomics; nothing is locked.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use crate::refusal::Refusal;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// One more.
    pub fn inc(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// So many more.
    pub fn add(&self, by: u64) {
        self.0.fetch_add(by, Relaxed);
    }

    /// The value.
    pub fn value(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// Sets it.
    pub fn set(&self, value: i64) {
        self.0.store(value, Relaxed);
    }

    /// Changes it.
    pub fn add(&self, by: i64) {
        self.0.fetch_add(by, Relaxed);
    }

    /// The value.
    pub fn value(&self) -> i64 {
        self.0.load(Relaxed)
    }
}

macro_rules! metrics {
    ($( $kind:ident $name:ident = $help:literal; )*) => {
        /// All counters of the front end.
        #[derive(Debug)]
        pub struct Metrics {
            $( #[doc = $help] pub $name: $kind, )*
            refusals: Vec<Count>,
        }

        impl Default for Metrics {
            fn default() -> Self {
                Metrics { $( $name: $kind::default(), )* refusals: Refusal::ALL.iter().map(|_| Count::default()).collect() }
            }
        }

        impl Metrics {
            /// Name, help, whether it is a counter, and value of each; refusals are apart.
            pub fn each(&self) -> Vec<(&'static str, &'static str, bool, i64)> {
                vec![ $( (stringify!($name), $help, stringify!($kind) == "Count", self.$name.value() as i64), )* ]
            }
        }
    };
}

metrics! {
    Count messages_in = "SIP messages received";
    Count messages_out = "SIP messages sent";
    Count malformed = "Messages that break the grammar";
    Count registers = "REGISTER requests";
    Count challenges = "401 and 407 sent";
    Count calls = "INVITE requests accepted for routing";
    Count calls_answered = "Calls answered with 2xx";
    Count shed = "Requests refused because of overload";
    Count commits = "Journal blocks committed";
    Count commit_failures = "Journal blocks the store refused";
    Count ladders_kept = "SIP ladders of calls handed to the store";
    Count ladders_dropped = "SIP ladders of calls lost because too many were kept or written at once";
    Gauge bindings = "Registered bindings";
    Gauge addresses = "Addresses of record with a binding";
    Gauge transactions = "Live transactions";
    Count notifies = "NOTIFY requests sent";
    Count notifies_failed = "Subscriptions ended because their watcher did not answer";
    Count messages_kept = "Messages stored for devices";
    Count messages_delivered = "Stored messages that a device took";
    Gauge subscriptions = "Subscriptions that stand";
    Gauge calls_active = "Calls answered and not ended";
}

impl Metrics {
    /// Counts a refusal.
    pub fn refused(&self, refusal: Refusal) {
        if let Some(at) = Refusal::ALL.iter().position(|one| *one == refusal) {
            self.refusals[at].inc();
        }
    }

    /// Refusals by code.
    pub fn refusals(&self) -> impl Iterator<Item = (Refusal, u64)> + '_ {
        Refusal::ALL.iter().zip(&self.refusals).map(|(refusal, count)| (*refusal, count.value()))
    }
}
