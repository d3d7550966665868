//! Which transaction a message belongs to, as a keyed 128-bit fingerprint.
//!
//! RFC 3261 compares bytes; a stranger who does not hold the key cannot make two different
//! byte strings meet in 128 bits, so comparing fingerprints is comparing the bytes, and a
//! finished transaction need not carry its branch along.

use crate::keyed::SipHash;
use crate::message::Message;
use crate::method::Method;
use crate::name::Name;
use crate::uri::Host;

/// Makes the fingerprints of one table.
#[derive(Clone, Copy)]
pub(super) struct Keys(SipHash);

impl Keys {
    pub(super) fn new(key: [u8; 16]) -> Keys {
        Keys(SipHash::new(key))
    }

    /// §17.2.3. An ACK, and with `as_invite` a CANCEL, gives the fingerprint of its INVITE.
    pub(super) fn server(&self, m: &Message<'_>, as_invite: bool) -> u128 {
        let method = match m.method() {
            Method::Ack => Method::Invite.as_str().as_bytes(),
            Method::Cancel if as_invite => Method::Invite.as_str().as_bytes(),
            _ => m.method_token(),
        };
        let hash = self.0.part(method);
        match m.top_via() {
            Ok(via) if via.has_rfc3261_branch() => {
                let host = match via.host {
                    Host::Name(name) => hash.part(via.branch).part_lowercase(name),
                    Host::V4(ip) => hash.part(via.branch).part(&ip.octets()),
                    Host::V6(ip) => hash.part(via.branch).part(&ip.octets()),
                };
                host.number(u32::from(via.port.unwrap_or(0))).finish()
            }
            // RFC 2543: no magic cookie, so the request itself is the key. The To tag stays
            // out: the ACK carries the tag of our answer, the INVITE none.
            via => hash
                .part(via.map_or(&[][..], |v| v.raw))
                .part(m.request_uri())
                .part(m.from_tag().unwrap_or_default())
                .part(m.call_id())
                .number(m.cseq().number)
                .finish(),
        }
    }

    /// §17.1.3: our branch and the method of CSeq.
    pub(super) fn client(&self, branch: &[u8], method: &[u8]) -> u128 {
        self.0.part(branch).part(method).finish()
    }

    /// §8.2.2.2: what two copies of one request share when they came on two paths. The
    /// Request-URI counts too, or a spiral (RFC 5393 §3) would be taken for a copy.
    pub(super) fn merge(&self, m: &Message<'_>) -> Option<u128> {
        if matches!(m.method(), Method::Ack | Method::Cancel | Method::Register) {
            return None;
        }
        let to = m.value(Name::To)?;
        // Cheap look first: most To values without a tag have no semicolon after the URI.
        if memchr::memchr(b';', to).is_some() && m.to_tag().is_some() {
            return None;
        }
        let hash = self.0.part(m.from_tag()?).part(m.call_id());
        let cseq = m.cseq();
        Some(hash.number(cseq.number).part(cseq.method).part(m.request_uri()).finish())
    }
}
