//! Nothing acknowledged is lost: by SIGKILL, by a copy of the synced bytes, by a full disk.

mod support;

use lyceum_sip::time::WallTime;
use lyceum_store::{BindingWriterOptions, By};
use lyceum_topology::{AddressOfRecord, UserId, UserRecord};
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};
use support::{Worker, child, child_dir, copy_folder, cseq, open, seen, stored};

const USERS: u32 = 200;

fn small_fold() -> BindingWriterOptions {
    BindingWriterOptions { interval: Duration::from_millis(1), fold_bytes: 48 << 10 }
}

/// Registers on and on, and says on its output what was acknowledged.
#[test]
fn child_registers_until_killed() {
    let Some(dir) = child_dir() else { return };
    let store = open(&dir);
    let mut worker = Worker::start(&store, small_fold());
    let first = (0..USERS).map(|u| cseq(&worker.groups, u)).max().unwrap() + 1;
    let mut out = std::io::stdout().lock();
    for round in first.. {
        for part in 0..4 {
            for user in (part..USERS).step_by(4) {
                worker.register(user, round);
            }
            worker.commit().unwrap();
            writeln!(out, "ack {part} {round}").unwrap();
        }
    }
}

#[test]
fn kill_9_loses_no_acknowledged_binding() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = [0u32; 4];
    for turn in 0..6u64 {
        let mut process = child("child_registers_until_killed", dir.path()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let reader = std::thread::spawn(move || {
            let mut acks = Vec::new();
            for line in lines.map_while(Result::ok) {
                // The test harness may have begun the first line.
                if let Some((_, ack)) = line.split_once("ack ") {
                    let mut words = ack.split(' ').map(|w| w.parse::<u32>());
                    if let (Some(Ok(part)), Some(Ok(round))) = (words.next(), words.next()) {
                        acks.push((part as usize, round));
                    }
                }
            }
            acks
        });
        std::thread::sleep(Duration::from_millis(300 + turn * 67));
        process.kill().unwrap();
        process.wait().unwrap();
        for (part, round) in reader.join().unwrap() {
            acknowledged[part] = acknowledged[part].max(round);
        }
        let store = open(dir.path());
        let groups: Vec<_> = store.load_groups().unwrap().into_iter().map(|l| l.group).collect();
        for user in 0..USERS {
            let (stored, told) = (cseq(&groups, user), acknowledged[user as usize % 4]);
            assert!(stored >= told, "turn {turn}: user {user} was told {told}, stored is {stored}");
        }
    }
    assert!(acknowledged.iter().all(|round| *round > 10), "{acknowledged:?}: the child hardly worked");
}

#[test]
fn a_copy_of_what_was_synced_holds_all_that_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut worker = Worker::start(&store, small_fold());
    for round in 1..120 {
        for user in 0..USERS {
            worker.register(user, round);
        }
        worker.commit().unwrap();
        if round % 8 == 0 {
            let copy = tempfile::tempdir().unwrap();
            copy_folder(dir.path(), copy.path());
            assert_eq!(stored(&open(copy.path())), worker.seen(), "round {round}");
        }
    }
}

/// With a limit on file sizes for a full disk: refused, undone, and well again by itself.
#[test]
fn child_meets_a_full_disk() {
    let Some(dir) = child_dir() else { return };
    let store = open(&dir);
    let mut worker = Worker::start(&store, small_fold());
    worker.register(0, 1);
    worker.commit().unwrap();
    let before = worker.seen();
    limit_file_size(4096);
    // What the WAL has room for is still written; some block is refused in the end.
    worker.register(1, 1);
    let error = worker.commit().unwrap_err();
    assert!(!error.to_string().is_empty());
    assert!(worker.writer.is_away());
    assert_eq!(worker.seen(), before, "what was refused is undone");
    assert_eq!(seen(&worker.groups).len(), 1, "reads go on from memory");
    std::thread::sleep(Duration::from_millis(1_500));
    assert!(worker.writer.is_away(), "trial writes fail as well");
    limit_file_size(u64::MAX);
    let start = Instant::now();
    while worker.writer.is_away() {
        assert!(start.elapsed() < Duration::from_secs(10), "it never recovers");
        std::thread::sleep(Duration::from_millis(20));
    }
    worker.register(2, 1);
    worker.commit().unwrap();
    assert_eq!(stored(&store), worker.seen());
    println!("recovered");
}

#[test]
fn a_full_disk_is_survived_and_recovered_from() {
    let dir = tempfile::tempdir().unwrap();
    let output = child("child_meets_a_full_disk", dir.path()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("recovered"), "{text}");
}

#[test]
fn child_refuses_a_user_on_a_full_disk() {
    let Some(dir) = child_dir() else { return };
    let store = open(&dir);
    let big = |n: u32| {
        let address = AddressOfRecord::parse(&format!("u{n}@x.org")).unwrap();
        let mut user = UserRecord::new(UserId(0), address, "pool1");
        user.display_name = Some("x".repeat(60_000).into());
        store.user_put(user, None, By { who: "test", at: WallTime(1) })
    };
    big(1).unwrap();
    assert!(!store.refuses_writes());
    limit_file_size(4096);
    assert!((2..50).any(|n| big(n).is_err()));
    assert!(store.refuses_writes());
    limit_file_size(u64::MAX);
    store.try_refused();
    assert!(!store.refuses_writes());
    big(100).unwrap();
    println!("recovered");
}

#[test]
fn a_store_that_refuses_to_write_says_so_until_it_has_recovered() {
    let dir = tempfile::tempdir().unwrap();
    let output = child("child_refuses_a_user_on_a_full_disk", dir.path()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("recovered"), "{text}");
}

fn limit_file_size(bytes: u64) {
    // SAFETY: plain calls with values; this process runs this test alone.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        libc::getrlimit(libc::RLIMIT_FSIZE, &mut limit);
        limit.rlim_cur = bytes.min(limit.rlim_max);
        assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &limit), 0);
    }
}
