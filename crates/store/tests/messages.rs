//! History, archive, file transfers and photos.

mod support;

use lyceum_sip::time::WallTime;
use lyceum_store::{
    ArchiveKind, ArchiveQuery, ArchiveRow, ArchiveStep, BlobError, ConversationId, Mark, MessageBatch, MessageEntry,
    MessageRef, MessageWriterOptions, MessagesCommitted, NewTransfer, PhotoError, Store, TransferError, TransferState,
};
use lyceum_users::messages::OwnedText;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::open;

use support::messages::*;

fn archived(at: u64, sender: &str, recipients: &[&str], text: &str) -> ArchiveRow {
    ArchiveRow {
        at: WallTime(at),
        id: id(at),
        conversation: ConversationId::of([sender].into_iter().chain(recipients.iter().copied())),
        kind: ArchiveKind::Message,
        sender: sender.into(),
        recipients: recipients.iter().map(|&address| address.into()).collect(),
        content_type: "text/plain".into(),
        body: OwnedText(text.as_bytes().to_vec()),
    }
}

#[test]
fn the_archive_is_read_by_person_and_period() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let rows = [
        archived(1_000, ANNA, &[BOB], "one"),
        archived(2_000, BOB, &[CARLA], "two"),
        archived(3_000, CARLA, &[ANNA, BOB], "three"),
        ArchiveRow { kind: ArchiveKind::Leave, ..archived(4_000, BOB, &[], "") },
    ];
    store.archive_append(&rows).unwrap();
    for (user, from, to, found) in [
        (None, None, None, &[0, 1, 2, 3][..]),
        (Some(ANNA), None, None, &[0, 2]),
        (Some(BOB), Some(2_000), Some(4_000), &[1, 2]),
        (Some("nobody@example.org"), None, None, &[]),
    ] {
        let query = ArchiveQuery {
            user: user.map(str::to_owned),
            from: from.map(WallTime),
            to: to.map(WallTime),
            ..ArchiveQuery::default()
        };
        let page = store.archive(&query).unwrap();
        let wanted: Vec<ArchiveRow> = found.iter().map(|&at: &usize| rows[at].clone()).collect();
        assert_eq!((page.left, page.next), (wanted.len() as u64, None));
        assert_eq!(page.rows.into_iter().map(|row| row.row).collect::<Vec<_>>(), wanted, "{query:?}");
    }
    let first = store.archive(&ArchiveQuery { limit: 3, ..ArchiveQuery::default() }).unwrap();
    assert_eq!((first.rows.len(), first.left, first.next), (3, 4, Some(3)));
    let rest = store.archive(&ArchiveQuery { after: 3, ..ArchiveQuery::default() }).unwrap();
    assert_eq!((rest.rows.len(), rest.left, rest.next), (1, 1, None));
}

#[test]
fn the_archive_is_purged_by_age_and_if_wanted_only_where_exported() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let rows: Vec<ArchiveRow> = (0..1_200).map(|n| archived(1_000 + n, ANNA, &[BOB], "x")).collect();
    store.archive_append(&rows).unwrap();
    let query = ArchiveQuery { user: Some(BOB.into()), to: Some(WallTime(1_150)), ..ArchiveQuery::default() };
    assert_eq!(store.archive_exported(&query, 100, WallTime(9_000)).unwrap(), 100);
    let page = store.archive(&ArchiveQuery { after: 99, limit: 2, ..ArchiveQuery::default() }).unwrap();
    assert_eq!(page.rows.iter().map(|row| row.exported).collect::<Vec<_>>(), [Some(WallTime(9_000)), None]);
    let all = WallTime(5_000);
    assert_eq!(
        (store.archive_purgeable(all, true).unwrap(), store.archive_purgeable(all, false).unwrap()),
        (100, 1_200)
    );
    assert_eq!(store.purge_archive(WallTime(1_050), true).unwrap(), ArchiveStep { removed: 50, left: 0 });
    assert_eq!(store.purge_archive(all, true).unwrap(), ArchiveStep { removed: 50, left: 0 });
    assert_eq!(store.purge_archive(all, false).unwrap(), ArchiveStep { removed: 1_000, left: 100 });
    assert_eq!(store.purge_archive(all, false).unwrap(), ArchiveStep { removed: 100, left: 0 });
    store.archive_append(&rows[..1]).unwrap();
    assert_eq!(store.archive(&ArchiveQuery::default()).unwrap().rows[0].seq, 1_201, "a number is never given again");
}

