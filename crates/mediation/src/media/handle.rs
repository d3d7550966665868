//! Starting, telling and stopping; sockets are opened here, on the caller's thread.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use lyceum_media::bridge::Side;
use lyceum_media::web::{CREDENTIAL_BYTES, Certificate, Credentials, Epoch, WebSetup};
use lyceum_net::driver::EventFd;
use lyceum_sdp::{Candidate, Ice};

use super::chance;
use super::options::{ADDRESSES_MAX, MediaOptions};
use super::order::{Agreement, LegKind, Local, LocalWeb, Media, MediaError, MediaEvent, Open, Opened, StreamId};
use super::orders::{NotTaken, Orders};
use super::ports::{ATTEMPTS, NoSocket, Ports, bind};
use super::worker::Worker;

/// Hears events, on the threads that move media: it must not wait for anything, and says whether it took the event.
pub(super) type Ear = Arc<dyn Fn(MediaEvent) -> bool + Send + Sync>;

/// What a thread is told.
pub(super) enum Order {
    Open(Box<Opening>),
    Agree(StreamId, Side, Box<Agreement>),
    Restart(StreamId, Side, Credentials),
    Press(StreamId, Side, char),
    Close(StreamId),
}

/// A stream with its sockets.
pub(super) struct Opening {
    pub id: StreamId,
    pub legs: [OpeningLeg; 2],
}

/// A leg with its sockets.
pub(super) enum OpeningLeg {
    /// RTP and RTCP.
    Rtp([UdpSocket; 2]),
    /// One for each address.
    Web(Vec<UdpSocket>, Box<WebSetup>),
}

/// What is known of streams on every thread.
pub(super) struct Shared {
    options: MediaOptions,
    certificate: Certificate,
    pub epoch: Epoch,
    pub start: Instant,
    table: Mutex<Table>,
    lanes: Vec<Lane>,
}

struct Lane {
    orders: Arc<Orders>,
    bell: Arc<EventFd>,
}

struct Table {
    ports: Vec<Ports>,
    streams: HashMap<StreamId, Known>,
    next: u64,
}

/// What the caller's side knows of a stream.
#[derive(Default)]
struct Known {
    /// Index of the address, and port.
    ports: Vec<(usize, u16)>,
    /// Candidates of web legs.
    candidates: [Option<Vec<Candidate>>; 2],
    /// Its end was ordered.
    closing: bool,
}

/// Speaks to running media; one for each thread of signalling.
#[derive(Clone)]
pub struct MediaHandle {
    shared: Arc<Shared>,
}

impl fmt::Debug for MediaHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaHandle").field("streams", &self.streams()).finish_non_exhaustive()
    }
}

/// Running media.
#[derive(Debug)]
pub struct Running {
    handle: MediaHandle,
    threads: Vec<JoinHandle<()>>,
}

impl MediaOptions {
    /// Starts the threads. `events` is called on them, must not wait for anything, and says whether it took the event: the
    /// end of a stream is told again until it is taken.
    pub fn start(self, events: Box<dyn Fn(MediaEvent) -> bool + Send + Sync>) -> io::Result<Running> {
        let wrong = |what: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, what.to_owned()));
        if self.addresses.is_empty() || self.addresses.len() > ADDRESSES_MAX {
            return wrong("media needs one to four addresses of this host: one for each family is usual");
        }
        if self.addresses.iter().any(|address| address.bind.is_unspecified()) {
            return wrong("media needs the address of an interface: a browser cannot be told 0.0.0.0 or ::");
        }
        let (lanes, rest): (Vec<Lane>, Vec<_>) =
            (0..self.threads.max(1)).map(|_| lane()).collect::<io::Result<Vec<_>>>()?.into_iter().unzip();
        let start = Instant::now();
        let table =
            Table { ports: self.addresses.iter().map(|_| Ports::new()).collect(), streams: HashMap::new(), next: 0 };
        let shared = Arc::new(Shared {
            certificate: certificate()?,
            epoch: Epoch::new(start),
            start,
            table: Mutex::new(table),
            lanes,
            options: self,
        });
        let ear: Ear = Arc::from(events);
        let mut threads = Vec::new();
        for (orders, bell) in rest {
            let worker = Worker::new(Arc::clone(&shared), Arc::clone(&ear), (orders, bell))?;
            let thread = std::thread::Builder::new().name("media".into()).spawn(move || worker.run())?;
            threads.push(thread);
        }
        Ok(Running { handle: MediaHandle { shared }, threads })
    }
}

