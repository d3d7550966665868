//! The loop of one thread. Nothing waits for a timer: what came in has gone out before the next wait.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use lyceum_media::Time;
use lyceum_media::bridge::Side;
use lyceum_net::driver::{DatagramReader, Epoll, EventFd, Events, Interest};

use super::handle::{Ear, Opening, Order, Shared};
use super::order::{MediaEvent, StreamId};
use super::orders::Orders;
use super::stream::Stream;

/// Packets read from one socket before the next has its turn; the rest is read before the next wait.
const PER_SOCKET: usize = 8;
/// Ends of streams that nobody took yet; further ones are lost, and the log says so.
const UNTOLD: usize = 65_536;
/// How soon they are told again.
const UNTOLD_EVERY: Duration = Duration::from_millis(50);
/// The word that epoll keeps for the bell.
const BELL: u64 = u64::MAX;

/// A stream and when it has something to do.
struct Slot {
    stream: Stream,
    due: Option<Time>,
}

/// Everything that the thread owns but its buffers, which cannot change threads.
pub(super) struct Worker {
    shared: Arc<Shared>,
    ear: Ear,
    orders: Arc<Orders>,
    _bell: Arc<EventFd>,
    epoll: Epoll,
    slots: Vec<Option<Slot>>,
    free: Vec<usize>,
    places: HashMap<StreamId, usize>,
    /// Entries of streams that have moved their time since are left in and passed over.
    alarms: BinaryHeap<Reverse<(Time, usize)>>,
    /// Ends of streams that were not taken.
    untold: VecDeque<MediaEvent>,
}

fn token(slot: usize, side: Side, at: usize) -> u64 {
    (slot as u64) << 4 | (side as u64) << 3 | at as u64
}

fn of_token(token: u64) -> (usize, Side, usize) {
    let side = if token >> 3 & 1 == 0 { Side::A } else { Side::B };
    ((token >> 4) as usize, side, (token & 7) as usize)
}

impl Worker {
    pub fn new(shared: Arc<Shared>, ear: Ear, (orders, bell): (Arc<Orders>, Arc<EventFd>)) -> io::Result<Self> {
        let epoll = Epoll::new()?;
        epoll.add(bell.as_fd(), BELL, Interest::Edge)?;
        Ok(Self {
            shared,
            ear,
            orders,
            _bell: bell,
            epoll,
            slots: Vec::new(),
            free: Vec::new(),
            places: HashMap::new(),
            alarms: BinaryHeap::new(),
            untold: VecDeque::new(),
        })
    }

