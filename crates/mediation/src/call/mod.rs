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
    /// It does not fit what was said before.
    Exchange(lyceum_sdp::Refusal),
    /// There is no medium in it that the other party could take.
    Nothing,
    /// No ports, no sockets.
    Media(MediaError),
}

impl fmt::Display for PassError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => f.write_str("the call is over"),
            Self::Description(error) => write!(f, "line {} of the session description {}", error.line, error.what),
            Self::Exchange(refusal) => write!(f, "{refusal}"),
            Self::Nothing => f.write_str("the two parties have no medium in common that could be bridged"),
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
            lost_notes: 0,
        }
    }

    /// A call between two parties, the caller first. It takes no ports before its first offer passes.
    pub fn begin(&mut self, caller: Party, callee: Party) -> AnchorId {
        let call = Call::new([caller, callee], self.address, &mut self.random);
        self.insert(Kind::Bridged(Box::new(call)))
    }

    /// A call whose media goes directly: its descriptions are read for the notes, and pass as they are.
    pub fn observe(&mut self) -> AnchorId {
        self.insert(Kind::Observed(Box::default()))
    }

    fn insert(&mut self, call: Kind) -> AnchorId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { generation: 0, call: None });
            (self.slots.len() - 1) as u32
        });
        let entry = &mut self.slots[slot as usize];
        entry.generation = entry.generation.wrapping_add(1);
        entry.call = Some(call);
        AnchorId { slot, generation: entry.generation }
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

    /// The call is over. Its ports are given back.
    pub fn end(&mut self, id: AnchorId) {
        let slot = self.slots.get_mut(id.slot as usize).filter(|slot| slot.generation == id.generation);
        let Some(call) = slot.and_then(|slot| slot.call.take()) else { return };
        self.free.push(id.slot);
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
                None
            }
            MediaEvent::Silent(stream) => {
                let (anchor, ..) = *self.streams.get(&stream)?;
                self.end(anchor);
                Some(anchor)
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
