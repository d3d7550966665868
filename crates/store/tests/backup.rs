//! Backup while the server writes, and restore.

mod support;

use lyceum_sip::digest::Ha1;
use lyceum_sip::time::WallTime;
use lyceum_store::{BackupError, BindingWriterOptions, MasterKey, Options, Store, restore};
use lyceum_topology::{AddressOfRecord, Document, UserId, UserRecord};
use std::path::Path;
use support::{KEY, Worker, by, cseq, open, stored};

fn fill(store: &Store) -> lyceum_store::BlobId {
    store.publish_topology(&Document { organisation: "Contoso".into(), ..Document::default() }, 0, by("anna")).unwrap();
    let user = UserRecord::new(UserId(0), AddressOfRecord::parse("ana@example.org").unwrap(), "pool1");
    store.user_put(user, Some(&Ha1::of(b"ana", b"example.org", b"pw")), by("anna")).unwrap();
    store.blob_put(&mut &b"a prompt"[..]).unwrap()
}

fn back_up(store: &Store, to: &Path) -> Result<lyceum_store::BackupSummary, BackupError> {
    store.backup(to, WallTime(5), &mut |_| {})
}

#[test]
fn everything_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("data"));
    let blob = fill(&store);
    let mut worker = Worker::start(&store, BindingWriterOptions::default());
    (0..50).for_each(|user| worker.register(user, 1));
    worker.commit().unwrap();
    let mut told = Vec::new();
    let file = dir.path().join("backup");
    let made = store.backup(&file, WallTime(5), &mut |p| told.push(p.what.to_owned())).unwrap();
    assert_eq!((made.topology, made.blobs, made.node.as_str()), (1, 1, "node1"));
    assert!(
        ["lyceum.db", "bindings.db", "records.db", "messages.db", "blobs"].iter().all(|w| told.iter().any(|t| t == w))
    );
    assert!(matches!(back_up(&store, &file), Err(BackupError::Exists(_))));
    let key_in_backup = std::fs::read(&file).unwrap().windows(32).any(|w| w == KEY);
    assert!(!key_in_backup);
    let restored = dir.path().join("restored");
    assert_eq!(restore(&file, &restored, &mut |_| {}).unwrap(), made);
    let copy = open(&restored);
    assert_eq!(copy.topology().unwrap(), store.topology().unwrap());
    assert_eq!(copy.directory().unwrap().users, store.directory().unwrap().users);
    assert!(copy.credentials().unwrap() == store.credentials().unwrap());
    assert_eq!(copy.blob(blob).unwrap(), b"a prompt");
    assert_eq!(stored(&copy), worker.seen());
    assert!(matches!(restore(&file, &restored, &mut |_| {}), Err(BackupError::NotEmpty(_))));
    drop(copy);
    assert!(Store::open(&restored, MasterKey::generate(), &Options::node("n")).is_err(), "another key");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 3, "nothing else is left behind");
}

#[test]
fn a_backup_while_the_server_writes_is_one_moment() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("data"));
    fill(&store);
    let options = BindingWriterOptions { fold_bytes: 64 << 10, ..BindingWriterOptions::default() };
    let mut worker = Worker::start(&store, options);
    let file = dir.path().join("backup");
    (0..200).for_each(|user| worker.register(user, 1));
    worker.commit().unwrap();
    let (backing, to) = (store.clone(), file.clone());
    let backup = std::thread::spawn(move || back_up(&backing, &to));
    let mut round = 1;
    while !backup.is_finished() {
        round += 1;
        (0..200).for_each(|user| worker.register(user, round));
        worker.commit().unwrap();
    }
    backup.join().unwrap().unwrap();
    restore(&file, &dir.path().join("restored"), &mut |_| {}).unwrap();
    let copy = open(&dir.path().join("restored"));
    let groups: Vec<_> = copy.load_groups().unwrap().into_iter().map(|l| l.group).collect();
    let rounds: Vec<u32> = (0..200).map(|user| cseq(&groups, user)).collect();
    assert!(rounds.iter().all(|r| *r == rounds[0] && *r >= 1), "one block is whole or not there: {rounds:?}");
}

#[test]
fn a_cut_changed_or_foreign_file_is_refused_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("data"));
    fill(&store);
    let file = dir.path().join("backup");
    back_up(&store, &file).unwrap();
    let good = std::fs::read(&file).unwrap();
    let broken = dir.path().join("broken");
    let target = dir.path().join("restored");
    let refused = |bytes: &[u8]| {
        std::fs::write(&broken, bytes).unwrap();
        let error = restore(&broken, &target, &mut |_| {}).unwrap_err();
        assert!(!target.exists(), "{error}");
        error
    };
    for cut in [good.len() - 1, good.len() / 2, 30] {
        assert!(matches!(refused(&good[..cut]), BackupError::Damaged { .. }), "cut at {cut}");
    }
    assert!(matches!(refused(b""), BackupError::NotABackup(_)));
    assert!(matches!(refused(b"PK\x03\x04 something else entirely"), BackupError::NotABackup(_)));
    for place in (16..good.len()).step_by(good.len() / 40) {
        let mut bytes = good.clone();
        bytes[place] ^= 0x40;
        assert!(matches!(refused(&bytes), BackupError::Damaged { .. }), "changed at {place}");
    }
    let name = good.windows(9).position(|w| w == b"lyceum.db").unwrap();
    let mut bytes = good.clone();
    bytes[name..name + 9].copy_from_slice(b"../../etc");
    let error = refused(&bytes).to_string();
    assert!(error.contains("unexpected name"), "{error}");
    let entries = std::fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(entries, 3, "data, backup, broken");
}
