//! SIP over WebSocket against real workers: RFC 7118's handshake, messages both ways, and the bounds.

use crate::support::{Server, time};
use lyceum_net::{Arrival, Engine, Flow, Load, Options as NetOptions, Outbox};
use lyceum_sip::{Now, Time, Transport};
use lyceum_web::listen::{Drain, DrainSwitch, Protection, serve};
use lyceum_web::sip::{SipOptions, WorkerSockets};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Answers every message with itself.
struct Mirror;

impl Engine for Mirror {
    type Post = ();
    fn message(&mut self, _: Now, a: Arrival<'_>, out: &mut Outbox) {
        assert_eq!(a.transport, Transport::Ws);
        out.send(&a.flow.into(), 0, |bytes| bytes.extend_from_slice(a.bytes));
    }
    fn flow_closed(&mut self, _: Now, _: Flow, _: &mut Outbox) {}
    fn send_failed(&mut self, _: Now, _: u64, _: &mut Outbox) {}
    fn posted(&mut self, _: Now, _: (), _: &mut Outbox) {}
    fn timeout(&mut self, _: Now, _: &mut Outbox) {}
    fn next_timeout(&self) -> Option<Time> {
        None
    }
    fn settle(&mut self, _: Now, _: Load, _: &mut Outbox) {}
}

struct Gateway {
    address: SocketAddr,
    _running: lyceum_net::Running<Mirror>,
    _server: Server,
    _switch: DrainSwitch,
}

async fn gateway() -> Gateway {
    let running = NetOptions::default().build().expect("workers").start(|_| Mirror).expect("workers start");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let workers = running.handle();
    let ws = workers.foreign_listener(Transport::Ws, address, None, true);
    let sip = SipOptions {
        sockets: Arc::new(WorkerSockets { workers, wss: None, ws: Some(ws) }),
        origins: vec!["https://phone.example.org".to_owned()],
        message_bytes: 4096,
    };
    let server = Server::with(time::now, Some(sip));
    let (switch, drain) = Drain::new();
    tokio::spawn(serve(listener, Protection::None, server.web.websocket_router(), drain));
    Gateway { address, _running: running, _server: server, _switch: switch }
}

async fn upgrade(address: SocketAddr, extra: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(address).await.expect("connected");
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{extra}\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("an answer"));
    }
    (stream, String::from_utf8(head).expect("text"))
}

/// A masked frame, as a client sends it (RFC 6455 §5.3).
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode, 0x80 | 126];
    frame.extend_from_slice(&(payload.len() as u16).to_be_bytes());
    frame.extend_from_slice(&[1, 2, 3, 4]);
    frame.extend(payload.iter().zip([1, 2, 3, 4].iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// The next frame's opcode and payload.
async fn next(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let opcode = stream.read_u8().await.expect("a frame") & 0x0f;
    let length = match stream.read_u8().await.expect("a length") {
        126 => usize::from(stream.read_u16().await.expect("a length")),
        short => usize::from(short),
    };
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).await.expect("a payload");
    (opcode, payload)
}

const SIP: &str = "Sec-WebSocket-Protocol: sip\r\n";
const OPTIONS: &str = "OPTIONS sip:example.org SIP/2.0\r\nVia: SIP/2.0/WS x.invalid;branch=z9hG4bK1\r\nFrom: <sip:a@x>;tag=1\r\n\
                       To: <sip:b@x>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_message_goes_to_the_engine_and_its_answer_comes_back() {
    let gateway = gateway().await;
    let (mut stream, head) = upgrade(gateway.address, SIP).await;
    assert!(head.starts_with("HTTP/1.1 101") && head.to_lowercase().contains("sec-websocket-protocol: sip"), "{head}");
    for opcode in [1, 2] {
        stream.write_all(&frame(opcode, OPTIONS.as_bytes())).await.expect("sent");
        assert_eq!(next(&mut stream).await, (1, OPTIONS.as_bytes().to_vec()), "text goes back as text");
    }
    stream.write_all(&frame(9, b"alive?")).await.expect("sent");
    assert_eq!(next(&mut stream).await, (10, b"alive?".to_vec()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_the_subprotocol_or_from_another_page_is_refused() {
    let gateway = gateway().await;
    for (extra, status) in [
        ("".to_owned(), "400"),
        ("Sec-WebSocket-Protocol: chat\r\n".to_owned(), "400"),
        (format!("{SIP}Origin: https://evil.example\r\n"), "403"),
        (format!("{SIP}Origin: null\r\n"), "403"),
        (format!("{SIP}Origin: http://{}.evil.example\r\n", gateway.address), "403"),
        (format!("{SIP}Origin: https://sip.example.org\r\nOrigin: https://evil.example\r\n"), "403"),
        (format!("{SIP}Origin: https://phone.example.org\r\n"), "101"),
        (format!("{SIP}Origin: https://sip.example.org\r\n"), "101"),
        (format!("{SIP}Origin: http://{}\r\n", gateway.address), "101"),
        (format!("{SIP}Origin: https://{}\r\n", gateway.address), "101"),
        (SIP.to_owned(), "101"),
    ] {
        let (_, head) = upgrade(gateway.address, &extra).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{extra}{head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_beyond_the_bound_ends_the_socket() {
    let gateway = gateway().await;
    let (mut stream, _) = upgrade(gateway.address, SIP).await;
    stream.write_all(&frame(1, &[b'x'; 5000])).await.expect("sent");
    let mut rest = Vec::new();
    // A reset is as good an end as a close.
    stream.read_to_end(&mut rest).await.ok();
    assert!(!rest.windows(10).any(|w| w == b"xxxxxxxxxx"));
}
