use std::time::Duration;

use crate::bench::*;

/// A request of the caller within the dialog that `invite` and its 200 made.
pub fn in_dialog(method: &str, invite: &str, ok: &Sent, cseq: u32) -> String {
    let header =
        |name: &str| invite.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
    let target = ok.value("Contact").trim_start_matches('<').trim_end_matches('>').to_owned();
    let via = header("Via:").replace("z9hG4bK", &format!("z9hG4bK{method}"));
    let mut text = format!("{method} {target} SIP/2.0\nVia: {via}\nMax-Forwards: 70\n");
    for route in ok.values("Record-Route").iter().rev() {
        text.push_str(&format!("Route: {route}\n"));
    }
    text.push_str(&format!(
        "From: {}\nTo: {}\nCall-ID: {}\nCSeq: {cseq} {method}\nContent-Length: 0\n\n",
        header("From:"),
        ok.value("To"),
        header("Call-ID:")
    ));
    text
}

/// A request of the callee, from what it received.
pub fn backwards(method: &str, fork: &Sent, tag: &str, at: std::net::SocketAddr) -> String {
    let target = fork.value("Contact").trim_start_matches('<').trim_end_matches('>').to_owned();
    let mut text =
        format!("{method} {target} SIP/2.0\nVia: SIP/2.0/UDP {at};branch=z9hG4bKback{method}\nMax-Forwards: 70\n");
    for route in fork.values("Record-Route") {
        text.push_str(&format!("Route: {route}\n"));
    }
    text.push_str(&format!(
        "From: {};tag={tag}\nTo: {}\nCall-ID: {}\nCSeq: 1 {method}\nContent-Length: 0\n\n",
        fork.value("To"),
        fork.value("From"),
        fork.value("Call-ID")
    ));
    text
}

fn talking(bench: &mut Bench) -> (String, Sent, Sent) {
    bench.register("ben", phone(2));
    let (invite, sent) = bench.invite("anna", phone(1), "ben", "");
    let fork = sent.iter().find(|sent| sent.first_line().starts_with("INVITE")).expect("a fork").clone();
    let up = bench.receive(phone(2), &reply(&fork, "200 OK", "b", phone(2)));
    let ok = up.into_iter().find(|sent| sent.status() == 200).expect("the 200");
    (invite, fork, ok)
}

#[test]
fn ack_and_bye_of_both_sides_find_their_way_without_credentials() {
    let mut bench = Bench::new();
    let (invite, fork, ok) = talking(&mut bench);
    let ack = bench.receive(phone(1), &in_dialog("ACK", &invite, &ok, 2));
    assert_eq!((ack.len(), ack[0].to), (1, phone(2)));
    assert!(ack[0].values("Route").is_empty());
    let info = bench.receive(phone(2), &backwards("INFO", &fork, "b", phone(2)));
    assert_eq!(
        info.iter().map(|sent| (sent.to, sent.first_line().starts_with("INFO"))).collect::<Vec<_>>(),
        [(phone(1), true)]
    );
    let bye = bench.receive(phone(2), &backwards("BYE", &fork, "b", phone(2)));
    assert_eq!(bye[0].to, phone(1));
}

#[test]
fn the_hash_of_one_dialog_opens_no_other() {
    let mut bench = Bench::new();
    let (invite, fork, ok) = talking(&mut bench);
    let good = in_dialog("BYE", &invite, &ok, 3);
    for (what, forged) in [
        ("another Call-ID", good.replace("Call-ID: c", "Call-ID: other")),
        ("another To tag", good.replace(";tag=b", ";tag=z")),
        ("another From tag", good.replace(";tag=f", ";tag=z")),
        ("the callee's hash in the caller's hand", {
            let callees = fork.value("Record-Route").to_owned();
            let callers = ok.value("Record-Route").to_owned();
            good.replace(&callers, &callees)
        }),
    ] {
        let sent = bench.receive(phone(66), &forged.replace("z9hG4bKBYE", "z9hG4bKforged"));
        assert!(sent.iter().all(|sent| sent.to == phone(66) && sent.status() == 407), "{what}: {sent:?}");
    }
    assert_eq!(bench.receive(phone(1), &good)[0].to, phone(2));
}

