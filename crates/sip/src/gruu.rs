//! Globally routable user agent URIs (RFC 5627): an address that reaches one device of a user.
//!
//! The public one is the address of record with `gr=` and the instance. The temporary one
//! hides both: its user part is an encrypted, self-contained token, so the server remembers
//! none of the many that it mints.
//!
//! An instance that is no UUID may name hardware (RFC 7255: an IMEI must never show in a
//! public GRUU), so it appears as a keyed digest.

use crate::keyed::{Mac, SecretKey, base64, same};
use crate::uri::Uri;
use std::borrow::Cow;

const TAG_LEN: usize = 10;
const BODY_LEN: usize = 24;
const DIGEST_LEN: usize = 15;
const PREFIX: &[u8] = b"tgruu.";

/// What a temporary GRUU says: enough to find the device and to know whether it still counts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TemporaryGruu {
    /// The user's id.
    pub user: u32,
    /// The device: [`Gruus::instance_mark`].
    pub instance: u64,
    /// The registration it was minted in: a mark of its Call-ID. A REGISTER with another Call-ID ends all earlier temporary GRUUs of the instance (RFC 5627 §3.1).
    pub call: u64,
    /// Makes each one different.
    pub serial: u32,
}

/// A GRUU found in a Request-URI.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Gruu<'a> {
    /// Of this device of the address of record in the URI; compare with
    /// [`Gruus::is_instance`].
    Public(&'a [u8]),
    /// Of the device it names; the address in the URI means nothing.
    Temporary(TemporaryGruu),
}

/// Mints and reads GRUUs.
pub struct Gruus {
    tag: Mac,
    stream: Mac,
    mark: Mac,
}

impl Gruus {
    /// All nodes that must read each other's GRUUs share the key, for as long as a GRUU may
    /// be kept in a contact list.
    #[must_use]
    pub fn new(key: &SecretKey) -> Gruus {
        let part = |purpose| Mac::new(&key.derive(purpose));
        Gruus { tag: part("gruu tag"), stream: part("gruu stream"), mark: part("gruu mark") }
    }

    /// Adds the public GRUU of an instance to `out`. `aor` is the address of record as a URI
    /// without parameters; `instance` the value of `+sip.instance`, angle brackets or not.
    pub fn public(&self, aor: &[u8], instance: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(aor);
        out.extend_from_slice(b";gr=");
        out.extend_from_slice(&self.gr_value(instance));
    }

    /// What `gr` holds for an instance.
    fn gr_value(&self, instance: &[u8]) -> Vec<u8> {
        let instance = bare(instance);
        if is_uuid_urn(instance) {
            return instance.to_ascii_lowercase();
        }
        let mut letters = Vec::with_capacity(base64::encoded_len(DIGEST_LEN));
        let digest: [u8; DIGEST_LEN] = self.mark.short([&b"instance"[..], instance]);
        base64::encode(&digest, &mut letters);
        letters
    }

    /// True when the `gr` value of a public GRUU means this instance.
    #[must_use]
    pub fn is_instance(&self, gr: &[u8], instance: &[u8]) -> bool {
        let want = self.gr_value(instance);
        if is_uuid_urn(&want) { gr.eq_ignore_ascii_case(&want) } else { same(gr, &want) }
    }

    /// Adds a temporary GRUU in a domain of ours to `out`.
    pub fn temporary(&self, what: &TemporaryGruu, domain: &[u8], out: &mut Vec<u8>) {
        let mut body = [0; BODY_LEN];
        body[..4].copy_from_slice(&what.user.to_be_bytes());
        body[4..12].copy_from_slice(&what.instance.to_be_bytes());
        body[12..20].copy_from_slice(&what.call.to_be_bytes());
        body[20..].copy_from_slice(&what.serial.to_be_bytes());
        // The tag over the plain text is also the nonce: equal tokens need equal contents.
        let tag: [u8; TAG_LEN] = self.tag.short([&body[..]]);
        self.cover(&tag, &mut body);
        let mut bytes = [0; TAG_LEN + BODY_LEN];
        bytes[..TAG_LEN].copy_from_slice(&tag);
        bytes[TAG_LEN..].copy_from_slice(&body);
        out.extend_from_slice(b"sip:");
        out.extend_from_slice(PREFIX);
        base64::encode(&bytes, out);
        out.push(b'@');
        out.extend_from_slice(domain);
        out.extend_from_slice(b";gr");
    }

    fn cover(&self, tag: &[u8], body: &mut [u8; BODY_LEN]) {
        let stream = self.stream.tag([tag]);
        body.iter_mut().zip(stream).for_each(|(b, s)| *b ^= s);
    }

