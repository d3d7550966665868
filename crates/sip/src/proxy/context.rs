//! The response context of RFC 3261 §16.7: what a forking proxy does with each response.

use super::best::{Answer, challenges, rank, replaced};
use crate::message::Message;
use crate::method::Method;
use smallvec::SmallVec;
use std::collections::VecDeque;

/// Branches one request may have, all groups together; [`ResponseContext::branch`] gives
/// `None` beyond.
pub const MAX_BRANCHES: usize = 60;

/// Bytes of challenges collected from other branches; what exceeds them is left out.
const MAX_CHALLENGES: usize = 8 * 1024;

/// One branch of a context.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct BranchId(u8);

impl BranchId {
    /// Its number, from 0.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// From [`BranchId::index`].
    #[must_use]
    pub fn from_index(index: usize) -> BranchId {
        BranchId(u8::try_from(index).unwrap_or(u8::MAX))
    }
}

/// Why a branch is cancelled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CancelReason {
    /// Another branch answered with a 2xx.
    AnsweredElsewhere,
    /// Another branch refused for all, with this 6xx.
    Refused(u16),
    /// The caller gave up.
    Caller,
    /// It rang too long (timer C).
    TooLong,
}

impl CancelReason {
    /// The Reason line of the CANCEL (RFC 3326), with CRLF; empty when there is nothing to
    /// say. Phones that read it show no missed call for one answered elsewhere.
    #[must_use]
    pub fn line(self) -> &'static [u8] {
        match self {
            CancelReason::AnsweredElsewhere => b"Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n",
            CancelReason::Refused(603) => b"Reason: SIP;cause=603;text=\"Declined elsewhere\"\r\n",
            CancelReason::Refused(_) => b"Reason: SIP;cause=600;text=\"Refused elsewhere\"\r\n",
            CancelReason::Caller => b"",
            CancelReason::TooLong => b"Reason: SIP;cause=408;text=\"Rang too long\"\r\n",
        }
    }
}

/// What to do next, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Forward the response just handed in upstream, our Via removed.
    Forward,
    /// Cancel this branch ([`crate::transaction::Table::cancel`]).
    Cancel(BranchId, CancelReason),
    /// All branches so far failed and more targets were promised: add branches, or say
    /// [`ResponseContext::no_more`].
    TryNext,
    /// Answer the request with this final response.
    Answer(Answer),
    /// Every branch has had its final answer. Keep the context until its client transactions
    /// have ended: a 2xx is repeated until its ACK, and each repetition is forwarded.
    Done,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Branch {
    /// Sent, no final answer yet.
    Pending {
        /// CANCEL was asked for.
        cancelled: Option<CancelReason>,
    },
    /// Has its final answer, or will never get one.
    Over,
}

struct Best {
    rank: u16,
    from: Option<BranchId>,
    answer: Answer,
}

/// One forwarded request and the answers to its branches.
///
/// Open all branches of a group first, then send them: with one open and failed the context
/// would be over. Hand in every response, timeout and failure with its branch; drain
/// [`ResponseContext::poll_output`] after each.
pub struct ResponseContext {
    invite: bool,
    branches: SmallVec<[Branch; 4]>,
    best: Option<Best>,
    challenges: Vec<(BranchId, Vec<u8>)>,
    /// A final answer (any 2xx counts) has gone upstream.
    answered: bool,
    /// No new branches: a 6xx came, or the caller cancelled.
    closed: bool,
    caller_gone: bool,
    more: bool,
    /// `TryNext` was said and not yet answered.
    waiting: bool,
    done: bool,
    effects: VecDeque<Effect>,
}

impl ResponseContext {
    /// A context without branches. Add them, then hand in what happens; with targets kept
    /// back for later say [`ResponseContext::expect_more`] first.
    #[must_use]
    pub fn new(method: Method) -> ResponseContext {
        ResponseContext {
            invite: method == Method::Invite,
            branches: SmallVec::new(),
            best: None,
            challenges: Vec::new(),
            answered: false,
            closed: false,
            caller_gone: false,
            more: false,
            waiting: false,
            done: false,
            effects: VecDeque::new(),
        }
    }

