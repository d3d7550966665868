//! What an endpoint notices. Whether it is a fault is judged where all sides are known ([`crate::world`]).

use lyceum_sip::Method;
use lyceum_sip::dialog::DialogId;
use lyceum_sip::time::Time;

/// Something an endpoint noticed.
#[derive(Clone, Debug)]
pub enum Report {
    /// It sent an INVITE outside or inside a dialog.
    InviteSent { branch: Vec<u8>, call_id: Vec<u8> },
    /// A final answer to an INVITE came, as it stands on the wire.
    InviteAnswered { branch: Vec<u8>, status: u16, to_tag: Vec<u8> },
    /// A request was refused in a way that no correct endpoint should meet.
    Unexpected { method: Method, status: u16, call_id: Vec<u8> },
    /// A 200 to REGISTER does not list what was asked for, or lists what was taken away.
    WrongContacts { removed: bool },
    /// A request within a dialog ended so; 0 stands for no answer at all.
    InDialog { method: Method, status: u16, dialog: DialogId, peer: Option<usize>, begun: Time },
    /// A request within a dialog came to the wrong endpoint.
    Misrouted { method: Method, to_tag: Vec<u8>, call_id: Vec<u8> },
    /// No ACK for a 2xx.
    NoAck { call_id: Vec<u8>, peer: Option<usize>, begun: Time },
    /// It rang longer than any server may let it.
    RingsForever { call_id: Vec<u8>, begun: Time },
    /// It was called while it was not bound.
    CalledUnbound { call_id: Vec<u8> },
    /// The same INVITE came twice by different branches.
    ForkedTwice { call_id: Vec<u8>, first: Time },
    /// A response to nothing that it sent.
    Unasked { status: u16, call_id: Vec<u8> },
    /// Something that cannot be read.
    Unreadable { what: &'static str },
    /// A request that took more hops than there are.
    TooManyVias { count: usize, call_id: Vec<u8> },
    /// A request outside a dialog, to a user, got no answer.
    Silent { method: Method, call_id: Vec<u8>, user: usize },
}
