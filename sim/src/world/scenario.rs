//! Who is there and what befalls them.

use lyceum_sip::Transport;
use lyceum_sip::time::Time;

use super::{BUSY, CHECK_EVERY, World};
use crate::device::{Device, Task};
use crate::queue::Event;

impl World {
    /// Users with one to three devices each, and the accidents of this run. A third of the runs has none but those of
    /// the datagrams: there nothing excuses a missing answer.
    pub(super) fn populate(&mut self, users: usize) {
        self.start_core();
        let calm = self.dice.chance(33);
        for user in 0..users {
            for _ in 0..self.dice.between(1, 3) {
                self.add_device(user, users, calm);
            }
        }
        if !calm && self.dice.chance(70) {
            for _ in 0..self.dice.between(1, 3) {
                let at = Time::default() + self.dice.seconds(15, 595);
                self.queue.push(at, Event::Crash);
            }
        }
        self.queue.push(Time::default() + CHECK_EVERY, Event::Check);
        self.queue.push(Time::default() + BUSY, Event::Quiet);
    }

    fn add_device(&mut self, user: usize, users: usize, calm: bool) {
        let id = self.devices.len();
        let transport = if self.dice.chance(60) { Transport::Udp } else { Transport::Tcp };
        self.devices.push(Device::new(id, user, users, transport, &mut self.dice));
        self.timers.push(None);
        if transport.is_reliable() {
            self.connect(id);
        }
        let begin = |world: &mut World, low, high, task| {
            let at = Time::default() + world.dice.millis(low, high);
            world.queue.push(at, Event::Task { device: id, task });
        };
        begin(self, 0, 5_000, Task::Register);
        begin(self, 6_000, 60_000, Task::Call);
        begin(self, 6_000, 60_000, Task::Message);
        if self.dice.chance(30) {
            begin(self, 60_000, 500_000, Task::Unregister);
        }
        if !calm && self.dice.chance(25) {
            begin(self, 30_000, 500_000, Task::Off);
        }
        if !calm && transport.is_reliable() {
            self.plan_break(id);
        }
    }

    /// When the connection that a device has now will break.
    pub(super) fn plan_break(&mut self, device: usize) {
        if let Some(connection) = self.devices[device].connection
            && self.dice.chance(60)
        {
            let at = self.now + self.dice.seconds(20, 500);
            self.queue.push(at, Event::Break { connection });
        }
    }

    /// The end of the busy time.
    pub(super) fn quiet(&mut self) {
        self.log.line(self.now, format_args!("-- quiet: calls are hung up, nothing new begins"));
        for device in 0..self.devices.len() {
            self.devices[device].quiet = true;
            let calls: Vec<u64> = self.devices[device].calls.keys().copied().collect();
            for call in calls {
                self.task(device, Task::GiveUp(call));
                self.task(device, Task::HangUp(call));
            }
        }
    }
}
