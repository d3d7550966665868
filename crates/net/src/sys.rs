//! The system calls that std and socket2 do not have: epoll, eventfd, recvmmsg, sendmmsg, a few socket options.
//!
//! This file and what is below it are all of the crate's unsafe code. Every block passes the kernel pointers into memory that is
//! owned by the structure or borrowed for the whole call, with the length that goes with it; nothing is kept by the
//! kernel after a call returns.

mod mark;

pub use mark::{mark, receive_marked, report_marks};

use std::io;
use std::mem::{self, MaybeUninit};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

mod datagram;

pub use datagram::{BATCH, DatagramReader, DatagramWriter, HEADROOM};

/// Descriptors reported by one wait.
pub const EVENTS: usize = 256;

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// What to wait for on a descriptor (level-triggered; errors and hang-ups are always reported).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interest {
    /// Input only.
    Read,
    /// Input and room for output.
    ReadWrite,
    /// Room for output only: input is not wanted now.
    Write,
    /// Errors and hang-ups only.
    Nothing,
    /// Input, reported once per change (edge-triggered), so that nobody has to read a counter away.
    Edge,
}

impl Interest {
    fn bits(self) -> u32 {
        (match self {
            Interest::Read => libc::EPOLLIN | libc::EPOLLRDHUP,
            Interest::ReadWrite => libc::EPOLLIN | libc::EPOLLRDHUP | libc::EPOLLOUT,
            Interest::Write => libc::EPOLLOUT,
            Interest::Nothing => 0,
            Interest::Edge => libc::EPOLLIN | libc::EPOLLET,
        }) as u32
    }
}

/// One ready descriptor.
#[derive(Clone, Copy, Debug)]
pub struct Ready {
    /// The token it was registered with.
    pub token: u64,
    /// Input, or the peer closed.
    pub read: bool,
    /// Room for output, or a connect has ended.
    pub write: bool,
    /// An error waits on the socket.
    pub error: bool,
    /// Both directions are shut.
    pub hangup: bool,
}

/// An epoll instance.
pub struct Epoll {
    fd: OwnedFd,
}

/// What one wait reports.
pub struct Events {
    events: Box<[libc::epoll_event]>,
    count: usize,
}

impl Epoll {
    /// One that watches nothing yet.
    pub fn new() -> io::Result<Epoll> {
        // SAFETY: no pointers; the returned descriptor is ours alone.
        let fd = unsafe { OwnedFd::from_raw_fd(check(libc::epoll_create1(libc::EPOLL_CLOEXEC))?) };
        Ok(Epoll { fd })
    }

    fn control(&self, op: libc::c_int, fd: BorrowedFd<'_>, token: u64, bits: u32) -> io::Result<()> {
        let mut event = libc::epoll_event { events: bits, u64: token };
        // SAFETY: `event` lives through the call, both descriptors are open.
        check(unsafe { libc::epoll_ctl(self.fd.as_raw_fd(), op, fd.as_raw_fd(), &mut event) }).map(drop)
    }

    /// Watches a descriptor and reports it under `token`.
    pub fn add(&self, fd: BorrowedFd<'_>, token: u64, interest: Interest) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, fd, token, interest.bits())
    }

    /// Watches a descriptor for something else.
    pub fn modify(&self, fd: BorrowedFd<'_>, token: u64, interest: Interest) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_MOD, fd, token, interest.bits())
    }

    /// Watches a descriptor no more.
    pub fn remove(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_DEL, fd, 0, 0)
    }
}

impl Default for Events {
    fn default() -> Events {
        Events::new()
    }
}

impl Events {
    /// Room for one wait's reports.
    pub fn new() -> Events {
        Events { events: vec![libc::epoll_event { events: 0, u64: 0 }; EVENTS].into(), count: 0 }
    }

