use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use lyceum_net::{
    ClientCertificates, Destination, DevCa, Issued, NetError, Options, Tls, TlsSettings, load_authorities,
};
use lyceum_sip::Transport;
use rustls::pki_types::{PrivateKeyDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};

use crate::support::{Event, PATIENCE, Rig, loopback, options, request};

const LOCALHOST: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// A folder of its own with an authority and a server certificate.
pub struct House {
    pub folder: tempfile::TempDir,
    pub ca: DevCa,
    pub server: Issued,
}

pub fn house() -> House {
    let folder = tempfile::tempdir().unwrap();
    let ca = DevCa::create(folder.path()).unwrap();
    let server = ca.issue("server", &["sip.example.org"], &[LOCALHOST]).unwrap();
    House { folder, ca, server }
}

impl House {
    pub fn settings(&self, issued: &Issued, clients: ClientCertificates) -> TlsSettings {
        TlsSettings {
            certificates: vec![issued.certificate.clone()],
            authorities: vec![self.ca.certificate().clone()],
            client_certificates: clients,
        }
    }

    pub fn tls(&self) -> Tls {
        Tls::new(self.settings(&self.server, ClientCertificates::Optional)).unwrap()
    }

    pub fn rig(&self) -> (Rig, Tls) {
        let tls = self.tls();
        (Rig::start(with_tls(&tls)), tls)
    }
}

pub fn with_tls(tls: &Tls) -> Options {
    Options { tls: Some(tls.clone()), ..options([loopback(Transport::Tls)]) }
}

const BOTH: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

pub type Phone = StreamOwned<ClientConnection, TcpStream>;

