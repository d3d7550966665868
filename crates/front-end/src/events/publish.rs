//! PUBLISH (RFC 3903) for the event package presence.

use std::sync::Arc;

use lyceum_net::Outbox;
use lyceum_sip::transaction::{Incoming, ServerId};
use lyceum_sip::{Method, Name, ResponseBuilder};
use lyceum_topology::{UserRecord, routing_group};
use lyceum_users::presence::{DeviceKind, PublishIntent, PublishRefusal, Published};
use lyceum_users::subscription::EventPackage;

use super::presentity;
use crate::calls::admit::Sender;
use crate::core::Core;
use crate::inbound::Inbound;
use crate::refusal::Refusal;

/// Option tags that SUBSCRIBE may require, and PUBLISH but for the last.
const KNOWN_OPTIONS: [&str; 2] = ["eventlist", super::given::OPTION];
/// What Allow-Events says.
pub(crate) const ALLOW_EVENTS: &[u8] = b"presence, presence.winfo, ua-profile";

/// The event package of a request and its `id`; `None` when it names none of ours.
pub(crate) fn event<'a>(inbound: &Inbound<'a>) -> Option<(EventPackage, &'a [u8])> {
    let value = inbound.message.value(Name::Event)?;
    let split = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
    let package = EventPackage::parse(value[..split].trim_ascii())?;
    let id = lyceum_sip::header::params::Params::new(&value[split..]).get("id").unwrap_or_default();
    Some((package, id))
}

/// The media type without its parameters.
fn media_type(value: &[u8]) -> &[u8] {
    let split = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
    value[..split].trim_ascii()
}

fn kind_of(agent: &[u8]) -> DeviceKind {
    if agent.starts_with(b"Lyceum") { DeviceKind::Browser } else { DeviceKind::Unknown }
}

impl Core {
    /// Takes a PUBLISH for one of our users, whose own it must be; the 200 leaves when the state is durable.
    pub(crate) fn publish(&mut self, inbound: &Inbound<'_>, out: &mut Outbox) {
        let Some(server) = self.begin_event(inbound, out) else { return };
        let (server, sender) = server;
        let snapshot = Arc::clone(&self.snapshot);
        let Some(user) = self.presentity_of(inbound) else {
            return self.refuse_event(inbound, server, Refusal::NotFound, &[], out);
        };
        let is_own = match &sender {
            Sender::User(who) => who.id == user.id,
            Sender::Trusted => true,
            Sender::Dialog(_) | Sender::Federated(_) => false,
        };
        if !is_own {
            return self.refuse_event(inbound, server, Refusal::NotYourPresence, &[], out);
        }
        if event(inbound).map(|(package, _)| package) != Some(EventPackage::Presence) {
            return self.refuse_event(inbound, server, Refusal::BadEvent, &[("Allow-Events", b"presence")], out);
        }
        let message = inbound.message;
        let agent = message.value(Name::UserAgent).unwrap_or_default();
        let device = message.contacts().flatten().find_map(|contact| {
            let instance = contact.address()?.param("+sip.instance")?;
            std::str::from_utf8(instance).ok().map(str::to_owned)
        });
        let arrival = inbound.arrival;
        let source = format!("{} {}", arrival.transport.uri_param(), arrival.remote);
        let intent = PublishIntent {
            source: Some(&source),
            if_match: message.value(Name::SipIfMatch),
            expires: message.expires(),
            content_type: media_type(message.value(Name::ContentType).unwrap_or_default()),
            body: message.body(),
            device: device.as_deref(),
            kind: kind_of(agent),
            fresh: self.random.bits(),
        };
        let at = usize::from(routing_group(user.address.as_str()));
        let presentity = presentity(inbound.now, &snapshot, &user);
        let presence = &mut self.events.presentities[at];
        match presence.publish(presentity, &intent, &mut self.groups[at], &mut self.journal) {
            Ok(published) => self.published(inbound, server, &user, &published),
            Err(refusal) => self.refuse_publication(inbound, server, &refusal, out),
        }
        self.flush_transactions(inbound.now, out);
    }

    fn published(&mut self, inbound: &Inbound<'_>, server: ServerId, user: &UserRecord, published: &Published) {
        let lines = format!("SIP-ETag: {}\r\nExpires: {}\r\n", published.etag, published.expires);
        let bytes = self.event_answer(inbound, 200, "OK", lines.as_bytes());
        self.answer_after(inbound.now, published.wait_for, (server, 200, bytes), None);
        if published.changed {
            self.presence_changed_after(published.wait_for, user.address.as_str());
        }
    }

