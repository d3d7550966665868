//! One question to the world, and its answer.

use lyceum_net::{NotShown, Resolver, ResolverOptions, shown_certificate};
use lyceum_plan::verify::{Finding, Probe, Reply, Service, Shown};
use std::io::{Error, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// Asks one thing after another; several of them ask at once.
pub struct Asker {
    runtime: Runtime,
    resolver: Resolver,
    patience: Duration,
}

/// A question of STUN (RFC 8489), which says nothing and changes nothing.
const STUN_BINDING: [u8; 20] = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

impl Asker {
    pub fn new(options: ResolverOptions, patience: Duration) -> Result<Asker, String> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|e| format!("no runtime: {e}"))?;
        let resolver = Resolver::new(runtime.handle().clone(), options)
            .map_err(|e| format!("{e}\n  fix:   name a name server with --dns"))?;
        Ok(Asker { runtime, resolver, patience })
    }

    pub fn ask(&self, probe: &Probe) -> Finding {
        match probe {
            Probe::Addresses(name) => match self.runtime.block_on(self.resolver.addresses_of(name)) {
                Ok(addresses) => Finding::Addresses(addresses),
                Err(why) => Finding::Unresolved(why.to_string()),
            },
            Probe::Services(name) => match self.runtime.block_on(self.resolver.services_of(name)) {
                Ok(services) => Finding::Services(services.into_iter().map(service).collect()),
                Err(why) => Finding::Unresolved(why.to_string()),
            },
            Probe::Certificate { address, port, name } => self.certificate(*address, *port, name),
            Probe::Tcp(address, port) => Finding::Reply(self.tcp(*address, *port)),
            Probe::Udp(address, port) => Finding::Reply(self.udp(*address, *port)),
            Probe::Shut(address, ports) => Finding::Open(self.open(*address, ports)),
        }
    }

    fn certificate(&self, address: Ipv4Addr, port: u16, name: &str) -> Finding {
        match shown_certificate(SocketAddr::from((address, port)), name, self.patience) {
            Ok(facts) => Finding::Certificate(Shown {
                names: facts.names,
                from_seconds: facts.not_before.seconds(),
                until_seconds: facts.not_after.seconds(),
                issuer: facts.issuer,
            }),
            Err(NotShown::Unreachable(why)) => Finding::Reply(reply(&why)),
            Err(NotShown::NoTls(why)) => Finding::NoCertificate(why),
        }
    }

    fn tcp(&self, address: Ipv4Addr, port: u16) -> Reply {
        match TcpStream::connect_timeout(&SocketAddr::from((address, port)), self.patience) {
            Ok(_) => Reply::Answered,
            Err(why) => reply(&why),
        }
    }

    fn udp(&self, address: Ipv4Addr, port: u16) -> Reply {
        let asked = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).and_then(|socket| {
            socket.set_read_timeout(Some(self.patience))?;
            socket.connect((IpAddr::V4(address), port))?;
            socket.send(&STUN_BINDING)?;
            socket.recv(&mut [0; 1500])
        });
        match asked {
            Ok(_) => Reply::Answered,
            Err(why) => reply(&why),
        }
    }

    /// The ports that let somebody in, asked all at once: what is shut does not answer, and each would wait its time.
    fn open(&self, address: Ipv4Addr, ports: &[u16]) -> Vec<u16> {
        self.runtime.block_on(async {
            let mut open = Vec::new();
            let asked: Vec<_> = ports
                .iter()
                .map(|port| {
                    let connect = tokio::net::TcpStream::connect((address, *port));
                    (*port, tokio::spawn(tokio::time::timeout(self.patience, connect)))
                })
                .collect();
            for (port, connected) in asked {
                if matches!(connected.await, Ok(Ok(Ok(_)))) {
                    open.push(port);
                }
            }
            open
        })
    }
}

fn service((port, target): (u16, String)) -> Service {
    Service { port, target }
}

fn reply(why: &Error) -> Reply {
    match why.kind() {
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => Reply::Refused,
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Reply::Silent,
        _ => Reply::Unreachable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn asker() -> Asker {
        // Nobody is asked for a name here.
        let options = ResolverOptions { servers: vec![SocketAddr::from(([127, 0, 0, 1], 9))], ..Default::default() };
        Asker::new(options, Duration::from_secs(20)).expect("an asker")
    }

    #[test]
    fn a_port_answers_or_refuses() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its number").port();
        assert_eq!(asker().ask(&Probe::Tcp(Ipv4Addr::LOCALHOST, port)), Finding::Reply(Reply::Answered));
        assert_eq!(asker().ask(&Probe::Shut(Ipv4Addr::LOCALHOST, vec![port])), Finding::Open(vec![port]));
        drop(listener);
        assert_eq!(asker().ask(&Probe::Tcp(Ipv4Addr::LOCALHOST, port)), Finding::Reply(Reply::Refused));
        assert_eq!(asker().ask(&Probe::Shut(Ipv4Addr::LOCALHOST, vec![port])), Finding::Open(vec![]));
    }

    #[test]
    fn udp_tells_that_nobody_listens() {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let port = socket.local_addr().expect("its number").port();
        drop(socket);
        assert_eq!(asker().ask(&Probe::Udp(Ipv4Addr::LOCALHOST, port)), Finding::Reply(Reply::Refused));
    }
}
