//! The relay path takes nothing from the heap: counted by an allocator of our own.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use lyceum_media::Time;
use lyceum_media::bridge::{Bridge, Identity, LegSetup, Outcome, Port, Protection, Side};
use lyceum_media::latch::Believe;
use lyceum_media::rtp::{Fields, MAX_PACKET, write};
use lyceum_media::srtp::Protector;
use lyceum_sdp::{Codec, Direction, Encoding, KeySalt, Suite};

struct Counting;

thread_local! {
    /// What this thread took: the test harness's own threads allocate when they like.
    static TAKEN: Cell<u64> = const { Cell::new(0) };
}

fn taken() -> u64 {
    TAKEN.with(Cell::get)
}

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        TAKEN.with(|taken| taken.set(taken.get() + 1));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const SUITE: Suite = Suite::AesCm128HmacSha1_80;

fn key(byte: u8) -> KeySalt {
    KeySalt::new(SUITE, &[byte; 30]).expect("its length")
}

fn leg(address: &str, secure: bool) -> LegSetup {
    LegSetup {
        rtp: address.parse().ok(),
        rtcp: None,
        signalled_from: None,
        believe: Believe::KnownHosts,
        protection: match secure {
            true => Protection::Sdes { suite: SUITE, send: key(1), receive: key(2) },
            false => Protection::Plain,
        },
        direction: Direction::SendRecv,
        send: vec![Codec::new(8, Encoding::Pcma)],
        receive: vec![Codec::new(8, Encoding::Pcma)],
        rtcp_mux: false,
        ptime: 20,
    }
}

#[test]
fn a_relayed_packet_allocates_nothing() {
    let (one, two) = ("192.0.2.1:4000", "192.0.2.2:4000");
    for (from_secure, to_secure) in [(false, false), (false, true), (true, false), (true, true)] {
        let identity = Identity { ssrcs: [1, 2], starts: [(0, 0); 2], cname: "c".into() };
        let mut bridge = Bridge::new(leg(one, from_secure), leg(two, to_secure), identity).expect("there is a way");
        let mut phone = Protector::new(SUITE, &key(2));
        let (source, mut buffer, mut before) = (one.parse().expect("an address"), [0; MAX_PACKET], 0);
        for number in 0..1000u16 {
            // The first packet makes what is kept of a source.
            if number == 1 {
                before = taken();
            }
            let fields = Fields {
                marker: false,
                payload_type: 8,
                sequence: number,
                timestamp: 160 * u32::from(number),
                ssrc: 9,
            };
            assert!(write(&mut buffer, &fields));
            let len = if from_secure { phone.protect_rtp(&mut buffer, 172).expect("protected") } else { 172 };
            let outcome = bridge.packet(Time(u64::from(number) * 20_000), Side::A, Port::Rtp, source, &mut buffer, len);
            assert!(matches!(outcome, Outcome::Forward(_)));
        }
        assert_eq!(taken(), before, "secure from {from_secure}, to {to_secure}");
    }
}
