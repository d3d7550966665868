//! Where accounts come from.

use super::Findings;
use crate::accounts::{Ldap, MappedField, Oidc};
use crate::document::Document;
use crate::path::Path;
use crate::problem::Code;

/// The longest text of the section, in characters.
const MAX_TEXT: usize = 1_024;
/// What one answer of a directory server may hold; Active Directory gives 1,000 at most.
const PAGES: (u32, u32) = (1, 1_000);
/// The shortest time between two comparisons, and the longest.
const INTERVAL_SECONDS: (u32, u32) = (10, 86_400);
/// How far an issuer's clock may be off at most.
const MAX_SKEW_SECONDS: u32 = 300;

pub(super) fn check(document: &Document, found: &mut Findings) {
    let path = Path::root().key("accounts");
    if let Some(ldap) = &document.accounts.ldap {
        check_ldap(document, ldap, &path.key("ldap"), found);
    }
    if let Some(oidc) = &document.accounts.oidc {
        check_oidc(document, oidc, &path.key("oidc"), found);
    }
}

fn check_ldap(document: &Document, ldap: &Ldap, path: &Path, found: &mut Findings) {
    server(ldap, path, found);
    for (name, text) in [("base", &ldap.base), ("bind_dn", &ldap.bind_dn)] {
        if text.len() > MAX_TEXT || text.chars().any(char::is_control) || (!text.is_empty() && !text.contains('=')) {
            let fix = "Write a distinguished name, as OU=People,DC=contoso,DC=com.";
            found.add(&path.key(name), Code::WrongValue, format!("`{text}` is no distinguished name."), fix);
        }
    }
    if ldap.base.is_empty() {
        found.add(
            &path.key("base"),
            Code::WrongValue,
            "There is no place where the search begins.",
            "Write the distinguished name above your people, as DC=contoso,DC=com.",
        );
    }
    if !is_filter(ldap.filter()) {
        let what = format!("`{}` is no filter.", ldap.filter);
        found.add(&path.key("filter"), Code::BadPattern, what, "Write it in parentheses, as (objectClass=person).");
    }
    attributes(ldap, &path.key("attributes"), found);
    domain(document, ldap.domain.as_deref(), &path.key("domain"), found);
    if let Some(pool) = &ldap.pool
        && !document.pools().any(|(_, one)| one.name == *pool)
    {
        let fix = "Name a pool of the document, or leave it out.";
        found.add(&path.key("pool"), Code::UnknownPool, format!("There is no pool {pool}."), fix);
    }
    range(ldap.page_size, PAGES, &path.key("page_size"), found);
    range(ldap.max_removed_percent, (1, 100), &path.key("max_removed_percent"), found);
    if ldap.interval_seconds != 0 {
        range(ldap.interval_seconds, INTERVAL_SECONDS, &path.key("interval_seconds"), found);
    }
}

fn server(ldap: &Ldap, path: &Path, found: &mut Findings) {
    let url = path.key("url");
    let (secure, host) = match (ldap.url.strip_prefix("ldaps://"), ldap.url.strip_prefix("ldap://")) {
        (Some(host), _) => (true, host),
        (None, Some(host)) => (false, host),
        (None, None) => {
            let what = format!("`{}` is not the address of a directory server.", ldap.url);
            return found.add(&url, Code::BadServer, what, "Write ldaps:// and the server's name.");
        }
    };
    if !is_authority(host.strip_suffix('/').unwrap_or(host)) {
        let fix = "Write the name alone, with a port if it is not the usual one: ldaps://dc1.contoso.com:3269.";
        return found.add(&url, Code::BadServer, format!("`{host}` is no name of a server."), fix);
    }
    if secure && ldap.start_tls {
        let fix = "Leave start_tls out with ldaps://.";
        found.add(&path.key("start_tls"), Code::Contradiction, "A connection by ldaps:// is TLS from the start.", fix);
    }
    if !secure && !ldap.start_tls && !ldap.allow_plain && !is_loopback(host) {
        found.add(
            &url,
            Code::Contradiction,
            "By ldap:// passwords would cross the network in the clear.",
            "Write ldaps://, or set start_tls: true; who has to do without says allow_plain: true.",
        );
    }
}