#[test]
fn the_writer_reports_each_worker_after_the_commit() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (post, reports) = sync_channel(64);
    let writer = store.message_writer(MessageWriterOptions::default(), move |r| drop(post.send(r))).unwrap();
    for token in 1..7u64 {
        let text = message(1_000 + token, ANNA, &[BOB], "x");
        let entries = vec![
            MessageEntry::Message(Box::new(text)),
            MessageEntry::Archive(Box::new(archived(1_000 + token, ANNA, &[BOB], "x"))),
        ];
        writer.submit(MessageBatch { worker: (token % 2) as u8, token, entries }).unwrap();
    }
    let mut tokens = [Vec::new(), Vec::new()];
    while tokens.iter().map(Vec::len).sum::<usize>() < 6 {
        let report: MessagesCommitted = reports.recv_timeout(Duration::from_secs(20)).expect("each batch is reported");
        assert_eq!(report.result, Ok(()));
        let visible = store.history(&of(BOB)).unwrap().messages.len();
        tokens[usize::from(report.worker)].extend(report.tokens);
        assert!(visible >= tokens.iter().map(Vec::len).max().unwrap(), "reported before it was written");
    }
    assert_eq!(tokens, [vec![2, 4, 6], vec![1, 3, 5]]);
    writer.stop();
    assert_eq!((writer.written(), writer.failed(), writer.handed_back()), (12, 0, 0));
    let late = MessageBatch { worker: 0, token: 9, entries: vec![] };
    assert_eq!(writer.submit(late.clone()), Err(late), "a stopped writer hands back");
}

#[test]
fn a_full_queue_hands_the_batch_back_and_what_was_queued_is_written_at_the_stop() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let options = MessageWriterOptions { interval: Duration::from_secs(3_600), queue_entries: 3, ..Default::default() };
    let writer = store.message_writer(options, |_| {}).unwrap();
    let batch = |token: u64, count: u64| MessageBatch {
        worker: 0,
        token,
        entries: (0..count)
            .map(|n| MessageEntry::Message(Box::new(message(token * 100 + n, ANNA, &[BOB], "x"))))
            .collect(),
    };
    writer.submit(batch(1, 2)).unwrap();
    assert_eq!(writer.submit(batch(2, 2)).unwrap_err().token, 2);
    writer.submit(batch(3, 1)).unwrap();
    writer.stop();
    assert_eq!((writer.written(), writer.handed_back()), (3, 2));
    assert_eq!(store.history(&of(BOB)).unwrap().messages.len(), 3);
}

#[test]
fn who_reads_does_not_wait_for_the_batch() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let options = MessageWriterOptions { interval: Duration::from_secs(3_600), ..Default::default() };
    let writer = store.message_writer(options, |_| {}).unwrap();
    for n in 1..4 {
        let entries = vec![MessageEntry::Message(Box::new(message(n, ANNA, &[BOB], "x")))];
        writer.submit(MessageBatch { worker: 0, token: 0, entries }).unwrap();
        assert!(writer.flush(Duration::from_secs(60)), "written before its hour is over");
        assert_eq!(store.history(&of(BOB)).unwrap().messages.len(), n as usize);
    }
    assert!(writer.flush(Duration::ZERO), "nothing waits");
    writer.stop();
}

#[test]
fn a_refused_write_is_reported_as_such() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (post, reports) = sync_channel(64);
    let writer = store.message_writer(MessageWriterOptions::default(), move |r| drop(post.send(r))).unwrap();
    let db = rusqlite::Connection::open(dir.path().join("messages.db")).unwrap();
    db.execute_batch("CREATE TRIGGER stop BEFORE INSERT ON archive BEGIN SELECT RAISE(ABORT, 'no'); END").unwrap();
    let one = |token, entry| MessageBatch { worker: 1, token, entries: vec![entry] };
    writer.submit(one(1, MessageEntry::Archive(Box::new(archived(1_000, ANNA, &[BOB], "x"))))).unwrap();
    writer.submit(one(2, MessageEntry::Message(Box::new(message(1_000, ANNA, &[BOB], "kept"))))).unwrap();
    let mut outcome = Vec::new();
    while outcome.len() < 2 {
        let report: MessagesCommitted = reports.recv_timeout(Duration::from_secs(20)).expect("each batch is reported");
        outcome.extend(report.tokens.iter().map(|token| (*token, report.result.is_ok())));
    }
    assert_eq!(outcome, [(1, false), (2, true)], "one that fails takes no other with it");
    writer.stop();
    assert_eq!((writer.written(), writer.failed()), (1, 1));
    assert!(store.archive_append(&[archived(1_000, ANNA, &[BOB], "x")]).is_err());
    assert_eq!(texts(&store, &of(BOB)), ["kept"]);
}

