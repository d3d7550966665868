//! One address of record and its bindings, packed into a single allocation.
//!
//! ```text
//! record  = user:u32 aor:bytes binding*
//! binding = len:varint stamp q:u16 flags:u8 uri:bytes flow:bytes
//!           [instance:bytes] [reg_id:varint] [path:bytes] [user_agent:bytes] [params:bytes]
//! stamp   = expires_ms:u48 granted_s:u32 cseq:u32 call_hash:u64 branch_hash:u64
//! ```
//! `bytes` is a varint length and the bytes; numbers are little endian. A refresh overwrites the
//! stamp in place. Bindings stand in the order in which they are tried: q first, then age.

use crate::bytes::{Cursor, hash64, put_bytes, put_varint, varint_len};
use lyceum_sip::Transport;
use lyceum_sip::time::WallTime;
use lyceum_topology::UserId;

/// Bytes of a [`Stamp`].
pub(crate) const STAMP: usize = 30;

const INSTANCE: u8 = 1;
const REG_ID: u8 = 2;
const PATH: u8 = 4;
const USER_AGENT: u8 = 8;
const PARAMS: u8 = 16;
const TRANSPORT_SHIFT: u8 = 5;

/// What a refresh changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub expires: WallTime,
    pub granted: u32,
    pub cseq: u32,
    pub call: u64,
    pub branch: u64,
}

impl Stamp {
    pub(crate) fn encode(&self) -> [u8; STAMP] {
        let mut out = [0; STAMP];
        out[..6].copy_from_slice(&self.expires.0.to_le_bytes()[..6]);
        out[6..10].copy_from_slice(&self.granted.to_le_bytes());
        out[10..14].copy_from_slice(&self.cseq.to_le_bytes());
        out[14..22].copy_from_slice(&self.call.to_le_bytes());
        out[22..].copy_from_slice(&self.branch.to_le_bytes());
        out
    }

    pub(crate) fn decode(from: &mut Cursor<'_>) -> Option<Stamp> {
        let low: [u8; 6] = from.array()?;
        let mut wide = [0; 8];
        wide[..6].copy_from_slice(&low);
        Some(Stamp {
            expires: WallTime(u64::from_le_bytes(wide)),
            granted: u32::from_le_bytes(from.array()?),
            cseq: u32::from_le_bytes(from.array()?),
            call: u64::from_le_bytes(from.array()?),
            branch: u64::from_le_bytes(from.array()?),
        })
    }
}

/// A binding of an address of record to a contact, viewed in its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding<'a> {
    pub(crate) stamp: Stamp,
    pub(crate) q: u16,
    pub(crate) transport: Transport,
    pub(crate) uri: &'a [u8],
    pub(crate) flow: &'a [u8],
    pub(crate) instance: Option<&'a [u8]>,
    pub(crate) reg_id: Option<u32>,
    pub(crate) path: &'a [u8],
    pub(crate) user_agent: &'a [u8],
    pub(crate) params: &'a [u8],
}

