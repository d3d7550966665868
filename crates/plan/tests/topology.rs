//! A plan and the document it becomes say the same, there and back.

use std::collections::BTreeMap;

use lyceum_plan::document::{compare, from_topology, to_topology};
use lyceum_plan::{Plan, Results};
use lyceum_topology::{Document, DomainName, HopTransport, TrustedBy, TrustedHost};
use proptest::prelude::*;

fn plan(text: &str) -> Plan {
    Plan::read(text).unwrap_or_else(|problems| panic!("{problems}"))
}

fn document(plan: &Plan, base: &Document) -> Document {
    let results = Results::of(plan);
    to_topology(plan, &results.deployment, base).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn users(plan: &Plan) -> BTreeMap<String, u64> {
    plan.sites.iter().map(|site| (site.name.value.clone(), *site.users)).collect()
}

const TEXT: &str = "[organisation]\nname = \"Contoso\"\nsip_domains = [\"contoso.com\", \"fabrikam.com\"]\n\
    [voice]\ngateways = [\"10.0.0.5\", \"10.0.0.6\"]\n[archiving]\nenabled = true\ndays = 90\n\
    [monitoring]\ncdr_days = 7\n[meetings]\nenabled = false\n\
    [[site]]\nname = \"London\"\nusers = 30000\npair = \"Paris\"\n[[site]]\nname = \"Paris\"\nusers = 15000\n\
    [[site]]\nname = \"Leeds\"\nhub = \"London\"\nusers = 800\n\
    [[site]]\nname = \"Wick\"\nhub = \"London\"\nusers = 9\nsurvivable = false\n\
    [[link]]\nfrom = \"Leeds\"\nto = \"London\"\nmbps = 20\n[[link]]\nfrom = \"London\"\nto = \"internet\"\nmbps = 100\n";

#[test]
fn an_empty_plan_is_a_document_that_can_run() {
    let plan = plan("");
    let document = document(&plan, &Document::default());
    assert_eq!(document.validate(), []);
    assert_eq!(document.default_domain().map(DomainName::as_str), Some("contoso.com"));
    let pools: Vec<(&str, usize)> = document.pools().map(|(_, pool)| (pool.fqdn.as_str(), pool.nodes.len())).collect();
    assert_eq!(pools, [("fepool-main.contoso.com", 11)]);
}

#[test]
fn a_document_has_what_a_plan_says() {
    let plan = plan(TEXT);
    let document = document(&plan, &Document::default());
    assert_eq!(document.organisation, "Contoso");
    let sites: Vec<(&str, Option<&str>, usize)> = document
        .sites
        .iter()
        .map(|site| {
            (site.name.as_str(), site.branch_of.as_deref(), site.pools.iter().map(|pool| pool.nodes.len()).sum())
        })
        .collect();
    assert_eq!(sites[2..], [("Leeds", Some("London"), 1), ("Wick", Some("London"), 0)]);
    assert_eq!(document.trusted_hosts.len(), 2);
    let archiving = &document.policies.archiving.global;
    assert_eq!((archiving.archive_internal, archiving.keep_archiving_data_days), (Some(true), Some(90)));
    let detail = &document.policies.call_detail.global;
    assert_eq!((detail.keep_call_detail_days, detail.keep_ladder_days), (Some(7), Some(7)));
    assert_eq!(compare(&plan, &Results::of(&plan).deployment, &document), []);
}

#[test]
fn there_and_back_the_plan_is_the_same_where_both_can_say_it_and_elsewhere_too() {
    let before = plan(TEXT);
    let document = document(&before, &Document::default());
    let imported =
        from_topology(&document, &users(&before), Some(TEXT)).unwrap_or_else(|problems| panic!("{problems}"));
    let after = imported.plan;
    assert_eq!(compare(&after, &Results::of(&after).deployment, &document), []);
    assert_eq!(Results::of(&after).capacity, Results::of(&before).capacity);
    assert_eq!(Results::of(&after).bandwidth, Results::of(&before).bandwidth);
    assert_eq!(Results::of(&after).records, Results::of(&before).records);
    assert_eq!(self::document(&after, &document), document);
}

#[test]
fn without_a_plan_before_it_what_a_document_says_is_read_and_the_rest_is_remarked_on() {
    let before = plan(TEXT);
    let mut document = document(&before, &Document::default());
    document.trusted_hosts.push(TrustedHost {
        name: "Bot".to_owned(),
        description: String::new(),
        by: TrustedBy::Mtls { name: DomainName::parse("bot.contoso.com").expect("a name") },
    });
    let imported = from_topology(&document, &BTreeMap::new(), None).unwrap_or_else(|problems| panic!("{problems}"));
    let differences = compare(&imported.plan, &Results::of(&imported.plan).deployment, &document);
    assert!(differences.iter().all(|found| found.what.starts_with("servers for users")), "{differences:?}");
    assert_eq!(imported.plan.sites[2].hub, Some(0));
    assert!(!*imported.plan.sites[3].survivable);
    assert_eq!(
        imported.remarks,
        [
            "the users of these sites are not counted, and assumed: London, Paris, Leeds, Wick",
            "1 trusted hosts that are no gateway with one address stay in the topology: a plan does not say them",
        ]
    );
}

#[test]
fn what_a_plan_cannot_say_stays_as_it_was_in_the_document() {
    let mut base = Document { version: 7, ..Document::default() };
    base.policies.registrar.global.max_endpoints = Some(3);
    let bot = TrustedHost {
        name: "Bot".to_owned(),
        description: "answers".to_owned(),
        by: TrustedBy::Mtls { name: DomainName::parse("bot.contoso.com").expect("a name") },
    };
    let gone = TrustedHost {
        name: "Old gateway".to_owned(),
        description: String::new(),
        by: TrustedBy::Address {
            cidr: lyceum_topology::Cidr::parse("10.9.9.9").expect("an address"),
            transports: vec![HopTransport::Tls],
        },
    };
    base.trusted_hosts = vec![bot.clone(), gone];
    let document = document(&plan(TEXT), &base);
    assert_eq!(document.version, 7);
    assert_eq!(document.policies.registrar.global.max_endpoints, Some(3));
    let names: Vec<&str> = document.trusted_hosts.iter().map(|host| host.name.as_str()).collect();
    assert_eq!(names, ["Bot", "gateway 10.0.0.5", "gateway 10.0.0.6"]);
    assert_eq!(document.trusted_hosts[0], bot);
}

#[test]
fn pools_and_servers_that_run_keep_their_names() {
    let mut base = document(&plan(TEXT), &Document::default());
    let pool = &mut base.sites[0].pools[0];
    (pool.name, pool.fqdn) = ("pool1".to_owned(), DomainName::parse("sip.contoso.com").expect("a name"));
    pool.nodes.truncate(2);
    pool.nodes[0].name = "node1".to_owned();
    let grown = document(&plan(TEXT), &base);
    let pool = &grown.sites[0].pools[0];
    assert_eq!((pool.name.as_str(), pool.fqdn.as_str()), ("pool1", "sip.contoso.com"));
    let names: Vec<&str> = pool.nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names[..3], ["node1", "fe2-london", "fe3-london"]);
    assert_eq!(compare(&plan(TEXT), &Results::of(&plan(TEXT)).deployment, &grown), []);
}

