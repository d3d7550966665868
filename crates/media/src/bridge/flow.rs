//! Transcoding in one direction: what comes is decoded at once, what is full goes out at once.
//!
//! There is no jitter buffer here: the endpoint behind us has one, and a second would only add delay. Lost packets are
//! concealed when the next one shows that they are lost; late ones are dropped; a pause stays a pause.

use std::collections::VecDeque;
use std::time::Duration;

use super::numbering::Numbering;
use super::plan::{Action, Pair};
use crate::codec::comfort_noise::{Generator, Noise};
use crate::codec::resample::Resampler;
use crate::codec::{Decoder, Encoder, natural_rate};
use crate::dtmf;
use crate::dtmf::detect::Detector;
use crate::dtmf::event::{Event, Sender};
use crate::dtmf::tone::Tone;
use crate::rtp::{self, Arrival, HEADER_LEN, Packet};

/// Lost packets in a row that are concealed; after that it is a pause.
const MAX_CONCEALED: u16 = 5;
/// Sound that may wait to be encoded; older sound is let go.
const MAX_PENDING_MS: usize = 480;
/// Key events that may wait to be sent; further ones are dropped, and their repetitions stand in for them.
const MAX_WAITING: usize = 8;
/// Keys that wait to be pressed; faster than they can be pressed nobody dials.
const MAX_KEYS: usize = 32;
/// Samples a second of sound in which keys are heard: what telephones that know no events speak.
const KEY_RATE: u32 = 8_000;
/// How long a key that we press is held.
const PRESSED: Duration = Duration::from_millis(120);

/// One direction.
pub(super) struct Flow {
    pair: Pair,
    rate: u32,
    decoder: Option<(u8, Decoder, Resampler)>,
    encoder: Encoder,
    decoded: Vec<i16>,
    pending: Vec<i16>,
    /// The timestamp that the next packet has if nothing is missing, and what the last packet held.
    expected: Option<u32>,
    last_units: u32,
    numbering: Numbering,
    waiting: VecDeque<(Event, u32, bool)>,
    /// The event that is under way: its timestamp on either side, and the samples of tone made for it.
    current: Option<(u32, u32, usize)>,
    tone: Option<Tone>,
    pressed: Option<(Sender, u32)>,
    /// Listens for keys in the sound of an endpoint that sends no events, for one that takes them.
    detector: Option<Detector>,
    /// Keys that were heard: not told yet, and not pressed yet.
    heard: VecDeque<char>,
    unpressed: VecDeque<u8>,
    generator: Generator,
}

impl Flow {
    /// `None` when a codec cannot be had, which [`natural_rate`] has ruled out.
    pub fn new(pair: &Pair, numbering: Numbering) -> Option<Self> {
        let source = pair.from.first().and_then(natural_rate)?;
        // Opus takes what there is; sound of telephones gains nothing above 16 kHz.
        let rate = natural_rate(&pair.to).filter(|rate| *rate < 48_000).unwrap_or(source.clamp(8_000, 16_000));
        Some(Self {
            rate,
            decoder: None,
            encoder: Encoder::new(&pair.to, rate).ok()?,
            decoded: Vec::with_capacity(rate as usize / 8),
            pending: Vec::with_capacity(rate as usize / 4),
            expected: None,
            last_units: 0,
            // Noise need not be unguessable: where the numbers begin is chance enough.
            generator: Generator::new(u64::from(numbering.timestamp())),
            numbering,
            waiting: VecDeque::with_capacity(MAX_WAITING),
            current: None,
            tone: None,
            pressed: None,
            detector: (pair.event_clock.is_none() && pair.event.is_some()).then(Detector::default),
            heard: VecDeque::new(),
            unpressed: VecDeque::new(),
            pair: pair.clone(),
        })
    }

    /// Where the stream that we make stands.
    pub fn timestamp(&self) -> u32 {
        self.numbering.timestamp()
    }

    pub fn into_numbering(mut self) -> Numbering {
        self.numbering.pause(0);
        self.numbering
    }

    /// Takes a packet in; false when it came too late.
    pub fn packet(&mut self, packet: &Packet<'_>, arrival: Arrival, action: Action) -> bool {
        if matches!(arrival, Arrival::Late | Arrival::Duplicate | Arrival::Jump) {
            return false;
        }
        match action {
            Action::Transcode(at) => self.sound(packet, arrival, at),
            Action::Event(_) => self.event(packet),
            Action::Tone => self.tone(packet),
            Action::Noise => self.noise(packet, arrival),
            Action::Relay(_) | Action::Drop => return false,
        }
        true
    }

