//! Calls that went as people wished or chose, and what is still going on.

use super::facts::{Facts, seconds};
use super::{Explanation, Verdict};
use crate::ladder::{Role, Transaction};
use crate::stamp::Stamp;

/// There is no message.
pub(super) fn nothing(facts: &Facts<'_>) -> Option<Explanation> {
    if facts.main().is_some() {
        return None;
    }
    Some(Explanation {
        code: "LYM0001",
        verdict: Verdict::Notice,
        sentence: "No message of this call was traced.".to_owned(),
        hint: "Start a trace with `lyceum trace start` and repeat the call; old traces are removed after some days (policy call_detail).".to_owned(),
        transaction: None,
    })
}

/// When a branch began to ring.
fn ringing(facts: &Facts<'_>, transaction: &Transaction) -> Option<Stamp> {
    let rings = |status: u16| matches!(status, 180 | 183);
    facts.ladder.entries(transaction).find(|entry| rings(entry.head().status)).map(|entry| entry.time)
}

/// The caller hung up before anybody answered.
pub(super) fn cancelled(facts: &Facts<'_>) -> Option<Explanation> {
    let (at, main) = facts.unsuccessful().filter(|(_, main)| main.method == "INVITE" && main.role == Role::Server)?;
    let (_, cancel) =
        facts.all().find(|(_, one)| one.method == "CANCEL" && one.role == Role::Server && one.peer == main.peer)?;
    let after = match ringing(facts, main) {
        Some(since) => format!("after it had rung for {}", seconds(cancel.began.millis_since(since))),
        None => format!("{} after dialling, before it rang", seconds(cancel.began.millis_since(main.began))),
    };
    let sentence = format!("{} gave up the call to {} {after}.", facts.caller(), facts.callee());
    Some(Explanation::new("LYM0202", Verdict::Fine, at, sentence, ""))
}

/// It rang until the server gave up.
pub(super) fn rang_out(facts: &Facts<'_>) -> Option<Explanation> {
    let (at, main) =
        facts.unsuccessful().filter(|(_, main)| matches!(main.status, 408 | 480) && main.method == "INVITE")?;
    let (_, leg) =
        facts.legs().find(|(_, leg)| ringing(facts, leg).is_some() && matches!(leg.status, 0 | 487 | 408 | 480))?;
    let given_up =
        facts.all().any(|(_, one)| one.method == "CANCEL" && one.role == Role::Client && one.peer == leg.peer);
    let (since, until) = (ringing(facts, leg)?, main.answered?);
    let rang = seconds(until.millis_since(since));
    if !given_up && leg.status == 480 {
        return None;
    }
    let sentence = format!("It rang at {} for {rang} and nobody answered.", facts.who(leg));
    Some(Explanation::new(
        "LYM0203",
        Verdict::Fine,
        at,
        sentence,
        "Nothing is broken; call forwarding or voicemail would take such calls.",
    ))
}

/// Whatever is left: it worked, or it is not over.
pub(super) fn told(facts: &Facts<'_>) -> Option<Explanation> {
    let (at, main) = facts.main()?;
    let sentence = match (&*main.method, main.status) {
        ("INVITE", 0) if main.provisional >= 180 => format!("It rings: {} calls {}.", facts.caller(), facts.callee()),
        (method, 0) => format!("{}'s {method} has no final answer yet.", facts.caller()),
        ("INVITE", 200..300) => call(facts, main),
        ("REGISTER", 200..300) => sign_in(facts, main),
        ("MESSAGE", 200..300) => format!("The message of {} to {} was delivered.", facts.caller(), facts.callee()),
        ("OPTIONS", 200..300) => match main.role {
            Role::Server => format!("{} asked whether the server is alive, and it is.", facts.who(main)),
            Role::Client => format!("{} is alive.", facts.who(main)),
        },
        (method, 200..300) => format!("{}'s {method} was accepted.", facts.caller()),
        (method, status) => format!("{}'s {method} ended with {status}.", facts.caller()),
    };
    let verdict = if main.status >= 300 { Verdict::Failed } else { Verdict::Fine };
    Some(Explanation::new(code(main), verdict, at, sentence, ""))
}

fn code(main: &Transaction) -> &'static str {
    match (&*main.method, main.status) {
        (_, 0) => "LYM0402",
        (_, 200..300) => "LYM0401",
        _ => "LYM0299",
    }
}

fn call(facts: &Facts<'_>, main: &Transaction) -> String {
    let (caller, callee) = (facts.caller(), facts.callee());
    let answered = facts.legs().find(|(_, leg)| (200..300).contains(&leg.status));
    let elsewhere = facts.legs().filter(|(_, leg)| leg.status == 487 || leg.status == 0).count();
    let forked = if elsewhere > 0 { format!(" at one of {} phones", elsewhere + 1) } else { String::new() };
    let bye = facts.all().find(|(_, one)| one.method == "BYE");
    match (bye, main.answered) {
        (Some((_, bye)), Some(since)) => {
            let talked = seconds(bye.began.millis_since(since));
            // The first BYE is the one that came to us; a BYE of our own has no caller before it.
            let by = match bye.role {
                Role::Server => facts.name(bye).to_owned(),
                Role::Client => "the server".to_owned(),
            };
            format!("{caller} and {callee} talked for {talked}{forked}; {by} hung up.")
        }
        _ => {
            let where_ = answered.map(|(_, leg)| format!(" ({})", facts.who(leg))).unwrap_or_default();
            format!("{caller} and {callee} are talking{forked}{where_}.")
        }
    }
}

fn sign_in(facts: &Facts<'_>, main: &Transaction) -> String {
    let request = facts.ladder.entries(main).next();
    let leaves = request.is_some_and(|entry| {
        let text = entry.message.reveal().to_ascii_lowercase();
        text.contains("\nexpires: 0\r") || text.contains(";expires=0")
    });
    if leaves { format!("{} signed out.", facts.who(main)) } else { format!("{} signed in.", facts.who(main)) }
}
