//! Where does a request go? A decision over the snapshot, with its trace: the same steps fill the call record and
//! answer `explain`.

use std::sync::Arc;

use lyceum_monitoring::{DecisionStep, Private};
use lyceum_sip::uri::tel::Telephone;
use lyceum_sip::{Scheme, Uri};
use lyceum_topology::federation::Standing;
use lyceum_topology::{NextHop, Snapshot, UserRecord};

use crate::refusal::Refusal;

/// What a request asks for.
#[derive(Clone, Copy, Debug)]
pub struct Intent<'a> {
    /// The Request-URI as received.
    pub request_uri: &'a [u8],
    /// The host of the Request-URI means this server, though it is none of the SIP domains.
    pub to_this_host: bool,
    /// Keep the steps; without them the decision allocates nothing.
    pub traced: bool,
}

/// Where it goes.
#[derive(Clone, Debug)]
pub enum Route {
    /// To the endpoints of a user.
    User(Arc<UserRecord>),
    /// To the first of these hops that answers.
    Hops {
        /// The static route's name.
        name: String,
        /// Its hops.
        hops: Vec<NextHop>,
    },
    /// To this domain of another organisation, through an Access Edge.
    Federation(String),
    /// Nowhere.
    Refuse(Refusal),
}

/// A route and how it was found.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The result.
    pub route: Route,
    /// The steps in order; empty unless asked for.
    pub steps: Vec<DecisionStep>,
}

/// Decides where a request goes.
///
/// Order: a user's address, then a user's number, then static routes, first match wins. A domain that is not ours is
/// reached by a static route, or by federation where the topology has it; who may is asked before. The server is never an
/// open relay.
pub fn decide(snapshot: &Snapshot, intent: &Intent<'_>) -> Decision {
    let mut trace = Trace { steps: Vec::new(), on: intent.traced };
    let route = match Uri::parse(intent.request_uri) {
        Err(_) => Route::Refuse(Refusal::Malformed),
        Ok(uri) => match uri.scheme() {
            Scheme::Sip | Scheme::Sips => sip(snapshot, intent, &uri, &mut trace),
            Scheme::Tel => number(snapshot, intent, uri.opaque(), &mut trace),
            Scheme::Urn => static_route(snapshot, intent, Refusal::NoService, &mut trace),
            Scheme::Other => Route::Refuse(Refusal::UnknownScheme),
        },
    };
    Decision { route, steps: trace.steps }
}

struct Trace {
    steps: Vec<DecisionStep>,
    on: bool,
}

