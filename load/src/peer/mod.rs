//! Servers that the rig starts: ours and the one it is measured beside.

mod kamailio;
mod lyceum;
mod rtpengine;

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::users::User;
use crate::{procfs, sys};
pub use rtpengine::Rtpengine;

/// Which server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Debian's Kamailio with `load/peers/kamailio.cfg`.
    Kamailio,
    /// `lyceum dev` of this binary.
    Lyceum(PathBuf),
}

/// The domain that every server of the rig serves.
pub const DOMAIN: &str = "bench.test";

/// A server that runs until this is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    folder: PathBuf,
    /// For reports.
    pub name: &'static str,
    /// As it names it itself.
    pub version: String,
    /// Where it takes SIP over UDP.
    pub sip: SocketAddr,
    /// Where it takes SIP over TLS, if it does.
    pub tls: Option<SocketAddr>,
}

impl Peer {
    /// For reports.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Peer::Kamailio => "kamailio",
            Peer::Lyceum(_) => "lyceum",
        }
    }

    /// Starts it on loopback, pinned to a core, with these users.
    ///
    /// # Errors
    /// One sentence: it is not installed, or did not come up.
    pub fn start(&self, users: &[User], core: usize) -> Result<Running, String> {
        let folder = folder(self.name()).map_err(|error| format!("temporary folder: {error}"))?;
        let running = match self {
            Peer::Kamailio => kamailio::start(&folder, users, core),
            Peer::Lyceum(program) => lyceum::start(program, &folder, users, core),
        };
        let mut running = running.inspect_err(|_| drop(std::fs::remove_dir_all(&folder)))?;
        running.wait_for_answer()?;
        Ok(running)
    }
}

fn folder(name: &str) -> std::io::Result<PathBuf> {
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_nanos();
    let folder = std::env::temp_dir().join(format!("lyceum-load-{name}-{}-{nanos}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// A port that nobody has, for UDP and TCP.
fn free_port() -> Result<u16, String> {
    let find = || {
        let udp = UdpSocket::bind("127.0.0.1:0")?;
        let port = udp.local_addr()?.port();
        TcpListener::bind(("127.0.0.1", port))?;
        Ok::<_, std::io::Error>(port)
    };
    (0..20).find_map(|_| find().ok()).ok_or_else(|| "no free port on 127.0.0.1".to_owned())
}

fn spawn(command: &mut Command, core: usize) -> Result<Child, String> {
    sys::bind_child(command.stdin(Stdio::null()), core);
    let program = command.get_program().to_string_lossy().into_owned();
    command.spawn().map_err(|error| format!("{program}: {error}"))
}

fn log_file(folder: &Path) -> Result<Stdio, String> {
    std::fs::File::create(folder.join("log")).map(Stdio::from).map_err(|error| error.to_string())
}

impl Running {
    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its processes, the children included.
    #[must_use]
    pub fn pids(&self) -> Vec<u32> {
        procfs::tree(&[self.pid()])
    }

    fn wait_for_answer(&mut self) -> Result<(), String> {
        let failed = |error: std::io::Error| error.to_string();
        let socket = UdpSocket::bind("127.0.0.1:0").map_err(failed)?;
        socket.set_read_timeout(Some(Duration::from_millis(200))).map_err(failed)?;
        let local = socket.local_addr().map_err(failed)?;
        let begin = Instant::now();
        let mut answer = [0; 2048];
        for number in 0.. {
            let ping = format!(
                "OPTIONS sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bKready{number};rport\r\n\
                 Max-Forwards: 70\r\nFrom: <sip:ready@{DOMAIN}>;tag=1\r\nTo: <sip:{DOMAIN}>\r\n\
                 Call-ID: ready{number}-{local}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
            );
            let sent = socket.send_to(ping.as_bytes(), self.sip);
            if sent.is_ok() && socket.recv(&mut answer).is_ok_and(|length| answer[..length].starts_with(b"SIP/2.0")) {
                break;
            }
            let over = begin.elapsed() > Duration::from_secs(60);
            if over || self.child.try_wait().map_err(failed)?.is_some() {
                let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                let tail = log.lines().rev().take(5).collect::<Vec<_>>().join(" / ");
                return Err(format!("{} does not answer on {}; its log ends: {tail}", self.name, self.sip));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        // Start-up work shall not be measured.
        std::thread::sleep(Duration::from_secs(2));
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        sys::signal(self.pid(), libc::SIGTERM);
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(10) && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        if matches!(self.child.try_wait(), Ok(None)) {
            // Nothing is left to be done about a child that cannot be killed.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
