//! Differences between documents: found, applied, told.

mod common;

use common::{CONTOSO, contoso};
use lyceum_topology::{Change, ChangeKind, Document, Path};
use proptest::prelude::*;
use serde_json::json;

fn paths(before: &Document, after: &Document) -> Vec<String> {
    Document::diff(before, after).iter().map(|change| format!("{:?} {}", change.kind, change.path)).collect()
}

#[test]
fn a_difference_is_told_by_path_and_sentence() {
    let after = CONTOSO
        .replace("max_endpoints: 12", "max_endpoints: 20")
        .replace("- name: fabrikam.com\n", "- name: tailspin.com\n")
        .replace("name: fe2", "name: fe9");
    let changes = Document::diff(&contoso(), &Document::from_yaml(&after).unwrap());
    let mut sentences: Vec<String> = changes.iter().map(Change::sentence).collect();
    sentences.sort_unstable();
    assert_eq!(
        sentences,
        [
            "Node fe2 of pool berlin1 in site Berlin removed.",
            "Node fe9 of pool berlin1 in site Berlin added.",
            "Registrar policy of site Berlin: max_endpoints changed from 12 to 20.",
            "SIP domain fabrikam.com removed.",
            "SIP domain tailspin.com added.",
        ]
    );
}

#[test]
fn an_insertion_is_one_addition_and_a_swap_one_new_order() {
    let before = contoso();
    let mut after = before.clone();
    after.static_routes.swap(0, 1);
    assert_eq!(paths(&before, &after), ["Reordered static_routes"]);
    let mut after = before.clone();
    after.sites.push(lyceum_topology::Site { name: "Rome".into(), ..Default::default() });
    assert_eq!(paths(&before, &after), ["Added sites.Rome"]);
}

#[test]
fn the_version_is_no_difference() {
    let mut after = contoso();
    after.version = 7;
    assert_eq!(Document::diff(&contoso(), &after), []);
}

#[test]
fn a_field_is_set_in_a_scope_that_had_none_and_unset_again() {
    let path = Path::parse("policies.lockout.pools.paris1.account_failures").unwrap();
    let set = contoso().with_changes(&[Change::set(path.clone(), Some(json!(7)))]).unwrap();
    assert_eq!(set.value_at(&path), Some(json!(7)));
    assert_eq!(set.policies.lockout.pools["paris1"].account_failures, Some(7));
    let unset = set.with_changes(&[Change::set(path.clone(), None)]).unwrap();
    assert_eq!(unset.value_at(&path), None);
}

#[test]
fn what_cannot_be_set_is_a_problem_with_its_path() {
    let wrong = |path: &str, value| {
        let problems = contoso().with_changes(&[Change::set(Path::parse(path).unwrap(), value)]).unwrap_err();
        format!("{} {}", problems[0].code, problems[0].path)
    };
    assert_eq!(
        wrong("policies.registrar.global.max_endpoint", Some(json!(1))),
        "LYT0003 policies.registrar.global.max_endpoint"
    );
    assert_eq!(
        wrong("policies.registrar.global.max_endpoints", Some(json!("x"))),
        "LYT0004 policies.registrar.global.max_endpoints"
    );
    assert_eq!(wrong("sites.Rome", None), "LYT0003 sites.Rome");
    assert_eq!(wrong("sites.Rome.description", Some(json!("x"))), "LYT0003 sites.Rome.description");
}

/// Documents that differ in many ways: fields of the sample changed, entries dropped, added and shuffled.
fn any_document() -> impl Strategy<Value = Document> {
    let numbers = (prop::option::of(1_u32..64), prop::option::of(300_u32..900), 0_usize..4);
    (numbers, prop::collection::vec("[a-zA-Z. ]{1,8}", 0..5), any::<u64>()).prop_map(
        |((endpoints, expires, drop), names, shuffle)| {
            let mut document = contoso();
            document.policies.registrar.global.max_endpoints = endpoints;
            document
                .policies
                .registrar
                .sites
                .entry(names.first().cloned().unwrap_or_default())
                .or_default()
                .max_expires = expires;
            document.policies.authentication.global.algorithms = endpoints.map(|_| Vec::new());
            for name in names.iter().collect::<std::collections::BTreeSet<_>>() {
                document.sites.push(lyceum_topology::Site {
                    name: name.clone(),
                    description: "new".into(),
                    ..Default::default()
                });
            }
            let (sites, routes) = (document.sites.len(), document.static_routes.len());
            document.sites.swap(shuffle as usize % sites, (shuffle >> 16) as usize % sites);
            document.static_routes.swap(0, (shuffle >> 32) as usize % routes);
            document.trusted_hosts.truncate(drop);
            document.domains.truncate(drop);
            document
        },
    )
}

proptest! {
    #[test]
    fn a_difference_applied_gives_the_other_document(before in any_document(), after in any_document()) {
        let changes = Document::diff(&before, &after);
        prop_assert_eq!(before.with_changes(&changes), Ok(after.clone()));
        prop_assert_eq!(changes.is_empty(), before == after);
        for change in &changes {
            prop_assert!(change.sentence().ends_with('.'), "{}", change.sentence());
            prop_assert!(change.kind != ChangeKind::Changed || change.before != change.after);
        }
    }
}
