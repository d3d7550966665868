//! What the four machines share: the timers by their letters, and the actions they ask for.

use std::time::Duration;

/// The timers of RFC 3261 table 4, of RFC 6026 and RFC 4320, and three guards of our own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Timer {
    /// INVITE client, retransmission over an unreliable transport.
    A,
    /// INVITE client, no answer at all.
    B,
    /// INVITE client at a proxy, no final answer.
    C,
    /// INVITE client, absorbs repeated final answers.
    D,
    /// Non-INVITE client, retransmission.
    E,
    /// Non-INVITE client, no final answer.
    F,
    /// INVITE server, retransmission of the final answer.
    G,
    /// INVITE server, no ACK.
    H,
    /// INVITE server, absorbs repeated ACKs.
    I,
    /// Non-INVITE server, absorbs repeated requests.
    J,
    /// Non-INVITE client, absorbs repeated answers.
    K,
    /// INVITE server after a 2xx, absorbs repeated INVITEs (RFC 6026).
    L,
    /// INVITE client after a 2xx, passes repeated ones up (RFC 6026).
    M,
    /// Non-INVITE server: a 100 is now due (RFC 4320 §4.1).
    Trying,
    /// INVITE client: no final answer to a CANCEL (RFC 3261 §9.1).
    Cancelled,
    /// Server: nobody answered; the peer waits no more.
    Pending,
}

impl Timer {
    /// True for those that send again and stand beside a transaction's ending timer.
    pub(super) fn repeats(self) -> bool {
        matches!(self, Timer::A | Timer::E | Timer::G | Timer::Trying)
    }
}

/// The durations behind the letters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timers {
    /// Round-trip estimate.
    pub t1: Duration,
    /// Longest interval between retransmissions of a non-INVITE request or an INVITE answer.
    pub t2: Duration,
    /// Longest life of a message in the network.
    pub t4: Duration,
    /// Timer C; more than three minutes (RFC 3261 §16.6 step 11).
    pub c: Duration,
    /// How long an INVITE may stay without any answer of ours, final or provisional.
    pub pending: Duration,
}

impl Default for Timers {
    fn default() -> Timers {
        Timers {
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
            c: Duration::from_secs(181),
            pending: Duration::from_secs(15 * 60),
        }
    }
}

impl Timers {
    /// How long a timer runs at first.
    #[must_use]
    pub fn duration(&self, timer: Timer) -> Duration {
        match timer {
            Timer::A | Timer::E | Timer::G => self.t1,
            Timer::C => self.c,
            // RFC 3261 §17.1.1.2: at least 32 s, however short T1 is.
            Timer::D => (self.t1 * 64).max(Duration::from_secs(32)),
            Timer::I | Timer::K => self.t4,
            Timer::Trying => self.until_t2(),
            Timer::Pending => self.pending,
            Timer::B | Timer::F | Timer::H | Timer::J | Timer::L | Timer::M | Timer::Cancelled => self.t1 * 64,
        }
    }

    /// The next interval of a retransmission timer.
    pub(super) fn again(&self, timer: Timer, last: Duration) -> Duration {
        match timer {
            // RFC 3261 §17.1.1.2: timer A doubles without bound; only B ends it.
            Timer::A => last * 2,
            _ => (last * 2).min(self.t2),
        }
    }

    /// The time a client's timer E takes to be set to T2 (RFC 4320 §4.1).
    pub(super) fn until_t2(&self) -> Duration {
        let (mut interval, mut sum) = (self.t1, Duration::ZERO);
        while interval < self.t2 && !interval.is_zero() {
            sum += interval;
            interval *= 2;
        }
        sum
    }
}

/// What a machine wants done, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Action {
    /// Transmit the message that came with the input.
    Send,
    /// Transmit what is kept once more.
    Resend,
    /// Keep the message that came with the input, for retransmission.
    Keep,
    /// Drop what is kept.
    Forget,
    /// Build, send and keep the ACK for the response that came.
    Ack,
    /// Hand the message to the transaction user.
    Pass,
    /// Set a timer to its first interval.
    Start(Timer),
    /// Set a retransmission timer to its next interval.
    Again(Timer),
    /// Set a retransmission timer to T2.
    AgainAtT2(Timer),
    /// Stop the retransmission timer.
    StopRepeating,
    /// Tell the user that the peer stayed silent.
    TimedOut,
    /// Tell the user that timer C fired.
    TimerC,
    /// Tell the user that a 100 is due.
    TryingDue,
}

/// A machine's answer: the next state and what to do on the way.
pub(super) type Step<S> = (S, &'static [Action]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_table_4() {
        let t = Timers::default();
        let cases = [
            (Timer::A, 500),
            (Timer::B, 32_000),
            (Timer::C, 181_000),
            (Timer::D, 32_000),
            (Timer::E, 500),
            (Timer::F, 32_000),
            (Timer::G, 500),
            (Timer::H, 32_000),
            (Timer::I, 5_000),
            (Timer::J, 32_000),
            (Timer::K, 5_000),
            (Timer::L, 32_000),
            (Timer::M, 32_000),
            (Timer::Trying, 3_500),
        ];
        for (timer, millis) in cases {
            assert_eq!(t.duration(timer), Duration::from_millis(millis), "{timer:?}");
        }
        assert!(t.c > Duration::from_secs(180));
    }
}
