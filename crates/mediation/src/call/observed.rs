//! A call whose media goes directly between the parties: its descriptions are read for the records and left as they are.

use lyceum_media::bridge::Side;
use lyceum_sdp::{Description, agreement};
use lyceum_topology::qos::Modality;

use super::stream::modality;
use super::{Carried, LegFacts, PassError, Passing, What};

/// A medium that flows: what it carries, and its two ends.
type Flowing = (Modality, [LegFacts; 2]);

/// What happened to a medium: its place, what it carries, and the facts.
pub(super) type Happened = (usize, Modality, What);

/// A call that is watched.
#[derive(Default)]
pub(super) struct Observed {
    /// The offer that is not answered yet, and whose it is.
    open: Option<(Side, Description)>,
    /// Who answered last, in answer to which request, and to what.
    last: Option<(Side, u32, Description)>,
    flowing: Vec<Option<Flowing>>,
}

impl Observed {
    pub fn pass(&mut self, passing: &Passing<'_>) -> Result<Vec<Happened>, PassError> {
        let description = Description::parse(passing.body).map_err(PassError::Description)?;
        let from = passing.from;
        let answers = match (&self.open, &self.last) {
            _ if passing.carried == Carried::Request => None,
            (Some((offerer, offer)), _) if *offerer != from => Some(offer.clone()),
            (None, Some((answerer, cseq, offer))) if *answerer == from && *cseq == passing.cseq => Some(offer.clone()),
            _ => None,
        };
        let Some(offer) = answers else {
            self.open = Some((from, description));
            return Ok(Vec::new());
        };
        self.open = None;
        let happened = self.answered(from, &offer, &description);
        self.last = Some((from, passing.cseq, offer));
        Ok(happened)
    }

    /// The media that flow, and end with the call.
    pub fn flowing(&self) -> impl Iterator<Item = (usize, Modality)> + '_ {
        self.flowing.iter().enumerate().filter_map(|(at, flowing)| Some((at, flowing.as_ref()?.0)))
    }

    fn answered(&mut self, answerer: Side, offer: &Description, answer: &Description) -> Vec<Happened> {
        let mut happened = Vec::new();
        let count = offer.media.len().max(self.flowing.len());
        self.flowing.resize_with(count, || None);
        for at in 0..count {
            let now = facts(answerer, offer, answer, at);
            let before = std::mem::replace(&mut self.flowing[at], now.clone());
            match (before, now) {
                (None, Some((modality, legs))) => happened.push((at, modality, What::Started(Box::new(legs)))),
                (Some(before), Some(now)) if before != now => {
                    happened.push((at, now.0, What::Changed(Box::new(now.1))));
                }
                (Some((modality, _)), None) => happened.push((at, modality, What::Ended(None))),
                _ => {}
            }
        }
        happened
    }
}

/// Both ends of a medium, as offer and answer name them.
fn facts(answerer: Side, offer: &Description, answer: &Description, at: usize) -> Option<Flowing> {
    let modality = modality(offer.media.get(at)?)?;
    let seen = |own, other, offered| agreement::of(own, other, offered).into_iter().find(|agreed| agreed.index == at);
    // Each end as the other one sees it.
    let offerer = LegFacts::of(None, &seen(answer, offer, false)?, offer);
    let mut legs = [offerer, LegFacts::of(None, &seen(offer, answer, true)?, answer)];
    if answerer == Side::A {
        legs.swap(0, 1);
    }
    Some((modality, legs))
}