impl Trace {
    fn step(&mut self, make: impl FnOnce() -> DecisionStep) {
        if self.on {
            self.steps.push(make());
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn sip(snapshot: &Snapshot, intent: &Intent<'_>, uri: &Uri<'_>, trace: &mut Trace) -> Route {
    let domain = match snapshot.our_domain(uri.host_text()) {
        Some(domain) => domain,
        None if intent.to_this_host => snapshot.default_domain(),
        None => {
            trace.step(|| DecisionStep::Domain { name: text(uri.host_text()), ours: false });
            return elsewhere(snapshot, intent, uri, trace);
        }
    };
    trace.step(|| DecisionStep::Domain { name: domain.to_string(), ours: true });
    let Some(user) = uri.user() else {
        return static_route(snapshot, intent, Refusal::NotFound, trace);
    };
    if let Some(record) = snapshot.user(user, domain.as_str().as_bytes()) {
        return to_user(record, trace);
    }
    if looks_like_number(user) {
        return number(snapshot, intent, user, trace);
    }
    static_route(snapshot, intent, Refusal::NotFound, trace)
}

fn to_user(record: &Arc<UserRecord>, trace: &mut Trace) -> Route {
    trace.step(|| DecisionStep::User { address: record.address.to_string(), enabled: record.enabled });
    // A disabled user is told apart from an unknown one to nobody.
    if record.enabled { Route::User(Arc::clone(record)) } else { Route::Refuse(Refusal::NotFound) }
}

fn number(snapshot: &Snapshot, intent: &Intent<'_>, digits: &[u8], trace: &mut Trace) -> Route {
    let owner = Telephone::parse(digits).filter(Telephone::is_global).and_then(|telephone| {
        let mut plain = String::from("+");
        plain.extend(telephone.digits().map(char::from).filter(char::is_ascii_digit));
        if let Some(extension) = telephone.extension() {
            plain.push_str(";ext=");
            plain.push_str(&text(extension));
        }
        snapshot.by_number(&plain)
    });
    trace.step(|| DecisionStep::Number {
        number: Private::new(text(digits)),
        user: owner.map(|record| record.address.to_string()),
    });
    match owner {
        Some(record) => to_user(record, trace),
        None => static_route(snapshot, intent, Refusal::NotFound, trace),
    }
}

/// A domain that is not ours.
fn elsewhere(snapshot: &Snapshot, intent: &Intent<'_>, uri: &Uri<'_>, trace: &mut Trace) -> Route {
    let domain = text(uri.host_text()).to_ascii_lowercase();
    let standing = snapshot.document().federation.standing(&domain);
    let is_name = uri.host().ip().is_none();
    let otherwise = if standing == Standing::Blocked { Refusal::DomainClosed } else { Refusal::NotServed };
    if snapshot.static_route(intent.request_uri).is_some() || !standing.is_open() || !is_name {
        return static_route(snapshot, intent, otherwise, trace);
    }
    trace.step(|| DecisionStep::Federation { domain: domain.clone() });
    Route::Federation(domain)
}

fn static_route(snapshot: &Snapshot, intent: &Intent<'_>, otherwise: Refusal, trace: &mut Trace) -> Route {
    match snapshot.static_route(intent.request_uri) {
        Some(route) if !route.next_hops.is_empty() => {
            trace.step(|| DecisionStep::StaticRoute { name: route.name.clone() });
            Route::Hops { name: route.name.clone(), hops: route.next_hops.clone() }
        }
        _ => {
            trace.step(|| DecisionStep::Unknown);
            Route::Refuse(otherwise)
        }
    }
}

/// Is the user part of an address a telephone number?
pub(crate) fn looks_like_number(user: &[u8]) -> bool {
    let user = user.split(|byte| *byte == b';').next().unwrap_or_default();
    let digits = user.strip_prefix(b"+").unwrap_or(user);
    !digits.is_empty() && digits.iter().all(|byte| byte.is_ascii_digit() || b"-.()".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lyceum_topology::{
        AddressOfRecord, Directory, Document, DomainName, HopTransport, LineUri, RouteMatch, StaticRoute, UserId,
    };

    fn snapshot() -> Snapshot {
        let domain = DomainName::parse("example.org").unwrap();
        let mut document = Document::dev(domain.clone(), domain);
        let hop = NextHop {
            host: "192.0.2.9".into(),
            port: Some(5060),
            transport: HopTransport::Tcp,
            priority: 10,
            weight: 10,
        };
        let route = |name: &str, matches| StaticRoute {
            name: name.into(),
            description: String::new(),
            matches,
            next_hops: vec![hop.clone()],
        };
        let partner = DomainName::parse("partner.test").unwrap();
        document.static_routes = vec![
            route("gateway", RouteMatch::TelPrefix { prefix: "+49".into() }),
            route("partner", RouteMatch::Domain { name: partner, subdomains: false }),
            route("emergency", RouteMatch::UriPrefix { prefix: "urn:service:sos".into() }),
        ];
        let mut directory = Directory::default();
        let mut anna = UserRecord::new(UserId(1), AddressOfRecord::parse("anna@example.org").unwrap(), "pool1");
        anna.numbers = vec![LineUri::parse("tel:+4930111").unwrap()].into();
        let mut carl = UserRecord::new(UserId(2), AddressOfRecord::parse("carl@example.org").unwrap(), "pool1");
        carl.enabled = false;
        directory.insert(anna).unwrap();
        directory.insert(carl).unwrap();
        Snapshot::compile(&document, directory).unwrap()
    }

    /// What is dialled, and where it goes.
    #[test]
    fn table_of_destinations() {
        let snapshot = snapshot();
        for (dialled, expected) in [
            ("sip:anna@example.org", "user anna@example.org"),
            ("sip:ANNA@Example.ORG;transport=tcp", "user anna@example.org"),
            ("sips:anna@example.org", "user anna@example.org"),
            ("tel:+49-30-111", "user anna@example.org"),
            ("sip:+4930111@example.org;user=phone", "user anna@example.org"),
            ("tel:+4940222", "route gateway"),
            ("sip:+4940222@example.org", "route gateway"),
            ("tel:+1555", "404"),
            ("sip:nobody@example.org", "404"),
            ("sip:carl@example.org", "404"),
            ("sip:x@partner.test", "route partner"),
            ("sip:x@elsewhere.test", "403"),
            ("urn:service:sos.fire", "route emergency"),
            ("urn:service:counseling", "404"),
            ("http://example.org", "416"),
            ("sip:", "400"),
        ] {
            let intent = Intent { request_uri: dialled.as_bytes(), to_this_host: false, traced: true };
            let got = match decide(&snapshot, &intent).route {
                Route::User(record) => format!("user {}", record.address),
                Route::Hops { name, .. } => format!("route {name}"),
                Route::Federation(domain) => format!("federation {domain}"),
                Route::Refuse(refusal) => refusal.status().to_string(),
            };
            assert_eq!(got, expected, "{dialled}");
        }
    }

    #[test]
    fn the_trace_tells_the_steps_in_order() {
        let intent = Intent { request_uri: b"sip:+4940222@example.org", to_this_host: false, traced: true };
        let sentences: Vec<_> = decide(&snapshot(), &intent).steps.iter().map(DecisionStep::sentence).collect();
        assert_eq!(
            sentences,
            [
                "example.org is one of our domains.",
                "+4940222 is nobody's number here.",
                "The static route gateway fits."
            ]
        );
    }
}
