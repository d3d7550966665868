//! Any interleaving of inputs leaves no transaction beyond its timers.

use super::*;
use proptest::prelude::*;
use std::collections::HashMap;

#[derive(Clone, Debug)]
enum Op {
    Request { method: usize, branch: u8, reliable: bool, accept: bool },
    Respond { pick: usize, code: u16 },
    Send { method: usize, branch: u8, reliable: bool },
    Response { method: usize, branch: u8, code: u16 },
    Cancel(usize),
    TimerC(usize),
    ClientError(usize),
    ServerError(usize),
    Forget(usize),
    Wait(u64),
}

const METHODS: [&str; 6] = ["INVITE", "ACK", "CANCEL", "OPTIONS", "BYE", "X-NEW"];

fn code() -> impl Strategy<Value = u16> {
    prop::sample::select(vec![100, 180, 183, 200, 202, 302, 401, 404, 408, 486, 487, 503, 603])
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..6_usize, 0..6_u8, any::<bool>(), any::<bool>())
            .prop_map(|(method, branch, reliable, accept)| Op::Request { method, branch, reliable, accept }),
        4 => (0..8_usize, code()).prop_map(|(pick, code)| Op::Respond { pick, code }),
        3 => (0..6_usize, 0..6_u8, any::<bool>())
            .prop_map(|(method, branch, reliable)| Op::Send { method, branch, reliable }),
        4 => (0..6_usize, 0..6_u8, code()).prop_map(|(method, branch, code)| Op::Response { method, branch, code }),
        1 => (0..8_usize).prop_map(Op::Cancel),
        1 => (0..8_usize).prop_map(Op::TimerC),
        1 => (0..8_usize).prop_map(Op::ClientError),
        1 => (0..8_usize).prop_map(Op::ServerError),
        1 => (0..8_usize).prop_map(Op::Forget),
        4 => (0..40_000_u64).prop_map(Op::Wait),
    ]
}

#[derive(Default)]
struct Model {
    servers: Vec<ServerId>,
    clients: Vec<ClientId>,
    live: HashMap<ClientId, u32>,
    ended: HashMap<ClientId, u32>,
}

fn pick<T: Copy>(list: &[T], n: usize) -> Option<T> {
    list.len().checked_sub(1).map(|last| list[last - n.min(last)])
}

fn drain(b: &mut Bench, model: &mut Model) {
    while let Some(output) = b.table.poll_output() {
        if let Output::ClientEnded { id, .. } = output {
            *model.ended.entry(id).or_default() += 1;
        }
    }
}

fn apply(b: &mut Bench, model: &mut Model, op: &Op) {
    let now = b.now;
    match *op {
        Op::Request { method, branch, reliable, accept } => {
            let via = format!("SIP/2.0/UDP p;branch=z9hG4bK{branch}");
            let text = request(METHODS[method], &via, "");
            let incoming = with(&text, |m| b.table.request_arrived(now, m, reliable, &"new"));
            if accept && matches!(incoming, Incoming::New | Incoming::Cancel(_)) {
                model.servers.push(b.accept(&text, reliable));
            }
        }
        Op::Respond { pick: n, code } => {
            if let Some(id) = pick(&model.servers, n) {
                b.respond(id, code);
            }
        }
        Op::Send { method, branch, reliable } => {
            let via = format!("SIP/2.0/UDP p;branch=z9hG4bK{branch}");
            let id = b.send(&request(METHODS[method], &via, ""), reliable);
            *model.live.entry(id).or_default() += 1;
            model.clients.push(id);
        }
        Op::Response { method, branch, code } => {
            let text = format!(
                "SIP/2.0 {code} X\nVia: SIP/2.0/UDP p;branch=z9hG4bK{branch}\nFrom: <sip:a@x>;tag=1\nTo: <sip:b@x>;tag=2\nCall-ID: c\nCSeq: 1 {}\nContent-Length: 0\n\n",
                METHODS[method]
            );
            with(&text, |m| b.table.response_arrived(now, m));
        }
        Op::Cancel(n) => {
            if let Some(id) = pick(&model.clients, n) {
                b.table.cancel(now, id, b"");
            }
        }
        Op::TimerC(n) => {
            if let Some(id) = pick(&model.clients, n) {
                b.table.set_timer_c(now, id, Duration::from_secs(n as u64 * 30));
            }
        }
        Op::ClientError(n) => {
            if let Some(id) = pick(&model.clients, n) {
                b.table.transport_error(now, id);
            }
        }
        Op::ServerError(n) => {
            if let Some(id) = pick(&model.servers, n) {
                b.table.server_transport_error(now, id);
            }
        }
        Op::Forget(n) => {
            if let Some(id) = pick(&model.servers, n) {
                b.table.forget(id);
            }
        }
        Op::Wait(millis) => {
            b.now = b.now + Duration::from_millis(millis);
            b.table.timeout(b.now);
        }
    }
    drain(b, model);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_transaction_outlives_its_timers(ops in prop::collection::vec(op(), 1..80)) {
        let (mut b, mut model) = (Bench::new(), Model::default());
        for op in &ops {
            apply(&mut b, &mut model, op);
        }
        // The longest life without input: an INVITE nobody answers, 15 minutes; then timer C
        // of up to 240 s and the wait for the CANCEL.
        let end = b.now + Duration::from_secs(15 * 60 + 1);
        let mut steps = 0;
        while let Some(next) = b.table.next_timeout() {
            prop_assert!(next <= end + Duration::from_millis(20), "something waits beyond the end");
            b.now = b.now.max(next);
            b.table.timeout(b.now);
            drain(&mut b, &mut model);
            steps += 1;
            prop_assert!(steps < 20_000, "no rest");
        }
        prop_assert_eq!(b.table.counts(), Counts::default());
        // Each client transaction ended exactly as often as it began.
        prop_assert_eq!(model.live, model.ended);
    }
}
