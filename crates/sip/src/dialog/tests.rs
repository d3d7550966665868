//! Dialogs from both ends.

use super::*;
use crate::{Index, Limits, parse};

fn with<R>(text: &str, f: impl FnOnce(&Message<'_>) -> R) -> R {
    let text = text.replace('\n', "\r\n");
    let mut index = Index::new();
    parse(text.as_bytes(), &mut index, &Limits::default()).expect("readable");
    f(&Message::new(text.as_bytes(), &index))
}

const INVITE: &str = "INVITE sip:bob@x SIP/2.0\nVia: SIP/2.0/UDP p;branch=z9hG4bKp\nRecord-Route: <sip:p2;lr>, <sip:p1;lr>\n\
    From: \"A\" <sip:alice@x>;tag=a\nTo: <sip:bob@x>\nCall-ID: c\nCSeq: 7 INVITE\nContact: <sip:alice@a>\nContent-Length: 0\n\n";

fn answer(code: u16, to_tag: &str, routes: &str, contact: &str) -> String {
    format!(
        "SIP/2.0 {code} X\nVia: SIP/2.0/UDP p;branch=z9hG4bKp\n{routes}From: \"A\" <sip:alice@x>;tag=a\nTo: <sip:bob@x>{to_tag}\nCall-ID: c\nCSeq: 7 INVITE\n{contact}Content-Length: 0\n\n"
    )
}

fn caller(code: u16) -> Dialog {
    let text = answer(code, ";tag=b", "Record-Route: <sip:p2;lr>, <sip:p1;lr>\n", "Contact: <sip:bob@b>\n");
    with(INVITE, |request| with(&text, |m| Dialog::uac(request, m))).expect("a dialog")
}

fn callee() -> Dialog {
    with(INVITE, |m| Dialog::uas(m, b"b", 180)).expect("a dialog")
}

fn written(dialog: &Dialog, method: Method, cseq: u32) -> String {
    let mut out = Vec::new();
    dialog.request(method, cseq).write(&mut out);
    String::from_utf8(out).expect("text").replace("\r\n", "\n")
}

fn in_dialog(method: &str, cseq: u32, contact: &str) -> String {
    format!(
        "{method} sip:x SIP/2.0\nFrom: <sip:bob@x>;tag=b\nTo: <sip:alice@x>;tag=a\nCall-ID: c\nCSeq: {cseq} {method}\n{contact}Content-Length: 0\n\n"
    )
}

#[test]
fn the_caller_reverses_the_record_route() {
    let mut dialog = caller(200);
    assert_eq!((dialog.role(), dialog.stage()), (Role::Uac, Stage::Confirmed));
    let cseq = dialog.next_cseq();
    assert_eq!(cseq, 8);
    let want = "BYE sip:bob@b SIP/2.0\nMax-Forwards: 70\nRoute: <sip:p1;lr>\nRoute: <sip:p2;lr>\n\
        From: \"A\" <sip:alice@x>;tag=a\nTo: <sip:bob@x>;tag=b\nCall-ID: c\nCSeq: 8 BYE\nContent-Length: 0\n\n";
    assert_eq!(written(&dialog, Method::Bye, cseq), want);
    assert_eq!(dialog.next_hop(), b"sip:p1;lr");
}

#[test]
fn the_callee_keeps_its_order() {
    let mut dialog = callee();
    assert_eq!((dialog.role(), dialog.stage()), (Role::Uas, Stage::Early));
    dialog.confirm();
    assert_eq!(dialog.stage(), Stage::Confirmed);
    let cseq = dialog.next_cseq();
    let want = "BYE sip:alice@a SIP/2.0\nMax-Forwards: 70\nRoute: <sip:p2;lr>\nRoute: <sip:p1;lr>\n\
        From: <sip:bob@x>;tag=b\nTo: \"A\" <sip:alice@x>;tag=a\nCall-ID: c\nCSeq: 1 BYE\nContent-Length: 0\n\n";
    assert_eq!(written(&dialog, Method::Bye, cseq), want);
}

#[test]
fn a_strict_router_takes_the_request_uris_place() {
    let text = answer(200, ";tag=b", "Record-Route: <sip:p2;lr>, <sip:p1>\n", "Contact: <sip:bob@b>\n");
    let dialog = with(INVITE, |request| with(&text, |m| Dialog::uac(request, m))).expect("a dialog");
    let text = written(&dialog, Method::Bye, 8);
    assert!(
        text.starts_with("BYE sip:p1 SIP/2.0\nMax-Forwards: 70\nRoute: <sip:p2;lr>\nRoute: <sip:bob@b>\n"),
        "{text}"
    );
    assert_eq!(dialog.next_hop(), b"sip:p1");
}

#[test]
fn what_makes_no_dialog() {
    let cases = [
        answer(100, ";tag=b", "", "Contact: <sip:bob@b>\n"),
        answer(180, "", "", "Contact: <sip:bob@b>\n"),
        answer(180, ";tag=b", "", ""),
        answer(486, ";tag=b", "", "Contact: <sip:bob@b>\n"),
    ];
    for text in cases {
        assert_eq!(with(INVITE, |request| with(&text, |m| Dialog::uac(request, m))), None, "{text}");
    }
}

#[test]
fn a_2xx_confirms_and_sets_the_routes_anew() {
    let mut dialog = caller(180);
    assert_eq!(dialog.stage(), Stage::Early);
    let ok = answer(200, ";tag=b", "Record-Route: <sip:p9;lr>\n", "Contact: <sip:bob@b2>\n");
    with(&ok, |m| dialog.response_arrived(m));
    assert_eq!(dialog.stage(), Stage::Confirmed);
    assert_eq!(dialog.next_hop(), b"sip:p9;lr");
    assert_eq!(dialog.remote_target(), b"sip:bob@b2");
    // Another branch's answer is another dialog.
    with(&answer(200, ";tag=other", "", "Contact: <sip:eve@e>\n"), |m| dialog.response_arrived(m));
    assert_eq!(dialog.remote_target(), b"sip:bob@b2");
}

#[test]
fn a_refusal_ends_an_early_dialog_only() {
    let mut early = caller(180);
    with(&answer(486, ";tag=b", "", ""), |m| early.response_arrived(m));
    assert_eq!(early.stage(), Stage::Over);
    let mut confirmed = caller(200);
    with(&answer(488, ";tag=b", "", ""), |m| confirmed.response_arrived(m));
    assert_eq!(confirmed.stage(), Stage::Confirmed, "a re-INVITE was refused");
    with(&answer(481, ";tag=b", "", ""), |m| confirmed.response_arrived(m));
    assert_eq!(confirmed.stage(), Stage::Over);
}

#[test]
fn requests_must_come_in_order_and_refresh_the_target() {
    let mut dialog = caller(200);
    let mut arrive =
        |method: &str, cseq, contact: &str| with(&in_dialog(method, cseq, contact), |m| dialog.request_arrived(m));
    assert_eq!(arrive("INVITE", 10, "Contact: <sip:bob@new>\n"), Ok(()));
    assert_eq!(arrive("ACK", 10, ""), Ok(()));
    assert_eq!(arrive("INFO", 9, ""), Err(OutOfDialog::OutOfOrder));
    assert_eq!(arrive("INFO", 50, "Contact: <sip:not@this>\n"), Ok(()));
    assert_eq!(arrive("BYE", 51, ""), Ok(()));
    assert_eq!(arrive("INFO", 52, ""), Err(OutOfDialog::NoSuchDialog));
    assert_eq!(dialog.remote_target(), b"sip:bob@new");
    assert_eq!(OutOfDialog::OutOfOrder.status(), 500);
}

#[test]
fn tags_and_call_id_must_fit() {
    let mut dialog = caller(200);
    for (from, to) in [("tag=b", "tag=x"), ("tag=a", "tag=y")] {
        let text = in_dialog("INFO", 10, "").replace(from, to);
        assert_eq!(with(&text, |m| dialog.request_arrived(m)), Err(OutOfDialog::NoSuchDialog));
    }
    let text = in_dialog("INFO", 10, "").replace("Call-ID: c", "Call-ID: d");
    assert_eq!(with(&text, |m| dialog.request_arrived(m)), Err(OutOfDialog::NoSuchDialog));
}
