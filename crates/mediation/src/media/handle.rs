//! Starting, telling and stopping; sockets are opened here, on the caller's thread.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
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
use super::ports::{NoSocket, Ports};
use super::worker::Worker;

/// Orders that wait for one thread; who gives one more waits with it.
const ORDERS: usize = 1024;

/// Hears events, on the threads that move media: it must not wait for anything.
pub(super) type Ear = Arc<dyn Fn(MediaEvent) + Send + Sync>;

/// What a thread is told.
pub(super) enum Order {
    Open(Box<Opening>),
    Agree(StreamId, Side, Box<Agreement>),
    Restart(StreamId, Side, Credentials),
    Press(StreamId, Side, char),
    Close(StreamId),
    Stop,
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
    orders: SyncSender<Order>,
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
    /// Starts the threads. `events` is called on them and must not wait for anything.
    pub fn start(self, events: Box<dyn Fn(MediaEvent) + Send + Sync>) -> io::Result<Running> {
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
        let table = Table {
            ports: self.addresses.iter().map(|address| Ports::new(address.bind)).collect(),
            streams: HashMap::new(),
            next: 0,
        };
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

type Ends = (Lane, (Receiver<Order>, Arc<EventFd>));

fn lane() -> io::Result<Ends> {
    let (orders, taken) = sync_channel(ORDERS);
    let bell = Arc::new(EventFd::new()?);
    Ok((Lane { orders, bell: Arc::clone(&bell) }, (taken, bell)))
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

    fn tell(&self, id: StreamId, order: Order) -> bool {
        let lane = &self.lanes[(id.0 % self.lanes.len() as u64) as usize];
        let told = lane.orders.send(order).is_ok();
        lane.bell.ring();
        told
    }

    fn opening(&self, open: Open) -> Result<(Opened, Opening), MediaError> {
        let mut table = self.table();
        if table.streams.len() >= self.options.streams_max {
            return Err(MediaError::Full(self.options.streams_max));
        }
        let mut known = Known::default();
        let one = self.leg(&mut table, &mut known, 0, open);
        let both = one.and_then(|one| Ok((one, self.leg(&mut table, &mut known, 1, open)?)));
        match both {
            Ok(((first, a), (second, b))) => {
                let id = StreamId(table.next);
                table.next += 1;
                table.streams.insert(id, known);
                let opening = Opening { id, legs: [a, b] };
                Ok((Opened { id, legs: [first, second] }, opening))
            }
            Err(error) => {
                for (address, port) in known.ports {
                    table.ports[address].release(port);
                }
                Err(match error {
                    NoSocket::Full => MediaError::NoPort(open.modality),
                    NoSocket::System(error) => MediaError::Socket(error),
                })
            }
        }
    }

    fn leg(
        &self,
        table: &mut Table,
        known: &mut Known,
        at: usize,
        open: Open,
    ) -> Result<(Local, OpeningLeg), NoSocket> {
        let range = self.options.ports.of(open.modality).ok_or(NoSocket::Full)?;
        let mark = self.options.marks.of(open.modality);
        let seen = |address: usize, port| SocketAddr::new(self.options.addresses[address].advertised, port);
        if open.legs[at] == LegKind::Rtp {
            let sockets = table.ports[0].pair(range, mark)?;
            let port = sockets[0].local_addr()?.port();
            known.ports.extend([(0, port), (0, port + 1)]);
            let local = Local { rtp: seen(0, port), rtcp: Some(seen(0, port + 1)), web: None };
            return Ok((local, OpeningLeg::Rtp(sockets)));
        }
        let (mut sockets, mut addresses, mut candidates) = (Vec::new(), Vec::new(), Vec::new());
        for (index, ports) in table.ports.iter_mut().enumerate() {
            let socket = ports.single(range, mark)?;
            let own = socket.local_addr()?;
            known.ports.push((index, own.port()));
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
        if !self.shared.tell(opened.id, Order::Open(Box::new(opening))) {
            self.shared.released(opened.id);
            let gone = io::Error::new(io::ErrorKind::BrokenPipe, "media was stopped");
            return Err(MediaError::Socket(gone));
        }
        Ok(opened)
    }

    fn agree(&mut self, stream: StreamId, side: Side, agreement: Agreement) {
        self.shared.tell(stream, Order::Agree(stream, side, Box::new(agreement)));
    }

    fn restart_ice(&mut self, stream: StreamId, side: Side) -> Option<LocalWeb> {
        let candidates = self.shared.table().streams.get(&stream)?.candidates[side as usize].clone()?;
        let credentials = credentials().ok()?;
        let web = self.shared.local_web(&credentials, candidates);
        self.shared.tell(stream, Order::Restart(stream, side, credentials)).then_some(web)
    }

    fn press(&mut self, stream: StreamId, side: Side, key: char) {
        self.shared.tell(stream, Order::Press(stream, side, key));
    }

    fn close(&mut self, stream: StreamId) {
        self.shared.tell(stream, Order::Close(stream));
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
            // A thread that has ended already needs no word.
            let _ = lane.orders.send(Order::Stop);
            lane.bell.ring();
        }
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a thread of media had ended by a fault");
            }
        }
    }
}
