//! The virtual network: datagrams that get lost, doubled and overtaken; connections that keep order until they break.

use std::collections::HashMap;
use std::time::Duration;

use lyceum_sip::time::Time;

use crate::dice::Dice;

/// Datagrams lost, of a hundred.
pub const LOSS: u64 = 10;
/// Datagrams doubled, of a hundred.
pub const DOUBLE: u64 = 5;
/// Second copies that come seconds later, of a hundred.
pub const LATE: u64 = 5;
/// Shortest and longest way, in milliseconds; each datagram draws its own, so they overtake each other.
pub const DELAY: (u64, u64) = (1, 200);

/// A connection between a device and the server.
#[derive(Debug)]
pub struct Connection {
    /// Whose it is.
    pub device: usize,
    /// Which server process accepted it.
    pub incarnation: u32,
    /// Bytes still pass.
    pub open: bool,
    /// The server has been told that it is gone.
    pub server_knows: bool,
    up: Time,
    down: Time,
}

/// Links and what became of what was sent over them.
#[derive(Default)]
pub struct Network {
    /// All connections there ever were.
    pub connections: Vec<Connection>,
    drops: HashMap<Vec<u8>, u32>,
    /// Datagrams sent and lost.
    pub counts: (u64, u64),
}

impl Network {
    /// When the copies of a datagram arrive: none, one or two.
    pub fn datagram(&mut self, now: Time, bytes: &[u8], dice: &mut Dice) -> ([Time; 2], usize) {
        self.counts.0 += 1;
        let mut at = || now + dice.millis(DELAY.0, DELAY.1);
        let copies = [at(), at()];
        if dice.chance(LOSS) {
            self.counts.1 += 1;
            *self.drops.entry(call_of(bytes).to_vec()).or_default() += 1;
            return (copies, 0);
        }
        if !dice.chance(DOUBLE) {
            return (copies, 1);
        }
        // Few copies come much later, as if somebody had kept one.
        let late = if dice.chance(LATE) { dice.seconds(1, 4) } else { Duration::ZERO };
        ([copies[0], copies[1] + late], 2)
    }

    /// When a message on a connection arrives, if the connection still stands.
    pub fn stream(&mut self, now: Time, connection: usize, to_server: bool, dice: &mut Dice) -> Option<Time> {
        let delay = dice.millis(DELAY.0, DELAY.1);
        let link = self.connections.get_mut(connection).filter(|link| link.open)?;
        let clock = if to_server { &mut link.up } else { &mut link.down };
        *clock = (*clock + Duration::from_micros(1)).max(now + delay);
        Some(*clock)
    }

    /// A device connects.
    pub fn connect(&mut self, device: usize, incarnation: u32) -> usize {
        let start = Time::default();
        self.connections.push(Connection {
            device,
            incarnation,
            open: true,
            server_knows: false,
            up: start,
            down: start,
        });
        self.connections.len() - 1
    }

    /// How many datagrams of a call were lost so far: enough of them excuse a timeout.
    pub fn drops(&self, call_id: &[u8]) -> u32 {
        self.drops.get(call_id).copied().unwrap_or_default()
    }
}

/// The Call-ID of a message, without reading all of it.
fn call_of(bytes: &[u8]) -> &[u8] {
    const NAME: &[u8] = b"\r\nCall-ID: ";
    let Some(at) = bytes.windows(NAME.len()).position(|window| window == NAME) else { return &[] };
    let rest = &bytes[at + NAME.len()..];
    rest.split(|byte| *byte == b'\r').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_keeps_order() {
        let mut network = Network::default();
        let mut dice = Dice::new(3);
        let link = network.connect(0, 0);
        let times: Vec<_> = (0..50).filter_map(|n| network.stream(Time(n), link, true, &mut dice)).collect();
        assert_eq!(times.len(), 50);
        assert!(times.is_sorted());
        network.connections[link].open = false;
        assert_eq!(network.stream(Time(60), link, true, &mut dice), None);
    }

    #[test]
    fn datagrams_are_lost_doubled_and_overtaken() {
        let mut network = Network::default();
        let mut dice = Dice::new(3);
        let fates: Vec<_> = (0..10_000).map(|_| network.datagram(Time(0), b"X\r\nCall-ID: c\r\n", &mut dice)).collect();
        let of = |copies| fates.iter().filter(|fate| fate.1 == copies).count();
        assert!((900..1100).contains(&of(0)) && (350..550).contains(&of(2)), "{} {}", of(0), of(2));
        assert_eq!(network.drops(b"c") as usize, of(0));
        assert!(!fates.iter().map(|fate| fate.0[0]).collect::<Vec<_>>().is_sorted());
    }
}
