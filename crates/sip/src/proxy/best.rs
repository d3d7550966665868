//! Which of several final responses goes back (RFC 3261 §16.7 steps 6 and 7).

use crate::limits::Limits;
use crate::message::{Index, Message, parse};
use crate::name::Name;
use crate::splice::Splice;

/// The final answer a response context has chosen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// A response as it was received, our Via still on top, and whole header lines to add:
    /// the challenges of other branches. [`Answer::write`] does both.
    Received {
        /// Its status.
        code: u16,
        /// The message.
        bytes: Box<[u8]>,
        /// Challenges collected from other 401 and 407 answers.
        challenges: Vec<u8>,
    },
    /// Build one with this status from the request: none came, or the branch could not be reached.
    Generate(u16),
    /// Build one with this status in place of the one received, which is not for the caller.
    Instead(u16),
    /// Say nothing: a non-INVITE ran out of time (RFC 4320 §4.2). Forget the transaction.
    Silence,
}

impl Answer {
    /// Its status; 0 for silence.
    #[must_use]
    pub fn code(&self) -> u16 {
        match self {
            Answer::Received { code, .. } | Answer::Generate(code) | Answer::Instead(code) => *code,
            Answer::Silence => 0,
        }
    }

    /// Adds a received answer as it goes upstream to `out`: without our Via, with the
    /// challenges collected. False, and nothing written, for the other kinds.
    pub fn write(&self, index: &mut Index, out: &mut Vec<u8>) -> bool {
        let Answer::Received { bytes, challenges, .. } = self else { return false };
        if parse(bytes, index, &Limits::default()).is_err() {
            return false;
        }
        let mut splice = Splice::new(Message::new(bytes, index));
        splice.remove_first_value(Name::Via);
        for line in challenges.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
            splice.append(line.strip_suffix(b"\r").unwrap_or(line));
        }
        splice.write(out);
        true
    }
}

/// The whole challenge lines of a 401 or 407. Folded ones are unfolded.
pub(super) fn challenges(m: &Message<'_>, out: &mut Vec<u8>) {
    for field in m.fields() {
        if matches!(field.name, Name::WwwAuthenticate | Name::ProxyAuthenticate) {
            out.extend_from_slice(field.name.as_str().as_bytes());
            out.extend_from_slice(b": ");
            out.extend(field.value.iter().map(|&b| if matches!(b, b'\r' | b'\n') { b' ' } else { b }));
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// Preference, the smaller the better: 6xx before all, then by class; within 4xx first what
/// the caller can mend by asking differently (§16.7 step 6), then what a person said, last
/// what merely was not reached.
pub(super) fn rank(code: u16) -> u16 {
    let within = match code {
        401 | 407 => 0,
        415 | 420 | 484 => 1,
        422 | 423 | 488 | 493 | 494 => 2,
        486 => 3,
        // Nobody there, and our own doing: they explain nothing when another branch spoke.
        480 => 6,
        404 => 7,
        487 => 8,
        430 => 9,
        408 => 10,
        400..=499 => 4,
        503 => 1,
        _ => 0,
    };
    let class = match code / 100 {
        6 => 0,
        class => class,
    };
    class * 100 + within
}

/// What may not go upstream as it is: a 503 speaks of one hop only (§16.7 step 6), a 430 is
/// between an edge and its registrar (RFC 5626 §11).
pub(super) fn replaced(code: u16) -> Option<u16> {
    match code {
        503 => Some(500),
        430 => Some(480),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_two() {
        let better = [
            (603, 486),
            (600, 401),
            (302, 404),
            (404, 500),
            (401, 404),
            (407, 486),
            (484, 404),
            (486, 480),
            (486, 408),
            (480, 408),
            (404, 408),
            (487, 408),
            (408, 503),
            (500, 503),
            (488, 486),
        ];
        for (best, other) in better {
            assert!(rank(best) < rank(other), "{best} before {other}");
        }
        assert_eq!(rank(401), rank(407));
    }
}
