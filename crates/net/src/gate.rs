//! How many connections there may be, counted over all workers.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Bounds, Listener, ListenerId};

#[derive(Default)]
struct Counts {
    sources: HashMap<IpAddr, usize>,
    listeners: HashMap<ListenerId, usize>,
}

/// Counts connections by source and by listener. Asked once per connection, never per message.
pub(crate) struct Gate {
    counts: Mutex<Counts>,
    per_source: usize,
    per_listener: usize,
}

/// Which bound stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// [`Bounds::connections_per_listener`].
    ListenerFull,
    /// [`Bounds::connections_per_source`].
    SourceFull,
    /// The workers end, or their queue is full.
    Busy,
}

/// The right to one connection; given back when dropped.
pub(crate) struct Permit {
    gate: Arc<Gate>,
    source: IpAddr,
    listener: ListenerId,
}

impl Gate {
    pub(crate) fn new(bounds: &Bounds) -> Arc<Gate> {
        Arc::new(Gate {
            counts: Mutex::default(),
            per_source: bounds.connections_per_source,
            per_listener: bounds.connections_per_listener,
        })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for one more connection from `source`. Inside listeners know their sources: only the total counts there.
    pub(crate) fn enter(self: &Arc<Gate>, listener: &Listener, source: IpAddr) -> Result<Permit, Refused> {
        let mut counts = self.counts();
        let Counts { sources, listeners } = &mut *counts;
        let held = listeners.entry(listener.id).or_default();
        if *held >= self.per_listener {
            return Err(Refused::ListenerFull);
        }
        if sources.get(&source).is_some_and(|n| *n >= self.per_source) && !listener.inside {
            return Err(Refused::SourceFull);
        }
        *held += 1;
        *sources.entry(source).or_default() += 1;
        drop(counts);
        Ok(Permit { gate: self.clone(), source, listener: listener.id })
    }
}

fn release<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: K) {
    if let Entry::Occupied(mut entry) = counts.entry(key) {
        *entry.get_mut() -= 1;
        if *entry.get() == 0 {
            entry.remove();
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = self.gate.counts();
        release(&mut counts.sources, self.source);
        release(&mut counts.listeners, self.listener);
    }
}