    fn sound(&mut self, packet: &Packet<'_>, arrival: Arrival, at: u8) {
        if !self.ready(at) {
            return;
        }
        if let (Arrival::Next { missing: missing @ 1.. }, Some(expected)) = (arrival, self.expected)
            && missing <= MAX_CONCEALED
            && packet.timestamp().wrapping_sub(expected) == self.last_units * u32::from(missing)
        {
            (0..missing).for_each(|_| self.conceal());
        }
        self.catch_up(packet.timestamp(), arrival);
        let Some((_, decoder, resampler)) = &mut self.decoder else { return };
        self.decoded.clear();
        if decoder.decode(packet.payload(), &mut self.decoded).is_err() {
            let lost = self.last_units;
            self.expected = Some(packet.timestamp());
            return if lost > 0 {
                self.conceal()
            };
        }
        if let Some(detector) = self.detector.as_mut().filter(|_| decoder.rate() == KEY_RATE) {
            let heard = &mut self.heard;
            detector.listen(&self.decoded, |key| heard.extend((heard.len() < MAX_KEYS).then_some(key)));
            if detector.hears() {
                // It goes on as an event alone, or the other end would take it twice.
                self.decoded.fill(0);
            }
        }
        resampler.process(&self.decoded, &mut self.pending);
        self.last_units = self.units(self.decoded.len(), at);
        self.expected = Some(packet.timestamp().wrapping_add(self.last_units));
        self.bound();
    }

    /// A decoder for the codec at `at`.
    fn ready(&mut self, at: u8) -> bool {
        if self.decoder.as_ref().is_some_and(|(own, _, _)| *own == at) {
            return true;
        }
        let codec = self.pair.from.get(usize::from(at));
        let decoder = codec.and_then(|codec| Decoder::new(codec, self.rate).ok());
        let made = decoder.and_then(|decoder| Some((Resampler::new(decoder.rate(), self.rate)?, decoder)));
        self.decoder = made.map(|(resampler, decoder)| (at, decoder, resampler));
        self.decoder.is_some()
    }

    /// Samples of the decoder as units of the source's timestamp.
    fn units(&self, samples: usize, at: u8) -> u32 {
        let (Some((_, decoder, _)), Some(codec)) = (&self.decoder, self.pair.from.get(usize::from(at))) else {
            return 0;
        };
        (samples as u64 * u64::from(codec.clock) / u64::from(decoder.rate().max(1))) as u32
    }

    fn conceal(&mut self) {
        let units = self.last_units;
        let clock = self.source_clock();
        let Some((_, decoder, resampler)) = &mut self.decoder else { return };
        self.decoded.clear();
        decoder.conceal((u64::from(units) * u64::from(decoder.rate()) / u64::from(clock)) as usize, &mut self.decoded);
        resampler.process(&self.decoded, &mut self.pending);
        self.expected = self.expected.map(|expected| expected.wrapping_add(units));
        self.bound();
    }

    fn source_clock(&self) -> u32 {
        let at = self.decoder.as_ref().map_or(0, |(at, _, _)| usize::from(*at));
        self.pair.from.get(at).map_or(8_000, |codec| codec.clock.max(1))
    }

    fn scaled(&self, units: u32) -> u32 {
        (u64::from(units) * u64::from(self.pair.to.clock) / u64::from(self.source_clock())) as u32
    }

    /// A jump of the timestamp is a pause; what waits goes out before it, filled up with silence.
    fn catch_up(&mut self, timestamp: u32, arrival: Arrival) {
        let Some(expected) = self.expected else { return };
        let gap = timestamp.wrapping_sub(expected);
        if arrival == Arrival::First || gap == 0 || gap > u32::MAX / 2 {
            return;
        }
        let partial = self.pending.len() % self.frame_len();
        let fill = if partial == 0 { 0 } else { self.frame_len() - partial };
        self.pending.resize(self.pending.len() + fill, 0);
        // Pauses of over a minute are a new beginning to any receiver.
        let pause = self.scaled(gap.min(self.source_clock() * 60));
        let filled = (fill as u64 * u64::from(self.pair.to.clock) / u64::from(self.rate)) as u32;
        self.numbering.pause(pause.saturating_sub(filled));
        self.expected = Some(timestamp);
    }

    fn bound(&mut self) {
        let most = self.rate as usize / 1000 * MAX_PENDING_MS;
        if self.pending.len() > most {
            self.pending.drain(..self.pending.len() - most);
        }
    }

    fn frame_len(&self) -> usize {
        (self.rate / 1000 * self.pair.ptime) as usize
    }

    /// A key goes on as an event at the same place of the other clock.
    fn event(&mut self, packet: &Packet<'_>) {
        let (Some(event), Some(to)) = (Event::parse(packet.payload()), &self.pair.event) else { return };
        let duration =
            u64::from(event.duration) * u64::from(to.clock) / u64::from(self.pair.event_clock.unwrap_or(8_000));
        let event = Event { duration: duration.min(0xFFFF) as u16, ..event };
        let known = self.current.filter(|(came, _, _)| *came == packet.timestamp());
        let place = match known {
            Some((_, place, _)) => place,
            None => {
                let ahead = self.expected.map_or(0, |expected| packet.timestamp().wrapping_sub(expected));
                let ahead = if ahead > u32::MAX / 2 { 0 } else { self.scaled(ahead) };
                self.numbering.timestamp().wrapping_add(ahead)
            }
        };
        self.current = Some((packet.timestamp(), place, 0));
        if self.waiting.len() < MAX_WAITING {
            self.waiting.push_back((event, place, known.is_none()));
        }
    }

