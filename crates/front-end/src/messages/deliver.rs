//! What waits is delivered: one message at a time to each device, in order, until it has confirmed each.

use lyceum_net::{Flow, Outbox};
use lyceum_sip::time::Now;
use lyceum_sip::transaction::Outgoing;
use lyceum_sip::{Message, Method, RequestBuilder};
use lyceum_store::{Mark, MessageEntry, MessageRef};
use lyceum_topology::routing_group;
use lyceum_users::messages::{DeviceKey, MessageId};

use super::{DELIVERIES, DELIVERIES_A_ROUND, Delivery};
use crate::calls::forward::sent_by;
use crate::core::Core;
use crate::keys::hex;

/// Marks a client transaction of a delivery among those of the proxy.
pub(super) const MARK: u64 = 0xfffe << 48;

/// A message as it goes to one device.
struct Copy {
    id: MessageId,
    /// What it is called in the histories.
    reference: MessageRef,
    branch: Vec<u8>,
    bytes: Vec<u8>,
    flow: Flow,
    reliable: bool,
}

/// The slot and its generation, when a client transaction is one of ours.
pub(crate) fn is_delivery(user: u64) -> Option<(u32, u16)> {
    (user & (0xffff << 48) == MARK).then_some((user as u32, (user >> 32) as u16))
}

impl Core {
    /// Something may wait for these devices.
    pub(crate) fn due_devices(&mut self, aor: &str, devices: &[DeviceKey]) {
        for device in devices {
            if self.messages.due.len() < DELIVERIES {
                self.messages.due.push_back((aor.into(), *device));
            }
        }
    }

    /// A device registered: what waits for the user's devices is sent, after the answer that waits for block `seq`.
    pub(crate) fn devices_came(&mut self, aor: &str, seq: Option<u64>) {
        let messages = &mut self.messages;
        if messages.waiting[usize::from(routing_group(aor))].load_of(aor).0 == 0 {
            return;
        }
        self.due_after(seq, aor, None);
    }

    /// Something waits for these devices of a user, or for all, once block `seq` is durable.
    pub(super) fn due_after(&mut self, seq: Option<u64>, aor: &str, devices: Option<&[DeviceKey]>) {
        let messages = &mut self.messages;
        if messages.came.len() < DELIVERIES {
            let devices = devices.map(Box::from);
            match seq {
                Some(seq) => messages.came.push_back((seq, aor.into(), devices)),
                None => messages.came.push_front((0, aor.into(), devices)),
            }
        }
    }

    /// Somebody's presence is another: what waited until they may be disturbed is sent, once that is durable.
    pub(crate) fn may_be_disturbed(&mut self, aor: &str) {
        self.devices_came(aor, self.journal.last_unsettled());
    }

    /// The devices of those who came are due, once they know that they did.
    fn welcome(&mut self, now: Now) {
        let committed = self.withheld.committed();
        while self.messages.came.front().is_some_and(|(seq, ..)| *seq <= committed) {
            let Some((_, aor, devices)) = self.messages.came.pop_front() else { break };
            let devices = devices.unwrap_or_else(|| self.devices(now, &aor).into());
            self.due_devices(&aor, &devices);
        }
    }

    /// Begins what is due.
    pub(crate) fn pump_deliveries(&mut self, now: Now, out: &mut Outbox) {
        self.welcome(now);
        for _ in 0..DELIVERIES_A_ROUND {
            let Some((aor, device)) = self.messages.due.pop_front() else { break };
            match self.messages.under_way.get(&(aor.clone(), device)) {
                None => self.deliver_next(now, aor, device),
                // It may have come back by another way than the one that is being tried.
                Some(&slot) => self.messages.tried_again(slot),
            }
        }
        self.flush_transactions(now, out);
    }

    fn deliver_next(&mut self, now: Now, aor: Box<str>, device: DeviceKey) {
        let Some(copy) = self.next_copy(now, &aor, device) else { return };
        let (slot, generation) = self.begin_delivery(aor, device, (copy.id, copy.reference));
        let request = Outgoing {
            method: b"MESSAGE",
            branch: &copy.branch,
            bytes: &copy.bytes,
            reliable: copy.reliable,
            peer: copy.flow.into(),
            user: MARK | u64::from(generation) << 32 | u64::from(slot),
        };
        if self.transactions.send(now.mono, request).is_err() {
            self.end_delivery(slot);
        }
    }

