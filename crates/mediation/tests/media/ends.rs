//! A phone, a browser and running media on loopback.

use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use lyceum_media::Time;
use lyceum_media::bridge::{LegSetup, Protection};
use lyceum_media::latch::Believe;
use lyceum_media::rtp::{Fields, HEADER_LEN, MAX_PACKET, Packet, is_rtcp, write};
use lyceum_media::srtp::{Protector, Unprotector};
use lyceum_media::web::{Certificate, Credentials, Epoch, Taken, WebEvent, WebRemote, WebSetup, WebTransport};
use lyceum_mediation::media::{
    Agreement, LegKind, Local, Media, MediaAddress, MediaEvent, MediaHandle, MediaOptions, Open, Opened, RemoteWeb,
    Running, StreamId,
};
use lyceum_sdp::{Candidate, Codec, Direction, Encoding, Ice, KeySalt, Suite};
use lyceum_topology::qos::{Modality, PortRange, QosSettings};

/// What nothing in these tests takes; it only ends one that would hang.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a socket is listened to before other things are looked after.
const BEAT: Duration = Duration::from_millis(2);
pub const SUITE: Suite = Suite::AesCm128HmacSha1_80;

pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "{what} did not come");
    }
}

pub struct Bench {
    pub running: Running,
    pub media: MediaHandle,
    pub events: Receiver<MediaEvent>,
}

impl Bench {
    pub fn new(ports: PortRange) -> Self {
        Self::with(ports, |_| {})
    }

    pub fn with(ports: PortRange, change: impl FnOnce(&mut MediaOptions)) -> Self {
        let here = MediaAddress::plain("127.0.0.1".parse().expect("an address"));
        let mut options = MediaOptions::new(vec![here], &QosSettings::default().in_force());
        (options.ports.audio, options.ports.video) = (Some(ports), Some(ports));
        change(&mut options);
        let (tell, events) = sync_channel(1024);
        let running = options.start(Box::new(move |event| tell.try_send(event).is_ok())).expect("media");
        Self { media: running.handle(), running, events }
    }

    pub fn open(&mut self, legs: [LegKind; 2]) -> Opened {
        self.media.open(Open { modality: Modality::Audio, legs }).expect("there are ports")
    }

    pub fn event(&self) -> MediaEvent {
        self.events.recv_timeout(PATIENCE).expect("an event")
    }

    /// Closes a stream and waits until that is told.
    pub fn close(&mut self, id: StreamId) -> MediaEvent {
        self.media.close(id);
        until("the end", || Some(self.event()).filter(|event| matches!(event, MediaEvent::Closed(..))))
    }
}

pub fn codecs(encodings: &[(u8, Encoding)]) -> Vec<Codec> {
    encodings.iter().map(|(number, encoding)| Codec::new(*number, encoding.clone())).collect()
}

pub fn setup(codecs: Vec<Codec>) -> LegSetup {
    LegSetup {
        rtp: None,
        rtcp: None,
        signalled_from: None,
        believe: Believe::KnownHosts,
        protection: Protection::Plain,
        direction: Direction::SendRecv,
        send: codecs.clone(),
        receive: codecs,
        rtcp_mux: false,
        ptime: 20,
    }
}

pub fn packet(payload_type: u8, sequence: u16, payload: &[u8]) -> Vec<u8> {
    timed(payload_type, sequence, 160 * u32::from(sequence), payload)
}

pub fn timed(payload_type: u8, sequence: u16, timestamp: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; HEADER_LEN + payload.len()];
    assert!(write(&mut bytes, &Fields { marker: false, payload_type, sequence, timestamp, ssrc: 0x0D15_EA5E }));
    bytes[HEADER_LEN..].copy_from_slice(payload);
    bytes
}

pub fn payload(bytes: &[u8]) -> (u8, Vec<u8>) {
    let packet = Packet::parse(bytes).expect("RTP");
    (packet.payload_type(), packet.payload().to_vec())
}

