//! Traffic classes: set on what leaves, told of what comes.

use std::io;
use std::mem;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::{set, socket_addr, zeroed};

/// The traffic class of everything that leaves the socket: a DSCP above two bits of ECN; 0 leaves it as it is.
pub fn mark(fd: BorrowedFd<'_>, v6: bool, class: u8) -> io::Result<()> {
    match (class, v6) {
        (0, _) => Ok(()),
        (_, true) => set(fd, libc::IPPROTO_IPV6, libc::IPV6_TCLASS, class.into()),
        (_, false) => set(fd, libc::IPPROTO_IP, libc::IP_TOS, class.into()),
    }
}

/// Asks for the traffic class of everything that comes in.
pub fn report_marks(fd: BorrowedFd<'_>, v6: bool) -> io::Result<()> {
    if v6 {
        set(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVTCLASS, 1)
    } else {
        set(fd, libc::IPPROTO_IP, libc::IP_RECVTOS, 1)
    }
}

/// Receives one datagram into `bytes`: its length, who sent it, and its traffic class (0 when the kernel tells none).
pub fn receive_marked(fd: BorrowedFd<'_>, bytes: &mut [u8]) -> io::Result<(usize, SocketAddr, u8)> {
    let mut name: libc::sockaddr_storage = zeroed(1)[0];
    let mut control = [0u64; 8];
    let mut iovec = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    let mut class = 0;
    // SAFETY: msghdr is plain data; every pointer is to a local, or to `bytes`, that outlives the call; the kernel fills
    // msg_control up to msg_controllen and CMSG_* stay within that.
    let length = unsafe {
        let mut header: libc::msghdr = mem::zeroed();
        header.msg_name = (&raw mut name).cast();
        header.msg_namelen = mem::size_of::<libc::sockaddr_storage>() as libc::socklen_t;
        header.msg_iov = &raw mut iovec;
        header.msg_iovlen = 1;
        header.msg_control = control.as_mut_ptr().cast();
        header.msg_controllen = mem::size_of_val(&control) as _;
        let length = libc::recvmsg(fd.as_raw_fd(), &mut header, 0);
        if length < 0 {
            return Err(io::Error::last_os_error());
        }
        let mut message = libc::CMSG_FIRSTHDR(&header);
        while !message.is_null() {
            match ((*message).cmsg_level, (*message).cmsg_type) {
                (libc::IPPROTO_IP, libc::IP_TOS) => class = libc::CMSG_DATA(message).read(),
                (libc::IPPROTO_IPV6, libc::IPV6_TCLASS) => {
                    class = libc::CMSG_DATA(message).cast::<libc::c_int>().read_unaligned() as u8;
                }
                _ => {}
            }
            message = libc::CMSG_NXTHDR(&header, message);
        }
        length as usize
    };
    let from = socket_addr(&name).ok_or_else(|| io::Error::other("a datagram of an unknown address family"))?;
    Ok((length, from, class))
}
