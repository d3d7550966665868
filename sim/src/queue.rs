//! What will happen, in the order of virtual time.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use lyceum_sip::time::Time;

use crate::device::Task;

/// Something that happens at a moment.
#[derive(Debug)]
pub enum Event {
    /// A message reaches the server: from a device, by datagram or connection.
    ToServer { device: usize, from: std::net::SocketAddr, connection: Option<usize>, bytes: Vec<u8> },
    /// A message reaches a device.
    ToDevice { device: usize, connection: Option<usize>, bytes: Vec<u8> },
    /// A device does something by itself.
    Task { device: usize, task: Task },
    /// A device's transaction timer may be due.
    DeviceTimer { device: usize },
    /// A connection breaks.
    Break { connection: usize },
    /// A device learns that its connection is gone.
    DeviceLost { device: usize, connection: usize },
    /// The server learns the same.
    ServerLost { connection: usize },
    /// The server learns that a message could not be sent.
    SendFailed { incarnation: u32, ticket: u64 },
    /// The disk is through with what was handed to it.
    DiskDone { incarnation: u32 },
    /// The server learns what became of its blocks.
    Stored { incarnation: u32, upto: u64, ok: bool },
    /// The server process is killed.
    Crash,
    /// It starts again.
    Restart,
    /// Time to compare what is with what should be.
    Check,
    /// Nobody begins anything new; calls are hung up.
    Quiet,
}

struct Entry {
    at: Time,
    number: u64,
    event: Event,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    /// The heap gives the greatest first: the earliest is the greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

/// Events by time; those of one moment in the order in which they were put in.
#[derive(Default)]
pub struct Queue {
    heap: BinaryHeap<Entry>,
    number: u64,
}

impl Queue {
    /// Puts an event in.
    pub fn push(&mut self, at: Time, event: Event) {
        self.number += 1;
        self.heap.push(Entry { at, number: self.number, event });
    }

    /// When the next one happens.
    pub fn next(&self) -> Option<Time> {
        self.heap.peek().map(|entry| entry.at)
    }

    /// Takes the next one.
    pub fn pop(&mut self) -> Option<(Time, Event)> {
        self.heap.pop().map(|entry| (entry.at, entry.event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earliest_first_and_equals_in_order() {
        let mut queue = Queue::default();
        for (at, connection) in [(5, 0), (3, 1), (5, 2), (3, 3)] {
            queue.push(Time(at), Event::Break { connection });
        }
        let order: Vec<_> = std::iter::from_fn(|| queue.pop())
            .map(|(at, event)| match event {
                Event::Break { connection } => (at.0, connection),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(order, [(3, 1), (3, 3), (5, 0), (5, 2)]);
    }
}