    /// The next message for a device that is signed in, as it is sent.
    fn next_copy(&self, now: Now, aor: &str, device: DeviceKey) -> Option<Copy> {
        let at = usize::from(routing_group(aor));
        let group = &self.groups[at];
        let is_it = |binding: &lyceum_users::Binding<'_>| DeviceKey::of(binding.instance(), binding.uri()) == device;
        let binding = group.bindings(now, aor).find(is_it)?;
        let (flow, transport) = (Flow::decode(binding.flow())?, binding.transport());
        let listener = self.listener_of(&flow, transport)?;
        let quiet = self.quiet(now, aor);
        let mut due = self.messages.waiting[at].due(now.wall, aor, device, group);
        let message = due.find(|message| quiet.as_ref().is_none_or(|quiet| quiet.lets_pass(message)))?;
        let branch = self.branch_of(aor, device, message.id);
        let mut via = Vec::with_capacity(96);
        lyceum_sip::proxy::via_line(&mut via, &sent_by(listener, transport), &branch);
        let lines = header_lines(message.headers);
        let mut builder = RequestBuilder::new(Method::Message, binding.uri());
        builder.via(via.strip_prefix(b"Via: ").unwrap_or(&via));
        if !binding.path().is_empty() {
            builder.route(binding.path());
        }
        builder.from(message.from).to(message.to).call_id(message.call_id).cseq(message.cseq);
        for (name, value) in &lines {
            builder.header(name, value);
        }
        builder.body(message.content_type, message.body.0);
        let mut bytes = Vec::with_capacity(message.body.0.len() + 1024);
        builder.write(&mut bytes);
        // A message to several is kept for each under a name of its own: its sender's name is that of all.
        let sender: Box<str> = message.sender.into();
        let reference = match std::str::from_utf8(message.message_id) {
            Ok(wire_id) if !wire_id.is_empty() => MessageRef::Wire { wire_id: wire_id.into(), sender },
            _ => MessageRef::Id { id: message.id, sender },
        };
        Some(Copy { id: message.id, reference, branch, bytes, flow, reliable: transport.is_reliable() })
    }

    /// The same for every try of one message to one device, after a restart too: a repetition is known to be one.
    pub(super) fn branch_of(&self, aor: &str, device: DeviceKey, id: MessageId) -> Vec<u8> {
        let name = self.keys.name(&[b"delivery", aor.as_bytes(), format!("{device:?}").as_bytes(), &id.0]);
        let mut branch = b"z9hG4bK".to_vec();
        for half in name.chunks_exact(8) {
            branch.extend_from_slice(&hex(half.iter().fold(0, |word, byte| word << 8 | u64::from(*byte))));
        }
        branch
    }

    fn begin_delivery(
        &mut self,
        aor: Box<str>,
        device: DeviceKey,
        (message, reference): (MessageId, MessageRef),
    ) -> (u32, u16) {
        let messages = &mut self.messages;
        messages.next_generation = messages.next_generation.wrapping_add(1);
        let generation = messages.next_generation;
        let slot = messages.free.pop().unwrap_or_else(|| {
            messages.deliveries.push(None);
            u32::try_from(messages.deliveries.len() - 1).unwrap_or(u32::MAX)
        });
        messages.under_way.insert((aor.clone(), device), slot);
        messages.deliveries[slot as usize] =
            Some(Delivery { aor, device, message, reference, generation, again: false });
        (slot, generation)
    }

    fn end_delivery(&mut self, slot: u32) -> Option<Delivery> {
        let delivery = self.messages.deliveries.get_mut(slot as usize)?.take()?;
        self.messages.under_way.remove(&(delivery.aor.clone(), delivery.device));
        self.messages.free.push(slot);
        Some(delivery)
    }

    fn is_under_way(&self, (slot, generation): (u32, u16)) -> bool {
        let delivery = self.messages.deliveries.get(slot as usize).and_then(Option::as_ref);
        delivery.is_some_and(|delivery| delivery.generation == generation)
    }

    /// A device answered.
    pub(crate) fn delivery_answered(&mut self, now: Now, which: (u32, u16), message: &Message<'_>) {
        if message.status() < 200 || !self.is_under_way(which) {
            return;
        }
        let Some(delivery) = self.end_delivery(which.0) else { return };
        let taken = message.status() < 300;
        // Busy, gone or broken now: it is tried again when the device registers. Other refusals are for good.
        let later = matches!(message.status(), 401 | 407 | 408 | 430 | 480 | 486 | 491 | 500..=599);
        if !taken && later {
            return self.due_again(delivery);
        }
        let at = usize::from(routing_group(&delivery.aor));
        let (group, journal) = (&mut self.groups[at], &mut self.journal);
        self.messages.waiting[at].confirm(&delivery.aor, delivery.message, delivery.device, group, journal);
        if taken {
            self.mark_delivered(now, &delivery.aor, delivery.reference);
        }
        self.metrics.messages_delivered.inc();
        self.messages.due.push_front((delivery.aor, delivery.device));
    }

    /// A device took a message.
    pub(crate) fn mark_delivered(&mut self, now: Now, aor: &str, message: MessageRef) {
        let entry = MessageEntry::Mark { message, user: aor.into(), mark: Mark::Delivered, at: now.wall };
        self.messages.history.push(entry);
    }

    /// A device did not answer: its next registration tries again.
    pub(crate) fn delivery_failed(&mut self, which: (u32, u16)) {
        if self.is_under_way(which)
            && let Some(delivery) = self.end_delivery(which.0)
        {
            self.due_again(delivery);
        }
    }

    /// What was not taken is tried once more, if the device was heard of meanwhile.
    fn due_again(&mut self, delivery: Delivery) {
        if delivery.again {
            self.due_devices(&delivery.aor, &[delivery.device]);
        }
    }
}

/// Stored lines as name and value.
fn header_lines(lines: &[u8]) -> Vec<(String, Vec<u8>)> {
    let split = |line: &[u8]| {
        let at = line.iter().position(|byte| *byte == b':')?;
        Some((String::from_utf8_lossy(&line[..at]).into_owned(), line[at + 1..].trim_ascii().to_vec()))
    };
    lines.split(|byte| *byte == b'\n').filter_map(split).collect()
}
