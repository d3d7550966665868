//! Where a message goes once it is read: the one place that knows all kinds of traffic.

use lyceum_net::{Arrival, Outbox};
use lyceum_sip::time::Now;
use lyceum_sip::{Index, Message, Method, Name, ParseError, Scheme, Transport, parse};
use lyceum_topology::{HopTransport, PeerFacts};

use super::Core;
use crate::inbound::Inbound;
use crate::refusal::Refusal;

impl Core {
    /// One message came in.
    pub fn message(&mut self, now: Now, arrival: Arrival<'_>, out: &mut Outbox) {
        self.begin(now);
        self.metrics.messages_in.inc();
        let mut index = std::mem::take(&mut self.index);
        let read = parse(arrival.bytes, &mut index, &self.parse_limits);
        match read {
            Ok(_) => self.read(now, arrival, &index, out),
            Err(error) => self.unreadable(now, arrival, &index, &error, out),
        }
        self.index = index;
    }

    fn read(&mut self, now: Now, arrival: Arrival<'_>, index: &Index, out: &mut Outbox) {
        let message = Message::new(arrival.bytes, index);
        self.tracer.received(now, &arrival);
        let Some(arrival) = self.by_link(now, arrival, &message, out) else { return };
        if !message.is_request() {
            if message.validate().is_ok() {
                self.ladder_received(now, &arrival, &message);
                self.response(now, arrival, &message, out);
            } else {
                self.metrics.malformed.inc();
            }
            return;
        }
        let outside = self.outside(&arrival, &message);
        let inbound = Inbound { now, arrival, message, trusted: self.is_trusted(&arrival), outside };
        if !inbound.trusted && message.body().len() > self.client_message {
            return self.refuse(&inbound, Refusal::TooLarge, out);
        }
        // RFC 3261 §18.3: without it a stream has no end of message; the driver closes the connection after our answer.
        if matches!(arrival.transport, Transport::Tcp | Transport::Tls) && message.value(Name::ContentLength).is_none()
        {
            self.metrics.malformed.inc();
            return self.refuse(&inbound, Refusal::Malformed, out);
        }
        if let Err(error) = message.validate() {
            self.metrics.malformed.inc();
            return self.refuse_malformed(&inbound, &error, out);
        }
        self.ladder_received(now, &arrival, &message);
        self.request(&inbound, out);
    }

    /// Broken, but if it was a request that can be answered, its sender learns what is wrong.
    fn unreadable(&mut self, now: Now, arrival: Arrival<'_>, index: &Index, error: &ParseError, out: &mut Outbox) {
        self.metrics.malformed.inc();
        if error.answerable {
            let message = Message::new(arrival.bytes, index);
            self.tracer.received(now, &arrival);
            let inbound = Inbound { now, arrival, message, trusted: false, outside: None };
            self.refuse_malformed(&inbound, error, out);
        }
    }

    fn refuse_malformed(&mut self, inbound: &Inbound<'_>, error: &ParseError, out: &mut Outbox) {
        if inbound.message.method() == Method::Ack {
            return;
        }
        let refusal = match error.status {
            505 => Refusal::BadVersion,
            513 => Refusal::TooLarge,
            416 => Refusal::UnknownScheme,
            _ => Refusal::Malformed,
        };
        self.metrics.refused(refusal);
        let line = format!("{}: {}\r\n", crate::refusal::DIAGNOSTICS_HEADER, refusal.code());
        self.answer_lines(inbound, error.status, error.what, line.as_bytes(), out);
    }

