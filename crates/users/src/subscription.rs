//! What must outlive a restart of one subscription (RFC 6665): the dialog, what it is about and until when.
//!
//! The packed form is at once what is durable (a facet of kind [`crate::facet_kind::SUBSCRIPTION`]) and what is kept in
//! memory, so that an idle subscription costs its facet and a few words beside it.
//!
//! ```text
//! version:u8 package:u8 flags:u8 expires:varint(ms) reserved:varint remote_cseq:varint
//! presentity watcher call_id local remote target routes flow event_id     each len:varint bytes
//! ```
//! A list that came with the SUBSCRIBE (RFC 5367) is a facet of its own beside it, of kind
//! [`crate::facet_kind::SUBSCRIBED_LIST`] and with the same key, so that the record stays small:
//!
//! ```text
//! version:u8 count:varint (len:varint uri)*
//! ```

use crate::bytes::{Cursor, put_bytes, put_varint};
use lyceum_sip::time::WallTime;

/// Version of the packed form that this build writes.
const VERSION: u8 = 1;
const LIST: u8 = 1;

/// NOTIFY sequence numbers are reserved so many at a time: one write for a thousand of them.
pub const CSEQ_BLOCK: u32 = 1_000;
/// Longest subscription record; a dialog with more in it is refused.
pub const MAX_SUBSCRIPTION: usize = 8 << 10;

/// The event packages that are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventPackage {
    /// `presence` (RFC 3856).
    Presence,
    /// `presence.winfo` (RFC 3857).
    WatcherInfo,
    /// `ua-profile` (RFC 6080): the client's provisioning document.
    Profile,
}

impl EventPackage {
    /// Its name in Event.
    pub fn as_str(self) -> &'static str {
        match self {
            EventPackage::Presence => "presence",
            EventPackage::WatcherInfo => "presence.winfo",
            EventPackage::Profile => "ua-profile",
        }
    }

    /// The package of an Event value without its parameters.
    pub fn parse(name: &[u8]) -> Option<EventPackage> {
        let all = [EventPackage::Presence, EventPackage::WatcherInfo, EventPackage::Profile];
        all.into_iter().find(|package| name.eq_ignore_ascii_case(package.as_str().as_bytes()))
    }
}

/// One subscription, viewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscription<'a> {
    /// What it is about.
    pub package: EventPackage,
    /// Canonical address of whom it watches; for a list, whose list.
    pub presentity: &'a str,
    /// Canonical address of who watches.
    pub watcher: &'a str,
    /// It watches all contacts of the presentity (RFC 4662), or the list kept beside it.
    pub list: bool,
    /// When it ends.
    pub expires: WallTime,
    /// NOTIFY sequence numbers up to this one may have been used.
    pub reserved: u32,
    /// CSeq of the last SUBSCRIBE.
    pub remote_cseq: u32,
    /// Call-ID.
    pub call_id: &'a [u8],
    /// Our From, with the tag.
    pub local: &'a [u8],
    /// Our To: the watcher's From, with its tag.
    pub remote: &'a [u8],
    /// The watcher's Contact URI.
    pub target: &'a [u8],
    /// The route set, values joined by comma.
    pub routes: &'a [u8],
    /// The flow to the watcher, with its transport.
    pub flow: &'a [u8],
    /// The `id` parameter of Event.
    pub event_id: &'a [u8],
}

fn package_code(package: EventPackage) -> u8 {
    match package {
        EventPackage::Presence => 0,
        EventPackage::WatcherInfo => 1,
        EventPackage::Profile => 2,
    }
}

fn package_of(code: u8) -> Option<EventPackage> {
    [EventPackage::Presence, EventPackage::WatcherInfo, EventPackage::Profile].get(usize::from(code)).copied()
}

impl<'a> Subscription<'a> {
    /// Appends the packed form.
    pub fn pack(&self, out: &mut Vec<u8>) {
        let flags = if self.list { LIST } else { 0 };
        out.extend_from_slice(&[VERSION, package_code(self.package), flags]);
        put_varint(out, self.expires.0);
        put_varint(out, u64::from(self.reserved));
        put_varint(out, u64::from(self.remote_cseq));
        for part in [self.presentity.as_bytes(), self.watcher.as_bytes()] {
            put_bytes(out, part);
        }
        for part in [self.call_id, self.local, self.remote, self.target, self.routes, self.flow, self.event_id] {
            put_bytes(out, part);
        }
    }

