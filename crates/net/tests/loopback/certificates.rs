use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use lyceum_net::{Certificate, Clock, DevCa, Tls, TlsError, TlsSettings, load_authorities};

use crate::tls::house;

#[test]
fn a_certificate_says_names_addresses_and_dates() {
    let house = house();
    let issued = house.ca.issue("all", &["sip.example.org", "sip:Example.org"], &["192.0.2.1".parse().unwrap()]);
    let issued = issued.unwrap();
    let facts = Certificate::load(&issued.chain_file, &issued.key_file).unwrap().facts().unwrap();
    assert_eq!(facts.names, ["example.org", "sip.example.org"]);
    assert!(facts.covers("192.0.2.1") && facts.covers("SIP.example.org") && !facts.covers("other.example.org"));
    let now = Clock::start().wall();
    assert!(facts.not_before <= now && now < facts.not_after);
    assert!(facts.issuer.contains("Lyceum throw-away authority"), "{}", facts.issuer);
}

#[test]
fn the_authority_stays_the_same_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let first = DevCa::create(folder.path()).unwrap();
    let again = DevCa::create(folder.path()).unwrap();
    assert_eq!(first.certificate(), again.certificate());
    let issued = again.issue("late", &["late.example.org"], &[]).unwrap();
    let authorities = load_authorities(&first.file()).unwrap();
    let settings = TlsSettings { certificates: vec![issued.certificate], authorities, ..TlsSettings::default() };
    assert!(Tls::new(settings).unwrap().can_serve());
}

#[test]
fn keys_are_readable_by_us_alone_and_print_nothing() {
    let house = house();
    for file in [house.folder.path().join("ca.key"), house.server.key_file.clone()] {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
    assert!(format!("{:?}", house.server).contains("<secret>"));
}

#[test]
fn what_is_wrong_with_files_is_one_sentence() {
    let house = house();
    let other = house.ca.issue("other", &["other.example.org"], &[]).unwrap();
    let (chain, key) = (&house.server.chain_file, &house.server.key_file);
    let nowhere = Path::new("/nowhere/at-all.pem");
    let mismatch = Certificate::load(chain, &other.key_file).unwrap_err();
    assert!(matches!(mismatch, TlsError::KeyMismatch { .. }), "{mismatch}");
    let unreadable = Certificate::load(nowhere, key).unwrap_err();
    assert!(matches!(&unreadable, TlsError::Unreadable { path, .. } if path == nowhere), "{unreadable}");
    let missing = Certificate::load(key, key).unwrap_err();
    assert!(matches!(missing, TlsError::Missing { what: "certificate", .. }), "{missing}");
    let missing = Certificate::load(chain, chain).unwrap_err();
    assert!(matches!(missing, TlsError::Missing { what: "private key", .. }), "{missing}");
}