type Ends = (Lane, (Arc<Orders>, Arc<EventFd>));

fn lane() -> io::Result<Ends> {
    let (orders, bell) = (Arc::new(Orders::default()), Arc::new(EventFd::new()?));
    Ok((Lane { orders: Arc::clone(&orders), bell: Arc::clone(&bell) }, (orders, bell)))
}

fn certificate() -> io::Result<Certificate> {
    let key = rcgen::KeyPair::generate().map_err(io::Error::other)?;
    let parameters = rcgen::CertificateParams::new(vec!["lyceum".to_owned()]).map_err(io::Error::other)?;
    let signed = parameters.self_signed(&key).map_err(io::Error::other)?;
    Certificate::new(signed.der().to_vec(), key.serialize_der()).map_err(io::Error::other)
}

impl Shared {
    pub fn options(&self) -> &MediaOptions {
        &self.options
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A stream's sockets are closed: its ports are free again.
    pub fn released(&self, id: StreamId) {
        let mut table = self.table();
        let Some(known) = table.streams.remove(&id) else { return };
        for (address, port) in known.ports {
            table.ports[address].release(port);
        }
    }

    fn tell(&self, id: StreamId, order: Order) -> Result<(), MediaError> {
        let lane = &self.lanes[(id.0 % self.lanes.len() as u64) as usize];
        let told = lane.orders.give(order).map_err(|why| match why {
            NotTaken::Full => MediaError::Busy,
            NotTaken::Ended => MediaError::Socket(io::Error::new(io::ErrorKind::BrokenPipe, "media was stopped")),
        });
        lane.bell.ring();
        told
    }

    /// Takes the stream's place first, then its ports one leg after another: sockets are bound while nothing is locked.
    fn opening(&self, open: Open) -> Result<(Opened, Opening), MediaError> {
        let id = {
            let mut table = self.table();
            if table.streams.len() >= self.options.streams_max {
                return Err(MediaError::Full(self.options.streams_max));
            }
            let id = StreamId(table.next);
            table.next += 1;
            table.streams.insert(id, Known::default());
            id
        };
        let mut known = Known::default();
        let one = self.leg(&mut known, 0, open);
        let both = one.and_then(|one| Ok((one, self.leg(&mut known, 1, open)?)));
        self.table().streams.insert(id, known);
        match both {
            Ok(((first, a), (second, b))) => Ok((Opened { id, legs: [first, second] }, Opening { id, legs: [a, b] })),
            Err(error) => {
                self.released(id);
                Err(match error {
                    NoSocket::Full => MediaError::NoPort(open.modality),
                    NoSocket::System(error) => MediaError::Socket(error),
                })
            }
        }
    }

    /// Binds so many ports of an address. Those that others of this host have stay taken until the search is over.
    fn bound<const N: usize>(&self, at: usize, open: Open, known: &mut Known) -> Result<[UdpSocket; N], NoSocket> {
        let range = self.options.ports.of(open.modality).ok_or(NoSocket::Full)?;
        let mark = self.options.marks.of(open.modality);
        let (address, start) = (self.options.addresses[at].bind, u32::from_be_bytes(chance::bytes()?));
        let mut foreign = Vec::new();
        let found = loop {
            let Some(first) = self.table().ports[at].take(range, N, start) else { break Err(NoSocket::Full) };
            match bind(address, first, mark) {
                Ok(sockets) => {
                    known.ports.extend((0..N).map(|place| (at, first + place as u16)));
                    break Ok(sockets);
                }
                Err(error) => {
                    foreign.extend((0..N).map(|place| first + place as u16));
                    if error.kind() != io::ErrorKind::AddrInUse || foreign.len() > ATTEMPTS * N {
                        break Err(NoSocket::System(error));
                    }
                }
            }
        };
        let mut table = self.table();
        foreign.into_iter().for_each(|port| table.ports[at].release(port));
        found
    }

    fn leg(&self, known: &mut Known, at: usize, open: Open) -> Result<(Local, OpeningLeg), NoSocket> {
        let seen = |address: usize, port| SocketAddr::new(self.options.addresses[address].advertised, port);
        if open.legs[at] == LegKind::Rtp {
            let sockets: [UdpSocket; 2] = self.bound(0, open, known)?;
            let port = sockets[0].local_addr()?.port();
            let local = Local { rtp: seen(0, port), rtcp: Some(seen(0, port + 1)), web: None };
            return Ok((local, OpeningLeg::Rtp(sockets)));
        }
        let (mut sockets, mut addresses, mut candidates) = (Vec::new(), Vec::new(), Vec::new());
        for index in 0..self.options.addresses.len() {
            let [socket] = self.bound(index, open, known)?;
            let own = socket.local_addr()?;
            candidates.push(seen(index, own.port()));
            if own.ip() != candidates[candidates.len() - 1].ip() {
                candidates.push(own);
            }
            addresses.push(own);
            sockets.push(socket);
        }
        let rtp = candidates[0];
        let candidates: Vec<Candidate> = candidates.into_iter().enumerate().map(candidate).collect();
        known.candidates[at] = Some(candidates.clone());
        let credentials = credentials()?;
        let web = Some(self.local_web(&credentials, candidates));
        let setup = WebSetup {
            credentials,
            addresses,
            certificate: self.certificate.clone(),
            seed: chance::bytes()?,
            epoch: self.epoch,
        };
        Ok((Local { rtp, rtcp: None, web }, OpeningLeg::Web(sockets, Box::new(setup))))
    }

    fn local_web(&self, credentials: &Credentials, candidates: Vec<Candidate>) -> LocalWeb {
        let Credentials { ufrag, pwd } = credentials.clone();
        LocalWeb { ice: Ice { ufrag, pwd, candidates }, fingerprint: self.certificate.fingerprint().clone() }
    }
}

fn credentials() -> io::Result<Credentials> {
    Ok(Credentials::new(&chance::bytes::<CREDENTIAL_BYTES>()?))
}

/// A host candidate; the earlier it stands the sooner it is tried.
fn candidate((place, address): (usize, SocketAddr)) -> Candidate {
    let mut candidate = Candidate::host(1, address);
    candidate.foundation = (place + 1).to_string();
    candidate.priority -= (place as u32) << 8;
    candidate
}

impl MediaHandle {
    /// Streams that are open.
    #[must_use]
    pub fn streams(&self) -> usize {
        self.shared.table().streams.len()
    }
}

impl Media for MediaHandle {
    fn open(&mut self, open: Open) -> Result<Opened, MediaError> {
        let (opened, opening) = self.shared.opening(open)?;
        match self.shared.tell(opened.id, Order::Open(Box::new(opening))) {
            Ok(()) => Ok(opened),
            Err(error) => {
                self.shared.released(opened.id);
                Err(error)
            }
        }
    }

