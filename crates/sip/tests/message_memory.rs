//! The hot paths allocate nothing once their buffers are warm.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use lyceum_sip::{Index, Limits, Message, Name, ResponseBuilder, Splice, parse};

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call goes to the system's allocator unchanged; only a counter is added.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|c| c.set(c.get() + 1));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const REQUEST: &[u8] = b"INVITE sip:bob@example.org SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.17:5060;branch=z9hG4bKnashds8;rport, SIP/2.0/TCP a;branch=z9hG4bKb\r\n\
    Max-Forwards: 70\r\nRoute: <sip:p.example.org;lr>, <sip:q.example.org;lr>\r\n\
    From: \"Alice\" <sip:alice@example.org>;tag=9fxced76sl\r\nTo: <sip:bob@example.org>\r\n\
    Call-ID: 3848276298220188511\r\nCSeq: 1 INVITE\r\nContact: <sip:alice@[2001:db8::17]>\r\n\
    Supported: replaces, timer\r\nX-Unknown: 1\r\nContent-Length: 0\r\n\r\n";

fn handle(index: &mut Index, out: &mut Vec<u8>) {
    parse(REQUEST, index, &Limits::default()).expect("sound");
    let message = Message::new(REQUEST, index);
    message.validate().expect("valid");
    out.clear();
    Splice::new(message)
        .request_uri(b"sip:bob@192.0.2.9")
        .set_top_via_params(Some([192, 0, 2, 17].into()), Some(5060))
        .remove_first_value(Name::Route)
        .replace(Name::MaxForwards, b"69")
        .remove(Name::PAssertedIdentity)
        .remove_named(b"X-Unknown")
        .prepend(b"Record-Route: <sip:p.example.org;lr>")
        .prepend(b"Via: SIP/2.0/UDP p.example.org;branch=z9hG4bKp")
        .write(out);
    ResponseBuilder::new(&message, 100, "").received([192, 0, 2, 17].into(), 5060).write(out);
}

#[test]
fn reading_forwarding_and_answering_allocate_nothing_when_warm() {
    let mut index = Index::new();
    let mut out = Vec::with_capacity(4096);
    handle(&mut index, &mut out);
    let before = COUNT.with(Cell::get);
    for _ in 0..100 {
        handle(&mut index, &mut out);
    }
    assert_eq!(COUNT.with(Cell::get) - before, 0);
    assert!(index.heap_bytes() <= 16 * 8, "{} bytes for 11 lines", index.heap_bytes());
}
