//! Around the core: what the executor does in the product, on the virtual network and store.

use std::net::SocketAddr;
use std::time::Duration;

use lyceum_front_end::core::{Core, Effect};
use lyceum_net::{Arrival, Destination, Flow, ListenerId, Load, Outbox};
use lyceum_sip::Transport;
use lyceum_sip::time::{Now, Time};

use super::World;
use crate::mangle;
use crate::organisation::{SERVER, listener};
use crate::plant::Fault;
use crate::queue::Event;
use crate::store::report_delay;
use crate::violation::Rule;

/// Messages that one input may lead to: three branches for each of a user's devices, and more.
const ANSWERS: usize = 64;
/// From here on the planted fault stops the timers.
const DEAD_FROM: Time = Time(200_000_000);

impl World {
    /// When the core wants to be called.
    pub(super) fn core_due(&self) -> Option<Time> {
        let dead = self.plant == Some(Fault::DeadTimer) && self.now >= DEAD_FROM;
        self.core.as_ref().filter(|_| !dead)?.next_timeout().map(|at| at.max(self.now))
    }

    pub(super) fn core_timeout(&mut self) {
        self.with_core(|core, now, out| core.timeout(now, out));
        if self.core.as_ref().and_then(Core::next_timeout).is_some_and(|at| at <= self.now) {
            self.violate(Rule::Bounded, "the core asks for a timeout that it has just had".to_owned());
        }
    }

    /// Calls the core, settles the turn, and carries out what follows.
    pub(super) fn with_core(&mut self, call: impl FnOnce(&mut Core, Now, &mut Outbox)) {
        let now = self.clock();
        let Some(mut core) = self.core.take() else { return };
        let mut out = std::mem::take(&mut self.outbox);
        call(&mut core, now, &mut out);
        core.settle(now, Load::default(), &mut out);
        while let Some(effect) = core.poll_effect() {
            if let Effect::Persist { seq, block } = effect {
                match self.store.submit(self.now, seq, block, &mut self.dice) {
                    Ok(done) => self.disk_busy(done),
                    Err(()) => core.handed_back(now, seq, &mut out),
                }
                if self.plant == Some(Fault::EarlyOk) {
                    core.committed(now, seq, &mut out);
                }
            }
        }
        self.core = Some(core);
        let sent: Vec<_> = out.sent().map(|sent| (sent.to.clone(), sent.ticket, sent.bytes.to_vec())).collect();
        out.clear();
        self.outbox = out;
        if sent.len() > ANSWERS {
            self.violate(Rule::Bounded, format!("one input led to {} messages", sent.len()));
        }
        for (to, ticket, bytes) in sent {
            self.emit(&to, ticket, bytes);
        }
    }

    fn disk_busy(&mut self, done: Option<Time>) {
        if let Some(at) = done {
            self.queue.push(at, Event::DiskDone { incarnation: self.incarnation });
        }
    }

    /// A message arrives at the server.
    pub(super) fn reach_server(&mut self, id: usize, from: SocketAddr, connection: Option<usize>, bytes: &[u8]) {
        let standing = connection.is_none_or(|connection| self.network.connections[connection].open);
        if self.core.is_none() || !standing {
            return;
        }
        self.counts.messages += 1;
        self.log.message(self.now, format_args!("server got d{id}"), bytes);
        let mangled = (self.plant == Some(Fault::RepeatIsNew)).then(|| mangle::repeated(bytes, &mut self.reached));
        let bytes = mangled.as_deref().unwrap_or(bytes);
        let (transport, flow) = match connection {
            Some(index) => (Transport::Tcp, self.flow_of(index)),
            None => (Transport::Udp, Flow::Datagram { listener: ListenerId(0), remote: from }),
        };
        let listener = listener(transport);
        let local = listener.addr;
        self.with_core(|core, now, out| {
            let arrival = Arrival { flow, transport, listener: &listener, local, remote: from, peer: None, bytes };
            core.message(now, arrival, out);
        });
    }

    fn flow_of(&self, index: usize) -> Flow {
        let generation = self.network.connections[index].incarnation;
        Flow::Stream { worker: 0, index: index as u32, generation }
    }

