//! How other threads reach a worker: two bounded queues and a bell that is only rung when the worker sleeps.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::command::Command;
use crate::sys::EventFd;

/// The queues of one worker. `P` is what the engine's own posts are.
pub(crate) struct Mailbox<P> {
    posts: Mutex<Vec<P>>,
    commands: Mutex<Vec<Command>>,
    /// Entries in both queues. Written before `parked` is read; the worker does it the other way round, so one of the
    /// two always sees the other.
    waiting: AtomicUsize,
    parked: AtomicBool,
    closed: AtomicBool,
    bell: EventFd,
    posts_max: usize,
    commands_max: usize,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A queue of plain values is whole even if a panicking thread held it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<P> Mailbox<P> {
    pub(crate) fn new(posts_max: usize, commands_max: usize) -> std::io::Result<Mailbox<P>> {
        Ok(Mailbox {
            posts: Mutex::new(Vec::new()),
            commands: Mutex::new(Vec::new()),
            waiting: AtomicUsize::new(0),
            parked: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            bell: EventFd::new()?,
            posts_max,
            commands_max,
        })
    }

    fn push<T>(&self, queue: &Mutex<Vec<T>>, max: usize, item: T) -> Result<(), T> {
        {
            let mut queue = locked(queue);
            if queue.len() >= max || self.closed.load(SeqCst) {
                return Err(item);
            }
            queue.push(item);
        }
        self.waiting.fetch_add(1, SeqCst);
        if self.parked.swap(false, SeqCst) {
            self.bell.ring();
        }
        Ok(())
    }

    /// Hands a post over; gives it back when the queue is full or the worker has ended.
    pub(crate) fn post(&self, post: P) -> Result<(), P> {
        self.push(&self.posts, self.posts_max, post)
    }

    /// As [`post`](Mailbox::post), for the driver's own messages.
    pub(crate) fn command(&self, command: Command) -> Result<(), Command> {
        self.push(&self.commands, self.commands_max, command)
    }

    /// A command that must not be lost (end of a flow, stop): bounded by what exists to end, not by the queue.
    pub(crate) fn command_always(&self, command: Command) {
        let _ = self.push(&self.commands, usize::MAX, command);
    }

    /// Says that the worker is going to wait; false when there is something to do instead.
    pub(crate) fn park(&self) -> bool {
        self.parked.store(true, SeqCst);
        let idle = self.waiting.load(SeqCst) == 0;
        if !idle {
            self.parked.store(false, SeqCst);
        }
        idle
    }

    /// The worker is awake and will look into the queues by itself.
    pub(crate) fn unpark(&self) {
        self.parked.store(false, SeqCst);
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(SeqCst)
    }

    /// Moves all posts into `into`, which must be empty: the two buffers change places.
    pub(crate) fn take_posts(&self, into: &mut Vec<P>) {
        if self.waiting() > 0 {
            std::mem::swap(&mut *locked(&self.posts), into);
            self.waiting.fetch_sub(into.len(), SeqCst);
        }
    }

    /// As [`take_posts`](Mailbox::take_posts) for commands.
    pub(crate) fn take_commands(&self, into: &mut Vec<Command>) {
        if self.waiting() > 0 {
            std::mem::swap(&mut *locked(&self.commands), into);
            self.waiting.fetch_sub(into.len(), SeqCst);
        }
    }

    /// The worker ends: nothing is taken any more, what waits is dropped.
    pub(crate) fn close(&self) {
        self.closed.store(true, SeqCst);
        locked(&self.posts).clear();
        locked(&self.commands).clear();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(SeqCst)
    }

    pub(crate) fn bell(&self) -> &EventFd {
        &self.bell
    }
}
