//! Offer and answer of one call, with both parties.

use std::net::IpAddr;

use lyceum_media::Time;
use lyceum_media::bridge::Side;
use lyceum_sdp::{Agreed, Answer, Change, Description, Media as Medium, Negotiation, Origin, Stream};
use lyceum_topology::qos::Modality;

use super::facts::{LegFacts, What};
use super::memory::{Memory, Place};
use super::party::{Party, answered};
use super::stream::{Bridged, Silence, modality};
use super::{Carried, PassError, Passing, Random};
use crate::media::{self, Media, StreamId};

/// What a call needs of the world.
pub(super) struct Hands<'a, M> {
    pub media: &'a mut M,
    pub random: &'a mut Random,
    /// Streams that began or changed.
    pub happened: Vec<Happened>,
}

/// A stream, the place of its `m=` line, what it carries, and what happened to it; nothing when it was opened.
pub(super) type Happened = (StreamId, usize, Modality, Option<What>);

/// An offer with its answer.
struct Exchange {
    /// In which message the answer came.
    place: Place,
    /// What the other had offered.
    offer: Description,
}

/// An offer that is not answered yet. Until it is, what was agreed before stands (RFC 3264 §8).
struct Open {
    place: Place,
    came: Vec<u8>,
    went: Vec<u8>,
    /// Streams that were opened for it.
    opened: Vec<usize>,
    /// Media whose ICE begins anew with the answer.
    restarts: Vec<usize>,
}

impl Open {
    fn offerer(&self) -> Side {
        self.place.0
    }

    /// Does a description in that message answer it? One in a response answers the request, one in ACK or PRACK a response.
    fn is_answered_by(&self, (from, carried, cseq): Place) -> bool {
        let (offerer, offered, number) = self.place;
        offerer != from
            && match carried {
                Carried::Request => false,
                Carried::Response => offered != Carried::Response && number == cseq,
                Carried::Confirmation => offered == Carried::Response,
            }
    }
}

/// One bridged call.
pub(super) struct Call {
    parties: [Party; 2],
    talks: [Negotiation; 2],
    streams: Vec<Option<Bridged>>,
    facts: Vec<Option<[LegFacts; 2]>>,
    open: Option<Open>,
    last: Option<Exchange>,
    memory: Memory,
}

impl Call {
    pub fn new(parties: [Party; 2], address: IpAddr, random: &mut Random) -> Self {
        let mut talk = || {
            let mut session = [0; 8];
            random(&mut session);
            Negotiation::new(Origin::new(u64::from_be_bytes(session), address))
        };
        let talks = [talk(), talk()];
        let (streams, facts) = (Vec::new(), Vec::new());
        Self { parties, talks, streams, facts, open: None, last: None, memory: Memory::default() }
    }

