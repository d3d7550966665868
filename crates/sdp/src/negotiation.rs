//! Offer and answer (RFC 3264) of one leg, as a machine.
//!
//! | state | input | next | output |
//! |---|---|---|---|
//! | stable | [`Negotiation::offer`] | offer sent | our description |
//! | stable | [`Negotiation::receive_offer`] | offer received | what changes |
//! | offer sent | [`Negotiation::receive_answer`] | stable | the agreed media |
//! | offer sent | [`Negotiation::receive_offer`] | offer sent | refused: 491 |
//! | offer received | [`Negotiation::answer`] | stable | our description |
//! | either offer | [`Negotiation::roll_back`] | stable | what was agreed before stands |

use std::fmt;

use crate::agreement::{self, Agreed};
use crate::attribute::direction::Direction;
use crate::codec::{Codec, Encoding};
use crate::description::Description;
use crate::limits::MAX_MEDIA;
use crate::line::Line;
use crate::media::Media;
use crate::origin::Origin;
use crate::stream::Stream;

/// Why an offer or answer was not taken; the text is for the one who has to mend it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// An offer is under way: 491, try again later.
    Pending,
    /// An answer without an offer.
    NothingOffered,
    /// The number of media: `m=` lines never go away, and an answer has as many as its offer.
    Count {
        /// How many there had to be (at least, in an offer).
        wanted: usize,
        /// How many there were.
        found: usize,
    },
    /// The medium at this place changed its kind or its transport.
    Kind(usize),
    /// The answer names codecs that were not offered at this place, or takes a refused medium up.
    NotOffered(usize),
    /// The answer at this place has no key for one of the offered suites.
    Keys(usize),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pending => f.write_str("another offer is under way; try again when it is answered"),
            Self::NothingOffered => f.write_str("an answer came though nothing is offered"),
            Self::Count { wanted, found } => write!(f, "there are {found} media where {wanted} are needed"),
            Self::Kind(at) => write!(f, "medium {} is of another kind or transport than before", at + 1),
            Self::NotOffered(at) => write!(f, "medium {} is answered with what was not offered", at + 1),
            Self::Keys(at) => write!(f, "medium {} is answered without a key for an offered suite", at + 1),
        }
    }
}

impl std::error::Error for Refusal {}

/// What we say to one offered medium.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Taken, as far as it fits what was offered; refused when nothing does.
    Accept(Box<Stream>),
    /// Refused: port 0.
    Refuse,
}

/// How a new offer of the peer differs from what it said before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// A new medium, or one that comes back.
    Added(usize),
    /// A medium ends.
    Removed(usize),
    /// The direction, seen by the peer: `SendOnly` and `Inactive` are a hold, `SendRecv` its end.
    Direction(usize, Direction),
    /// Media goes elsewhere.
    Address(usize),
    /// Other codecs, numbers or parameters.
    Codecs(usize),
    /// Other keys or another certificate.
    Keys(usize),
    /// ICE begins anew.
    IceRestart(usize),
}

/// What came in with an offer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Received {
    /// The differences; empty when the peer only refreshes its session.
    pub changes: Vec<Change>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum State {
    Stable,
    OfferSent(Description),
    OfferReceived(Description),
}

/// One leg's offers and answers.
#[derive(Clone, Debug)]
pub struct Negotiation {
    origin: Origin,
    state: State,
    local: Option<Description>,
    remote: Option<Description>,
    ours_offered: bool,
}

impl Negotiation {
    /// A leg on which nothing was said; the caller draws the session number of `origin`.
    #[must_use]
    pub fn new(origin: Origin) -> Self {
        Self { origin, state: State::Stable, local: None, remote: None, ours_offered: false }
    }

    /// What we said last, once it was agreed.
    #[must_use]
    pub fn local(&self) -> Option<&Description> {
        self.local.as_ref()
    }

    /// What the peer said last, once it was agreed.
    #[must_use]
    pub fn remote(&self) -> Option<&Description> {
        self.remote.as_ref()
    }

    /// The peer's offer that waits for our answer.
    #[must_use]
    pub fn offered(&self) -> Option<&Description> {
        match &self.state {
            State::OfferReceived(offered) => Some(offered),
            _ => None,
        }
    }

