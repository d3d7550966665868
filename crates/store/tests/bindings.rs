//! The binding journal: batches, owners, folding, damage.

mod support;

use lyceum_store::{BindingError, BindingWriterOptions, Fault};
use std::time::{Duration, Instant};
use support::{Worker, open, stored};

fn fast() -> BindingWriterOptions {
    BindingWriterOptions { interval: Duration::from_millis(1), ..BindingWriterOptions::default() }
}

#[test]
fn what_was_acknowledged_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut worker = Worker::start(&store, fast());
    for user in 0..500 {
        worker.register(user, 1);
    }
    worker.commit().unwrap();
    for user in 0..500 {
        worker.register(user, 2);
    }
    worker.groups[3].retain("nobody@example.org", &mut worker.journal, |_| false);
    worker.commit().unwrap();
    worker.writer.stop();
    let live = worker.seen();
    drop((worker, store));
    assert_eq!(live.len(), 500);
    assert_eq!(stored(&open(dir.path())), live);
}

#[test]
fn a_quiet_writer_writes_at_once_and_a_busy_one_gathers_a_batch() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let options = BindingWriterOptions { interval: Duration::from_secs(3_600), ..BindingWriterOptions::default() };
    let mut worker = Worker::start(&store, options);
    worker.register(0, 1);
    worker.commit().unwrap();
    assert_eq!((worker.writer.commits(), worker.writer.entries()), (1, 1), "nobody waits an hour for the first");
    for user in 0..255 {
        worker.register(user, 2);
        worker.submit().unwrap();
    }
    assert_eq!(worker.writer.commits(), 1, "what follows waits for its batch");
    worker.register(255, 2);
    worker.submit().unwrap();
    assert_eq!(worker.settle(), (257, Ok(())));
    assert_eq!((worker.writer.commits(), worker.writer.entries()), (2, 257), "256 entries close one at once");
}

#[test]
fn a_stale_owner_is_refused_and_the_new_one_accepted() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut worker = Worker::start(&store, fast());
    worker.register(1, 1);
    worker.commit().unwrap();
    let before = worker.seen();
    let group = (0..=255u8).find(|g| worker.groups[usize::from(*g)].addresses() > 0).unwrap();
    let epoch = worker.writer.claim(group).unwrap();
    worker.register(1, 2);
    match worker.commit() {
        Err(BindingError::Store(error)) => {
            assert_eq!(error.fault, Fault::StaleOwner { group: group.into(), ours: epoch - 1, current: epoch });
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(worker.seen(), before, "memory is back at what is stored");
    assert_eq!(stored(&store), before);
    worker.groups[usize::from(group)].set_epoch(epoch);
    worker.register(1, 3);
    worker.commit().unwrap();
    assert_eq!(stored(&store), worker.seen());
}

#[test]
fn reopening_takes_over_with_the_next_epoch() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path()).epoch(9);
    assert_eq!(open(dir.path()).epoch(9), first + 1);
}

#[test]
fn the_journal_is_folded_and_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let options = BindingWriterOptions { interval: Duration::from_millis(1), fold_bytes: 64 << 10 };
    let mut worker = Worker::start(&store, options);
    let kind = lyceum_users::facet_kind::PRESENCE;
    for round in 1..80u32 {
        for user in 0..300 {
            worker.register(user, round);
        }
        let (key, value) = ([round as u8 % 7], round.to_le_bytes());
        worker.groups[5].put_facet(kind, &key, &value, &mut worker.journal).unwrap();
        worker.groups[5].remove_facet(kind, b"\x06", &mut worker.journal);
        worker.commit().unwrap();
    }
    // Folding goes on in the background; the rows it made unnecessary go a few at a time.
    let folded = || {
        let loaded = store.load_groups().unwrap();
        loaded.iter().map(|l| l.replayed).sum::<u64>() < 300 * 40
    };
    let start = Instant::now();
    while !folded() {
        assert!(start.elapsed() < Duration::from_secs(20), "the journal is never folded");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(stored(&store), worker.seen());
    let facets = |group: &lyceum_users::Group| {
        let mut all: Vec<_> = group.facets(kind).map(|(key, value)| (key.to_vec(), value.to_vec())).collect();
        all.sort();
        all
    };
    let kept = facets(&store.load_groups().unwrap()[5].group);
    assert_eq!((kept.len(), kept), (6, facets(&worker.groups[5])), "facets are folded and replayed like bindings");
    worker.writer.stop();
    let live = worker.seen();
    drop((worker, store));
    let store = open(dir.path());
    assert_eq!(stored(&store), live);
    // Row numbers go on where they were, even after all rows have been folded away.
    let mut worker = Worker::start(&store, fast());
    worker.register(1, 1000);
    worker.commit().unwrap();
    assert_eq!(stored(&store), worker.seen());
}

