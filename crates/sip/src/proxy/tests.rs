//! Response contexts from the RFC's rules.

use super::*;
use crate::{Index, Limits, Message, Method, parse};

struct Run {
    context: ResponseContext,
    branches: Vec<BranchId>,
}

fn response(code: u16, extra: &str) -> Vec<u8> {
    format!(
        "SIP/2.0 {code} X\r\nVia: SIP/2.0/UDP p;branch=z9hG4bKp, SIP/2.0/UDP a;branch=z9hG4bKa\r\nCSeq: 1 INVITE\r\n{extra}Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

impl Run {
    fn new(method: Method, branches: usize) -> Run {
        let mut context = ResponseContext::new(method);
        let branches = (0..branches).map(|_| context.branch().expect("open")).collect();
        Run { context, branches }
    }

    /// Effects as words.
    fn drain(&mut self) -> String {
        let mut words = Vec::new();
        while let Some(effect) = self.context.poll_output() {
            words.push(match effect {
                Effect::Forward => "forward".to_owned(),
                Effect::Cancel(id, _) => format!("cancel{}", id.index()),
                Effect::TryNext => "next".to_owned(),
                Effect::Answer(Answer::Received { code, .. }) => format!("pass{code}"),
                Effect::Answer(Answer::Generate(code)) => format!("make{code}"),
                Effect::Answer(Answer::Instead(code)) => format!("instead{code}"),
                Effect::Answer(Answer::Silence) => "silence".to_owned(),
                Effect::Done => "done".to_owned(),
            });
        }
        words.join(" ")
    }

    fn receive(&mut self, branch: usize, code: u16) -> String {
        let bytes = response(code, "");
        let mut index = Index::new();
        parse(&bytes, &mut index, &Limits::default()).expect("readable");
        self.context.response(self.branches[branch], &Message::new(&bytes, &index));
        self.drain()
    }

    fn event(&mut self, f: impl FnOnce(&mut ResponseContext, &[BranchId])) -> String {
        f(&mut self.context, &self.branches);
        self.drain()
    }
}

#[test]
fn the_first_2xx_is_forwarded_and_cancels_the_rest() {
    let mut run = Run::new(Method::Invite, 3);
    assert_eq!(run.receive(0, 100), "");
    assert_eq!(run.receive(0, 180), "forward");
    assert_eq!(run.receive(1, 486), "");
    assert_eq!(run.receive(2, 200), "forward cancel0");
    assert_eq!(run.receive(0, 183), "", "no provisional after a final answer");
    assert_eq!(run.receive(0, 487), "done");
}

#[test]
fn a_2xx_that_crosses_our_cancel_is_forwarded_too() {
    let mut run = Run::new(Method::Invite, 2);
    assert_eq!(run.receive(0, 200), "forward cancel1");
    assert_eq!(run.receive(1, 200), "forward done");
    assert_eq!(run.receive(1, 200), "forward", "its repetition as well");
}

#[test]
fn a_6xx_waits_for_the_cancelled_branches() {
    let mut run = Run::new(Method::Invite, 2);
    assert_eq!(run.receive(0, 603), "cancel1");
    assert_eq!(run.context.branch(), None);
    assert_eq!(run.receive(1, 487), "pass603 done");
}

#[test]
fn a_2xx_wins_over_a_6xx_that_came_before() {
    let mut run = Run::new(Method::Invite, 2);
    assert_eq!(run.receive(0, 603), "cancel1");
    assert_eq!(run.receive(1, 200), "forward done");
}

#[test]
fn the_best_failure_goes_out_when_the_last_branch_is_over() {
    let cases: &[(&[u16], &str)] = &[
        (&[404, 486], "pass486 done"),
        (&[486, 302], "pass302 done"),
        (&[503, 500], "pass500 done"),
        (&[503], "instead500 done"),
        (&[430], "instead480 done"),
        (&[480, 408], "pass480 done"),
        (&[407, 486], "pass407 done"),
    ];
    for (codes, want) in cases {
        let mut run = Run::new(Method::Invite, codes.len());
        let last = codes.len() - 1;
        for (i, &code) in codes.iter().enumerate() {
            let got = run.receive(i, code);
            assert_eq!(got, if i == last { *want } else { "" }, "{codes:?}");
        }
    }
}

#[test]
fn a_branch_that_is_refused_here_counts_with_its_own_status() {
    let mut run = Run::new(Method::Invite, 1);
    assert_eq!(run.event(|c, b| c.refused(b[0], 503)), "make503 done");
    let mut run = Run::new(Method::Invite, 2);
    assert_eq!(run.event(|c, b| c.refused(b[0], 488)), "");
    assert_eq!(run.event(|c, b| c.transport_error(b[1])), "make488 done");
}

#[test]
fn timeouts_and_transport_errors_count_as_408_and_503() {
    let mut run = Run::new(Method::Invite, 2);
    assert_eq!(run.event(|c, b| c.transport_error(b[0])), "");
    assert_eq!(run.event(|c, b| c.timeout(b[1])), "make408 done");
    let mut run = Run::new(Method::Invite, 1);
    assert_eq!(run.event(|c, b| c.transport_error(b[0])), "make500 done");
    let mut run = Run::new(Method::Invite, 1);
    assert_eq!(run.event(|c, b| c.flow_failed(b[0])), "make480 done");
}

#[test]
fn a_non_invite_that_times_out_is_answered_with_silence() {
    let mut run = Run::new(Method::Message, 1);
    assert_eq!(run.receive(0, 180), "", "RFC 4320: not even forwarded");
    assert_eq!(run.event(|c, b| c.timeout(b[0])), "silence done");
    let mut run = Run::new(Method::Options, 1);
    assert_eq!(run.receive(0, 408), "silence done");
    let mut run = Run::new(Method::Options, 2);
    assert_eq!(run.event(|c, b| c.timeout(b[0])), "");
    assert_eq!(run.receive(1, 404), "pass404 done");
}

#[test]
fn a_non_invite_forwards_one_2xx() {
    let mut run = Run::new(Method::Message, 2);
    assert_eq!(run.receive(0, 200), "forward");
    assert_eq!(run.receive(1, 200), "done");
}

#[test]
fn the_callers_cancel_reaches_every_branch_and_487_goes_back() {
    let mut run = Run::new(Method::Invite, 2);
    run.receive(0, 180);
    assert_eq!(run.event(|c, _| c.cancel()), "cancel0 cancel1");
    assert_eq!(run.receive(0, 486), "");
    assert_eq!(run.receive(1, 487), "pass487 done");

    let mut run = Run::new(Method::Invite, 1);
    run.event(|c, _| c.cancel());
    assert_eq!(run.event(|c, b| c.timeout(b[0])), "make487 done");

    let mut run = Run::new(Method::Invite, 0);
    assert_eq!(run.event(|c, _| c.cancel()), "make487 done", "cancelled before any branch");
}

#[test]
fn a_2xx_that_crosses_the_callers_cancel_is_forwarded() {
    let mut run = Run::new(Method::Invite, 1);
    run.event(|c, _| c.cancel());
    assert_eq!(run.receive(0, 200), "forward done");
    assert_eq!(run.event(|c, _| c.cancel()), "", "too late");
}

#[test]
fn timer_c_cancels_and_counts_as_408() {
    let mut run = Run::new(Method::Invite, 1);
    run.receive(0, 180);
    assert_eq!(run.event(|c, b| c.timer_c(b[0])), "cancel0");
    assert_eq!(run.event(|c, b| c.timer_c(b[0])), "", "once");
    assert_eq!(run.receive(0, 487), "make408 done");
}

#[test]
fn groups_are_tried_in_turn() {
    let mut run = Run::new(Method::Invite, 1);
    run.context.expect_more();
    assert_eq!(run.receive(0, 486), "next");
    let id = run.context.branch().expect("open");
    run.branches.push(id);
    run.event(|c, _| c.no_more());
    assert_eq!(run.receive(1, 404), "pass486 done");

    let mut run = Run::new(Method::Invite, 1);
    run.context.expect_more();
    assert_eq!(run.receive(0, 486), "next");
    assert_eq!(run.event(|c, _| c.no_more()), "pass486 done");

    let mut run = Run::new(Method::Invite, 1);
    run.context.expect_more();
    assert_eq!(run.receive(0, 603), "pass603 done", "refused for all: no next group");
}

#[test]
fn challenges_of_all_branches_go_back_together() {
    let mut context = ResponseContext::new(Method::Invite);
    let (a, b) = (context.branch().expect("open"), context.branch().expect("open"));
    let mut index = Index::new();
    let cases = [
        (a, 407, "Proxy-Authenticate: Digest realm=\"a\"\r\n"),
        (b, 401, "WWW-Authenticate: Digest realm=\"b\",\r\n nonce=\"n\"\r\n"),
    ];
    for (id, code, extra) in cases {
        let bytes = response(code, extra);
        parse(&bytes, &mut index, &Limits::default()).expect("readable");
        context.response(id, &Message::new(&bytes, &index));
    }
    let Some(Effect::Answer(answer)) = context.poll_output() else { panic!("no answer") };
    let mut out = Vec::new();
    assert!(answer.write(&mut index, &mut out));
    let text = String::from_utf8(out).expect("text");
    assert!(text.starts_with("SIP/2.0 407 X\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKa\r\n"), "{text}");
    assert_eq!(text.matches("realm=\"a\"").count(), 1, "{text}");
    assert_eq!(text.matches("WWW-Authenticate: Digest realm=\"b\"").count(), 1, "{text}");
}

#[test]
fn branches_are_bounded() {
    let mut context = ResponseContext::new(Method::Invite);
    let opened = std::iter::from_fn(|| context.branch()).count();
    assert_eq!(opened, MAX_BRANCHES);
}

mod property {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Op {
        Response(usize, u16),
        Timeout(usize),
        TimerC(usize),
        TransportError(usize),
        FlowFailed(usize),
        Cancel,
        ExpectMore,
        NoMore,
        Branch,
    }

    fn op() -> impl Strategy<Value = Op> {
        let codes = vec![100, 180, 200, 302, 401, 404, 407, 408, 430, 486, 487, 503, 600];
        prop_oneof![
            6 => (0..4_usize, prop::sample::select(codes)).prop_map(|(b, code)| Op::Response(b, code)),
            1 => (0..4_usize).prop_map(Op::Timeout),
            1 => (0..4_usize).prop_map(Op::TimerC),
            1 => (0..4_usize).prop_map(Op::TransportError),
            1 => (0..4_usize).prop_map(Op::FlowFailed),
            1 => Just(Op::Cancel),
            1 => Just(Op::ExpectMore),
            1 => Just(Op::NoMore),
            1 => Just(Op::Branch),
        ]
    }

    fn apply(run: &mut Run, op: &Op) {
        let pick = |n: usize| run.branches[n % run.branches.len()];
        match *op {
            Op::Response(b, code) => {
                let bytes = response(code, "");
                let mut index = Index::new();
                parse(&bytes, &mut index, &Limits::default()).expect("readable");
                run.context.response(pick(b), &Message::new(&bytes, &index));
            }
            Op::Timeout(b) => run.context.timeout(pick(b)),
            Op::TimerC(b) => run.context.timer_c(pick(b)),
            Op::TransportError(b) => run.context.transport_error(pick(b)),
            Op::FlowFailed(b) => run.context.flow_failed(pick(b)),
            Op::Cancel => run.context.cancel(),
            Op::ExpectMore => run.context.expect_more(),
            Op::NoMore => run.context.no_more(),
            Op::Branch => {
                if let Some(id) = run.context.branch() {
                    run.branches.push(id);
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_context_answers_once_and_ends(
            invite in any::<bool>(),
            branches in 1..4_usize,
            ops in prop::collection::vec(op(), 0..40),
        ) {
            let mut run = Run::new(if invite { Method::Invite } else { Method::Message }, branches);
            let mut words = Vec::new();
            for op in &ops {
                apply(&mut run, op);
                words.push(run.drain());
            }
            run.context.no_more();
            let left: Vec<BranchId> = run.context.pending().collect();
            left.into_iter().for_each(|id| run.context.timeout(id));
            words.push(run.drain());
            let words = words.join(" ");
            let count = |what: &str| words.split(' ').filter(|w| w.starts_with(what)).count();
            let answers = count("pass") + count("make") + count("silence");
            prop_assert!(answers <= 1, "{}", words);
            prop_assert!(run.context.is_answered(), "{}", words);
            prop_assert!(count("done") == 1 || run.context.branch().is_none() && count("done") <= 1, "{}", words);
            prop_assert_eq!(run.context.pending().count(), 0);
            // A branch is cancelled at most once, and only an INVITE's.
            for branch in 0..run.branches.len() {
                prop_assert!(count(&format!("cancel{branch}")) <= usize::from(invite), "{}", words);
            }
        }
    }
}