/// A TLS client that is not ours: rustls as its own documentation shows it.
pub fn phone(
    addr: SocketAddr,
    authority: &Path,
    identity: Option<(&Path, &Path)>,
    versions: &[&'static SupportedProtocolVersion],
) -> Phone {
    let mut roots = RootCertStore::empty();
    for certificate in load_authorities(authority).unwrap() {
        roots.add(certificate).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    let config = match identity {
        Some((chain, key)) => builder
            .with_client_auth_cert(load_authorities(chain).unwrap(), PrivateKeyDer::from_pem_file(key).unwrap())
            .unwrap(),
        None => builder.with_no_client_auth(),
    };
    let name = ServerName::try_from("sip.example.org").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let socket = TcpStream::connect(addr).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    StreamOwned::new(connection, socket)
}

pub fn echo(phone: &mut Phone, bytes: &[u8]) {
    phone.write_all(bytes).unwrap();
    let mut answer = vec![0; bytes.len()];
    phone.read_exact(&mut answer).expect("an answer");
    assert_eq!(answer, bytes);
}

#[test]
fn both_versions_carry_messages_of_any_length() {
    let house = house();
    let (rig, _) = house.rig();
    for version in BOTH {
        let mut phone = phone(rig.addr(0), &house.ca.file(), None, &[version]);
        echo(&mut phone, &request("one", ""));
        assert_eq!(phone.conn.protocol_version(), Some(version.version));
        echo(&mut phone, &request("two", &"long ".repeat(12_000)));
        let seen = rig.message();
        assert_eq!((seen.transport, seen.names), (Transport::Tls, vec![]));
        let flow = rig.message().flow;
        assert_eq!(flow, seen.flow);
        phone.conn.send_close_notify();
        phone.flush().unwrap();
        assert_eq!(rig.next(), Event::Closed(flow));
    }
    rig.stop();
}

#[test]
fn resumed_sessions_work() {
    let house = house();
    let (rig, _) = house.rig();
    for version in ["-tls1_2", "-tls1_3"] {
        let session = house.folder.path().join("session");
        for (flag, expected) in [("-sess_out", "New, "), ("-sess_in", "Reused, ")] {
            let told = s_client(&house, rig.addr(0), &[version, flag, session.to_str().unwrap()]);
            assert!(told.contains(expected), "{version} {flag}: {told}");
            assert!(told.contains("Call-ID: judged"), "{told}");
        }
    }
    rig.stop();
}

/// OpenSSL as a client: what it says, with our echo of a request among it.
fn s_client(house: &House, addr: SocketAddr, extra: &[&str]) -> String {
    let mut child = Command::new("openssl")
        .args(["s_client", "-connect", &addr.to_string(), "-servername", "sip.example.org", "-verify_return_error"])
        .args(["-ign_eof", "-verify_hostname", "sip.example.org"])
        .arg("-CAfile")
        .arg(house.ca.file())
        .args(extra)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl");
    let mut input = child.stdin.take().unwrap();
    input.write_all(&request("judged", "")).unwrap();
    let mut output = child.stdout.take().unwrap();
    let (mut told, mut buffer) = (String::new(), [0; 4096]);
    while !told.contains("Content-Length: 0") {
        let count = output.read(&mut buffer).unwrap();
        if count == 0 {
            break;
        }
        told.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    told
}

#[test]
fn a_client_certificate_becomes_an_identity() {
    let house = house();
    let (rig, _) = house.rig();
    let gateway = house.ca.issue("gateway", &["gw.example.org", "sip:pstn.example.org"], &[]).unwrap();
    for version in BOTH {
        let identity = Some((gateway.chain_file.as_path(), gateway.key_file.as_path()));
        let mut phone = phone(rig.addr(0), &house.ca.file(), identity, &[version]);
        echo(&mut phone, &request("one", ""));
        assert_eq!(rig.message().names, ["gw.example.org", "pstn.example.org"]);
        drop(phone);
        assert!(matches!(rig.next(), Event::Closed(_)));
    }
    rig.stop();
}

#[test]
fn a_strangers_certificate_gives_no_identity() {
    let (house, other) = (house(), self::house());
    let (rig, _) = house.rig();
    let identity = Some((other.server.chain_file.as_path(), other.server.key_file.as_path()));
    let mut stranger = phone(rig.addr(0), &house.ca.file(), identity, BOTH);
    echo(&mut stranger, &request("one", ""));
    assert_eq!(rig.message().names, Vec::<String>::new());
    rig.stop();
}

#[test]
fn clients_are_asked_only_while_somebody_may_be_trusted_by_certificate() {
    let house = house();
    let (rig, tls) = house.rig();
    let identity = Some((house.server.chain_file.as_path(), house.server.key_file.as_path()));
    let mut phones = Vec::new();
    for (ask, swap) in [(false, false), (true, false), (false, true)] {
        tls.ask_clients(ask);
        if swap {
            tls.swap(house.settings(&house.server, ClientCertificates::Optional)).unwrap();
        }
        let mut phone = phone(rig.addr(0), &house.ca.file(), identity, BOTH);
        echo(&mut phone, &request("one", ""));
        assert_eq!(rig.message().names.is_empty(), !ask);
        phones.push(phone);
    }
    rig.stop();
}

#[test]
fn where_certificates_are_required_a_stranger_is_refused() {
    let (house, other) = (house(), self::house());
    let tls = Tls::new(house.settings(&house.server, ClientCertificates::Required)).unwrap();
    let rig = Rig::start(with_tls(&tls));
    let stranger = (other.server.chain_file.as_path(), other.server.key_file.as_path());
    for identity in [None, Some(stranger)] {
        let mut phone = phone(rig.addr(0), &house.ca.file(), identity, BOTH);
        let _ = phone.write_all(&request("one", ""));
        assert!(phone.read_exact(&mut [0; 1]).is_err());
    }
    let known = (house.server.chain_file.as_path(), house.server.key_file.as_path());
    let mut phone = phone(rig.addr(0), &house.ca.file(), Some(known), BOTH);
    echo(&mut phone, &request("one", ""));
    rig.stop();
}

#[test]
fn a_new_certificate_serves_new_connections_and_breaks_none() {
    let (house, next) = (house(), self::house());
    let (rig, tls) = house.rig();
    let mut old = phone(rig.addr(0), &house.ca.file(), None, BOTH);
    echo(&mut old, &request("one", ""));
    tls.swap(next.settings(&next.server, ClientCertificates::Optional)).unwrap();
    echo(&mut old, &request("two", ""));
    let mut new = phone(rig.addr(0), &next.ca.file(), None, BOTH);
    echo(&mut new, &request("three", ""));
    echo(&mut old, &request("four", ""));
    rig.stop();
}

#[test]
fn the_name_asked_for_chooses_the_certificate() {
    let house = house();
    let other = house.ca.issue("other", &["other.example.net"], &[]).unwrap();
    let mut settings = house.settings(&other, ClientCertificates::Ignore);
    settings.certificates.push(house.server.certificate.clone());
    let tls = Tls::new(settings).unwrap();
    let rig = Rig::start(with_tls(&tls));
    let mut phone = phone(rig.addr(0), &house.ca.file(), None, BOTH);
    echo(&mut phone, &request("one", ""));
    rig.stop();
}

fn to(addr: SocketAddr, name: Option<&str>) -> Destination {
    Destination::Address { transport: Transport::Tls, addr, name: name.map(Arc::from), from: None }
}

#[test]
fn our_own_connections_check_the_name_and_show_ours() {
    let house = house();
    let (far, _) = house.rig();
    let near_certificate = house.ca.issue("near", &["near.example.org"], &[]).unwrap();
    let near_tls = Tls::new(house.settings(&near_certificate, ClientCertificates::Optional)).unwrap();
    let near = Rig::with(with_tls(&near_tls), false);
    let one = request("one", "");
    near.send(to(far.addr(0), Some("sip.example.org")), 1, &one);
    let seen = far.message();
    assert_eq!((&seen.bytes, seen.names), (&one, vec!["near.example.org".to_string()]));
    // The echo comes back over the same connection, from a proven peer.
    let back = near.message();
    assert_eq!((&back.bytes, back.names), (&one, vec!["sip.example.org".to_string()]));
    // Without a name, the address in the certificate counts.
    near.send(to(far.addr(0), None), 2, &one);
    assert_eq!(far.message().bytes, one);
    near.message();
    near.send(to(far.addr(0), Some("elsewhere.example.org")), 3, &one);
    assert_eq!(near.next(), Event::Failed(3));
    near.stop();
    far.stop();
}

#[test]
fn a_wildcard_certificate_speaks_for_no_sip_domain() {
    let house = house();
    let wild = house.ca.issue("wild", &["*.example.org"], &[]).unwrap();
    let far = Rig::start(with_tls(&Tls::new(house.settings(&wild, ClientCertificates::Ignore)).unwrap()));
    let near = Rig::start(with_tls(&house.tls()));
    near.send(to(far.addr(0), Some("sip.example.org")), 3, &request("one", ""));
    assert_eq!(near.next(), Event::Failed(3));
    near.stop();
    far.stop();
}

#[test]
fn an_authenticated_peer_is_reached_over_its_own_connection() {
    let house = house();
    let (rig, _) = house.rig();
    let gateway = house.ca.issue("gateway", &["gw.example.org"], &[]).unwrap();
    let identity = Some((gateway.chain_file.as_path(), gateway.key_file.as_path()));
    for (identity, reached) in [(identity, true), (None, false)] {
        let mut phone = phone(rig.addr(0), &house.ca.file(), identity, BOTH);
        echo(&mut phone, &request("one", ""));
        let flow = rig.message().flow;
        // Its Via said `;alias` with a port that nothing listens on, so only the alias can lead there.
        let destination = to("127.0.0.1:9".parse().unwrap(), Some("gw.example.org"));
        rig.order(move |out| {
            out.alias(flow, 9);
            out.send(&destination, 6, |b| b.extend_from_slice(b"down your own line"));
        });
        if reached {
            let mut bytes = [0; 18];
            phone.read_exact(&mut bytes).unwrap();
            assert_eq!(&bytes, b"down your own line");
            drop(phone);
            assert_eq!(rig.next(), Event::Closed(flow));
        } else {
            assert_eq!(rig.next(), Event::Failed(6));
        }
    }
    rig.stop();
}

#[test]
fn a_plain_client_on_the_tls_port_is_let_go() {
    let house = house();
    let (rig, _) = house.rig();
    let mut plain = TcpStream::connect(rig.addr(0)).unwrap();
    plain.set_read_timeout(Some(PATIENCE)).unwrap();
    plain.write_all(&request("one", "")).unwrap();
    let mut rest = Vec::new();
    let _ = plain.read_to_end(&mut rest);
    assert_eq!(rig.handle.totals().ended_handshake, 1);
    rig.stop();
}

#[test]
fn a_tls_listener_without_certificate_is_refused_by_name() {
    let error = options([loopback(Transport::Tls)]).build::<()>().err().expect("refused");
    assert!(matches!(error, NetError::NoCertificate { .. }), "{error}");
}
