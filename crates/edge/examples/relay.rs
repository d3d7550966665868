//! The A/V Edge alone, for measurements: `relay ADDR:PORT SECRET [tcp]` relays to its own address without bounds per user
//! until it is ended; with TCP relay ports too if so told.

use lyceum_edge::av::{Carrier, Listener, Options, RelayAddress};
use lyceum_turn::{Authority, Network, PeerRange, Quotas, Secret};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let (Some(addr), Some(secret)) = (words.next(), words.next()) else { return Err("relay ADDR:PORT SECRET".into()) };
    let addr: std::net::SocketAddr = addr.parse()?;
    let mut options = Options::new("lyceum.test", Authority::shared(Secret::new(secret.as_bytes())));
    options.listeners.push(Listener { carrier: Carrier::Udp, addr, port_of: None });
    options.listeners.push(Listener { carrier: Carrier::Tcp, addr, port_of: Some(0) });
    options.relays.push(RelayAddress { bind: addr.ip(), advertised: addr.ip() });
    options.peers.push(PeerRange { network: Network::host(addr.ip()), ports: 1..=u16::MAX });
    options.quotas = Quotas { user_kbps: None, port_kbps: None, allocations_per_user: None, ..Quotas::default() };
    options.tcp_relays = words.next().is_some_and(|word| word == "tcp");
    let running = options.build()?.start()?;
    println!("{}", running.handle().listeners()[0].addr);
    loop {
        std::thread::park();
    }
}
