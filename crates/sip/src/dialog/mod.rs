//! Dialogs as an end sees them (RFC 3261 §12): for endpoints of our own and back-to-back
//! agents. A proxy keeps none; its tokens ([`crate::token`]) do.
//!
//! A dialog is made from the first response with a To tag ([`Dialog::uac`]) or from the
//! request and our tag ([`Dialog::uas`]), told of every later request and response, and asked
//! for requests. Its extensions travel as headers of ordinary requests: PRACK and UPDATE
//! (RFC 3262, RFC 3311) take the next CSeq, Replaces (RFC 3891) names [`DialogId`], REFER
//! (RFC 3515) stays inside.

mod route;

#[cfg(test)]
mod tests;

use crate::build::RequestBuilder;
use crate::message::Message;
use crate::method::Method;
use crate::name::Name;
use route::RouteSet;

/// Which end we are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Role {
    /// We sent the request that made the dialog.
    Uac,
    /// We answered it.
    Uas,
}

/// How far a dialog has come.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stage {
    /// A provisional response made it.
    Early,
    /// A 2xx made or confirmed it.
    Confirmed,
    /// BYE, or a final refusal while early.
    Over,
}

/// What names a dialog, from our side (§12).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct DialogId {
    /// Call-ID.
    pub call_id: Box<[u8]>,
    /// Our tag.
    pub local_tag: Box<[u8]>,
    /// Theirs; empty for one who speaks RFC 2543.
    pub remote_tag: Box<[u8]>,
}

impl DialogId {
    /// The dialog that a received request belongs to.
    #[must_use]
    pub fn of_request(m: &Message<'_>) -> DialogId {
        DialogId::new(m, m.to_tag(), m.from_tag())
    }

    /// The dialog that a received response belongs to.
    #[must_use]
    pub fn of_response(m: &Message<'_>) -> DialogId {
        DialogId::new(m, m.from_tag(), m.to_tag())
    }

    fn new(m: &Message<'_>, local: Option<&[u8]>, remote: Option<&[u8]>) -> DialogId {
        DialogId {
            call_id: m.call_id().into(),
            local_tag: local.unwrap_or_default().into(),
            remote_tag: remote.unwrap_or_default().into(),
        }
    }
}

/// Why an in-dialog request is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OutOfDialog {
    /// Another dialog, or one that is over: 481.
    NoSuchDialog,
    /// CSeq went backwards: 500 (§12.2.2).
    OutOfOrder,
}

impl OutOfDialog {
    /// The status to answer with.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            OutOfDialog::NoSuchDialog => 481,
            OutOfDialog::OutOfOrder => 500,
        }
    }
}

/// One dialog.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dialog {
    role: Role,
    stage: Stage,
    id: DialogId,
    /// From and To as we write them, tags included.
    local: Box<[u8]>,
    remote: Box<[u8]>,
    /// In angle brackets, so that it can stand in Route.
    target: Box<[u8]>,
    routes: RouteSet,
    local_cseq: u32,
    remote_cseq: Option<u32>,
}

impl Dialog {
    /// The caller's dialog, from the request it sent and a response with a To tag, 101 to 299
    /// (§12.1.2). `None` when the response makes none: no tag, no Contact, or not in range.
    #[must_use]
    pub fn uac(request: &Message<'_>, response: &Message<'_>) -> Option<Dialog> {
        let stage = stage(response.status())?;
        let id = DialogId::of_response(response);
        if id.remote_tag.is_empty() && stage == Stage::Early {
            return None;
        }
        Some(Dialog {
            role: Role::Uac,
            stage,
            local: request.value(Name::From)?.into(),
            remote: response.value(Name::To)?.into(),
            target: contact(response)?,
            routes: RouteSet::of_response(response),
            local_cseq: request.cseq().number,
            remote_cseq: None,
            id,
        })
    }

    /// The callee's dialog, from the request it received, the tag it puts into To, and the
    /// status it answers with, 101 to 299 (§12.1.1).
    #[must_use]
    pub fn uas(request: &Message<'_>, local_tag: &[u8], status: u16) -> Option<Dialog> {
        let mut local = request.value(Name::To)?.to_vec();
        local.extend_from_slice(b";tag=");
        local.extend_from_slice(local_tag);
        let mut id = DialogId::of_request(request);
        id.local_tag = local_tag.into();
        Some(Dialog {
            role: Role::Uas,
            stage: stage(status)?,
            id,
            local: local.into(),
            remote: request.value(Name::From)?.into(),
            target: contact(request)?,
            routes: RouteSet::of_request(request),
            local_cseq: 0,
            remote_cseq: Some(request.cseq().number),
        })
    }

    /// What names it.
    #[must_use]
    pub fn id(&self) -> &DialogId {
        &self.id
    }

    /// Which end we are.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// How far it has come.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// Where requests finally go: the other end's Contact.
    #[must_use]
    pub fn remote_target(&self) -> &[u8] {
        self.target.get(1..self.target.len() - 1).unwrap_or_default()
    }