    /// Reads the packed form; `None` when it is damaged or newer than this build.
    pub fn unpack(packed: &'a [u8]) -> Option<Subscription<'a>> {
        let mut at = Cursor::new(packed);
        if at.byte()? != VERSION {
            return None;
        }
        let (package, flags) = (package_of(at.byte()?)?, at.byte()?);
        let expires = WallTime(at.varint()?);
        let number = |at: &mut Cursor<'a>| u32::try_from(at.varint()?).ok();
        let (reserved, remote_cseq) = (number(&mut at)?, number(&mut at)?);
        let text = |at: &mut Cursor<'a>| std::str::from_utf8(at.bytes()?).ok();
        let (presentity, watcher) = (text(&mut at)?, text(&mut at)?);
        Some(Subscription {
            package,
            presentity,
            watcher,
            list: flags & LIST != 0,
            expires,
            reserved,
            remote_cseq,
            call_id: at.bytes()?,
            local: at.bytes()?,
            remote: at.bytes()?,
            target: at.bytes()?,
            routes: at.bytes()?,
            flow: at.bytes()?,
            event_id: at.bytes()?,
        })
    }
}

/// Appends the packed form of a list that came with a SUBSCRIBE.
pub fn pack_list(uris: &[String], out: &mut Vec<u8>) {
    out.push(VERSION);
    put_varint(out, uris.len() as u64);
    for uri in uris {
        put_bytes(out, uri.as_bytes());
    }
}

/// Reads the packed form of a list; `None` when it is damaged or newer than this build.
pub fn unpack_list(packed: &[u8]) -> Option<Vec<&str>> {
    let mut at = Cursor::new(packed);
    if at.byte()? != VERSION {
        return None;
    }
    let count = at.varint()?;
    (0..count).map(|_| std::str::from_utf8(at.bytes()?).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Subscription<'static> {
        Subscription {
            package: EventPackage::Presence,
            presentity: "bob@example.org",
            watcher: "ana@example.org",
            list: false,
            expires: WallTime(1_700_000_000_000),
            reserved: 1_000,
            remote_cseq: 3,
            call_id: b"a84b4c76e66710@pc33",
            local: b"<sip:bob@example.org>;tag=17",
            remote: b"<sip:ana@example.org>;tag=1928301774",
            target: b"sip:ana@192.0.2.1:5060",
            routes: b"",
            flow: b"\x00\x01\x02",
            event_id: b"",
        }
    }

    #[test]
    fn what_is_packed_is_read_back() {
        let mut packed = Vec::new();
        example().pack(&mut packed);
        assert_eq!(Subscription::unpack(&packed), Some(example()));
        assert!(packed.len() < 200, "{} bytes", packed.len());
    }

    #[test]
    fn damage_is_no_subscription() {
        let mut packed = Vec::new();
        example().pack(&mut packed);
        for end in 0..packed.len() {
            assert_eq!(Subscription::unpack(&packed[..end]), None, "cut at {end}");
        }
        packed[0] = VERSION + 1;
        assert_eq!(Subscription::unpack(&packed), None);
    }

    #[test]
    fn a_list_is_read_back_and_damage_is_none() {
        let uris = ["sip:ben@example.org".to_owned(), "tel:+4930".to_owned()];
        let mut packed = Vec::new();
        pack_list(&uris, &mut packed);
        assert_eq!(unpack_list(&packed), Some(vec!["sip:ben@example.org", "tel:+4930"]));
        for end in 0..packed.len() {
            assert_eq!(unpack_list(&packed[..end]), None, "cut at {end}");
        }
        packed[0] = VERSION + 1;
        assert_eq!(unpack_list(&packed), None);
    }

    #[test]
    fn packages_go_by_name() {
        assert_eq!(EventPackage::parse(b"Presence"), Some(EventPackage::Presence));
        assert_eq!(EventPackage::parse(b"presence.winfo"), Some(EventPackage::WatcherInfo));
        assert_eq!(EventPackage::parse(b"dialog"), None);
    }
}
