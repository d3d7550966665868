//! Lookups that every request makes, and how document and directory are held together.

mod common;

use common::{contoso, many, user};
use lyceum_topology::{Directory, GrantKind, HopTransport, PeerFacts, Snapshot, UserId};

fn snapshot() -> Snapshot {
    Snapshot::compile(&contoso(), Directory::default()).unwrap()
}

#[test]
fn our_domains_are_known_whatever_the_letter_case() {
    let snapshot = snapshot();
    for (host, ours) in
        [("contoso.com", true), ("FABRIKAM.com", true), ("contoso.com.", true), ("x.contoso.com", false), ("", false)]
    {
        assert_eq!(snapshot.is_our_domain(host.as_bytes()), ours, "{host}");
    }
    assert_eq!(snapshot.our_domain(b"Fabrikam.COM").unwrap().as_str(), "fabrikam.com");
    assert_eq!(snapshot.default_domain().as_str(), "contoso.com");
}

#[test]
fn trust_needs_the_certificate_or_the_address_over_a_listed_transport() {
    use HopTransport::{Tcp, Tls, Udp};
    let snapshot = snapshot();
    let certificate = ["SBC.contoso.com".to_owned()];
    let stranger = ["evil.example.com".to_owned()];
    for (address, transport, names, inside, host) in [
        ("198.51.100.1", Some(Tls), &certificate[..], false, Some("sbc")),
        ("198.51.100.1", None, &certificate[..], false, Some("sbc")),
        ("198.51.100.1", Some(Tls), &stranger[..], false, None),
        ("192.0.2.7", Some(Tcp), &[], false, Some("pbx")),
        ("::ffff:192.0.2.7", Some(Tcp), &[], false, Some("pbx")),
        ("192.0.2.7", Some(Tls), &[], false, None),
        ("192.0.2.7", Some(Udp), &[], false, None),
        ("192.0.2.7", Some(Udp), &[], true, Some("pbx")),
        ("192.0.2.7", None, &[], true, None),
        ("192.0.2.8", Some(Tcp), &[], true, None),
    ] {
        let peer = PeerFacts { address: address.parse().unwrap(), transport, names, inside };
        assert_eq!(snapshot.trusted(&peer).map(|host| host.name.as_str()), host, "{peer:?}");
    }
}

#[test]
fn static_routes_match_in_order() {
    let snapshot = snapshot();
    for (uri, route) in [
        ("sip:bot-7@contoso.com", Some("bots")),
        ("SIPS:Bot-7:secret@contoso.com:5061;transport=tls", Some("bots")),
        ("sip:%62ot-7@contoso.com", Some("bots")),
        ("sip:robot-7@contoso.com", None),
        ("tel:+49-30-123", Some("pstn")),
        ("tel:+49(30)123;phone-context=x", Some("pstn")),
        ("sip:+4930123@fabrikam.com;user=phone", Some("pstn")),
        ("sip:+4930123;ext=5@fabrikam.com", Some("pstn")),
        ("sip:+4930123@elsewhere.org", None),
        ("sip:+49anna@contoso.com", None),
        ("tel:+4830123", None),
        ("urn:service:sos", None),
        ("nonsense", None),
    ] {
        assert_eq!(snapshot.static_route(uri.as_bytes()).map(|route| route.name.as_str()), route, "{uri}");
    }
}

#[test]
fn a_domain_route_may_cover_its_subdomains() {
    let mut document = contoso();
    document.static_routes = serde_json::from_value(serde_json::json!([
        {"name": "one", "match": {"domain": {"name": "partner.org"}}, "next_hops": [{"host": "a"}]},
        {"name": "all", "match": {"domain": {"name": "partner.org", "subdomains": true}}, "next_hops": [{"host": "b"}]},
    ]))
    .unwrap();
    let snapshot = Snapshot::compile(&document, Directory::default()).unwrap();
    for (uri, route) in [
        ("sip:x@partner.org", Some("one")),
        ("sip:Partner.ORG:5060", Some("one")),
        ("sip:x@eu.partner.org;lr", Some("all")),
        ("sip:x@notpartner.org", None),
        ("sip:x@[2001:db8::1]:5060", None),
    ] {
        assert_eq!(snapshot.static_route(uri.as_bytes()).map(|route| route.name.as_str()), route, "{uri}");
    }
}