    /// A request arrived that names this dialog: checks order, refreshes the target, ends the
    /// dialog with a BYE (§12.2.2).
    ///
    /// # Errors
    /// What to answer; an ACK is then dropped.
    pub fn request_arrived(&mut self, m: &Message<'_>) -> Result<(), OutOfDialog> {
        if self.stage == Stage::Over || DialogId::of_request(m) != self.id {
            return Err(OutOfDialog::NoSuchDialog);
        }
        let method = m.method();
        let number = m.cseq().number;
        // An ACK and a CANCEL carry the number of their INVITE.
        if !matches!(method, Method::Ack | Method::Cancel) {
            if self.remote_cseq.is_some_and(|last| number < last) {
                return Err(OutOfDialog::OutOfOrder);
            }
            self.remote_cseq = Some(number);
        }
        if refreshes_target(method)
            && let Some(target) = contact(m)
        {
            self.target = target;
        }
        if method == Method::Bye {
            self.stage = Stage::Over;
        }
        Ok(())
    }

    /// A response arrived to a request of ours in this dialog: confirms it, refreshes the
    /// target, or ends it (§12.2.1.2, §12.3). Responses of other dialogs change nothing.
    pub fn response_arrived(&mut self, m: &Message<'_>) {
        if self.stage == Stage::Over || DialogId::of_response(m) != self.id {
            return;
        }
        let (code, method) = (m.status(), m.method());
        match code {
            481 => self.stage = Stage::Over,
            408 if method != Method::Subscribe => self.stage = Stage::Over,
            300.. if self.stage == Stage::Early && method == Method::Invite => self.stage = Stage::Over,
            200..=299 => self.succeeded(m, method),
            // A reliable provisional answer may refresh the target too (RFC 3262, RFC 6141).
            101..=199 if refreshes_target(method) => self.refresh(m),
            _ => {}
        }
    }

    fn succeeded(&mut self, m: &Message<'_>, method: Method) {
        if method == Method::Bye {
            self.stage = Stage::Over;
            return;
        }
        if self.stage == Stage::Early && method == Method::Invite {
            // §13.2.2.4: the 2xx's Record-Route replaces what the provisional ones said.
            self.stage = Stage::Confirmed;
            self.routes = RouteSet::of_response(m);
        }
        if refreshes_target(method) {
            self.refresh(m);
        }
    }

    fn refresh(&mut self, m: &Message<'_>) {
        if let Some(target) = contact(m) {
            self.target = target;
        }
    }

    /// The callee answered with a 2xx: the dialog is confirmed.
    pub fn confirm(&mut self) {
        if self.stage == Stage::Early {
            self.stage = Stage::Confirmed;
        }
    }

    /// The dialog is over, for reasons of ours: BYE sent, final refusal, no ACK.
    pub fn end(&mut self) {
        self.stage = Stage::Over;
    }

    /// The number for the next request of ours, but an ACK or a CANCEL, which repeat their
    /// INVITE's.
    pub fn next_cseq(&mut self) -> u32 {
        self.local_cseq += 1;
        self.local_cseq
    }

    /// The last number used.
    #[must_use]
    pub fn last_cseq(&self) -> u32 {
        self.local_cseq
    }

    /// A request in the dialog (§12.2.1.1): Request-URI and Route around strict routers, From,
    /// To, Call-ID, CSeq. Via, Contact and the rest are the caller's; so is the next hop,
    /// [`Dialog::next_hop`].
    #[must_use]
    pub fn request(&self, method: Method, cseq: u32) -> RequestBuilder<'_> {
        let mut builder = RequestBuilder::new(method, self.routes.request_uri(self.remote_target()));
        for route in self.routes.values() {
            builder.route(route);
        }
        if let Some(last) = self.routes.last_value(&self.target) {
            builder.route(last);
        }
        builder.from(&self.local).to(&self.remote).call_id(&self.id.call_id).cseq(cseq);
        builder
    }

    /// The URI that requests are sent to: the first route, or the remote target.
    #[must_use]
    pub fn next_hop(&self) -> &[u8] {
        self.routes.first_uri().unwrap_or(self.remote_target())
    }
}

fn stage(status: u16) -> Option<Stage> {
    match status {
        101..=199 => Some(Stage::Early),
        200..=299 => Some(Stage::Confirmed),
        _ => None,
    }
}

/// Target refresh requests: INVITE, UPDATE (RFC 3311 §5.1), SUBSCRIBE and NOTIFY (RFC 6665
/// §4.4.1), REFER (RFC 3515).
fn refreshes_target(method: Method) -> bool {
    matches!(method, Method::Invite | Method::Update | Method::Subscribe | Method::Notify | Method::Refer)
}

fn contact(m: &Message<'_>) -> Option<Box<[u8]>> {
    let contact = m.contacts().next()?.ok()?;
    contact.address().map(|address| [b"<", address.uri, b">"].concat().into())
}
