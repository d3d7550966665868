//! How many connections there may be, counted over all workers.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::{Bounds, Listener, ListenerId};

/// Connections that somebody holds.
#[derive(Default)]
struct Held {
    count: usize,
    /// The log knows that the bound was reached; once is enough until all of them are gone.
    told: bool,
}

#[derive(Default)]
struct Counts {
    sources: HashMap<IpAddr, Held>,
    listeners: HashMap<ListenerId, Held>,
}

/// Says of a source whether it may hold more connections than others.
pub(crate) type Known = Box<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// Counts connections by source and by listener. Asked once per connection, never per message.
pub(crate) struct Gate {
    counts: Mutex<Counts>,
    known: OnceLock<Known>,
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
            known: OnceLock::new(),
            per_source: bounds.connections_per_source,
            per_listener: bounds.connections_per_listener,
        })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who may hold more connections than [`Bounds::connections_per_source`]; the first word on it holds.
    pub(crate) fn know(&self, known: Known) {
        self.known.set(known).ok();
    }

    /// Asks for one more connection from `source`. For sources that are known on an inside listener only the total counts.
    pub(crate) fn enter(self: &Arc<Gate>, listener: &Listener, source: IpAddr) -> Result<Permit, Refused> {
        let mut counts = self.counts();
        let Counts { sources, listeners } = &mut *counts;
        let of_listener = listeners.entry(listener.id).or_default();
        if of_listener.count >= self.per_listener {
            if !std::mem::replace(&mut of_listener.told, true) {
                let (port, most) = (listener.addr, self.per_listener);
                tracing::warn!(%port, most, "a port holds as many connections as it may; more are closed");
            }
            return Err(Refused::ListenerFull);
        }
        let of_source = sources.entry(source).or_default();
        if of_source.count >= self.per_source && !(listener.inside && self.knows(source)) {
            if !std::mem::replace(&mut of_source.told, true) {
                let most = self.per_source;
                tracing::warn!(%source, most, "a source holds as many connections as it may; more are closed");
            }
            return Err(Refused::SourceFull);
        }
        of_listener.count += 1;
        of_source.count += 1;
        drop(counts);
        Ok(Permit { gate: self.clone(), source, listener: listener.id })
    }

    fn knows(&self, source: IpAddr) -> bool {
        self.known.get().is_some_and(|known| known(source))
    }
}

fn release<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, Held>, key: K) {
    if let Entry::Occupied(mut entry) = counts.entry(key) {
        entry.get_mut().count -= 1;
        if entry.get().count == 0 {
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

#[cfg(test)]
mod tests {
    use super::{Gate, Refused};
    use crate::{Bounds, Listener, ListenerId};
    use lyceum_sip::Transport;
    use std::net::IpAddr;

    fn listener(inside: bool) -> Listener {
        let addr = "127.0.0.1:5060".parse().unwrap();
        Listener {
            id: ListenerId(1),
            transport: Transport::Tcp,
            addr,
            advertised: "a:5060".into(),
            inside,
            link: false,
        }
    }

    #[test]
    fn only_known_sources_on_inside_listeners_hold_more_than_others() {
        let bounds = Bounds { connections_per_source: 2, ..Bounds::default() };
        let (friend, stranger): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        for (inside, source, refused) in [
            (true, friend, None),
            (true, stranger, Some(Refused::SourceFull)),
            (false, friend, Some(Refused::SourceFull)),
            (false, stranger, Some(Refused::SourceFull)),
        ] {
            let gate = Gate::new(&bounds);
            gate.know(Box::new(move |source| source == friend));
            let held: Vec<_> = (0..2).map(|_| gate.enter(&listener(inside), source).ok().unwrap()).collect();
            assert_eq!(gate.enter(&listener(inside), source).err(), refused, "{inside} {source}");
            assert_eq!(gate.counts().sources[&source].told, refused.is_some(), "one line in the log for all of them");
            drop(held);
            assert!(gate.counts().sources.is_empty() && gate.enter(&listener(inside), source).is_ok());
        }
    }
}
