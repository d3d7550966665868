//! A waiting message as it is stored.
//!
//! ```text
//! key   = address 0 id[16]                     a message
//!       | address 0 id[16] device:u64          the mark that this device took it; no value
//! value = version:u8 flags:u8 received:varint expires:varint owes:bytes sender:bytes from:bytes to:bytes
//!         call_id:bytes cseq:varint message_id:bytes content_type:bytes headers:bytes body
//! ```

use super::id::{DeviceKey, MessageId, Text};
use crate::bytes::{Cursor, hash64, put_bytes, put_varint};
use lyceum_sip::time::WallTime;

const VERSION: u8 = 1;
const ANYONE: u8 = 1;

/// A message on its way to the store.
#[derive(Clone, Debug)]
pub struct Arrival<'a> {
    /// Its name.
    pub id: MessageId,
    /// Whose message it is: the recipient's address of record.
    pub aor: &'a str,
    /// The sender's address.
    pub sender: &'a str,
    /// The value of From, with its tag.
    pub from: &'a [u8],
    /// The value of To.
    pub to: &'a [u8],
    /// The Call-ID.
    pub call_id: &'a [u8],
    /// The number in CSeq.
    pub cseq: u32,
    /// The sender's own name for it, from `Message-ID` or CPIM; empty when there is none.
    pub message_id: &'a [u8],
    /// The value of Content-Type.
    pub content_type: &'a [u8],
    /// Header lines to pass on, each with its line end: Date, Subject, Disposition-Notification and the like.
    pub headers: &'a [u8],
    /// What was written.
    pub body: Text<'a>,
    /// The devices that still owe a confirmation.
    pub owes: &'a [DeviceKey],
    /// The devices that took it already.
    pub delivered: &'a [DeviceKey],
    /// Nobody was signed in: every device that comes gets it, each once.
    pub anyone: bool,
}

/// A stored message, viewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingMessage<'a> {
    /// Its name.
    pub id: MessageId,
    /// The sender's address.
    pub sender: &'a str,
    /// The value of From, with its tag.
    pub from: &'a [u8],
    /// The value of To.
    pub to: &'a [u8],
    /// The Call-ID.
    pub call_id: &'a [u8],
    /// The number in CSeq.
    pub cseq: u32,
    /// The sender's own name for it.
    pub message_id: &'a [u8],
    /// The value of Content-Type.
    pub content_type: &'a [u8],
    /// Header lines to pass on.
    pub headers: &'a [u8],
    /// What was written.
    pub body: Text<'a>,
    /// When it came.
    pub received: WallTime,
    /// Until when it waits.
    pub expires: WallTime,
    pub(super) anyone: bool,
    owes: &'a [u8],
}

impl<'a> WaitingMessage<'a> {
    pub(super) fn read(id: MessageId, value: &'a [u8]) -> Option<Self> {
        let mut at = Cursor::new(value);
        if at.byte()? != VERSION {
            return None;
        }
        let flags = at.byte()?;
        let (received, expires) = (WallTime(at.varint()?), WallTime(at.varint()?));
        let owes = at.bytes()?;
        let sender = std::str::from_utf8(at.bytes()?).ok()?;
        let (from, to, call_id) = (at.bytes()?, at.bytes()?, at.bytes()?);
        let cseq = u32::try_from(at.varint()?).ok()?;
        let (message_id, content_type, headers) = (at.bytes()?, at.bytes()?, at.bytes()?);
        Some(Self {
            id,
            sender,
            from,
            to,
            call_id,
            cseq,
            message_id,
            content_type,
            headers,
            body: Text(at.rest()),
            received,
            expires,
            anyone: flags & ANYONE != 0,
            owes,
        })
    }

    pub(super) fn owes(&self) -> impl Iterator<Item = DeviceKey> + 'a {
        self.owes.chunks_exact(8).map(|chunk| DeviceKey(u64::from_le_bytes(chunk.try_into().expect("eight bytes"))))
    }

    pub(super) fn fingerprint(&self) -> [u64; 2] {
        fingerprint(self.call_id, self.cseq, self.message_id)
    }

    /// Whether this is the same message once more: the same words in the same place of a dialog, or the sender's own name
    /// for it. Other words are another message, whatever its headers say.
    pub(super) fn is(&self, arrival: &Arrival<'_>) -> bool {
        let same_call = self.call_id == arrival.call_id && self.cseq == arrival.cseq && self.body == arrival.body;
        let same_name = !arrival.message_id.is_empty() && self.message_id == arrival.message_id;
        self.sender == arrival.sender && (same_call || same_name)
    }
}