#[test]
fn the_hash_outlives_a_restart() {
    let mut bench = Bench::new();
    let (invite, _, ok) = talking(&mut bench);
    let mut again = Bench::new();
    let sent = again.receive(phone(1), &in_dialog("BYE", &invite, &ok, 3));
    assert_eq!(sent.iter().map(|sent| sent.to).collect::<Vec<_>>(), [phone(2)]);
}

#[test]
fn a_phone_behind_nat_is_reached_where_it_is_seen() {
    let mut bench = Bench::new();
    let seen = phone(2);
    let text = bench
        .request("REGISTER", "sip:example.org", "ben", seen, "")
        .replace("Via: SIP/2.0/UDP 198.51.100.2:5060", "Via: SIP/2.0/UDP 10.0.0.5:5062")
        .replace("Contact: <sip:ben@198.51.100.2:5060>", "Contact: <sip:ben@10.0.0.5:5062>");
    assert_eq!(bench.signed("ben", "secret", seen, &text).pop().unwrap().status(), 200);
    let (_, sent) = bench.invite("anna", phone(1), "ben", "");
    let fork = sent.iter().find(|sent| sent.first_line().starts_with("INVITE")).unwrap();
    assert_eq!((fork.to, fork.first_line()), (seen, "INVITE sip:ben@10.0.0.5:5062 SIP/2.0"));
}

#[test]
fn a_phone_that_listens_on_another_port_is_reached_there() {
    let mut bench = Bench::new();
    let text = bench
        .request("REGISTER", "sip:example.org", "ben", phone(2), "")
        .replace("ben@198.51.100.2:5060>\n", "ben@198.51.100.2:7000>\n");
    bench.signed("ben", "secret", phone(2), &text);
    let (_, sent) = bench.invite("anna", phone(1), "ben", "");
    let fork = sent.iter().find(|sent| sent.first_line().starts_with("INVITE")).unwrap();
    assert_eq!(fork.to, std::net::SocketAddr::from(([198, 51, 100, 2], 7000)));
    // Another host than the sender is never aimed at.
    let text = bench
        .request("REGISTER", "sip:example.org", "carl", phone(3), "")
        .replace("carl@198.51.100.3:5060>\n", "carl@203.0.113.9:7000>\n");
    bench.signed("carl", "secret", phone(3), &text);
    let (_, sent) = bench.invite("anna", phone(1), "carl", "");
    assert_eq!(sent.iter().find(|sent| sent.first_line().starts_with("INVITE")).unwrap().to, phone(3));
}

#[test]
fn a_phone_that_came_back_on_another_connection_is_still_reached_in_its_call() {
    let mut bench = Bench::new();
    let sign_in = |bench: &mut Bench, connection| {
        let text = bench.request("REGISTER", "sip:example.org", "ben", phone(2), "").replace("/UDP", "/TCP");
        let asked = bench.receive_stream(connection, phone(2), &text).pop().unwrap();
        let ok = bench.receive_stream(connection, phone(2), &answered(&text, &asked, "ben", "secret"));
        assert_eq!(statuses(&ok), [200]);
    };
    sign_in(&mut bench, 7);
    let (invite, sent) = bench.invite("anna", phone(1), "ben", "");
    let fork = sent.iter().find(|sent| sent.first_line().starts_with("INVITE")).expect("a fork").clone();
    let answer = reply(&fork, "200 OK", "b", phone(2)).replace("sip:x@", "sip:ben@");
    let ok = bench.receive_stream(7, phone(2), &answer).into_iter().find(|sent| sent.status() == 200).unwrap();
    sign_in(&mut bench, 8);
    let bye = in_dialog("BYE", &invite, &ok, 3);
    assert!(bench.receive(phone(1), &bye)[0].first_line().starts_with("BYE"));
    let again = bench.last_send_fails();
    let to: Vec<_> =
        again.iter().filter(|sent| sent.first_line().starts_with("BYE")).map(|sent| sent.to.port()).collect();
    assert_eq!(to, [8], "{again:?}");
}