    /// Reads the GRUU of a URI; `None` when it is none, or a temporary one that we did not
    /// make (RFC 5627 §5.1 then says 404).
    #[must_use]
    pub fn read<'a>(&self, uri: &Uri<'a>) -> Option<Gruu<'a>> {
        let gr = uri.params().iter().find(|p| p.name.eq_ignore_ascii_case(b"gr"))?;
        match gr.value {
            Some(value) => Some(Gruu::Public(value)),
            None => self.open(uri.user()?.strip_prefix(PREFIX)?).map(Gruu::Temporary),
        }
    }

    fn open(&self, token: &[u8]) -> Option<TemporaryGruu> {
        let mut out = [0; TAG_LEN + BODY_LEN];
        let (tag, covered) = base64::decode(token, &mut out)?.split_at_checked(TAG_LEN)?;
        let mut body: [u8; BODY_LEN] = covered.try_into().ok()?;
        self.cover(tag, &mut body);
        let want: [u8; TAG_LEN] = self.tag.short([&body[..]]);
        if !same(tag, &want) {
            return None;
        }
        let number = |range: std::ops::Range<usize>| body[range].iter().fold(0_u64, |n, &b| n << 8 | u64::from(b));
        Some(TemporaryGruu {
            user: number(0..4) as u32,
            instance: number(4..12),
            call: number(12..20),
            serial: number(20..24) as u32,
        })
    }

    /// An instance as a number that tells nothing of it.
    #[must_use]
    pub fn instance_mark(&self, instance: &[u8]) -> u64 {
        u64::from_be_bytes(self.mark.short([&b"mark"[..], bare(instance)]))
    }
}

/// Without the angle brackets of `+sip.instance`.
fn bare(instance: &[u8]) -> &[u8] {
    instance.strip_prefix(b"<").and_then(|i| i.strip_suffix(b">")).unwrap_or(instance)
}

fn is_uuid_urn(instance: &[u8]) -> bool {
    let Some((prefix, uuid)) = instance.split_at_checked(9) else { return false };
    prefix.eq_ignore_ascii_case(b"urn:uuid:")
        && uuid.len() == 36
        && uuid.iter().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

/// The instance of a `gr` value as a URN, where it shows one.
#[must_use]
pub fn urn_of(gr: &[u8]) -> Option<Cow<'_, [u8]>> {
    is_uuid_urn(gr).then_some(Cow::Borrowed(gr))
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &[u8] = b"<urn:uuid:F81d4fae-7dec-11d0-a765-00a0c91e6bf6>";

    fn gruus() -> Gruus {
        Gruus::new(&SecretKey([8; 32]))
    }

    fn text(f: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        f(&mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn rfc_5627_section_3_1_public() {
        let got = text(|out| gruus().public(b"sip:alice@example.com", UUID, out));
        assert_eq!(got, "sip:alice@example.com;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
        let uri = Uri::parse(got.as_bytes()).expect("a URI");
        let Some(Gruu::Public(gr)) = gruus().read(&uri) else { panic!("not public") };
        assert!(gruus().is_instance(gr, UUID));
        assert!(!gruus().is_instance(gr, b"<urn:uuid:081d4fae-7dec-11d0-a765-00a0c91e6bf6>"));
    }

    #[test]
    fn hardware_numbers_do_not_show() {
        let imei = b"<urn:gsma:imei:90420156-025763-0>";
        let got = text(|out| gruus().public(b"sip:a@x", imei, out));
        assert!(!got.contains("9042"), "{got}");
        let uri = Uri::parse(got.as_bytes()).expect("a URI");
        let Some(Gruu::Public(gr)) = gruus().read(&uri) else { panic!("not public") };
        assert!(gruus().is_instance(gr, imei));
        assert!(!gruus().is_instance(gr, UUID));
        assert_eq!(urn_of(gr), None);
    }

    #[test]
    fn temporary_ones_come_back_differ_and_hide() {
        let g = gruus();
        let mut what = TemporaryGruu { user: 4711, instance: g.instance_mark(UUID), call: 7, serial: 1 };
        let one = text(|out| g.temporary(&what, b"example.com", out));
        what.serial = 2;
        let two = text(|out| g.temporary(&what, b"example.com", out));
        assert_ne!(one[..20], two[..20]);
        let uri = Uri::parse(two.as_bytes()).expect("a URI");
        assert_eq!(g.read(&uri), Some(Gruu::Temporary(what)));
        let stranger = Gruus::new(&SecretKey([9; 32]));
        assert_eq!(stranger.read(&uri), None);
    }

    #[test]
    fn what_is_no_gruu_or_forged_reads_as_none() {
        for text in ["sip:a@x", "sip:tgruu.AAAA@x;gr", "sip:a@x;gr", "sip:tgruu.@x;gr"] {
            let uri = Uri::parse(text.as_bytes()).expect("a URI");
            assert_eq!(gruus().read(&uri), None, "{text}");
        }
    }
}
