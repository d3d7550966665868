//! Static routes: requests for these targets go to those next hops.

use crate::domain::DomainName;
use crate::trusted::HopTransport;
use serde::{Deserialize, Serialize};

/// Requests that match go to the next hops, the first route in the list that matches wins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaticRoute {
    /// The route's name, unique among routes.
    #[serde(default)]
    pub name: String,
    /// What a person wants to know about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Which requests.
    #[serde(rename = "match")]
    pub matches: RouteMatch,
    /// Where to, by priority, then weight, as in RFC 2782.
    #[serde(default)]
    pub next_hops: Vec<NextHop>,
}

/// What a request must look like to take a route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RouteMatch {
    /// The host of the Request-URI is this domain.
    Domain {
        /// The domain, without a wildcard.
        #[serde(default)]
        name: DomainName,
        /// Whether its sub-domains match as well.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        subdomains: bool,
    },
    /// The Request-URI, its scheme and host in lower case, begins so: `sip:conf-`.
    UriPrefix {
        /// The beginning, with the scheme. `sip:` covers `sips:` too.
        prefix: String,
    },
    /// The number in a `tel:` URI, or in the user part of one of our own `sip:` URIs, begins so: `+49`.
    TelPrefix {
        /// Digits, with a leading `+` for international numbers. Separators in the request are skipped.
        prefix: String,
    },
}

/// One server to hand requests to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NextHop {
    /// A host name or an address.
    #[serde(default)]
    pub host: String,
    /// The port; absent, RFC 3263 finds it (SRV, else 5060, or 5061 for TLS).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The transport.
    #[serde(default = "tls")]
    pub transport: HopTransport,
    /// Lower is tried first.
    #[serde(default = "ten")]
    pub priority: u16,
    /// Share among hops of equal priority.
    #[serde(default = "ten")]
    pub weight: u16,
}

fn tls() -> HopTransport {
    HopTransport::Tls
}

fn ten() -> u16 {
    10
}

impl StaticRoute {
    /// The hops in the order to try, as positions in `next_hops`, into `order`.
    ///
    /// `draw(n)` gives a random number in `0..=n`; RFC 2782 orders hops of one priority by weighted lot.
    pub fn order(&self, mut draw: impl FnMut(u32) -> u32, order: &mut Vec<usize>) {
        order.clear();
        let mut rest: Vec<usize> = (0..self.next_hops.len()).collect();
        // RFC 2782: those of weight 0 stand first, so that they have a small chance.
        rest.sort_by_key(|&hop| (self.next_hops[hop].priority, self.next_hops[hop].weight != 0));
        while let Some(&first) = rest.first() {
            let priority = self.next_hops[first].priority;
            let level = rest.iter().take_while(|&&hop| self.next_hops[hop].priority == priority).count();
            let total: u32 = rest[..level].iter().map(|&hop| u32::from(self.next_hops[hop].weight)).sum();
            let lot = draw(total).min(total);
            let mut sum = 0;
            let chosen = rest[..level]
                .iter()
                .position(|&hop| {
                    sum += u32::from(self.next_hops[hop].weight);
                    sum >= lot
                })
                .unwrap_or(0);
            order.push(rest.remove(chosen));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(priority: u16, weight: u16) -> NextHop {
        NextHop { host: "h".into(), port: None, transport: HopTransport::Tcp, priority, weight }
    }

    fn route(next_hops: Vec<NextHop>) -> StaticRoute {
        let matches = RouteMatch::TelPrefix { prefix: "+".into() };
        StaticRoute { name: "r".into(), description: String::new(), matches, next_hops }
    }

    #[test]
    fn lower_priority_first_then_by_weighted_lot() {
        let route = route(vec![hop(20, 1), hop(10, 1), hop(10, 9)]);
        let mut order = Vec::new();
        route.order(|_| 0, &mut order);
        assert_eq!(order, [1, 2, 0]);
        route.order(|total| total, &mut order);
        assert_eq!(order, [2, 1, 0]);
    }
}