/// Hashes of what tells a message from others: its transaction, and the sender's own name for it. A message without such
/// a name has its transaction's hash twice.
fn fingerprint(call_id: &[u8], cseq: u32, message_id: &[u8]) -> [u64; 2] {
    let call = hash64(call_id) ^ u64::from(cseq);
    [call, if message_id.is_empty() { call } else { hash64(message_id) }]
}

impl Arrival<'_> {
    pub(super) fn fingerprint(&self) -> [u64; 2] {
        fingerprint(self.call_id, self.cseq, self.message_id)
    }
}

pub(super) fn pack(arrival: &Arrival<'_>, received: WallTime, expires: WallTime) -> Vec<u8> {
    let mut out = Vec::with_capacity(arrival.body.0.len() + arrival.headers.len() + 512);
    out.extend_from_slice(&[VERSION, if arrival.anyone { ANYONE } else { 0 }]);
    put_varint(&mut out, received.0);
    put_varint(&mut out, expires.0);
    let owes: Vec<u8> = arrival.owes.iter().flat_map(|device| device.0.to_le_bytes()).collect();
    for field in [&owes, arrival.sender.as_bytes(), arrival.from, arrival.to, arrival.call_id] {
        put_bytes(&mut out, field);
    }
    put_varint(&mut out, arrival.cseq.into());
    for field in [arrival.message_id, arrival.content_type, arrival.headers] {
        put_bytes(&mut out, field);
    }
    out.extend_from_slice(arrival.body.0);
    out
}

/// What a key names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key<'a> {
    pub aor: &'a str,
    pub id: MessageId,
    /// For a mark, the device.
    pub device: Option<DeviceKey>,
}

impl<'a> Key<'a> {
    pub(super) fn read(key: &'a [u8]) -> Option<Self> {
        let zero = key.iter().position(|b| *b == 0)?;
        let aor = std::str::from_utf8(&key[..zero]).ok()?;
        let mut at = Cursor::new(&key[zero + 1..]);
        let id = MessageId(at.array()?);
        let device = if at.is_empty() { None } else { Some(DeviceKey(u64::from_le_bytes(at.array()?))) };
        at.is_empty().then_some(Self { aor, id, device })
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.aor.len() + 25);
        out.extend_from_slice(self.aor.as_bytes());
        out.push(0);
        out.extend_from_slice(&self.id.0);
        out.extend(self.device.iter().flat_map(|device| device.0.to_le_bytes()));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_read_back_and_damage_is_none() {
        let id = MessageId([7; 16]);
        for device in [None, Some(DeviceKey(9))] {
            let key = Key { aor: "anna@example.org", id, device };
            assert_eq!(Key::read(&key.write()), Some(key));
        }
        assert_eq!(Key::read(b"anna"), None);
        assert_eq!(Key::read(&[b"a\0".as_slice(), &[7; 17]].concat()), None);
        let arrival = Arrival {
            id,
            aor: "anna@example.org",
            sender: "bob@example.org",
            from: b"<sip:bob@example.org>;tag=1",
            to: b"<sip:anna@example.org>",
            call_id: b"c@h",
            cseq: 7,
            message_id: b"m",
            content_type: b"text/plain",
            headers: b"Subject: x\r\n",
            body: Text(b"hello"),
            owes: &[DeviceKey(1), DeviceKey(2)],
            delivered: &[],
            anyone: true,
        };
        let value = pack(&arrival, WallTime(5), WallTime(9));
        let read = WaitingMessage::read(id, &value).unwrap();
        assert_eq!((read.sender, read.cseq, read.body, read.anyone), ("bob@example.org", 7, Text(b"hello"), true));
        assert_eq!((read.headers, read.received, read.expires), (&b"Subject: x\r\n"[..], WallTime(5), WallTime(9)));
        assert_eq!(read.owes().collect::<Vec<_>>(), [DeviceKey(1), DeviceKey(2)]);
        for end in 0..value.len() - 5 {
            assert_eq!(WaitingMessage::read(id, &value[..end]), None, "{end}");
        }
    }
}