    pub fn streams(&self) -> impl Iterator<Item = StreamId> + '_ {
        self.streams.iter().flatten().map(|stream| stream.id)
    }

    pub fn pass<M: Media>(&mut self, passing: &Passing<'_>, hands: &mut Hands<'_, M>) -> Result<Vec<u8>, PassError> {
        let Passing { from, carried, cseq, body } = *passing;
        let place = (from, carried, cseq);
        if let Some(open) = self.open.as_ref().filter(|open| open.place == place && open.came == body) {
            return Ok(open.went.clone());
        }
        if carried == Carried::Request {
            return self.offer(place, body, hands);
        }
        if let Some(went) = self.memory.same(place, body) {
            return Ok(went.to_vec());
        }
        let again = self.open.is_none() && self.last.as_ref().is_some_and(|last| last.place == place);
        let went = match self.memory.answer(place) {
            _ if self.open.as_ref().is_some_and(|open| open.is_answered_by(place)) => {
                self.answer(place, parsed(body)?, hands)?
            }
            _ if again => self.answer_again(place, parsed(body)?, hands)?,
            // More was agreed since: what the first answer said has passed, and this is none.
            Some(went) => return Ok(went.to_vec()),
            None => {
                let went = self.offer(place, body, hands)?;
                self.memory.keep(place, false, body, &went);
                return Ok(went);
            }
        };
        self.memory.keep(place, true, body, &went);
        Ok(went)
    }

    /// A request of this party has its final response. If it carried an offer and nothing answered it, it was refused.
    pub fn settled<M: Media>(&mut self, from: Side, cseq: u32, hands: &mut Hands<'_, M>) {
        let is_it = |open: &Open| {
            let (offerer, carried, number) = open.place;
            offerer == from && number == cseq && carried != Carried::Response
        };
        if self.open.as_ref().is_some_and(is_it) {
            self.roll_back(hands);
        }
    }

    /// The open offer is none any more: what was opened for it is closed, all else stays as it was.
    fn roll_back<M: Media>(&mut self, hands: &mut Hands<'_, M>) {
        self.talks.iter_mut().for_each(Negotiation::roll_back);
        for at in self.open.take().map(|open| open.opened).unwrap_or_default() {
            self.close(at, hands);
        }
    }

    fn offer<M: Media>(&mut self, place: Place, body: &[u8], hands: &mut Hands<'_, M>) -> Result<Vec<u8>, PassError> {
        let offer = parsed(body)?;
        let from = place.0;
        match &self.open {
            // Its request is under way: this one comes too early (RFC 3261 §14.2, RFC 3311 §5.2).
            Some(open) if open.offerer() != from && open.place.1 != Carried::Response => {
                return Err(PassError::Pending);
            }
            // An offer that was refused leaves no trace but this: the next one takes its place.
            Some(_) => self.roll_back(hands),
            None => {}
        }
        let received = self.talks[from as usize].receive_offer(offer.clone()).map_err(PassError::Exchange)?;
        let restart = |change: &Change| match change {
            Change::IceRestart(at) => Some(*at),
            _ => None,
        };
        let restarts = received.changes.iter().filter_map(restart).collect();
        self.open = Some(Open { place, came: body.into(), went: Vec::new(), opened: Vec::new(), restarts });
        let written = self.offer_on(from, &offer, hands);
        match &written {
            Ok(went) => self.open.iter_mut().for_each(|open| open.went.clone_from(went)),
            Err(_) => self.roll_back(hands),
        }
        written
    }

    fn offer_on<M: Media>(
        &mut self,
        from: Side,
        offer: &Description,
        hands: &mut Hands<'_, M>,
    ) -> Result<Vec<u8>, PassError> {
        let to = from.other();
        let mut streams: Vec<Option<Stream>> = Vec::with_capacity(offer.media.len());
        for at in 0..offer.media.len() {
            streams.push(self.offered_stream(at, to, offer, hands)?);
        }
        if streams.iter().all(Option::is_none) {
            return Err(match offer.media.iter().any(is_bridgeable) {
                true => PassError::NoCodec,
                false => PassError::NoMedium,
            });
        }
        // What was never there and is not wanted now still keeps its place: the answer has as many lines as the offer.
        let talk = &mut self.talks[to as usize];
        let before = talk.local().map_or(0, |local| local.media.len());
        let gaps: Vec<usize> = (before..streams.len()).filter(|at| streams[*at].is_none()).collect();
        for at in &gaps {
            let mut stream = Stream::audio(std::net::SocketAddr::new(self.address(), 0), offer.media[*at].codecs());
            stream.kind = offer.media[*at].kind.clone();
            stream.protocol = offer.media[*at].protocol.clone();
            streams[*at] = Some(stream);
        }
        let mut written = self.talks[to as usize].offer(&streams).map_err(PassError::Exchange)?;
        for at in gaps {
            written.media[at] = Stream::refused(&offer.media[at]);
        }
        Ok(written.to_bytes())
    }

    fn address(&self) -> IpAddr {
        let local = self.streams.iter().flatten().next().map(|stream| stream.locals[0].rtp.ip());
        local.unwrap_or(IpAddr::from([0, 0, 0, 0]))
    }

    /// The stream at a place of an offer as the other party is offered it; `None` when it gets none.
    fn offered_stream<M: Media>(
        &mut self,
        at: usize,
        to: Side,
        offer: &Description,
        hands: &mut Hands<'_, M>,
    ) -> Result<Option<Stream>, PassError> {
        let medium = &offer.media[at];
        let party = self.parties[to as usize];
        let codecs = party.codecs(&medium.kind, &medium.codecs());
        // A stream that is not wanted any more lives until that is agreed.
        let Some(modality) = modality(medium).filter(|_| is_bridgeable(medium)) else { return Ok(None) };
        if !codecs.iter().any(|codec| codec.encoding.is_primary()) {
            return Ok(None);
        }
        let codecs = self.talks[to as usize].numbered(at, &codecs);
        if self.streams.len() <= at {
            self.streams.resize_with(at + 1, || None);
            self.facts.resize_with(at + 1, || None);
        }
        if self.streams[at].is_none() {
            let legs = [self.parties[0].kind, self.parties[1].kind];
            let opened = hands.media.open(media::Open { modality, legs }).map_err(PassError::Media)?;
            self.open.iter_mut().for_each(|open| open.opened.push(at));
            hands.happened.push((opened.id, at, modality, None));
            self.streams[at] = Some(Bridged::new(opened, modality, hands.random));
        }
        let direction = offer.direction(at);
        let Some(bridged) = self.streams[at].as_ref() else { return Ok(None) };
        let mut stream = bridged.offered(to, &party, medium, codecs, direction);
        // A browser knows its medium by the name that it gave it itself.
        let talk = &self.talks[to as usize];
        let named = [talk.remote(), talk.local()].into_iter().flatten().find_map(|it| it.media.get(at)?.mid());
        stream.mid = stream.dtls.is_some().then(|| named.map_or_else(|| at.to_string(), str::to_owned));
        Ok(Some(stream))
    }

    fn answer<M: Media>(
        &mut self,
        place: Place,
        answer: Description,
        hands: &mut Hands<'_, M>,
    ) -> Result<Vec<u8>, PassError> {
        let agreed = match self.talks[place.0 as usize].receive_answer(answer.clone()) {
            Ok(agreed) => agreed,
            Err(refusal) => {
                // A wrong answer leaves an open offer open: the right one may follow. One that is answered stays so.
                if self.open.is_none() {
                    self.talks.iter_mut().for_each(Negotiation::roll_back);
                }
                return Err(PassError::Exchange(refusal));
            }
        };
        let restarts = self.open.take().map(|open| open.restarts).unwrap_or_default();
        let written = self.answer_on(place, (&answer, &agreed), &restarts, hands);
        if written.is_err() {
            self.talks.iter_mut().for_each(Negotiation::roll_back);
        }
        written
    }

    fn answer_on<M: Media>(
        &mut self,
        place: Place,
        (answer, agreed): (&Description, &[Agreed]),
        restarts: &[usize],
        hands: &mut Hands<'_, M>,
    ) -> Result<Vec<u8>, PassError> {
        let (from, to) = (place.0, place.0.other());
        let offer = self.talks[to as usize].offered().cloned().ok_or(PassError::Gone)?;
        for at in restarts {
            self.restart(*at, to, hands);
        }
        let mut answers = Vec::with_capacity(offer.media.len());
        for at in 0..offer.media.len() {
            let agreed = agreed.iter().find(|agreed| agreed.index == at);
            answers.push(self.answered_stream(at, to, &offer, (answer, agreed)));
        }
        let written = self.talks[to as usize].answer(&answers).map_err(PassError::Exchange)?;
        self.last = Some(Exchange { place, offer });
        self.tell(from, agreed, hands)?;
        Ok(written.to_bytes())
    }

    /// Another answer to the same offer: of the final response after that of a provisional one, or of another device.
    fn answer_again<M: Media>(
        &mut self,
        place: Place,
        answer: Description,
        hands: &mut Hands<'_, M>,
    ) -> Result<Vec<u8>, PassError> {
        let offer = self.last.as_ref().map(|last| last.offer.clone()).ok_or(PassError::Gone)?;
        self.talks[place.0.other() as usize].receive_offer(offer).map_err(PassError::Exchange)?;
        self.answer(place, answer, hands)
    }

    fn answered_stream(&self, at: usize, to: Side, offer: &Description, of: (&Description, Option<&Agreed>)) -> Answer {
        let medium = &offer.media[at];
        let (Some(bridged), Some(agreed)) = (self.streams.get(at).and_then(Option::as_ref), of.1) else {
            return Answer::Refuse;
        };
        match answered(&medium.kind, &medium.codecs(), &agreed.send) {
            Some(codecs) => {
                let direction = of.0.direction(at);
                let party = &self.parties[to as usize];
                Answer::Accept(Box::new(bridged.described(to, party, medium, codecs, direction)))
            }
            None => Answer::Refuse,
        }
    }

    /// Media hears of what both parties agreed on; what only one did is closed.
    fn tell<M: Media>(&mut self, answerer: Side, agreed: &[Agreed], hands: &mut Hands<'_, M>) -> Result<(), PassError> {
        let other = self.talks[answerer.other() as usize].agreed();
        for at in 0..self.streams.len() {
            let of = |list: &[Agreed]| list.iter().find(|agreed| agreed.index == at).cloned();
            match (of(agreed), of(&other)) {
                (Some(near), Some(far)) => {
                    self.agree(at, [(answerer, &near, true), (answerer.other(), &far, false)], hands)?;
                }
                _ => self.close(at, hands),
            }
        }
        Ok(())
    }

    fn agree<M: Media>(
        &mut self,
        at: usize,
        legs: [(Side, &Agreed, bool); 2],
        hands: &mut Hands<'_, M>,
    ) -> Result<(), PassError> {
        let Some(bridged) = self.streams[at].as_mut() else { return Ok(()) };
        let mut facts: [Option<LegFacts>; 2] = [None, None];
        for (side, agreed, controlling) in legs {
            let Some(remote) = self.talks[side as usize].remote() else { return Ok(()) };
            let party = &self.parties[side as usize];
            let Some(agreement) = bridged.agreement(side, party, agreed, (remote, controlling)) else { return Ok(()) };
            hands.media.agree(bridged.id, side, agreement).map_err(PassError::Media)?;
            facts[side as usize] = Some(LegFacts::of(Some(bridged.locals[side as usize].rtp), agreed, remote));
        }
        bridged.silent = None;
        let [Some(a), Some(b)] = facts else { return Ok(()) };
        let facts = [a, b];
        if self.facts[at].as_ref() == Some(&facts) {
            return Ok(());
        }
        let what = match std::mem::replace(&mut bridged.flows, true) {
            false => What::Started(Box::new(facts.clone())),
            true => What::Changed(Box::new(facts.clone())),
        };
        hands.happened.push((bridged.id, at, bridged.modality, Some(what)));
        self.facts[at] = Some(facts);
        Ok(())
    }

    fn restart<M: Media>(&mut self, at: usize, side: Side, hands: &mut Hands<'_, M>) {
        if let Some(bridged) = self.streams.get_mut(at).and_then(Option::as_mut)
            && let Some(web) = hands.media.restart_ice(bridged.id, side)
        {
            bridged.locals[side as usize].web = Some(web);
        }
    }

    fn close<M: Media>(&mut self, at: usize, hands: &mut Hands<'_, M>) {
        if let Some(bridged) = self.streams.get_mut(at).and_then(Option::take) {
            hands.media.close(bridged.id);
            self.facts[at] = None;
        }
    }

    fn of(&mut self, stream: StreamId) -> Option<&mut Bridged> {
        self.streams.iter_mut().flatten().find(|bridged| bridged.id == stream)
    }

    /// Nothing is heard of a stream. True when the call is over by it: nothing is heard of any that flows, and of one of
    /// them something should be.
    pub fn silent(&mut self, stream: StreamId, at: Time, silence: Silence) -> bool {
        if let Some(bridged) = self.of(stream) {
            bridged.silent = Some(silence);
        }
        let flowing = || self.streams.iter().flatten().filter(|bridged| bridged.flows);
        flowing().all(|bridged| bridged.silent.is_some_and(|silence| silence.until >= at))
            && flowing().any(|bridged| bridged.silent.is_some_and(|silence| silence.expected))
    }

    /// Something is heard again of a stream.
    pub fn heard(&mut self, stream: StreamId) {
        if let Some(bridged) = self.of(stream) {
            bridged.silent = None;
        }
    }

    /// A stream is over by itself. True when the call has none left.
    pub fn lost<M: Media>(&mut self, stream: StreamId, hands: &mut Hands<'_, M>) -> bool {
        let at = self.streams.iter().position(|at| at.as_ref().is_some_and(|bridged| bridged.id == stream));
        let Some(at) = at else { return false };
        self.close(at, hands);
        self.streams().next().is_none()
    }
}

fn parsed(body: &[u8]) -> Result<Description, PassError> {
    Description::parse(body).map_err(PassError::Description)
}

/// Is the medium of a kind that is bridged, and wanted?
fn is_bridgeable(medium: &Medium) -> bool {
    modality(medium).is_some() && medium.port != 0 && medium.protocol.is_rtp()
}
