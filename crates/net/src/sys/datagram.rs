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

/// Sends datagrams in batches.
pub struct DatagramWriter {
    names: Box<[libc::sockaddr_storage]>,
    iovecs: Box<[libc::iovec]>,
    headers: Box<[libc::mmsghdr]>,
}

impl Default for DatagramWriter {
    fn default() -> DatagramWriter {
        DatagramWriter::new()
    }
}

impl DatagramWriter {
    /// An empty batch.
    pub fn new() -> DatagramWriter {
        DatagramWriter { names: zeroed(BATCH), iovecs: zeroed(BATCH), headers: zeroed(BATCH) }
    }

    /// Sends up to [`BATCH`] of `messages` (ranges of `arena`) and says how many went; an error concerns the first.
    pub fn send(
        &mut self,
        fd: BorrowedFd<'_>,
        messages: &[(SocketAddr, Range<usize>)],
        arena: &[u8],
    ) -> io::Result<usize> {
        let count = messages.len().min(BATCH);
        for (i, (to, range)) in messages[..count].iter().enumerate() {
            let bytes = &arena[range.clone()];
            self.iovecs[i].iov_base = bytes.as_ptr().cast_mut().cast();
            self.iovecs[i].iov_len = bytes.len();
            let header = &mut self.headers[i].msg_hdr;
            header.msg_namelen = write_addr(to, &mut self.names[i]);
            header.msg_name = (&raw mut self.names[i]).cast();
            header.msg_iov = &raw mut self.iovecs[i];
            header.msg_iovlen = 1;
        }
        // SAFETY: the headers point to names and iovecs of this structure and to `arena`, all alive through the call;
        // the kernel only reads the arena.
        check(unsafe {
            libc::sendmmsg(
                fd.as_raw_fd(),
                self.headers.as_mut_ptr(),
                count as libc::c_uint,
                (libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) as _,
            )
        })
        .map(|n| n as usize)
    }
}