impl<'a> Binding<'a> {
    /// The contact URI as registered.
    pub fn uri(&self) -> &'a [u8] {
        self.uri
    }
    /// Token of the flow it was registered by.
    pub fn flow(&self) -> &'a [u8] {
        self.flow
    }
    /// Path to put into Route towards it; empty when there is none (RFC 3327 §5.3).
    pub fn path(&self) -> &'a [u8] {
        self.path
    }
    /// `+sip.instance` without quotes and angle brackets; names the device in its GRUU (RFC 5627).
    pub fn instance(&self) -> Option<&'a [u8]> {
        self.instance
    }
    /// `reg-id` (RFC 5626).
    pub fn reg_id(&self) -> Option<u32> {
        self.reg_id
    }
    /// Preference in thousandths.
    pub fn q(&self) -> u16 {
        self.q
    }
    /// When it ends.
    pub fn expires_at(&self) -> WallTime {
        self.stamp.expires
    }
    /// Whole seconds until it ends, rounded down: a client is never promised more than is stored.
    pub fn expires_in(&self, now: WallTime) -> u32 {
        u32::try_from((self.stamp.expires - now).as_secs()).unwrap_or(u32::MAX)
    }
    /// When it was made or last refreshed.
    pub fn refreshed_at(&self) -> WallTime {
        WallTime(self.stamp.expires.0.saturating_sub(u64::from(self.stamp.granted) * 1000))
    }
    /// User-Agent of the device, cut to [`crate::MAX_USER_AGENT`].
    pub fn user_agent(&self) -> &'a [u8] {
        self.user_agent
    }
    /// Further contact parameters as registered.
    pub fn params(&self) -> &'a [u8] {
        self.params
    }
    /// Transport it was registered by.
    pub fn transport(&self) -> Transport {
        self.transport
    }
    /// A mark of the Call-ID of that REGISTER: temporary GRUUs count for as long as it stays (RFC 5627 §5.1).
    pub fn call_mark(&self) -> u64 {
        self.stamp.call
    }
    /// CSeq of the REGISTER that made or refreshed it.
    pub fn cseq(&self) -> u32 {
        self.stamp.cseq
    }

    pub(crate) fn is_live(&self, now: WallTime) -> bool {
        self.stamp.expires > now
    }

    /// True when a refresh with `other` would change nothing but the stamp.
    #[inline]
    pub(crate) fn same_facts(&self, other: &Binding<'_>) -> bool {
        self.uri == other.uri
            && self.flow == other.flow
            && self.path == other.path
            && self.instance == other.instance
            && self.user_agent == other.user_agent
            && self.params == other.params
            && (self.reg_id, self.q, self.transport) == (other.reg_id, other.q, other.transport)
    }

    /// What tells this binding from its neighbours under one address.
    pub(crate) fn identity(&self) -> u64 {
        let reg = self.reg_id.map_or(0, |r| u64::from(r) + 1);
        hash64(self.uri) ^ hash64(self.instance.unwrap_or(b"")).rotate_left(21) ^ reg.rotate_left(42)
    }

    fn flags(&self) -> u8 {
        let bit = |on: bool, bit: u8| if on { bit } else { 0 };
        bit(self.instance.is_some(), INSTANCE)
            | bit(self.reg_id.is_some(), REG_ID)
            | bit(!self.path.is_empty(), PATH)
            | bit(!self.user_agent.is_empty(), USER_AGENT)
            | bit(!self.params.is_empty(), PARAMS)
            | (transport_code(self.transport) << TRANSPORT_SHIFT)
    }

    fn body_len(&self) -> usize {
        let bytes = |b: &[u8]| varint_len(b.len() as u64) + b.len();
        let some = |b: &[u8]| if b.is_empty() { 0 } else { bytes(b) };
        STAMP
            + 3
            + bytes(self.uri)
            + bytes(self.flow)
            + self.instance.map_or(0, bytes)
            + self.reg_id.map_or(0, |r| varint_len(u64::from(r)))
            + some(self.path)
            + some(self.user_agent)
            + some(self.params)
    }

    fn packed_len(&self) -> usize {
        let body = self.body_len();
        varint_len(body as u64) + body
    }

    fn pack(&self, out: &mut Vec<u8>) {
        put_varint(out, self.body_len() as u64);
        out.extend_from_slice(&self.stamp.encode());
        out.extend_from_slice(&self.q.to_le_bytes());
        out.push(self.flags());
        put_bytes(out, self.uri);
        put_bytes(out, self.flow);
        if let Some(instance) = self.instance {
            put_bytes(out, instance);
        }
        if let Some(reg_id) = self.reg_id {
            put_varint(out, u64::from(reg_id));
        }
        for field in [self.path, self.user_agent, self.params] {
            if !field.is_empty() {
                put_bytes(out, field);
            }
        }
    }

    fn unpack(body: &'a [u8]) -> Option<Binding<'a>> {
        let mut at = Cursor::new(body);
        let stamp = Stamp::decode(&mut at)?;
        let q = u16::from_le_bytes(at.array()?);
        let flags = at.byte()?;
        let uri = at.bytes()?;
        let flow = at.bytes()?;
        let instance = if flags & INSTANCE != 0 { Some(at.bytes()?) } else { None };
        let reg_id = if flags & REG_ID != 0 { Some(u32::try_from(at.varint()?).ok()?) } else { None };
        let mut optional = |bit: u8| if flags & bit != 0 { at.bytes() } else { Some(&b""[..]) };
        let (path, user_agent, params) = (optional(PATH)?, optional(USER_AGENT)?, optional(PARAMS)?);
        let transport = transport_of(flags >> TRANSPORT_SHIFT)?;
        Some(Binding { stamp, q, transport, uri, flow, instance, reg_id, path, user_agent, params })
    }
}