fn attributes(ldap: &Ldap, path: &Path, found: &mut Findings) {
    let fix = "Write the attribute's name alone, as telephoneNumber; an empty one says that it is not read.";
    let mut look = |path: &Path, name: &str| {
        let letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == ';' || c == '.';
        if name.len() > MAX_TEXT || !name.chars().all(letter) {
            found.add(path, Code::WrongValue, format!("`{name}` is no attribute."), fix);
        }
    };
    for field in MappedField::ALL {
        if let Some(name) = ldap.attribute(field) {
            look(&path.key(field.name()), name);
        }
    }
    let addresses = ldap.address_attributes();
    for (at, name) in addresses.iter().enumerate() {
        look(&path.key("address").index(at), name);
    }
    if addresses.iter().all(|name| name.is_empty()) {
        let fix = "List at least one attribute, as userPrincipalName.";
        found.add(&path.key("address"), Code::WrongValue, "No attribute says who somebody is.", fix);
    }
    if ldap.attribute(MappedField::Id).is_none() {
        let fix = "Name an attribute that never changes, as entryUUID.";
        found.add(&path.key("id"), Code::WrongValue, "No attribute tells a person for life.", fix);
    }
}

fn check_oidc(document: &Document, oidc: &Oidc, path: &Path, found: &mut Findings) {
    found.name(&path.key("name"), "issuer", &oidc.name);
    let plain = oidc.issuer.strip_prefix("http://");
    let host = oidc.issuer.strip_prefix("https://").or(plain).and_then(|rest| rest.split('/').next());
    if !host.is_some_and(is_authority) || oidc.issuer.contains(['?', '#', ' ', '"']) || oidc.issuer.len() > MAX_TEXT {
        let what = format!("`{}` is no issuer.", oidc.issuer);
        found.add(&path.key("issuer"), Code::BadServer, what, "Write it exactly as the issuer does, https:// first.");
    } else if plain.is_some() && !host.is_some_and(is_loopback) {
        let fix = "Write https://; http:// is for an issuer on this machine alone.";
        found.add(&path.key("issuer"), Code::Contradiction, "By http:// anybody could vouch for anybody.", fix);
    }
    if oidc.client_id.is_empty() || oidc.client_id.len() > MAX_TEXT {
        let fix = "Write what the issuer knows us as.";
        found.add(&path.key("client_id"), Code::WrongValue, "There is no client_id.", fix);
    }
    if oidc.claim.is_empty() {
        let fix = "Write email or preferred_username.";
        found.add(&path.key("claim"), Code::WrongValue, "No claim says who somebody is.", fix);
    }
    for (at, scope) in oidc.scopes.iter().enumerate() {
        if scope.is_empty() || !scope.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\') {
            let fix = "Write one word for each, as email.";
            found.add(&path.key("scopes").index(at), Code::WrongValue, format!("`{scope}` is no scope."), fix);
        }
    }
    domain(document, oidc.domain.as_deref(), &path.key("domain"), found);
    range(oidc.clock_skew_seconds, (0, MAX_SKEW_SECONDS), &path.key("clock_skew_seconds"), found);
}

fn range(value: u32, (least, most): (u32, u32), path: &Path, found: &mut Findings) {
    if !(least..=most).contains(&value) {
        let what = format!("{value} is outside {least} to {most}.");
        found.add(path, Code::OutOfRange, what, format!("Write {least} to {most}."));
    }
}

fn domain(document: &Document, domain: Option<&str>, path: &Path, found: &mut Findings) {
    let Some(domain) = domain else { return };
    if !document.domains.iter().any(|one| one.name.as_str().eq_ignore_ascii_case(domain)) {
        let what = format!("{domain} is no SIP domain of the document.");
        found.add(path, Code::UserInForeignDomain, what, "Name one of `domains`, or leave it out.");
    }
}

/// `host`, `host:port` or `[address]:port`.
fn is_authority(text: &str) -> bool {
    let (host, port) = split(text);
    let letter = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    !host.is_empty() && host.len() <= 253 && host.chars().all(letter) && port.is_none_or(|p| p.parse::<u16>().is_ok())
}

fn split(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    }
}

fn is_loopback(authority: &str) -> bool {
    let host = split(authority.strip_suffix('/').unwrap_or(authority)).0.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Parentheses that open and close; what is in them is the server's to judge.
fn is_filter(text: &str) -> bool {
    let mut depth = 0_i32;
    for byte in text.bytes() {
        depth += i32::from(byte == b'(') - i32::from(byte == b')');
        if depth < 0 {
            return false;
        }
    }
    depth == 0 && text.starts_with('(') && text.ends_with(')') && text.len() <= 8 * MAX_TEXT
}
