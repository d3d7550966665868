//! The door of the proxy: transaction matching, RFC 3261 §16.3 and §16.4, and who may send what.
//!
//! A To tag or a Route exempts from nothing: an in-dialog request passes with our keyed hash over Call-ID, tags, parties
//! and routes, or its sender authenticates like anybody; and either way it goes where the dialog goes.

use std::sync::Arc;
use std::time::Duration;

use lyceum_net::Outbox;
use lyceum_sip::digest::Kind;
use lyceum_sip::gruu::Gruu;
use lyceum_sip::proxy::{self, LoopHash, RoutePlan};
use lyceum_sip::session_timer::{self, AtProxy};
use lyceum_sip::token::{DialogEnds, Passage};
use lyceum_sip::transaction::{Incoming, ServerId};
use lyceum_sip::{Message, Method, Name, ResponseBuilder, Scheme, Uri};
use lyceum_topology::{PoolPolicies, Snapshot, UserId, UserRecord};

use crate::core::Core;
use crate::inbound::{Inbound, Outside};
use crate::refusal::Refusal;
use crate::route::{Intent, Route, decide};

/// Options that Proxy-Require may name.
const PROXY_OPTIONS: [&str; 2] = ["path", "timer"];

/// So long after the request that began the dialog the hash in our Record-Route lets its requests in by itself; after it
/// only while the call is under way. Decision 0015 says why.
pub const TOKEN_LIFE: Duration = Duration::from_secs(24 * 3600);

/// Who stands behind a request that was let in.
#[derive(Clone, Debug)]
pub enum Sender {
    /// One of our users, with proof.
    User(Arc<UserRecord>),
    /// A trusted host of the topology.
    Trusted,
    /// Somebody of another organisation, whose domain is proven.
    Federated(Arc<str>),
    /// A party of a dialog that we routed.
    Dialog(Passage),
}

/// What the checks found out about a request.
pub struct Admitted<'a> {
    /// Who sent it.
    pub sender: Sender,
    /// The way on.
    pub plan: RoutePlan<'a>,
    /// For the branches of the copies.
    pub loop_hash: LoopHash,
}

impl Core {
    /// Everything that is not for the server itself.
    pub(crate) fn proxy(&mut self, inbound: &Inbound<'_>, out: &mut Outbox) {
        let message = inbound.message;
        let reliable = inbound.arrival.transport.is_reliable();
        let reply_to = inbound.reply_to();
        match self.transactions.request_arrived(inbound.now.mono, &message, reliable, &reply_to) {
            // The merged request of RFC 3261 §8.2.2.2 is for a user agent to refuse; to a proxy it may be a spiral.
            Incoming::New | Incoming::Merged => {}
            _ => return self.flush_transactions(inbound.now, out),
        }
        let snapshot = Arc::clone(&self.snapshot);
        let Some(admitted) = self.admit(inbound, &snapshot, out) else { return };
        let server = match self.transactions.accept(inbound.now.mono, &message, reliable, reply_to) {
            Ok(server) => server,
            Err(_) => return self.refuse_for_load(inbound, Refusal::NoRoom, out),
        };
        if message.method() == Method::Invite {
            self.trying(inbound, server);
        }
        self.note_listening(inbound);
        self.route(inbound, server, &admitted, &snapshot, out);
        self.flush_transactions(inbound.now, out);
    }

