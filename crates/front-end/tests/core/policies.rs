use std::time::Duration;

use lyceum_net::Outbox;

use crate::bench::*;

#[test]
fn session_intervals_below_the_policy_are_422() {
    let mut bench = Bench::new();
    bench.register("ben", phone(2));
    let text =
        bench.request("INVITE", "sip:ben@example.org", "anna", phone(1), "Supported: timer\nSession-Expires: 30\n");
    let refused = bench.signed("anna", "secret", phone(1), &text).pop().unwrap();
    assert_eq!((refused.status(), refused.value("Min-SE")), (422, "90"));
    // A caller that does not know 422 gets the interval raised instead.
    let text = bench.request("INVITE", "sip:ben@example.org", "anna", phone(1), "Session-Expires: 30\n");
    let sent = bench.signed("anna", "secret", phone(1), &text);
    let copy = sent.iter().find(|sent| sent.first_line().starts_with("INVITE")).expect("a copy");
    assert_eq!((copy.value("Session-Expires"), copy.value("Min-SE")), ("90", "90"));
}

#[test]
fn call_policies_are_obeyed() {
    let mut bench = Bench::with(
        |document| document.policies.calls.global.allow_outgoing = Some(false),
        vec![user(1, "anna"), user(2, "ben")],
    );
    let text = bench.request("INVITE", "sip:ben@example.org", "anna", phone(1), "");
    assert_eq!(bench.signed("anna", "secret", phone(1), &text).pop().unwrap().value("Lyceum-Diagnostics"), "LYS0036");

    let mut bench = Bench::with(
        |document| document.policies.calls.global.max_calls = Some(1),
        vec![user(1, "anna"), user(2, "ben")],
    );
    bench.register("ben", phone(2));
    bench.invite("anna", phone(1), "ben", "");
    let text = bench.request("INVITE", "sip:ben@example.org", "anna", phone(1), "");
    assert_eq!(bench.signed("anna", "secret", phone(1), &text).pop().unwrap().value("Lyceum-Diagnostics"), "LYS0037");
    bench.wait(Duration::from_secs(40));
    bench.register("ben", phone(2));
    let (_, sent) = bench.invite("anna", phone(1), "ben", "");
    assert!(sent.iter().any(|sent| sent.first_line().starts_with("INVITE")), "the first call is over");
}

#[test]
fn a_disabled_user_is_unknown_to_callers_and_cannot_sign_in() {
    let mut gone = user(2, "ben");
    gone.enabled = false;
    let mut bench = Bench::with(|_| {}, vec![user(1, "anna"), gone]);
    assert_eq!(bench.register("ben", phone(2)).value("Lyceum-Diagnostics"), "LYS0025");
    let (_, sent) = bench.invite("anna", phone(1), "ben", "");
    assert!(statuses(&sent).contains(&404));
}

#[test]
fn overload_refuses_new_work_with_retry_after_and_ends_by_itself() {
    let mut bench = Bench::new();
    for _ in 0..20 {
        bench.wait(Duration::from_millis(60));
        bench.settle(Outbox::new(), Duration::from_millis(500));
    }
    let mut refused = 0;
    for _ in 0..50 {
        let text = bench.request("REGISTER", "sip:example.org", "anna", phone(1), "");
        let sent = bench.receive(phone(1), &text);
        if statuses(&sent) == [503] {
            let seconds: u64 = sent[0].value("Retry-After").parse().expect("seconds");
            assert!((5..35).contains(&seconds));
            refused += 1;
        }
    }
    assert!(refused > 25, "{refused}");
    for _ in 0..60 {
        bench.wait(Duration::from_millis(60));
        bench.settle(Outbox::new(), Duration::ZERO);
    }
    assert_eq!(bench.register("anna", phone(1)).status(), 200);
}

#[test]
fn sha_256_is_asked_of_those_who_know_it_and_md5_of_the_rest() {
    let mut bench = Bench::new();
    for (agent, algorithms) in [("baresip v1.0.0", vec!["MD5"]), ("Linphone/5.1", vec!["SHA-256", "MD5"])] {
        let text = bench.request("REGISTER", "sip:example.org", "anna", phone(1), &format!("User-Agent: {agent}\n"));
        let asked = bench.receive(phone(1), &text).pop().unwrap();
        let offered: Vec<_> = asked
            .values("WWW-Authenticate")
            .iter()
            .map(|value| {
                value.split("algorithm=").nth(1).unwrap_or_default().split(',').next().unwrap_or_default().to_owned()
            })
            .collect();
        assert_eq!(offered, algorithms, "{agent}");
    }
}

/// Anna, at most one call, calls ben and is never heard of again; gives what her next call hears after so long.
fn call_after(lost: Duration, registered: bool, ok_lines: &str) -> Vec<u16> {
    let mut bench = Bench::with(
        |document| document.policies.calls.global.max_calls = Some(1),
        vec![user(1, "anna"), user(2, "ben")],
    );
    bench.register("ben", phone(2));
    if registered {
        bench.register("anna", phone(1));
    }
    let (_, sent) = bench.invite("anna", phone(1), "ben", "");
    let fork = sent.iter().find(|sent| sent.first_line().starts_with("INVITE")).expect("a fork").clone();
    bench.receive(phone(2), &reply(&fork, "200 OK", "b", phone(2)).replace("Contact", &format!("{ok_lines}Contact")));
    let step = Duration::from_secs(300);
    let mut waited = Duration::ZERO;
    while waited < lost {
        bench.wait(step);
        waited += step;
        if registered {
            bench.register("anna", phone(1));
        }
    }
    bench.register("ben", phone(2));
    statuses(&bench.invite("anna", phone(1), "ben", "").1)
}

#[test]
fn calls_that_lost_their_bye_lock_nobody_out() {
    let minutes = |count: u64| Duration::from_secs(count * 60);
    let is_refused = |statuses: Vec<u16>| statuses.contains(&403);
    assert!(is_refused(call_after(minutes(25), false, "")), "she may still be talking");
    assert!(!is_refused(call_after(minutes(35), false, "")), "she is gone, and so is what she called by");
    assert!(is_refused(call_after(minutes(60), true, "")), "her phone is there");
    assert!(!is_refused(call_after(minutes(60), true, "Session-Expires: 1800;refresher=uac\n")), "no refresh came");
    assert!(!is_refused(call_after(minutes(13 * 60), true, "")), "not for ever, whatever happens");
}
