//! A STUN message as it lies in a packet (RFC 8489 §5, §14): nothing is copied.

use std::fmt;

/// Bytes of the header.
pub const HEADER: usize = 20;
/// The fixed word that tells STUN from other protocols.
pub const COOKIE: u32 = 0x2112_a442;

/// Types of attributes that this server knows.
pub mod kind {
    #![allow(missing_docs, reason = "the names are those of the RFCs")]
    pub const MAPPED_ADDRESS: u16 = 0x0001;
    pub const USERNAME: u16 = 0x0006;
    pub const MESSAGE_INTEGRITY: u16 = 0x0008;
    pub const ERROR_CODE: u16 = 0x0009;
    pub const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
    pub const CHANNEL_NUMBER: u16 = 0x000c;
    pub const LIFETIME: u16 = 0x000d;
    pub const XOR_PEER_ADDRESS: u16 = 0x0012;
    pub const DATA: u16 = 0x0013;
    pub const REALM: u16 = 0x0014;
    pub const NONCE: u16 = 0x0015;
    pub const XOR_RELAYED_ADDRESS: u16 = 0x0016;
    pub const REQUESTED_ADDRESS_FAMILY: u16 = 0x0017;
    pub const EVEN_PORT: u16 = 0x0018;
    pub const REQUESTED_TRANSPORT: u16 = 0x0019;
    pub const DONT_FRAGMENT: u16 = 0x001a;
    pub const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    pub const RESERVATION_TOKEN: u16 = 0x0022;
    pub const PRIORITY: u16 = 0x0024;
    pub const CONNECTION_ID: u16 = 0x002a;
    pub const ADDITIONAL_ADDRESS_FAMILY: u16 = 0x8000;
    pub const ADDRESS_ERROR_CODE: u16 = 0x8001;
    pub const SOFTWARE: u16 = 0x8022;
    pub const FINGERPRINT: u16 = 0x8028;
}

/// What a message is to its receiver.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// Wants an answer.
    Request,
    /// Wants none.
    Indication,
    /// Granted.
    Success,
    /// Refused.
    Error,
}

/// What a message is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the names are those of the RFCs")]
pub enum Method {
    Binding,
    Allocate,
    Refresh,
    Send,
    Data,
    CreatePermission,
    ChannelBind,
    /// RFC 6062.
    Connect,
    /// RFC 6062.
    ConnectionBind,
    /// RFC 6062.
    ConnectionAttempt,
    /// Any other number.
    Other(u16),
}

impl Method {
    fn of(number: u16) -> Method {
        match number {
            0x001 => Method::Binding,
            0x003 => Method::Allocate,
            0x004 => Method::Refresh,
            0x006 => Method::Send,
            0x007 => Method::Data,
            0x008 => Method::CreatePermission,
            0x009 => Method::ChannelBind,
            0x00a => Method::Connect,
            0x00b => Method::ConnectionBind,
            0x00c => Method::ConnectionAttempt,
            other => Method::Other(other),
        }
    }

    fn number(self) -> u16 {
        match self {
            Method::Binding => 0x001,
            Method::Allocate => 0x003,
            Method::Refresh => 0x004,
            Method::Send => 0x006,
            Method::Data => 0x007,
            Method::CreatePermission => 0x008,
            Method::ChannelBind => 0x009,
            Method::Connect => 0x00a,
            Method::ConnectionBind => 0x00b,
            Method::ConnectionAttempt => 0x00c,
            Method::Other(other) => other & 0x0fff,
        }
    }

    /// The first two bytes of a message of this method (RFC 8489 §5, figure 3).
    pub fn with(self, class: Class) -> u16 {
        let number = self.number();
        let class = match class {
            Class::Request => 0x000,
            Class::Indication => 0x010,
            Class::Success => 0x100,
            Class::Error => 0x110,
        };
        number & 0x00f | (number & 0x070) << 1 | (number & 0xf80) << 2 | class
    }
}

/// Why bytes are no STUN message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Malformed {
    /// Too short, other first bits, or another cookie: not STUN at all.
    NotStun,
    /// The length in the header is not that of the packet.
    Length,
    /// An attribute reaches beyond the end.
    Attributes,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Malformed::NotStun => "no STUN message",
            Malformed::Length => "the length in the header is not that of the packet",
            Malformed::Attributes => "an attribute reaches beyond the end of the message",
        })
    }
}

impl std::error::Error for Malformed {}

/// A message whose attributes all lie within it.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    bytes: &'a [u8],
}

/// One attribute.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attribute<'a> {
    /// Its type, see [`kind`].
    pub kind: u16,
    /// Where its header begins in the message.
    pub at: usize,
    /// Its value without padding.
    pub value: &'a [u8],
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