/// One more header line in a request.
fn with_line(text: &str, line: &str) -> String {
    text.replacen("Max-Forwards", &format!("{line}\nMax-Forwards"), 1)
}

#[test]
fn nobody_sees_credentials_for_our_realm_and_those_for_others_pass() {
    let mut bench = Bench::new();
    let (invite, fork, ok) = talking(&mut bench);
    assert_eq!(fork.value("Proxy-Authorization"), "");
    let ours = |name: &str| {
        format!(
            r#"{name}: Digest username="anna", realm="EXAMPLE.org", nonce="n", uri="sip:x", response="0123456789abcdef0123456789abcdef""#
        )
    };
    let theirs = |name: &str| ours(name).replace("EXAMPLE.org", "gateway.test");
    for method in ["ACK", "INVITE", "BYE"] {
        let mut text = in_dialog(method, &invite, &ok, 3);
        for name in ["Proxy-Authorization", "Authorization"] {
            text = with_line(&with_line(&text, &ours(name)), &theirs(name));
        }
        let sent = bench.receive(phone(1), &text);
        let copy = sent.iter().find(|sent| sent.to == phone(2)).expect("a copy for ben");
        for name in ["Proxy-Authorization", "Authorization"] {
            let want = theirs(name);
            assert_eq!(copy.values(name), [want.split_once(": ").unwrap().1], "{method}");
        }
    }
    let text = bench.request("OPTIONS", "sip:ben@example.org", "anna", phone(1), "");
    let sent = bench.signed("anna", "secret", phone(1), &with_line(&text, &theirs("Proxy-Authorization")));
    let copy = sent.iter().find(|sent| sent.to == phone(2)).expect("a copy for ben");
    assert_eq!(copy.values("Proxy-Authorization").len(), 1, "the first request, too");
}

/// The request again with other values of its first lines that begin so.
fn with(text: &str, changes: &[(&str, &str)]) -> String {
    let mut text = text.to_owned();
    for (name, value) in changes {
        let old = text.lines().find(|line| line.starts_with(name)).expect("a line to change").to_owned();
        text = text.replacen(&old, value, 1);
    }
    text
}

/// What a stranger may be told, and nobody else anything.
fn is_refused(sent: &[Sent], stranger: std::net::SocketAddr) -> bool {
    sent.len() == 1 && sent[0].to == stranger && matches!(sent[0].status(), 403 | 407)
}

#[test]
fn a_token_leads_nowhere_but_along_its_dialog() {
    let mut bench = Bench::new();
    let (invite, fork, ok) = talking(&mut bench);
    bench.receive(phone(1), &in_dialog("ACK", &invite, &ok, 2));
    let bye = bench.receive(phone(1), &in_dialog("BYE", &invite, &ok, 3));
    bench.receive(phone(2), &reply(&bye[0], "200 OK", "b", phone(2)));
    for method in ["INVITE", "MESSAGE", "REFER", "INFO"] {
        for good in [in_dialog(method, &invite, &ok, 9), backwards(method, &fork, "b", phone(2))] {
            let own = good.lines().find(|line| line.starts_with("Route")).unwrap().to_owned();
            for extra in ["<sip:203.0.113.9:5099;lr>", "<sip:elsewhere.test;lr>", "<sip:203.0.113.9:5099>"] {
                for routes in
                    [format!("{own}, {extra}"), format!("{own}\nRoute: {extra}"), format!("Route: {extra}\n{own}")]
                {
                    let sent = bench.receive(phone(66), &with(&good, &[("Route", &routes)]));
                    assert!(is_refused(&sent, phone(66)), "{method} {routes} {sent:?}");
                }
            }
            // A Request-URI of somebody's choosing is nothing to us: the flow of the other end is where it goes.
            let start = format!("{method} sip:+4990099@203.0.113.9:5099 SIP/2.0");
            let aimed = with(&good, &[(method, &start)]).replacen("z9hG4bK", "z9hG4bKaimed", 1);
            let sent = bench.receive(phone(66), &aimed);
            let other = if good.contains("From: <sip:anna") { phone(2) } else { phone(1) };
            assert!(sent.iter().all(|sent| sent.to == other || sent.status() == 100), "{method} {sent:?}");
            assert!(sent.iter().any(|sent| sent.to == other), "{method} {sent:?}");
        }
    }
    assert!(bench.lookups.is_empty());
}

