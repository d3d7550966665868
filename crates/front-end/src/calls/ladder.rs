//! Which messages belong to the ladder of a call ([`crate::ladders`]).

use std::net::SocketAddr;

use lyceum_monitoring::{CallRecord, Direction};
use lyceum_net::{Arrival, Destination, Flow};
use lyceum_sip::time::{Now, Time};
use lyceum_sip::transaction::Source;
use lyceum_sip::{Message, Transport};

use super::context::ContextId;
use crate::core::{Core, Effect};
use crate::inbound::Inbound;
use crate::ladders::Travel;
use crate::trace::wire_of;

/// Methods that a call is made of.
const OF_CALLS: [&[u8]; 8] = [b"INVITE", b"ACK", b"BYE", b"CANCEL", b"PRACK", b"UPDATE", b"INFO", b"REFER"];

fn received(arrival: &Arrival<'_>) -> Travel {
    Travel {
        direction: Direction::Received,
        stream: stream_of(arrival.flow),
        local: arrival.local,
        remote: arrival.remote,
        transport: wire_of(arrival.transport),
    }
}

fn stream_of(flow: Flow) -> Option<Flow> {
    matches!(flow, Flow::Stream { .. }).then_some(flow)
}

impl Core {
    fn ladder_key(&self, call_id: &[u8]) -> u64 {
        self.keys.hash(&[call_id]).max(1)
    }

    /// Begins the ladder of a new call, or goes on with it in a dialog where all are kept. Gives its key, or 0.
    pub(super) fn open_ladder(&mut self, inbound: &Inbound<'_>, begins: bool, in_dialog: bool) -> u64 {
        let message = &inbound.message;
        let goes_on = in_dialog && self.ladders.keeps_all() && OF_CALLS.contains(&message.method_token());
        if !begins && !goes_on {
            return 0;
        }
        let key = self.ladder_key(message.call_id());
        let was_kept = self.ladders.keeps(key);
        self.ladders.begin(key);
        if !was_kept {
            self.ladders.note(inbound.now, key, received(&inbound.arrival), inbound.arrival.bytes);
        }
        if goes_on {
            self.ladders.end(inbound.now.mono, key, true);
        }
        key
    }

    /// A message came in; it is noted if its call is kept.
    pub(crate) fn ladder_received(&mut self, now: Now, arrival: &Arrival<'_>, message: &Message<'_>) {
        if !self.ladders.is_empty() && OF_CALLS.contains(&message.cseq().method) {
            let key = self.ladder_key(message.call_id());
            self.ladders.note(now, key, received(arrival), arrival.bytes);
        }
    }

    /// A transaction sent something; it is noted if its call is kept.
    pub(super) fn ladder_sent(&mut self, now: Now, source: Source, to: &Destination, bytes: &[u8]) {
        let context = match source {
            Source::Client(client) => self.transactions.client_user(client).map(|user| ContextId::split(user).0),
            Source::Server(server) => self.calls.servers.get(&server).copied(),
        };
        if let Some(key) = context.and_then(|id| self.calls.contexts.get(id)).map(|context| context.ladder) {
            self.note_sent(now, key, to, bytes);
        }
    }

    /// Something was sent without a transaction.
    pub(super) fn ladder_sent_of(&mut self, now: Now, call_id: &[u8], to: &Destination, bytes: &[u8]) {
        if !self.ladders.is_empty() {
            let key = self.ladder_key(call_id);
            self.note_sent(now, key, to, bytes);
        }
    }

    fn note_sent(&mut self, now: Now, key: u64, to: &Destination, bytes: &[u8]) {
        let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
        let local = |id| self.listener(id).map_or(unknown, |listener| listener.addr);
        let (stream, local, remote, transport) = match to {
            Destination::Flow(Flow::Datagram { listener, remote }) => (None, local(*listener), *remote, Transport::Udp),
            Destination::Flow(flow) => (Some(*flow), unknown, unknown, Transport::Tcp),
            Destination::Address { addr, transport, from, .. } => {
                (None, from.map_or(unknown, local), *addr, *transport)
            }
        };
        let travel = Travel { direction: Direction::Sent, stream, local, remote, transport: wire_of(transport) };
        self.ladders.note(now, key, travel, bytes);
    }

    /// The call of this record has come to its answer or its end.
    pub(super) fn end_ladder(&mut self, now: Now, record: &CallRecord) {
        if !self.ladders.is_empty() {
            let key = self.ladder_key(record.call_id.as_bytes());
            self.ladders.end(now.mono, key, record.outcome.is_failure());
        }
    }

    /// Hands on what is due; without a time, everything that has ended.
    pub(crate) fn write_ladders(&mut self, now: Option<Time>) {
        while let Some(ladder) = self.ladders.take_due(now) {
            self.metrics.ladders_kept.inc();
            self.effects.push_back(Effect::Ladder(Box::new(ladder)));
        }
        let dropped = self.ladders.take_dropped();
        if dropped > 0 {
            self.metrics.ladders_dropped.add(dropped);
        }
    }
}
