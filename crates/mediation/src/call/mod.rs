//! Bridged calls: follows offer and answer between two parties and writes for each a description that it understands.
//!
//! ```text
//! begin(parties) ─ pass(A, offer) ─ ports opened ─ offer for B
//!                  pass(B, answer) ─ media told ─ answer for A
//!                  pass(…) again: hold, codec change, ICE restart, a screen added
//! end
//! ```
//!
//! The dialog stays the parties' own: Call-ID, tags, CSeq and every other header pass as they came, so transfers,
//! session timers, PRACK and Replaces work as between two phones; only session descriptions are written anew
//! (docs/decisions/0023).

mod exchange;
mod facts;
mod memory;
mod observed;
mod party;
mod stream;

use std::collections::HashMap;
use std::collections::VecDeque;
use std::fmt;
use std::net::IpAddr;

use lyceum_media::bridge::Side;
use lyceum_sdp::ParseError;
use lyceum_topology::qos::Modality;

use crate::media::{Media, MediaError, MediaEvent, StreamId};
use exchange::Call;
pub use facts::{LegFacts, Note, What};
use observed::Observed;
pub use party::{Party, Protection};

/// Bridged calls at a time, with ports or without; further ones are refused.
pub const CALLS_MAX: usize = 20_000;
/// Calls that are read for the notes at a time; further ones are not noted.
pub const OBSERVED_MAX: usize = 100_000;
/// Notes that wait to be fetched; further ones are dropped, and counted.
const NOTES_MAX: usize = 4096;

/// Names a bridged call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct AnchorId {
    slot: u32,
    generation: u32,
}

impl AnchorId {
    /// As one number.
    #[must_use]
    pub fn to_bits(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.slot)
    }

    /// Takes apart what [`AnchorId::to_bits`] joined.
    #[must_use]
    pub fn from_bits(bits: u64) -> Self {
        Self { slot: bits as u32, generation: (bits >> 32) as u32 }
    }
}

/// In which message a description came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Carried {
    /// INVITE or UPDATE: always an offer (RFC 6337 §2).
    Request,
    /// ACK or PRACK: an answer where an offer is open.
    Confirmation,
    /// A response.
    Response,
}

/// A description on its way.
#[derive(Clone, Copy, Debug)]
pub struct Passing<'a> {
    /// Who wrote it.
    pub from: Side,
    /// In what.
    pub carried: Carried,
    /// The number of the request that carries it, or that it answers.
    pub cseq: u32,
    /// Its bytes.
    pub body: &'a [u8],
}

/// Why a description cannot be passed on.
#[derive(Debug)]
pub enum PassError {
    /// The call is over.
    Gone,
    /// It cannot be read.
    Description(ParseError),
    /// It is an offer, and the other party's is not answered yet.
    Pending,
    /// It does not fit what was said before.
    Exchange(lyceum_sdp::Refusal),
    /// There is no medium in it of a kind that could be bridged.
    NoMedium,
    /// There is no codec in it that the other party could take.
    NoCodec,
    /// No ports, no sockets.
    Media(MediaError),
}

