//! What an idle TLS connection costs this process: at most 20 KB.
//!
//! A test program of its own, so that nothing else moves the memory of the process; the clients are children.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::IpAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lyceum_net::{
    Arrival, Bounds, ClientCertificates, DevCa, Engine, Flow, ListenerOptions, Load, Options, Outbox, Tls, TlsSettings,
};
use lyceum_sip::{Now, Time, Transport};

const CONNECTIONS: usize = 500;
const BOUND: usize = 20_000;

struct Mirror;

impl Engine for Mirror {
    type Post = ();
    fn message(&mut self, _: Now, a: Arrival<'_>, out: &mut Outbox) {
        out.send(&a.flow.into(), 0, |bytes| bytes.extend_from_slice(a.bytes));
    }
    fn flow_closed(&mut self, _: Now, _: Flow, _: &mut Outbox) {}
    fn send_failed(&mut self, _: Now, _: u64, _: &mut Outbox) {}
    fn posted(&mut self, _: Now, (): (), _: &mut Outbox) {}
    fn timeout(&mut self, _: Now, _: &mut Outbox) {}
    fn next_timeout(&self) -> Option<Time> {
        None
    }
    fn settle(&mut self, _: Now, _: Load, _: &mut Outbox) {}
}

/// Proportional set size of this process in bytes.
fn pss() -> usize {
    let text = fs::read_to_string("/proc/self/smaps_rollup").expect("Linux");
    let line = text.lines().find_map(|l| l.strip_prefix("Pss:")).expect("Pss");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") * 1024
}

type Lines = std::io::Lines<BufReader<std::process::ChildStdout>>;

/// The clients: this very program, started again with an address and an authority.
fn clients(addr: &str, authority: &str, count: usize) -> (Child, Lines) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["clients_of_the_measurement", "--exact", "--nocapture", "--test-threads=1"])
        .env("LYCEUM_CLIENTS", format!("{addr} {authority} {count}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("all connected")), "the clients connect");
    (child, lines)
}

#[test]
fn an_idle_tls_connection_costs_at_most_20_kb() {
    let folder = tempfile::tempdir().unwrap();
    let ca = DevCa::create(folder.path()).unwrap();
    let server = ca.issue("server", &["sip.example.org"], &[IpAddr::from([127, 0, 0, 1])]).unwrap();
    let settings = TlsSettings {
        certificates: vec![server.certificate],
        authorities: vec![ca.certificate().clone()],
        client_certificates: ClientCertificates::Optional,
    };
    let options = Options {
        listeners: vec![ListenerOptions::new(Transport::Tls, "127.0.0.1:0".parse().unwrap()).inside(true)],
        tls: Some(Tls::new(settings).unwrap()),
        bounds: Bounds::default(),
        ..Options::default()
    };
    let running = options.build().unwrap().start(|_| Mirror).unwrap();
    let addr = running.handle().listeners()[0].addr.to_string();
    let authority = ca.file().display().to_string();
    // The first connections pay for what all share.
    let mut warm = clients(&addr, &authority, 20);
    let before = pss();
    let mut crowd = clients(&addr, &authority, CONNECTIONS);
    let each = pss().saturating_sub(before) / CONNECTIONS;
    eprintln!("an idle TLS connection costs {each} bytes");
    for (child, lines) in [&mut warm, &mut crowd] {
        child.stdin.take();
        lines.by_ref().for_each(drop);
        child.wait().unwrap();
    }
    running.drain(Duration::from_secs(5));
    assert!(each <= BOUND, "{each} bytes");
}

/// Not a rule of ours, but the other side of the one above; alone it does nothing.
#[test]
fn clients_of_the_measurement() {
    let Ok(order) = std::env::var("LYCEUM_CLIENTS") else { return };
    let [addr, authority, count] = order.split(' ').collect::<Vec<_>>()[..] else { panic!("{order}") };
    let request = "OPTIONS sip:example.org SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
                   From: <sip:a@example.org>;tag=1\r\nTo: <sip:b@example.org>\r\nCall-ID: one\r\nCSeq: 1 OPTIONS\r\n\
                   Content-Length: 0\r\n\r\n";
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    for certificate in lyceum_net::load_authorities(authority.as_ref()).unwrap() {
        roots.add(certificate).unwrap();
    }
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let config = std::sync::Arc::new(config);
    let mut open = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(60);
    for _ in 0..count.parse().unwrap() {
        assert!(Instant::now() < deadline);
        let name = rustls::pki_types::ServerName::try_from("sip.example.org").unwrap();
        let connection = rustls::ClientConnection::new(config.clone(), name).unwrap();
        let socket = std::net::TcpStream::connect(addr).unwrap();
        let mut stream = rustls::StreamOwned::new(connection, socket);
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = vec![0; request.len()];
        std::io::Read::read_exact(&mut stream, &mut answer).unwrap();
        open.push(stream);
    }
    println!("all connected");
    let _ = std::io::stdin().read_line(&mut String::new());
}
