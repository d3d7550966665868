//! Joins the front end to mediation: which calls are bridged, and what is kept of their media.

mod flows;
mod likeness;
mod node;
mod webhook;
mod writer;

use std::net::IpAddr;
use std::sync::mpsc::Receiver;

use lyceum_front_end::calls::bridging::{Bridge, Mediation, NewCall, Party, Passing};
use lyceum_mediation::call::{AnchorId, Anchors, Carried, Random};
use lyceum_mediation::media::{Media, MediaEvent};
use lyceum_sip::Method;

use flows::Flows;
use likeness::{Likeness, likeness};
pub use node::{MediaNode, Running, start};
pub use webhook::Webhook;

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
    fn begin(&mut self, call: &NewCall<'_>) -> Option<Bridge> {
        let anchor = match likeness(call) {
            Likeness::Unlike(caller, callee) => self.anchors.begin(caller, callee),
            Likeness::Alike if self.flows.are_wanted() => self.anchors.observe(),
            Likeness::Alike => return None,
        };
        self.flows.begun(anchor, call);
        Some(Bridge(anchor.to_bits()))
    }

    fn has_another(&self, call: &NewCall<'_>) -> bool {
        likeness(call) != likeness(&NewCall { refused: true, ..*call })
    }

    fn pass(&mut self, bridge: Bridge, passing: &Passing<'_>) -> Result<Option<Vec<u8>>, String> {
        let from = match passing.from {
            Party::Caller => lyceum_media::bridge::Side::A,
            Party::Callee => lyceum_media::bridge::Side::B,
        };
        let carried = match (passing.response, passing.method) {
            (true, _) => Carried::Response,
            (false, Method::Ack | Method::Prack) => Carried::Confirmation,
            (false, _) => Carried::Request,
        };
        let anchor = AnchorId::from_bits(bridge.0);
        self.flows.device(anchor, from, passing.device);
        let passing = lyceum_mediation::call::Passing { from, carried, cseq: passing.cseq, body: passing.body };
        let passed = self.anchors.pass(anchor, &passing).map_err(|error| error.to_string());
        self.tell();
        passed
    }

    fn end(&mut self, bridge: Bridge) {
        let anchor = AnchorId::from_bits(bridge.0);
        self.anchors.end(anchor);
        self.tell();
        self.flows.over(anchor);
    }

    fn tend(&mut self) -> Vec<Bridge> {
        let mut ended = Vec::new();
        while let Ok(event) = self.events.try_recv() {
            ended.extend(self.anchors.media_event(event));
        }
        self.tell();
        ended.iter().for_each(|anchor| self.flows.over(*anchor));
        ended.into_iter().map(|anchor| Bridge(anchor.to_bits())).collect()
    }
}

fn random_bytes(count: usize) -> Vec<u8> {
    use rand_core::TryRngCore as _;
    let mut bytes = vec![0; count];
    rand_core::OsRng.try_fill_bytes(&mut bytes).expect("the system has random bytes");
    bytes
}
