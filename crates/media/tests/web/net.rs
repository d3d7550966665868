//! Two transports and a network between them that loses, doubles and swaps packets, from a seed.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Instant;

use lyceum_media::Time;
use lyceum_media::web::{
    Certificate, Credentials, Epoch, Taken, WebEvent, WebRemote, WebSetup, WebTransmit, WebTransport,
};
use lyceum_sdp::{Candidate, Fingerprint, Ice};

pub const LEFT: &str = "192.0.2.1:4000";
pub const RIGHT: &str = "198.51.100.2:5000";

pub fn at(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// A certificate, made once for each name: keys are slow.
pub fn certificate(which: usize) -> Certificate {
    static MADE: [OnceLock<Certificate>; 3] = [OnceLock::new(), OnceLock::new(), OnceLock::new()];
    let make = || {
        let key = rcgen::KeyPair::generate().expect("a key");
        let parameters = rcgen::CertificateParams::new(vec!["test".to_owned()]).expect("a name");
        let signed = parameters.self_signed(&key).expect("a certificate");
        Certificate::new(signed.der().to_vec(), key.serialize_der()).expect("it can be used")
    };
    MADE[which].get_or_init(make).clone()
}

fn epoch() -> Epoch {
    static START: OnceLock<Instant> = OnceLock::new();
    Epoch::new(*START.get_or_init(Instant::now))
}

/// One end.
pub struct End {
    pub transport: WebTransport,
    pub address: SocketAddr,
    pub credentials: Credentials,
    pub certificate: Certificate,
    pub events: Vec<WebEvent>,
    /// Packets sent, by their first byte and target.
    pub sent: Vec<(u8, SocketAddr)>,
    pub heard: Vec<Vec<u8>>,
}

impl End {
    pub fn new(address: &str, which: usize) -> Self {
        let (address, certificate) = (at(address), certificate(which));
        let credentials = Credentials::new(&[which as u8 + 1; 24]);
        let transport = WebTransport::new(WebSetup {
            credentials: credentials.clone(),
            addresses: vec![address],
            certificate: certificate.clone(),
            seed: [which as u8 + 7; 32],
            epoch: epoch(),
        });
        Self { transport, address, credentials, certificate, events: vec![], sent: vec![], heard: vec![] }
    }

    pub fn ice(&self) -> Ice {
        let Credentials { ufrag, pwd } = self.credentials.clone();
        Ice { ufrag, pwd, candidates: vec![Candidate::host(1, self.address)] }
    }

    pub fn fingerprint(&self) -> Fingerprint {
        self.certificate.fingerprint().clone()
    }

    pub fn take(&mut self, now: Time, from: SocketAddr, bytes: &[u8]) -> Taken {
        let taken = self.transport.packet(now, from, self.address, bytes);
        if taken == Taken::Media {
            self.heard.push(bytes.to_vec());
        }
        taken
    }

    fn drain(&mut self) -> Vec<WebTransmit> {
        while let Some(event) = self.transport.poll_event() {
            self.events.push(event);
        }
        let out: Vec<WebTransmit> = std::iter::from_fn(|| self.transport.poll_transmit()).collect();
        self.sent.extend(out.iter().map(|it| (it.bytes[0], it.remote)));
        out
    }

    pub fn is_connected(&self) -> bool {
        self.transport.path().is_some()
    }
}

/// What the network does to packets.
#[derive(Clone, Copy)]
pub struct Weather {
    /// In a hundred.
    pub loss: u64,
    pub doubled: u64,
    pub swapped: u64,
}

pub const FAIR: Weather = Weather { loss: 0, doubled: 0, swapped: 0 };

pub struct Net {
    pub now: Time,
    pub ends: [End; 2],
    pub weather: Weather,
    chance: u64,
    flying: VecDeque<(Time, usize, SocketAddr, Vec<u8>)>,
}

impl Net {
    pub fn new(weather: Weather, seed: u64) -> Self {
        let ends = [End::new(LEFT, 0), End::new(RIGHT, 1)];
        Self { now: Time(1_000_000), ends, weather, chance: seed | 1, flying: VecDeque::new() }
    }

    /// What each end is told of the other: the first offered and waits, the second begins.
    pub fn remotes(&self) -> [WebRemote; 2] {
        let of = |end: &End, controlling: bool| WebRemote {
            ice: end.ice(),
            fingerprint: end.fingerprint(),
            we_begin: !controlling,
            controlling,
        };
        [of(&self.ends[1], true), of(&self.ends[0], false)]
    }

    pub fn agree(&mut self) {
        let [left, right] = self.remotes();
        self.ends[0].transport.agree(self.now, left);
        self.ends[1].transport.agree(self.now, right);
    }

    fn percent(&mut self) -> u64 {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        self.chance % 100
    }

    /// Lets `ms` pass, a millisecond at a time.
    pub fn run(&mut self, ms: u64) {
        for _ in 0..ms {
            self.now.0 += 1000;
            for at in 0..2 {
                if self.ends[at].transport.next_timeout().is_some_and(|due| due <= self.now) {
                    self.ends[at].transport.timeout(self.now);
                }
                for transmit in self.ends[at].drain() {
                    self.fly(1 - at, transmit);
                }
            }
            self.arrive();
        }
    }

    /// Runs until both are connected or the time is over.
    pub fn connect(&mut self, ms: u64) -> bool {
        for _ in 0..ms {
            if self.ends.iter().all(End::is_connected) {
                return true;
            }
            self.run(1);
        }
        false
    }

    fn fly(&mut self, to: usize, transmit: WebTransmit) {
        if transmit.remote != self.ends[to].address || self.percent() < self.weather.loss {
            return;
        }
        let copies = if self.percent() < self.weather.doubled { 2 } else { 1 };
        for _ in 0..copies {
            let late = if self.percent() < self.weather.swapped { 35_000 } else { 0 };
            self.flying.push_back((Time(self.now.0 + 10_000 + late), to, transmit.local, transmit.bytes.clone()));
        }
    }

    fn arrive(&mut self) {
        let (due, later): (Vec<_>, Vec<_>) = self.flying.drain(..).partition(|it| it.0 <= self.now);
        self.flying.extend(later);
        for (_, to, from, bytes) in due {
            self.ends[to].take(self.now, from, &bytes);
            for transmit in self.ends[to].drain() {
                self.fly(1 - to, transmit);
            }
        }
    }
}
