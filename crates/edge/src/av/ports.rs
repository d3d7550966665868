//! The relay ports: real sockets, one for each allocation.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::ops::RangeInclusive;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use lyceum_net::driver::{Epoll, Interest};
use lyceum_turn::{ConnectionId, Family, PeerRules, Port, RelayId, Relays};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::peers::{Peers, dial, listen_at};
use super::worker::Token;
use super::{PortClass, RelayAddress};

/// Ports that are tried for one allocation before it is refused.
const ATTEMPTS: usize = 64;

/// The ports of one address.
#[derive(Debug)]
struct Range {
    address: RelayAddress,
    /// By distance from the range's first port.
    taken: Vec<bool>,
}

pub(super) struct RelayPorts {
    epoll: Arc<Epoll>,
    ports: RangeInclusive<u16>,
    ranges: Vec<Range>,
    classes: Vec<PortClass>,
    sockets: Vec<Option<Open>>,
    /// TCP ports; apart, for packets never ask for one.
    listening: HashMap<RelayId, Listening>,
    /// Peers that somebody has named. Ports of ours besides are connected to only where a relay listens: what else of this
    /// host has a port in the range did not ask to be reached.
    named: PeerRules,
    /// Connections with peers.
    pub(super) peers: Peers,
}

/// An open TCP port.
struct Listening {
    socket: TcpListener,
    address: SocketAddr,
}

/// An open port.
struct Open {
    socket: UdpSocket,
    port: u16,
    family: Family,
    /// How what leaves is marked.
    class: u8,
}

fn family_of(address: IpAddr) -> Family {
    if address.is_ipv4() { Family::V4 } else { Family::V6 }
}

impl RelayPorts {
    pub(super) fn new(
        epoll: Arc<Epoll>,
        addresses: &[RelayAddress],
        ports: RangeInclusive<u16>,
        classes: Vec<PortClass>,
        named: PeerRules,
    ) -> RelayPorts {
        let range = |address: &RelayAddress| Range { address: *address, taken: vec![false; ports.len()] };
        RelayPorts {
            ranges: addresses.iter().map(range).collect(),
            ports,
            classes,
            sockets: Vec::new(),
            listening: HashMap::new(),
            named,
            peers: Peers::new(Arc::clone(&epoll)),
            epoll,
        }
    }

    pub(super) fn socket(&self, relay: RelayId) -> Option<&UdpSocket> {
        self.sockets.get(relay.0 as usize)?.as_ref().map(|open| &open.socket)
    }

    /// Where a packet of this relay really goes; the socket is marked as that place asks. An allocation carries one kind of
    /// media, so a mark is set once.
    pub(super) fn towards(&mut self, relay: RelayId, peer: SocketAddr) -> SocketAddr {
        let to = self.on_the_wire(peer);
        let class = self.class_of(to);
        if let Some(open) = self.sockets.get_mut(relay.0 as usize).and_then(Option::as_mut)
            && open.class != class
        {
            open.class = class;
            if let Err(error) = mark(open.socket.as_fd(), to.is_ipv6(), class) {
                tracing::debug!(%error, "a relay port could not be marked");
            }
        }
        to
    }

    fn is_relay(&self, peer: SocketAddr) -> bool {
        self.ports.contains(&peer.port())
            && self.ranges.iter().any(|range| [range.address.bind, range.address.advertised].contains(&peer.ip()))
    }

    fn class_of(&self, peer: SocketAddr) -> u8 {
        let is_relay = self.is_relay(peer);
        let kind = self.classes.iter().filter(|_| !is_relay).find(|kind| kind.ports.contains(&peer.port()));
        kind.map_or(0, |kind| kind.class)
    }

    /// Where a packet really goes: to another relay of ours without the way round through the NAT.
    fn on_the_wire(&self, peer: SocketAddr) -> SocketAddr {
        self.translated(peer, |address| (address.advertised, address.bind))
    }

    /// How a sender is seen from outside.
    pub(super) fn seen_from_outside(&self, peer: SocketAddr) -> SocketAddr {
        self.translated(peer, |address| (address.bind, address.advertised))
    }

