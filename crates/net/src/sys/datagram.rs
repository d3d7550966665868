//! Batches of datagrams: recvmmsg and sendmmsg over buffers that are used again.

use std::io;
use std::mem;
use std::net::SocketAddr;
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::{check, socket_addr, write_addr, zeroed};

/// Datagrams per system call.
pub const BATCH: usize = 64;
/// Longest datagram that IP can carry.
const DATAGRAM_MAX: usize = 65_535;
/// Room before every received datagram, in which a relay writes a header without moving what follows.
pub const HEADROOM: usize = 64;
/// Distance of the receive buffers: not a power of two, or all first lines would fall into the same cache sets.
const STRIDE: usize = DATAGRAM_MAX + 577;
/// Control room per datagram: one SO_RXQ_OVFL message (16 bytes of header, 4 of counter, padding).
const CONTROL_WORDS: usize = 4;

/// Receives datagrams in batches into buffers that are used again. Pages never written cost no memory.
pub struct DatagramReader {
    data: Vec<u8>,
    names: Box<[libc::sockaddr_storage]>,
    control: Box<[u64]>,
    iovecs: Box<[libc::iovec]>,
    headers: Box<[libc::mmsghdr]>,
}

impl Default for DatagramReader {
    fn default() -> DatagramReader {
        DatagramReader::new()
    }
}

impl DatagramReader {
    /// Empty buffers.
    pub fn new() -> DatagramReader {
        let mut reader = DatagramReader {
            data: vec![0; BATCH * STRIDE],
            names: zeroed(BATCH),
            control: zeroed(BATCH * CONTROL_WORDS),
            iovecs: zeroed(BATCH),
            headers: zeroed(BATCH),
        };
        let data = reader.data.as_mut_ptr();
        for i in 0..BATCH {
            reader.iovecs[i].iov_base = data.wrapping_add(i * STRIDE + HEADROOM).cast();
            reader.iovecs[i].iov_len = DATAGRAM_MAX;
            let header = &mut reader.headers[i].msg_hdr;
            header.msg_name = (&raw mut reader.names[i]).cast();
            header.msg_control = (&raw mut reader.control[i * CONTROL_WORDS]).cast();
            header.msg_iov = &raw mut reader.iovecs[i];
            header.msg_iovlen = 1;
        }
        reader.reset(0..BATCH);
        reader
    }

    fn reset(&mut self, which: Range<usize>) {
        for header in &mut self.headers[which] {
            header.msg_hdr.msg_namelen = mem::size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            header.msg_hdr.msg_controllen = (CONTROL_WORDS * 8) as _;
        }
    }

    /// Reads what is there, up to [`BATCH`] datagrams, without waiting; fewer than that means the socket is empty.
    pub fn receive(&mut self, fd: BorrowedFd<'_>) -> io::Result<usize> {
        self.read(fd, 0, BATCH)
    }

    /// Reads up to `most` datagrams into the buffers from the `first`th on and leaves the others as they are, so that one
    /// batch can be gathered from several sockets. Says how many came.
    pub fn gather(&mut self, fd: BorrowedFd<'_>, first: usize, most: usize) -> io::Result<usize> {
        let end = first.saturating_add(most).min(BATCH);
        if first >= end {
            return Ok(0);
        }
        self.reset(first..end);
        self.read(fd, first, end - first)
    }

    fn read(&mut self, fd: BorrowedFd<'_>, first: usize, most: usize) -> io::Result<usize> {
        let headers = &mut self.headers[first..first + most];
        // SAFETY: every header points into boxes of this structure that never move, with their true lengths.
        let count = check(unsafe {
            libc::recvmmsg(
                fd.as_raw_fd(),
                headers.as_mut_ptr(),
                headers.len() as libc::c_uint,
                libc::MSG_DONTWAIT as _,
                std::ptr::null_mut(),
            )
        });
        match count {
            Ok(count) => Ok(count as usize),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(0),
            Err(e) => Err(e),
        }
    }

    /// Sender and bytes of the `i`th datagram of the last batch.
    pub fn datagram(&self, i: usize) -> Option<(SocketAddr, &[u8])> {
        let from = socket_addr(&self.names[i])?;
        Some((from, &self.data[i * STRIDE + HEADROOM..][..self.headers[i].msg_len as usize]))
    }

    /// Sender of the `i`th datagram, its whole buffer with [`HEADROOM`] in front, and where in that the bytes lie.
    pub fn buffer(&mut self, i: usize) -> Option<(SocketAddr, &mut [u8], Range<usize>)> {
        let from = socket_addr(&self.names[i])?;
        let length = self.headers[i].msg_len as usize;
        Some((from, &mut self.data[i * STRIDE..(i + 1) * STRIDE], HEADROOM..HEADROOM + length))
    }

    /// All buffers, to send from; the `i`th begins at [`DatagramReader::start`].
    pub fn arena(&self) -> &[u8] {
        &self.data
    }

    /// Where in [`DatagramReader::arena`] the `i`th buffer begins.
    pub fn start(i: usize) -> usize {
        i * STRIDE
    }

