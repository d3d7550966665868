//! Names of messages and devices.

use crate::bytes::hash64;
use lyceum_sip::time::WallTime;
use std::fmt;

/// A message's own name, in the order in which the messages came: 48 bits of milliseconds, 16 bits that count within
/// one, 64 random bits. It is written as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub [u8; 16]);

impl MessageId {
    /// The least name of this moment: everything that came earlier is below it.
    pub fn at(time: WallTime) -> Self {
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&time.0.to_be_bytes()[2..]);
        Self(bytes)
    }

    /// When the message came.
    pub fn time(self) -> WallTime {
        let mut bytes = [0; 8];
        bytes[2..].copy_from_slice(&self.0[..6]);
        WallTime(u64::from_be_bytes(bytes))
    }

    /// Reads 32 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        u128::from_str_radix(text, 16).ok().map(|number| Self(number.to_be_bytes()))
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Gives names that rise, also when the clock is set back.
#[derive(Debug, Clone, Copy, Default)]
pub struct MessageIds {
    last: u64,
}

impl MessageIds {
    /// The next name; the random bytes keep names of other workers and servers apart.
    pub fn next(&mut self, now: WallTime, random: [u8; 8]) -> MessageId {
        self.last = (now.0 << 16).max(self.last + 1);
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.last.to_be_bytes());
        bytes[8..].copy_from_slice(&random);
        MessageId(bytes)
    }

    /// Names given from here on are above this one.
    pub fn pass(&mut self, id: MessageId) {
        let mut head = [0; 8];
        head.copy_from_slice(&id.0[..8]);
        self.last = self.last.max(u64::from_be_bytes(head));
    }
}

/// A user's device, as far as it can be told from others: the hash of its instance, or of its contact.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DeviceKey(pub(super) u64);

impl DeviceKey {
    const NAMED: u64 = 1 << 63;

    /// The device behind a binding. One with an instance (RFC 5626) is known again for ever; another only by its
    /// contact, which it may change with every start.
    pub fn of(instance: Option<&[u8]>, contact_uri: &[u8]) -> Self {
        match instance {
            Some(instance) => Self(hash64(instance) | Self::NAMED),
            None => Self(hash64(contact_uri) & !Self::NAMED),
        }
    }

    /// Whether the device has an instance.
    pub fn is_named(self) -> bool {
        self.0 & Self::NAMED != 0
    }
}

/// What one person wrote to another. It prints itself nowhere.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text<'a>(pub &'a [u8]);

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// What one person wrote to another, owned. It prints itself nowhere.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct OwnedText(pub Vec<u8>);

impl fmt::Debug for OwnedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_rise_also_when_the_clock_is_set_back() {
        let mut ids = MessageIds::default();
        let times = [1_700_000_000_000, 1_700_000_000_000, 1_600_000_000_000, 1_700_000_000_001];
        let names: Vec<MessageId> = times.into_iter().map(|at| ids.next(WallTime(at), [9; 8])).collect();
        assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "{names:?}");
        assert_eq!(names[0].time(), WallTime(1_700_000_000_000));
        assert!(
            MessageId::at(WallTime(1_700_000_000_000)) < names[0]
                && names[2] < MessageId::at(WallTime(1_700_000_000_001))
        );
        let mut later = MessageIds::default();
        later.pass(names[3]);
        assert!(later.next(WallTime(0), [0; 8]) > names[3]);
    }

    #[test]
    fn names_read_back() {
        let id = MessageIds::default().next(WallTime(1_700_000_000_000), [0xab; 8]);
        assert_eq!(MessageId::parse(&id.to_string()), Some(id));
        for wrong in ["", "00", &"g".repeat(32), &"+".repeat(32), &"0".repeat(33)] {
            assert_eq!(MessageId::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn devices_are_told_apart_and_texts_do_not_print() {
        let named = DeviceKey::of(Some(b"<urn:uuid:1>"), b"sip:a@b");
        assert_eq!(named, DeviceKey::of(Some(b"<urn:uuid:1>"), b"sip:a@c"));
        assert_ne!(named, DeviceKey::of(None, b"<urn:uuid:1>"));
        assert!(named.is_named() && !DeviceKey::of(None, b"sip:a@b").is_named());
        assert_eq!(format!("{:?} {:?}", Text(b"hello"), OwnedText(b"hello".to_vec())), "<secret> <secret>");
    }
}