    /// Opens a branch. `None` when no branch may be added any more: the call is answered,
    /// refused for all or cancelled, or there are [`MAX_BRANCHES`].
    pub fn branch(&mut self) -> Option<BranchId> {
        if self.closed || self.answered || self.branches.len() >= MAX_BRANCHES {
            return None;
        }
        self.waiting = false;
        self.branches.push(Branch::Pending { cancelled: None });
        Some(BranchId(self.branches.len() as u8 - 1))
    }

    /// There are targets to try when all branches so far have failed.
    pub fn expect_more(&mut self) {
        self.more = true;
    }

    /// There are none, or none any more: the best answer so far goes out when all branches
    /// are over.
    pub fn no_more(&mut self) {
        self.more = false;
        self.waiting = false;
        self.settle();
    }

    /// A response came on a branch. Provisional ones are forwarded at once, but for 100.
    pub fn response(&mut self, id: BranchId, m: &Message<'_>) {
        let code = m.status();
        match code {
            ..=100 => {}
            101..=199 => {
                // RFC 4320 §4.1: no provisional answer to a non-INVITE but 100.
                if self.invite && !self.answered && self.is_pending(id) {
                    self.effects.push_back(Effect::Forward);
                }
            }
            200..=299 => self.success(id),
            _ => self.failure(id, code, m),
        }
        self.settle();
    }

    /// No final answer came in time (timer B or F, or none to our CANCEL).
    pub fn timeout(&mut self, id: BranchId) {
        if let Some(Branch::Pending { cancelled }) = self.branches.get(id.index()).copied() {
            let code = match cancelled {
                Some(CancelReason::Caller) => 487,
                _ => 408,
            };
            self.over(id);
            // RFC 4320 §4.2: a timeout of a non-INVITE is answered with silence.
            let answer = if self.invite { Answer::Generate(code) } else { Answer::Silence };
            self.offer(rank(code), None, answer);
        }
        self.settle();
    }

    /// Timer C fired (RFC 3261 §16.8): the branch is cancelled and counts as a 408.
    pub fn timer_c(&mut self, id: BranchId) {
        self.cancel_branch(id, CancelReason::TooLong);
    }

    /// The request could not be sent (RFC 3261 §16.9): the branch counts as a 503.
    pub fn transport_error(&mut self, id: BranchId) {
        self.failed(id, 503);
    }

    /// The request is not for this branch to have: it counts as refused with this final status, which is our own word and goes
    /// upstream as it is, 503 included.
    pub fn refused(&mut self, id: BranchId, code: u16) {
        if self.is_pending(id) {
            self.over(id);
            self.offer(rank(code), None, Answer::Generate(code));
        }
        self.settle();
    }

    /// The flow of a registered contact is gone (RFC 5626 §5.3): the branch counts as a 430.
    pub fn flow_failed(&mut self, id: BranchId) {
        self.failed(id, 430);
    }

    /// A CANCEL came for the request (RFC 3261 §16.10).
    pub fn cancel(&mut self) {
        if self.answered || !self.invite {
            return;
        }
        (self.closed, self.caller_gone, self.more, self.waiting) = (true, true, false, false);
        self.cancel_pending(CancelReason::Caller);
        self.settle();
    }

    /// The next effect; `None` when all were given.
    pub fn poll_output(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// True when a final answer has gone upstream.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.answered
    }

    /// Branches without a final answer.
    pub fn pending(&self) -> impl Iterator<Item = BranchId> {
        let pending =
            |(i, branch): (usize, &Branch)| matches!(branch, Branch::Pending { .. }).then_some(BranchId(i as u8));
        self.branches.iter().enumerate().filter_map(pending)
    }

    fn is_pending(&self, id: BranchId) -> bool {
        matches!(self.branches.get(id.index()), Some(Branch::Pending { .. }))
    }

    fn over(&mut self, id: BranchId) {
        if let Some(branch) = self.branches.get_mut(id.index()) {
            *branch = Branch::Over;
        }
    }

