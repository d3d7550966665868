//! The test vectors of RFC 5769: messages that others wrote, sealed with keys that it names.

use lyceum_turn::{Class, Key, Message, Method, Writer, fingerprint_holds, integrity_holds, kind, read_address};

const PASSWORD: &[u8] = b"VOkJxbRl1RmTxUk/WvJxBt";

/// §2.1.
const REQUEST: &str = "
    00010058 2112a442 b7e7a701 bc34d686 fa87dfae 80220010 5354554e 20746573 7420636c 69656e74 00240004 6e0001ff
    80290008 932ff9b1 51263b36 00060009 6576746a 3a683676 59202020 00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249
    c1b571a2 80280004 e57a3bcf";
/// §2.2.
const RESPONSE_V4: &str = "
    0101003c 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220 00200008 0001a147 e112a643
    00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7 80280004 c07d4c96";
/// §2.3.
const RESPONSE_V6: &str = "
    01010048 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220 00200014 0002a147 0113a9fa
    a5d3f179 bc25f4b5 bed2b9d9 00080014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41 80280004 c8fb0b4c";
/// §2.4.
const LONG_TERM: &str = "
    00010060 2112a442 78ad3433 c6ad72c0 29da412e 00060012 e3839ee3 8388e383 aae38383 e382afe3 82b90000 0015001c
    662f2f34 39396b39 35346436 4f4c3334 6f4c3946 53547679 36347341 0014000b 6578616d 706c652e 6f726700 00080014
    f6702465 6dd64a3e 02b8e071 2e85c9a2 8ca89666";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

#[test]
fn the_request_of_2_1_is_read_and_its_seals_hold() {
    let bytes = bytes(REQUEST);
    let message = Message::parse(&bytes).unwrap();
    assert_eq!((message.class(), message.method()), (Class::Request, Method::Binding));
    assert_eq!(message.value(kind::SOFTWARE), Some(&b"STUN test client"[..]));
    assert_eq!(message.value(kind::USERNAME), Some(&b"evtj:h6vY"[..]));
    assert!(integrity_holds(&message, &Key::short_term(PASSWORD)));
    assert!(!integrity_holds(&message, &Key::short_term(b"another")));
    assert_eq!(fingerprint_holds(&message), Some(true));
}

#[test]
fn the_addresses_of_2_2_and_2_3_are_read() {
    for (hex, address) in
        [(RESPONSE_V4, "192.0.2.1:32853"), (RESPONSE_V6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853")]
    {
        let bytes = bytes(hex);
        let message = Message::parse(&bytes).unwrap();
        let mapped = message.value(kind::XOR_MAPPED_ADDRESS).unwrap();
        assert_eq!(read_address(mapped, message.transaction()), Some(address.parse().unwrap()));
        assert!(integrity_holds(&message, &Key::short_term(PASSWORD)));
        assert_eq!(fingerprint_holds(&message), Some(true));
    }
}

#[test]
fn the_long_term_request_of_2_4_is_sealed_with_the_key_of_name_realm_and_password() {
    let bytes = bytes(LONG_TERM);
    let message = Message::parse(&bytes).unwrap();
    let name = "\u{30de}\u{30c8}\u{30ea}\u{30c3}\u{30af}\u{30b9}";
    assert_eq!(message.value(kind::USERNAME), Some(name.as_bytes()));
    let key = Key::long_term(name.as_bytes(), b"example.org", b"TheMatrIX");
    assert!(integrity_holds(&message, &key));
    assert_eq!(fingerprint_holds(&message), None);
}

#[test]
fn what_we_write_holds_too_and_any_changed_byte_is_found() {
    let key = Key::short_term(PASSWORD);
    let mut written = Vec::new();
    let mut writer = Writer::new(&mut written, Method::Binding, Class::Success, *b"twelve bytes");
    writer.attribute(kind::SOFTWARE, b"test vector");
    writer.address(kind::XOR_MAPPED_ADDRESS, "192.0.2.1:32853".parse().unwrap());
    writer.integrity(&key).fingerprint();
    let message = Message::parse(&written).unwrap();
    assert!(integrity_holds(&message, &key));
    assert_eq!(fingerprint_holds(&message), Some(true));
    for at in 0..written.len() {
        let mut changed = written.clone();
        changed[at] ^= 1;
        let held = Message::parse(&changed)
            .is_ok_and(|message| integrity_holds(&message, &key) && fingerprint_holds(&message) == Some(true));
        assert!(!held, "byte {at}");
    }
}
