//! The section `accounts`: what is changed in a good one, and what is then found.

mod common;

use lyceum_topology::Document;
use lyceum_topology::accounts::MappedField;

const GOOD: &str = "
accounts:
  ldap:
    url: ldaps://dc1.contoso.com
    bind_dn: CN=Lyceum,DC=contoso,DC=com
    base: DC=contoso,DC=com
  oidc:
    name: Staff
    issuer: https://login.contoso.com/realms/staff
    client_id: lyceum
";

fn found(section: &str) -> Vec<String> {
    let text = format!("{}{section}", common::CONTOSO);
    let document = Document::from_yaml(&text).unwrap_or_else(|problems| panic!("{section}: {problems:?}"));
    document.validate().iter().map(|problem| format!("{} {}", problem.code, problem.path)).collect()
}

#[test]
fn a_good_section_reads_back_and_holds_no_secret() {
    assert_eq!(found(GOOD), Vec::<String>::new());
    let document = Document::from_yaml(&format!("{}{GOOD}", common::CONTOSO)).unwrap();
    assert_eq!(Document::from_yaml(&document.to_yaml()).as_ref(), Ok(&document));
    assert!(Document::from_yaml(&format!("{}{GOOD}    client_secret: x\n", common::CONTOSO)).is_err());
}

#[test]
fn each_fault_is_found_where_it_is() {
    for (from, to, expected) in [
        ("ldaps://dc1.contoso.com", "dc1.contoso.com", "LYT0033 accounts.ldap.url"),
        ("ldaps://dc1.contoso.com", "ldaps://", "LYT0033 accounts.ldap.url"),
        ("ldaps://dc1.contoso.com", "ldaps://dc1.contoso.com/DC=x", "LYT0033 accounts.ldap.url"),
        ("ldaps://dc1.contoso.com", "ldap://dc1.contoso.com", "LYT0013 accounts.ldap.url"),
        ("    base: DC", "    start_tls: true\n    base: DC", "LYT0013 accounts.ldap.start_tls"),
        ("base: DC=contoso,DC=com", "base: ''", "LYT0004 accounts.ldap.base"),
        ("base: DC=contoso,DC=com", "base: contoso.com", "LYT0004 accounts.ldap.base"),
        ("CN=Lyceum,DC=contoso,DC=com", "lyceum", "LYT0004 accounts.ldap.bind_dn"),
        ("    base: DC", "    filter: '(a=b))('\n    base: DC", "LYT0021 accounts.ldap.filter"),
        ("    base: DC", "    page_size: 5000\n    base: DC", "LYT0012 accounts.ldap.page_size"),
        ("    base: DC", "    interval_seconds: 1\n    base: DC", "LYT0012 accounts.ldap.interval_seconds"),
        ("    base: DC", "    max_removed_percent: 0\n    base: DC", "LYT0012 accounts.ldap.max_removed_percent"),
        ("    base: DC", "    pool: rome1\n    base: DC", "LYT0015 accounts.ldap.pool"),
        ("    base: DC", "    domain: contoso.local\n    base: DC", "LYT0025 accounts.ldap.domain"),
        ("    base: DC", "    attributes: { id: '' }\n    base: DC", "LYT0004 accounts.ldap.attributes.id"),
        ("    base: DC", "    attributes: { address: [] }\n    base: DC", "LYT0004 accounts.ldap.attributes.address"),
        ("    base: DC", "    attributes: { mail: 'a)b' }\n    base: DC", "LYT0004 accounts.ldap.attributes.mail"),
        ("name: Staff", "name: ''", "LYT0008 accounts.oidc.name"),
        ("https://login.contoso.com/realms/staff", "login.contoso.com", "LYT0033 accounts.oidc.issuer"),
        ("https://login.contoso.com/realms/staff", "http://login.contoso.com", "LYT0013 accounts.oidc.issuer"),
        ("client_id: lyceum", "client_id: ''", "LYT0004 accounts.oidc.client_id"),
        ("    client_id", "    claim: ''\n    client_id", "LYT0004 accounts.oidc.claim"),
        ("    client_id", "    scopes: ['a b']\n    client_id", "LYT0004 accounts.oidc.scopes[0]"),
        ("    client_id", "    domain: contoso.local\n    client_id", "LYT0025 accounts.oidc.domain"),
        ("    client_id", "    clock_skew_seconds: 900\n    client_id", "LYT0012 accounts.oidc.clock_skew_seconds"),
    ] {
        assert!(GOOD.contains(from), "{from}");
        assert_eq!(found(&GOOD.replacen(from, to, 1)), [expected], "{to}");
    }
}

#[test]
fn in_the_clear_only_on_this_machine_or_when_somebody_says_so() {
    for (url, more) in [
        ("ldap://127.0.0.1:3389", ""),
        ("ldap://[::1]", ""),
        ("ldap://localhost/", ""),
        ("ldap://dc1.contoso.com", "    start_tls: true\n"),
        ("ldap://dc1.contoso.com", "    allow_plain: true\n"),
    ] {
        let section = GOOD.replacen("ldaps://dc1.contoso.com\n", &format!("{url}\n{more}"), 1);
        assert_eq!(found(&section), Vec::<String>::new(), "{section}");
    }
}

#[test]
fn a_mapping_is_the_kinds_until_it_is_given() {
    let text = GOOD.replacen(
        "    base: DC",
        "    kind: inet_org_person\n    attributes: { mail: '', title: role }\n    base: DC",
        1,
    );
    let document = Document::from_yaml(&format!("{}{text}", common::CONTOSO)).unwrap();
    let ldap = document.accounts.ldap.unwrap();
    for (field, attribute) in [
        (MappedField::Id, Some("entryUUID")),
        (MappedField::Mail, None),
        (MappedField::Title, Some("role")),
        (MappedField::Company, Some("o")),
        (MappedField::Disabled, None),
    ] {
        assert_eq!(ldap.attribute(field), attribute, "{field:?}");
    }
    assert_eq!((ldap.address_attributes(), ldap.filter()), (vec!["uid"], "(objectClass=inetOrgPerson)"));
}