#[test]
fn what_a_busy_disk_refuses_is_written_later_unless_somebody_waits_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (post, reports) = sync_channel(64);
    let options = MessageWriterOptions { try_every: Duration::from_millis(1), ..MessageWriterOptions::default() };
    let writer = store.message_writer(options, move |r| drop(post.send(r))).unwrap();
    let db = rusqlite::Connection::open(dir.path().join("messages.db")).unwrap();
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    let one = |token, entry| MessageBatch { worker: 1, token, entries: vec![entry] };
    for at in [1_000, 2_000] {
        writer.submit(one(0, MessageEntry::Message(Box::new(message(at, ANNA, &[BOB], "kept"))))).unwrap();
    }
    writer.submit(one(7, MessageEntry::Archive(Box::new(archived(1_000, ANNA, &[BOB], "x"))))).unwrap();
    let next = || -> MessagesCommitted { reports.recv_timeout(Duration::from_secs(60)).unwrap() };
    let report = next();
    assert_eq!((report.tokens, report.result.unwrap_err().fault), (vec![7], lyceum_store::Fault::Busy));
    db.execute_batch("COMMIT").unwrap();
    writer.submit(one(8, MessageEntry::Message(Box::new(message(3_000, ANNA, &[BOB], "later"))))).unwrap();
    let mut tokens = Vec::new();
    while tokens.len() < 3 {
        let report = next();
        assert_eq!(report.result, Ok(()));
        tokens.extend(report.tokens);
    }
    tokens.sort_unstable();
    assert_eq!(tokens, [0, 0, 8]);
    assert_eq!(texts(&store, &of(BOB)), ["later", "kept", "kept"]);
    writer.stop();
    assert_eq!((writer.written(), writer.failed()), (3, 1));
}

#[test]
fn a_disk_that_refuses_amid_a_broken_batch_keeps_the_order_and_nobody_waits_to_read() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let db = rusqlite::Connection::open(dir.path().join("messages.db")).unwrap();
    db.execute_batch("CREATE TRIGGER stop BEFORE INSERT ON archive BEGIN SELECT RAISE(ABORT, 'no'); END").unwrap();
    let db = Arc::new(Mutex::new(db));
    let (locks, (post, reports)) = (db.clone(), sync_channel(64));
    // The broken batch is reported first; from then on the disk is busy.
    let done = move |report: MessagesCommitted| {
        if report.tokens == [1] {
            locks.lock().unwrap().execute_batch("BEGIN IMMEDIATE").unwrap();
        }
        post.send(report).unwrap();
    };
    let hour = Duration::from_secs(3_600);
    let options = MessageWriterOptions { interval: hour, try_every: hour, ..MessageWriterOptions::default() };
    let writer = store.message_writer(options, done).unwrap();
    let one = |token, entry| MessageBatch { worker: 1, token, entries: vec![entry] };
    let read = MessageEntry::Mark {
        message: MessageRef::Wire { wire_id: "wire-1000".into(), sender: ANNA.into() },
        user: BOB.into(),
        mark: Mark::Read,
        at: WallTime(2_000),
    };
    writer.submit(one(1, MessageEntry::Archive(Box::new(archived(1_000, ANNA, &[BOB], "x"))))).unwrap();
    writer.submit(one(0, MessageEntry::Message(Box::new(message(1_000, ANNA, &[BOB], "first"))))).unwrap();
    writer.submit(one(0, read)).unwrap();
    assert!(!writer.flush(hour), "the disk refuses, and who reads does not wait");
    assert!(!writer.flush(hour));
    assert_eq!(reports.recv().unwrap().tokens, [1]);
    db.lock().unwrap().execute_batch("COMMIT").unwrap();
    writer.stop();
    let page = store.history(&of(ANNA)).unwrap();
    assert_eq!(page.messages[0].recipients[0].read, Some(WallTime(2_000)), "the mark came after its message");
}

