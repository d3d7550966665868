//! Which static route a Request-URI takes.

use crate::directory::{unescaped_lower, without_final_dot};
use crate::route::{RouteMatch, StaticRoute};

/// The matches of the routes, in the document's order.
#[derive(Debug, Default)]
pub(crate) struct RouteTable(Vec<RouteMatch>);

/// A Request-URI taken apart as far as routes need.
#[derive(Debug, Clone, Copy)]
struct Target<'a> {
    /// Whether the scheme is `tel`.
    tel: bool,
    /// The user part without a password, or the number of a `tel:` URI, without parameters.
    user: &'a [u8],
    /// The host; empty for `tel:`.
    host: &'a [u8],
}

impl RouteTable {
    pub(crate) fn new(routes: &[StaticRoute]) -> Self {
        Self(routes.iter().map(|route| route.matches.clone()).collect())
    }

    /// The position of the first route that matches.
    pub(crate) fn find(&self, request_uri: &[u8], is_ours: impl Fn(&[u8]) -> bool) -> Option<usize> {
        if self.0.is_empty() {
            return None;
        }
        if request_uri.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"urn:")) {
            // RFC 8141 §3.1: the scheme and the namespace compare without regard to case; service names are lower case.
            return self.0.iter().position(|matches| match matches {
                RouteMatch::UriPrefix { prefix } => {
                    request_uri.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix.as_bytes()))
                }
                _ => false,
            });
        }
        let target = Target::of(request_uri)?;
        self.0.iter().position(|matches| match matches {
            RouteMatch::Domain { name, subdomains } => is_domain(target.host, name.as_str().as_bytes(), *subdomains),
            RouteMatch::UriPrefix { prefix } => target.begins(prefix.as_bytes()),
            RouteMatch::TelPrefix { prefix } => {
                (target.tel || is_ours(target.host)) && begins_with_number(target.user, prefix.as_bytes())
            }
        })
    }
}

impl<'a> Target<'a> {
    fn of(uri: &'a [u8]) -> Option<Self> {
        let colon = uri.iter().position(|&b| b == b':')?;
        let (scheme, rest) = (&uri[..colon], &uri[colon + 1..]);
        if scheme.eq_ignore_ascii_case(b"tel") {
            return Some(Self { tel: true, user: until(rest, b";?"), host: b"" });
        }
        if !scheme.eq_ignore_ascii_case(b"sip") && !scheme.eq_ignore_ascii_case(b"sips") {
            return None;
        }
        // An @ after the host's parameters begin belongs to them.
        let (user, after) = match rest.iter().position(|&b| b == b'@') {
            Some(at) => (until(&rest[..at], b":"), &rest[at + 1..]),
            None => (&rest[..0], rest),
        };
        Some(Self { tel: false, user, host: host_of(after) })
    }

    /// Whether scheme, user and host, written plainly, begin with this text.
    fn begins(self, prefix: &[u8]) -> bool {
        let scheme: &[u8] = if self.tel { b"tel:" } else { b"sip:" };
        let at: &[u8] = if self.user.is_empty() || self.tel { b"" } else { b"@" };
        let mut plain = scheme
            .iter()
            .copied()
            .chain(unescaped_lower(self.user))
            .chain(at.iter().copied())
            .chain(self.host.iter().map(u8::to_ascii_lowercase));
        prefix.iter().all(|&b| plain.next() == Some(b.to_ascii_lowercase()))
    }
}

fn until<'a>(bytes: &'a [u8], ends: &[u8]) -> &'a [u8] {
    let end = bytes.iter().position(|b| ends.contains(b)).unwrap_or(bytes.len());
    &bytes[..end]
}

fn host_of(hostport: &[u8]) -> &[u8] {
    match hostport.first() {
        // An IPv6 reference holds colons of its own.
        Some(b'[') => {
            let end = hostport.iter().position(|&b| b == b']').map_or(hostport.len(), |end| end + 1);
            &hostport[..end]
        }
        _ => until(hostport, b":;?>"),
    }
}

fn is_domain(host: &[u8], domain: &[u8], subdomains: bool) -> bool {
    let host = without_final_dot(host);
    if host.len() <= domain.len() {
        return host.eq_ignore_ascii_case(domain);
    }
    let (head, tail) = host.split_at(host.len() - domain.len());
    subdomains && head.ends_with(b".") && tail.eq_ignore_ascii_case(domain)
}

fn begins_with_number(user: &[u8], prefix: &[u8]) -> bool {
    // RFC 3966 §3: visual separators carry no meaning. Parameters such as phone-context end the number.
    let mut digits = unescaped_lower(until(user, b";")).filter(|b| !b"-.()".contains(b));
    let number_like = |b: u8| b.is_ascii_digit() || b"+*#abcd".contains(&b);
    prefix.iter().all(|&b| digits.next() == Some(b)) && digits.all(number_like)
}
