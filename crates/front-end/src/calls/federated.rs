//! What passes between us and other organisations: by the topology's federation, and by the policy of the user of ours.

use std::sync::Arc;

use lyceum_net::{Destination, Outbox};
use lyceum_sip::gruu::Gruu;
use lyceum_sip::header::name_addr::NameAddr;
use lyceum_sip::{Message, Method, Name, Scheme, Transport, Uri};
use lyceum_topology::federation::Standing;
use lyceum_topology::{Snapshot, UserId, UserRecord};

use super::admit::Sender;
use super::context::Hop;
use super::hops::flow_bytes;
use crate::core::Core;
use crate::inbound::{Inbound, Outside};
use crate::refusal::Refusal;
use crate::route::{Intent, Route, decide, looks_like_number};

impl Core {
    /// Somebody of another organisation: the Edge has seen the domain proven, and From must be of it.
    pub(super) fn identify_partner(
        &mut self,
        inbound: &Inbound<'_>,
        domain: &str,
        snapshot: &Snapshot,
        out: &mut Outbox,
    ) -> Option<Sender> {
        let message = inbound.message;
        let from = message.from().ok().and_then(|from| from.parsed_uri().ok());
        let is_theirs = from.is_some_and(|uri| uri.host_text().eq_ignore_ascii_case(domain.as_bytes()));
        let standing = snapshot.document().federation.standing(domain);
        let refusal = match message.method() {
            Method::Register | Method::Publish => Some(Refusal::NotForPartners),
            _ if !is_theirs || snapshot.is_our_domain(domain.as_bytes()) => Some(Refusal::NotYourIdentity),
            _ if !standing.is_open() => Some(Refusal::DomainClosed),
            // A first one is held against its Request-URI; a later one goes to us and names whom it is about in To.
            Method::Subscribe if message.to_tag().is_some() && !ends_subscription(&message) => {
                let user = message.to().ok().and_then(|to| self.user_named(to.uri, snapshot));
                user.and_then(|user| self.may_reach(domain, &user, snapshot).err())
            }
            _ => None,
        };
        match refusal {
            None => Some(Sender::Federated(Arc::from(domain))),
            Some(refusal) => {
                self.refuse(inbound, refusal, out);
                None
            }
        }
    }

    /// May this request of no dialog go where it asks, as far as other organisations have a part in it?
    pub(crate) fn may_cross(&self, sender: &Sender, request_uri: &[u8], snapshot: &Snapshot) -> Result<(), Refusal> {
        let uri = Uri::parse(request_uri).ok();
        let host = uri.as_ref().map(Uri::host_text).unwrap_or_default();
        match sender {
            Sender::Dialog(_) | Sender::Trusted => Ok(()),
            Sender::Federated(domain) => {
                let to_this_host = uri.as_ref().is_some_and(|uri| self.is_us(uri));
                match decide(snapshot, &Intent { request_uri, to_this_host, traced: false }).route {
                    Route::User(user) => self.may_reach(domain, &user, snapshot),
                    _ => Err(Refusal::NotReachableOutside),
                }
            }
            Sender::User(_) if snapshot.is_our_domain(host) || host.is_empty() => Ok(()),
            Sender::User(user) => match decide(snapshot, &Intent { request_uri, to_this_host: false, traced: false })
                .route
            {
                Route::Federation(domain) if !may_talk(&domain, user, snapshot) => Err(Refusal::FederationForbidden),
                _ => Ok(()),
            },
        }
    }

    /// May somebody of this domain reach the user?
    pub(crate) fn may_reach(&self, domain: &str, user: &UserRecord, snapshot: &Snapshot) -> Result<(), Refusal> {
        if may_talk(domain, user, snapshot) { Ok(()) } else { Err(Refusal::NotReachableOutside) }
    }