pub struct Phone {
    pub rtp: UdpSocket,
    pub rtcp: UdpSocket,
    to: Local,
    keys: Option<(Protector, Unprotector)>,
}

impl Phone {
    pub fn new(to: &Local) -> Self {
        let socket = || {
            let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
            socket.set_read_timeout(Some(BEAT)).expect("it can be set");
            socket
        };
        Self { rtp: socket(), rtcp: socket(), to: to.clone(), keys: None }
    }

    pub fn agreement(&self, codecs: Vec<Codec>) -> Agreement {
        let (rtp, rtcp) = (self.rtp.local_addr().ok(), self.rtcp.local_addr().ok());
        Agreement { setup: LegSetup { rtp, rtcp, ..setup(codecs) }, web: None }
    }

    /// The same with keys of SDES.
    pub fn secure(&mut self, codecs: Vec<Codec>) -> Agreement {
        let key = |byte| KeySalt::new(SUITE, &[byte; 30]).expect("its length");
        self.keys = Some((Protector::new(SUITE, &key(2)), Unprotector::new(SUITE, &key(1))));
        let mut agreement = self.agreement(codecs);
        agreement.setup.protection = Protection::Sdes { suite: SUITE, send: key(1), receive: key(2) };
        agreement
    }

    /// The packet as it would lie on the wire.
    pub fn sealed(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut buffer = [bytes, &[0; 32]].concat();
        let len = match &mut self.keys {
            Some(keys) => keys.0.protect_rtp(&mut buffer, bytes.len()).expect("protected"),
            None => bytes.len(),
        };
        buffer.truncate(len);
        buffer
    }

    pub fn send(&mut self, bytes: &[u8]) {
        let sealed = self.sealed(bytes);
        self.rtp.send_to(&sealed, self.to.rtp).expect("it goes");
    }

    pub fn receive(&mut self) -> Option<Vec<u8>> {
        let mut buffer = [0; MAX_PACKET];
        let (len, from) = self.rtp.recv_from(&mut buffer).ok()?;
        assert_eq!(from, self.to.rtp, "media comes from where it is sent to");
        let len = match &mut self.keys {
            Some(keys) => keys.1.unprotect_rtp(&mut buffer[..len]).expect("it is for us").len,
            None => len,
        };
        Some(buffer[..len].to_vec())
    }
}

fn transport(socket: &UdpSocket, credentials: &Credentials, certificate: &Certificate, start: Instant) -> WebTransport {
    WebTransport::new(WebSetup {
        credentials: credentials.clone(),
        addresses: socket.local_addr().into_iter().collect(),
        certificate: certificate.clone(),
        seed: [5; 32],
        epoch: Epoch::new(start),
    })
}

pub struct Browser {
    pub socket: UdpSocket,
    transport: WebTransport,
    credentials: Credentials,
    certificate: Certificate,
    pub keys: Option<(Protector, Unprotector)>,
    start: Instant,
    heard: Vec<Vec<u8>>,
    pub reports: Vec<Vec<u8>>,
    /// What it takes for its address, whatever it is seen as.
    own: SocketAddr,
    pub to: Local,
}

impl Browser {
    pub fn new(to: &Local) -> Self {
        Self::on(to, "127.0.0.1:0")
    }

    pub fn on(to: &Local, address: &str) -> Self {
        let key = rcgen::KeyPair::generate().expect("a key");
        let parameters = rcgen::CertificateParams::new(vec!["browser".to_owned()]).expect("a name");
        let signed = parameters.self_signed(&key).expect("a certificate");
        let certificate = Certificate::new(signed.der().to_vec(), key.serialize_der()).expect("it can be used");
        let (socket, start) = (UdpSocket::bind(address).expect("a port"), Instant::now());
        socket.set_read_timeout(Some(BEAT)).expect("it can be set");
        let credentials = Credentials::new(&[9; 24]);
        let transport = transport(&socket, &credentials, &certificate, start);
        let (keys, heard, reports, to) = (None, Vec::new(), Vec::new(), to.clone());
        let own = socket.local_addr().expect("it has one");
        Self { socket, transport, credentials, certificate, keys, start, heard, reports, own, to }
    }

