//! Static routes.

use super::{Findings, entry};
use crate::document::Document;
use crate::domain::DomainName;
use crate::path::Path;
use crate::problem::Code;
use crate::route::{NextHop, RouteMatch, StaticRoute};
use std::net::IpAddr;

/// The most next hops of one route: each is tried in turn while the caller waits.
const MAX_HOPS: usize = 32;

pub(super) fn check(document: &Document, found: &mut Findings) {
    let list = Path::root().key("static_routes");
    found.names(&list, "static route", document.static_routes.iter().map(|route| route.name.as_str()));
    for (at, route) in document.static_routes.iter().enumerate() {
        let path = entry(&list, at, &route.name);
        matches(document, route, &path.key("match"), found);
        if let Some(earlier) =
            document.static_routes[..at].iter().find(|earlier| covers(&earlier.matches, &route.matches))
        {
            let what = format!("The route {} stands before it and takes all its requests.", earlier.name);
            found.add(&path, Code::ShadowedRoute, what, "Move the narrower route up, or remove one.");
        }
        hops(route, &path.key("next_hops"), found);
    }
}

fn matches(document: &Document, route: &StaticRoute, path: &Path, found: &mut Findings) {
    match &route.matches {
        RouteMatch::Domain { name, .. } if name.as_str().is_empty() => {
            found.add(
                &path.key("domain").key("name"),
                Code::BadFqdn,
                "There is no domain.",
                "Give the domain whose requests go this way.",
            );
        }
        RouteMatch::Domain { name, .. } => {
            if document.domains.iter().any(|own| covers(&route.matches, &of_domain(&own.name))) {
                let what =
                    format!("{name} is one of our own domains, or above one: its users could not be reached any more.");
                let fix = "Route by uri_prefix or tel_prefix, or give up the SIP domain.";
                found.add(&path.key("domain"), Code::RouteToOurselves, what, fix);
            }
        }
        RouteMatch::UriPrefix { prefix } => {
            let lower = prefix.to_ascii_lowercase();
            let rest = ["sip:", "tel:", "urn:service:"].iter().find_map(|scheme| lower.strip_prefix(scheme));
            if rest.is_none_or(str::is_empty) || lower.bytes().any(|b| b.is_ascii_whitespace() || b.is_ascii_control())
            {
                let what = format!("`{prefix}` is not the beginning of a Request-URI.");
                found.add(
                    &path.key("uri_prefix"),
                    Code::BadPattern,
                    what,
                    "Write the scheme and at least one character, as sip:conf-, sip:+49 or urn:service:sos.",
                );
            }
        }
        RouteMatch::TelPrefix { prefix } => {
            let digits = prefix.strip_prefix('+').unwrap_or(prefix);
            if prefix.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit() || b"*#".contains(&b)) {
                let what = format!("`{prefix}` is not the beginning of a number.");
                found.add(
                    &path.key("tel_prefix"),
                    Code::BadPattern,
                    what,
                    "Write digits, with a leading + for international numbers.",
                );
            }
        }
    }
}

fn of_domain(name: &DomainName) -> RouteMatch {
    RouteMatch::Domain { name: name.clone(), subdomains: false }
}

/// Whether everything `narrow` matches is matched by `wide`.
fn covers(wide: &RouteMatch, narrow: &RouteMatch) -> bool {
    match (wide, narrow) {
        (RouteMatch::Domain { name: wide, subdomains }, RouteMatch::Domain { name: narrow, subdomains: below }) => {
            let under = narrow.as_str().strip_suffix(wide.as_str()).is_some_and(|head| head.ends_with('.'));
            wide == narrow && (*subdomains || !below) || *subdomains && under
        }
        (RouteMatch::UriPrefix { prefix: wide }, RouteMatch::UriPrefix { prefix: narrow }) => {
            narrow.to_ascii_lowercase().starts_with(&wide.to_ascii_lowercase())
        }
        (RouteMatch::TelPrefix { prefix: wide }, RouteMatch::TelPrefix { prefix: narrow }) => {
            narrow.starts_with(wide.as_str())
        }
        _ => false,
    }
}

fn hops(route: &StaticRoute, list: &Path, found: &mut Findings) {
    if route.next_hops.is_empty() {
        found.add(list, Code::NoNextHop, "The route leads nowhere.", "Add a next hop with host, port and transport.");
    }
    if route.next_hops.len() > MAX_HOPS {
        let what = format!("{} next hops are more than the {MAX_HOPS} allowed.", route.next_hops.len());
        found.add(list, Code::TooMany, what, "Give a name with SRV records instead.");
    }
    for (at, hop) in route.next_hops.iter().enumerate() {
        let path = list.index(at);
        if !is_host(&hop.host) {
            let what = format!("`{}` is neither a host name nor an address.", hop.host);
            found.add(
                &path.key("host"),
                Code::BadFqdn,
                what,
                "Give a DNS name or an IP address, without port or brackets.",
            );
        }
        if hop.port == Some(0) {
            found.add(&path.key("port"), Code::BadPort, "0 is not a port.", "Give 1 to 65535, or leave it out.");
        }
        if route.next_hops[..at].iter().any(|other| same(other, hop)) {
            found.add(
                &path,
                Code::Duplicate,
                "The same next hop is listed twice.",
                "Remove one; use weight for a larger share.",
            );
        }
    }
}

fn is_host(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok() || DomainName::parse(host).is_ok_and(|name| !looks_like_address(name.as_str()))
}

/// `192.0.2` or `300.1.1.1` are DNS names by their letters, and a typing error by all likelihood.
fn looks_like_address(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

fn same(a: &NextHop, b: &NextHop) -> bool {
    a.host.eq_ignore_ascii_case(&b.host) && a.port == b.port && a.transport == b.transport
}
