//! The relay ports: real sockets, one for each allocation.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::os::fd::AsFd;
use std::sync::Arc;

use lyceum_net::driver::{Epoll, Interest};
use lyceum_turn::{Family, Port, RelayId, Relays};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

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
    ) -> RelayPorts {
        let range = |address: &RelayAddress| Range { address: *address, taken: vec![false; ports.len()] };
        RelayPorts { epoll, ranges: addresses.iter().map(range).collect(), ports, classes, sockets: Vec::new() }
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
            if let Err(error) = mark(&open.socket, to.is_ipv6(), class) {
                tracing::debug!(%error, "a relay port could not be marked");
            }
        }
        to
    }

    fn class_of(&self, peer: SocketAddr) -> u8 {
        let is_relay = self.ports.contains(&peer.port())
            && self.ranges.iter().any(|range| [range.address.bind, range.address.advertised].contains(&peer.ip()));
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

fn mark(socket: &UdpSocket, v6: bool, class: u8) -> io::Result<()> {
    let socket = SockRef::from(socket);
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
            match self.try_open(relay, index, wanted) {
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

    fn close(&mut self, relay: RelayId) {
        let Some(Open { socket, port, family, .. }) = self.sockets.get_mut(relay.0 as usize).and_then(Option::take)
        else {
            return;
        };
        // A closed descriptor leaves the wait by itself; this is for copies that a child might hold.
        let _ = self.epoll.remove(socket.as_fd());
        let offset = usize::from(port - self.ports.start());
        if let Some(range) = self.ranges.iter_mut().find(|range| family_of(range.address.bind) == family) {
            range.taken[offset] = false;
        }
    }
}
