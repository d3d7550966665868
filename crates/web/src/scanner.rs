//! The virus scanner: a command of the node's own configuration, or a ClamAV daemon that is sent the file.
//!
//! It is set where the server is set up, not by policy: whoever may change policies over the network must not be able to
//! run a command here. The daemon gets the content (INSTREAM) and not a path: it runs as another user and need not read
//! our folders.

use serde::Deserialize;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How often a running command is asked whether it is done.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long connecting to the daemon may take.
const CONNECT: Duration = Duration::from_secs(5);
/// Bytes sent to the daemon at a time.
const PIECE: usize = 64 * 1024;
/// Longest answer of the daemon; names of what it finds are short.
const ANSWER: u64 = 4096;

/// What looks through files people send each other.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Scanner {
    /// A command: its last argument is the file's path, exit code 0 says clean, 1 infected, others that it cannot tell.
    Command(PathBuf),
    /// A ClamAV daemon on a local socket.
    ClamdSocket(PathBuf),
    /// A ClamAV daemon on another machine or port.
    ClamdTcp(SocketAddr),
}

/// What the scanner says of a file.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing found.
    Clean,
    /// Found, by this name where the scanner gives one.
    Infected(String),
    /// It could not tell, and why.
    Unknown(String),
}

impl TryFrom<String> for Scanner {
    type Error = String;

    /// `/usr/bin/clamscan`, `clamd:/run/clamav/clamd.ctl` or `clamd:127.0.0.1:3310`.
    fn try_from(text: String) -> Result<Self, String> {
        match text.strip_prefix("clamd:") {
            Some(path) if path.starts_with('/') => Ok(Self::ClamdSocket(path.into())),
            Some(address) => match address.parse() {
                Ok(address) => Ok(Self::ClamdTcp(address)),
                Err(_) => Err(wrong(&text)),
            },
            None if text.starts_with('/') => Ok(Self::Command(text.into())),
            None => Err(wrong(&text)),
        }
    }
}

fn wrong(text: &str) -> String {
    format!(
        "`{text}` is no virus scanner: write the path of a command, clamd:/run/clamav/clamd.ctl or clamd:10.0.0.9:3310"
    )
}

impl Scanner {
    /// Has the file looked through; blocks for as long as it takes, `patience` at most.
    pub fn look(&self, file: &Path, patience: Duration) -> Verdict {
        match self {
            Self::Command(command) => run(command, file, patience),
            Self::ClamdSocket(path) => verdict(UnixStream::connect(path).and_then(|socket| {
                let socket = Timed { socket, until: Instant::now() + patience };
                stream(socket, file)
            })),
            Self::ClamdTcp(address) => verdict(TcpStream::connect_timeout(address, CONNECT).and_then(|socket| {
                let socket = Timed { socket, until: Instant::now() + patience };
                stream(socket, file)
            })),
        }
    }
}

fn run(command: &Path, file: &Path, patience: Duration) -> Verdict {
    let quiet =
        Command::new(command).arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut child = match quiet {
        Ok(child) => child,
        Err(error) => return Verdict::Unknown(format!("{}: {error}", command.display())),
    };
    let begun = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => {
                return match status.code() {
                    Some(0) => Verdict::Clean,
                    Some(1) => Verdict::Infected(String::new()),
                    _ => Verdict::Unknown(format!("{} ended with {status}", command.display())),
                };
            }
            Ok(None) if begun.elapsed() < patience => std::thread::sleep(LOOK_EVERY),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Verdict::Unknown(format!("no answer within {} s", patience.as_secs()));
            }
            Err(error) => return Verdict::Unknown(error.to_string()),
        }
    }
}

/// A socket of which no single call outlasts the time for all.
struct Timed<S> {
    socket: S,
    until: Instant,
}

trait Patient {
    fn wait_at_most(&self, time: Duration) -> io::Result<()>;
}

macro_rules! patient {
    ($socket:ty) => {
        impl Patient for $socket {
            fn wait_at_most(&self, time: Duration) -> io::Result<()> {
                self.set_read_timeout(Some(time))?;
                self.set_write_timeout(Some(time))
            }
        }
    };
}
patient!(UnixStream);
patient!(TcpStream);

impl<S: Patient> Timed<S> {
    fn ready(&mut self) -> io::Result<&mut S> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.socket.wait_at_most(left)?;
        Ok(&mut self.socket)
    }
}

/// Sends the content by clamd's INSTREAM: pieces behind their length, an empty one at the end.
fn stream<S: Read + Write + Patient>(mut socket: Timed<S>, file: &Path) -> io::Result<String> {
    let sent = send(&mut socket, file);
    // A daemon that has enough says why and hangs up: its words tell more than a broken pipe.
    let mut answer = Vec::new();
    let heard = socket.ready()?.take(ANSWER).read_to_end(&mut answer);
    if answer.is_empty() {
        sent?;
        heard?;
    }
    Ok(String::from_utf8_lossy(&answer).trim_end_matches(['\0', '\n']).to_owned())
}

