//! Bytes of heap per address, and allocations on the hot path, by a counting allocator.

mod support;

use lyceum_topology::{PresencePolicy, RegistrarPolicy, UserId, routing_group};
use lyceum_users::presence::{DeviceKind, Facts, Presentities, Presentity, PublishIntent};
use lyceum_users::{ContactIntent, Contacts, FacetKind, Group, Journal, RegisterIntent};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::at;

thread_local! {
    /// Of this thread: the test harness's own threads allocate when they like.
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);

/// What glibc's malloc takes for a request: 8 bytes of head, 16-byte steps, 32 at least.
fn taken(size: usize) -> usize {
    (size + 8).next_multiple_of(16).max(32)
}

// SAFETY: every call goes to the system's allocator unchanged; only counters are touched beside.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(taken(layout.size()), Ordering::Relaxed);
        CALLS.with(|calls| calls.set(calls.get() + 1));
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
    let before = CALLS.with(Cell::get);
    group.register(at(now), &RegistrarPolicy::default(), &intent, journal).unwrap();
    if cseq > 1 {
        let allocations = CALLS.with(Cell::get) - before;
        // At times the block grows, and at times the list of what to undo.
        assert!(allocations <= 2, "a refresh allocated {allocations} times");
    }
}

// One test alone in this file: the counters are the process's.
#[test]
fn memory_is_as_small_as_promised() {
    bindings();
    facets();
    presence();
}

/// At most 350 bytes of an address with one binding, and a refresh allocates nothing of its own.
fn bindings() {
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
        let calls = CALLS.with(Cell::get);
        for user in 0..USERS {
            register(&mut groups, &mut journal, user, round, u64::from(round));
            if user % 256 == 255 {
                let (seq, _) = journal.take().unwrap();
                journal.committed(seq);
            }
        }
        // The test's own three strings per call are in this number too.
        let each = (CALLS.with(Cell::get) - calls) as f64 / f64::from(USERS);
        assert!(each < 6.2, "{each} allocations per refresh");
    }
}

/// 100,000 users share 256 groups, so that the tables are as full as they will be on one node.
const MANY: u32 = 100_000;

/// A facet costs at most 24 bytes beside its key and value, and what the allocator adds to any allocation.
fn facets() {
    let mut groups: Vec<Group> = (0..=255).map(Group::new).collect();
    let mut journal = Journal::new();
    let (value, mut content) = ([7u8; 40], 0);
    let before = HELD.load(Ordering::Relaxed);
    for user in 0..MANY {
        let aor = format!("user{user:06}@example.org");
        let group = &mut groups[usize::from(routing_group(&aor))];
        group.put_facet(FacetKind(9), aor.as_bytes(), &value, &mut journal).unwrap();
        content += taken(aor.len() + value.len());
        if let Some((seq, _)) = journal.take() {
            journal.committed(seq);
        }
    }
    let held = HELD.load(Ordering::Relaxed) - before;
    let beside = (held - content) / MANY as usize;
    println!("{beside} bytes of heap per facet beside key and value");
    assert!(beside <= 24, "{beside} bytes per facet");
}

/// An idle user who is signed in and has published once.
fn presence() {
    let policy = PresencePolicy::default();
    let mut groups: Vec<(Group, Presentities)> =
        (0..=255).map(|id| (Group::new(id), Presentities::default())).collect();
    let mut journal = Journal::new();
    let body = "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:a@example.org'><tuple id='t4109'><status>\
        <basic>open</basic></status><contact>sip:a@192.0.2.1</contact></tuple></presence>";
    let before = HELD.load(Ordering::Relaxed);
    for user in 0..MANY {
        let aor = format!("user{user:06}@example.org");
        let (group, all) = &mut groups[usize::from(routing_group(&aor))];
        let presentity = Presentity { aor: &aor, now: at(0).wall, policy: &policy };
        all.facts(presentity, Facts { registered: 1, ..Facts::default() }, group, &mut journal);
        let intent = PublishIntent {
            if_match: None,
            expires: None,
            content_type: b"application/pidf+xml",
            body: body.as_bytes(),
            source: None,
            device: Some("urn:uuid:00000000-0000-1000-8000-000a95a0e128"),
            kind: DeviceKind::Desktop,
            fresh: u64::from(user),
        };
        all.publish(presentity, &intent, group, &mut journal).unwrap();
        let (seq, _) = journal.take().unwrap();
        journal.committed(seq);
    }
    let each = (HELD.load(Ordering::Relaxed) - before) / MANY as usize;
    println!("{each} bytes of heap per signed-in user with one publication, live and durable part together");
    assert!(each <= 200, "{each} bytes per user");
    let durable = groups.iter().map(|(group, _)| group.facet_count(lyceum_users::facet_kind::PRESENCE)).sum::<usize>();
    assert_eq!((durable, groups.iter().map(|(_, all)| all.len()).sum::<usize>()), (MANY as usize, MANY as usize));
}
