//! Call records, traces and blobs.

mod support;

use lyceum_sip::time::WallTime;
use lyceum_store::{BlobError, BlobId, CallQuery, CallRow, Purged, TraceRow};
use support::open;

fn call(id: &str, started: u64, caller: &str, callee: &str) -> CallRow {
    CallRow {
        id: id.into(),
        started: WallTime(started),
        ended: None,
        caller: caller.into(),
        callee: callee.into(),
        status: 200,
        record: b"{}".to_vec(),
    }
}

#[test]
fn calls_are_found_by_user_time_and_id() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store
        .append_calls(&[
            call("1", 10, "ana", "ben"),
            call("2", 20, "ben", "ana"),
            call("3", 30, "cleo", "ben"),
            call("4", 40, "ana", "ana"),
        ])
        .unwrap();
    let ids = |query: CallQuery| store.calls(&query).unwrap().into_iter().map(|c| c.id).collect::<Vec<_>>();
    let all = CallQuery::default;
    assert_eq!(ids(all()), ["4", "3", "2", "1"]);
    assert_eq!(ids(CallQuery { user: Some("ana".into()), ..all() }), ["4", "2", "1"]);
    assert_eq!(ids(CallQuery { user: Some("ana".into()), limit: 1, ..all() }), ["4"]);
    assert_eq!(ids(CallQuery { from: Some(WallTime(20)), to: Some(WallTime(30)), ..all() }), ["3", "2"]);
    let ended = CallRow { ended: Some(WallTime(25)), ..call("2", 20, "ben", "ana") };
    store.append_calls(std::slice::from_ref(&ended)).unwrap();
    assert_eq!(store.call("2").unwrap(), Some(ended));
    assert_eq!(store.call("9").unwrap(), None);
}

#[test]
fn a_ladder_is_read_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let row = |call: &str, at, text: &str| TraceRow { call: call.into(), at: WallTime(at), record: text.into() };
    store.append_traces(&[row("a", 2, "200"), row("a", 1, "INVITE"), row("b", 1, "x"), row("a", 2, "ACK")]).unwrap();
    let texts: Vec<_> = store.trace("a").unwrap().into_iter().map(|t| t.record).collect();
    assert_eq!(texts, [b"INVITE".to_vec(), b"200".to_vec(), b"ACK".to_vec()]);
    assert_eq!(store.traces(WallTime(2), WallTime(9), 0).unwrap().len(), 2);
}

#[test]
fn a_purge_keeps_to_age_and_number() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let rows: Vec<_> = (0..5_000).map(|i| call(&i.to_string(), i, "a", "b")).collect();
    store.append_calls(&rows).unwrap();
    store.append_traces(&[TraceRow { call: "1".into(), at: WallTime(1), record: vec![] }]).unwrap();
    assert_eq!(store.purge_records([WallTime(0); 2], 1_000_000, || false).unwrap(), Purged::default(), "told to stop");
    assert_eq!(
        store.purge_records([WallTime(4_500); 2], 1_000_000, || true).unwrap(),
        Purged { calls: 4_500, traces: 1 }
    );
    assert_eq!(store.purge_records([WallTime(0); 2], 100, || true).unwrap(), Purged { calls: 400, traces: 0 });
    let left = store.calls(&CallQuery::default()).unwrap();
    assert_eq!((left.len(), left[99].started), (100, WallTime(4_900)), "the newest stay");
}

#[test]
fn a_blob_is_named_by_its_content_and_checked_when_read() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let id = store.blob_put(&mut &b"hello"[..]).unwrap();
    assert_eq!(id.to_string(), "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    assert_eq!(store.blob_put(&mut &b"hello"[..]).unwrap(), id, "twice is once");
    let mut pieces = store.blob_begin().unwrap();
    pieces.write(b"hel").unwrap();
    pieces.write(b"lo").unwrap();
    assert_eq!((pieces.size(), pieces.keep().unwrap()), (5, id), "in pieces it is the same");
    let mut broken = store.blob_begin().unwrap();
    broken.write(b"hal").unwrap();
    drop(broken);
    assert_eq!(store.blobs().unwrap(), [id], "what is not kept leaves nothing");
    assert_eq!(store.blob(id).unwrap(), b"hello");
    assert_eq!(store.blobs().unwrap(), [id]);
    let path = dir.path().join("blobs/2c/f2").join(id.to_string());
    std::fs::write(&path, b"hellO").unwrap();
    assert_eq!(store.blob(id), Err(BlobError::Damaged(id)));
    assert!(store.blob_remove(id).unwrap() && !store.blob_remove(id).unwrap());
    assert_eq!(store.blob(id), Err(BlobError::NoBlob(id)));
    assert_eq!(BlobId::parse("2c"), None);
}
