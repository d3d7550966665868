//! What the other end refused.

use super::facts::Facts;
use super::{Explanation, Verdict};
use crate::ladder::{Role, Transaction};
use std::ops::RangeInclusive;

/// What a status of a phone or a next hop means to people.
struct Meaning {
    statuses: RangeInclusive<u16>,
    code: &'static str,
    verdict: Verdict,
    sentence: &'static str,
    hint: &'static str,
}

const fn meaning(
    statuses: RangeInclusive<u16>,
    code: &'static str,
    verdict: Verdict,
    sentence: &'static str,
    hint: &'static str,
) -> Meaning {
    Meaning { statuses, code, verdict, sentence, hint }
}

use Verdict::{Failed, Fine};

/// The first that holds the status counts.
const MEANINGS: &[Meaning] = &[
    meaning(
        300..=399,
        "LYM0211",
        Failed,
        "{peer} says that {callee} is to be called elsewhere ({status} {reason}).",
        "Correct the forwarding there, or call the new address.",
    ),
    meaning(
        400..=400,
        "LYM0212",
        Failed,
        "{peer} did not understand the {method} ({status} {reason}).",
        "Look at what the caller sent; one of the two phones has a fault, or a device between damaged the message.",
    ),
    meaning(
        401..=401,
        "LYM0213",
        Failed,
        "{peer} wants a user name and password of its own.",
        "Give the trunk its credentials, or let the other side accept this server by its address.",
    ),
    meaning(
        407..=407,
        "LYM0213",
        Failed,
        "{peer} wants a user name and password of its own.",
        "Give the trunk its credentials, or let the other side accept this server by its address.",
    ),
    meaning(
        403..=403,
        "LYM0214",
        Failed,
        "{peer} forbids the call ({reason}).",
        "Ask the operator of the other side; with a trunk, look at the caller's number and at what was booked.",
    ),
    meaning(
        404..=404,
        "LYM0215",
        Failed,
        "{peer} does not know {callee}.",
        "Check the number and how it is written on that route; the other side may want it with or without the plus.",
    ),
    meaning(
        604..=604,
        "LYM0215",
        Failed,
        "{peer} does not know {callee}.",
        "Check the number and how it is written on that route.",
    ),
    meaning(410..=410, "LYM0215", Failed, "{peer} says that {callee} is gone for good.", "Correct the number."),
    meaning(
        405..=405,
        "LYM0216",
        Failed,
        "{peer} does not take {method} requests.",
        "The feature is not to be had there; update its firmware or do without.",
    ),
    meaning(
        501..=501,
        "LYM0216",
        Failed,
        "{peer} does not take {method} requests.",
        "The feature is not to be had there; update its firmware or do without.",
    ),
    meaning(
        408..=408,
        "LYM0217",
        Failed,
        "{peer} reports that what lies behind it did not answer in time.",
        "Look at the gateway's or trunk's own log.",
    ),
    meaning(
        504..=504,
        "LYM0217",
        Failed,
        "{peer} reports that what lies behind it did not answer in time.",
        "Look at the gateway's or trunk's own log.",
    ),
    meaning(
        413..=414,
        "LYM0218",
        Failed,
        "The message is too large for {peer}.",
        "Use TCP or TLS towards it, or fewer codecs.",
    ),
    meaning(
        513..=513,
        "LYM0218",
        Failed,
        "The message is too large for {peer}.",
        "Use TCP or TLS towards it, or fewer codecs.",
    ),
    meaning(
        415..=416,
        "LYM0219",
        Failed,
        "{peer} cannot handle the kind of content or address ({status} {reason}).",
        "Compare what the caller sends with what that phone or gateway supports.",
    ),
    meaning(
        420..=421,
        "LYM0220",
        Failed,
        "{peer} and the caller insist on different features ({status} {reason}).",
        "Switch off the feature named in Require or Unsupported.",
    ),
    meaning(
        422..=422,
        "LYM0221",
        Failed,
        "{peer} wants longer session timers than the caller took.",
        "Raise the session timer in the caller's phone.",
    ),
    meaning(
        430..=430,
        "LYM0222",
        Failed,
        "The connection to {peer} is gone.",
        "The phone signs in again by itself; check its network if it happens often.",
    ),
    meaning(
        480..=480,
        "LYM0223",
        Fine,
        "{callee} is not available: the phone {peer} says so ({reason}).",
        "The phone is on do-not-disturb, logged off, or rang out.",
    ),
    meaning(
        481..=481,
        "LYM0224",
        Failed,
        "{peer} does not know the call any more.",
        "One side restarted during the call; hang up and call again.",
    ),
    meaning(
        482..=483,
        "LYM0225",
        Failed,
        "{peer} found the call in a loop ({status} {reason}).",
        "Two systems send it to each other: look at forwardings and static routes on both sides.",
    ),
    meaning(
        484..=484,
        "LYM0226",
        Failed,
        "{peer} says that the number {callee} is incomplete.",
        "Dial the whole number; check the rules that rewrite numbers on that route.",
    ),
    meaning(485..=485, "LYM0227", Failed, "{peer} finds {callee} ambiguous.", "Dial the full address."),
    meaning(486..=486, "LYM0228", Fine, "{callee} is busy (said by {peer}).", ""),
    meaning(600..=600, "LYM0228", Fine, "{callee} is busy everywhere (said by {peer}).", ""),
    meaning(487..=487, "LYM0229", Fine, "The call was given up before {peer} answered.", ""),
    meaning(
        488..=488,
        "LYM0230",
        Failed,
        "{peer} and the caller have no sound or encryption in common ({status} {reason}).",
        "Compare codecs and SRTP settings of both phones: one may demand encryption that the other does not offer.",
    ),
    meaning(
        606..=606,
        "LYM0230",
        Failed,
        "{peer} and the caller have no sound or encryption in common ({status} {reason}).",
        "Compare codecs and SRTP settings of both phones.",
    ),
    meaning(
        491..=491,
        "LYM0231",
        Failed,
        "Both ends changed the call at the same moment ({status} {reason}), and it was not tried again.",
        "Usually the phones try again by themselves; update their firmware if it stays so.",
    ),
    meaning(
        493..=494,
        "LYM0230",
        Failed,
        "{peer} and the caller do not agree on security ({status} {reason}).",
        "Compare the security settings of both phones.",
    ),
    meaning(
        502..=502,
        "LYM0232",
        Failed,
        "{peer} got nonsense from what lies behind it ({status} {reason}).",
        "Look at the gateway's or trunk's own log.",
    ),
    meaning(
        503..=503,
        "LYM0233",
        Failed,
        "{peer} is overloaded or out of service ({reason}).",
        "Wait, or use another next hop; with a trunk, ask whether all its channels are taken.",
    ),
    meaning(
        505..=505,
        "LYM0234",
        Failed,
        "{peer} does not speak this version of SIP.",
        "It may not be a SIP server at all: check the address of the route.",
    ),
    meaning(
        500..=599,
        "LYM0234",
        Failed,
        "{peer} has an error of its own ({status} {reason}).",
        "Look at the log of that system.",
    ),
    meaning(603..=603, "LYM0235", Fine, "{callee} declined the call (at {peer}).", ""),
    meaning(
        607..=608,
        "LYM0235",
        Fine,
        "{callee} does not want this call ({status} {reason}).",
        "The callee, or somebody for the callee, marks the caller as unwanted.",
    ),
    meaning(
        400..=699,
        "LYM0299",
        Failed,
        "{peer} refused the {method} ({status} {reason}).",
        "Look the status up, and at the other side's log.",
    ),
];

