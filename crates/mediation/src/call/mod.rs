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
mod party;
mod stream;

use std::collections::HashMap;
use std::collections::VecDeque;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use lyceum_media::bridge::Side;
use lyceum_media::quality::LegRecord;
use lyceum_sdp::ParseError;
use lyceum_topology::qos::Modality;

use crate::media::{LegKind, Media, MediaError, MediaEvent, StreamId};
use exchange::Call;
pub use party::{Party, Protection};

/// Notes that wait to be fetched; further ones are dropped, and counted.
const NOTES_MAX: usize = 4096;

/// Names a bridged call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct AnchorId {
    slot: u32,
    generation: u32,
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

/// What happened to the media of a call, for records.
#[derive(Clone, Debug)]
pub struct Note {
    /// Of which call.
    pub anchor: AnchorId,
    /// Which of its streams.
    pub stream: StreamId,
    /// What it carries.
    pub modality: Modality,
    /// What happened.
    pub what: What,
}

/// See [`Note`].
#[derive(Clone, Debug)]
pub enum What {
    /// Media begins to flow.
    Started(Box<[LegFacts; 2]>),
    /// Something of it changed.
    Changed(Box<[LegFacts; 2]>),
    /// It is over; how good it was, once media has said so.
    Ended(Box<[LegRecord; 2]>),
}

/// One leg of a stream in numbers and names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LegFacts {
    /// Our address and port, as told to the peer.
    pub local: SocketAddr,
    /// Where the peer says it receives; a browser says it by ICE.
    pub remote: Option<SocketAddr>,
    /// The codec that it is sent.
    pub codec: String,
    /// `plain`, `sdes` or `dtls`.
    pub protection: &'static str,
    /// Its direction, seen by us.
    pub direction: String,
    /// What the peer says it takes, in bits a second.
    pub bandwidth_bps: Option<u64>,
}

struct Slot {
    generation: u32,
    call: Option<Call>,
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
    streams: HashMap<StreamId, (AnchorId, Modality)>,
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
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { generation: 0, call: None });
            (self.slots.len() - 1) as u32
        });
        let entry = &mut self.slots[slot as usize];
        entry.generation = entry.generation.wrapping_add(1);
        entry.call = Some(call);
        AnchorId { slot, generation: entry.generation }
    }

    /// The description as the other party is to get it.
    pub fn pass(&mut self, id: AnchorId, passing: &Passing<'_>) -> Result<Vec<u8>, PassError> {
        let call = take(&mut self.slots, id).ok_or(PassError::Gone)?;
        let mut hands = exchange::Hands { media: &mut self.media, random: &mut self.random, happened: Vec::new() };
        let result = call.pass(passing, &mut hands);
        let happened = hands.happened;
        for (stream, modality, what) in happened {
            self.streams.insert(stream, (id, modality));
            if let Some(what) = what {
                self.note(Note { anchor: id, stream, modality, what });
            }
        }
        result
    }

    /// The call is over. Its ports are given back.
    pub fn end(&mut self, id: AnchorId) {
        if let Some(slot) = self.slots.get_mut(id.slot as usize).filter(|slot| slot.generation == id.generation)
            && let Some(call) = slot.call.take()
        {
            self.free.push(id.slot);
            call.streams().for_each(|stream| self.media.close(stream));
        }
    }

    /// What media had to say. The calls that are over by it, because nothing was heard for long, are given back.
    pub fn media_event(&mut self, event: MediaEvent) -> Option<AnchorId> {
        match event {
            MediaEvent::Closed(stream, records) => {
                let (anchor, modality) = self.streams.remove(&stream)?;
                self.note(Note { anchor, stream, modality, what: What::Ended(records) });
                None
            }
            MediaEvent::Silent(stream) => {
                let (anchor, _) = *self.streams.get(&stream)?;
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

fn take(slots: &mut [Slot], id: AnchorId) -> Option<&mut Call> {
    slots.get_mut(id.slot as usize).filter(|slot| slot.generation == id.generation)?.call.as_mut()
}

/// How a leg of this kind and protection is called in records.
fn protection_name(kind: LegKind, keyed: bool) -> &'static str {
    match (kind, keyed) {
        (LegKind::Web, _) => "dtls",
        (LegKind::Rtp, true) => "sdes",
        (LegKind::Rtp, false) => "plain",
    }
}