#[test]
fn numbers_find_their_user() {
    let snapshot = Snapshot::compile(&contoso(), many(100)).unwrap();
    assert_eq!(snapshot.by_number("tel:+49300000042").unwrap().address.as_str(), "user42@contoso.com");
    assert!(snapshot.by_number("+49399").is_none() && snapshot.by_number("42").is_none());
}

#[test]
fn a_document_that_leaves_users_behind_is_refused_with_their_number() {
    let mut document = contoso();
    document.policies.registrar.named.clear();
    document.domains.remove(1);
    document.sites.remove(2);
    document.sites.remove(1);
    let mut directory = Directory::default();
    for (id, address, pool, grant) in [
        (1, "a@contoso.com", "paris1", None),
        (2, "b@fabrikam.com", "berlin1", None),
        (3, "c@contoso.com", "berlin1", Some("Executives")),
        (4, "d@contoso.com", "paris1", Some("Executives")),
    ] {
        directory.insert(user(id, address, pool).granted(GrantKind::Registrar, grant)).unwrap();
    }
    let problems = Snapshot::compile(&document, directory.clone()).unwrap_err();
    let found: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "LYT0025 domains.\"fabrikam.com\": 1 user has an address in fabrikam.com, which is not a SIP domain of the organisation. \
             Keep the domain, or give those users another address first.",
            "LYT0026 policies.registrar.named.Executives: 2 users have this policy granted, and it does not exist. \
             Keep the policy, or grant those users another first.",
            "LYT0024 sites: 2 users are homed on the pool paris1, which does not exist. \
             Keep the pool, or move those users to another first.",
        ]
    );
    assert!(Snapshot::compile(&contoso(), directory).is_ok());
}

#[test]
fn a_full_pool_takes_no_more() {
    let mut document = contoso();
    document.policies.registrar.global.max_users = Some(60);
    assert_eq!(Snapshot::compile(&document, many(100)).unwrap_err()[0].code, "LYT0027");
    assert!(Snapshot::compile(&document, many(90)).is_ok());
}

#[test]
fn a_record_is_checked_before_it_is_stored() {
    let snapshot = Snapshot::compile(&contoso(), many(10)).unwrap();
    let wrong = user(99, "user1@contoso.com", "rome1").granted(GrantKind::Calls, Some("Nobody"));
    let codes =
        |problems: Vec<lyceum_topology::Problem>| problems.iter().map(|problem| problem.code).collect::<Vec<_>>();
    assert_eq!(codes(snapshot.check_user(&wrong)), ["LYT0028", "LYT0024", "LYT0026"]);
    assert_eq!(codes(snapshot.check_user(&user(99, "x@elsewhere.org", "paris1"))), ["LYT0025"]);
    assert_eq!(codes(snapshot.check_user(&user(99, "x@fabrikam.com", "paris1"))), [""; 0]);
}

#[test]
fn a_directory_change_keeps_the_document_and_is_seen_at_once() {
    let before = Snapshot::compile(&contoso(), many(1_000)).unwrap();
    let changed = before
        .directory()
        .with(user(5, "new@contoso.com", "berlin1").granted(GrantKind::Registrar, Some("Executives")))
        .unwrap();
    let after = before.with_directory(changed).unwrap();
    assert!(before.user(b"new", b"contoso.com").is_none());
    let new = after.user(b"new", b"contoso.com").unwrap();
    assert_eq!(after.registrar_policy(new).max_endpoints, 16);
    assert!(std::ptr::eq(before.document(), after.document()));
    // A record of the older snapshot is still answered rightly by the newer one.
    let old = before.directory().by_id(UserId(6)).unwrap();
    assert_eq!(after.registrar_policy(old), before.registrar_policy(old));
}

#[test]
fn the_cut_for_an_edge_holds_nobody() {
    let edge = Snapshot::compile(&contoso(), many(100)).unwrap().for_edge();
    assert!(
        edge.directory().is_empty()
            && edge.user(b"user1", b"contoso.com").is_none()
            && edge.by_number("+49300000001").is_none()
    );
    assert!(edge.is_our_domain(b"contoso.com"));
    assert_eq!(edge.pool("berlin1").proxy.max_forwards, 70);
}
