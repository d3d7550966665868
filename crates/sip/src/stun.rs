//! STUN binding answers (RFC 8489) on SIP's own UDP port: the keep-alive of RFC 5626 §3.5.2.

use std::net::{IpAddr, SocketAddr};

const COOKIE: u32 = 0x2112_a442;
const HEADER: usize = 20;
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const BINDING_ERROR: u16 = 0x0111;
const ERROR_CODE: u16 = 0x0009;
const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const FINGERPRINT: u16 = 0x8028;
const FINGERPRINT_XOR: u32 = 0x5354_554e;

/// Attributes below 0x8000 that a request may carry without being understood here: those of
/// authentication, which keep-alives do without (RFC 5626 §8).
const IGNORED: [u16; 6] = [0x0006, 0x0008, 0x0014, 0x0015, 0x001c, 0x001e];

/// More unknown attributes than this are not listed in the refusal.
const MAX_LISTED: usize = 8;

/// True when a datagram is STUN and not SIP: two zero bits, the magic cookie, a length that
/// fits (RFC 8489 §5).
#[must_use]
pub fn is_stun(datagram: &[u8]) -> bool {
    datagram.len() >= HEADER
        && datagram[0] & 0xc0 == 0
        && datagram[4..8] == COOKIE.to_be_bytes()
        && usize::from(u16_at(datagram, 2)) == datagram.len() - HEADER
        && datagram.len().is_multiple_of(4)
}

/// Appends the answer to a binding request: where it came from, or 420 for attributes that
/// must be understood and are not. False when nothing is to be sent. The answer carries a
/// FINGERPRINT when the request does.
pub fn binding_answer(request: &[u8], from: SocketAddr, out: &mut Vec<u8>) -> bool {
    if !is_stun(request) || u16_at(request, 0) != BINDING_REQUEST {
        return false;
    }
    let Some(attributes) = Attributes::read(request) else {
        return false;
    };
    let start = out.len();
    let refused = attributes.unknown_count > 0;
    let kind = if refused { BINDING_ERROR } else { BINDING_SUCCESS };
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&request[4..HEADER]);
    if refused {
        push(out, ERROR_CODE, &[0, 0, 4, 20]);
        let listed = &attributes.unknown[..attributes.unknown_count.min(MAX_LISTED)];
        let types: Vec<u8> = listed.iter().flat_map(|t| t.to_be_bytes()).collect();
        push(out, UNKNOWN_ATTRIBUTES, &types);
    } else {
        push_address(out, from, &request[4..HEADER]);
    }
    let length = |out: &Vec<u8>, more: usize| u16::try_from(out.len() - start - HEADER + more).unwrap_or(0);
    let fingerprint = if attributes.fingerprint { 8 } else { 0 };
    let total = length(out, fingerprint).to_be_bytes();
    out[start + 2..start + 4].copy_from_slice(&total);
    if attributes.fingerprint {
        let sum = crc32(&out[start..]) ^ FINGERPRINT_XOR;
        push(out, FINGERPRINT, &sum.to_be_bytes());
    }
    true
}

struct Attributes {
    fingerprint: bool,
    unknown: [u16; MAX_LISTED],
    unknown_count: usize,
}

impl Attributes {
    /// `None` when the attributes overrun or the fingerprint is wrong.
    fn read(request: &[u8]) -> Option<Attributes> {
        let mut found = Attributes { fingerprint: false, unknown: [0; MAX_LISTED], unknown_count: 0 };
        let mut at = HEADER;
        while at < request.len() {
            let kind = u16_at(request, at);
            let length = usize::from(u16_at(request, at + 2));
            let value = request.get(at + 4..at + 4 + length)?;
            if kind == FINGERPRINT {
                let expected = (crc32(&request[..at]) ^ FINGERPRINT_XOR).to_be_bytes();
                if value != expected || at + 8 != request.len() {
                    return None;
                }
                found.fingerprint = true;
            } else if kind < 0x8000 && !IGNORED.contains(&kind) {
                if let Some(slot) = found.unknown.get_mut(found.unknown_count) {
                    *slot = kind;
                }
                found.unknown_count += 1;
            }
            at += 4 + length.next_multiple_of(4);
        }
        Some(found)
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    match bytes.get(at..at + 2) {
        Some(&[a, b]) => u16::from_be_bytes([a, b]),
        _ => 0,
    }
}

fn push(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&(value.len() as u16).to_be_bytes());
    out.extend_from_slice(value);
    // Every value here but the list of types is a multiple of four; the header keeps the sum even.
    out.resize(out.len() + (4 - value.len() % 4) % 4, 0);
}