fn transfer(store: &Store, at: u64, content: &[u8]) -> NewTransfer {
    NewTransfer {
        id: id(at),
        sender: ANNA.into(),
        recipient: BOB.into(),
        name: "plan.pdf".into(),
        content_type: "application/pdf".into(),
        size: content.len() as u64,
        blob: store.blob_put(&mut &content[..]).unwrap(),
        expires: WallTime(at + DAY_MS),
        most_stored: 10,
        state: TransferState::Offered,
    }
}

#[test]
fn a_file_belongs_to_two_people_and_its_content_goes_with_its_last_use() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let first = store.transfer_add(&transfer(&store, 1_000, b"abcd")).unwrap();
    let same = store.transfer_add(&transfer(&store, 2_000, b"abcd")).unwrap();
    let blob = first.blob.unwrap();
    assert_eq!(store.transfer(first.id, BOB).unwrap(), first);
    assert_eq!(store.transfer(first.id, CARLA), Err(TransferError::NoTransfer));
    assert_eq!(store.transfers(BOB, None, 0).unwrap(), [same.clone(), first.clone()]);
    assert_eq!(store.transfers(ANNA, Some(same.id), 0).unwrap(), std::slice::from_ref(&first));
    let full = store.transfer_add(&transfer(&store, 3_000, b"xyz"));
    assert_eq!(full, Err(TransferError::Full { stored: 8, most: 10 }));
    assert_eq!(store.blobs().unwrap(), [blob], "the refused content is gone");
    assert_eq!(store.transfer_state(first.id, TransferState::Fetched).unwrap().blob, Some(blob));
    assert_eq!(store.transfer_state(first.id, TransferState::Declined).unwrap().blob, None);
    assert_eq!(store.blobs().unwrap(), [blob], "the other file has the same content");
    let again = store.transfer_state(first.id, TransferState::Fetched);
    assert_eq!(again, Err(TransferError::Gone(TransferState::Declined)));
    assert_eq!(store.purge_transfers(WallTime(2_000 + DAY_MS), DAY_MS, || true).unwrap(), 1);
    assert_eq!(store.blobs().unwrap(), []);
    assert_eq!(store.transfer(same.id, ANNA).unwrap().state, TransferState::Expired);
    assert_eq!(store.purge_transfers(WallTime(9 * DAY_MS), DAY_MS, || true).unwrap(), 0);
    assert_eq!(store.transfers(ANNA, None, 0).unwrap(), []);
    let stopped = NewTransfer { state: TransferState::Infected, ..transfer(&store, 3_500, b"virus") };
    let noted = store.transfer_add(&stopped).unwrap();
    assert_eq!((noted.state, noted.blob), (TransferState::Infected, None));
    assert!(store.blob_open(stopped.blob).is_err(), "what was stopped is not kept");
    let gone = NewTransfer { blob: lyceum_store::BlobId([1; 32]), ..transfer(&store, 4_000, b"a") };
    assert_eq!(store.transfer_add(&gone), Err(TransferError::Blob(BlobError::NoBlob(gone.blob))));
}

#[test]
fn a_photo_is_an_image_within_its_bound() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let png = |width: u32| {
        let head = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";
        [&head[..], &width.to_be_bytes(), &width.to_be_bytes(), b"\x08\x02\0\0\0crc!", b"\0\0\0\0IENDcrc!"].concat()
    };
    assert_eq!(store.photo_put(ANNA, &png(2049), 100, WallTime(5)), Err(PhotoError::TooManyPixels(2048)));
    assert_eq!(store.photo_put(ANNA, &png(96)[..40], 100, WallTime(5)), Err(PhotoError::Truncated));
    let png = &png(96);
    let photo = store.photo_put(ANNA, png, 100, WallTime(5)).unwrap();
    assert_eq!((photo.content_type.as_str(), store.photo(ANNA).unwrap()), ("image/png", Some(photo.clone())));
    assert_eq!(store.photo_digest(ANNA).unwrap(), Some(photo.digest));
    assert_eq!(store.photo_put(ANNA, b"<html>", 100, WallTime(6)), Err(PhotoError::Format));
    assert_eq!(store.photo_put(ANNA, png, 11, WallTime(6)), Err(PhotoError::TooLarge(11)));
    assert_eq!((store.photo_remove(ANNA).unwrap(), store.photo_remove(ANNA).unwrap()), (true, false));
    assert_eq!((store.photo(ANNA).unwrap(), store.photo_digest(ANNA).unwrap()), (None, None));
}
