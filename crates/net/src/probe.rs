//! Sockets that set marks and see them: what probes of Quality of Service are made with. They block; nothing that serves
//! calls uses them.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use crate::sys;

/// A UDP socket whose datagrams carry a mark, and that tells the marks of what it gets.
#[derive(Debug)]
pub struct MarkedSocket(UdpSocket);

/// A datagram as it arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its length, at most that of the buffer.
    pub length: usize,
    /// Who sent it.
    pub from: SocketAddr,
    /// The DSCP that it carried.
    pub dscp: u8,
}

impl MarkedSocket {
    /// Opens the first free one of `ports` on an address; an empty range lets the system choose.
    ///
    /// # Errors
    /// What the system said of the last port.
    pub fn bind(ip: IpAddr, ports: impl Iterator<Item = u16>, dscp: u8) -> io::Result<MarkedSocket> {
        let mut last = None;
        for port in ports {
            match Self::open(SocketAddr::new(ip, port), dscp) {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = Some(error),
                result => return result,
            }
        }
        last.map_or_else(|| Self::open(SocketAddr::new(ip, 0), dscp), Err)
    }

    fn open(addr: SocketAddr, dscp: u8) -> io::Result<MarkedSocket> {
        let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
        if addr.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        sys::mark(socket.as_fd(), addr.is_ipv6(), dscp << 2)?;
        sys::report_marks(socket.as_fd(), addr.is_ipv6())?;
        socket.bind(&addr.into())?;
        Ok(MarkedSocket(socket.into()))
    }

    /// The address it got.
    ///
    /// # Errors
    /// What the system said.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Sends one datagram.
    ///
    /// # Errors
    /// What the system said.
    pub fn send(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        self.0.send_to(bytes, to).map(drop)
    }

    /// Waits for one datagram; `None` when none came in time.
    ///
    /// # Errors
    /// What the system said, but for the echo of an earlier ICMP error.
    pub fn receive(&self, bytes: &mut [u8], within: Duration) -> io::Result<Option<Received>> {
        self.0.set_read_timeout(Some(within.max(Duration::from_millis(1))))?;
        match sys::receive_marked(self.0.as_fd(), bytes) {
            Ok((length, from, class)) => Ok(Some(Received { length, from, dscp: class >> 2 })),
            Err(error) if is_nothing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// How many routers the next datagrams may pass.
    ///
    /// # Errors
    /// What the system said.
    pub fn set_hops(&self, hops: u8) -> io::Result<()> {
        let socket = socket2::SockRef::from(&self.0);
        match self.local_addr()? {
            SocketAddr::V4(_) => socket.set_ttl_v4(hops.into()),
            SocketAddr::V6(_) => socket.set_unicast_hops_v6(hops.into()),
        }
    }
}

fn is_nothing(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable, Interrupted, NetworkUnreachable, TimedOut, WouldBlock};
    matches!(
        error.kind(),
        TimedOut | WouldBlock | Interrupted | ConnectionRefused | HostUnreachable | NetworkUnreachable
    )
}

/// Hears routers say that a datagram passed too many of them. Needs the right to raw sockets (CAP_NET_RAW).
#[derive(Debug)]
pub struct HopListener {
    // A raw socket: std's type fits, because it receives from it in the same way.
    socket: UdpSocket,
    v6: bool,
}

/// A router, and how it got a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The router, or the host at the end that had no such port.
    pub router: IpAddr,
    /// The DSCP that the datagram had when it came there.
    pub dscp: u8,
    /// The port that the datagram came from.
    pub from_port: u16,
}

impl HopListener {
    /// Opens it.
    ///
    /// # Errors
    /// What the system said: `PermissionDenied` without the right.
    pub fn open(v6: bool) -> io::Result<HopListener> {
        let (domain, protocol) = if v6 { (Domain::IPV6, Protocol::ICMPV6) } else { (Domain::IPV4, Protocol::ICMPV4) };
        Ok(HopListener { socket: Socket::new(domain, Type::RAW, Some(protocol))?.into(), v6 })
    }

