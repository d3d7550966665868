//! Messages that did not arrive, and sound that will not.

use super::facts::{Facts, seconds, times};
use super::{Explanation, Verdict};
use crate::ladder::{Role, Transaction};
use crate::trace::{Direction, TraceEntry};
use std::net::IpAddr;

/// One repeat is bad luck; from two on there is a cause.
const NOT_LUCK: u32 = 2;

/// A party repeats what we have answered: our answers do not reach it.
pub(super) fn answers_unheard(facts: &Facts<'_>) -> Option<Explanation> {
    let (at, one) = facts.all().find(|(_, one)| one.role == Role::Server && one.repeats_after_answer >= NOT_LUCK)?;
    let sentence = format!(
        "{} does not hear our answers: it repeated its {} {} after we had answered.",
        facts.who(one),
        one.method,
        times(one.repeats_after_answer)
    );
    let hint = "Look for a firewall or a NAT that lets packets through in one direction only; let the phone use TCP or TLS, or ask for rport.";
    Some(Explanation::new("LYM0301", Verdict::Failed, at, sentence, hint))
}

/// The call was answered, and the caller never confirmed it.
pub(super) fn ack_missing(facts: &Facts<'_>) -> Option<Explanation> {
    let (at, main) = facts.successful().filter(|(_, main)| main.method == "INVITE" && main.role == Role::Server)?;
    if main.acknowledged || main.answer_repeats < NOT_LUCK {
        return None;
    }
    let sentence = format!(
        "The call was answered, but the confirmation (ACK) of {} never came; the answer was repeated {}.",
        facts.who(main),
        times(main.answer_repeats)
    );
    let hint = "The answer does not reach the caller, or the caller sends its ACK elsewhere: look at Record-Route and Contact in the 200, and at NAT.";
    Some(Explanation::new("LYM0302", Verdict::Failed, at, sentence, hint))
}

/// The caller confirmed, and the callee still repeats its answer.
pub(super) fn ack_unheard(facts: &Facts<'_>) -> Option<Explanation> {
    let unheard = |one: &Transaction| {
        one.method == "INVITE"
            && one.role == Role::Client
            && (200..300).contains(&one.status)
            && one.answer_repeats >= NOT_LUCK
    };
    let (at, one) = facts.all().find(|(_, one)| unheard(one))?;
    let cause = if one.acknowledged {
        "our confirmation (ACK) does not reach it"
    } else {
        "no confirmation (ACK) was sent to it"
    };
    let sentence = format!("{} answered the call and repeats its answer: {cause}.", facts.who(one));
    let hint =
        "Look for a firewall between the server and that phone, and whether the address in its Contact can be reached.";
    Some(Explanation::new("LYM0303", Verdict::Failed, at, sentence, hint))
}

/// Nobody answers or gives up within this time; only a connection that is gone fails so fast.
const AT_ONCE_MS: u64 = 1_000;

/// Somebody hung up, and the other end never answered.
pub(super) fn bye_unanswered(facts: &Facts<'_>) -> Option<Explanation> {
    let (at, one) = facts.all().find(|(_, one)| {
        one.method == "BYE" && one.role == Role::Client && one.status == 0 && one.request_repeats >= NOT_LUCK
    })?;
    let sentence = format!(
        "{} never answered when the other end hung up (BYE sent {}).",
        facts.who(one),
        times(one.request_repeats + 1)
    );
    let hint = "That phone lost power or its network during the call; its own session timer will end the call there.";
    Some(Explanation::new("LYM0304", Verdict::Notice, at, sentence, hint))
}

/// The request was passed on, and not a single answer came back.
pub(super) fn silent(facts: &Facts<'_>) -> Option<Explanation> {
    let (main_at, main) = facts.unsuccessful()?;
    let is_silent = |one: &Transaction| one.role == Role::Client && one.status == 0 && one.provisional == 0;
    let heard = facts.legs().any(|(_, leg)| !is_silent(leg));
    let asks_itself = (main.role == Role::Client).then_some((main_at, main));
    let (at, leg) = facts
        .legs()
        .chain(asks_itself)
        .find(|(_, one)| is_silent(one) && one.request_repeats > 0 || is_silent(one) && main.status >= 300)?;
    if heard {
        return None;
    }
    if let Some(gone) = connection_gone(facts, main, leg) {
        return Some(Explanation::new("LYM0201", Verdict::Failed, at, gone.0, gone.1));
    }
    let waited = facts.ladder.rungs.last().map_or(0, |rung| rung.entry.time.millis_since(leg.began));
    let sentence = if leg.method == "OPTIONS" {
        format!("{} does not answer when asked whether it is alive (OPTIONS, {}).", facts.who(leg), seconds(waited))
    } else {
        format!(
            "Nothing came back from {}: the {} was sent {} within {}.",
            facts.who(leg),
            leg.method,
            times(leg.request_repeats + 1),
            seconds(waited)
        )
    };
    let hint = "The phone or server there is off, has another address by now, or a firewall drops the packets: check that it is on and signed in, and try `lyceum test call`.";
    Some(Explanation::new("LYM0201", Verdict::Failed, at, sentence, hint))
}