    /// Whether a new offer may be made.
    #[must_use]
    pub fn is_stable(&self) -> bool {
        self.state == State::Stable
    }

    /// The media that both sides took.
    #[must_use]
    pub fn agreed(&self) -> Vec<Agreed> {
        match (&self.local, &self.remote) {
            (Some(local), Some(remote)) => agreement::of(local, remote, self.ours_offered),
            _ => Vec::new(),
        }
    }

    /// Gives codecs the numbers they already have on this leg, and free ones to the rest (RFC 3264 §8.3.2: a number never
    /// changes its meaning). Codecs for which no number is left are dropped.
    #[must_use]
    pub fn numbered(&self, index: usize, codecs: &[Codec]) -> Vec<Codec> {
        let said = [self.offered(), self.local.as_ref(), self.remote.as_ref()];
        let known: Vec<Codec> =
            said.into_iter().flatten().filter_map(|it| it.media.get(index)).flat_map(Media::codecs).collect();
        let mut used: Vec<u8> = Vec::new();
        let mut numbered = Vec::new();
        for codec in codecs {
            let free =
                |number: &u8| !used.contains(number) && known.iter().all(|it| it.payload != *number || it.fits(codec));
            let had = known.iter().find(|it| it.fits(codec) && !used.contains(&it.payload)).map(|it| it.payload);
            let fixed = || Codec::fixed(codec.payload).filter(|it| it.fits(codec)).map(|it| it.payload);
            let own = || Some(codec.payload).filter(|number| (96..128).contains(number));
            let number =
                had.or_else(|| fixed().filter(free)).or_else(|| own().filter(free)).or_else(|| (96..128).find(free));
            if let Some(payload) = number {
                used.push(payload);
                numbered.push(Codec { payload, ..codec.clone() });
            }
        }
        numbered
    }

    /// Makes an offer; `None` for a medium that is removed or stays so. Places never move: fewer than before are
    /// filled up with removed ones.
    pub fn offer(&mut self, streams: &[Option<Stream>]) -> Result<Description, Refusal> {
        if !self.is_stable() {
            return Err(Refusal::Pending);
        }
        let before = self.local.as_ref().map_or(0, |local| local.media.len());
        if streams.len() > MAX_MEDIA {
            return Err(Refusal::Count { wanted: MAX_MEDIA, found: streams.len() });
        }
        let mut offer = Description::new(&self.origin);
        for index in 0..before.max(streams.len()) {
            let old = self.local.as_ref().and_then(|local| local.media.get(index));
            let media = match (streams.get(index).and_then(Option::as_ref), old) {
                (Some(stream), Some(old)) if old.port != 0 && old.kind != stream.kind => {
                    return Err(Refusal::Kind(index));
                }
                (Some(stream), _) => stream.to_media(),
                (None, Some(old)) => Stream::refused(old),
                (None, None) => return Err(Refusal::Count { wanted: index, found: streams.len() }),
            };
            offer.media.push(media);
        }
        bundle(&mut offer, None);
        self.stamp(&mut offer);
        self.state = State::OfferSent(offer.clone());
        Ok(offer)
    }

    /// Takes the peer's answer. A second answer to the same offer (183, then 200) replaces the first.
    pub fn receive_answer(&mut self, answer: Description) -> Result<Vec<Agreed>, Refusal> {
        let offer = match (&self.state, &self.local) {
            (State::OfferSent(offer), _) => offer.clone(),
            (State::Stable, Some(local)) if self.ours_offered => local.clone(),
            _ => return Err(Refusal::NothingOffered),
        };
        answers(&offer, &answer)?;
        (self.local, self.remote, self.ours_offered, self.state) = (Some(offer), Some(answer), true, State::Stable);
        Ok(self.agreed())
    }

