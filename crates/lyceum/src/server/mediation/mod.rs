//! Joins the front end to mediation: which calls are bridged, and what is kept of their media.

mod flows;
mod likeness;
mod node;
mod webhook;
mod writer;

use std::net::IpAddr;
use std::sync::mpsc::Receiver;

use lyceum_front_end::calls::bridging::{Bridge, Fault, Mediation, NewCall, Party, Passing, Unbridged};
use lyceum_media::bridge::Side;
use lyceum_mediation::call::{AnchorId, Anchors, CALLS_MAX, Carried, PassError, Random};
use lyceum_mediation::media::{Media, MediaError, MediaEvent};
use lyceum_sip::Method;

use flows::Flows;
use likeness::{Likeness, likeness};
pub use node::{MediaNode, Running, start};
pub use webhook::Webhook;

/// Events of media that are heard in one go; the rest wait for the next.
const HEARD: usize = 16_384;

/// Mediation of one worker.
pub struct Desk<M> {
    anchors: Anchors<M>,
    events: Receiver<MediaEvent>,
    flows: Flows,
}

impl<M: Media> Desk<M> {
    /// Over media whose events come here; `address` stands in the descriptions that we write.
    pub fn new(media: M, address: IpAddr, events: Receiver<MediaEvent>, flows: Flows) -> Self {
        let random: Random = Box::new(|bytes| bytes.copy_from_slice(&random_bytes(bytes.len())));
        Self { anchors: Anchors::new(media, address, random), events, flows }
    }

    fn tell(&mut self) {
        while let Some(note) = self.anchors.poll_note() {
            self.flows.note(note);
        }
    }
}

impl<M: Media + Send> Mediation for Desk<M> {
    fn begin(&mut self, call: &NewCall<'_>) -> Result<Option<Bridge>, Unbridged> {
        let anchor = match likeness(call) {
            Likeness::Unlike(caller, callee) => Some(self.anchors.begin(caller, callee).ok_or_else(full)?),
            // One more than can be watched is not noted; it goes on all the same.
            Likeness::Alike if self.flows.are_wanted() => self.anchors.observe(),
            Likeness::Alike => None,
        };
        if let Some(anchor) = anchor {
            self.flows.begun(anchor, call);
        }
        Ok(anchor.map(|anchor| Bridge(anchor.to_bits())))
    }

    fn has_another(&self, call: &NewCall<'_>) -> bool {
        likeness(call) != likeness(&NewCall { refused: true, ..*call })
    }

    fn pass(&mut self, bridge: Bridge, passing: &Passing<'_>) -> Result<Option<Vec<u8>>, Unbridged> {
        let from = side(passing.from);
        let carried = match (passing.response, passing.method) {
            (true, _) => Carried::Response,
            (false, Method::Ack | Method::Prack) => Carried::Confirmation,
            (false, _) => Carried::Request,
        };
        let anchor = AnchorId::from_bits(bridge.0);
        self.flows.device(anchor, from, passing.device);
        let passing = lyceum_mediation::call::Passing { from, carried, cseq: passing.cseq, body: passing.body };
        let passed = self.anchors.pass(anchor, &passing).map_err(|error| unbridged(&error));
        self.tell();
        passed
    }

    fn settled(&mut self, bridge: Bridge, from: Party, cseq: u32) {
        self.anchors.settled(AnchorId::from_bits(bridge.0), side(from), cseq);
    }

    fn end(&mut self, bridge: Bridge) {
        let anchor = AnchorId::from_bits(bridge.0);
        self.anchors.end(anchor);
        self.tell();
        self.flows.over(anchor);
    }

    fn tend(&mut self) -> Vec<Bridge> {
        let mut ended = Vec::new();
        for _ in 0..HEARD {
            let Ok(event) = self.events.try_recv() else { break };
            ended.extend(self.anchors.media_event(event));
            self.tell();
        }
        ended.iter().for_each(|anchor| self.flows.over(*anchor));
        ended.into_iter().map(|anchor| Bridge(anchor.to_bits())).collect()
    }
}

fn side(party: Party) -> Side {
    match party {
        Party::Caller => Side::A,
        Party::Callee => Side::B,
    }
}

fn full() -> Unbridged {
    Unbridged { fault: Fault::NoRoom, why: format!("{CALLS_MAX} calls are bridged already, no more are taken") }
}

/// Whose fault it is that a description cannot be passed on.
fn unbridged(error: &PassError) -> Unbridged {
    let fault = match error {
        PassError::NoMedium => Fault::NoMedium,
        PassError::NoCodec => Fault::NoCodec,
        PassError::Pending => Fault::Glare,
        PassError::Description(_) | PassError::Exchange(_) => Fault::Description,
        PassError::Media(MediaError::NoPort(_) | MediaError::Full(_) | MediaError::Busy) => Fault::NoRoom,
        PassError::Media(MediaError::Socket(_)) | PassError::Gone => Fault::Failure,
    };
    Unbridged { fault, why: error.to_string() }
}

fn random_bytes(count: usize) -> Vec<u8> {
    use rand_core::TryRngCore as _;
    let mut bytes = vec![0; count];
    rand_core::OsRng.try_fill_bytes(&mut bytes).expect("the system has random bytes");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use lyceum_topology::qos::Modality;

    #[test]
    fn whose_fault_it_is() {
        for (error, fault) in [
            (PassError::NoMedium, Fault::NoMedium),
            (PassError::NoCodec, Fault::NoCodec),
            (PassError::Pending, Fault::Glare),
            (PassError::Media(MediaError::NoPort(Modality::Audio)), Fault::NoRoom),
            (PassError::Media(MediaError::Busy), Fault::NoRoom),
            (PassError::Media(MediaError::Socket(std::io::ErrorKind::BrokenPipe.into())), Fault::Failure),
            (PassError::Gone, Fault::Failure),
        ] {
            assert_eq!(unbridged(&error).fault, fault, "{error}");
        }
    }
}