#[test]
fn sites_that_are_gone_take_their_links_along() {
    let mut document = document(&plan(TEXT), &Document::default());
    document.sites.retain(|site| site.name != "Leeds" && site.name != "Paris");
    let imported =
        from_topology(&document, &BTreeMap::new(), Some(TEXT)).unwrap_or_else(|problems| panic!("{problems}"));
    let names: Vec<&str> = imported.plan.sites.iter().map(|site| site.name.as_str()).collect();
    assert_eq!(names, ["London", "Wick"]);
    assert_eq!(imported.plan.links.len(), 1);
    assert_eq!((imported.plan.sites[0].pair, *imported.plan.sites[0].users), (None, 30_000));
}

#[test]
fn what_parts_plan_and_topology_is_named() {
    let plan = plan(TEXT);
    let mut document = document(&plan, &Document::default());
    document.sites[0].pools[0].nodes.pop();
    document.sites[2].branch_of = Some("Paris".to_owned());
    document.policies.archiving.global.keep_archiving_data_days = Some(30);
    document.sites.push(lyceum_topology::Site { name: "Rome".to_owned(), ..Default::default() });
    let found = compare(&plan, &Results::of(&plan).deployment, &document);
    let what: Vec<&str> = found.iter().map(|found| found.what.as_str()).collect();
    assert_eq!(what, ["servers for users of London", "hub of Leeds", "site Rome", "archiving"]);
    assert_eq!((found[3].plan.as_str(), found[3].document.as_str()), ("90 days", "30 days"));
}