fn explained<'a>(facts: &Facts<'a>, at: usize, one: &'a Transaction) -> Option<Explanation> {
    let meaning = MEANINGS.iter().find(|meaning| meaning.statuses.contains(&one.status))?;
    Some(Explanation::new(meaning.code, meaning.verdict, at, facts.fill(meaning.sentence, one), meaning.hint))
}

/// The other end refused the main request.
pub(super) fn refused(facts: &Facts<'_>) -> Option<Explanation> {
    let (main_at, main) = facts.unsuccessful().filter(|(_, main)| main.status >= 300)?;
    // The answer passed back is that of one of the branches (RFC 3261 §16.7); else the best guess is the lowest.
    let (at, one) = match main.role {
        Role::Client => (main_at, main),
        Role::Server => facts
            .legs()
            .filter(|(_, leg)| leg.status >= 300)
            .min_by_key(|(_, leg)| (leg.status != main.status, leg.status))?,
    };
    explained(facts, at, one)
}

/// The call stood, and a request within it was refused.
pub(super) fn in_dialog(facts: &Facts<'_>) -> Option<Explanation> {
    facts.successful()?;
    let refused = |one: &Transaction| one.in_dialog && one.status >= 300 && !matches!(one.status, 401 | 407);
    // A refused change that was tried again with success is no trouble.
    let mended = |at: usize, one: &Transaction| {
        facts
            .all()
            .skip(at + 1)
            .any(|(_, later)| later.method == one.method && later.in_dialog && (200..300).contains(&later.status))
    };
    let (at, one) = facts
        .all()
        .filter(|(at, one)| refused(one) && !mended(*at, one))
        .min_by_key(|(_, one)| one.role == Role::Server)?;
    let mut explanation = explained(facts, at, one)?;
    if one.role == Role::Server {
        explanation.sentence =
            facts.fill("The {method} of {peer} within the call was refused ({status} {reason}).", one);
    }
    explanation.verdict = explanation.verdict.max(Verdict::Notice);
    Some(explanation)
}