    /// Ends a batch of `count`: gives the socket's total of dropped datagrams if the kernel told it.
    pub fn finish(&mut self, count: usize) -> Option<u32> {
        let mut dropped = None;
        if count > 0 {
            let header = &self.headers[count - 1].msg_hdr;
            // SAFETY: the kernel filled msg_control up to msg_controllen; CMSG_* stay within that.
            unsafe {
                let message = libc::CMSG_FIRSTHDR(header);
                if !message.is_null()
                    && (*message).cmsg_level == libc::SOL_SOCKET
                    && (*message).cmsg_type == libc::SO_RXQ_OVFL
                {
                    dropped = Some(libc::CMSG_DATA(message).cast::<u32>().read_unaligned());
                }
            }
        }
        self.reset(0..count);
        dropped
    }
}

/// Bytes of one run of datagrams that go to the same place as one (UDP_SEGMENT): what IP can carry.
const JOINED_BYTES_MAX: usize = 65_000;
/// Control room of one message: UDP_SEGMENT takes 16 bytes of header and two of size, and padding.
const SEGMENT_WORDS: usize = 3;

/// Sends datagrams in batches.
pub struct DatagramWriter {
    names: Box<[libc::sockaddr_storage]>,
    control: Box<[u64]>,
    iovecs: Box<[libc::iovec]>,
    headers: Box<[libc::mmsghdr]>,
    /// How many messages each header carries.
    joined: Vec<usize>,
}

impl Default for DatagramWriter {
    fn default() -> DatagramWriter {
        DatagramWriter::new()
    }
}

impl DatagramWriter {
    /// An empty batch.
    pub fn new() -> DatagramWriter {
        DatagramWriter {
            names: zeroed(BATCH),
            control: zeroed(BATCH * SEGMENT_WORDS),
            iovecs: zeroed(BATCH),
            headers: zeroed(BATCH),
            joined: Vec::with_capacity(BATCH),
        }
    }

    /// Sends up to [`BATCH`] of `messages` (ranges of `arena`) and says how many went; an error concerns the first.
    pub fn send(
        &mut self,
        fd: BorrowedFd<'_>,
        messages: &[(SocketAddr, Range<usize>)],
        arena: &[u8],
    ) -> io::Result<usize> {
        self.dispatch(fd, messages, arena, |_, _| 1)
    }

    /// The same, with neighbours of one size to one place handed over as one: the system cuts them apart again behind the
    /// work that it then does once. Where it cannot (`EIO`, or `EINVAL` when they are longer than the path takes) the caller
    /// sends them by [`DatagramWriter::send`].
    pub fn send_joined(
        &mut self,
        fd: BorrowedFd<'_>,
        messages: &[(SocketAddr, Range<usize>)],
        arena: &[u8],
    ) -> io::Result<usize> {
        self.dispatch(fd, messages, arena, |messages, first| {
            let (to, size) = (messages[first].0, messages[first].1.len());
            let alike = messages[first..].iter().take_while(|(other, range)| *other == to && range.len() == size);
            // Empty ones cannot be told apart again.
            JOINED_BYTES_MAX.checked_div(size).map_or(1, |most| alike.count().clamp(1, most.max(1)))
        })
    }

    fn dispatch(
        &mut self,
        fd: BorrowedFd<'_>,
        messages: &[(SocketAddr, Range<usize>)],
        arena: &[u8],
        alike: impl Fn(&[(SocketAddr, Range<usize>)], usize) -> usize,
    ) -> io::Result<usize> {
        let messages = &messages[..messages.len().min(BATCH)];
        self.joined.clear();
        let mut next = 0;
        while next < messages.len() {
            let count = alike(messages, next);
            self.prepare(&messages[next..next + count], next, arena);
            next += count;
        }
        // SAFETY: the headers point to names, control words and iovecs of this structure and to `arena`, all alive through
        // the call; the kernel only reads the arena.
        let sent = check(unsafe {
            libc::sendmmsg(
                fd.as_raw_fd(),
                self.headers.as_mut_ptr(),
                self.joined.len() as libc::c_uint,
                (libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) as _,
            )
        })?;
        Ok(self.joined[..sent as usize].iter().sum())
    }

    /// Makes the next header carry `run`, whose buffers are the iovecs from the `first`th on.
    fn prepare(&mut self, run: &[(SocketAddr, Range<usize>)], first: usize, arena: &[u8]) {
        let index = self.joined.len();
        for (iovec, (_, range)) in self.iovecs[first..].iter_mut().zip(run) {
            let bytes = &arena[range.clone()];
            iovec.iov_base = bytes.as_ptr().cast_mut().cast();
            iovec.iov_len = bytes.len();
        }
        let header = &mut self.headers[index].msg_hdr;
        header.msg_namelen = write_addr(&run[0].0, &mut self.names[index]);
        header.msg_name = (&raw mut self.names[index]).cast();
        header.msg_iov = &raw mut self.iovecs[first];
        header.msg_iovlen = run.len() as _;
        header.msg_control = std::ptr::null_mut();
        header.msg_controllen = 0;
        if run.len() > 1 {
            let size = run[0].1.len() as u16;
            header.msg_control = (&raw mut self.control[index * SEGMENT_WORDS]).cast();
            // SAFETY: the control words hold one header and two bytes, which is what CMSG_SPACE(2) counts.
            unsafe {
                header.msg_controllen = libc::CMSG_SPACE(2) as _;
                let message = libc::CMSG_FIRSTHDR(header);
                (*message).cmsg_level = libc::SOL_UDP;
                (*message).cmsg_type = libc::UDP_SEGMENT;
                (*message).cmsg_len = libc::CMSG_LEN(2) as _;
                libc::CMSG_DATA(message).cast::<u16>().write_unaligned(size);
            }
        }
        self.joined.push(run.len());
    }
}
