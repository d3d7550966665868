//! Keyed marks: in Path and Record-Route they name a client's flow or a partner, in Via the way back of an answer. Nobody
//! without the key makes one, so nobody outside can aim our messages.

use std::hash::{BuildHasher, Hasher, RandomState};

use lyceum_net::Flow;
use lyceum_sip::token::FlowTokens;
use lyceum_sip::{Message, SecretKey, Uri};

use super::EDGE_PARAM;

const CLIENT: u8 = b'c';
const PARTNER: u8 = b'p';
const OUTSIDE: u8 = b'o';
const DOWN: u8 = b'd';
const ACROSS: u8 = b'a';
/// RFC 3261 §8.1.1.7.
const MAGIC: &[u8] = b"z9hG4bK";
/// The parameter beside a partner's mark that holds the domain in clear.
const DOMAIN_PARAM: &str = "d";

/// Where a route of ours leads outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Leads {
    /// Down a client's flow.
    Client(Flow),
    /// To a partner.
    Partner(String),
}

/// What our Via says of the request it was put on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It came from outside by this flow: the answer goes there.
    Outside(Flow),
    /// It came from the pool and went down this flow: the answer must come from there.
    Down(Flow, u64),
    /// It came from the pool and went to a partner: the answer must come from who proves its domain.
    Across(u64, u64),
}

pub(super) struct Marks {
    routes: FlowTokens,
    vias: FlowTokens,
    domains: SecretKey,
    transactions: RandomState,
}

impl Marks {
    pub(super) fn new(key: &SecretKey) -> Marks {
        Marks {
            routes: FlowTokens::new(&key.derive("edge routes")),
            vias: FlowTokens::new(&key.derive("edge vias")),
            domains: key.derive("edge domains"),
            transactions: RandomState::new(),
        }
    }

    /// What a domain is known by in marks; letter case does not matter.
    pub(super) fn domain(&self, domain: &str) -> u64 {
        let key = self.domains.derive(&domain.to_ascii_lowercase());
        u64::from_le_bytes(std::array::from_fn(|at| key.0[at]))
    }

    /// `<sip:mark@host:port;transport=tls;lr;edge…>` behind `line` (`Path: `, say).
    pub(super) fn route_line(&self, line: &str, at: &str, leads: &Leads, more: &str, sips: bool) -> Vec<u8> {
        let mut plain = Vec::with_capacity(16);
        match leads {
            Leads::Client(flow) => {
                plain.push(CLIENT);
                plain.extend_from_slice(&flow.encode());
            }
            Leads::Partner(domain) => {
                plain.push(PARTNER);
                plain.extend_from_slice(&self.domain(domain).to_be_bytes());
            }
        }
        let mut out = Vec::with_capacity(128);
        out.extend_from_slice(line.as_bytes());
        out.extend_from_slice(if sips { b"<sips:" } else { b"<sip:" });
        self.routes.encode(&plain, &mut out);
        let transport = if sips { "tcp" } else { "tls" };
        out.extend_from_slice(format!("@{at};transport={transport};lr;{EDGE_PARAM}{more}").as_bytes());
        if let Leads::Partner(domain) = leads {
            out.extend_from_slice(format!(";{DOMAIN_PARAM}={domain}").as_bytes());
        }
        out.push(b'>');
        out
    }

    /// Where a route with our mark leads; `None` when the mark is not ours.
    pub(super) fn leads(&self, uri: &Uri<'_>) -> Option<Leads> {
        let plain = self.routes.decode(uri.user()?)?;
        let (kind, rest) = plain.split_first()?;
        match *kind {
            CLIENT => Flow::decode(rest).map(Leads::Client),
            PARTNER => {
                let domain = std::str::from_utf8(uri.param(DOMAIN_PARAM)?).ok()?.to_ascii_lowercase();
                (self.domain(&domain).to_be_bytes() == rest).then_some(Leads::Partner(domain))
            }
            _ => None,
        }
    }

    /// The same for a request, its repetitions, its CANCEL and the ACK of its refusal (RFC 3261 §16.11).
    pub(super) fn transaction(&self, message: &Message<'_>) -> u64 {
        let via = message.top_via();
        let mut hasher = self.transactions.build_hasher();
        let branch = via.as_ref().map(|via| via.branch).unwrap_or_default();
        for part in [branch, message.call_id(), message.from_tag().unwrap_or_default()] {
            hasher.write(part);
            hasher.write_u8(0xff);
        }
        hasher.write_u32(message.cseq().number);
        hasher.finish()
    }

    /// Our branch for a request.
    pub(super) fn branch(&self, way: &Way, transaction: u64) -> Vec<u8> {
        let mut plain = Vec::with_capacity(24);
        match way {
            Way::Outside(flow) | Way::Down(flow, _) => {
                plain.push(if matches!(way, Way::Outside(_)) { OUTSIDE } else { DOWN });
                plain.extend_from_slice(&transaction.to_be_bytes());
                plain.extend_from_slice(&flow.encode());
            }
            Way::Across(domain, _) => {
                plain.push(ACROSS);
                plain.extend_from_slice(&transaction.to_be_bytes());
                plain.extend_from_slice(&domain.to_be_bytes());
            }
        }
        let mut branch = MAGIC.to_vec();
        self.vias.encode(&plain, &mut branch);
        branch
    }

    /// Reads [`Marks::branch`] back.
    pub(super) fn way(&self, branch: &[u8]) -> Option<Way> {
        let plain = self.vias.decode(branch.strip_prefix(MAGIC)?)?;
        let (kind, rest) = plain.split_first()?;
        let (transaction, rest) = rest.split_first_chunk::<8>()?;
        let transaction = u64::from_be_bytes(*transaction);
        match *kind {
            OUTSIDE => Flow::decode(rest).map(Way::Outside),
            DOWN => Flow::decode(rest).map(|flow| Way::Down(flow, transaction)),
            ACROSS => Some(Way::Across(u64::from_be_bytes(rest.try_into().ok()?), transaction)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOW: Flow = Flow::Stream { worker: 0, index: 7, generation: 99 };

    #[test]
    fn routes_and_branches_come_back_and_nobody_else_makes_them() {
        let marks = Marks::new(&SecretKey([1; 32]));
        let other = Marks::new(&SecretKey([2; 32]));
        for leads in [Leads::Client(FLOW), Leads::Partner("partner.test".into())] {
            let line = marks.route_line("", "edge.test:443", &leads, "", false);
            let uri = Uri::parse(&line[1..line.len() - 1]).unwrap();
            assert!(uri.is_loose_route() && uri.param(EDGE_PARAM).is_some());
            assert_eq!(marks.leads(&uri), Some(leads));
            assert_eq!(other.leads(&uri), None);
        }
        let line = marks.route_line("", "e:1", &Leads::Partner("partner.test".into()), "", false);
        let forged = String::from_utf8(line).unwrap().replace("d=partner.test", "d=other.test");
        assert_eq!(marks.leads(&Uri::parse(&forged.as_bytes()[1..forged.len() - 1]).unwrap()), None);
        for way in [Way::Outside(FLOW), Way::Down(FLOW, 5), Way::Across(marks.domain("P.test"), 5)] {
            let branch = marks.branch(&way, 5);
            assert_eq!(marks.way(&branch), Some(way));
            assert_eq!(other.way(&branch), None);
        }
        assert_eq!(marks.domain("P.test"), marks.domain("p.TEST"));
    }
}
