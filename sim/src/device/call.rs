//! One call as one endpoint sees it.

use std::collections::BTreeMap;

use lyceum_sip::dialog::Dialog;
use lyceum_sip::time::Time;
use lyceum_sip::transaction::{ClientId, ServerId};

use super::ask::Ask;

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// We have sent the INVITE.
    Calling,
    /// We ring.
    Ringing,
    /// It stands.
    Up,
    /// It is over.
    Over,
}

/// A call, or one leg of a forked one.
#[derive(Debug)]
pub struct Call {
    /// How far it has come.
    pub stage: Stage,
    /// Its Call-ID.
    pub call_id: Vec<u8>,
    /// When it began for this endpoint.
    pub begun: Time,
    /// The device at the other end, as far as it is known.
    pub peer: Option<usize>,
    /// Its dialog.
    pub dialog: Option<Dialog>,
    /// Caller: the INVITE, to be repeated with credentials.
    pub(super) ask: Option<Ask>,
    /// Caller: its transaction.
    pub(super) invite: Option<ClientId>,
    /// Caller: it has been cancelled.
    pub(super) cancelled: bool,
    /// Callee: its transaction, as long as it is unanswered, and the request.
    pub(super) server: Option<ServerId>,
    pub(super) request: Vec<u8>,
    pub(super) tag: Vec<u8>,
    /// ACKs that we sent, by CSeq, for repeated 2xx.
    pub(super) acks: BTreeMap<u32, Vec<u8>>,
    /// 2xx that we sent and whose ACK has not come, with their transaction and when they began.
    pub(super) oks: BTreeMap<u32, Ok>,
    /// A re-INVITE of ours is under way.
    pub(super) changing: bool,
}

/// A 2xx that waits for its ACK.
#[derive(Debug)]
pub(super) struct Ok {
    pub(super) bytes: Vec<u8>,
    pub(super) server: ServerId,
    pub(super) since: Time,
}

impl Call {
    pub(super) fn new(stage: Stage, call_id: &[u8], begun: Time) -> Self {
        Call {
            stage,
            call_id: call_id.to_vec(),
            begun,
            peer: None,
            dialog: None,
            ask: None,
            invite: None,
            cancelled: false,
            server: None,
            request: Vec::new(),
            tag: Vec::new(),
            acks: BTreeMap::new(),
            oks: BTreeMap::new(),
            changing: false,
        }
    }

    /// The other end's tag.
    pub fn remote_tag(&self) -> Vec<u8> {
        self.dialog.as_ref().map(|dialog| dialog.id().remote_tag.to_vec()).unwrap_or_default()
    }
}