    /// Refuses or challenges by itself and gives `None`, or says who sent the request and where it wants to go.
    fn admit<'a>(&mut self, inbound: &Inbound<'a>, snapshot: &Snapshot, out: &mut Outbox) -> Option<Admitted<'a>> {
        let message = inbound.message;
        let loop_hash = match proxy::check(&message, &PROXY_OPTIONS, &self.calls.branches) {
            Ok(hash) => hash,
            Err(refused) => {
                self.refuse_checked(inbound, refused.status, out);
                return None;
            }
        };
        let plan = match proxy::preprocess(&message, &|uri| self.is_own_route(uri)) {
            Ok(plan) => plan,
            Err(_) => {
                self.refuse(inbound, Refusal::Malformed, out);
                return None;
            }
        };
        let passage = self.passage(&message, &plan);
        if let Err(refusal) = self.may_go_on(inbound, passage.is_some(), snapshot) {
            self.refuse(inbound, refusal, out);
            return None;
        }
        if let Some(passed) = passage.filter(|passed| self.suffices(inbound, passed, snapshot)) {
            self.spend_credentials(inbound, snapshot);
            return Some(Admitted { sender: Sender::Dialog(passed), plan, loop_hash });
        }
        let sender = self.identify(inbound, snapshot, out)?;
        if let Some(passed) = passage {
            // Who proves himself in a dialog goes where the dialog goes, nowhere else.
            return Some(Admitted { sender: Sender::Dialog(passed), plan, loop_hash });
        }
        if !plan.routes.is_empty() && !matches!(sender, Sender::Trusted) {
            // A Route of a user's own choosing would make us his relay.
            self.refuse(inbound, Refusal::NotServed, out);
            return None;
        }
        if let Err(refusal) = self.may_cross(&sender, plan.request_uri, snapshot) {
            self.refuse(inbound, refusal, out);
            return None;
        }
        if let Some(least) = too_small(&message, snapshot.pool(&self.pool)) {
            let least = least.to_string();
            self.refuse_with(inbound, Refusal::SessionTooSmall, &[("Min-SE", least.as_bytes())], out);
            return None;
        }
        if let (Sender::User(user), Method::Invite) = (&sender, message.method()) {
            let policy = snapshot.call_policy(user);
            if !policy.allow_outgoing {
                self.refuse(inbound, Refusal::CallsForbidden, out);
                return None;
            }
            if message.to_tag().is_none() && self.calls.of_user(user.id) >= policy.max_calls {
                self.refuse(inbound, Refusal::TooManyCalls, out);
                return None;
            }
        }
        Some(Admitted { sender, plan, loop_hash })
    }

    /// The dialog that the request belongs to, if our keyed hash proves it.
    fn passage(&self, message: &Message<'_>, plan: &RoutePlan<'_>) -> Option<Passage> {
        message.to_tag()?;
        let token = plan.own.last()?.uri.user()?;
        let routes = plan.routes.iter().map(|hop| hop.uri.raw());
        self.calls.tokens.verify(token, &DialogEnds::of(message), routes)
    }

    /// Is the hash enough by itself? For [`TOKEN_LIFE`], and as long as the call is under way; and not for somebody who
    /// may no longer sign in: he may end his call, nothing else.
    fn suffices(&self, inbound: &Inbound<'_>, passage: &Passage, snapshot: &Snapshot) -> bool {
        let message = &inbound.message;
        (passage.age(inbound.now.wall) < TOKEN_LIFE || self.is_call_under_way(message, passage.direction))
            && (matches!(message.method(), Method::Bye | Method::Ack) || self.may_still_speak(message, snapshot))
    }

    /// Is From still somebody who may speak: a user who is not disabled or removed, or nobody of our domains at all?
    fn may_still_speak(&self, message: &Message<'_>, snapshot: &Snapshot) -> bool {
        let Ok(from) = message.from() else { return false };
        let Ok(uri) = from.parsed_uri() else { return false };
        if let Some(Gruu::Temporary(what)) = self.gruus.read(&uri) {
            return snapshot.directory().by_id(UserId(what.user)).is_some_and(|user| user.enabled);
        }
        let intent = Intent { request_uri: from.uri, to_this_host: self.is_us(&uri), traced: false };
        !matches!(decide(snapshot, &intent).route, Route::Refuse(Refusal::NotFound | Refusal::Malformed))
    }

    /// A trusted host, or a user with proof whose From is his own.
    pub(crate) fn identify(&mut self, inbound: &Inbound<'_>, snapshot: &Snapshot, out: &mut Outbox) -> Option<Sender> {
        if inbound.trusted {
            return Some(Sender::Trusted);
        }
        let message = inbound.message;
        if let Some(Outside::Federated(domain)) = inbound.outside {
            return self.identify_partner(inbound, domain, snapshot, out);
        }
        let from = message.from().ok().and_then(|from| from.parsed_uri().ok());
        let Some(from) = from.filter(|uri| matches!(uri.scheme(), Scheme::Sip | Scheme::Sips)) else {
            self.refuse(inbound, Refusal::NotServed, out);
            return None;
        };
        // A foreign domain is told nothing, whatever it asks for.
        let Some(realm) = snapshot.our_domain(from.host_text()) else {
            self.refuse(inbound, Refusal::NotServed, out);
            return None;
        };
        let (user, _) = self.authenticate(inbound, Kind::Proxy, realm.as_str(), snapshot, out)?;
        if !is_user(&from, &user) {
            self.refuse(inbound, Refusal::NotYourIdentity, out);
            return None;
        }
        if inbound.outside.is_some() && !snapshot.external_access_policy(&user).allow_remote {
            self.refuse(inbound, Refusal::ExternalForbidden, out);
            return None;
        }
        Some(Sender::User(user))
    }

    fn refuse_checked(&mut self, inbound: &Inbound<'_>, status: u16, out: &mut Outbox) {
        match status {
            416 => self.refuse(inbound, Refusal::UnknownScheme, out),
            483 => self.refuse(inbound, Refusal::TooManyHops, out),
            482 => self.refuse(inbound, Refusal::Loop, out),
            420 => {
                let unknown = crate::register::unknown_options(&inbound.message, Name::ProxyRequire, &PROXY_OPTIONS);
                self.refuse_with(inbound, Refusal::BadExtension, &[("Unsupported", &unknown)], out);
            }
            _ => self.refuse(inbound, Refusal::Malformed, out),
        }
    }

    /// 100 at once: it stops the caller's retransmissions.
    fn trying(&mut self, inbound: &Inbound<'_>, server: ServerId) {
        let remote = inbound.arrival.remote;
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        ResponseBuilder::new(&inbound.message, 100, "Trying").received(remote.ip(), remote.port()).write(&mut bytes);
        self.transactions.respond(inbound.now.mono, server, 100, &bytes);
        self.scratch = bytes;
    }

    /// CANCEL: answered here, and the branches of the INVITE are cancelled (RFC 3261 §16.10).
    pub(crate) fn cancel(&mut self, inbound: &Inbound<'_>, out: &mut Outbox) {
        let message = inbound.message;
        let reliable = inbound.arrival.transport.is_reliable();
        let reply_to = inbound.reply_to();
        let invite = match self.transactions.request_arrived(inbound.now.mono, &message, reliable, &reply_to) {
            Incoming::Cancel(invite) => invite,
            _ => return self.flush_transactions(inbound.now, out),
        };
        let Some(invite) = invite else {
            return self.refuse(inbound, Refusal::NotOurDialog, out);
        };
        self.answer_lines(inbound, 200, "OK", b"", out);
        if !self.ladders.is_empty() {
            let (reply, to) = (std::mem::take(&mut self.reply), inbound.reply_to());
            self.ladder_sent_of(inbound.now, message.call_id(), &to, &reply);
            self.reply = reply;
        }
        self.cancel_call(inbound.now, invite, out);
        self.flush_transactions(inbound.now, out);
    }

    /// ACK: absorbed by the INVITE it confirms, or forwarded without state if it carries our token.
    pub(crate) fn ack(&mut self, inbound: &Inbound<'_>, out: &mut Outbox) {
        let message = inbound.message;
        let reliable = inbound.arrival.transport.is_reliable();
        let arrived = self.transactions.request_arrived(inbound.now.mono, &message, reliable, &inbound.reply_to());
        if arrived != Incoming::AckForSuccess || matches!(message.max_forwards(), Some(Ok(0))) {
            return self.flush_transactions(inbound.now, out);
        }
        let Ok(plan) = proxy::preprocess(&message, &|uri| self.is_own_route(uri)) else { return };
        let sender = match self.passage(&message, &plan) {
            // Where the token is too old by itself the INVITE was let in by other proof, and its call is under way.
            Some(passed) if self.suffices(inbound, &passed, &Arc::clone(&self.snapshot)) => Sender::Dialog(passed),
            // The ACK of a stateless 407 or of a stranger ends here.
            _ if inbound.trusted && !plan.own.is_empty() => Sender::Trusted,
            _ => return,
        };
        let loop_hash = self.calls.branches.loop_hash(&message);
        self.forward_ack(inbound, &Admitted { sender, plan, loop_hash }, out);
    }
}

/// Does this URI name this user?
fn is_user(uri: &Uri<'_>, user: &UserRecord) -> bool {
    let name = user.address.user().as_bytes();
    uri.user().is_some_and(|part| {
        part.eq_ignore_ascii_case(name) || lyceum_sip::uri::unescape(part).eq_ignore_ascii_case(name)
    }) && uri.host_text().eq_ignore_ascii_case(user.address.domain().as_bytes())
}

/// The session timer policy of a pool.
pub(crate) fn timer_policy(pool: &PoolPolicies) -> session_timer::Policy {
    let wanted = if pool.proxy.insert_session_timers { pool.proxy.session_expires_seconds } else { 0 };
    session_timer::Policy { min: pool.proxy.min_session_expires_seconds, wanted }
}

/// RFC 4028 §8.1: the Min-SE of a 422, when Session-Expires is below our minimum and the caller knows what 422 means.
fn too_small(message: &Message<'_>, pool: &PoolPolicies) -> Option<u32> {
    match session_timer::at_proxy(&session_timer::Offer::of(message)?, &timer_policy(pool)) {
        AtProxy::TooSmall(least) => Some(least),
        AtProxy::Forward { .. } => None,
    }
}