impl fmt::Display for PassError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => f.write_str("the call is over"),
            Self::Description(error) => write!(f, "line {} of the session description {}", error.line, error.what),
            Self::Pending => f.write_str("the other party's offer is under way; try again when it is answered"),
            Self::Exchange(refusal) => write!(f, "{refusal}"),
            Self::NoMedium => f.write_str("there is no medium in the session description that could be bridged"),
            Self::NoCodec => f.write_str("the two parties have no codec in common, and none that could be transcoded"),
            Self::Media(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for PassError {}

struct Slot {
    generation: u32,
    call: Option<Kind>,
}

/// What is done with a call's descriptions.
enum Kind {
    /// They are written anew.
    Bridged(Box<Call>),
    /// They are read.
    Observed(Box<Observed>),
}

impl Kind {
    /// Its place among the counts, and how many there may be.
    fn place(&self) -> (usize, usize) {
        match self {
            Self::Bridged(_) => (0, CALLS_MAX),
            Self::Observed(_) => (1, OBSERVED_MAX),
        }
    }
}

/// Draws random bytes.
pub type Random = Box<dyn FnMut(&mut [u8]) + Send>;

/// The bridged calls of a worker.
pub struct Anchors<M> {
    media: M,
    /// Our address in `o=`.
    address: IpAddr,
    random: Random,
    slots: Vec<Slot>,
    free: Vec<u32>,
    streams: HashMap<StreamId, (AnchorId, usize, Modality)>,
    notes: VecDeque<Note>,
    /// How many are bridged, and how many read.
    counts: [usize; 2],
    /// Notes that nobody fetched in time.
    pub lost_notes: u64,
}

impl<M: Media> Anchors<M> {
    /// No calls yet. `address` stands in `o=` of every description that we write.
    pub fn new(media: M, address: IpAddr, random: Random) -> Self {
        Self {
            media,
            address,
            random,
            slots: Vec::new(),
            free: Vec::new(),
            streams: HashMap::new(),
            notes: VecDeque::new(),
            counts: [0; 2],
            lost_notes: 0,
        }
    }

    /// A call between two parties, the caller first. It takes no ports before its first offer passes. `None` when there are
    /// [`CALLS_MAX`].
    pub fn begin(&mut self, caller: Party, callee: Party) -> Option<AnchorId> {
        let call = Call::new([caller, callee], self.address, &mut self.random);
        self.insert(Kind::Bridged(Box::new(call)))
    }

    /// A call whose media goes directly: its descriptions are read for the notes, and pass as they are. `None` when there are
    /// [`OBSERVED_MAX`].
    pub fn observe(&mut self) -> Option<AnchorId> {
        self.insert(Kind::Observed(Box::default()))
    }

    fn insert(&mut self, call: Kind) -> Option<AnchorId> {
        let (kind, most) = call.place();
        if self.counts[kind] >= most {
            return None;
        }
        self.counts[kind] += 1;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { generation: 0, call: None });
            (self.slots.len() - 1) as u32
        });
        let entry = &mut self.slots[slot as usize];
        entry.generation = entry.generation.wrapping_add(1);
        entry.call = Some(call);
        Some(AnchorId { slot, generation: entry.generation })
    }

    /// The call, if it lives and is bridged, with what it needs to act.
    fn bridged(&mut self, id: AnchorId) -> Option<(&mut Call, exchange::Hands<'_, M>)> {
        let slot = self.slots.get_mut(id.slot as usize).filter(|slot| slot.generation == id.generation)?;
        let hands = exchange::Hands { media: &mut self.media, random: &mut self.random, happened: Vec::new() };
        match slot.call.as_mut()? {
            Kind::Bridged(call) => Some((call, hands)),
            Kind::Observed(_) => None,
        }
    }

    /// The description as the other party is to get it; `None` where it stays as it is.
    pub fn pass(&mut self, id: AnchorId, passing: &Passing<'_>) -> Result<Option<Vec<u8>>, PassError> {
        let slot = self.slots.get_mut(id.slot as usize).filter(|slot| slot.generation == id.generation);
        match slot.and_then(|slot| slot.call.as_mut()).ok_or(PassError::Gone)? {
            Kind::Observed(call) => {
                // What we cannot read is the parties' own affair here.
                let happened = call.pass(passing).unwrap_or_else(|error| {
                    tracing::debug!(%error, "a description is not noted");
                    Vec::new()
                });
                for (index, modality, what) in happened {
                    self.note(Note { anchor: id, index, modality, what });
                }
                Ok(None)
            }
            Kind::Bridged(call) => {
                let mut hands =
                    exchange::Hands { media: &mut self.media, random: &mut self.random, happened: Vec::new() };
                let result = call.pass(passing, &mut hands);
                for (stream, index, modality, what) in hands.happened {
                    self.streams.insert(stream, (id, index, modality));
                    if let Some(what) = what {
                        self.note(Note { anchor: id, index, modality, what });
                    }
                }
                result.map(Some)
            }
        }
    }

    /// A request of this party has its final response, or will get none: an offer in it that was not answered is refused, and
    /// what was agreed before stands.
    pub fn settled(&mut self, id: AnchorId, from: Side, cseq: u32) {
        if let Some((call, mut hands)) = self.bridged(id) {
            call.settled(from, cseq, &mut hands);
        }
    }

    /// The call is over. Its ports are given back.
    pub fn end(&mut self, id: AnchorId) {
        let slot = self.slots.get_mut(id.slot as usize).filter(|slot| slot.generation == id.generation);
        let Some(call) = slot.and_then(|slot| slot.call.take()) else { return };
        self.free.push(id.slot);
        self.counts[call.place().0] -= 1;
        match call {
            Kind::Bridged(call) => call.streams().for_each(|stream| self.media.close(stream)),
            Kind::Observed(call) => {
                for (index, modality) in call.flowing() {
                    self.note(Note { anchor: id, index, modality, what: What::Ended(None) });
                }
            }
        }
    }

    /// What media had to say. The calls that are over by it, because nothing was heard for long, are given back.
    pub fn media_event(&mut self, event: MediaEvent) -> Option<AnchorId> {
        match event {
            MediaEvent::Closed(stream, records) => {
                let (anchor, index, modality) = self.streams.remove(&stream)?;
                self.note(Note { anchor, index, modality, what: What::Ended(Some(records)) });
                self.lost(anchor, stream)
            }
            MediaEvent::Silent { stream, at, until, expected } => {
                let (anchor, ..) = *self.streams.get(&stream)?;
                let (call, _) = self.bridged(anchor)?;
                let is_over = call.silent(stream, at, stream::Silence { until, expected });
                is_over.then(|| self.ended(anchor))
            }
            MediaEvent::Heard(stream) => {
                let (anchor, ..) = *self.streams.get(&stream)?;
                self.bridged(anchor)?.0.heard(stream);
                None
            }
            MediaEvent::Unagreed(stream) => {
                let (anchor, ..) = *self.streams.get(&stream)?;
                self.lost(anchor, stream)
            }
            MediaEvent::Failed(stream, side, why) => {
                tracing::warn!(?stream, ?side, %why, "a browser's media cannot be reached");
                None
            }
            MediaEvent::Connected(..) | MediaEvent::Disconnected(..) | MediaEvent::Key(..) | MediaEvent::Moved(..) => {
                None
            }
        }
    }

    /// A stream of a call is over by itself; so is the call when it was the last.
    fn lost(&mut self, anchor: AnchorId, stream: StreamId) -> Option<AnchorId> {
        let (call, mut hands) = self.bridged(anchor)?;
        call.lost(stream, &mut hands).then(|| self.ended(anchor))
    }

    fn ended(&mut self, anchor: AnchorId) -> AnchorId {
        self.end(anchor);
        anchor
    }

    /// The next thing for the records.
    pub fn poll_note(&mut self) -> Option<Note> {
        self.notes.pop_front()
    }

    /// Calls that live.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether none lives.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn note(&mut self, note: Note) {
        if self.notes.len() < NOTES_MAX {
            self.notes.push_back(note);
        } else {
            self.lost_notes += 1;
        }
    }
}