    /// Takes the peer's offer and says what is new in it.
    pub fn receive_offer(&mut self, offer: Description) -> Result<Received, Refusal> {
        if !self.is_stable() {
            return Err(Refusal::Pending);
        }
        let mut changes = Vec::new();
        if let Some(before) = &self.remote {
            if offer.media.len() < before.media.len() {
                return Err(Refusal::Count { wanted: before.media.len(), found: offer.media.len() });
            }
            for (index, (old, new)) in before.media.iter().zip(&offer.media).enumerate() {
                if old.port != 0 && new.port != 0 && old.kind != new.kind {
                    return Err(Refusal::Kind(index));
                }
                differences(before, &offer, index, &mut changes);
            }
            let new = (before.media.len()..offer.media.len()).filter(|index| offer.media[*index].port != 0);
            changes.extend(new.map(Change::Added));
        } else {
            changes.extend((0..offer.media.len()).filter(|index| offer.media[*index].port != 0).map(Change::Added));
        }
        self.state = State::OfferReceived(offer);
        Ok(Received { changes })
    }

    /// Answers the peer's offer, one entry for each of its media. What we give is fitted to what was offered: its
    /// transport, its payload types, its direction, its names; a medium for which nothing fits is refused.
    pub fn answer(&mut self, answers: &[Answer]) -> Result<Description, Refusal> {
        let State::OfferReceived(offered) = &self.state else { return Err(Refusal::NothingOffered) };
        let offered = offered.clone();
        if answers.len() != offered.media.len() {
            return Err(Refusal::Count { wanted: offered.media.len(), found: answers.len() });
        }
        let mut description = Description::new(&self.origin);
        for (index, answer) in answers.iter().enumerate() {
            let fitted = match answer {
                Answer::Accept(stream) => fit(stream, &offered, index),
                Answer::Refuse => None,
            };
            description.media.push(fitted.unwrap_or_else(|| Stream::refused(&offered.media[index])));
        }
        bundle(&mut description, Some(&offered));
        self.stamp(&mut description);
        self.local = Some(description.clone());
        (self.remote, self.ours_offered, self.state) = (Some(offered), false, State::Stable);
        Ok(description)
    }

    /// Forgets an offer that was refused or cancelled; what was agreed before stands (RFC 3264 §8).
    pub fn roll_back(&mut self) {
        self.state = State::Stable;
    }

    /// Gives a description the next version when it differs from the last (RFC 3264 §8).
    fn stamp(&mut self, description: &mut Description) {
        if let Some(last) = &self.local {
            if last == description {
                return;
            }
            self.origin.version = self.origin.version.saturating_add(1);
        }
        description.set_origin(&self.origin);
    }
}

/// What differs between two offers of the peer at one place.
fn differences(before: &Description, offer: &Description, index: usize, changes: &mut Vec<Change>) {
    let (old, new) = (&before.media[index], &offer.media[index]);
    match (old.port != 0, new.port != 0) {
        (false, false) => return,
        (false, true) => return changes.push(Change::Added(index)),
        (true, false) => return changes.push(Change::Removed(index)),
        (true, true) => {}
    }
    let direction = offer.direction(index);
    if before.direction(index) != direction {
        changes.push(Change::Direction(index, direction));
    }
    // An old hold names no address; the old one stands until a new one is named.
    let moved = offer.rtp_address(index).is_some_and(|address| before.rtp_address(index) != Some(address));
    if moved {
        changes.push(Change::Address(index));
    }
    if old.codecs() != new.codecs() {
        changes.push(Change::Codecs(index));
    }
    if old.crypto() != new.crypto() || before.fingerprint(index) != offer.fingerprint(index) {
        changes.push(Change::Keys(index));
    }
    let ice = |it: &Description| it.attribute_of(index, "ice-ufrag").map(str::to_owned);
    if ice(offer).is_some() && ice(before) != ice(offer) {
        changes.push(Change::IceRestart(index));
    }
}