    /// A key becomes a tone, as long as its packets tell.
    fn tone(&mut self, packet: &Packet<'_>) {
        let Some(event) = Event::parse(packet.payload()) else { return };
        let timestamp = packet.timestamp();
        if self.current.is_none_or(|(came, _, _)| came != timestamp) {
            self.catch_up(timestamp, Arrival::Next { missing: 0 });
            self.current = Some((timestamp, 0, 0));
            self.tone = dtmf::key(event.code).and_then(|key| Tone::of_key(key, self.rate));
        }
        let Some((_, _, made)) = &mut self.current else { return };
        let wanted =
            u64::from(event.duration) * u64::from(self.rate) / u64::from(self.pair.event_clock.unwrap_or(8_000));
        let more = (wanted as usize).saturating_sub(*made).min(self.rate as usize / 10);
        *made += more;
        if let Some(tone) = &mut self.tone {
            tone.fill(more, &mut self.pending);
        }
        self.expected = Some(timestamp.wrapping_add(u32::from(event.duration)));
        self.bound();
    }

    /// Comfort noise is heard for a packet's time; then it is a pause, which the receiver fills with what it heard last.
    fn noise(&mut self, packet: &Packet<'_>, arrival: Arrival) {
        let Some(noise) = Noise::parse(packet.payload()) else { return };
        self.catch_up(packet.timestamp(), arrival);
        let frame = self.frame_len();
        self.generator.fill(&noise, frame, &mut self.pending);
        let units = self.pair.ptime * self.source_clock() / 1000;
        self.expected = Some(packet.timestamp().wrapping_add(units));
        self.bound();
    }

    /// The next key that was heard in the sound; it is pressed on the other leg after those before it.
    pub fn key_heard(&mut self) -> Option<char> {
        let key = self.heard.pop_front()?;
        if let Some(code) = dtmf::event(key)
            && !self.press(code)
            && self.unpressed.len() < MAX_KEYS
        {
            self.unpressed.push_back(code);
        }
        Some(key)
    }

    /// We press a key on the leg that this flow leads to.
    pub fn press(&mut self, code: u8) -> bool {
        if self.pressed.is_some() {
            return false;
        }
        let clock = self.pair.event.as_ref().map_or(self.pair.to.clock, |codec| codec.clock);
        let step = Duration::from_millis(u64::from(self.pair.ptime));
        self.pressed = Some((Sender::new(code, PRESSED, step, clock), self.numbering.timestamp()));
        self.tone = dtmf::key(code).and_then(|key| Tone::of_key(key, self.rate));
        true
    }

    /// Writes the next packet that is ready and gives its length and its payload's.
    pub fn make(&mut self, buffer: &mut [u8]) -> Option<(usize, usize)> {
        if let Some((event, place, first)) = self.waiting.pop_front() {
            return self.write_event(event, place, first, buffer);
        }
        let frame = self.frame_len();
        if self.pending.len() < frame {
            return None;
        }
        let units = self.pair.ptime * (self.pair.to.clock / 1000);
        if let Some((sender, place)) = &mut self.pressed {
            let (next, place) = (sender.next_event(), *place);
            match (next, self.pair.event.is_some()) {
                (Some((event, first)), true) => {
                    // The key is heard instead of the sound.
                    self.pending.drain(..frame);
                    self.numbering.pause(units);
                    return self.write_event(event, place, first, buffer);
                }
                (Some(_), false) => self.overlay(frame),
                (None, _) => {
                    self.pressed = None;
                    if let Some(code) = self.unpressed.pop_front() {
                        self.press(code);
                    }
                }
            }
        }
        let payload = buffer.get_mut(HEADER_LEN..rtp::MAX_PACKET.min(buffer.len()))?;
        let encoded = self.encoder.encode(&self.pending[..frame], payload);
        self.pending.drain(..frame);
        let fields = self.numbering.sound(self.pair.to.payload, units);
        let length = encoded.ok()?;
        rtp::write(buffer, &fields).then_some((HEADER_LEN + length, length))
    }

    fn overlay(&mut self, frame: usize) {
        let mut sound = Vec::with_capacity(frame);
        if let Some(tone) = &mut self.tone {
            tone.fill(frame, &mut sound);
            self.pending[..frame].copy_from_slice(&sound);
        }
    }

    fn write_event(&mut self, event: Event, place: u32, first: bool, buffer: &mut [u8]) -> Option<(usize, usize)> {
        let payload_type = self.pair.event.as_ref()?.payload;
        buffer.get_mut(HEADER_LEN..HEADER_LEN + 4)?.copy_from_slice(&event.to_bytes());
        let fields = self.numbering.fields(payload_type, place, first);
        rtp::write(buffer, &fields).then_some((HEADER_LEN + 4, 4))
    }
}