    fn translated(&self, peer: SocketAddr, pair: impl Fn(&RelayAddress) -> (IpAddr, IpAddr)) -> SocketAddr {
        for range in &self.ranges {
            let (from, to) = pair(&range.address);
            if from != to && peer.ip() == from && self.ports.contains(&peer.port()) {
                return SocketAddr::new(to, peer.port());
            }
        }
        peer
    }

    fn try_open(&mut self, relay: RelayId, index: usize, port: u16) -> io::Result<SocketAddr> {
        let RelayAddress { bind, advertised } = self.ranges[index].address;
        let addr = SocketAddr::new(bind, port);
        let socket = Socket::new(Domain::for_address(addr), Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
        if addr.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.bind(&addr.into())?;
        let socket: UdpSocket = socket.into();
        self.epoll.add(socket.as_fd(), Token::Relay(relay.0).word(), Interest::Edge)?;
        let slot = relay.0 as usize;
        if self.sockets.len() <= slot {
            self.sockets.resize_with(slot + 1, || None);
        }
        self.sockets[slot] = Some(Open { socket, port, family: family_of(bind), class: 0 });
        self.ranges[index].taken[usize::from(port - self.ports.start())] = true;
        Ok(SocketAddr::new(advertised, port))
    }
}

fn mark(socket: BorrowedFd<'_>, v6: bool, class: u8) -> io::Result<()> {
    let socket = SockRef::from(&socket);
    if v6 { socket.set_tclass_v6(class.into()) } else { socket.set_tos_v4(class.into()) }
}

fn chance(below: usize) -> usize {
    getrandom::u32().map_or(0, |word| word as usize % below)
}

impl Relays for RelayPorts {
    fn serves(&self, family: Family) -> bool {
        self.ranges.iter().any(|range| family_of(range.address.bind) == family)
    }

    fn open(&mut self, relay: RelayId, family: Family, port: Port) -> Option<SocketAddr> {
        self.find(family, port, |ports, index, port| ports.try_open(relay, index, port))
    }

    fn listen(&mut self, relay: RelayId, family: Family) -> Option<SocketAddr> {
        self.find(family, Port::Any, |ports, index, port| ports.try_listen(relay, index, port))
    }

    fn connect(&mut self, relay: RelayId, connection: ConnectionId, peer: SocketAddr) -> bool {
        let to = self.on_the_wire(peer);
        let Some(from) = self.listening.get(&relay).map(|found| found.address).filter(|from| *from != to) else {
            return false;
        };
        let listens = || self.listening.values().any(|found| found.address == to);
        if self.is_relay(to) && !self.named.allow(peer) && !listens() {
            return false;
        }
        let class = self.class_of(to);
        let dialled = dial(from, to, |socket| mark(socket, to.is_ipv6(), class));
        dialled.and_then(|socket| self.peers.connecting(connection, socket)).is_ok()
    }

    fn hang_up(&mut self, connection: ConnectionId) {
        self.peers.hang_up(connection);
    }

    fn close(&mut self, relay: RelayId) {
        let (port, family) = if let Some(open) = self.sockets.get_mut(relay.0 as usize).and_then(Option::take) {
            // A closed descriptor leaves the wait by itself; this is for copies that a child might hold.
            let _ = self.epoll.remove(open.socket.as_fd());
            (open.port, open.family)
        } else if let Some(Listening { socket, address }) = self.listening.remove(&relay) {
            let _ = self.epoll.remove(socket.as_fd());
            (address.port(), family_of(address.ip()))
        } else {
            return;
        };
        let offset = usize::from(port - self.ports.start());
        if let Some(range) = self.ranges.iter_mut().find(|range| family_of(range.address.bind) == family) {
            range.taken[offset] = false;
        }
    }
}

impl RelayPorts {
    /// Opens one of the ports that are free, from a place in the range that chance names on.
    fn find(
        &mut self,
        family: Family,
        port: Port,
        mut attempt: impl FnMut(&mut RelayPorts, usize, u16) -> io::Result<SocketAddr>,
    ) -> Option<SocketAddr> {
        let index = self.ranges.iter().position(|range| family_of(range.address.bind) == family)?;
        let (first, count) = (*self.ports.start(), self.ports.len());
        let start = chance(count);
        let fits = |wanted: u16| match port {
            Port::Any => true,
            Port::Even => wanted.is_multiple_of(2),
            Port::Exactly(exactly) => wanted == exactly,
        };
        let mut tried = 0;
        for offset in (0..count).map(|step| (start + step) % count) {
            let wanted = first + offset as u16;
            if self.ranges[index].taken[offset] || !fits(wanted) {
                continue;
            }
            match attempt(self, index, wanted) {
                Ok(address) => return Some(address),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && tried < ATTEMPTS => tried += 1,
                Err(error) => {
                    tracing::warn!(%error, port = wanted, "no relay port could be opened");
                    return None;
                }
            }
        }
        None
    }

