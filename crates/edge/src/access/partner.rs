//! From other organisations to the pool: who they are is proven, whom they may ask is ours.

use lyceum_net::Outbox;
use lyceum_sip::{Method, Scheme};
use lyceum_topology::federation::{DISCOVERED_MESSAGES_PER_SECOND, Standing};

use super::PARTNER_MESSAGES_PER_SECOND;
use super::engine::{Access, Inbound};
use super::marks::Leads;
use super::outside::Outside;
use super::refusal::Refusal;

impl Access {
    pub(super) fn partner_asks(&mut self, inbound: &Inbound<'_>, out: &mut Outbox) {
        match self.partner(inbound) {
            Ok(domain) => {
                let (at, who) = (self.federation.clone(), format!("federated;domain={domain}"));
                let leads = Leads::Partner(domain);
                self.hand_to_pool(inbound, &Outside { who: &who, leads, at: &at, is_client: false }, out);
            }
            Err(refusal) => self.refuse(inbound, refusal, out),
        }
    }

    /// The domain that the sender proved to speak for, when it may ask what it asks.
    fn partner(&mut self, inbound: &Inbound<'_>) -> Result<String, Refusal> {
        let peer = inbound.arrival.peer.ok_or(Refusal::NoCertificate)?;
        let message = &inbound.message;
        let from = message.from().ok().and_then(|from| from.parsed_uri().ok()).ok_or(Refusal::Malformed)?;
        if !matches!(from.scheme(), Scheme::Sip | Scheme::Sips) {
            return Err(Refusal::ForeignFrom);
        }
        let domain = std::str::from_utf8(from.host_text()).map_err(|_| Refusal::Malformed)?.to_ascii_lowercase();
        if !peer.is(&domain) || self.cut.is_ours(&domain) {
            return Err(Refusal::ForeignFrom);
        }
        let standing = self.cut.federation.standing(&domain);
        let rate = match standing {
            Standing::Partner | Standing::Public => PARTNER_MESSAGES_PER_SECOND,
            Standing::Discovered => DISCOVERED_MESSAGES_PER_SECOND,
            Standing::Blocked | Standing::Closed => return Err(Refusal::DomainClosed),
        };
        let key = self.marks.domain(&domain);
        if !self.partners.admits(inbound.now.mono, key, rate) {
            return Err(Refusal::PartnerTooFast);
        }
        if matches!(message.method(), Method::Register | Method::Publish) {
            return Err(Refusal::NotForPartners);
        }
        match self.own_route(message) {
            Ok(Some(Leads::Partner(of))) if of == domain => Ok(domain),
            Ok(None) => {
                let uri = message.parsed_request_uri().map_err(|_| Refusal::Malformed)?;
                let host = std::str::from_utf8(uri.host_text()).map_err(|_| Refusal::Malformed)?;
                if self.cut.is_ours(host) { Ok(domain) } else { Err(Refusal::NotServed) }
            }
            _ => Err(Refusal::NotOurToken),
        }
    }
}
