//! Building, starting, reaching and ending the workers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

use lyceum_sip::Transport;
use tokio::sync::{Semaphore, mpsc};

use crate::bind::{Bound, bind_all};
use crate::command::{Command, Peer};
use crate::counters::{Counters, Totals};
use crate::error::NetError;
use crate::foreign::{ForeignFlow, ForeignInput, ForeignOutput};
use crate::gate::{Gate, Refused};
use crate::io::Io;
use crate::mailbox::Mailbox;
use crate::streams::ForeignOpen;
use crate::sys;
use crate::worker::Worker;
use crate::{Clock, Coalesce, Engine, Listener, ListenerId, Options, PeerIdentity, Tls};

/// Pause between two tries of a post that waits for room.
const ROOM_PAUSE: Duration = Duration::from_micros(200);

impl Options {
    /// Opens every port. Nothing is read before [`Workers::start`].
    pub fn build<P: Send + 'static>(self) -> Result<Workers<P>, NetError> {
        if self.workers == 0 {
            return Err(NetError::Options { what: "0 workers can serve nobody; ask for 1 or more".into() });
        }
        let files = sys::raise_file_limit();
        tracing::debug!(files, "limit of open files");
        let bound = bind_all(&self)?;
        let listeners: Vec<Arc<Listener>> = bound.iter().map(|b| b.listener.clone()).collect();
        let mut desks = Vec::new();
        for _ in 0..self.workers {
            let mailbox = Mailbox::new(self.bounds.posts, self.bounds.commands)
                .map_err(NetError::system("creating an eventfd"))?;
            let room = Arc::new(Semaphore::new(self.bounds.foreign_in));
            desks.push(Desk { mailbox: Arc::new(mailbox), counters: Arc::default(), room });
        }
        for (listener, wanted) in listeners.iter().zip(&self.listeners) {
            let tls = wanted.tls.as_ref().or(self.tls.as_ref());
            if listener.transport == Transport::Tls && !wanted.dials_only && !tls.is_some_and(Tls::can_serve) {
                return Err(NetError::NoCertificate { addr: listener.addr });
            }
        }
        let gate = Gate::new(&self.bounds);
        let ios = serve(&self, bound, &desks, &gate)?;
        let handle = Handle {
            shared: Arc::new(Shared {
                desks,
                listeners,
                clock: self.clock,
                gate,
                foreign_out: self.bounds.foreign_out,
                next_foreign: AtomicU64::new(0),
                next_listener: AtomicU16::new(ListenerId::FIRST_FOREIGN.0),
            }),
        };
        Ok(Workers { ios, handle, coalesce: self.coalesce })
    }
}

/// Gives every worker its sockets.
fn serve<P: Send + 'static>(
    options: &Options,
    bound: Vec<Bound>,
    desks: &[Desk<P>],
    gate: &Arc<Gate>,
) -> Result<Vec<Io>, NetError> {
    let mut ios = Vec::new();
    for (i, desk) in desks.iter().enumerate() {
        let mut io = Io::new(i as u8, options, desk.mailbox.bell(), gate.clone(), desk.counters.clone())?;
        io.connect_peers(desks.iter().map(|d| d.mailbox.clone() as Arc<dyn Peer>).collect());
        ios.push(io);
    }
    for Bound { listener, ports } in bound {
        let dials_only = ports.is_empty();
        ios.iter_mut().filter(|_| dials_only).for_each(|io| io.know(listener.clone()));
        for (io, port) in ios.iter_mut().zip(ports) {
            io.serve(listener.clone(), port)?;
        }
    }
    Ok(ios)
}

/// What others know of one worker.
struct Desk<P> {
    mailbox: Arc<Mailbox<P>>,
    counters: Arc<Counters>,
    /// Bytes that foreign flows may have on their way to this worker.
    room: Arc<Semaphore>,
}

struct Shared<P> {
    desks: Vec<Desk<P>>,
    listeners: Vec<Arc<Listener>>,
    clock: Clock,
    gate: Arc<Gate>,
    foreign_out: usize,
    next_foreign: AtomicU64,
    next_listener: AtomicU16,
}

/// Workers with open ports that do not run yet.
pub struct Workers<P> {
    ios: Vec<Io>,
    handle: Handle<P>,
    coalesce: Coalesce,
}

impl<P: Send + 'static> Workers<P> {
    /// For engines and other services that need to reach the workers.
    pub fn handle(&self) -> Handle<P> {
        self.handle.clone()
    }

    /// Starts one thread per worker with the engine that `make` gives for its number.
    pub fn start<E>(self, mut make: impl FnMut(u8) -> E) -> Result<Running<E>, NetError>
    where
        E: Engine<Post = P> + Send + 'static,
    {
        let mut threads = Vec::new();
        for (i, io) in self.ios.into_iter().enumerate() {
            let mailbox = self.handle.shared.desks[i].mailbox.clone();
            let worker = Worker::new(make(i as u8), io, mailbox, self.coalesce);
            let thread = std::thread::Builder::new()
                .name(format!("worker-{i}"))
                .spawn(move || worker.run())
                .map_err(NetError::system("starting a worker's thread"))?;
            threads.push(thread);
        }
        Ok(Running { threads, handle: self.handle })
    }
}