    fn try_listen(&mut self, relay: RelayId, index: usize, port: u16) -> io::Result<SocketAddr> {
        let RelayAddress { bind, advertised } = self.ranges[index].address;
        let address = SocketAddr::new(bind, port);
        let socket = listen_at(address)?;
        self.epoll.add(socket.as_fd(), Token::Arrivals(relay.0).word(), Interest::Read)?;
        self.listening.insert(relay, Listening { socket, address });
        self.ranges[index].taken[usize::from(port - self.ports.start())] = true;
        Ok(SocketAddr::new(advertised, port))
    }

    /// A peer that has connected to a TCP port: its connection, marked, and where it is seen.
    pub(super) fn accept(&self, relay: RelayId) -> Option<(TcpStream, SocketAddr)> {
        let (socket, from) = self.listening.get(&relay)?.socket.accept().ok()?;
        if let Err(error) = mark(socket.as_fd(), from.is_ipv6(), self.class_of(from)) {
            tracing::debug!(%error, "a connection of a peer could not be marked");
        }
        Some((socket, self.seen_from_outside(from)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::RELAY_PORTS;
    use super::*;
    use lyceum_turn::{Network, PeerRange};

    fn ports(classes: Vec<PortClass>, named: PeerRules) -> RelayPorts {
        let loopback = "127.0.0.1".parse().unwrap();
        let address = RelayAddress { bind: loopback, advertised: loopback };
        let epoll = Arc::new(Epoll::new().unwrap());
        RelayPorts::new(epoll, &[address], RELAY_PORTS, classes, named)
    }

    fn loopback() -> PeerRules {
        let network = Network::host("127.0.0.1".parse().unwrap());
        PeerRules { open: vec![PeerRange { network, ports: 1..=u16::MAX }], ..PeerRules::default() }
    }

    #[test]
    fn connections_with_peers_are_marked_by_the_ports_of_those() {
        let peer = (16_384..).find_map(|port| TcpListener::bind(("127.0.0.1", port)).ok()).unwrap();
        let inside = peer.local_addr().unwrap();
        let mut ports = ports(vec![PortClass { ports: inside.port()..=inside.port(), class: 46 << 2 }], loopback());
        let relay = ports.listen(RelayId(0), Family::V4).unwrap();
        assert!(ports.connect(RelayId(0), ConnectionId(1), inside));
        let dialled = ports.peers.get(ConnectionId(1)).unwrap();
        assert_eq!(SockRef::from(&dialled.socket).tos_v4().unwrap(), 46 << 2);
        assert_eq!(peer.accept().unwrap().1, relay);
        // The port cannot be taken by anybody else, and can be once it is closed.
        assert!(listen_at(relay).is_err());
        ports.hang_up(ConnectionId(1));
        ports.close(RelayId(0));
        assert!(listen_at(relay).is_ok());
    }

    #[test]
    fn in_the_range_of_relays_only_relays_are_connected_to_unless_somebody_named_the_address() {
        let listener = RELAY_PORTS.clone().find_map(|port| TcpListener::bind(("127.0.0.1", port)).ok()).unwrap();
        let service = listener.local_addr().unwrap();
        for (named, reached) in [(PeerRules::default(), false), (loopback(), true)] {
            let mut ports = ports(Vec::new(), named);
            let own = ports.listen(RelayId(0), Family::V4).unwrap();
            let other = ports.listen(RelayId(1), Family::V4).unwrap();
            assert_eq!(ports.connect(RelayId(0), ConnectionId(1), service), reached);
            assert!(ports.connect(RelayId(0), ConnectionId(2), other));
            assert!(!ports.connect(RelayId(0), ConnectionId(3), own), "never to itself");
        }
    }
}
