//! What a REGISTER asks for, already parsed and authorised by the pipeline.

use lyceum_sip::Transport;
use lyceum_topology::UserId;

/// One Contact value of a REGISTER.
#[derive(Clone, Copy, Debug)]
pub struct ContactIntent<'a> {
    /// The contact URI as received, without angle brackets.
    pub uri: &'a [u8],
    /// Its `expires` parameter in seconds.
    pub expires: Option<u32>,
    /// Preference in thousandths, 0 to 1000; a missing `q` is 1000.
    pub q: u16,
    /// `+sip.instance` without quotes and angle brackets (RFC 5626 §4.1).
    pub instance: Option<&'a [u8]>,
    /// `reg-id` (RFC 5626 §4.2).
    pub reg_id: Option<u32>,
    /// Further parameters as received, to be echoed; may be empty.
    pub params: &'a [u8],
}

impl<'a> ContactIntent<'a> {
    /// A contact with no parameters.
    pub fn new(uri: &'a [u8]) -> Self {
        ContactIntent { uri, expires: None, q: 1000, instance: None, reg_id: None, params: b"" }
    }
}

/// The Contact headers of a REGISTER.
#[derive(Clone, Copy, Debug)]
pub enum Contacts<'a> {
    /// `Contact: *`: remove every binding; needs `Expires: 0` (RFC 3261 §10.2.2).
    Star,
    /// The contacts in order; an empty list asks for the current bindings.
    List(&'a [ContactIntent<'a>]),
}

/// One REGISTER, authenticated and authorised for the address it names.
#[derive(Clone, Copy, Debug)]
pub struct RegisterIntent<'a> {
    /// Canonical address of record, `user@domain`.
    pub aor: &'a str,
    /// The directory's number of the user.
    pub user: UserId,
    /// What to bind or remove.
    pub contacts: Contacts<'a>,
    /// The Expires header in seconds, for contacts that name none.
    pub expires: Option<u32>,
    /// Call-ID.
    pub call_id: &'a [u8],
    /// CSeq number.
    pub cseq: u32,
    /// All Path values, comma joined; may be empty (RFC 3327).
    pub path: &'a [u8],
    /// User-Agent; may be empty.
    pub user_agent: &'a [u8],
    /// Opaque token of the flow that the request came by, at most [`crate::MAX_FLOW`] bytes.
    pub flow: &'a [u8],
    /// Hash of the top Via's branch: tells a retransmission from a new request.
    pub branch_hash: u64,
    /// Transport that the request came by.
    pub transport: Transport,
    /// Its credentials have been used before: it may repeat what was carried out, and change nothing.
    pub repeated: bool,
}

impl<'a> RegisterIntent<'a> {
    /// An intent with everything optional left empty, over UDP.
    pub fn new(aor: &'a str, user: UserId, contacts: Contacts<'a>) -> Self {
        RegisterIntent {
            aor,
            user,
            contacts,
            expires: None,
            call_id: b"",
            cseq: 0,
            path: b"",
            user_agent: b"",
            flow: b"",
            branch_hash: 0,
            transport: Transport::Udp,
            repeated: false,
        }
    }
}
