//! What becomes of each payload type on its way from one leg to the other.

use lyceum_sdp::{Codec, Encoding};

use super::leg::LegSetup;
use crate::codec::natural_rate;

/// What becomes of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Nothing; it is dropped.
    Drop,
    /// It goes on with this payload type.
    Relay(u8),
    /// It is decoded by the codec at this place among those the leg may send.
    Transcode(u8),
    /// A key event that goes on as an event of this payload type.
    Event(u8),
    /// A key event that becomes a tone.
    Tone,
    /// Comfort noise that becomes noise.
    Noise,
}

/// One direction.
#[derive(Clone, PartialEq, Debug)]
pub struct Plan {
    actions: [Action; 128],
    events: [bool; 128],
    pair: Option<Pair>,
}

/// What transcoding needs to know.
#[derive(Clone, PartialEq, Debug)]
pub struct Pair {
    /// What may come, with the numbers it comes with.
    pub from: Vec<Codec>,
    /// What goes out.
    pub to: Codec,
    /// What the other leg takes events as.
    pub event: Option<Codec>,
    /// Clock of the events that come; `None`: none come, and keys are in the sound.
    pub event_clock: Option<u32>,
    /// Milliseconds of sound in a packet that goes out.
    pub ptime: u32,
}

impl Plan {
    pub fn empty() -> Self {
        Self { actions: [Action::Drop; 128], events: [false; 128], pair: None }
    }

    /// From what `from` may send to what `to` takes; `None` when there is no way.
    pub fn new(from: &LegSetup, to: &LegSetup) -> Option<Self> {
        let mut plan = Self::empty();
        for codec in from.receive.iter().filter(|codec| codec.encoding == Encoding::TelephoneEvent) {
            plan.events[usize::from(codec.payload & 0x7F)] = true;
        }
        let relayed = from.receive.iter().filter_map(|codec| Some((codec, to.send.iter().find(|it| it.fits(codec))?)));
        let relayed: Vec<(&Codec, &Codec)> = relayed.collect();
        if relayed.iter().any(|(codec, _)| codec.encoding.is_primary()) {
            for (codec, other) in relayed {
                plan.actions[usize::from(codec.payload & 0x7F)] = Action::Relay(other.payload);
            }
            return Some(plan);
        }
        plan.pair = Some(Pair::new(from, to)?);
        plan.fill_transcoded();
        for codec in from.receive.iter().filter(|codec| codec.encoding == Encoding::ComfortNoise) {
            plan.actions[usize::from(codec.payload & 0x7F)] = Action::Noise;
        }
        Some(plan)
    }

    fn fill_transcoded(&mut self) {
        let Some(pair) = &self.pair else { return };
        for (at, codec) in pair.from.iter().enumerate() {
            self.actions[usize::from(codec.payload & 0x7F)] = Action::Transcode(at as u8);
        }
        let action = pair.event.as_ref().map_or(Action::Tone, |codec| Action::Event(codec.payload));
        for number in 0..128 {
            if self.events[number] {
                self.actions[number] = action;
            }
        }
    }

    pub fn action(&self, payload_type: u8) -> Action {
        self.actions[usize::from(payload_type & 0x7F)]
    }

    pub fn is_event(&self, payload_type: u8) -> bool {
        self.events[usize::from(payload_type & 0x7F)]
    }

    pub fn transcode(&self) -> Option<&Pair> {
        self.pair.as_ref()
    }
}

impl Pair {
    fn new(from: &LegSetup, to: &LegSetup) -> Option<Self> {
        let ours = |codec: &&Codec| natural_rate(codec).is_some();
        let sources: Vec<Codec> = from.receive.iter().filter(ours).cloned().collect();
        // The peer's favourite of those we have; it said in which order it likes them.
        let target = to.send.iter().find(ours)?.clone();
        if sources.is_empty() {
            return None;
        }
        let events = || to.send.iter().filter(|codec| codec.encoding == Encoding::TelephoneEvent);
        let event = events().find(|codec| codec.clock == target.clock).or_else(|| events().next()).cloned();
        let came = from.receive.iter().find(|codec| codec.encoding == Encoding::TelephoneEvent);
        Some(Self {
            from: sources,
            to: target,
            event,
            event_clock: came.map(|codec| codec.clock.max(1)),
            ptime: to.ptime.clamp(10, 60) / 10 * 10,
        })
    }
}
