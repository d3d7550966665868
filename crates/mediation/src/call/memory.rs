//! What was passed on, for repetitions: a response comes again until its ACK, whatever was agreed since.

use std::collections::VecDeque;

use lyceum_media::bridge::Side;

use super::Carried;

/// Descriptions of a call that are remembered; the oldest is forgotten first.
const REMEMBERED: usize = 8;

/// In which message a description came: who sent it, what kind, and the number of its request.
pub(super) type Place = (Side, Carried, u32);

/// A description that was passed on.
struct Passed {
    place: Place,
    came: Vec<u8>,
    went: Vec<u8>,
    is_answer: bool,
}

/// The descriptions that were passed on last.
#[derive(Default)]
pub(super) struct Memory(VecDeque<Passed>);

impl Memory {
    /// What went on for the same description in the same message.
    pub fn same(&self, place: Place, came: &[u8]) -> Option<&[u8]> {
        self.0.iter().find(|passed| passed.place == place && passed.came == came).map(|passed| passed.went.as_slice())
    }

    /// The answer that stood in that message.
    pub fn answer(&self, place: Place) -> Option<&[u8]> {
        let mut answers = self.0.iter().filter(|passed| passed.is_answer);
        answers.find(|passed| passed.place == place).map(|passed| passed.went.as_slice())
    }

    /// Something was passed on.
    pub fn keep(&mut self, place: Place, is_answer: bool, came: &[u8], went: &[u8]) {
        self.0.truncate(REMEMBERED - 1);
        self.0.push_front(Passed { place, came: came.into(), went: went.into(), is_answer });
    }
}
