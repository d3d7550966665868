//! Bytes of heap per address, and allocations on the hot path, by a counting allocator.

mod support;

use lyceum_topology::{RegistrarPolicy, UserId, routing_group};
use lyceum_users::{ContactIntent, Contacts, Group, Journal, RegisterIntent};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use support::at;

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static CALLS: AtomicUsize = AtomicUsize::new(0);

/// What glibc's malloc takes for a request: 8 bytes of head, 16-byte steps, 32 at least.
fn taken(size: usize) -> usize {
    (size + 8).next_multiple_of(16).max(32)
}

// SAFETY: every call goes to the system's allocator unchanged; only counters are touched beside.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(taken(layout.size()), Ordering::Relaxed);
        CALLS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps `alloc`'s contract, which is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(taken(layout.size()), Ordering::Relaxed);
        // SAFETY: `at` came from `alloc` above with this layout.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const USERS: u32 = 20_000;

fn register(groups: &mut [Group], journal: &mut Journal, user: u32, cseq: u32, now: u64) {
    let aor = format!("user{user:05}@example.org");
    let uri = format!("sip:user{user:05}@192.0.2.17:50601;ob=x"); // 39 bytes
    let call_id = format!("{user}-7d1a0b3c9f@192.0.2.17");
    let contacts = [ContactIntent::new(uri.as_bytes())];
    let mut intent = RegisterIntent::new(&aor, UserId(user), Contacts::List(&contacts));
    intent.call_id = call_id.as_bytes();
    intent.cseq = cseq;
    intent.branch_hash = u64::from(cseq);
    intent.flow = &[7; 12];
    intent.user_agent = b"baresip v1.0.0 (x86_64/linux)";
    let group = &mut groups[usize::from(routing_group(&aor))];
    let before = CALLS.load(Ordering::Relaxed);
    group.register(at(now), &RegistrarPolicy::default(), &intent, journal).unwrap();
    if cseq > 1 {
        let allocations = CALLS.load(Ordering::Relaxed) - before;
        // At times the block grows, and at times the list of what to undo.
        assert!(allocations <= 2, "a refresh allocated {allocations} times");
    }
}

// One test alone in this file: the counters are the process's.
#[test]
fn an_address_with_one_binding_takes_at_most_350_bytes_and_a_refresh_allocates_nothing_of_its_own() {
    let mut groups: Vec<Group> = (0..=255).map(Group::new).collect();
    let mut journal = Journal::new();
    let before = HELD.load(Ordering::Relaxed);
    for user in 0..USERS {
        register(&mut groups, &mut journal, user, 1, 0);
        if let Some((seq, _)) = journal.take() {
            journal.committed(seq);
        }
    }
    let each = (HELD.load(Ordering::Relaxed) - before) / USERS as usize;
    println!("{each} bytes of heap per address with one binding");
    assert!(each <= 350, "{each} bytes per address");

    // A worker's open block grows and its undo list grows: that is all a refresh may allocate.
    for round in 2..4 {
        let calls = CALLS.load(Ordering::Relaxed);
        for user in 0..USERS {
            register(&mut groups, &mut journal, user, round, u64::from(round));
            if user % 256 == 255 {
                let (seq, _) = journal.take().unwrap();
                journal.committed(seq);
            }
        }
        // The test's own three strings per call are in this number too.
        let each = (CALLS.load(Ordering::Relaxed) - calls) as f64 / f64::from(USERS);
        assert!(each < 6.2, "{each} allocations per refresh");
    }
}
