//! The system calls that the standard library does not have: batched datagrams, waiting on two sockets, pinning.
//!
//! The only file of the crate with unsafe code. Every block passes the kernel pointers into memory that is borrowed for
//! the whole call; the kernel keeps nothing after a call returns.

use std::io;
use std::mem;
use std::net::UdpSocket;
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

/// Datagrams per system call.
pub const BATCH: usize = 64;
/// Room for one received datagram; no message of these scenarios is longer.
const ROOM: usize = 4096;

/// Received datagrams, in buffers that are used again.
pub struct Inbox {
    room: Box<[u8]>,
    lengths: [usize; BATCH],
}

impl Default for Inbox {
    fn default() -> Self {
        Inbox { room: vec![0; BATCH * ROOM].into(), lengths: [0; BATCH] }
    }
}

impl Inbox {
    /// Reads what is there without waiting; fewer than [`BATCH`] means that the socket is empty.
    pub fn receive(&mut self, socket: &UdpSocket) -> usize {
        let mut vectors = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: ROOM }; BATCH];
        // SAFETY: mmsghdr is plain data for which zero is a valid value.
        let mut headers: [libc::mmsghdr; BATCH] = unsafe { mem::zeroed() };
        for (at, room) in self.room.chunks_exact_mut(ROOM).enumerate() {
            vectors[at].iov_base = room.as_mut_ptr().cast();
            headers[at].msg_hdr.msg_iov = &raw mut vectors[at];
            headers[at].msg_hdr.msg_iovlen = 1;
        }
        // SAFETY: the headers point to the vectors above and these to `room`, all alive through the call.
        let count = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                headers.as_mut_ptr(),
                BATCH as libc::c_uint,
                libc::MSG_DONTWAIT as _,
                std::ptr::null_mut(),
            )
        };
        // An error is an empty socket, or the server's port closed: its requests will time out and be counted.
        let count = usize::try_from(count).unwrap_or(0);
        for (length, header) in self.lengths.iter_mut().zip(&headers[..count]) {
            *length = header.msg_len as usize;
        }
        count
    }

    /// The bytes of the `at`th datagram of the last batch.
    pub fn datagram(&self, at: usize) -> &[u8] {
        &self.room[at * ROOM..][..self.lengths[at]]
    }
}

/// Datagrams that wait to be sent together.
#[derive(Default)]
pub struct Outgoing {
    arena: Vec<u8>,
    ranges: Vec<Range<usize>>,
}

impl Outgoing {
    /// Adds a datagram; it leaves with [`Outgoing::flush`].
    pub fn push(&mut self, bytes: &[u8]) {
        let start = self.arena.len();
        self.arena.extend_from_slice(bytes);
        self.ranges.push(start..self.arena.len());
    }

    /// Adds what `write` appends.
    pub fn write(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.arena.len();
        write(&mut self.arena);
        self.ranges.push(start..self.arena.len());
    }

    /// Sends everything over a connected socket. What the kernel does not take is lost, as datagrams are.
    pub fn flush(&mut self, socket: &UdpSocket) {
        for ranges in self.ranges.chunks(BATCH) {
            send_batch(socket, &self.arena, ranges);
        }
        self.ranges.clear();
        self.arena.clear();
    }
}

fn send_batch(socket: &UdpSocket, arena: &[u8], ranges: &[Range<usize>]) {
    let mut vectors = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; BATCH];
    // SAFETY: mmsghdr is plain data for which zero is a valid value.
    let mut headers: [libc::mmsghdr; BATCH] = unsafe { mem::zeroed() };
    for (at, range) in ranges.iter().enumerate() {
        let bytes = &arena[range.clone()];
        vectors[at] = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
        headers[at].msg_hdr.msg_iov = &raw mut vectors[at];
        headers[at].msg_hdr.msg_iovlen = 1;
    }
    let mut from = 0;
    let mut errors = 0;
    while from < ranges.len() && errors < 4 {
        let count = (ranges.len() - from) as libc::c_uint;
        // SAFETY: the headers point to the vectors above and these into `arena`, which the kernel only reads.
        let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), &raw mut headers[from], count, 0) };
        match usize::try_from(sent) {
            Ok(sent) => from += sent,
            // A pending ICMP error is reported once by the next call; then sending goes on.
            Err(_) => errors += 1,
        }
    }
}

/// Waits until one of the sockets can be read, or until the time is over.
pub fn wait(sockets: [&UdpSocket; 2], timeout: Duration) {
    let mut polled = sockets.map(|socket| libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLIN, revents: 0 });
    let timeout = libc::timespec { tv_sec: timeout.as_secs() as _, tv_nsec: timeout.subsec_nanos() as _ };
    // SAFETY: two live pollfds and a live timespec; no signal mask.
    unsafe { libc::ppoll(polled.as_mut_ptr(), 2, &timeout, std::ptr::null()) };
}

/// Asks for large socket buffers, beyond the system's limit if we may.
pub fn widen(socket: &UdpSocket, bytes: i32) {
    for name in [libc::SO_RCVBUF, libc::SO_SNDBUF, libc::SO_RCVBUFFORCE, libc::SO_SNDBUFFORCE] {
        // SAFETY: a live int and its size.
        unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                name,
                (&raw const bytes).cast(),
                mem::size_of::<i32>() as _,
            )
        };
    }
}

/// Raises the soft limit of open files to the hard one.
pub fn raise_file_limit() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: a live structure that the first call fills and the second reads.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
}

fn affinity(task: i32, core: usize) -> bool {
    // SAFETY: cpu_set_t is plain data; the kernel reads it only.
    unsafe {
        let mut set: libc::cpu_set_t = mem::zeroed();
        libc::CPU_SET(core % libc::CPU_SETSIZE as usize, &mut set);
        libc::sched_setaffinity(task, mem::size_of::<libc::cpu_set_t>(), &set) == 0
    }
}

/// Pins the calling thread (and those it starts later) to one core.
///
/// # Errors
/// The kernel's.
pub fn pin_self(core: usize) -> io::Result<()> {
    if affinity(0, core) { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Pins one thread of any process of ours.
pub fn pin_thread(thread: i32, core: usize) {
    affinity(thread, core);
}

/// Makes a child start pinned to one core, and end with us whatever ends us.
pub fn bind_child(command: &mut Command, core: usize) {
    let prepare = move || {
        affinity(0, core);
        // SAFETY: no pointers; async-signal-safe.
        unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM) };
        Ok(())
    };
    // SAFETY: runs between fork and exec; it makes two system calls and touches no lock or heap.
    unsafe { command.pre_exec(prepare) };
}

/// Sends a signal to a process that we started.
pub fn signal(pid: u32, signal: i32) {
    if let Ok(pid) = i32::try_from(pid) {
        // SAFETY: no pointers.
        unsafe { libc::kill(pid, signal) };
    }
}

/// CPU time that the calling thread has used.
pub fn thread_cpu() -> Duration {
    let mut spent = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a live structure for the kernel to fill.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut spent) };
    Duration::new(spent.tv_sec as u64, spent.tv_nsec as u32)
}