/// The request was given up at once: there was no connection any more that it could have left by.
fn connection_gone(facts: &Facts<'_>, main: &Transaction, leg: &Transaction) -> Option<(String, &'static str)> {
    let unknown = facts.ladder.lanes.get(leg.peer)?.address?.ip().is_unspecified();
    let at_once = main.answered.is_some_and(|at| at.millis_since(leg.began) < AT_ONCE_MS);
    if !unknown || !at_once || main.status < 300 || leg.request_repeats > 0 {
        return None;
    }
    let sentence = format!("{} was not reached: the connection by which it had signed in was gone.", facts.who(leg));
    let hint = "That phone or page lost its network, slept or was ended without signing out; it is reached again once it has signed in anew.";
    Some((sentence, hint))
}

/// The call stands, and one end named a private address for its sound.
pub(super) fn private_media(facts: &Facts<'_>) -> Option<Explanation> {
    facts.successful().filter(|(_, main)| main.method == "INVITE")?;
    let found = facts.all().filter(|(_, one)| one.method == "INVITE").find_map(|(at, one)| {
        let media = facts.ladder.entries(one).find_map(hidden_media)?;
        Some((at, one, media))
    });
    let (at, one, media) = found?;
    let sentence = format!(
        "The sound may go one way only: {} wants it sent to {media}, a private address that others cannot reach.",
        facts.who(one)
    );
    let hint = "Switch on ICE or STUN in that phone, or let its media go through a relay.";
    Some(Explanation::new("LYM0306", Verdict::Notice, at, sentence, hint))
}

/// The private media address in a message that came from a public one.
fn hidden_media(entry: &TraceEntry) -> Option<IpAddr> {
    if entry.direction != Direction::Received || is_private(entry.remote.ip()) {
        return None;
    }
    let body = entry.head().body;
    // With ICE the address in the c= line is only one candidate of several (RFC 8445).
    if body.contains("a=candidate:") {
        return None;
    }
    let line = body.lines().find_map(|line| line.strip_prefix("c=IN IP4 ").or(line.strip_prefix("c=IN IP6 ")))?;
    line.trim().parse().ok().filter(|address| is_private(*address))
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// The call stands, and one end asked for sound in one direction.
pub(super) fn one_direction(facts: &Facts<'_>) -> Option<Explanation> {
    let (at, main) = facts.successful().filter(|(_, main)| main.method == "INVITE")?;
    let asked = |head: &crate::head::Head<'_>| {
        ["a=sendonly", "a=recvonly", "a=inactive"].into_iter().find(|line| head.body.contains(line))
    };
    let (side, line) = match (asked(&facts.request(main)), asked(&facts.answer(main))) {
        (Some(line), _) => ("The caller", line),
        (None, Some(line)) => ("The callee", line),
        (None, None) => return None,
    };
    let sentence = format!("{side} asked for sound in one direction only ({line}) when the call began.");
    let hint = "That is right for an announcement or a call on hold; otherwise look at the phone's audio settings.";
    Some(Explanation::new("LYM0307", Verdict::Notice, at, sentence, hint))
}

/// All went well in the end, with repeats on the way.
pub(super) fn loss(facts: &Facts<'_>) -> Option<Explanation> {
    facts.successful()?;
    let (at, one) = facts.all().max_by_key(|(_, one)| one.request_repeats + one.answer_repeats)?;
    let repeats = one.request_repeats + one.answer_repeats;
    if repeats < NOT_LUCK {
        return None;
    }
    let sentence = format!(
        "It worked, but packets are lost on the way to or from {}: its {} had to be repeated {}.",
        facts.who(one),
        one.method,
        times(repeats)
    );
    let hint = "Expect bad sound there: look at that phone's network, above all Wi-Fi and full uplinks.";
    Some(Explanation::new("LYM0305", Verdict::Notice, at, sentence, hint))
}