    /// What was allowed when a dialog began may be forbidden by now: external access is asked again for everything but its
    /// end. And who is of another organisation sends nobody here to the telephone network.
    pub(super) fn may_go_on(&self, inbound: &Inbound<'_>, in_dialog: bool, snapshot: &Snapshot) -> Result<(), Refusal> {
        let message = &inbound.message;
        if message.method() == Method::Refer
            && matches!(inbound.outside, Some(Outside::Federated(_)))
            && self.refers_to_telephone(message, snapshot)
        {
            return Err(Refusal::NotReachableOutside);
        }
        if !in_dialog || matches!(message.method(), Method::Bye | Method::Ack) {
            return Ok(());
        }
        let named = |uri: Option<&[u8]>| uri.and_then(|uri| self.user_named(uri, snapshot));
        let (from, to) = (message.from().ok().map(|from| from.uri), message.to().ok().map(|to| to.uri));
        match inbound.outside {
            Some(Outside::Federated(domain)) => {
                if !snapshot.document().federation.standing(domain).is_open() {
                    return Err(Refusal::DomainClosed);
                }
                named(to).map_or(Ok(()), |user| self.may_reach(domain, &user, snapshot))
            }
            Some(Outside::Remote) => match named(from) {
                Some(user) if !snapshot.external_access_policy(&user).allow_remote => Err(Refusal::ExternalForbidden),
                _ => Ok(()),
            },
            None => match (named(from), to) {
                (Some(user), Some(to)) if !inbound.trusted => self.may_cross(&Sender::User(user), to, snapshot),
                _ => Ok(()),
            },
        }
    }

    /// The user of ours whom an address names, by a number or a GRUU, too.
    fn user_named(&self, address: &[u8], snapshot: &Snapshot) -> Option<Arc<UserRecord>> {
        let uri = Uri::parse(address).ok()?;
        if let Some(Gruu::Temporary(what)) = self.gruus.read(&uri) {
            return snapshot.directory().by_id(UserId(what.user)).cloned();
        }
        let to_this_host = self.is_us(&uri);
        match decide(snapshot, &Intent { request_uri: address, to_this_host, traced: false }).route {
            Route::User(user) => Some(user),
            _ => None,
        }
    }

    /// Would the transferred phone call the telephone network, or any other next hop of ours, in its own name?
    fn refers_to_telephone(&self, message: &Message<'_>, snapshot: &Snapshot) -> bool {
        let Some(value) = message.value(Name::ReferTo) else { return false };
        // What we cannot read a phone may read in its own way.
        let Ok(target) = NameAddr::parse(value) else { return true };
        let Ok(uri) = target.parsed_uri() else { return true };
        let request_uri = bare(target.uri);
        let intent = Intent { request_uri, to_this_host: self.is_us(&uri), traced: false };
        match decide(snapshot, &intent).route {
            Route::User(_) | Route::Federation(_) => false,
            Route::Hops { .. } => true,
            // Nobody's number, and an address beside us: a phone may have ways of its own.
            Route::Refuse(_) => match uri.scheme() {
                Scheme::Sip | Scheme::Sips => uri.user().is_some_and(looks_like_number),
                _ => true,
            },
        }
    }

    /// The hop out through an Access Edge, which finds the partner.
    pub(super) fn hop_outside(&self) -> Option<Hop> {
        let flow = self.edge_for_leaving()?;
        let listener = self.listeners.iter().find(|listener| listener.link)?.id;
        Some(Hop {
            flow: flow_bytes(Transport::Tls, &flow),
            ..Hop::new(Destination::Flow(flow), listener, Transport::Tls)
        })
    }
}

/// Does the user's policy allow people of this domain?
fn may_talk(domain: &str, user: &UserRecord, snapshot: &Snapshot) -> bool {
    let policy = snapshot.external_access_policy(user);
    match snapshot.document().federation.standing(domain) {
        Standing::Partner | Standing::Discovered => policy.allow_federation,
        Standing::Public => policy.allow_public,
        Standing::Blocked | Standing::Closed => false,
    }
}

/// A URI without the headers that a Refer-To gives the new request.
fn bare(uri: &[u8]) -> &[u8] {
    uri.split(|byte| *byte == b'?').next().unwrap_or(uri)
}

/// Who is to be told nothing any more may always say so.
fn ends_subscription(message: &Message<'_>) -> bool {
    message.value(Name::Expires).is_some_and(|value| value.trim_ascii() == b"0")
}
