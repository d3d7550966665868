//! Which routers a probe passes, and the mark it has when it comes to each.

use super::wire::HopSeen;
use lyceum_net::probe::{HopListener, MarkedSocket};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Most routers on a way.
const HOPS_MAX: u8 = 16;
/// How long a router may take to answer.
const PATIENCE: Duration = Duration::from_millis(400);
/// Hops without an answer, one after another, that end the search.
const SILENT_MAX: u8 = 2;

/// Sends datagrams that may pass one router, two, and so on; each router that drops one says with which mark it came.
/// `None` without the right to hear them.
pub fn trace(socket: &MarkedSocket, to: SocketAddr, bytes: &[u8]) -> Option<Vec<HopSeen>> {
    let listener = HopListener::open(to.is_ipv6()).ok()?;
    let from_port = socket.local_addr().ok()?.port();
    let (mut hops, mut silent) = (Vec::new(), 0);
    for ttl in 1..=HOPS_MAX {
        if silent == SILENT_MAX || socket.set_hops(ttl).is_err() || socket.send(bytes, to).is_err() {
            break;
        }
        match answer(&listener, from_port) {
            Some(hop) if hop.router == to.ip() => break,
            Some(hop) => {
                silent = 0;
                hops.push(hop);
            }
            None => silent += 1,
        }
    }
    socket.set_hops(64).ok()?;
    Some(hops)
}

fn answer(listener: &HopListener, from_port: u16) -> Option<HopSeen> {
    let until = Instant::now() + PATIENCE;
    while let Some(left) = until.checked_duration_since(Instant::now()) {
        if let Ok(Some(hop)) = listener.receive(left)
            && hop.from_port == from_port
        {
            return Some(HopSeen { router: hop.router, dscp: hop.dscp });
        }
    }
    None
}