fn send<S: Write + Patient>(socket: &mut Timed<S>, file: &Path) -> io::Result<()> {
    let mut file = File::open(file)?;
    let mut piece = vec![0; PIECE];
    socket.ready()?.write_all(b"zINSTREAM\0")?;
    loop {
        let count = file.read(&mut piece)?;
        // A piece never exceeds PIECE, which fits.
        socket.ready()?.write_all(&(count as u32).to_be_bytes())?;
        if count == 0 {
            return Ok(());
        }
        socket.ready()?.write_all(&piece[..count])?;
    }
}

fn verdict(answer: io::Result<String>) -> Verdict {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Verdict::Unknown(format!("clamd: {error}")),
    };
    let said = answer.strip_prefix("stream: ").unwrap_or(&answer);
    match said.strip_suffix(" FOUND") {
        Some(name) => Verdict::Infected(name.to_owned()),
        None if said == "OK" => Verdict::Clean,
        None => Verdict::Unknown(format!("clamd says: {}", said.escape_debug())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    #[test]
    fn a_scanner_is_a_command_or_a_daemon() {
        let scanner = |text: &str| Scanner::try_from(text.to_owned()).ok();
        assert_eq!(scanner("/usr/bin/clamscan"), Some(Scanner::Command("/usr/bin/clamscan".into())));
        assert_eq!(scanner("clamd:/run/clamd.ctl"), Some(Scanner::ClamdSocket("/run/clamd.ctl".into())));
        assert_eq!(scanner("clamd:[::1]:3310"), Some(Scanner::ClamdTcp("[::1]:3310".parse().expect("an address"))));
        for text in ["", "clamscan", "clamd:", "clamd:3310", "clamd:localhost:3310", "icap://x"] {
            assert_eq!(scanner(text), None, "{text}");
        }
    }

    /// A daemon that hears one file and says `answer`; the verdict, and what it heard.
    fn told(answer: &'static [u8], content: &[u8]) -> (Verdict, Vec<u8>) {
        let dir = tempfile::tempdir().expect("a folder");
        let (socket, file) = (dir.path().join("clamd"), dir.path().join("file"));
        std::fs::write(&file, content).expect("a file");
        let listener = UnixListener::bind(&socket).expect("a socket");
        let daemon = std::thread::spawn(move || {
            let (mut peer, _) = listener.accept().expect("a client");
            let mut command = [0; 10];
            peer.read_exact(&mut command).expect("a command");
            assert_eq!(&command, b"zINSTREAM\0");
            let mut heard = Vec::new();
            loop {
                let mut length = [0; 4];
                peer.read_exact(&mut length).expect("a length");
                let mut piece = vec![0; u32::from_be_bytes(length) as usize];
                if piece.is_empty() {
                    break;
                }
                peer.read_exact(&mut piece).expect("a piece");
                heard.extend(piece);
            }
            peer.write_all(answer).expect("it hears");
            heard
        });
        let verdict = Scanner::ClamdSocket(socket).look(&file, Duration::from_secs(30));
        (verdict, daemon.join().expect("no panic"))
    }

    #[test]
    fn the_daemon_gets_the_whole_file_and_is_understood() {
        let large = vec![7; 2 * PIECE + 1];
        assert_eq!(told(b"stream: OK\0", &large), (Verdict::Clean, large));
        let (found, _) = told(b"stream: Win.Test.EICAR_HDB-1 FOUND\0", b"x");
        assert_eq!(found, Verdict::Infected("Win.Test.EICAR_HDB-1".into()));
        for answer in [&b"INSTREAM size limit exceeded. ERROR\0"[..], b"", b"stream: OKAY\0"] {
            assert!(matches!(told(answer, b"x").0, Verdict::Unknown(_)), "{answer:?}");
        }
    }

    #[test]
    fn a_command_tells_by_its_exit_code_and_an_absent_scanner_cannot_tell() {
        let dir = tempfile::tempdir().expect("a folder");
        let (clean, file) = (Path::new("/bin/true"), dir.path().join("file"));
        let look = |scanner: Scanner, patience| scanner.look(&file, patience);
        let soon = Duration::from_secs(30);
        assert_eq!(look(Scanner::Command(clean.into()), soon), Verdict::Clean);
        assert_eq!(look(Scanner::Command("/bin/false".into()), soon), Verdict::Infected(String::new()));
        for scanner in [
            Scanner::Command("/nonexistent".into()),
            Scanner::ClamdSocket("/nonexistent".into()),
            Scanner::ClamdTcp(([127, 0, 0, 1], 1).into()),
        ] {
            assert!(matches!(look(scanner, soon), Verdict::Unknown(_)));
        }
        // `yes` never ends by itself.
        assert!(matches!(look(Scanner::Command("/usr/bin/yes".into()), Duration::ZERO), Verdict::Unknown(_)));
    }
}