    fn success(&mut self, id: BranchId) {
        self.over(id);
        if self.answered && !self.invite {
            return;
        }
        // §16.7 step 5: every 2xx to an INVITE goes upstream, also a second and a late one:
        // each is a dialog that only the caller can end.
        self.effects.push_back(Effect::Forward);
        self.answered = true;
        (self.more, self.waiting) = (false, false);
        (self.best, self.challenges) = (None, Vec::new());
        self.cancel_pending(CancelReason::AnsweredElsewhere);
    }

    fn failure(&mut self, id: BranchId, code: u16, m: &Message<'_>) {
        let Some(Branch::Pending { cancelled }) = self.branches.get(id.index()).copied() else { return };
        self.over(id);
        if self.answered {
            return;
        }
        if code >= 600 {
            // §16.7 step 5: not forwarded at once; the others are cancelled, none added.
            (self.closed, self.more) = (true, false);
            self.cancel_pending(CancelReason::Refused(code));
        }
        if matches!(code, 401 | 407) {
            self.collect(id, m);
        }
        // The 487 that our own timer C provoked stands for a callee who never answered.
        let too_long = code == 487 && cancelled == Some(CancelReason::TooLong);
        let code = if too_long { 408 } else { code };
        let answer = match replaced(code) {
            _ if too_long => Answer::Generate(408),
            Some(other) => Answer::Instead(other),
            None if code == 408 && !self.invite => Answer::Silence,
            None => Answer::Received { code, bytes: [].into(), challenges: Vec::new() },
        };
        if self.offer(rank(code), Some(id), answer)
            && let Some(Best { answer: Answer::Received { bytes, .. }, .. }) = &mut self.best
        {
            *bytes = m.wire().into();
        }
    }

    fn failed(&mut self, id: BranchId, code: u16) {
        if self.is_pending(id) {
            self.over(id);
            self.offer(rank(code), None, Answer::Generate(replaced(code).unwrap_or(code)));
        }
        self.settle();
    }

    /// Takes the answer if it beats the best so far.
    fn offer(&mut self, rank: u16, from: Option<BranchId>, answer: Answer) -> bool {
        // After the caller's CANCEL its own 487 is the answer, unless somebody refused for all.
        let rank = if self.caller_gone && answer.code() == 487 { 100 } else { rank };
        let better = !self.answered && self.best.as_ref().is_none_or(|best| rank < best.rank);
        if better {
            self.best = Some(Best { rank, from, answer });
        }
        better
    }

    fn collect(&mut self, id: BranchId, m: &Message<'_>) {
        let held: usize = self.challenges.iter().map(|(_, lines)| lines.len()).sum();
        let mut lines = Vec::new();
        challenges(m, &mut lines);
        if held + lines.len() <= MAX_CHALLENGES {
            self.challenges.push((id, lines));
        }
    }

    fn cancel_pending(&mut self, reason: CancelReason) {
        for i in 0..self.branches.len() {
            self.cancel_branch(BranchId(i as u8), reason);
        }
    }

    fn cancel_branch(&mut self, id: BranchId, reason: CancelReason) {
        // Only an INVITE can be cancelled (§9.1).
        if !self.invite {
            return;
        }
        if let Some(Branch::Pending { cancelled: cancelled @ None }) = self.branches.get_mut(id.index()) {
            *cancelled = Some(reason);
            self.effects.push_back(Effect::Cancel(id, reason));
        }
    }

    /// Decides when nothing is pending any more.
    fn settle(&mut self) {
        if self.done || self.waiting || self.pending().next().is_some() {
            return;
        }
        if !self.answered {
            if self.more && !self.closed {
                self.waiting = true;
                self.effects.push_back(Effect::TryNext);
                return;
            }
            let answer = self.choose();
            self.answered = true;
            self.effects.push_back(Effect::Answer(answer));
        }
        self.done = true;
        self.effects.push_back(Effect::Done);
    }

    fn choose(&mut self) -> Answer {
        let Some(Best { from, mut answer, .. }) = self.best.take() else {
            // No branch ever: cancelled before the first, or nowhere to go.
            return Answer::Generate(if self.caller_gone { 487 } else { 480 });
        };
        if let Answer::Received { code: 401 | 407, challenges, .. } = &mut answer {
            for (id, lines) in self.challenges.drain(..) {
                if Some(id) != from {
                    challenges.extend_from_slice(&lines);
                }
            }
        }
        answer
    }
}
