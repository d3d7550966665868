//! Calls between parties whose media differ: their session descriptions pass through [`Mediation`], all else stays as
//! it is.

use std::collections::HashSet;
use std::net::IpAddr;

use lyceum_sip::header::session_expires::SessionExpires;
use lyceum_sip::time::Now;
use lyceum_sip::{Message, Method, Name, Transport};

use super::bridges::{BRIDGES, Bridges};
use super::context::{Context, ContextId, Hop};
pub use super::unbridged::{Fault, Unbridged};
use crate::core::Core;
use crate::events::is_notify;
use crate::messages::is_delivery;

/// Names a bridged call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Bridge(pub u64);

/// Who wrote a description.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Party {
    /// Who sent the INVITE that began the call.
    Caller,
    /// Who answered it.
    Callee,
}

impl Party {
    /// The other one.
    #[must_use]
    pub fn other(self) -> Party {
        match self {
            Party::Caller => Party::Callee,
            Party::Callee => Party::Caller,
        }
    }
}

/// A call that begins, as it goes to one of its targets.
#[derive(Clone, Copy, Debug)]
pub struct NewCall<'a> {
    /// The INVITE.
    pub invite: &'a Message<'a>,
    /// What carries the caller's signalling.
    pub caller_transport: Transport,
    /// Where the caller's signalling comes from; of a client behind an Edge the client's own address.
    pub caller_host: IpAddr,
    /// What carries it on.
    pub callee_transport: Transport,
    /// Where it goes, when that is an address and no connection.
    pub callee_host: Option<IpAddr>,
    /// What the target's device called itself when it signed in.
    pub callee_device: Option<&'a str>,
    /// The target is a device of a user of ours; else it is another server.
    pub to_endpoint: bool,
    /// The target refused the first offer that was made of this call (415, 488).
    pub refused: bool,
}

/// A description on its way.
#[derive(Clone, Copy, Debug)]
pub struct Passing<'a> {
    /// Who wrote it.
    pub from: Party,
    /// The method of its request, or of the request that it answers.
    pub method: Method,
    /// It stands in a response.
    pub response: bool,
    /// The number of that request.
    pub cseq: u32,
    /// What the device that wrote it calls itself.
    pub device: Option<&'a [u8]>,
    /// Its bytes.
    pub body: &'a [u8],
}