    fn agree(&mut self, stream: StreamId, side: Side, agreement: Agreement) -> Result<(), MediaError> {
        self.shared.tell(stream, Order::Agree(stream, side, Box::new(agreement)))
    }

    fn restart_ice(&mut self, stream: StreamId, side: Side) -> Option<LocalWeb> {
        let candidates = self.shared.table().streams.get(&stream)?.candidates[side as usize].clone()?;
        let credentials = credentials().ok()?;
        let web = self.shared.local_web(&credentials, candidates);
        self.shared.tell(stream, Order::Restart(stream, side, credentials)).ok()?;
        Some(web)
    }

    fn press(&mut self, stream: StreamId, side: Side, key: char) {
        // A key that comes to a thread which is behind is lost, as it would be with a packet.
        let _ = self.shared.tell(stream, Order::Press(stream, side, key));
    }

    fn close(&mut self, stream: StreamId) {
        let is_first = |known: &mut Known| !std::mem::replace(&mut known.closing, true);
        if self.shared.table().streams.get_mut(&stream).is_some_and(is_first) {
            // It is refused only when media was stopped, and every stream with it.
            let _ = self.shared.tell(stream, Order::Close(stream));
        }
    }
}

impl Running {
    /// Speaks to it.
    #[must_use]
    pub fn handle(&self) -> MediaHandle {
        self.handle.clone()
    }

    /// Closes every stream; returns when the last port is closed and the last [`MediaEvent::Closed`] is told.
    pub fn stop(self) {
        for lane in &self.handle.shared.lanes {
            lane.orders.end();
            lane.bell.ring();
        }
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a thread of media had ended by a fault");
            }
        }
    }
}
