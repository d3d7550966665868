//! The text forms: round trips, and every problem of a text that cannot be read.

mod common;

use common::{CONTOSO, contoso};
use lyceum_topology::Document;
use proptest::prelude::*;

#[test]
fn a_document_round_trips_through_json_and_yaml() {
    let document = contoso();
    assert_eq!(Document::from_json(&document.to_json()), Ok(document.clone()));
    assert_eq!(Document::from_yaml(&document.to_yaml()), Ok(document));
}

#[test]
fn every_misreading_is_given_with_its_path() {
    let text = CONTOSO
        .replace("max_endpoints: 10", "max_endpoint: 10")
        .replace("max_expires: 1200", "max_expires: soon")
        .replace("name: fe2, fqdn: fe2.contoso.com", "name: fe2, fqdn: 'fe 2'")
        .replace("[udp, tcp]", "[udp, pigeon, tcp, smoke]")
        .replace("port: 5060, transport: udp", "port: 70000, transport: udp");
    let problems = Document::from_yaml(&text).unwrap_err();
    let mut found: Vec<String> = problems.iter().map(|problem| format!("{} {}", problem.code, problem.path)).collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "LYT0003 policies.registrar.global.max_endpoint",
            "LYT0004 policies.registrar.sites.Berlin.max_expires",
            "LYT0004 sites.Berlin.pools.berlin1.nodes.fe2.fqdn",
            "LYT0004 static_routes.pstn.next_hops[0].port",
            "LYT0004 trusted_hosts.pbx.by.address.transports[1]",
            "LYT0004 trusted_hosts.pbx.by.address.transports[3]",
        ]
    );
    let unknown = problems.iter().find(|problem| problem.code == "LYT0003").unwrap();
    assert_eq!(unknown.what, "There is no field `max_endpoint` here.");
    assert_eq!(unknown.fix, "Use one of: min_expires, default_expires, max_expires, max_endpoints, max_users.");
}

#[test]
fn broken_text_is_one_problem_that_names_the_place() {
    let problems = Document::from_json("{\n  \"organisation\": \"x\",\n}").unwrap_err();
    assert_eq!((problems[0].code, problems[0].path.as_str()), ("LYT0001", ""));
    assert!(problems[0].what.contains("line 3"), "{}", problems[0].what);
    assert_eq!(Document::from_yaml("a: [").unwrap_err()[0].code, "LYT0001");
}

#[test]
fn users_cannot_be_granted_what_acts_before_they_are_known() {
    let problems = Document::from_yaml("policies: { authentication: { named: { X: {} } } }").unwrap_err();
    assert_eq!(problems[0].path, "policies.authentication.named");
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        "[a-z*@:./-]{0,12}".prop_map(Into::into),
    ];
    // Half the keys are the document's own, so that the walk gets somewhere.
    let key = prop_oneof![
        "[a-z]{1,4}",
        prop::sample::select(vec![
            "name",
            "domains",
            "sites",
            "pools",
            "nodes",
            "fqdn",
            "policies",
            "registrar",
            "global",
            "named",
            "trusted_hosts",
            "by",
            "mtls",
            "static_routes",
            "match",
            "domain",
            "next_hops",
            "max_endpoints",
            "authentication",
            "rules",
            "algorithms",
        ])
        .prop_map(str::to_owned)
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map(key.clone(), inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_makes_reading_or_validation_panic(value in any_json(), text in ".{0,64}") {
        let _ = Document::from_json(&text);
        let _ = Document::from_yaml(&text);
        match Document::from_value(value) {
            Ok(document) => drop(document.validate()),
            Err(problems) => prop_assert!(!problems.is_empty()),
        }
    }
}