fn transport_code(transport: Transport) -> u8 {
    match transport {
        Transport::Udp => 0,
        Transport::Tcp => 1,
        Transport::Tls => 2,
        Transport::Ws => 3,
        Transport::Wss => 4,
    }
}

fn transport_of(code: u8) -> Option<Transport> {
    Some(match code {
        0 => Transport::Udp,
        1 => Transport::Tcp,
        2 => Transport::Tls,
        3 => Transport::Ws,
        4 => Transport::Wss,
        _ => return None,
    })
}

/// A packed record, viewed.
#[derive(Clone, Copy)]
pub(crate) struct Record<'a>(pub &'a [u8]);

impl<'a> Record<'a> {
    pub(crate) fn user(self) -> UserId {
        UserId(Cursor::new(self.0).array().map_or(0, u32::from_le_bytes))
    }

    #[inline]
    pub(crate) fn aor(self) -> &'a [u8] {
        let mut at = Cursor::new(self.0);
        at.take(4).and_then(|_| at.bytes()).unwrap_or(b"")
    }

    /// All bindings, expired ones too, each with the offset of its stamp.
    pub(crate) fn stamped(self) -> Stamped<'a> {
        let mut at = Cursor::new(self.0);
        let _ = at.take(4).and_then(|_| at.bytes());
        Stamped { whole: self.0.len(), at }
    }

    pub(crate) fn live(self, now: WallTime) -> Bindings<'a> {
        Bindings { inner: self.stamped(), now }
    }

    /// True when every byte belongs to a well-formed binding; only such records enter a table.
    pub(crate) fn is_valid(self) -> bool {
        let mut at = Cursor::new(self.0);
        if at.take(4).and_then(|_| at.bytes()).and_then(|a| std::str::from_utf8(a).ok()).is_none() {
            return false;
        }
        while !at.is_empty() {
            if at.bytes().and_then(Binding::unpack).is_none() {
                return false;
            }
        }
        true
    }
}

/// Packs a record of exactly the size it needs.
pub(crate) fn pack<'a>(user: UserId, aor: &[u8], bindings: &[Binding<'a>]) -> Box<[u8]> {
    let len = 4 + varint_len(aor.len() as u64) + aor.len() + bindings.iter().map(Binding::packed_len).sum::<usize>();
    let mut out = Vec::with_capacity(len);
    out.extend_from_slice(&user.0.to_le_bytes());
    put_bytes(&mut out, aor);
    for binding in bindings {
        binding.pack(&mut out);
    }
    debug_assert_eq!(out.len(), len);
    out.into_boxed_slice()
}

/// Bindings with the offsets of their stamps.
#[derive(Clone)]
pub(crate) struct Stamped<'a> {
    whole: usize,
    at: Cursor<'a>,
}

impl<'a> Iterator for Stamped<'a> {
    type Item = (usize, Binding<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let body = self.at.bytes()?;
        let offset = self.whole - self.at.rest().len() - body.len();
        Some((offset, Binding::unpack(body)?))
    }
}

/// The live bindings of one address in the order in which they are tried.
#[derive(Clone)]
pub struct Bindings<'a> {
    inner: Stamped<'a>,
    now: WallTime,
}

impl Bindings<'_> {
    pub(crate) fn none() -> Bindings<'static> {
        Bindings { inner: Stamped { whole: 0, at: Cursor::new(b"") }, now: WallTime(0) }
    }
}

impl<'a> Iterator for Bindings<'a> {
    type Item = Binding<'a>;

    fn next(&mut self) -> Option<Binding<'a>> {
        let now = self.now;
        self.inner.by_ref().map(|(_, b)| b).find(|b| b.is_live(now))
    }
}

/// One address of record with its user and live bindings.
#[derive(Clone)]
pub struct AorBindings<'a> {
    /// `user@domain`.
    pub aor: &'a str,
    /// The directory's number of the user.
    pub user: UserId,
    /// Live bindings, best first.
    pub bindings: Bindings<'a>,
}