#[test]
fn a_pool_with_more_users_than_usual_lets_them_in() {
    let plan = plan("[[site]]\nname = \"London\"\nusers = 100001\nedition = \"enterprise\"\nsigned_in = 70000\n");
    let document = document(&plan, &Document::default());
    let most: Vec<Option<u32>> =
        document.policies.registrar.pools.values().map(|settings| settings.max_users).collect();
    let pools = document.pools().count();
    assert_eq!(most, if pools == 1 { vec![Some(100_001)] } else { Vec::new() }, "{pools} pools");
}

#[test]
fn names_that_a_document_cannot_hold_are_its_problems_with_what_to_do() {
    let plan = plan("[[site]]\nname = \"A\"\n[[site]]\nname = \"a\"\n");
    let problems =
        to_topology(&plan, &Results::of(&plan).deployment, &Document::default()).expect_err("two names alike");
    assert!(problems[0].to_string().contains("There are two sites named a."), "{problems:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_plan_becomes_a_valid_document_and_comes_back(
        sizes in proptest::collection::vec((1u64..120_000, 0usize..4, any::<bool>()), 1..8),
        gateways in proptest::collection::btree_set(1u8..250, 0..4),
        archive in proptest::option::of(1u32..2562),
        record in proptest::option::of(1u32..2562),
        edge in any::<bool>(),
    ) {
        let mut text = format!("[access]\nedge = {edge}\n");
        if !gateways.is_empty() {
            let list: Vec<String> = gateways.iter().map(|last| format!("\"10.0.0.{last}\"")).collect();
            text.push_str(&format!("[voice]\ngateways = [{}]\n", list.join(", ")));
        }
        for (section, key, days) in [("archiving", "days", archive), ("monitoring", "cdr_days", record)] {
            let on = days.is_some();
            text.push_str(&format!("[{section}]\nenabled = {on}\n{key} = {}\n", days.unwrap_or(14)));
        }
        for (number, (users, hub, survivable)) in sizes.iter().enumerate() {
            text.push_str(&format!("[[site]]\nname = \"Site {number}\"\nusers = {users}\n"));
            if number > 0 && *hub > 0 {
                text.push_str(&format!("hub = \"Site 0\"\nsurvivable = {survivable}\n"));
            }
        }
        let before = plan(&text);
        let results = Results::of(&before);
        let document = to_topology(&before, &results.deployment, &Document::default());
        let document = document.unwrap_or_else(|problems| panic!("{problems:?}\n{text}"));
        prop_assert_eq!(Document::from_yaml(&document.to_yaml()), Ok(document.clone()));
        prop_assert_eq!(compare(&before, &results.deployment, &document), []);
        let imported = from_topology(&document, &users(&before), Some(&text));
        let after = imported.unwrap_or_else(|problems| panic!("{problems}")).plan;
        prop_assert_eq!(compare(&after, &Results::of(&after).deployment, &document), []);
    }
}