#[test]
fn a_token_lets_nobody_speak_under_another_name() {
    let mut bench = Bench::new();
    let (invite, _, ok) = talking(&mut bench);
    let good = in_dialog("INFO", &invite, &ok, 3);
    let from = good.lines().find(|line| line.starts_with("From")).unwrap().to_owned();
    for other in ["carl@example.org", "anna@elsewhere.test", "ceo@example.org"] {
        let sent = bench.receive(phone(66), &with(&good, &[("From", &from.replace("anna@example.org", other))]));
        assert!(is_refused(&sent, phone(66)), "{other} {sent:?}");
    }
    let other_display = from.replace("From: ", "From: \"Anna B.\" ").replace("sip:anna", "sip:ANNA");
    let sent = bench.receive(phone(1), &with(&good, &[("From", &other_display)]));
    assert_eq!(sent[0].to, phone(2), "the same name, written otherwise");
}

#[test]
fn who_may_no_longer_sign_in_can_end_his_call_and_nothing_else() {
    for removed in [false, true] {
        let mut bench = Bench::new();
        let (invite, fork, ok) = talking(&mut bench);
        let mut users = vec![user(1, "anna"), user(2, "ben"), user(3, "carl")];
        match removed {
            true => drop(users.drain(..2)),
            false => users[..2].iter_mut().for_each(|user| user.enabled = false),
        }
        bench.change_users(users);
        for method in ["INVITE", "MESSAGE", "REFER", "UPDATE"] {
            let there = bench.receive(phone(1), &in_dialog(method, &invite, &ok, 3));
            assert!(is_refused(&there, phone(1)), "{method} {there:?}");
            let back = bench.receive(phone(2), &backwards(method, &fork, "b", phone(2)));
            assert!(is_refused(&back, phone(2)), "{method} {back:?}");
        }
        assert_eq!(bench.receive(phone(1), &in_dialog("ACK", &invite, &ok, 2))[0].to, phone(2));
        assert_eq!(bench.receive(phone(1), &in_dialog("BYE", &invite, &ok, 4))[0].to, phone(2));
    }
}

#[test]
fn a_token_ends_after_a_day_unless_its_call_is_under_way() {
    let mut bench = Bench::new();
    let (invite, _, ok) = talking(&mut bench);
    let mut cseq = 3;
    let mut info = |bench: &mut Bench| {
        cseq += 1;
        let text = in_dialog("INFO", &invite, &ok, cseq).replacen("z9hG4bK", &format!("z9hG4bK{cseq}"), 1);
        bench.receive(phone(1), &text)
    };
    for _ in 0..5 {
        bench.wait(Duration::from_secs(6 * 3600));
        assert_eq!(info(&mut bench)[0].to, phone(2), "the call goes on");
    }
    bench.receive(phone(1), &in_dialog("BYE", &invite, &ok, 100));
    let asked = info(&mut bench);
    assert!(is_refused(&asked, phone(1)), "{asked:?}");
}

#[test]
fn a_user_who_proves_himself_in_an_old_dialog_goes_where_it_goes() {
    let mut bench = Bench::new();
    let (invite, _, ok) = talking(&mut bench);
    bench.wait(Duration::from_secs(25 * 3600));
    let text = in_dialog("INFO", &invite, &ok, 3);
    let sent = bench.receive(phone(1), &text);
    let asked = sent.iter().find(|sent| sent.status() == 407).expect("a challenge");
    let sent = bench.receive(phone(1), &answered(&text, asked, "anna", "secret"));
    assert_eq!(sent[0].to, phone(2), "{sent:?}");
}