    fn refuse_publication(
        &mut self,
        inbound: &Inbound<'_>,
        server: ServerId,
        refusal: &PublishRefusal,
        out: &mut Outbox,
    ) {
        match refusal {
            PublishRefusal::ConditionalRequestFailed => {
                self.refuse_event(inbound, server, Refusal::NoSuchPublication, &[], out);
            }
            PublishRefusal::IntervalTooBrief { min } => {
                let min = min.to_string();
                let line = [("Min-Expires", min.as_bytes())];
                self.refuse_event(inbound, server, Refusal::IntervalTooBrief, &line, out);
            }
            PublishRefusal::UnsupportedMediaType => {
                let line = [("Accept", &b"application/pidf+xml"[..])];
                self.refuse_event(inbound, server, Refusal::UnsupportedPresence, &line, out);
            }
            PublishRefusal::TooLarge { .. } => self.refuse_event(inbound, server, Refusal::PresenceTooLarge, &[], out),
            PublishRefusal::Body(_) | PublishRefusal::Nothing => {
                self.refuse_event(inbound, server, Refusal::BadPresence, &[], out);
            }
        }
    }

    /// Absorbs repetitions, authenticates, and opens the transaction; or answers by itself and gives `None`.
    pub(crate) fn begin_event(&mut self, inbound: &Inbound<'_>, out: &mut Outbox) -> Option<(ServerId, Sender)> {
        let message = inbound.message;
        let reliable = inbound.arrival.transport.is_reliable();
        let reply_to = inbound.reply_to();
        match self.transactions.request_arrived(inbound.now.mono, &message, reliable, &reply_to) {
            Incoming::New | Incoming::Merged => {}
            _ => {
                self.flush_transactions(inbound.now, out);
                return None;
            }
        }
        let snapshot = Arc::clone(&self.snapshot);
        let sender = self.identify(inbound, &snapshot, out)?;
        if let Sender::Federated(domain) = &sender
            && message.to_tag().is_none()
        {
            let reached = self.presentity_of(inbound).ok_or(Refusal::NotReachableOutside);
            if let Err(refusal) = reached.and_then(|user| self.may_reach(domain, &user, &snapshot)) {
                self.refuse(inbound, refusal, out);
                return None;
            }
        }
        let known = if message.method() == Method::Subscribe { &KNOWN_OPTIONS[..] } else { &KNOWN_OPTIONS[..1] };
        let unknown = crate::register::unknown_options(&message, Name::Require, known);
        if !unknown.is_empty() {
            self.refuse_with(inbound, Refusal::UnknownRequire, &[("Unsupported", &unknown)], out);
            return None;
        }
        match self.transactions.accept(inbound.now.mono, &message, reliable, reply_to) {
            Ok(server) => Some((server, sender)),
            Err(_) => {
                self.refuse_for_load(inbound, Refusal::NoRoom, out);
                None
            }
        }
    }

    /// The user whom the Request-URI names.
    pub(crate) fn presentity_of(&self, inbound: &Inbound<'_>) -> Option<Arc<UserRecord>> {
        let uri = inbound.message.parsed_request_uri().ok()?;
        // A host that is ours and no domain is an address of this server.
        let domain = self.snapshot.our_domain(uri.host_text()).unwrap_or_else(|| self.snapshot.default_domain());
        self.snapshot.user(uri.user()?, domain.as_str().as_bytes()).filter(|user| user.enabled).cloned()
    }

    /// The bytes of an answer in the transaction.
    pub(crate) fn event_answer(&mut self, inbound: &Inbound<'_>, status: u16, reason: &str, lines: &[u8]) -> Vec<u8> {
        let remote = inbound.arrival.remote;
        let tag = self.stateless_tag(&inbound.message);
        let mut bytes = Vec::with_capacity(512);
        let mut builder = ResponseBuilder::new(&inbound.message, status, reason);
        builder.received(remote.ip(), remote.port()).to_tag(&tag).lines(lines);
        builder.write(&mut bytes);
        bytes
    }

    /// Refuses in the transaction.
    pub(crate) fn refuse_event(
        &mut self,
        inbound: &Inbound<'_>,
        server: ServerId,
        refusal: Refusal,
        headers: &[(&str, &[u8])],
        out: &mut Outbox,
    ) {
        self.metrics.refused(refusal);
        let mut lines = Vec::new();
        for (name, value) in headers.iter().chain(&[(crate::refusal::DIAGNOSTICS_HEADER, refusal.code().as_bytes())]) {
            lines.extend_from_slice(name.as_bytes());
            lines.extend_from_slice(b": ");
            lines.extend_from_slice(value);
            lines.extend_from_slice(b"\r\n");
        }
        let bytes = self.event_answer(inbound, refusal.status(), refusal.reason(), &lines);
        self.transactions.respond(inbound.now.mono, server, refusal.status(), &bytes);
        self.flush_transactions(inbound.now, out);
    }
}
