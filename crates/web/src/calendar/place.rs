//! Where a calendar may be fetched from: nothing that a user writes makes the server knock at doors inside its own network.

use axum::http::Uri;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Longest address of a feed, in bytes.
pub const ADDRESS_MOST: usize = 1024;

/// A calendar's place, taken apart.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    /// Whether it is fetched over TLS.
    pub secure: bool,
    /// Name or address, without brackets, in lower case.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Path and query.
    pub path: String,
    /// Whether policy names the host: then plain HTTP and private addresses are allowed.
    pub named: bool,
}

impl Place {
    /// Reads an address that a user gave, or that a server led to.
    ///
    /// # Errors
    /// What is wrong with it, for the user.
    pub fn parse(text: &str, named: &[String]) -> Result<Place, String> {
        let wrong = |why: &str| Err(format!("{why}; write the https:// address that your calendar gives for sharing"));
        let text = text.trim();
        // What calendars call their addresses when they are to be subscribed to.
        let text = text.strip_prefix("webcal://").map_or_else(|| text.to_owned(), |rest| format!("https://{rest}"));
        if text.len() > ADDRESS_MOST {
            return wrong("the address is too long");
        }
        let Ok(uri) = text.parse::<Uri>() else { return wrong("this is no address") };
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return wrong("this is no whole address");
        };
        if authority.as_str().contains('@') {
            return wrong("an address with a user name in it is not fetched");
        }
        let host = authority.host().trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
        let is_named = named.iter().any(|one| one.eq_ignore_ascii_case(&host));
        let secure = match scheme {
            "https" => true,
            "http" if is_named => false,
            "http" => return wrong("calendars are fetched by https alone"),
            _ => return wrong("this is no address of the web"),
        };
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Place { secure, host, port, path, named: is_named })
    }

    /// Whether this address of the host may be connected to.
    pub fn may_reach(&self, address: IpAddr) -> bool {
        self.named || is_public(address)
    }

    /// What stands in the Host header.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let usual = if self.secure { 443 } else { 80 };
        if self.port == usual { host } else { format!("{host}:{}", self.port) }
    }

    /// Where this redirection leads.
    pub fn follow(&self, location: &str, named: &[String]) -> Result<Place, String> {
        match location.strip_prefix('/').filter(|rest| !rest.starts_with('/')) {
            Some(_) => Ok(Place { path: location.to_owned(), ..self.clone() }),
            None => Place::parse(location, named),
        }
    }
}

/// The host of an address, all of it that is ever shown.
pub fn host_of(address: &str) -> Option<String> {
    let address = address.replacen("webcal://", "https://", 1);
    Some(address.parse::<Uri>().ok()?.host()?.to_ascii_lowercase())
}

/// Whether an address belongs to the internet at large (RFC 6890 and its registries).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && b & 0xc0 == 64)
        || (a, b, c) == (192, 0, 0)
        || (a, b, c) == (192, 88, 99)
        || (a == 198 && b & 0xfe == 18);
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, .., y, z] = address.segments();
    let inside = |high: u16, low: u16| {
        let ([p, q], [r, s]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(p, q, r, s))
    };
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    match a {
        // An IPv4 address stands in these: NAT64 and 6to4.
        0x64 if b == 0xff9b && address.segments()[2..6] == [0; 4] => inside(y, z),
        0x2002 => inside(b, address.segments()[2]),
        // Teredo, benchmarks, documentation, identifiers.
        0x2001 => b >= 0x200 && b != 0xdb8,
        0x3fff => b >= 0x1000,
        _ => a & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_addresses_of_the_web_are_read() {
        let named = vec!["cal.corp.example".to_owned(), "10.0.0.5".to_owned()];
        for (text, read) in [
            ("https://cal.example/a.ics?key=1", Some("cal.example /a.ics?key=1")),
            ("webcal://Cal.Example:8443/a", Some("cal.example:8443 /a")),
            ("http://cal.corp.example/x", Some("cal.corp.example /x")),
            ("http://10.0.0.5:8080", Some("10.0.0.5:8080 /")),
            ("https://[2001:db8::1]/", Some("[2001:db8::1] /")),
            ("http://cal.example/a.ics", None),
            ("https://user:pw@cal.example/", None),
            ("file:///etc/passwd", None),
            ("ftp://cal.example/", None),
            ("/a.ics", None),
            ("", None),
        ] {
            let place = Place::parse(text, &named).ok().map(|place| format!("{} {}", place.authority(), place.path));
            assert_eq!(place.as_deref(), read, "{text}");
        }
    }

    #[test]
    fn what_is_inside_stays_unreached() {
        for (text, public) in [
            ("8.8.8.8", true),
            ("127.0.0.1", false),
            ("10.1.2.3", false),
            ("172.16.0.1", false),
            ("172.32.0.1", true),
            ("192.168.1.1", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false),
            ("100.128.0.1", true),
            ("0.0.0.0", false),
            ("198.19.255.255", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("2606:4700::1111", true),
            ("2001:4860:4860::8888", true),
            ("::1", false),
            ("::", false),
            ("fe80::1", false),
            ("fc00::1", false),
            ("fd12::1", false),
            ("ff02::1", false),
            ("2001:db8::1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:8.8.8.8", true),
            ("64:ff9b::a00:1", false),
            ("64:ff9b::808:808", true),
            ("2002:7f00:1::", false),
            ("2001::1", false),
        ] {
            assert_eq!(is_public(text.parse().expect("an address")), public, "{text}");
        }
    }

    #[test]
    fn a_redirection_is_looked_at_like_the_first_address() {
        let place = Place::parse("https://cal.example/a", &[]).expect("an address");
        assert!(place.follow("/b?c", &[]).is_ok_and(|next| next.host == "cal.example" && next.path == "/b?c"));
        assert!(place.follow("http://127.0.0.1/", &[]).is_err());
        assert!(place.follow("//evil.example/x", &[]).is_err());
        assert!(!place.follow("https://10.0.0.1/", &[]).expect("an address").may_reach([10, 0, 0, 1].into()));
    }
}
