//! Every rule of validation: what is changed in a good document, and what is then found.

mod common;

use common::{CONTOSO, contoso};
use lyceum_topology::{Document, Problem};

fn found(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(|problem| format!("{} {}", problem.code, problem.path)).collect()
}

fn with(from: &str, to: &str) -> Vec<String> {
    assert!(CONTOSO.contains(from), "{from} is not in the sample");
    let document =
        Document::from_yaml(&CONTOSO.replacen(from, to, 1)).unwrap_or_else(|problems| panic!("{to}: {problems:?}"));
    found(&document.validate())
}

#[test]
fn the_sample_is_good() {
    assert_eq!(contoso().validate(), []);
}

#[test]
fn the_smallest_document_is_good() {
    assert_eq!(Document::dev(common::name("example.org"), common::name("localhost")).validate(), []);
}

#[test]
fn each_fault_is_found_where_it_is() {
    for (from, to, expected) in [
        ("default: true", "default: false", "LYT0006 domains"),
        ("name: fabrikam.com", "{ name: fabrikam.com, default: true }", "LYT0006 domains"),
        ("name: fabrikam.com", "name: Contoso.COM", "LYT0007 domains.\"contoso.com\""),
        ("name: fabrikam.com", "{}", "LYT0008 domains[1].name"),
        ("name: Lyon", "name: berlin", "LYT0007 sites.berlin"),
        ("name: Lyon", "name: ' Lyon'", "LYT0008 sites.\" Lyon\".name"),
        (
            "    nodes:\n    - { name: fe3, fqdn: fe3.contoso.com }",
            "    nodes: []",
            "LYT0009 sites.Paris.pools.paris1.nodes",
        ),
        (
            "name: fe3, fqdn: fe3.contoso.com",
            "name: FE1, fqdn: fe3.contoso.com",
            "LYT0007 sites.Paris.pools.paris1.nodes.FE1",
        ),
        ("fqdn: fe3.contoso.com", "fqdn: fe1.contoso.com", "LYT0007 sites.Paris.pools.paris1.nodes.fe3.fqdn"),
        ("fqdn: paris1.contoso.com", "fqdn: berlin1.contoso.com", "LYT0007 sites.Paris.pools.paris1.fqdn"),
        ("name: fe3, fqdn: fe3.contoso.com", "name: fe3", "LYT0010 sites.Paris.pools.paris1.nodes.fe3.fqdn"),
        ("branch_of: Paris", "branch_of: Rome", "LYT0011 sites.Lyon.branch_of"),
        ("branch_of: Paris", "branch_of: Lyon", "LYT0011 sites.Lyon.branch_of"),
        ("{ max_endpoints: 10 }", "{ max_endpoints: 0 }", "LYT0012 policies.registrar.global.max_endpoints"),
        ("{ max_endpoints: 16 }", "{ max_endpoints: 65 }", "LYT0012 policies.registrar.named.Executives.max_endpoints"),
        ("{ default_expires: 700 }", "{ min_expires: 1201 }", "LYT0013 policies.registrar.pools.berlin1.min_expires"),
        ("max_expires: 1200", "max_expires: 650", "LYT0013 policies.registrar.pools.berlin1.default_expires"),
        ("      Berlin:", "      Bonn:", "LYT0014 policies.registrar.sites.Bonn"),
        ("      berlin1:", "      berlin2:", "LYT0015 policies.registrar.pools.berlin2"),
        ("[udp, tcp]", "[]", "LYT0016 trusted_hosts.pbx.by.address.transports"),
        ("192.0.2.7, transports", "192.0.0.0/7, transports", "LYT0017 trusted_hosts.pbx.by.address.cidr"),
        (
            "  next_hops:\n  - { host: 192.0.2.7, port: 5060, transport: udp }",
            "  next_hops: []",
            "LYT0018 static_routes.pstn.next_hops",
        ),
        (
            "uri_prefix: { prefix: 'sip:bot-' }",
            "domain: { name: fabrikam.com }",
            "LYT0019 static_routes.bots.match.domain",
        ),
        (
            "uri_prefix: { prefix: 'sip:bot-' }",
            "domain: { name: com, subdomains: true }",
            "LYT0019 static_routes.bots.match.domain",
        ),
        ("uri_prefix: { prefix: 'sip:bot-' }", "tel_prefix: { prefix: '+4' }", "LYT0020 static_routes.pstn"),
        ("'sip:bot-'", "'bot-'", "LYT0021 static_routes.bots.match.uri_prefix"),
        ("'+49'", "'+49 30'", "LYT0021 static_routes.pstn.match.tel_prefix"),
        ("host: 192.0.2.7", "host: 192.0.2", "LYT0010 static_routes.pstn.next_hops[0].host"),
        ("port: 5060, transport: udp", "port: 0, transport: udp", "LYT0031 static_routes.pstn.next_hops[0].port"),
        ("{ max_endpoints: 16 }", "{ max_users: 5 }", "LYT0023 policies.registrar.named.Executives.max_users"),
        (
            "  registrar:",
            "  authentication: { global: { algorithms: [] } }\n  registrar:",
            "LYT0012 policies.authentication.global.algorithms",
        ),
        (
            "  registrar:",
            "  authentication: { global: { rules: [{ user_agent: 'x', algorithms: [] }] } }\n  registrar:",
            "LYT0022 policies.authentication.global.rules[0].algorithms",
        ),
        (
            "  registrar:",
            "  proxy: { global: { timer_c_seconds: 180 } }\n  registrar:",
            "LYT0012 policies.proxy.global.timer_c_seconds",
        ),
        (
            "  registrar:",
            "  lockout: { global: { source_failures: 5 } }\n  registrar:",
            "LYT0013 policies.lockout.global.source_failures",
        ),
        (
            "  registrar:",
            "  im_filter: { global: { prefixes: ['http:', '*'] } }\n  registrar:",
            "LYT0021 policies.im_filter.global.prefixes[1]",
        ),
        (
            "  registrar:",
            "  im_filter: { global: { local_hosts: ['https://intranet'] } }\n  registrar:",
            "LYT0021 policies.im_filter.global.local_hosts[0]",
        ),
        (
            "  registrar:",
            "  file_transfer: { global: { extensions: ['exe'] } }\n  registrar:",
            "LYT0021 policies.file_transfer.global.extensions[0]",
        ),
        (
            "  registrar:",
            "  file_transfer: { global: { max_file_mib: 4000 } }\n  registrar:",
            "LYT0013 policies.file_transfer.global.max_file_mib",
        ),
        (
            "  registrar:",
            "  message: { global: { max_body_kib: 300 } }\n  registrar:",
            "LYT0012 policies.message.global.max_body_kib",
        ),
        (
            "  registrar:",
            "  archiving: { named: { Legal: { keep_archiving_data_days: 30 } } }\n  registrar:",
            "LYT0023 policies.archiving.named.Legal.keep_archiving_data_days",
        ),
        (
            "  registrar:",
            "  client_version: { global: { rules: [{ user_agent: '', action: block }] } }\n  registrar:",
            "LYT0021 policies.client_version.global.rules[0].user_agent",
        ),
        (
            "  registrar:",
            "  client_version: { global: { default_url: 'help.contoso.com' } }\n  registrar:",
            "LYT0032 policies.client_version.global.default_url",
        ),
        (
            "policies:",
            "federation: { enabled: true, allowed: [{ name: contoso.com }] }\npolicies:",
            "LYT0036 federation.allowed.\"contoso.com\"",
        ),
        (
            "policies:",
            "federation: { enabled: true, allowed: [{ name: a.evil.test }], blocked: [{ name: evil.test }] }\npolicies:",
            "LYT0037 federation.allowed.\"a.evil.test\"",
        ),
        (
            "policies:",
            "federation: { enabled: true, blocked: [{ name: evil.test }, { name: EVIL.test }] }\npolicies:",
            "LYT0007 federation.blocked.\"evil.test\"",
        ),
        ("policies:", "federation: { discovery: true }\npolicies:", "LYT0038 federation.discovery"),
    ] {
        assert_eq!(with(from, to), [expected], "{from} -> {to}");
    }
}

