//! The data folder: lock, schema, master key, owner.

mod support;

use lyceum_store::{EpochPolicy, Fault, MasterKey, OpenError, Options, Store, StoreError, TopologyError};
use lyceum_topology::Document;
use support::{KEY, by, open};

fn try_open(dir: &std::path::Path) -> Result<Store, OpenError> {
    Store::open(dir, MasterKey::from_bytes(KEY), &Options::node("node1"))
}

#[test]
fn a_folder_in_use_is_refused_with_the_pid() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let error = try_open(dir.path()).unwrap_err();
    assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
    drop(store);
    try_open(dir.path()).unwrap();
}

#[test]
fn only_the_owner_may_read_the_databases() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let modes = || {
        let files = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap());
        let files = files.filter(|file| file.file_name().to_string_lossy().contains(".db"));
        files.map(|file| file.metadata().unwrap().permissions().mode() & 0o777).collect::<Vec<_>>()
    };
    let store = open(dir.path());
    assert!(modes().len() > 4 && modes().iter().all(|mode| *mode == 0o600), "{:?}", modes());
    drop(store);
    // A folder of an earlier version, or one that was copied without care.
    let main = dir.path().join("lyceum.db");
    std::fs::set_permissions(&main, std::fs::Permissions::from_mode(0o644)).unwrap();
    let _store = open(dir.path());
    assert!(modes().iter().all(|mode| *mode == 0o600), "{:?}", modes());
}

#[test]
fn a_wrong_master_key_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let error = Store::open(dir.path(), MasterKey::generate(), &Options::node("n")).unwrap_err();
    assert!(matches!(error, OpenError::WrongKey { .. }), "{error}");
    drop(open(dir.path()));
}

#[test]
fn a_newer_an_altered_and_a_foreign_database_are_refused() {
    type Check = fn(&OpenError) -> bool;
    let cases: [(&str, Check); 3] = [
        ("PRAGMA user_version = 99", |e| matches!(e, OpenError::NewerSchema { found: 99, known: 1..=9, .. })),
        ("UPDATE schema_step SET checksum = zeroblob(32)", |e| {
            matches!(e, OpenError::AlteredSchema { version: 1, .. })
        }),
        ("PRAGMA application_id = 4711", |e| matches!(e, OpenError::NotOurs { .. })),
    ];
    for database in ["lyceum.db", "bindings.db", "records.db", "messages.db"] {
        for (sql, is) in cases {
            let dir = tempfile::tempdir().unwrap();
            drop(open(dir.path()));
            rusqlite::Connection::open(dir.path().join(database)).unwrap().execute_batch(sql).unwrap();
            let error = try_open(dir.path()).unwrap_err();
            assert!(is(&error) && error.to_string().contains(database), "{database} {sql}: {error}");
        }
    }
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("lyceum.db"), "x".repeat(5000)).unwrap();
    let error = try_open(dir.path()).unwrap_err();
    assert!(matches!(&error, OpenError::Store(StoreError { fault: Fault::Corrupt(_), .. })), "{error}");
}

#[test]
fn every_write_of_a_stale_owner_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let other = rusqlite::Connection::open(dir.path().join("lyceum.db")).unwrap();
    other.execute("UPDATE ownership SET epoch = epoch + 1, owner = 'node2'", []).unwrap();
    let error = store.publish_topology(&Document::default(), 0, by("anna")).unwrap_err();
    let TopologyError::Store(error) = error else { panic!("{error}") };
    assert!(matches!(error.fault, Fault::StaleOwner { group: lyceum_store::WHOLE, .. }), "{error}");
    assert!(store.topology().unwrap().is_none());
}

#[test]
fn a_tool_keeps_the_epochs() {
    let dir = tempfile::tempdir().unwrap();
    let before = open(dir.path()).epoch(0);
    let options = Options { owner: "tool".into(), epochs: EpochPolicy::Keep };
    assert_eq!(Store::open(dir.path(), MasterKey::from_bytes(KEY), &options).unwrap().epoch(0), before);
}
