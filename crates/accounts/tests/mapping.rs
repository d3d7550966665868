//! What becomes of an entry.

use lyceum_accounts::{Entry, Unmapped, person, place, place_vouched};
use lyceum_topology::accounts::{Attributes, Ldap, LdapKind};
use lyceum_topology::{Document, DomainName, SipDomain};

fn document() -> Document {
    let name = |text| DomainName::parse(text).unwrap();
    let mut document = Document::dev(name("contoso.com"), name("node1.contoso.com"));
    document.domains.push(SipDomain { name: name("fabrikam.com"), default: false });
    document
}

fn entry(values: &[(&str, &[u8])]) -> Entry {
    let mut entry = Entry { dn: "cn=x".to_owned(), ..Entry::default() };
    for (name, value) in values {
        entry.values.entry((*name).to_owned()).or_default().push(value.to_vec());
    }
    entry
}

const GUID: (&str, &[u8]) = ("objectguid", &[0xde, 0xad, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);

#[test]
fn active_directorys_attributes_are_known() {
    let person = person(
        &Ldap::default(),
        &document(),
        &entry(&[
            GUID,
            ("userprincipalname", b"Anna.Adams@contoso.com"),
            ("samaccountname", b"aadams"),
            ("displayname", " Anna Adams ".as_bytes()),
            ("mail", b"anna@contoso.com"),
            ("telephonenumber", b"+49 (30) 123-45"),
            ("title", "Geschäftsführerin".as_bytes()),
            ("company", b"Contoso"),
            ("department", b""),
            ("useraccountcontrol", b"512"),
        ]),
    )
    .unwrap();
    assert_eq!(person.id, "dead0102030405060708090a0b0c0d0e");
    assert_eq!(person.address.as_str(), "anna.adams@contoso.com");
    assert_eq!(
        (person.display_name.as_deref(), person.mail.as_deref()),
        (Some("Anna Adams"), Some("anna@contoso.com"))
    );
    assert_eq!(person.number.map(|number| number.plain()).as_deref(), Some("tel:+493012345"));
    assert_eq!((person.job.title.as_deref(), person.job.department.as_deref()), (Some("Geschäftsführerin"), None));
    assert!(person.enabled);
}

#[test]
fn what_lync_wrote_is_the_address() {
    let lync = entry(&[
        GUID,
        ("userprincipalname", b"a@contoso.com"),
        ("msrtcsip-primaryuseraddress", b"sip:Anna@fabrikam.com"),
    ]);
    assert_eq!(person(&Ldap::default(), &document(), &lync).unwrap().address.as_str(), "anna@fabrikam.com");
}

#[test]
fn disabled_is_a_bit_or_a_word() {
    for (attribute, value, enabled) in [
        ("userAccountControl", "512", true),
        ("userAccountControl", "514", false),
        ("userAccountControl", "66050", false),
        ("userAccountControl", "no number", true),
        ("nsAccountLock", "TRUE", false),
        ("nsAccountLock", "true", false),
        ("nsAccountLock", "FALSE", true),
        ("nsAccountLock", "", true),
        ("", "TRUE", true),
    ] {
        let attributes = Attributes { disabled: Some(attribute.to_owned()), ..Attributes::default() };
        let ldap = Ldap { attributes, ..Ldap::default() };
        let name = attribute.to_ascii_lowercase();
        let found = entry(&[GUID, ("samaccountname", b"anna"), (&name, value.as_bytes())]);
        assert_eq!(person(&ldap, &document(), &found).unwrap().enabled, enabled, "{attribute} {value}");
    }
}

#[test]
fn a_domain_that_is_not_ours_is_replaced_only_when_that_is_wanted() {
    for (written, other, address) in [
        ("anna", None, Ok("anna@contoso.com")),
        ("anna", Some("fabrikam.com"), Ok("anna@fabrikam.com")),
        ("anna@FABRIKAM.com", None, Ok("anna@fabrikam.com")),
        ("SIP:anna@fabrikam.com", Some("contoso.com"), Ok("anna@fabrikam.com")),
        ("anna@contoso.local", Some("contoso.com"), Ok("anna@contoso.com")),
        ("anna@contoso.local", None, Err(Unmapped::ForeignDomain("anna@contoso.local".to_owned()))),
        ("an na", None, Err(Unmapped::BadAddress("an na".to_owned()))),
        ("@contoso.com", None, Err(Unmapped::BadAddress("@contoso.com".to_owned()))),
    ] {
        let found = place(&document(), other, written);
        assert_eq!(found.as_ref().map(|found| found.as_str()).map_err(Clone::clone), address, "{written} {other:?}");
    }
}

#[test]
fn an_issuers_people_of_other_domains_are_nobody_here() {
    for (written, other, address) in [
        ("anna", Some("fabrikam.com"), Ok("anna@fabrikam.com")),
        ("anna", None, Ok("anna@contoso.com")),
        ("anna@fabrikam.com", Some("contoso.com"), Ok("anna@fabrikam.com")),
        ("anna@evil.example", Some("contoso.com"), Err("anna@evil.example")),
        ("sip:anna@evil.example", Some("contoso.com"), Err("anna@evil.example")),
        ("anna@contoso.com@evil.example", Some("contoso.com"), Err("anna@contoso.com@evil.example")),
    ] {
        let found = place_vouched(&document(), other, written);
        let address = address.map_err(|foreign: &str| Unmapped::ForeignDomain(foreign.to_owned()));
        assert_eq!(found.as_ref().map(|found| found.as_str()).map_err(Clone::clone), address, "{written} {other:?}");
    }
}

#[test]
fn without_what_tells_a_person_for_life_there_is_no_person() {
    let ldap = Ldap { kind: LdapKind::InetOrgPerson, ..Ldap::default() };
    assert_eq!(person(&ldap, &document(), &entry(&[("uid", b"anna")])), Err(Unmapped::NoId("entryUUID".to_owned())));
    assert_eq!(person(&ldap, &document(), &entry(&[("entryuuid", b"7")])), Err(Unmapped::NoAddress));
}

#[test]
fn long_texts_are_cut_and_control_characters_left_out() {
    let long = "ä\u{7}".repeat(300);
    let found = entry(&[GUID, ("samaccountname", b"anna"), ("displayname", long.as_bytes())]);
    let name = person(&Ldap::default(), &document(), &found).unwrap().display_name.unwrap();
    assert_eq!(&*name, "ä".repeat(128));
}