#[test]
fn all_faults_are_given_not_only_the_first() {
    let document = Document::from_yaml(
        "policies: { registrar: { global: { max_endpoints: 99, min_expires: 1 }, sites: { X: {} } } }",
    )
    .unwrap();
    assert_eq!(
        found(&document.validate()),
        [
            "LYT0005 domains",
            "LYT0009 sites",
            "LYT0014 policies.registrar.sites.X",
            "LYT0012 policies.registrar.global.min_expires",
            "LYT0012 policies.registrar.global.max_endpoints",
        ]
    );
}

#[test]
fn a_problem_says_what_is_wrong_and_what_to_do() {
    let document = Document::from_yaml(&CONTOSO.replace("max_endpoints: 12", "max_endpoints: 65")).unwrap();
    assert_eq!(
        document.validate()[0].to_string(),
        "LYT0012 policies.registrar.sites.Berlin.max_endpoints: 65 endpoints is outside the range 1 to 64. \
         Choose a value from 1 to 64; the default is 8."
    );
}

#[test]
fn a_set_default_domain_is_replaced_not_unset() {
    let mut document = contoso();
    assert!(document.set_default_domain(&common::name("fabrikam.com")));
    assert_eq!(document.default_domain().map(|name| name.as_str()), Some("fabrikam.com"));
    assert!(!document.set_default_domain(&common::name("unknown.com")));
    assert_eq!(document.validate(), []);
}