#[test]
fn a_fold_that_cannot_open_the_database_is_taken_up_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let options = BindingWriterOptions { interval: Duration::from_millis(1), fold_bytes: 8 << 10 };
    let mut worker = Worker::start(&store, options);
    // The writer has its handle already; whoever opens now finds a folder.
    let (here, away) = (dir.path().join("bindings.db"), dir.path().join("away.db"));
    std::fs::rename(&here, &away).unwrap();
    std::fs::create_dir(&here).unwrap();
    for round in 1..4u32 {
        for user in 0..300 {
            worker.register(user, round);
        }
        worker.commit().unwrap();
    }
    std::fs::remove_dir(&here).unwrap();
    std::fs::rename(&away, &here).unwrap();
    let start = Instant::now();
    while store.load_groups().unwrap().iter().map(|l| l.replayed).sum::<u64>() >= 300 {
        assert!(start.elapsed() < Duration::from_secs(20), "the journal is never folded");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(stored(&store), worker.seen());
}

#[test]
fn a_full_queue_hands_the_block_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut worker = Worker::start(&store, fast());
    worker.writer.stop();
    worker.register(1, 1);
    assert_eq!(worker.submit(), None);
    assert!(worker.seen().is_empty(), "its change is undone");
}

#[test]
fn a_damaged_image_is_an_error_that_names_the_group() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut worker = Worker::start(&store, fast());
    worker.register(1, 1);
    worker.commit().unwrap();
    let db = rusqlite::Connection::open(dir.path().join("bindings.db")).unwrap();
    db.execute("INSERT INTO image (grp, upto, epoch, image) VALUES (5, 0, 1, x'00112233445566778899')", []).unwrap();
    let error = store.load_groups().err().unwrap().to_string();
    assert!(error.contains("routing group 5") && error.contains("lyceum restore"), "{error}");
}

#[test]
fn several_workers_share_batches() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (post, reports) = std::sync::mpsc::sync_channel(4096);
    let writer = store.binding_writer(fast(), move |r| drop(post.send(r))).unwrap();
    let groups: Vec<u64> = (0..=255).map(|g| store.epoch(g)).collect();
    let threads: Vec<_> = (0..3u8)
        .map(|worker| {
            let (writer, epoch) = (writer.clone(), groups[0]);
            std::thread::spawn(move || {
                let mut group = lyceum_users::Group::new(worker);
                group.set_epoch(epoch);
                let mut journal = lyceum_users::Journal::new();
                for i in 0..200u32 {
                    let contacts = [lyceum_users::ContactIntent::new(b"sip:a@192.0.2.1")];
                    let aor = format!("u{i}@w{worker}");
                    let list = lyceum_users::Contacts::List(&contacts);
                    let intent = lyceum_users::RegisterIntent::new(&aor, lyceum_topology::UserId(i), list);
                    let policy = lyceum_topology::RegistrarPolicy::default();
                    group.register(support::now(), &policy, &intent, &mut journal).unwrap();
                    let (seq, block) = journal.take().unwrap();
                    writer.submit(worker, seq, block).unwrap();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|t| t.join().unwrap());
    writer.stop();
    let mut last = [0; 3];
    for report in reports.try_iter() {
        assert_eq!(report.result, Ok(()));
        let upto = &mut last[usize::from(report.worker)];
        assert!(report.upto > *upto, "each worker hears in order");
        *upto = report.upto;
    }
    assert_eq!(last, [200; 3]);
    assert_eq!(stored(&store).len(), 600);
}
