//! Histories when a write fails or a block is damaged: nothing is lost that was written, and one damaged history costs
//! nobody else theirs.

mod support;

use lyceum_sip::time::WallTime;
use lyceum_store::{Fault, MessageEntry, Store};
use rusqlite::Connection;
use std::path::Path;
use support::messages::*;
use support::open;

fn database(dir: &Path) -> Connection {
    Connection::open(dir.join("messages.db")).unwrap()
}

fn count(dir: &Path, table: &str) -> u32 {
    database(dir).query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

fn fold(store: &Store) -> Result<u64, lyceum_store::StoreError> {
    store.purge_history(|_| None, || true)
}

#[test]
fn a_fold_that_fails_midway_is_taken_up_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    add(&store, &[message(1_000, ANNA, &[BOB], "one")]);
    let db = database(dir.path());
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(fold(&store).unwrap_err().fault, Fault::Busy);
    db.execute_batch("COMMIT").unwrap();
    fold(&store).unwrap();
    assert_eq!(count(dir.path(), "history_journal"), 0);
    drop(store);
    let store = open(dir.path());
    assert_eq!([ANNA, BOB].map(|user| texts(&store, &of(user))), [["one"], ["one"]]);
}

#[test]
fn lines_that_cannot_be_folded_stay_in_the_journal_and_others_are_folded() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    add(&store, &[message(1_000, ANNA, &[BOB], "one")]);
    add(&store, &[message(2_000, ANNA, &[CARLA], "two")]);
    database(dir.path())
        .execute_batch(
            "CREATE TRIGGER refuse BEFORE INSERT ON history_segment WHEN NEW.user = 'bob@example.org'
             BEGIN SELECT raise(ABORT, 'no'); END",
        )
        .unwrap();
    fold(&store).unwrap();
    assert_eq!(count(dir.path(), "history_journal"), 1, "the row with Bob's line");
    assert_eq!(count(dir.path(), "history_segment"), 2);
    drop(store);
    let store = open(dir.path());
    let all = |store: &Store| [ANNA, BOB, CARLA].map(|user| texts(store, &of(user)));
    let wanted = [vec!["two".to_owned(), "one".to_owned()], vec!["one".to_owned()], vec!["two".to_owned()]];
    assert_eq!(all(&store), wanted);
    add(&store, &[message(1_500, BOB, &[ANNA], "three")]);
    database(dir.path()).execute_batch("DROP TRIGGER refuse").unwrap();
    fold(&store).unwrap();
    assert_eq!(count(dir.path(), "history_journal"), 0);
    assert_eq!(texts(&store, &of(BOB)), ["three", "one"]);
    assert_eq!(texts(&store, &of(ANNA)), ["two", "three", "one"]);
}

#[test]
fn somebody_removed_does_not_come_back_with_a_row_that_is_held_for_another() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    add(&store, &[message(1_000, ANNA, &[BOB], "one")]);
    damage(&store, dir.path(), BOB);
    add(&store, &[message(2_000, ANNA, &[BOB], "two")]);
    store.forget_history(ANNA, || true).unwrap();
    fold(&store).unwrap();
    fold(&store).unwrap();
    drop(store);
    let store = open(dir.path());
    assert_eq!(texts(&store, &of(ANNA)), [""; 0]);
}

/// Folds, and makes the first segment and the summary of a person unreadable.
fn damage(store: &Store, dir: &Path, user: &str) {
    fold(store).unwrap();
    let db = database(dir);
    assert!(db.execute("UPDATE history_segment SET block = x'07' WHERE user = ?1", [user]).unwrap() > 0);
    assert!(db.execute("UPDATE history_person SET summary = x'07' WHERE user = ?1", [user]).unwrap() > 0);
}

#[test]
fn a_damaged_history_keeps_nobody_from_writing_and_purging() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    add(&store, &[message(1_000, ANNA, &[BOB, CARLA], "old")]);
    damage(&store, dir.path(), ANNA);
    let new = MessageEntry::Message(Box::new(message(3 * DAY_MS, BOB, &[CARLA], "new")));
    let conversation = lyceum_store::ConversationId::of([ANNA, BOB, CARLA]);
    let read = MessageEntry::ReadUpTo { user: ANNA.into(), conversation, upto: id(1_000), at: WallTime(5) };
    store.append_messages(&[read, new]).unwrap();
    assert_eq!(texts(&store, &of(CARLA)), ["new", "old"]);
    assert_eq!(store.purge_history(|_| Some(WallTime(DAY_MS)), || true).unwrap(), 2, "Bob's and Carla's");
    assert_eq!(texts(&store, &of(CARLA)), ["new"]);
    assert!(store.history(&of(ANNA)).is_err());
    assert_eq!(store.forget_history(ANNA, || true).unwrap(), 0, "what cannot be read is not counted");
    assert_eq!((texts(&store, &of(ANNA)).len(), store.unread(ANNA).unwrap()), (0, 0));
}

#[test]
fn a_batch_is_written_although_the_fold_after_it_fails() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    database(dir.path())
        .execute_batch("CREATE TRIGGER refuse BEFORE INSERT ON history_segment BEGIN SELECT raise(ABORT, 'no'); END")
        .unwrap();
    let many: Vec<_> = (0..4_096).map(|n| message(1_000 + n, ANNA, &[BOB], "x")).collect();
    add(&store, &many);
    database(dir.path()).execute_batch("DROP TRIGGER refuse").unwrap();
    assert_eq!((store.unread(BOB).unwrap(), count(dir.path(), "history_journal")), (1_000, 1));
}
