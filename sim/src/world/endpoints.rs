//! Between the endpoints and the network.

use std::time::Duration;

use crate::device::{Actions, Context, Device, Task};
use crate::queue::Event;

use super::World;

impl World {
    /// Calls a device and carries out what follows from it.
    pub(super) fn with_device(&mut self, id: usize, call: impl FnOnce(&mut Device, &mut Context<'_>)) {
        let now = self.clock();
        let mut out = Actions::default();
        call(&mut self.devices[id], &mut Context { now, dice: &mut self.dice, out: &mut out });
        for (client, bytes) in std::mem::take(&mut out.sends) {
            if !self.send_from(id, bytes)
                && let Some(client) = client
            {
                let device = &mut self.devices[id];
                device.send_failed(client, &mut Context { now, dice: &mut self.dice, out: &mut out });
            }
        }
        // What a failed transaction still wanted to send has no way either.
        out.sends.clear();
        for (at, task) in out.tasks {
            self.queue.push(at, Event::Task { device: id, task });
        }
        for report in out.reports {
            self.judge(id, report);
        }
        self.arm(id);
    }

    fn arm(&mut self, id: usize) {
        let Some(at) = self.devices[id].next_timeout() else { return };
        if self.timers[id].is_none_or(|armed| at < armed) {
            self.timers[id] = Some(at);
            self.queue.push(at, Event::DeviceTimer { device: id });
        }
    }

    /// False when there is no way at all.
    fn send_from(&mut self, id: usize, bytes: Vec<u8>) -> bool {
        let device = &self.devices[id];
        if !device.powered {
            return true;
        }
        let from = device.address;
        if !device.transport.is_reliable() {
            let (times, copies) = self.network.datagram(self.now, &bytes, &mut self.dice);
            let fate = ["lost", "", "twice"][copies];
            self.log.message(self.now, format_args!("d{id} -> server {fate}"), &bytes);
            for at in times.into_iter().take(copies) {
                let event = Event::ToServer { device: id, from, connection: None, bytes: bytes.clone() };
                self.queue.push(at, event);
            }
            return true;
        }
        let Some(connection) = device.connection else { return false };
        self.log.message(self.now, format_args!("d{id} => server"), &bytes);
        if let Some(at) = self.network.stream(self.now, connection, true, &mut self.dice) {
            self.queue.push(at, Event::ToServer { device: id, from, connection: Some(connection), bytes });
        }
        true
    }

    /// A message arrives at a device.
    pub(super) fn reach_device(&mut self, id: usize, connection: Option<usize>, bytes: &[u8]) {
        let standing = connection.is_none_or(|connection| self.network.connections[connection].open);
        if !self.devices[id].powered || !standing {
            return;
        }
        self.log.message(self.now, format_args!("d{id} got"), bytes);
        self.with_device(id, |device, ctx| device.receive(bytes, ctx));
    }

    /// A device does something by itself.
    pub(super) fn task(&mut self, id: usize, task: Task) {
        match task {
            Task::Reconnect => self.connect(id),
            Task::Off => self.switch_off(id),
            Task::On => self.switch_on(id),
            task => self.with_device(id, |device, ctx| device.task(task, ctx)),
        }
    }

    /// Opens a connection, if the server is there; else tries again later.
    pub(super) fn connect(&mut self, id: usize) {
        let device = &mut self.devices[id];
        if !device.powered || device.connection.is_some() {
            return;
        }
        if self.core.is_none() {
            let again = self.now + self.dice.seconds(1, 4);
            return self.queue.push(again, Event::Task { device: id, task: Task::Reconnect });
        }
        self.next_port += 1;
        device.address.set_port(self.next_port);
        device.connection = Some(self.network.connect(id, self.incarnation));
        self.log.line(self.now, format_args!("d{id} connects from port {}", self.next_port));
        if self.now.0 > 0 {
            self.queue.push(self.now, Event::Task { device: id, task: Task::Register });
            self.plan_break(id);
        }
    }

    /// A connection breaks; both ends learn of it after a while, what was under way is gone.
    pub(super) fn break_connection(&mut self, connection: usize) {
        let link = &mut self.network.connections[connection];
        if !std::mem::replace(&mut link.open, false) {
            return;
        }
        let device = link.device;
        self.devices[device].disturbed = self.now;
        self.log.line(self.now, format_args!("-- the connection of d{device} breaks"));
        let (device_at, server_at) = (self.now + self.dice.millis(0, 400), self.now + self.dice.millis(0, 2_000));
        self.queue.push(device_at, Event::DeviceLost { device, connection });
        self.queue.push(server_at, Event::ServerLost { connection });
    }

    /// A device learns that its connection is gone.
    pub(super) fn device_lost(&mut self, id: usize, connection: usize) {
        let device = &mut self.devices[id];
        if device.connection != Some(connection) {
            return;
        }
        device.connection = None;
        device.disturbed = self.now;
        let again = self.now + self.dice.millis(100, 4_000);
        self.queue.push(again, Event::Task { device: id, task: Task::Reconnect });
    }

    fn switch_off(&mut self, id: usize) {
        self.log.line(self.now, format_args!("-- d{id} is out of reach"));
        if let Some(connection) = self.devices[id].connection {
            self.break_connection(connection);
        }
        let device = &mut self.devices[id];
        (device.powered, device.disturbed, device.connection) = (false, self.now, None);
        let back = self.now + self.dice.seconds(5, 120);
        self.queue.push(back, Event::Task { device: id, task: Task::On });
    }

    fn switch_on(&mut self, id: usize) {
        self.log.line(self.now, format_args!("-- d{id} is back"));
        let device = &mut self.devices[id];
        (device.powered, device.disturbed) = (true, self.now);
        device.restart();
        if device.transport.is_reliable() {
            self.connect(id);
        } else {
            self.queue.push(self.now + Duration::from_millis(10), Event::Task { device: id, task: Task::Register });
        }
    }
}
