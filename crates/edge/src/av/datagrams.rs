//! Sending in batches: what goes out of one socket leaves in one system call.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::ops::Range;
use std::os::fd::AsFd;

use lyceum_net::driver::DatagramWriter;

/// What the system says when an interface cannot cut packets apart.
const EIO: i32 = 5;

/// Packets that wait for the end of a turn, in the buffers they were received into.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    /// The system does not cut joined packets apart.
    single: bool,
    waiting: Vec<Packet>,
    run: Vec<(SocketAddr, Range<usize>)>,
}

#[derive(Debug)]
struct Packet {
    /// Number of the socket, and place in the order of arrival.
    key: (u32, u32),
    to: SocketAddr,
    bytes: Range<usize>,
}

impl Outgoing {
    /// Adds a packet for a socket.
    pub(super) fn push(&mut self, socket: u32, to: SocketAddr, bytes: Range<usize>) {
        let order = self.waiting.len() as u32;
        self.waiting.push(Packet { key: (socket, order), to, bytes });
    }

    /// Sends all, socket by socket, each socket's in order.
    pub(super) fn flush<'s>(
        &mut self,
        writer: &mut DatagramWriter,
        arena: &[u8],
        socket_of: impl Fn(u32) -> Option<&'s UdpSocket>,
    ) {
        if self.waiting.is_empty() {
            return;
        }
        self.waiting.sort_unstable_by_key(|packet| packet.key);
        for same in self.waiting.chunk_by(|a, b| a.key.0 == b.key.0) {
            let Some(socket) = socket_of(same[0].key.0) else { continue };
            self.run.clear();
            self.run.extend(same.iter().map(|packet| (packet.to, packet.bytes.clone())));
            send(socket, writer, &self.run, arena, &mut self.single);
        }
        self.waiting.clear();
    }
}

/// Sends a run. What the system does not take now is dropped, as a network would: media that waits is media that is late.
/// Neighbours of one size to one place leave as one, until an interface turns out not to be able to.
pub(super) fn send(
    socket: &UdpSocket,
    writer: &mut DatagramWriter,
    run: &[(SocketAddr, Range<usize>)],
    arena: &[u8],
    single: &mut bool,
) {
    let (mut next, mut apart) = (0, *single || run.len() == 1);
    while next < run.len() {
        let sent = match apart {
            true => writer.send(socket.as_fd(), &run[next..], arena),
            false => writer.send_joined(socket.as_fd(), &run[next..], arena),
        };
        match sent {
            Ok(count) => next += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            Err(error) if !apart => {
                // Never again where no checksum can be made; anything else may be a matter of size.
                *single |= error.raw_os_error() == Some(EIO);
                apart = true;
            }
            // It concerns the first one: too long, or no way there.
            Err(_) => next += 1,
        }
    }
}
