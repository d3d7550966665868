//! Offer and answer of one call, with both parties.

use std::net::IpAddr;

use lyceum_media::bridge::Side;
use lyceum_sdp::{Agreed, Answer, Change, Description, Negotiation, Origin, Stream};
use lyceum_topology::qos::Modality;

use super::facts::{LegFacts, What};
use super::party::{Party, answered};
use super::stream::{Bridged, modality};
use super::{Carried, PassError, Passing, Random};
use crate::media::{Media, Open, StreamId};

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
    /// Who answered.
    answerer: Side,
    /// In answer to which request.
    cseq: u32,
    /// What the other had offered.
    offer: Description,
}

/// What was passed last of a party, for repetitions.
struct Passed {
    came: Vec<u8>,
    cseq: u32,
    went: Vec<u8>,
}

/// One bridged call.
pub(super) struct Call {
    parties: [Party; 2],
    talks: [Negotiation; 2],
    streams: Vec<Option<Bridged>>,
    facts: Vec<Option<[LegFacts; 2]>>,
    /// Whose offer is not answered yet.
    open: Option<Side>,
    last: Option<Exchange>,
    passed: [Option<Passed>; 2],
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
        Self { parties, talks, streams, facts, open: None, last: None, passed: [None, None] }
    }

    pub fn streams(&self) -> impl Iterator<Item = StreamId> + '_ {
        self.streams.iter().flatten().map(|stream| stream.id)
    }

    pub fn pass<M: Media>(&mut self, passing: &Passing<'_>, hands: &mut Hands<'_, M>) -> Result<Vec<u8>, PassError> {
        let Passing { from, carried, cseq, body } = *passing;
        if carried != Carried::Request
            && let Some(passed) = &self.passed[from as usize]
            && (passed.came.as_slice(), passed.cseq) == (body, cseq)
        {
            return Ok(passed.went.clone());
        }
        let description = Description::parse(body).map_err(PassError::Description)?;
        let again = self.last.as_ref().is_some_and(|last| last.answerer == from && last.cseq == cseq);
        let went = match (carried, self.open) {
            (Carried::Confirmation | Carried::Response, Some(offerer)) if offerer != from => {
                self.answer(from, cseq, description, hands)?
            }
            (Carried::Confirmation | Carried::Response, None) if again => {
                self.answer_again(from, cseq, description, hands)?
            }
            _ => self.offer(from, description, hands)?,
        };
        self.passed[from as usize] = Some(Passed { came: body.to_vec(), cseq, went: went.clone() });
        Ok(went)
    }

    fn offer<M: Media>(
        &mut self,
        from: Side,
        offer: Description,
        hands: &mut Hands<'_, M>,
    ) -> Result<Vec<u8>, PassError> {
        // An offer that was refused leaves no trace but this: the next one takes its place.
        if self.open.take().is_some() {
            self.talks.iter_mut().for_each(Negotiation::roll_back);
        }
        let received = self.talks[from as usize].receive_offer(offer.clone()).map_err(PassError::Exchange)?;
        let written = self.offer_on(from, &offer, &received.changes, hands);
        match &written {
            Ok(_) => self.open = Some(from),
            Err(_) => self.talks.iter_mut().for_each(Negotiation::roll_back),
        }
        written
    }

    fn offer_on<M: Media>(
        &mut self,
        from: Side,
        offer: &Description,
        changes: &[Change],
        hands: &mut Hands<'_, M>,
    ) -> Result<Vec<u8>, PassError> {
        for change in changes {
            match change {
                Change::IceRestart(at) => self.restart(*at, from, hands),
                Change::Removed(at) => self.close(*at, hands),
                _ => {}
            }
        }
        let to = from.other();
        let mut streams: Vec<Option<Stream>> = Vec::with_capacity(offer.media.len());
        for at in 0..offer.media.len() {
            streams.push(self.offered_stream(at, to, offer, hands)?);
        }
        if streams.iter().all(Option::is_none) {
            return Err(PassError::Nothing);
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
        let Some(modality) = modality(medium).filter(|_| medium.port != 0 && medium.protocol.is_rtp()) else {
            self.close(at, hands);
            return Ok(None);
        };
        if !codecs.iter().any(|codec| codec.encoding.is_primary()) {
            self.close(at, hands);
            return Ok(None);
        }
        let codecs = self.talks[to as usize].numbered(at, &codecs);
        if self.streams.len() <= at {
            self.streams.resize_with(at + 1, || None);
            self.facts.resize_with(at + 1, || None);
        }
        if self.streams[at].is_none() {
            let legs = [self.parties[0].kind, self.parties[1].kind];
            let opened = hands.media.open(Open { modality, legs }).map_err(PassError::Media)?;
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
        from: Side,
        cseq: u32,
        answer: Description,
        hands: &mut Hands<'_, M>,
    ) -> Result<Vec<u8>, PassError> {
        self.open = None;
        let written = self.answer_on(from, cseq, answer, hands);
        if written.is_err() {
            self.talks.iter_mut().for_each(Negotiation::roll_back);
        }
        written
    }

    fn answer_on<M: Media>(
        &mut self,
        from: Side,
        cseq: u32,
        answer: Description,
        hands: &mut Hands<'_, M>,
    ) -> Result<Vec<u8>, PassError> {
        let to = from.other();
        let agreed = self.talks[from as usize].receive_answer(answer.clone()).map_err(PassError::Exchange)?;
        let offer = self.talks[to as usize].offered().cloned().ok_or(PassError::Gone)?;
        let mut answers = Vec::with_capacity(offer.media.len());
        for at in 0..offer.media.len() {
            let agreed = agreed.iter().find(|agreed| agreed.index == at);
            answers.push(self.answered_stream(at, to, &offer, (&answer, agreed)));
        }
        let written = self.talks[to as usize].answer(&answers).map_err(PassError::Exchange)?;
        self.last = Some(Exchange { answerer: from, cseq, offer });
        self.tell(from, &agreed, hands);
        Ok(written.to_bytes())
    }

    /// Another answer to the same offer: of the final response after that of a provisional one, or of another device.
    fn answer_again<M: Media>(
        &mut self,
        from: Side,
        cseq: u32,
        answer: Description,
        hands: &mut Hands<'_, M>,
    ) -> Result<Vec<u8>, PassError> {
        let offer = self.last.as_ref().map(|last| last.offer.clone()).ok_or(PassError::Gone)?;
        self.talks[from.other() as usize].receive_offer(offer).map_err(PassError::Exchange)?;
        self.answer(from, cseq, answer, hands)
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
    fn tell<M: Media>(&mut self, answerer: Side, agreed: &[Agreed], hands: &mut Hands<'_, M>) {
        let other = self.talks[answerer.other() as usize].agreed();
        for at in 0..self.streams.len() {
            let of = |list: &[Agreed]| list.iter().find(|agreed| agreed.index == at).cloned();
            match (of(agreed), of(&other)) {
                (Some(near), Some(far)) => {
                    self.agree(at, [(answerer, &near, true), (answerer.other(), &far, false)], hands)
                }
                _ => self.close(at, hands),
            }
        }
    }

    fn agree<M: Media>(&mut self, at: usize, legs: [(Side, &Agreed, bool); 2], hands: &mut Hands<'_, M>) {
        let Some(bridged) = self.streams[at].as_mut() else { return };
        let mut facts: [Option<LegFacts>; 2] = [None, None];
        for (side, agreed, controlling) in legs {
            let Some(remote) = self.talks[side as usize].remote() else { return };
            let party = &self.parties[side as usize];
            let Some(agreement) = bridged.agreement(side, party, agreed, (remote, controlling)) else { return };
            hands.media.agree(bridged.id, side, agreement);
            facts[side as usize] = Some(LegFacts::of(Some(bridged.locals[side as usize].rtp), agreed, remote));
        }
        let [Some(a), Some(b)] = facts else { return };
        let facts = [a, b];
        if self.facts[at].as_ref() == Some(&facts) {
            return;
        }
        let what = match std::mem::replace(&mut bridged.flows, true) {
            false => What::Started(Box::new(facts.clone())),
            true => What::Changed(Box::new(facts.clone())),
        };
        hands.happened.push((bridged.id, at, bridged.modality, Some(what)));
        self.facts[at] = Some(facts);
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
}