    /// Waits for the next word of a router; `None` when none came in time, or something else did.
    ///
    /// # Errors
    /// What the system said.
    pub fn receive(&self, within: Duration) -> io::Result<Option<Hop>> {
        let mut packet = [0; 512];
        self.socket.set_read_timeout(Some(within.max(Duration::from_millis(1))))?;
        let (length, from) = match self.socket.recv_from(&mut packet) {
            Ok(got) => got,
            Err(error) if is_nothing(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let quoted = if self.v6 { quoted_v6(&packet[..length]) } else { quoted_v4(&packet[..length]) };
        Ok(quoted.map(|(dscp, from_port)| Hop { router: from.ip(), dscp, from_port }))
    }
}

/// DSCP and source port of the datagram that an ICMP message quotes (RFC 792: time exceeded, port unreachable).
fn quoted_v4(packet: &[u8]) -> Option<(u8, u16)> {
    let icmp = packet.get(usize::from(packet.first()? & 0x0f) * 4..)?;
    if !matches!(icmp.first()?, 3 | 11) {
        return None;
    }
    let quoted = icmp.get(8..)?;
    let udp = quoted.get(usize::from(quoted.first()? & 0x0f) * 4..)?;
    (*quoted.get(9)? == 17).then_some((quoted.get(1)? >> 2, port(udp)?))
}

/// The same for ICMPv6 (RFC 4443: destination unreachable, time exceeded), which comes without the IP header.
fn quoted_v6(icmp: &[u8]) -> Option<(u8, u16)> {
    if !matches!(icmp.first()?, 1 | 3) {
        return None;
    }
    let quoted = icmp.get(8..)?;
    let class = (quoted.first()? & 0x0f) << 4 | quoted.get(1)? >> 4;
    (*quoted.get(6)? == 17).then_some((class >> 2, port(quoted.get(40..)?)?))
}

fn port(udp: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes([*udp.first()?, *udp.get(1)?]))
}

/// Any address of the family of another.
pub fn unspecified_like(other: SocketAddr) -> IpAddr {
    if other.is_ipv6() { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_arrives_on_both_families() {
        for ip in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
            let end = MarkedSocket::bind(ip, std::iter::empty(), 0).expect("a port");
            for dscp in [46, 34, 0] {
                let start = MarkedSocket::bind(ip, std::iter::empty(), dscp).expect("a port");
                start.send(b"probe", end.local_addr().expect("bound")).expect("sent");
                let mut bytes = [0; 16];
                let got = end.receive(&mut bytes, Duration::from_secs(5)).expect("works").expect("a datagram");
                assert_eq!((got.length, got.from, got.dscp), (5, start.local_addr().expect("bound"), dscp));
            }
        }
    }

    #[test]
    fn the_first_free_port_is_taken_and_a_full_range_is_told() {
        let ip = IpAddr::from(Ipv4Addr::LOCALHOST);
        let first = MarkedSocket::bind(ip, std::iter::empty(), 0).expect("a port");
        let port = first.local_addr().expect("bound").port();
        let refused = MarkedSocket::bind(ip, [port].into_iter(), 0).expect_err("taken");
        assert_eq!(refused.kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn the_quoted_datagram_tells_its_mark_and_port() {
        let mut packet = vec![0x45; 20];
        packet.extend([11, 0, 0, 0, 0, 0, 0, 0]);
        let mut quoted = vec![0x45, 46 << 2, 0, 0, 0, 0, 0, 0, 1, 17];
        quoted.resize(20, 0);
        packet.extend(&quoted);
        packet.extend(20_000_u16.to_be_bytes());
        packet.extend([0; 6]);
        assert_eq!(quoted_v4(&packet), Some((46, 20_000)));
        assert_eq!(quoted_v4(&packet[..40]), None, "cut short");
        let mut packet = vec![3, 0, 0, 0, 0, 0, 0, 0];
        let mut quoted = vec![0x60 | 0x0b, 0x80, 0, 0, 0, 0, 17];
        quoted.resize(40, 0);
        packet.extend(&quoted);
        packet.extend(25_000_u16.to_be_bytes());
        assert_eq!(quoted_v6(&packet), Some((46, 25_000)));
        assert_eq!(quoted_v6(&[]), None);
    }
}
