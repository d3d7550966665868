//! What a finished but lingering transaction costs, counted by the allocator.

use lyceum_sip::transaction::{Outgoing, Response, Table, TableLimits, Timers};
use lyceum_sip::{Index, Limits, Message, ResponseBuilder, Time, parse};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

thread_local! {
    /// Of this thread: the test harness's own threads allocate when they like.
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        CALLS.with(|calls| calls.set(calls.get() + 1));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const COUNT: usize = 10_000;

/// As large as the peer of a real table: a flow or an address with a TLS name.
#[derive(Clone)]
struct Peer {
    _address: [u8; 48],
    _name: Option<Arc<str>>,
}

fn peer() -> Peer {
    Peer { _address: [0; 48], _name: Some("peer.example.org".into()) }
}

fn request(method: &str, i: usize) -> Vec<u8> {
    let sdp = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 9 101\r\na=rtpmap:101 telephone-event/8000\r\n".repeat(4);
    format!(
        "{method} sip:bob@pool.example.org SIP/2.0\r\nVia: SIP/2.0/UDP proxy.example.org:5060;branch=z9hG4bKp{i};rport\r\n\
         Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKa{i};received=192.0.2.1;rport=5070\r\n\
         Record-Route: <sip:cAAAAAAAAAAAAAAAAqqqqqqqqqqqqqqqqqqqqqqq.qqqqqqqqqqqqqqqqqqqqqqqqq@proxy.example.org:5060;lr>\r\n\
         Max-Forwards: 69\r\nFrom: \"Alice\" <sip:alice@example.org>;tag=a{i}\r\nTo: <sip:bob@example.org>\r\nCall-ID: call-{i}@192.0.2.1\r\n\
         CSeq: 20 {method}\r\nContact: <sip:alice@192.0.2.1:5070>\r\nUser-Agent: Phone/1.0\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    )
    .into_bytes()
}

fn answer(m: &Message<'_>, code: u16, out: &mut Vec<u8>) {
    out.clear();
    ResponseBuilder::new(m, code, "Answer").to_tag(b"b").header("Contact", b"<sip:bob@192.0.2.9>").write(out);
}

fn drain(table: &mut Table<Peer>) {
    while table.poll_output().is_some() {}
}

/// Runs `fill` over a fresh table and says how many bytes each of the transactions holds.
fn per_transaction(fill: impl Fn(&mut Table<Peer>, &mut Index, usize)) -> usize {
    let mut index = Index::new();
    let limits = TableLimits::default();
    // The generator of the messages and the index have their memory before we count.
    fill(&mut Table::new(Timers::default(), limits, [1; 16]), &mut index, 0);
    let before = LIVE.load(Ordering::Relaxed);
    let mut table = Table::new(Timers::default(), limits, [1; 16]);
    for i in 0..COUNT {
        fill(&mut table, &mut index, i);
    }
    let counts = table.counts();
    assert_eq!(counts.servers + counts.clients, COUNT);
    (LIVE.load(Ordering::Relaxed) - before) / COUNT
}

fn server(method: &str, code: u16) -> usize {
    per_transaction(|table, index, i| {
        let bytes = request(method, i);
        parse(&bytes, index, &Limits::default()).expect("readable");
        let m = Message::new(&bytes, index);
        let id = table.accept(Time(0), &m, false, peer()).expect("room");
        let mut out = Vec::new();
        answer(&m, 100, &mut out);
        table.respond(Time(0), id, 100, &out);
        answer(&m, code, &mut out);
        assert!(table.respond(Time(0), id, code, &out));
        drain(table);
    })
}

fn client(method: &str, code: u16) -> usize {
    per_transaction(|table, index, i| {
        let bytes = request(method, i);
        let branch = format!("z9hG4bKp{i}");
        let send = Outgoing {
            method: method.as_bytes(),
            branch: branch.as_bytes(),
            bytes: &bytes,
            reliable: false,
            peer: peer(),
            user: 1,
        };
        table.send(Time(0), send).expect("room");
        parse(&bytes, index, &Limits::default()).expect("readable");
        let mut out = Vec::new();
        answer(&Message::new(&bytes, index), code, &mut out);
        parse(&out, index, &Limits::default()).expect("readable");
        let got = table.response_arrived(Time(0), &Message::new(&out, index));
        assert!(matches!(got, Response::Pass { .. }));
        drain(table);
    })
}

/// One test for all: the counter is the process's.
#[test]
fn a_lingering_transaction_keeps_at_most_two_kilobytes() {
    let cases = [
        ("INVITE server, Completed", server("INVITE", 486)),
        ("INVITE server, Accepted", server("INVITE", 200)),
        ("non-INVITE server, Completed", server("MESSAGE", 200)),
        ("INVITE client, Completed", client("INVITE", 486)),
        ("INVITE client, Accepted", client("INVITE", 200)),
        ("non-INVITE client, Completed", client("MESSAGE", 200)),
    ];
    for (what, bytes) in cases {
        println!("{what}: {bytes} bytes");
        assert!(bytes <= 2048, "{what}: {bytes} bytes");
    }
    allocations_per_transaction();
}

/// Allocator calls of one whole server transaction once the table is warm: the copy for
/// retransmission, and no more.
fn allocations_per_transaction() {
    let mut table = Table::new(Timers::default(), TableLimits::default(), [1; 16]);
    let bytes = request("MESSAGE", 0);
    let mut index = Index::new();
    parse(&bytes, &mut index, &Limits::default()).expect("readable");
    let m = Message::new(&bytes, &index);
    let mut out = Vec::new();
    answer(&m, 200, &mut out);
    let to = peer();
    let mut run = |now: u64| {
        let now = Time(now * 40_000_000);
        table.timeout(now);
        table.request_arrived(now, &m, false, &to);
        let id = table.accept(now, &m, false, to.clone()).expect("room");
        table.respond(now, id, 200, &out);
        drain(&mut table);
    };
    run(1);
    let before = CALLS.with(Cell::get);
    (2..102).for_each(&mut run);
    let calls = CALLS.with(Cell::get) - before;
    println!("100 server transactions: {calls} allocations");
    assert!(calls <= 100, "{calls}");
}