    fn request(&mut self, inbound: &Inbound<'_>, out: &mut Outbox) {
        let message = &inbound.message;
        match message.method() {
            Method::Ack => return self.ack(inbound, out),
            Method::Cancel => return self.cancel(inbound, out),
            _ => {}
        }
        let is_new = message.to_tag().is_none();
        if is_new && self.draining {
            return self.refuse_for_load(inbound, Refusal::Draining, out);
        }
        if is_new && !self.shedder.admits() {
            self.metrics.shed.inc();
            return self.refuse_for_load(inbound, Refusal::Overloaded, out);
        }
        // A partner's one address speaks for a whole organisation; its Edge counts by domain.
        let is_counted = !inbound.trusted && !matches!(inbound.outside, Some(crate::inbound::Outside::Federated(_)));
        if is_counted && is_new && !self.sources.admits(inbound.now.mono, inbound.source(), self.source_rate) {
            return self.refuse_for_load(inbound, Refusal::Overloaded, out);
        }
        match message.method() {
            Method::Register => self.register(inbound, out),
            Method::Options if self.is_for_us(message) => self.options(inbound, out),
            Method::Publish if self.is_for_presence(message) => self.publish(inbound, out),
            // Of a subscription that ended, too: 481 makes the watcher subscribe anew, 404 would make him give up.
            Method::Subscribe if self.is_for_presence(message) || !is_new && self.is_for_us(message) => {
                self.subscribe(inbound, out);
            }
            _ => self.proxy(inbound, out),
        }
    }

    /// OPTIONS to the server itself: what it can do. No user is named, so nobody needs to sign in for it.
    fn options(&mut self, inbound: &Inbound<'_>, out: &mut Outbox) {
        const LINES: &[u8] = b"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, MESSAGE, SUBSCRIBE, NOTIFY, PUBLISH, REFER, INFO, PRACK, UPDATE\r\n\
            Accept: application/sdp\r\nSupported: path, outbound, gruu, timer, eventlist, recipient-list-subscribe\r\n";
        self.answer_lines(inbound, 200, "OK", LINES, out);
    }

    /// Is this an event for the presence server: about one of our users as such, not about one of their devices; or within
    /// a subscription of ours?
    fn is_for_presence(&self, message: &Message<'_>) -> bool {
        if let Some(tag) = message.to_tag() {
            let key = self.dialog_key(message.call_id(), tag, message.from_tag().unwrap_or_default());
            return self.events.watches.slot(&key).is_some();
        }
        message.parsed_request_uri().is_ok_and(|uri| {
            // By the server's own name or address, too: the phone itself must not be asked past us.
            let ours = matches!(uri.scheme(), Scheme::Sip | Scheme::Sips) && self.is_us(&uri);
            ours && uri.user().is_some() && uri.param("gr").is_none()
        })
    }

    /// Is the Request-URI the server itself: one of our domains or addresses, without a user?
    fn is_for_us(&self, message: &Message<'_>) -> bool {
        let Ok(uri) = message.parsed_request_uri() else { return false };
        uri.user().is_none() && message.field(Name::Route).is_none() && self.is_us(&uri)
    }

    /// Does the host (and port) of this URI mean this server?
    pub(crate) fn is_us(&self, uri: &lyceum_sip::Uri<'_>) -> bool {
        self.ourselves().is(uri)
    }

    /// Is this a Route of ours? What an Edge put there is its own, even where it shares a name with us.
    pub(crate) fn is_own_route(&self, uri: &lyceum_sip::Uri<'_>) -> bool {
        uri.param("edge").is_none() && self.is_us(uri)
    }

    /// Is the other side a trusted host of the topology?
    pub(crate) fn is_trusted(&self, arrival: &Arrival<'_>) -> bool {
        // Whoever stands behind an Edge is not the Edge, whatever address it has.
        if arrival.listener.link {
            return false;
        }
        let transport = match arrival.transport {
            Transport::Udp => Some(HopTransport::Udp),
            Transport::Tcp => Some(HopTransport::Tcp),
            Transport::Tls => Some(HopTransport::Tls),
            Transport::Ws | Transport::Wss => None,
        };
        let names = arrival.peer.map(|peer| peer.names.as_slice()).unwrap_or_default();
        let facts = PeerFacts { address: arrival.remote.ip(), transport, names, inside: arrival.listener.inside };
        self.snapshot.trusted(&facts).is_some()
    }
}