    /// Waits until something is ready or `timeout` is over (rounded up to milliseconds; `None` waits for ever).
    pub fn wait(&mut self, epoll: &Epoll, timeout: Option<Duration>) -> io::Result<()> {
        let millis = match timeout {
            None => -1,
            Some(t) => t.as_micros().div_ceil(1000).min(1 << 30) as libc::c_int,
        };
        // SAFETY: the buffer holds EVENTS entries and is borrowed mutably.
        let count =
            unsafe { libc::epoll_wait(epoll.fd.as_raw_fd(), self.events.as_mut_ptr(), EVENTS as libc::c_int, millis) };
        self.count = match check(count) {
            Ok(count) => count as usize,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => 0,
            Err(e) => return Err(e),
        };
        Ok(())
    }

    /// How many descriptors the last wait found ready.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The `i`th of them.
    pub fn ready(&self, i: usize) -> Ready {
        let libc::epoll_event { events, u64: token } = self.events[i];
        let has = |bit: libc::c_int| events & bit as u32 != 0;
        Ready {
            token,
            read: has(libc::EPOLLIN) || has(libc::EPOLLRDHUP) || has(libc::EPOLLHUP),
            write: has(libc::EPOLLOUT),
            error: has(libc::EPOLLERR),
            hangup: has(libc::EPOLLHUP),
        }
    }
}

/// Wakes a worker out of its wait.
#[derive(Debug)]
pub struct EventFd(OwnedFd);

impl EventFd {
    /// One that has not rung.
    pub fn new() -> io::Result<EventFd> {
        // SAFETY: no pointers; the returned descriptor is ours alone.
        let fd = unsafe { check(libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK))? };
        // SAFETY: just opened.
        Ok(EventFd(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// What to watch with [`Interest::Edge`].
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        std::os::fd::AsFd::as_fd(&self.0)
    }

    /// Makes the descriptor readable. It can only fail when it is readable already.
    pub fn ring(&self) {
        let one = 1u64;
        // SAFETY: eight bytes of a live value.
        unsafe { libc::write(self.0.as_raw_fd(), (&raw const one).cast(), 8) };
    }
}

/// Raises the soft limit of open files to the hard one (systemd starts services with a soft limit of 1024); gives the
/// limit that holds.
pub fn raise_file_limit() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: a live structure that the first call fills and the second reads.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) != 0 {
            return 0;
        }
        let wanted = libc::rlimit { rlim_cur: limit.rlim_max, ..limit };
        if libc::setrlimit(libc::RLIMIT_NOFILE, &wanted) == 0 { limit.rlim_max } else { limit.rlim_cur }
    }
}

/// Sets an integer socket option.
fn set(fd: BorrowedFd<'_>, level: libc::c_int, name: libc::c_int, value: libc::c_int) -> io::Result<()> {
    let size = mem::size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: a live int and its size.
    check(unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, (&raw const value).cast(), size) }).map(drop)
}

/// Buffer sizes beyond the system's limit; needs CAP_NET_ADMIN.
pub fn force_buffers(fd: BorrowedFd<'_>, bytes: usize) -> io::Result<()> {
    let bytes = bytes.min(i32::MAX as usize) as libc::c_int;
    set(fd, libc::SOL_SOCKET, libc::SO_SNDBUFFORCE, bytes)?;
    set(fd, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, bytes)
}

/// Options of a UDP socket for SIP: report ICMP errors and drops, send large messages in fragments whatever the path.
pub fn datagram_options(fd: BorrowedFd<'_>, v6: bool) -> io::Result<()> {
    set(fd, libc::SOL_SOCKET, libc::SO_RXQ_OVFL, 1)?;
    if v6 {
        set(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVERR, 1)?;
        set(fd, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_DONT)
    } else {
        set(fd, libc::IPPROTO_IP, libc::IP_RECVERR, 1)?;
        set(fd, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_DONT)
    }
}

