//! Messages put together by transaction.

use super::lane::{Lanes, SERVER};
use super::{Ladder, Role, Rung, Transaction};
use crate::explain::Explanation;
use crate::head::Head;
use crate::trace::{Direction, TraceEntry};

pub(super) fn group(mut entries: Vec<TraceEntry>) -> Ladder {
    entries.sort_by_key(|entry| entry.time);
    let mut lanes = Lanes::default();
    let mut transactions: Vec<Transaction> = Vec::new();
    let mut rungs: Vec<Rung> = Vec::with_capacity(entries.len());
    for entry in entries {
        let head = entry.head();
        let peer = lanes.peer(&entry, &head);
        let at = match place(&transactions, &entry, &head, peer) {
            Some(at) => at,
            None => {
                transactions.push(begin(&entry, &head, peer));
                transactions.len() - 1
            }
        };
        let transaction = &mut transactions[at];
        let again = transaction.rungs.iter().any(|&rung| same(&rungs[rung].entry, &entry));
        note(transaction, &entry, &head, again);
        transaction.rungs.push(rungs.len());
        let (from, to) = match entry.direction {
            Direction::Received => (peer, SERVER),
            Direction::Sent => (SERVER, peer),
        };
        rungs.push(Rung { entry, from, to, transaction: at, again });
    }
    Ladder { lanes: lanes.finish(), rungs, transactions, explanation: Explanation::default() }
}

fn role(entry: &TraceEntry, head: &Head<'_>) -> Role {
    match (entry.direction, head.is_request()) {
        (Direction::Received, true) | (Direction::Sent, false) => Role::Server,
        _ => Role::Client,
    }
}

/// The transaction this message belongs to, if it has begun.
fn place(transactions: &[Transaction], entry: &TraceEntry, head: &Head<'_>, peer: usize) -> Option<usize> {
    let role = role(entry, head);
    let fits = |transaction: &&Transaction| transaction.role == role && transaction.peer == peer;
    let by_branch = |method: &str| {
        let is = |other: &Transaction| other.branch == head.branch && other.method == method;
        transactions.iter().rposition(|other| fits(&other) && is(other))
    };
    if head.method != "ACK" {
        return by_branch(head.method);
    }
    // The ACK of a refusal has its INVITE's branch; that of a 2xx has one of its own (RFC 3261 §13.2.2.4).
    by_branch("INVITE").or_else(|| {
        transactions.iter().rposition(|other| fits(&other) && other.method == "INVITE" && other.cseq == head.cseq)
    })
}

fn begin(entry: &TraceEntry, head: &Head<'_>, peer: usize) -> Transaction {
    Transaction {
        method: head.method.to_owned(),
        cseq: head.cseq,
        branch: head.branch.to_owned(),
        role: role(entry, head),
        peer,
        in_dialog: head.is_request() && !head.to_tag.is_empty(),
        rungs: Vec::new(),
        began: entry.time,
        answered: None,
        provisional: 0,
        status: 0,
        request_repeats: 0,
        answer_repeats: 0,
        repeats_after_answer: 0,
        acknowledged: false,
    }
}

fn note(transaction: &mut Transaction, entry: &TraceEntry, head: &Head<'_>, again: bool) {
    match head.status {
        0 if head.method == "ACK" => transaction.acknowledged |= transaction.method == "INVITE",
        0 if again => {
            transaction.request_repeats += 1;
            transaction.repeats_after_answer += u32::from(transaction.status != 0 || transaction.provisional != 0);
        }
        0 => {}
        1..=199 => transaction.provisional = head.status,
        _ if again => transaction.answer_repeats += 1,
        // A forked INVITE may be answered twice; the first 2xx stands.
        status if transaction.status == 0 || status < transaction.status => {
            transaction.status = status;
            transaction.answered = Some(entry.time);
        }
        _ => {}
    }
}

fn same(earlier: &TraceEntry, entry: &TraceEntry) -> bool {
    earlier.direction == entry.direction && earlier.remote == entry.remote && earlier.message == entry.message
}
