//! Scopes: the narrowest that is set wins, field by field, and the report says which.

mod common;

use common::{contoso, user};
use lyceum_topology::policy::{RegistrarSettings, Scope, Scopes};
use lyceum_topology::{Directory, GrantKind, Origin, PolicyKind, Snapshot};
use proptest::prelude::*;
use serde_json::json;

#[test]
fn the_report_says_what_holds_where_from_and_what_else() {
    let anna = user(1, "anna@contoso.com", "berlin1").granted(GrantKind::Registrar, Some("Executives"));
    let report = Snapshot::compile(&contoso(), Directory::default()).unwrap().effective_policy(&anna);
    let value = |field: &str| {
        let value = report.value(PolicyKind::Registrar, field).unwrap();
        let otherwise = value.otherwise.as_ref().map(|(value, origin)| format!("{value} {origin}"));
        format!("{} {}; {}", value.value, value.origin, otherwise.unwrap_or_default())
    };
    assert_eq!(report.site.as_deref(), Some("Berlin"));
    assert_eq!(value("max_endpoints"), "16 from policy Executives granted to the user; 12 from site Berlin");
    assert_eq!(value("max_expires"), "1200 from site Berlin; 900 built-in default");
    assert_eq!(value("default_expires"), "700 from pool berlin1; 600 built-in default");
    assert_eq!(value("min_expires"), "300 built-in default; ");
    let fields: usize = PolicyKind::ALL.iter().map(|kind| kind.fields().len()).sum();
    assert_eq!(report.values.len(), fields);
    assert_eq!(report.value(PolicyKind::Proxy, "timer_c_seconds").unwrap().value, json!(185));
}

#[test]
fn the_compiled_policy_is_the_reported_one() {
    let mut directory = Directory::default();
    for (id, pool, grant) in [(1, "berlin1", Some("Executives")), (2, "berlin1", None), (3, "paris1", None)] {
        directory.insert(user(id, &format!("u{id}@contoso.com"), pool).granted(GrantKind::Registrar, grant)).unwrap();
    }
    let snapshot = Snapshot::compile(&contoso(), directory).unwrap();
    let policies: Vec<(u32, u32)> = (1..=3)
        .map(|id| {
            let user = snapshot.user(format!("u{id}").as_bytes(), b"contoso.com").unwrap();
            let policy = snapshot.registrar_policy(user);
            let reported = snapshot.effective_policy(user);
            assert_eq!(
                reported.value(PolicyKind::Registrar, "max_endpoints").unwrap().value,
                json!(policy.max_endpoints)
            );
            (policy.max_endpoints, policy.max_expires)
        })
        .collect();
    assert_eq!(policies, [(16, 1200), (12, 1200), (10, 900)]);
}

#[test]
fn a_record_that_is_not_in_the_directory_gets_its_pools_policy() {
    let snapshot = Snapshot::compile(&contoso(), Directory::default()).unwrap();
    assert_eq!(snapshot.registrar_policy(&user(9, "new@contoso.com", "berlin1")).max_endpoints, 12);
    assert_eq!(snapshot.registrar_policy(&user(9, "new@contoso.com", "nowhere")).max_endpoints, 10);
}

proptest! {
    /// Whatever is set where: the value is that of the narrowest scope that sets it.
    #[test]
    fn narrower_wins(global in prop::option::of(1_u32..64), site in prop::option::of(1_u32..64),
                     pool in prop::option::of(1_u32..64), named in prop::option::of(1_u32..64)) {
        let set = |max_endpoints| RegistrarSettings { max_endpoints, ..Default::default() };
        let mut document = contoso();
        let registrar = &mut document.policies.registrar;
        registrar.global = set(global);
        registrar.sites = [("Berlin".to_owned(), set(site))].into();
        registrar.pools = [("berlin1".to_owned(), set(pool))].into();
        registrar.named = [("Executives".to_owned(), set(named))].into();
        let scope = Scope { site: Some("Berlin"), pool: Some("berlin1"), grant: Some("Executives") };
        let expected = named.or(pool).or(site).or(global).unwrap_or(8);
        prop_assert_eq!(document.policies.registrar.effective(scope).max_endpoints, expected);

        let anna = user(1, "anna@contoso.com", "berlin1").granted(GrantKind::Registrar, Some("Executives"));
        let report = lyceum_topology::EffectivePolicy::of(&document, &anna);
        let value = report.value(PolicyKind::Registrar, "max_endpoints").unwrap();
        prop_assert_eq!(&value.value, &json!(expected));
        let origins = [named.map(|_| Origin::Named("Executives".into())), pool.map(|_| Origin::Pool("berlin1".into())),
                       site.map(|_| Origin::Site("Berlin".into())), global.map(|_| Origin::Global)];
        let mut expected = origins.into_iter().flatten().chain([Origin::BuiltIn]);
        let origin = expected.next();
        prop_assert_eq!(Some(&value.origin), origin.as_ref());
        let next = expected.next();
        prop_assert_eq!(value.otherwise.as_ref().map(|(_, origin)| origin), next.as_ref());
    }
}
