//! One UDP port of one worker.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use lyceum_sip::{Transport, stun};

use crate::sys::{BATCH, DatagramReader, DatagramWriter, take_icmp_error};
use crate::worker::Sink;
use crate::{Arrival, Flow, Listener};

/// Batches read from one port in one turn: other sockets, posts and timers wait for at most
/// `ROUNDS` × [`BATCH`] datagrams per port.
const ROUNDS: usize = 8;
/// Sends with a ticket that are remembered for ICMP errors; the oldest is forgotten, and its loss is then found by
/// the transaction's timer.
const TICKETS_MAX: usize = 1024;
/// ICMP errors taken per turn; more wait.
const ICMP_MAX: usize = 64;
/// How long a full send buffer is waited for, once per turn; what does not go then is dropped, as a network would.
const SEND_WAIT: Duration = Duration::from_millis(1);

pub(crate) struct UdpPort {
    pub(crate) listener: Arc<Listener>,
    socket: UdpSocket,
    pending: Vec<(SocketAddr, Range<usize>)>,
    pending_tickets: Vec<u64>,
    /// Where recent sends with a ticket went.
    recent: VecDeque<(SocketAddr, u64)>,
    overflow: u32,
}

impl UdpPort {
    pub(crate) fn new(listener: Arc<Listener>, socket: UdpSocket) -> UdpPort {
        UdpPort {
            listener,
            socket,
            pending: Vec::new(),
            pending_tickets: Vec::new(),
            recent: VecDeque::new(),
            overflow: 0,
        }
    }

    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Hands what is there to `sink`. True when the socket is empty now.
    pub(crate) fn read(&mut self, reader: &mut DatagramReader, dropped: &mut u64, sink: &mut dyn Sink) -> bool {
        for _ in 0..ROUNDS {
            // An error here is a pending ICMP error of an earlier send; it is on the error queue, too.
            let count = reader.receive(self.socket.as_fd()).unwrap_or(0);
            for i in 0..count {
                if let Some((from, bytes)) = reader.datagram(i) {
                    self.datagram(from, bytes, sink);
                }
            }
            if let Some(total) = reader.finish(count) {
                *dropped += u64::from(total.wrapping_sub(self.overflow));
                self.overflow = total;
            }
            if count < BATCH {
                return true;
            }
            sink.batch_done();
        }
        false
    }

    fn datagram(&self, remote: SocketAddr, bytes: &[u8], sink: &mut dyn Sink) {
        let flow = Flow::Datagram { listener: self.listener.id, remote };
        if stun::is_stun(bytes) {
            return sink.reply(flow, &mut |out| {
                stun::binding_answer(bytes, remote, out);
            });
        }
        if is_blank(bytes) {
            return;
        }
        sink.message(Arrival {
            flow,
            transport: Transport::Udp,
            listener: &self.listener,
            local: self.listener.addr,
            remote,
            peer: None,
            bytes,
        });
    }

    /// Queues a message for [`flush`](UdpPort::flush).
    pub(crate) fn push(&mut self, to: SocketAddr, bytes: Range<usize>, ticket: u64) {
        self.pending.push((to, bytes));
        self.pending_tickets.push(ticket);
        if ticket != 0 {
            if self.recent.len() >= TICKETS_MAX {
                self.recent.pop_front();
            }
            self.recent.push_back((to, ticket));
        }
    }

    /// Sends what was queued. Returns how many went.
    pub(crate) fn flush(&mut self, writer: &mut DatagramWriter, arena: &[u8], failed: &mut Vec<u64>) -> u64 {
        let (mut next, mut sent, mut again, mut waited) = (0, 0, true, false);
        while next < self.pending.len() {
            match writer.send(self.socket.as_fd(), &self.pending[next..], arena) {
                Ok(count) => {
                    next += count;
                    sent += count as u64;
                    again = true;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock && !waited => {
                    waited = true;
                    std::thread::sleep(SEND_WAIT);
                }
                // The first error may belong to an earlier datagram (ICMP): once more.
                Err(_) if again => again = false,
                Err(_) => {
                    if self.pending_tickets[next] != 0 {
                        failed.push(self.pending_tickets[next]);
                    }
                    next += 1;
                }
            }
        }
        self.pending.clear();
        self.pending_tickets.clear();
        sent
    }

    /// Reports what an ICMP error says was sent in vain.
    pub(crate) fn icmp(&mut self, failed: &mut Vec<u64>) {
        for _ in 0..ICMP_MAX {
            let Some((addr, error)) = take_icmp_error(self.socket.as_fd()) else { return };
            // A datagram too long for the path goes in fragments next time.
            if error.raw_os_error() == Some(libc::EMSGSIZE) {
                continue;
            }
            self.recent.retain(|(to, ticket)| {
                if *to == addr {
                    failed.push(*ticket);
                }
                *to != addr
            });
        }
    }
}

/// Line ends and zeros alone: a keep-alive of a phone behind NAT that wants no answer.
fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|b| matches!(b, b'\r' | b'\n' | 0))
}