    fn now(&self) -> Time {
        Time(u64::try_from(self.shared.start.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    pub fn run(mut self) {
        let (mut reader, mut events) = (DatagramReader::new(), Events::new());
        // Sockets that had more than was read: they are reported once only.
        let (mut unread, mut again) = (Vec::new(), Vec::new());
        loop {
            let timeout = if unread.is_empty() { self.timeout() } else { Some(Duration::ZERO) };
            if let Err(error) = events.wait(&self.epoll, timeout) {
                tracing::error!(%error, "media cannot wait for its ports any more");
                break;
            }
            let now = self.now();
            // First: what comes after an order finds it done.
            if self.ordered_to_stop(now) {
                break;
            }
            std::mem::swap(&mut unread, &mut again);
            let ready = (0..events.count()).map(|at| events.ready(at).token).filter(|word| *word != BELL);
            for word in again.drain(..).chain(ready) {
                if self.read(now, of_token(word), &mut reader) {
                    unread.push(word);
                }
            }
            self.ring_alarms(now);
            self.tell_again();
        }
        self.orders.end();
        let now = self.now();
        for slot in 0..self.slots.len() {
            self.close(now, slot);
        }
        self.tell_again();
    }

    /// A stream is over; who hears of it may have no room now.
    fn told_over(&mut self, closed: MediaEvent) {
        if !self.untold.is_empty() || !(self.ear)(closed.clone()) {
            match self.untold.len() < UNTOLD {
                true => self.untold.push_back(closed),
                false => tracing::error!("the end of a stream is not told: {UNTOLD} wait to be heard"),
            }
        }
    }

    fn tell_again(&mut self) {
        while let Some(closed) = self.untold.front() {
            if !(self.ear)(closed.clone()) {
                return;
            }
            self.untold.pop_front();
        }
    }

    fn timeout(&self) -> Option<Duration> {
        let due = self.alarms.peek().map(|Reverse((due, _))| due.since(self.now()));
        let again = (!self.untold.is_empty()).then_some(UNTOLD_EVERY);
        due.into_iter().chain(again).min()
    }

    /// Reads a socket once; true when there may be more.
    fn read(&mut self, now: Time, (slot, side, at): (usize, Side, usize), reader: &mut DatagramReader) -> bool {
        let Some(Some(Slot { stream, .. })) = self.slots.get_mut(slot) else { return false };
        let Some(socket) = stream.socket(side, at) else { return false };
        // An error here is that of an earlier packet which the peer's host refused.
        let count = reader.gather(socket.as_fd(), 0, PER_SOCKET).unwrap_or(0);
        let mut sooner = false;
        for number in 0..count {
            let Some((from, buffer, range)) = reader.buffer(number) else { continue };
            let len = range.len();
            sooner |= stream.packet(now, (side, at), from, &mut buffer[range.start..], len);
        }
        if sooner {
            self.reckon(slot);
        }
        count == PER_SOCKET
    }

    /// Notes when a stream has something to do, if that is sooner than was known.
    fn reckon(&mut self, slot: usize) {
        let Some(Some(Slot { stream, due })) = self.slots.get_mut(slot) else { return };
        let Some(next) = stream.next_timeout() else { return };
        if due.is_none_or(|due| next < due) {
            *due = Some(next);
            self.alarms.push(Reverse((next, slot)));
        }
    }

    fn ring_alarms(&mut self, now: Time) {
        while let Some(Reverse((at, slot))) = self.alarms.peek().copied().filter(|Reverse((at, _))| *at <= now) {
            self.alarms.pop();
            let Some(Some(Slot { stream, due })) = self.slots.get_mut(slot) else { continue };
            if *due == Some(at) {
                *due = None;
                stream.timeout(now);
                self.reckon(slot);
            }
        }
    }

    fn ordered_to_stop(&mut self, now: Time) -> bool {
        let (orders, ended) = self.orders.take();
        for order in orders {
            self.order(now, order);
        }
        ended
    }

    fn order(&mut self, now: Time, order: Order) {
        let id = match &order {
            Order::Open(opening) => opening.id,
            Order::Agree(id, ..) | Order::Restart(id, ..) | Order::Press(id, ..) | Order::Close(id) => *id,
        };
        if let Order::Open(opening) = order {
            return self.open(now, *opening);
        }
        let Some(&slot) = self.places.get(&id) else { return };
        let Some(Some(Slot { stream, .. })) = self.slots.get_mut(slot) else { return };
        match order {
            Order::Agree(_, side, agreement) => stream.agree(now, side, *agreement),
            Order::Restart(_, side, credentials) => stream.restart_ice(side, credentials),
            Order::Press(_, side, key) => stream.press(side, key),
            Order::Close(_) => return self.close(now, slot),
            Order::Open(_) => {}
        }
        self.reckon(slot);
    }

    fn open(&mut self, now: Time, opening: Opening) {
        let id = opening.id;
        let slot = self.free.pop().unwrap_or(self.slots.len());
        let watched = Stream::new(now, opening, self.shared.options(), Arc::clone(&self.ear)).and_then(|stream| {
            for (side, at, socket) in stream.sockets() {
                self.epoll.add(socket.as_fd(), token(slot, side, at), Interest::Edge)?;
            }
            Ok(stream)
        });
        if slot == self.slots.len() {
            self.slots.push(None);
        }
        match watched {
            Ok(stream) => {
                self.slots[slot] = Some(Slot { stream, due: None });
                self.places.insert(id, slot);
                self.reckon(slot);
            }
            Err(error) => {
                tracing::error!(%error, "the ports of a stream cannot be watched");
                self.free.push(slot);
                self.shared.released(id);
                self.told_over(MediaEvent::Closed(id, Box::default()));
            }
        }
    }

    fn close(&mut self, now: Time, slot: usize) {
        let Some(Slot { stream, .. }) = self.slots.get_mut(slot).and_then(Option::take) else { return };
        let id = stream.id;
        for (_, _, socket) in stream.sockets() {
            // A closed descriptor leaves the wait by itself; this is for copies that a child might hold.
            let _ = self.epoll.remove(socket.as_fd());
        }
        let closed = stream.close(now);
        self.places.remove(&id);
        self.free.push(slot);
        self.shared.released(id);
        self.told_over(closed);
    }
}