/// Workers that run. Dropping this leaves them running; [`drain`](Running::drain) ends them.
pub struct Running<E: Engine> {
    threads: Vec<JoinHandle<E>>,
    handle: Handle<E::Post>,
}

impl<E: Engine> Running<E> {
    /// For whoever needs to reach the workers.
    pub fn handle(&self) -> Handle<E::Post> {
        self.handle.clone()
    }

    /// Stops accepting, lets the engines finish ([`Engine::is_drained`]) for at most `within`, closes all flows, ends
    /// the threads, and gives the engines back. Blocks.
    ///
    /// # Panics
    /// When a worker has panicked.
    pub fn drain(self, within: Duration) -> Vec<E> {
        for desk in &self.handle.shared.desks {
            desk.mailbox.command_always(Command::Drain { within });
        }
        self.threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    }
}

/// A cheap way to the workers.
pub struct Handle<P> {
    shared: Arc<Shared<P>>,
}

impl<P> Clone for Handle<P> {
    fn clone(&self) -> Handle<P> {
        Handle { shared: self.shared.clone() }
    }
}

impl<P> Handle<P> {
    /// How many workers there are.
    pub fn workers(&self) -> u8 {
        self.shared.desks.len() as u8
    }

    /// The way to one worker's engine.
    ///
    /// # Panics
    /// When there is no worker of this number.
    pub fn worker(&self, number: u8) -> WorkerHandle<P> {
        WorkerHandle { mailbox: self.shared.desks[usize::from(number)].mailbox.clone() }
    }

    /// The ports that are open, with their real addresses, in the order of the options.
    pub fn listeners(&self) -> &[Arc<Listener>] {
        &self.shared.listeners
    }

    /// The workers' clock.
    pub fn clock(&self) -> Clock {
        self.shared.clock
    }

    /// Says of a source whether it may hold more connections than others on inside listeners; asked once for each connection
    /// beyond the bound. The first word on it holds.
    pub fn know_sources(&self, known: impl Fn(std::net::IpAddr) -> bool + Send + Sync + 'static) {
        self.shared.gate.know(Box::new(known));
    }

    /// What all workers counted so far.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for desk in &self.shared.desks {
            totals.add(&desk.counters);
        }
        totals
    }
}

impl<P: Send + 'static> Handle<P> {
    /// Announces a port that another server (HTTPS) has opened and will hand flows over from; gives it a number.
    pub fn foreign_listener(
        &self,
        transport: Transport,
        addr: SocketAddr,
        advertised: Option<&str>,
        inside: bool,
    ) -> Arc<Listener> {
        let id = ListenerId(self.shared.next_listener.fetch_add(1, Relaxed));
        let advertised = advertised.map_or_else(|| addr.to_string().into(), Arc::from);
        Arc::new(Listener { id, transport, addr, advertised, inside, link: false })
    }

    /// Hands a flow over to a worker. `peer` is who the client proved to be by certificate, if it did.
    pub fn open_foreign(
        &self,
        listener: &Arc<Listener>,
        local: SocketAddr,
        remote: SocketAddr,
        peer: Option<PeerIdentity>,
    ) -> Result<ForeignFlow, Refused> {
        let permit = self.shared.gate.enter(listener, remote.ip())?;
        let key = self.shared.next_foreign.fetch_add(1, Relaxed);
        let desk = &self.shared.desks[(key % self.shared.desks.len() as u64) as usize];
        let (sink, messages) = mpsc::channel(self.shared.foreign_out);
        let output = sink.downgrade();
        let open = ForeignOpen { key, listener: listener.clone(), local, remote, peer, sink, permit };
        desk.mailbox.command(Command::OpenForeign(Box::new(open))).map_err(|_| Refused::Busy)?;
        let worker = desk.mailbox.clone() as Arc<dyn Peer>;
        let input = ForeignInput { key, remote, worker, room: desk.room.clone(), output };
        Ok(ForeignFlow { input, output: ForeignOutput { messages } })
    }
}

/// Hands posts to one worker's engine.
pub struct WorkerHandle<P> {
    mailbox: Arc<Mailbox<P>>,
}

impl<P> Clone for WorkerHandle<P> {
    fn clone(&self) -> WorkerHandle<P> {
        WorkerHandle { mailbox: self.mailbox.clone() }
    }
}

impl<P> WorkerHandle<P> {
    /// Hands over a post; gives it back when [`Bounds::posts`](crate::Bounds::posts) wait already or the worker ended.
    pub fn post(&self, post: P) -> Result<(), P> {
        self.mailbox.post(post)
    }

    /// Hands over a post that must not be lost: waits while the queue is full, as it is emptied within a turn of the worker;
    /// gives it back only when the worker ended. Blocks; never for a worker's own thread.
    pub fn post_when_room(&self, mut post: P) -> Result<(), P> {
        while let Err(back) = self.mailbox.post(post) {
            if self.mailbox.is_closed() {
                return Err(back);
            }
            post = back;
            std::thread::sleep(ROOM_PAUSE);
        }
        Ok(())
    }
}
