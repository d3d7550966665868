//! Connections of each source: one household or office does not take every place of a listener.

use crate::locked;
use crate::peer::network;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

/// Connections of one source at a time; further ones are closed at once.
const EACH_MOST: u32 = 1024;

/// How many each source has.
#[derive(Clone, Default)]
pub struct Sources(Arc<Mutex<HashMap<IpAddr, u32>>>);

/// One connection of a source.
pub struct FromSource {
    all: Sources,
    source: Option<IpAddr>,
}

impl Sources {
    /// A place for one more, if the source has not too many. A proxy on this very machine speaks for many.
    pub fn place(&self, source: IpAddr) -> Option<FromSource> {
        if source.to_canonical().is_loopback() {
            return Some(FromSource { all: self.clone(), source: None });
        }
        let source = network(source);
        let mut counts = locked(&self.0);
        let count = counts.entry(source).or_default();
        if *count >= EACH_MOST {
            return None;
        }
        *count += 1;
        Some(FromSource { all: self.clone(), source: Some(source) })
    }
}

impl Drop for FromSource {
    fn drop(&mut self) {
        let Some(source) = self.source else { return };
        let mut counts = locked(&self.all.0);
        if let Some(count) = counts.get_mut(&source) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_so_many_connections_and_its_network_counts_as_one() {
        let sources = Sources::default();
        let from = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, last]);
        let mut held: Vec<_> = (0..EACH_MOST).map(|n| sources.place(from(n as u16)).expect("there is room")).collect();
        assert!(sources.place(from(9)).is_none());
        assert!(sources.place(IpAddr::from([0x2001, 0xdb8, 0, 2, 0, 0, 0, 1])).is_some(), "another network");
        held.pop();
        assert!(sources.place(from(9)).is_some());
        held.clear();
        assert!(sources.0.lock().expect("no panic").is_empty());
    }

    #[test]
    fn a_proxy_on_this_machine_is_not_counted() {
        let sources = Sources::default();
        let here = IpAddr::from([127, 0, 0, 1]);
        let held: Vec<_> = (0..2 * EACH_MOST).map(|_| sources.place(here)).collect();
        assert!(held.iter().all(Option::is_some));
    }
}