/// Stands between two parties whose media differ. The front end does not know what a description says.
pub trait Mediation: Send {
    /// Do the descriptions of this call pass through here? Its first offer has not passed yet.
    fn begin(&mut self, call: &NewCall<'_>) -> Result<Option<Bridge>, Unbridged>;
    /// Is there another offer to make to the callee of this call, when it refuses the first?
    fn has_another(&self, call: &NewCall<'_>) -> bool;
    /// The description as the other party is to get it, `None` where it stays as it is, or why it cannot pass.
    fn pass(&mut self, bridge: Bridge, passing: &Passing<'_>) -> Result<Option<Vec<u8>>, Unbridged>;
    /// The request of this party with this number has its final response, or will get none: an offer in it that nothing
    /// answered was refused.
    fn settled(&mut self, bridge: Bridge, from: Party, cseq: u32);
    /// The call is over.
    fn end(&mut self, bridge: Bridge);
    /// Called every few seconds: the calls that ended by themselves because no media was heard.
    fn tend(&mut self) -> Vec<Bridge>;
}

/// Nothing is bridged: media goes as the parties say.
pub struct NoMediation;

impl Mediation for NoMediation {
    fn begin(&mut self, _: &NewCall<'_>) -> Result<Option<Bridge>, Unbridged> {
        Ok(None)
    }

    fn has_another(&self, _: &NewCall<'_>) -> bool {
        false
    }

    fn pass(&mut self, _: Bridge, _: &Passing<'_>) -> Result<Option<Vec<u8>>, Unbridged> {
        Err(Unbridged { fault: Fault::Failure, why: "nothing is bridged here".into() })
    }

    fn settled(&mut self, _: Bridge, _: Party, _: u32) {}

    fn end(&mut self, _: Bridge) {}

    fn tend(&mut self) -> Vec<Bridge> {
        Vec::new()
    }
}

/// What is kept of bridged calls.
pub(crate) struct Bridged {
    mediation: Box<dyn Mediation>,
    bridges: Bridges,
}

impl Default for Bridged {
    fn default() -> Self {
        Bridged { mediation: Box::new(NoMediation), bridges: Bridges::default() }
    }
}

/// What a branch has to do with a bridge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BranchBridge {
    /// Which.
    pub bridge: Bridge,
    /// Who sends the request.
    pub from: Party,
    /// The number of that request.
    pub cseq: u32,
    /// It began with this branch, and ends with it unless the call is answered.
    pub begins: bool,
}

/// An answer on its way to who asked.
#[derive(Default)]
pub(super) struct Passed {
    /// What stands in the place of its description.
    pub(super) body: Option<Vec<u8>>,
    /// The value of a Warning that says why that is empty.
    pub(super) warning: Option<Vec<u8>>,
}

impl Core {
    /// Calls between unlike media are bridged from now on.
    pub fn set_mediation(&mut self, mediation: Box<dyn Mediation>) {
        self.calls.bridged.mediation = mediation;
    }

    /// Which bridge a request to this hop goes through, and its description as the other party is to get it; or why that
    /// cannot be.
    pub(super) fn bridge(
        &mut self,
        now: Now,
        context: &Context,
        hop: &Hop,
        message: &Message<'_>,
    ) -> Result<Option<(BranchBridge, Option<Vec<u8>>)>, Unbridged> {
        let cseq = message.cseq().number;
        let bridged = match message.to_tag() {
            None if message.method() == Method::Invite => self.begin_bridge(now, context, hop, message)?,
            None => None,
            Some(_) => self.bridge_of(message).map(|(bridge, from)| BranchBridge { bridge, from, cseq, begins: false }),
        };
        let Some(bridged) = bridged else { return Ok(None) };
        match self.passed(bridged.bridge, bridged.from, message) {
            Ok(body) => Ok(Some((bridged, body))),
            Err(unbridged) => {
                let why = &unbridged.why;
                tracing::warn!(%why, call = %String::from_utf8_lossy(message.call_id()), "a call cannot be bridged");
                if bridged.begins {
                    self.end_bridge(bridged.bridge);
                }
                Err(unbridged)
            }
        }
    }

    fn begin_bridge(
        &mut self,
        now: Now,
        context: &Context,
        hop: &Hop,
        message: &Message<'_>,
    ) -> Result<Option<BranchBridge>, Unbridged> {
        let begun = self.calls.bridged.mediation.begin(&new_call(context, hop, message))?;
        let Some(bridge) = begun else { return Ok(None) };
        let call = self.call_key(message.call_id(), message.from_tag().unwrap_or_default());
        if !self.calls.bridged.bridges.begin(bridge, call, now.mono) {
            self.calls.bridged.mediation.end(bridge);
            return Err(Unbridged { fault: Fault::NoRoom, why: format!("{BRIDGES} calls are bridged already") });
        }
        Ok(Some(BranchBridge { bridge, from: Party::Caller, cseq: message.cseq().number, begins: true }))
    }

    /// Where the call goes again if this branch is refused for its media.
    pub(super) fn hop_again(&self, context: &Context, hop: &Hop, message: &Message<'_>) -> Option<Box<Hop>> {
        let begins = message.method() == Method::Invite && message.to_tag().is_none() && !hop.refused_media;
        (begins && self.calls.bridged.mediation.has_another(&new_call(context, hop, message)))
            .then(|| Box::new(hop.clone()))
    }

    /// The bridge of a dialog, and who of it sent this request.
    pub(super) fn bridge_of(&self, message: &Message<'_>) -> Option<(Bridge, Party)> {
        if self.calls.bridged.bridges.is_empty() {
            return None;
        }
        let (from, to) = (message.from_tag()?, message.to_tag()?);
        let find =
            |caller, callee| self.calls.bridged.bridges.of_dialog(&self.dialog_key(message.call_id(), caller, callee));
        let by = |party| move |bridge| (bridge, party);
        find(from, to).map(by(Party::Caller)).or_else(|| find(to, from).map(by(Party::Callee)))
    }

    /// The description of a message as the other party is to get it; `None` when it has none, or keeps it.
    pub(super) fn passed(
        &mut self,
        bridge: Bridge,
        from: Party,
        message: &Message<'_>,
    ) -> Result<Option<Vec<u8>>, Unbridged> {
        if message.body().is_empty() || !is_description(message) {
            return Ok(None);
        }
        let cseq = message.cseq();
        let passing = Passing {
            from,
            method: Method::from_bytes(cseq.method),
            response: !message.is_request(),
            cseq: cseq.number,
            device: message.value(Name::UserAgent).or_else(|| message.value(Name::Server)),
            body: message.body(),
        };
        self.calls.bridged.mediation.pass(bridge, &passing)
    }

    /// The description in a response of a bridged branch, and the dialog that it makes.
    pub(super) fn answer_passed(&mut self, now: Now, of: &BranchBridge, message: &Message<'_>) -> Passed {
        let status = message.status();
        if of.begins
            && (101..300).contains(&status)
            && let (Some(caller), Some(callee)) = (message.from_tag(), message.to_tag())
        {
            let key = self.dialog_key(message.call_id(), caller, callee);
            self.calls.bridged.bridges.add(of.bridge, key, status >= 200);
        }
        let passed = self.passed_or_emptied(of.bridge, of.from.other(), message);
        if status >= 200 {
            let interval = message.value(Name::SessionExpires).and_then(|value| SessionExpires::parse(value).ok());
            self.calls.bridged.bridges.heard(of.bridge, now.mono, interval.map(|expires| expires.interval));
            self.calls.bridged.mediation.settled(of.bridge, of.from, of.cseq);
        }
        passed
    }

    /// The description of a message that nobody can refuse any more. Where it cannot pass it does not: it names places, and
    /// keys, that are not for the other party.
    pub(super) fn passed_or_emptied(&mut self, bridge: Bridge, from: Party, message: &Message<'_>) -> Passed {
        match self.passed(bridge, from, message) {
            Ok(body) => Passed { body, warning: None },
            Err(unbridged) => {
                let why = &unbridged.why;
                tracing::warn!(%why, call = %String::from_utf8_lossy(message.call_id()), "an answer cannot be bridged");
                Passed { body: Some(Vec::new()), warning: Some(unbridged.warning()) }
            }
        }
    }

    /// A request of a bridged dialog passes: the BYE of its last dialog ends the bridge. Of a call that several devices behind
    /// its target took, the caller hangs up all but one.
    pub(super) fn note_bridged(&mut self, now: Now, message: &Message<'_>) {
        let Some((bridge, from)) = self.bridge_of(message) else { return };
        self.calls.bridged.bridges.heard(bridge, now.mono, None);
        if message.method() == Method::Bye
            && let (Some(near), Some(far)) = (message.from_tag(), message.to_tag())
        {
            let (caller, callee) = if from == Party::Caller { (near, far) } else { (far, near) };
            let dialog = self.dialog_key(message.call_id(), caller, callee);
            if self.calls.bridged.bridges.leave(bridge, &dialog) {
                self.end_bridge(bridge);
            }
        }
    }

    /// The transaction of a branch is over, and its bridge with it unless the branch was answered.
    pub(super) fn unbridge_of(&mut self, user: u64) {
        if is_notify(user).is_some() || is_delivery(user).is_some() {
            return;
        }
        let (of, branch) = ContextId::split(user);
        if let Some(mut context) = self.calls.contexts.take(of) {
            self.unbridge(&mut context, usize::from(branch));
            self.calls.contexts.put_back(of, context);
        }
    }

    /// A branch that was not answered is over, and its bridge with it; in a call that goes on, what it offered is refused.
    pub(super) fn unbridge(&mut self, context: &mut Context, branch: usize) {
        let Some(branch) = context.branches.get_mut(branch) else { return };
        let Some(bridged) = branch.bridge.filter(|_| !(200..300).contains(&branch.status)) else { return };
        if bridged.begins {
            branch.bridge = None;
            self.end_bridge(bridged.bridge);
        } else {
            self.calls.bridged.mediation.settled(bridged.bridge, bridged.from, bridged.cseq);
        }
    }

    /// The bridge is over.
    fn end_bridge(&mut self, bridge: Bridge) {
        self.calls.bridged.mediation.end(bridge);
        self.calls.bridged.bridges.remove(bridge);
    }

    /// Bridges that ended by themselves are forgotten.
    pub fn bridges_swept(&mut self, _: Now) {
        for bridge in self.calls.bridged.mediation.tend() {
            self.calls.bridged.bridges.remove(bridge);
        }
    }

    /// Bridges of calls that are over unseen, and those of which nothing was heard for too long, end.
    pub(super) fn bridges_forgotten(&mut self, now: Now, calls: &HashSet<u64>) {
        for bridge in self.calls.bridged.bridges.over(now.mono, calls) {
            self.end_bridge(bridge);
        }
    }
}

fn new_call<'a>(context: &Context, hop: &'a Hop, message: &'a Message<'a>) -> NewCall<'a> {
    NewCall {
        invite: message,
        caller_transport: context.transport,
        caller_host: context.source,
        callee_transport: hop.transport,
        callee_host: hop.remote().map(|remote| remote.ip()),
        callee_device: hop.record.as_ref().and_then(|record| record.user_agent.as_deref()),
        to_endpoint: !hop.flow.is_empty(),
        refused: hop.refused_media,
    }
}

/// Where the call goes again with another offer, because this one was refused.
pub(super) fn another_offer(context: &mut Context, branch: usize, status: u16) -> Option<Hop> {
    if !matches!(status, 415 | 488) || context.cancelled || context.answered {
        return None;
    }
    let again = context.branches.get_mut(branch)?.again.take()?;
    Some(Hop { refused_media: true, ..*again })
}

fn is_description(message: &Message<'_>) -> bool {
    const SDP: &[u8] = b"application/sdp";
    message
        .value(Name::ContentType)
        .and_then(|value| value.get(..SDP.len()))
        .is_some_and(|head| head.eq_ignore_ascii_case(SDP))
}
