//! What passes between us and other organisations: by the topology's federation, and by the policy of the user of ours.

use std::sync::Arc;

use lyceum_net::{Destination, Outbox};
use lyceum_sip::{Method, Transport, Uri};
use lyceum_topology::federation::Standing;
use lyceum_topology::{Snapshot, UserRecord};

use super::admit::Sender;
use super::context::Hop;
use super::hops::flow_bytes;
use crate::core::Core;
use crate::inbound::Inbound;
use crate::refusal::Refusal;
use crate::route::{Intent, Route, decide};

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
