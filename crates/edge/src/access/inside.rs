//! From the pool to users outside, down their flows, and to other organisations.

use std::net::SocketAddr;
use std::sync::Arc;

use lyceum_net::{Destination, Flow, Outbox};
use lyceum_sip::proxy::{hops_left, wants_record_route};
use lyceum_sip::time::Now;
use lyceum_sip::{Method, Name, Splice, Transport};

use super::engine::{Access, Inbound};
use super::marks::{Leads, Way};
use super::outside::via_line;
use super::refusal::Refusal;
use super::sent::Sent;
use super::{CLOSE_HEADER, strip};

impl Access {
    pub(super) fn pool_asks(&mut self, inbound: &Inbound<'_>, out: &mut Outbox) {
        match self.own_route(&inbound.message) {
            // Its user may no longer sign in.
            Ok(Some(Leads::Client(flow))) if inbound.message.value_named(CLOSE_HEADER).is_some() => out.close(flow),
            Ok(Some(Leads::Client(flow))) => self.down(inbound, flow, out),
            Ok(Some(Leads::Partner(domain))) => self.across(inbound, domain, out),
            Err(()) => self.refuse(inbound, Refusal::NotOurToken, out),
            Ok(None) => {
                let uri = inbound.message.parsed_request_uri();
                match uri.ok().and_then(|uri| String::from_utf8(uri.host_text().to_vec()).ok()) {
                    Some(host) => self.across(inbound, host.to_ascii_lowercase(), out),
                    None => self.refuse(inbound, Refusal::Malformed, out),
                }
            }
        }
    }

    fn down(&mut self, inbound: &Inbound<'_>, flow: Flow, out: &mut Outbox) {
        let transaction = self.marks.transaction(&inbound.message);
        let leads = Leads::Client(flow);
        let at = self.remote.clone();
        let way = Way::Down(flow, transaction);
        let Some(forwarded) = self.onwards(inbound, &way, &leads, &at, out) else { return };
        let ticket = match self.is_remembered(inbound) {
            true => {
                let sent = Sent::new(inbound.message.wire(), b"", "");
                if self.sent.keep(inbound.now.mono, transaction, sent) { transaction } else { 0 }
            }
            false => 0,
        };
        out.send(&Destination::Flow(flow), ticket, |buffer| buffer.extend_from_slice(&forwarded));
    }

    /// To the Access Edge of a domain that is not ours.
    fn across(&mut self, inbound: &Inbound<'_>, domain: String, out: &mut Outbox) {
        if self.ports.federation.is_none() || !self.cut.federation.standing(&domain).is_open() {
            return self.refuse(inbound, Refusal::DomainClosed, out);
        }
        let transaction = self.marks.transaction(&inbound.message);
        let way = Way::Across(self.marks.domain(&domain), transaction);
        let (at, leads) = (self.federation.clone(), Leads::Partner(domain.clone()));
        let Some(forwarded) = self.onwards(inbound, &way, &leads, &at, out) else { return };
        let sent = Sent::new(inbound.message.wire(), &forwarded, &domain);
        let is_new = self.is_remembered(inbound);
        match self.partner_at(inbound.now.mono, &domain, is_new) {
            Some(addresses) if is_new => {
                self.on_to_partner(inbound.now, transaction, sent, addresses, out);
            }
            Some(addresses) => {
                if let Some(addr) = addresses.first() {
                    out.send(&self.edge_of(&domain, *addr), 0, |buffer| buffer.extend_from_slice(&forwarded));
                }
            }
            // What follows a request that found no way has none either.
            None if !is_new => {}
            None => {
                if self.sent.keep(inbound.now.mono, transaction, sent) {
                    (self.find)(transaction, &domain);
                } else {
                    self.refuse(inbound, Refusal::PartnerDown, out);
                }
            }
        }
    }

    /// Sends to the first address, and remembers the others for when it does not answer.
    pub(super) fn on_to_partner(
        &mut self,
        now: Now,
        transaction: u64,
        mut sent: Sent,
        addresses: Vec<SocketAddr>,
        out: &mut Outbox,
    ) {
        let mut addresses = addresses.into_iter();
        let Some(first) = addresses.next() else { return };
        sent.later = addresses.collect();
        let to = self.edge_of(&sent.domain, first);
        out.send(&to, transaction, |buffer| buffer.extend_from_slice(&sent.forwarded));
        self.sent.keep(now.mono, transaction, sent);
    }

    /// RFC 5922: the certificate there must hold the domain.
    fn edge_of(&self, domain: &str, addr: SocketAddr) -> Destination {
        let from = self.ports.federation;
        Destination::Address { transport: Transport::Tls, addr, name: Some(Arc::from(domain)), from }
    }

    /// Is it remembered until its first answer? An ACK has none; a CANCEL goes where its INVITE went.
    fn is_remembered(&self, inbound: &Inbound<'_>) -> bool {
        !matches!(inbound.message.method(), Method::Ack | Method::Cancel)
    }

    /// The request as it goes on.
    fn onwards(
        &mut self,
        inbound: &Inbound<'_>,
        way: &Way,
        leads: &Leads,
        at: &str,
        out: &mut Outbox,
    ) -> Option<Vec<u8>> {
        let message = inbound.message;
        let Ok(hops) = hops_left(&message) else {
            self.refuse(inbound, Refusal::TooManyHops, out);
            return None;
        };
        let branch = self.marks.branch(way, self.marks.transaction(&message));
        let via = via_line(at, &branch);
        let hops = hops.to_string();
        let sips = message.parsed_request_uri().is_ok_and(|uri| uri.is_secure());
        let record = wants_record_route(&message).then(|| self.marks.route_line("Record-Route: ", at, leads, "", sips));
        let mut splice = Splice::new(message);
        strip::to_outside(&mut splice);
        if self.is_first_route_ours(&message) {
            splice.remove_first_value(Name::Route);
        }
        splice.replace(Name::MaxForwards, hops.as_bytes());
        if let Some(record) = &record {
            splice.prepend(record);
        }
        splice.prepend(&via);
        let mut forwarded = Vec::with_capacity(message.wire().len() + 512);
        splice.write(&mut forwarded);
        Some(forwarded)
    }
}