fn socket_addr(name: &libc::sockaddr_storage) -> Option<SocketAddr> {
    match libc::c_int::from(name.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says which structure the storage holds; storage is large and aligned enough for all.
            let v4 = unsafe { &*(&raw const *name).cast::<libc::sockaddr_in>() };
            let ip = Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr));
            Some(SocketAddrV4::new(ip, u16::from_be(v4.sin_port)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: as above.
            let v6 = unsafe { &*(&raw const *name).cast::<libc::sockaddr_in6>() };
            let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
            // The scope matters for link-local addresses only.
            let scope = if ip.is_unicast_link_local() { v6.sin6_scope_id } else { 0 };
            Some(SocketAddrV6::new(ip, u16::from_be(v6.sin6_port), 0, scope).into())
        }
        _ => None,
    }
}

fn write_addr(addr: &SocketAddr, name: &mut libc::sockaddr_storage) -> libc::socklen_t {
    match addr {
        SocketAddr::V4(a) => {
            let v4 = libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: a.port().to_be(),
                sin_addr: libc::in_addr { s_addr: u32::from(*a.ip()).to_be() },
                sin_zero: [0; 8],
            };
            // SAFETY: storage is large and aligned enough for every address structure.
            unsafe { (&raw mut *name).cast::<libc::sockaddr_in>().write(v4) };
            mem::size_of::<libc::sockaddr_in>() as libc::socklen_t
        }
        SocketAddr::V6(a) => {
            let v6 = libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: a.port().to_be(),
                sin6_flowinfo: 0,
                sin6_addr: libc::in6_addr { s6_addr: a.ip().octets() },
                sin6_scope_id: a.scope_id(),
            };
            // SAFETY: as above.
            unsafe { (&raw mut *name).cast::<libc::sockaddr_in6>().write(v6) };
            mem::size_of::<libc::sockaddr_in6>() as libc::socklen_t
        }
    }
}

fn zeroed<T>(count: usize) -> Box<[T]> {
    // SAFETY: used only for sockaddr_storage, iovec, mmsghdr and u64 arrays, for all of which zero is a valid value.
    (0..count).map(|_| unsafe { MaybeUninit::<T>::zeroed().assume_init() }).collect()
}

/// Takes one ICMP error off a UDP socket's error queue: the address that could not be reached, and the error.
pub fn take_icmp_error(fd: BorrowedFd<'_>) -> Option<(SocketAddr, io::Error)> {
    let mut name: libc::sockaddr_storage = zeroed(1)[0];
    let mut control = [0u64; 64];
    let mut byte = [0u8; 1];
    let mut iovec = libc::iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: 1 };
    // SAFETY: msghdr is plain data; every pointer is to a local that outlives the call.
    unsafe {
        let mut header: libc::msghdr = mem::zeroed();
        header.msg_name = (&raw mut name).cast();
        header.msg_namelen = mem::size_of::<libc::sockaddr_storage>() as libc::socklen_t;
        header.msg_iov = &raw mut iovec;
        header.msg_iovlen = 1;
        header.msg_control = control.as_mut_ptr().cast();
        header.msg_controllen = mem::size_of_val(&control) as _;
        if libc::recvmsg(fd.as_raw_fd(), &mut header, libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT) < 0 {
            return None;
        }
        let mut errno = 0;
        let mut message = libc::CMSG_FIRSTHDR(&header);
        while !message.is_null() {
            let (level, kind) = ((*message).cmsg_level, (*message).cmsg_type);
            if (level, kind) == (libc::IPPROTO_IP, libc::IP_RECVERR)
                || (level, kind) == (libc::IPPROTO_IPV6, libc::IPV6_RECVERR)
            {
                errno = libc::CMSG_DATA(message).cast::<libc::sock_extended_err>().read_unaligned().ee_errno as i32;
            }
            message = libc::CMSG_NXTHDR(&header, message);
        }
        Some((socket_addr(&name)?, io::Error::from_raw_os_error(errno)))
    }
}