/// Whether `answer` is one to `offer`.
fn answers(offer: &Description, answer: &Description) -> Result<(), Refusal> {
    if offer.media.len() != answer.media.len() {
        return Err(Refusal::Count { wanted: offer.media.len(), found: answer.media.len() });
    }
    for (index, (asked, given)) in offer.media.iter().zip(&answer.media).enumerate() {
        if asked.kind != given.kind {
            return Err(Refusal::Kind(index));
        }
        if given.port == 0 {
            continue;
        }
        if asked.port == 0 {
            return Err(Refusal::NotOffered(index));
        }
        // Profiles with and without feedback are mixed up by many; security may not be.
        if asked.protocol != given.protocol && asked.protocol.is_secure() != given.protocol.is_secure() {
            return Err(Refusal::Kind(index));
        }
        let offered = asked.codecs();
        if !offered.is_empty() && !given.codecs().iter().any(|codec| offered.iter().any(|it| it.fits(codec))) {
            return Err(Refusal::NotOffered(index));
        }
        let keyed = |line: &crate::Crypto| asked.crypto().iter().any(|it| it.tag == line.tag && it.suite == line.suite);
        if asked.protocol.is_secure()
            && offer.fingerprint(index).is_none()
            && !given.crypto().first().is_some_and(keyed)
        {
            return Err(Refusal::Keys(index));
        }
    }
    Ok(())
}

/// Our stream cut to what was offered; `None` when nothing of it fits.
fn fit(stream: &Stream, offered: &Description, index: usize) -> Option<Media> {
    let asked = offered.media.get(index)?;
    if asked.port == 0 || asked.kind != stream.kind {
        return None;
    }
    let mut stream = stream.clone();
    let theirs = asked.codecs();
    let renumber = |codec: &Codec| {
        let same = theirs.iter().find(|it| it.fits(codec))?;
        Some(Codec { payload: same.payload, ..codec.clone() })
    };
    stream.codecs = stream.codecs.iter().filter_map(renumber).collect();
    let media_codec = stream.codecs.iter().find(|codec| codec.encoding.is_primary())?;
    let clock = media_codec.clock;
    // Events on a clock that no codec has would stand at wrong times.
    stream
        .codecs
        .retain(|codec| codec.encoding != Encoding::TelephoneEvent || codec.clock == clock || codec.clock == 8000);
    stream.protocol = asked.protocol.clone();
    stream.direction = stream.direction.within(offered.direction(index).reversed());
    stream.rtcp_mux = stream.rtcp_mux && asked.rtcp_mux();
    stream.mid = asked.mid().map(Into::into);
    if !offered.has_ice(index) {
        stream.ice = None;
    }
    secure(&mut stream, offered, index)?;
    Some(stream.to_media())
}

/// Keeps of our keys what answers the offer's; `None` when it demands what we have not.
fn secure(stream: &mut Stream, offered: &Description, index: usize) -> Option<()> {
    let asked = &offered.media[index];
    if offered.fingerprint(index).is_some() {
        stream.crypto.clear();
        let dtls = stream.dtls.as_mut()?;
        dtls.setup = match (offered.setup(index), dtls.setup) {
            // Who began the handshake of a leg that lives stays who did.
            (Some(crate::Setup::ActPass), crate::Setup::Passive) => crate::Setup::Passive,
            (offered, _) => offered.map_or(crate::Setup::Active, crate::Setup::answer),
        };
        return Some(());
    }
    stream.dtls = None;
    let lines = asked.crypto();
    let matching = |own: &crate::Crypto| {
        let line = lines.iter().find(|it| it.suite == own.suite && it.is_usable())?;
        Some(crate::Crypto { tag: line.tag, ..own.clone() })
    };
    let chosen = stream.crypto.iter().find_map(matching);
    stream.crypto = chosen.into_iter().collect();
    (!stream.crypto.is_empty() || !asked.protocol.is_secure()).then_some(())
}

/// Groups the media that share one of our addresses (RFC 9143); an answer only what the offer grouped.
fn bundle(description: &mut Description, offered: Option<&Description>) {
    let allowed = offered.map(Description::bundle);
    let may = |mid: &str| allowed.as_ref().is_none_or(|mids| mids.contains(&mid));
    let taken = |media: &&Media| media.port != 0 && media.mid().is_some_and(may);
    let first = description.media.iter().find(taken).map(|media| (media.port, media.connection()));
    let mids: Vec<String> = description
        .media
        .iter()
        .filter(taken)
        .filter(|media| Some((media.port, media.connection())) == first)
        .filter_map(|media| media.mid().map(Into::into))
        .collect();
    if !mids.is_empty() && (offered.is_some() || mids.len() > 1) {
        description.lines.push(Line::attribute("group", &format!("BUNDLE {}", mids.join(" "))));
    }
}
