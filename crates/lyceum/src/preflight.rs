//! What keeps a node from starting, looked at before anything is opened: all of it in one list, one sentence each.

use std::fmt::Display;
use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::{Error, Result, anyhow};
use lyceum_net::{ListenerOptions, NetError};
use lyceum_sip::Transport;
use rustix::fs::{Access, AtFlags, CWD, accessat};

use crate::config::Port;
use crate::doctor::folder;

/// Collects faults until all is looked at.
#[derive(Default)]
pub struct Preflight {
    faults: Vec<String>,
}

impl Preflight {
    /// Keeps the value, or notes why there is none.
    pub fn take<T, E: Display>(&mut self, result: Result<T, E>) -> Option<T> {
        // `{:#}` writes the reasons of an error of the binary behind it.
        result.map_err(|error| self.faults.push(format!("{error:#}"))).ok()
    }

    /// Every port can be opened.
    pub fn ports(&mut self, ports: &[Port]) {
        for port in ports {
            self.take(try_port(port));
        }
    }

    /// The data folder can be used: it is there or can be made, has room, and no other server holds it.
    pub fn folder(&mut self, dir: &Path) {
        let facts = folder::gather(dir);
        self.faults.extend(folder::obstacles(&facts));
    }

    /// The local socket can be made, and no other server answers on it.
    pub fn socket(&mut self, path: &Path) {
        let shown = path.display();
        if UnixStream::connect(path).is_ok() {
            self.faults
                .push(format!("another server answers on the local socket {shown}: stop it, or set another `socket`"));
            return;
        }
        let parent = path.parent().unwrap_or(Path::new("."));
        let made = std::fs::create_dir_all(parent).map_err(|error| error.to_string());
        let may = made.and_then(|()| {
            accessat(CWD, parent, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS)
                .map_err(|error| error.to_string())
        });
        if let Err(why) = may {
            self.faults.push(format!("the local socket {shown} cannot be made ({why}): set `socket` to a path in a folder of the server's own user"));
        }
    }

    /// An error with every fault, if there is one.
    pub fn done(self) -> Result<()> {
        if self.faults.is_empty() { Ok(()) } else { Err(listed("the node cannot start", &self.faults)) }
    }
}

/// One fault stands by itself; several stand in a list under `head`.
pub fn listed(head: &str, faults: &[impl Display]) -> Error {
    match faults {
        [one] => anyhow!("{head}: {one}"),
        _ => {
            // A fault that is a list itself stands below its own line.
            let list: String =
                faults.iter().map(|fault| format!("\n  - {}", fault.to_string().replace('\n', "\n  "))).collect();
            anyhow!("{head}; {} things are wrong:{list}", faults.len())
        }
    }
}

/// Opens a port as the workers would, and closes it again.
pub fn try_port(port: &Port) -> Result<(), NetError> {
    let transport = if port.datagram { Transport::Udp } else { Transport::Tcp };
    let options = lyceum_net::Options {
        listeners: vec![ListenerOptions::new(transport, port.addr)],
        ..lyceum_net::Options::default()
    };
    options.build::<()>().map(drop)
}

/// Lets this process open as many files as the system allows it; shells start programs with far fewer.
pub fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // What cannot be raised stays as it is: `lyceum doctor` says what that means.
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).ok();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, UdpSocket};

    #[test]
    fn every_fault_is_told_and_none_is_an_answer_too() {
        assert!(Preflight::default().done().is_ok());
        let mut preflight = Preflight::default();
        assert_eq!(preflight.take(Ok::<_, String>(5)), Some(5));
        assert_eq!(preflight.take(Err::<u8, _>("a is wrong: mend it")), None);
        assert_eq!(
            listed("the node cannot start", &preflight.faults).to_string(),
            "the node cannot start: a is wrong: mend it"
        );
        preflight.take(Err::<u8, _>("b is wrong: mend it"));
        let all = "the node cannot start; 2 things are wrong:\n  - a is wrong: mend it\n  - b is wrong: mend it";
        assert_eq!(preflight.done().unwrap_err().to_string(), all);
    }

    #[test]
    fn a_port_in_use_names_its_holder() {
        let (udp, tcp) = (UdpSocket::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
        for (addr, datagram) in [(udp.local_addr().unwrap(), true), (tcp.local_addr().unwrap(), false)] {
            let said = try_port(&Port { what: "sip".into(), addr, datagram }).unwrap_err().to_string();
            assert!(said.contains("is in use by process") && said.contains(&addr.port().to_string()), "{said}");
        }
        assert!(try_port(&Port { what: "sip".into(), addr: "127.0.0.1:0".parse().unwrap(), datagram: true }).is_ok());
    }
}