fn push_address(out: &mut Vec<u8>, from: SocketAddr, cookie_and_id: &[u8]) {
    let port = from.port() ^ (COOKIE >> 16) as u16;
    let mut value = [0u8; 20];
    value[2..4].copy_from_slice(&port.to_be_bytes());
    let address = |octets: &[u8], value: &mut [u8; 20]| {
        for (at, octet) in octets.iter().enumerate() {
            value[4 + at] = octet ^ cookie_and_id[at];
        }
    };
    let length = match from.ip() {
        IpAddr::V4(ip) => {
            value[1] = 1;
            address(&ip.octets(), &mut value);
            8
        }
        IpAddr::V6(ip) => {
            value[1] = 2;
            address(&ip.octets(), &mut value);
            20
        }
    };
    push(out, XOR_MAPPED_ADDRESS, &value[..length]);
}

static CRC: [u32; 256] = {
    let mut table = [0u32; 256];
    let mut i = 0;
    while i < 256 {
        let mut c = i as u32;
        let mut bit = 0;
        while bit < 8 {
            c = if c & 1 == 1 { 0xedb8_8320 ^ (c >> 1) } else { c >> 1 };
            bit += 1;
        }
        table[i] = c;
        i += 1;
    }
    table
};

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |c, &b| CRC[((c ^ u32::from(b)) & 0xff) as usize] ^ (c >> 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(attributes: &[u8]) -> Vec<u8> {
        let mut r = vec![0, 1, 0, attributes.len() as u8];
        r.extend_from_slice(&COOKIE.to_be_bytes());
        r.extend_from_slice(b"twelve bytes");
        r.extend_from_slice(attributes);
        r
    }

    #[test]
    fn the_answer_tells_the_source() {
        // RFC 5769 §2.2 and §2.3: 192.0.2.1:32853 under its transaction id.
        let mut req = request(&[]);
        req[8..20].copy_from_slice(&[0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae]);
        let mut out = Vec::new();
        assert!(binding_answer(&req, "192.0.2.1:32853".parse().expect("address"), &mut out));
        assert_eq!(out[..4], [1, 1, 0, 12]);
        assert_eq!(out[20..], [0, 0x20, 0, 8, 0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43]);
        out.clear();
        let v6 = "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().expect("address");
        assert!(binding_answer(&req, v6, &mut out));
        let expected = [0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9];
        assert_eq!(out[28..], expected);
    }

    #[test]
    fn fingerprints_are_checked_and_answered() {
        let mut req = request(&[0x80, 0x28, 0, 4, 0, 0, 0, 0]);
        let mut out = Vec::new();
        assert!(!binding_answer(&req, "192.0.2.1:5060".parse().expect("address"), &mut out));
        let sum = (crc32(&req[..20]) ^ FINGERPRINT_XOR).to_be_bytes();
        req[24..28].copy_from_slice(&sum);
        assert!(binding_answer(&req, "192.0.2.1:5060".parse().expect("address"), &mut out));
        assert!(is_stun(&out));
        let tail = out.len() - 8;
        assert_eq!(out[tail..tail + 4], [0x80, 0x28, 0, 4]);
        assert_eq!(out[tail + 4..], (crc32(&out[..tail]) ^ FINGERPRINT_XOR).to_be_bytes());
    }

    #[test]
    fn unknown_attributes_are_refused_and_sip_is_no_stun() {
        let mut out = Vec::new();
        let req = request(&[0x00, 0x25, 0, 0]);
        assert!(binding_answer(&req, "192.0.2.1:5060".parse().expect("address"), &mut out));
        assert_eq!(out[..2], BINDING_ERROR.to_be_bytes());
        assert_eq!(out[24..28], [0, 0, 4, 20]);
        assert!(is_stun(&out));
        assert!(!is_stun(b"OPTIONS sip:a@h SIP/2.0\r\n\r\n"));
        assert!(!binding_answer(&request(&[0, 6, 0, 9]), "192.0.2.1:1".parse().expect("address"), &mut out));
    }
}