    fn now(&self) -> Time {
        Time(self.start.elapsed().as_micros() as u64)
    }

    pub fn address(&self) -> SocketAddr {
        self.socket.local_addr().expect("it has one")
    }

    /// What our side is told of the browser, which offered.
    pub fn agreement(&self, codecs: Vec<Codec>) -> Agreement {
        let Credentials { ufrag, pwd } = self.credentials.clone();
        let ice = Ice { ufrag, pwd, candidates: vec![Candidate::host(1, self.address())] };
        let fingerprint = self.certificate.fingerprint().clone();
        let web = Some(RemoteWeb { ice, fingerprint, we_begin: true, controlling: false });
        Agreement { setup: setup(codecs), web }
    }

    /// The browser hears our answer.
    pub fn answer(&mut self) {
        let web = self.to.web.clone().expect("a web leg");
        let remote = WebRemote { ice: web.ice, fingerprint: web.fingerprint, we_begin: false, controlling: true };
        self.transport.agree(self.now(), remote);
        self.step();
    }

    /// It is seen somewhere else now, and has a new name and password; its own side of the association stays.
    pub fn moves(&mut self, credentials: Credentials) {
        self.socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        self.socket.set_read_timeout(Some(BEAT)).expect("it can be set");
        self.transport.restart_ice(credentials.clone());
        self.credentials = credentials;
    }

    /// Does what is to be done, and listens for a moment.
    pub fn step(&mut self) {
        let now = self.now();
        if self.transport.next_timeout().is_some_and(|due| due <= now) {
            self.transport.timeout(now);
        }
        while let Some(transmit) = self.transport.poll_transmit() {
            self.socket.send_to(&transmit.bytes, transmit.remote).expect("it goes");
        }
        while let Some(event) = self.transport.poll_event() {
            if let WebEvent::Keys(keys) = event {
                let pair = (Protector::new(keys.suite, &keys.send), Unprotector::new(keys.suite, &keys.receive));
                self.keys = Some(pair);
            }
        }
        let mut buffer = [0; MAX_PACKET];
        let Ok((len, from)) = self.socket.recv_from(&mut buffer) else { return };
        let (now, address) = (self.now(), self.own);
        if self.transport.packet(now, from, address, &buffer[..len]) != Taken::Media {
            return;
        }
        let Some((_, unprotector)) = &mut self.keys else { return };
        if is_rtcp(&buffer[..len]) {
            let len = unprotector.unprotect_rtcp(&mut buffer[..len]).expect("it is for us");
            self.reports.push(buffer[..len].to_vec());
        } else {
            let len = unprotector.unprotect_rtp(&mut buffer[..len]).expect("it is for us").len;
            self.heard.push(buffer[..len].to_vec());
        }
    }

    pub fn connect(&mut self) {
        until("the connection", || {
            self.step();
            (self.keys.is_some() && self.transport.path().is_some()).then_some(())
        });
    }

    pub fn sealed(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut buffer = [bytes, &[0; 32]].concat();
        let keys = self.keys.as_mut().expect("connected");
        let len = keys.0.protect_rtp(&mut buffer, bytes.len()).expect("protected");
        buffer.truncate(len);
        buffer
    }

    pub fn send(&mut self, bytes: &[u8]) {
        let sealed = self.sealed(bytes);
        let (_, remote) = self.transport.path().expect("connected");
        self.socket.send_to(&sealed, remote).expect("it goes");
    }

    pub fn receive(&mut self) -> Option<Vec<u8>> {
        self.step();
        self.heard.pop()
    }
}
