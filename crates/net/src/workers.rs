//! Building, starting, reaching and ending the workers.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::bind::{Bound, bind_all};
use crate::command::{Command, Peer};
use crate::counters::{Counters, Totals};
use crate::error::NetError;
use crate::io::Io;
use crate::mailbox::Mailbox;
use crate::worker::Worker;
use crate::{Clock, Coalesce, Engine, Listener, Options};

impl Options {
    /// Opens every port. Nothing is read before [`Workers::start`].
    pub fn build<P: Send + 'static>(self) -> Result<Workers<P>, NetError> {
        if self.workers == 0 {
            return Err(NetError::Options { what: "0 workers can serve nobody; ask for 1 or more".into() });
        }
        let bound = bind_all(&self)?;
        let listeners: Vec<Arc<Listener>> = bound.iter().map(|b| b.listener.clone()).collect();
        let mut desks = Vec::new();
        for _ in 0..self.workers {
            let mailbox = Mailbox::new(self.bounds.posts, self.bounds.commands)
                .map_err(NetError::system("creating an eventfd"))?;
            desks.push(Desk { mailbox: Arc::new(mailbox), counters: Arc::default() });
        }
        let ios = serve(&self, bound, &desks)?;
        let handle = Handle { shared: Arc::new(Shared { desks, listeners, clock: self.clock }) };
        Ok(Workers { ios, handle, coalesce: self.coalesce })
    }
}

/// Gives every worker its sockets.
fn serve<P: Send + 'static>(options: &Options, bound: Vec<Bound>, desks: &[Desk<P>]) -> Result<Vec<Io>, NetError> {
    let mut ios = Vec::new();
    for (i, desk) in desks.iter().enumerate() {
        let mut io = Io::new(i as u8, options.clock, desk.mailbox.bell(), desk.counters.clone())?;
        io.connect_peers(desks.iter().map(|d| d.mailbox.clone() as Arc<dyn Peer>).collect());
        ios.push(io);
    }
    for Bound { listener, ports } in bound {
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
}

struct Shared<P> {
    desks: Vec<Desk<P>>,
    listeners: Vec<Arc<Listener>>,
    clock: Clock,
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

    /// What all workers counted so far.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for desk in &self.shared.desks {
            totals.add(&desk.counters);
        }
        totals
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
}
