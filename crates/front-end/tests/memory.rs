//! Bytes of heap per idle subscription, by a counting allocator.

#[path = "core/bench.rs"]
#[allow(dead_code, reason = "this test uses its part")]
mod bench;

use std::alloc::{GlobalAlloc, Layout, System};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bench::{Bench, DOMAIN, Sent, user};
use lyceum_topology::{Cidr, Document, HopTransport, TrustedBy, TrustedHost};

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);

/// What glibc's malloc takes for a request: 8 bytes of head, 16-byte steps, 32 at least.
fn taken(size: usize) -> usize {
    (size + 8).next_multiple_of(16).max(32)
}

// SAFETY: every call goes to the system's allocator unchanged; only a counter is touched beside.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(taken(layout.size()), Ordering::Relaxed);
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

const PEOPLE: u32 = 1_000;
const WATCHERS_EACH: u32 = 100;
/// What an idle subscription may cost, its dialog included.
const PROMISED: usize = 700;

fn trusted(document: &mut Document) {
    let cidr = Cidr::parse("127.0.0.0/8").unwrap();
    let by = TrustedBy::Address { cidr, transports: vec![HopTransport::Udp] };
    document.trusted_hosts.push(TrustedHost { name: "phones".into(), description: String::new(), by });
}

/// As linphone asks: with its instance in Contact, and tags and Call-ID as long as its own.
fn subscribe(person: u32, watcher: u32, number: u32, phone: SocketAddr) -> String {
    format!(
        "SUBSCRIBE sip:user{person:04}@{DOMAIN} SIP/2.0\nVia: SIP/2.0/UDP {phone};branch=z9hG4bK.{number:08};rport\n\
         From: <sip:user{watcher:04}@{DOMAIN}>;tag=~{number:08x}\nTo: <sip:user{person:04}@{DOMAIN}>\nCSeq: 20 SUBSCRIBE\n\
         Call-ID: SPmiYXpu{number:08x}\nMax-Forwards: 70\nEvent: presence\nExpires: 3600\n\
         Contact: <sip:user{watcher:04}@{phone};transport=udp>;+sip.instance=\"<urn:uuid:{number:08x}-7ecc-00b5-a8a6-3eee64d6b3e4>\"\n\
         Accept: application/pidf+xml\nContent-Length: 0\n\n"
    )
}

fn ok(notify: &Sent) -> String {
    let kept: Vec<&str> = notify
        .text
        .lines()
        .filter(|line| ["Via:", "From:", "To:", "Call-ID:", "CSeq:"].iter().any(|name| line.starts_with(name)))
        .collect();
    format!("SIP/2.0 200 OK\n{}\nContent-Length: 0\n\n", kept.join("\n"))
}

#[test]
fn an_idle_subscription_is_as_small_as_promised() {
    let users = (0..PEOPLE).map(|number| user(number + 1, &format!("user{number:04}"))).collect();
    let mut bench = Bench::with(trusted, users);
    let phone = |watcher: u32| SocketAddr::from(([127, 0, 0, 1], 10_000 + watcher as u16));
    bench.wait(Duration::from_secs(60));
    let before = HELD.load(Ordering::Relaxed);
    let mut number = 0;
    for person in 0..PEOPLE {
        for each in 0..WATCHERS_EACH {
            let watcher = (person + 1 + each) % PEOPLE;
            number += 1;
            let mut sent = bench.receive_at(2, phone(watcher), &subscribe(person, watcher, number, phone(watcher)));
            sent.extend(bench.wait(Duration::from_millis(2)));
            let notify = sent.iter().find(|one| one.first_line().starts_with("NOTIFY ")).expect("a first NOTIFY");
            bench.receive_at(2, phone(watcher), &ok(notify));
        }
    }
    // What lingers of the transactions is not the subscription's.
    bench.wait(Duration::from_secs(60));
    let count = bench.core.events().subscriptions();
    assert_eq!(count, (PEOPLE * WATCHERS_EACH) as usize);
    let each = (HELD.load(Ordering::Relaxed) - before) / count;
    println!("{each} bytes of heap per idle subscription, its dialog and its watcher's entry with the person included");
    assert!(each <= PROMISED, "{each} bytes per subscription");
}