    /// A message leaves the server.
    fn emit(&mut self, to: &Destination, ticket: u64, mut bytes: Vec<u8>) {
        if self.plant.is_some_and(|fault| mangle::swallows(fault, &bytes)) {
            return;
        }
        if self.plant == Some(Fault::RepeatIsNew) {
            mangle::restore(&mut bytes);
        }
        let mut to = self.locate(to);
        if self.plant == Some(Fault::WrongFlow) && mangle::is_in_dialog(&bytes) && self.dice.chance(20) {
            let other = self.dice.below(self.devices.len() as u64) as usize;
            to = Some((other, self.devices[other].connection));
        }
        let Some((id, connection)) = to else {
            if ticket != 0 {
                let failed = Event::SendFailed { incarnation: self.incarnation, ticket };
                self.queue.push(self.now + Duration::from_micros(200), failed);
            }
            return;
        };
        self.check_durable(id, &bytes);
        match connection {
            Some(index) => {
                self.log.message(self.now, format_args!("server => d{id}"), &bytes);
                if let Some(at) = self.network.stream(self.now, index, false, &mut self.dice) {
                    self.queue.push(at, Event::ToDevice { device: id, connection, bytes });
                }
            }
            None => {
                let (times, copies) = self.network.datagram(self.now, &bytes, &mut self.dice);
                let fate = ["lost", "", "twice"][copies];
                self.log.message(self.now, format_args!("server -> d{id} {fate}"), &bytes);
                for at in times.into_iter().take(copies) {
                    self.queue.push(at, Event::ToDevice { device: id, connection: None, bytes: bytes.clone() });
                }
            }
        }
    }

    /// The device behind a destination; `None` when the server knows that there is no way.
    fn locate(&mut self, to: &Destination) -> Option<(usize, Option<usize>)> {
        match to {
            Destination::Flow(Flow::Stream { index, generation, .. }) => {
                let index = *index as usize;
                let link = self.network.connections.get(index)?;
                let ours = link.incarnation == *generation && *generation == self.incarnation;
                (ours && !link.server_knows).then_some((link.device, Some(index)))
            }
            Destination::Flow(Flow::Datagram { remote: addr, .. }) | Destination::Address { addr, .. } => {
                let found = self.devices.iter().position(|device| device.address == *addr);
                if found.is_none() {
                    self.violate(Rule::RightPeer, format!("the server sends to {addr}, where nobody is"));
                }
                found.map(|id| (id, self.devices[id].connection))
            }
        }
    }

    /// The server learns that a connection is gone.
    pub(super) fn server_lost(&mut self, connection: usize) {
        self.network.connections[connection].server_knows = true;
        if self.network.connections[connection].incarnation == self.incarnation {
            let flow = self.flow_of(connection);
            self.with_core(|core, now, out| core.flow_closed(now, flow, out));
        }
    }

    pub(super) fn send_failed(&mut self, incarnation: u32, ticket: u64) {
        if incarnation == self.incarnation {
            self.with_core(|core, now, out| core.send_failed(now, ticket, out));
        }
    }

    /// The disk is through with a batch.
    pub(super) fn disk_done(&mut self, incarnation: u32) {
        if incarnation != self.incarnation || self.core.is_none() {
            return;
        }
        let (reports, next) = self.store.disk_done(self.now, &mut self.dice);
        self.disk_busy(next);
        let at = self.now + report_delay(&mut self.dice);
        for report in reports {
            self.log.line(
                self.now,
                format_args!("disk: block {} {}", report.upto, if report.ok { "ok" } else { "refused" }),
            );
            self.queue.push(at, Event::Stored { incarnation, upto: report.upto, ok: report.ok });
        }
    }

    pub(super) fn stored(&mut self, incarnation: u32, upto: u64, ok: bool) {
        if incarnation == self.incarnation {
            self.with_core(|core, now, out| match ok {
                true => core.committed(now, upto, out),
                false => core.commit_failed(now, upto, out),
            });
        }
    }

    pub(super) fn start_core(&mut self) {
        let mut core = self.organisation.core(self.dice.key());
        self.store.load(core.groups_mut(), self.plant);
        self.core = Some(core);
    }

    /// The process is killed.
    pub(super) fn crash(&mut self) {
        if self.core.take().is_none() {
            return;
        }
        self.log.line(self.now, format_args!("-- the server at {SERVER} is killed"));
        self.counts.crashes += 1;
        self.store.crash(&mut self.dice);
        for connection in 0..self.network.connections.len() {
            self.break_connection(connection);
        }
        let back = self.now + self.dice.millis(100, 5_000);
        self.outages.push((self.now, back));
        self.queue.push(back, Event::Restart);
    }

    /// It starts again, from what is durable.
    pub(super) fn restart(&mut self) {
        self.incarnation += 1;
        self.log.line(self.now, format_args!("-- the server starts again"));
        self.start_core();
        self.check_promises();
    }
}
