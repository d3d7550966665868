//! What the driver counts, for metrics.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::streams::Reason;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// The counters of one worker while it runs.
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $($name: AtomicU64,)*
        }

        impl Counters {
            $(pub(crate) fn $name(&self, by: u64) {
                if by > 0 {
                    self.$name.fetch_add(by, Relaxed);
                }
            })*
        }

        /// Totals of all workers since they were built.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Totals {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Totals {
            pub(crate) fn add(&mut self, counters: &Counters) {
                $(self.$name += counters.$name.load(Relaxed);)*
            }

            /// Every total with its name, in a fixed order.
            pub fn named(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name),)*].into_iter()
            }
        }
    };
}

impl Counters {
    pub(crate) fn ended(&self, reason: Reason) {
        match reason {
            Reason::Peer => self.ended_by_peer(1),
            Reason::Broken => self.ended_broken(1),
            Reason::Unreachable => self.ended_unreachable(1),
            Reason::Handshake => self.ended_handshake(1),
            Reason::Idle => self.ended_idle(1),
            Reason::SlowReader => self.ended_slow_reader(1),
            Reason::Garbage => self.ended_garbage(1),
            Reason::Ours => self.ended_by_us(1),
        }
    }
}

counters! {
    /// Datagrams the kernel dropped because a socket buffer was full.
    dropped,
    /// Messages received.
    messages_in,
    /// Datagrams sent.
    datagrams_out,
    /// Connections accepted, foreign ones included.
    connections_accepted,
    /// Connections closed at once because a bound was reached.
    connections_refused,
    /// Connections that the peer closed.
    ended_by_peer,
    /// Connections that broke.
    ended_broken,
    /// Connects that did not succeed.
    ended_unreachable,
    /// TLS handshakes that failed or took too long.
    ended_handshake,
    /// Connections closed because nothing came in time.
    ended_idle,
    /// Connections closed because their reader was too slow.
    ended_slow_reader,
    /// Connections closed because what came was no SIP.
    ended_garbage,
    /// Connections that we closed because we wanted to.
    ended_by_us,
}
