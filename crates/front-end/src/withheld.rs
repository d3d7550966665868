//! Answers that wait until what they say is durable.
//!
//! An answer is written when its change enters the journal and leaves when the store has committed the block that the
//! change is in. If the store refuses the block, the same answers leave as 503 with Retry-After.

use std::collections::VecDeque;

use lyceum_net::{Destination, Outbox};

use crate::refusal::{DIAGNOSTICS_HEADER, Refusal};

/// Seconds in Retry-After when the store is away.
pub const STORE_RETRY_AFTER: u32 = 10;
/// Emptied batches kept for reuse.
const SPARE: usize = 4;

#[derive(Default)]
struct Batch {
    seq: u64,
    bytes: Vec<u8>,
    answers: Vec<(Destination, u32)>,
}

/// The answers of one worker, by the number of the block they wait for.
#[derive(Default)]
pub struct Withheld {
    waiting: VecDeque<Batch>,
    spare: Vec<Batch>,
    committed: u64,
}

impl Withheld {
    /// Keeps the answer that `write` appends until block `seq` is durable.
    pub fn hold(&mut self, seq: u64, to: Destination, write: impl FnOnce(&mut Vec<u8>)) {
        if self.waiting.back().is_none_or(|batch| batch.seq != seq) {
            let mut batch = self.spare.pop().unwrap_or_default();
            batch.seq = seq;
            self.waiting.push_back(batch);
        }
        if let Some(batch) = self.waiting.back_mut() {
            write(&mut batch.bytes);
            let end = u32::try_from(batch.bytes.len()).unwrap_or(u32::MAX);
            batch.answers.push((to, end));
        }
    }

    /// The highest block that is known to be durable.
    pub fn committed(&self) -> u64 {
        self.committed
    }

    /// Answers that wait.
    pub fn len(&self) -> usize {
        self.waiting.iter().map(|batch| batch.answers.len()).sum()
    }

    /// True when no answer waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Everything up to `upto` is durable: lets the answers go.
    pub fn release(&mut self, upto: u64, out: &mut Outbox) {
        self.committed = self.committed.max(upto);
        while self.waiting.front().is_some_and(|batch| batch.seq <= upto) {
            let Some(batch) = self.waiting.pop_front() else { break };
            for (to, bytes) in batch.iter() {
                out.send(to, 0, |buffer| buffer.extend_from_slice(bytes));
            }
            self.recycle(batch);
        }
    }

    /// The store refused block `from` and all after it: their answers leave as 503.
    pub fn refuse(&mut self, from: u64, out: &mut Outbox) {
        while self.waiting.back().is_some_and(|batch| batch.seq >= from) {
            let Some(batch) = self.waiting.pop_back() else { break };
            for (to, bytes) in batch.iter() {
                out.send(to, 0, |buffer| refusal_of(bytes, buffer));
            }
            self.recycle(batch);
        }
    }

    fn recycle(&mut self, mut batch: Batch) {
        if self.spare.len() < SPARE {
            batch.bytes.clear();
            batch.answers.clear();
            self.spare.push(batch);
        }
    }
}

impl Batch {
    fn iter(&self) -> impl Iterator<Item = (&Destination, &[u8])> {
        let mut start = 0;
        self.answers.iter().map(move |(to, end)| {
            let bytes = self.bytes.get(start..*end as usize).unwrap_or_default();
            start = *end as usize;
            (to, bytes)
        })
    }
}

/// Turns one of our own 200 answers into a 503: same dialog headers, nothing of what it granted.
pub(crate) fn refusal_of(ok: &[u8], out: &mut Vec<u8>) {
    const KEPT: [&[u8]; 5] = [b"Via:", b"From:", b"To:", b"Call-ID:", b"CSeq:"];
    let refusal = Refusal::StoreAway;
    out.extend_from_slice(format!("SIP/2.0 {} {}\r\n", refusal.status(), refusal.reason()).as_bytes());
    for line in ok.split_inclusive(|byte| *byte == b'\n').skip(1) {
        let is_kept = KEPT.iter().any(|name| line.len() > name.len() && line[..name.len()].eq_ignore_ascii_case(name));
        if is_kept {
            out.extend_from_slice(line);
        } else if line == b"\r\n" {
            break;
        }
    }
    let tail = format!(
        "Retry-After: {STORE_RETRY_AFTER}\r\n{DIAGNOSTICS_HEADER}: {}\r\nContent-Length: 0\r\n\r\n",
        refusal.code()
    );
    out.extend_from_slice(tail.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use lyceum_net::{Flow, ListenerId};

    fn to(port: u16) -> Destination {
        Flow::Datagram { listener: ListenerId(0), remote: ([127, 0, 0, 1], port).into() }.into()
    }

    #[test]
    fn answers_leave_in_order_and_only_when_their_block_is_durable() {
        let mut withheld = Withheld::default();
        let mut out = Outbox::new();
        withheld.hold(1, to(1), |buffer| buffer.extend_from_slice(b"one"));
        withheld.hold(1, to(2), |buffer| buffer.extend_from_slice(b"two"));
        withheld.hold(2, to(3), |buffer| buffer.extend_from_slice(b"three"));
        withheld.release(0, &mut out);
        assert!(out.is_empty());
        withheld.release(1, &mut out);
        assert_eq!(out.sent().map(|sent| sent.bytes.to_vec()).collect::<Vec<_>>(), [b"one".to_vec(), b"two".to_vec()]);
        assert_eq!(withheld.len(), 1);
    }

    #[test]
    fn a_refused_block_turns_its_answers_into_503_without_contacts() {
        let mut withheld = Withheld::default();
        let mut out = Outbox::new();
        let ok = b"SIP/2.0 200 OK\r\nVia: v\r\nFrom: f\r\nTo: t\r\nCall-ID: c\r\nCSeq: 1 REGISTER\r\nContact: <sip:x>;expires=60\r\nContent-Length: 0\r\n\r\n";
        withheld.hold(1, to(1), |buffer| buffer.extend_from_slice(ok));
        withheld.refuse(0, &mut out);
        let sent = out.sent().next().map(|sent| String::from_utf8_lossy(sent.bytes).into_owned()).unwrap_or_default();
        assert_eq!(
            sent,
            "SIP/2.0 503 Storage unavailable, try again\r\nVia: v\r\nFrom: f\r\nTo: t\r\nCall-ID: c\r\nCSeq: 1 REGISTER\r\n\
             Retry-After: 10\r\nLyceum-Diagnostics: LYS0011\r\nContent-Length: 0\r\n\r\n"
        );
        assert!(withheld.is_empty());
    }
}