impl<'a> Message<'a> {
    /// Reads a message that fills `bytes`.
    pub fn parse(bytes: &'a [u8]) -> Result<Message<'a>, Malformed> {
        if bytes.len() < HEADER || bytes[0] & 0xc0 != 0 || bytes[4..8] != COOKIE.to_be_bytes() {
            return Err(Malformed::NotStun);
        }
        if usize::from(u16_at(bytes, 2)) != bytes.len() - HEADER || !bytes.len().is_multiple_of(4) {
            return Err(Malformed::Length);
        }
        let mut at = HEADER;
        while at < bytes.len() {
            let length = usize::from(u16_at(bytes, at + 2)).next_multiple_of(4);
            at += 4 + length;
        }
        if at == bytes.len() { Ok(Message { bytes }) } else { Err(Malformed::Attributes) }
    }

    /// Its bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Request, indication or answer.
    pub fn class(&self) -> Class {
        match u16_at(self.bytes, 0) & 0x110 {
            0x000 => Class::Request,
            0x010 => Class::Indication,
            0x100 => Class::Success,
            _ => Class::Error,
        }
    }

    /// What it is about.
    pub fn method(&self) -> Method {
        let word = u16_at(self.bytes, 0);
        Method::of(word & 0x000f | (word & 0x00e0) >> 1 | (word & 0x3e00) >> 2)
    }

    /// The transaction.
    pub fn transaction(&self) -> [u8; 12] {
        let mut id = [0; 12];
        id.copy_from_slice(&self.bytes[8..HEADER]);
        id
    }

    /// Every attribute that counts: what follows MESSAGE-INTEGRITY does not, but for FINGERPRINT (RFC 8489 §14.5).
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        let bytes = self.bytes;
        let (mut at, mut sealed) = (HEADER, false);
        std::iter::from_fn(move || {
            while at < bytes.len() {
                let (kind, length) = (u16_at(bytes, at), usize::from(u16_at(bytes, at + 2)));
                let found = Attribute { kind, at, value: &bytes[at + 4..at + 4 + length] };
                at += 4 + length.next_multiple_of(4);
                if !sealed || kind == kind::FINGERPRINT {
                    sealed |= kind == kind::MESSAGE_INTEGRITY;
                    return Some(found);
                }
            }
            None
        })
    }

    /// The first attribute of a type.
    pub fn find(&self, kind: u16) -> Option<Attribute<'a>> {
        self.attributes().find(|attribute| attribute.kind == kind)
    }

    /// The value of the first attribute of a type.
    pub fn value(&self, kind: u16) -> Option<&'a [u8]> {
        self.find(kind).map(|attribute| attribute.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_woven_as_the_rfc_draws_them() {
        for (method, class, word) in [
            (Method::Binding, Class::Request, 0x0001),
            (Method::Binding, Class::Success, 0x0101),
            (Method::Allocate, Class::Error, 0x0113),
            (Method::Send, Class::Indication, 0x0016),
            (Method::Data, Class::Indication, 0x0017),
            (Method::Other(0xfff), Class::Request, 0x3eef),
        ] {
            assert_eq!(method.with(class), word);
            let mut bytes = [0; HEADER];
            bytes[..2].copy_from_slice(&word.to_be_bytes());
            bytes[4..8].copy_from_slice(&COOKIE.to_be_bytes());
            let message = Message::parse(&bytes).unwrap();
            assert_eq!((message.method(), message.class()), (method, class));
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut bytes = vec![0, 1, 0, 8];
        bytes.extend_from_slice(&COOKIE.to_be_bytes());
        bytes.extend_from_slice(&[0; 12]);
        assert_eq!(Message::parse(&bytes).unwrap_err(), Malformed::Length);
        bytes.extend_from_slice(&[0x80, 0x22, 0, 5, 1, 2, 3, 4]);
        assert_eq!(Message::parse(&bytes).unwrap_err(), Malformed::Attributes);
        assert_eq!(Message::parse(&bytes[..19]).unwrap_err(), Malformed::NotStun);
        bytes[0] = 0x40;
        assert_eq!(Message::parse(&bytes).unwrap_err(), Malformed::NotStun);
    }

    #[test]
    fn what_follows_the_seal_does_not_count() {
        let mut bytes = vec![0, 1, 0, 36];
        bytes.extend_from_slice(&COOKIE.to_be_bytes());
        bytes.extend_from_slice(&[0; 12]);
        bytes.extend_from_slice(&[0, 8, 0, 20]);
        bytes.extend_from_slice(&[7; 20]);
        bytes.extend_from_slice(&[0, 0x0d, 0, 4, 0, 0, 0, 1]);
        bytes[3] = 32;
        let message = Message::parse(&bytes).unwrap();
        assert!(message.find(kind::MESSAGE_INTEGRITY).is_some());
        assert!(message.find(kind::LIFETIME).is_none());
    }
}
