//! Which process holds a port, read from `/proc`.

use std::fs;
use std::net::{IpAddr, SocketAddr};

use lyceum_sip::Transport;

use crate::error::Holder;

/// Most processes looked at; a machine with more gets no answer instead of a long wait.
const PROCESSES_MAX: usize = 20_000;

/// The process with a listening (TCP) or bound (UDP) socket that stands in the way of `addr`.
pub(crate) fn find(transport: Transport, addr: SocketAddr) -> Option<Holder> {
    let (v4, v6) = match transport {
        Transport::Udp => ("/proc/net/udp", "/proc/net/udp6"),
        _ => ("/proc/net/tcp", "/proc/net/tcp6"),
    };
    let inode = [v4, v6].iter().find_map(|path| inode(&fs::read_to_string(path).ok()?, transport, addr))?;
    process(inode)
}

/// Columns: `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode`, addresses in hexadecimal.
fn inode(table: &str, transport: Transport, addr: SocketAddr) -> Option<u64> {
    const LISTEN: &str = "0A";
    table.lines().skip(1).find_map(|line| {
        let columns: Vec<&str> = line.split_ascii_whitespace().collect();
        let (ip, port) = columns.get(1)?.split_once(':')?;
        let same_port = u16::from_str_radix(port, 16) == Ok(addr.port());
        let open = transport == Transport::Udp || *columns.get(3)? == LISTEN;
        (same_port && open && overlaps(ip, addr.ip())).then(|| columns.get(9)?.parse().ok())?
    })
}

/// Whether a socket bound to `hex` conflicts with `ip`: the same address, or one of both is the wildcard.
fn overlaps(hex: &str, ip: IpAddr) -> bool {
    let wildcard = hex.bytes().all(|b| b == b'0');
    if wildcard || ip.is_unspecified() {
        return true;
    }
    let words: Vec<u8> = match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    // Each 32-bit word stands in the machine's byte order.
    let text: String =
        words.chunks_exact(4).map(|w| format!("{:08X}", u32::from_ne_bytes([w[0], w[1], w[2], w[3]]))).collect();
    text == hex
}

fn process(inode: u64) -> Option<Holder> {
    let wanted = format!("socket:[{inode}]");
    let entries = fs::read_dir("/proc").ok()?.take(PROCESSES_MAX).flatten();
    for entry in entries {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else { continue };
        let Ok(descriptors) = fs::read_dir(entry.path().join("fd")) else { continue };
        let holds = descriptors.flatten().any(|d| fs::read_link(d.path()).is_ok_and(|to| to.to_str() == Some(&wanted)));
        if holds {
            let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default().trim().to_owned();
            return Some(Holder { pid, name });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;

    #[test]
    fn our_own_socket_is_found() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let holder = find(Transport::Udp, socket.local_addr().unwrap()).expect("found");
        assert_eq!(holder.pid, std::process::id());
        assert!(!holder.name.is_empty());
    }
}
