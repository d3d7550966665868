//! The server's own refusals.

use super::facts::Facts;
use super::{Explanation, Verdict};
use crate::ladder::Role;

/// What the server says of its refusal in `Lyceum-Diagnostics`, in words.
struct Refusal {
    code: &'static str,
    sentence: &'static str,
    hint: &'static str,
}

const fn refusal(code: &'static str, sentence: &'static str, hint: &'static str) -> Refusal {
    Refusal { code, sentence, hint }
}

const REFUSALS: &[Refusal] = &[
    refusal(
        "LYS0001",
        "{peer} gave a wrong user name or password for {account}.",
        "Check user name and password in the phone; set a new password with `lyceum user set`.",
    ),
    refusal(
        "LYS0002",
        "{peer} is locked out of {account} after too many wrong passwords.",
        "Correct the password in the phone and wait until the lock ends (policy lockout).",
    ),
    refusal(
        "LYS0003",
        "Sign-ins as {account} are slowed, because too many sources tried wrong passwords.",
        "Find out who tries; the user's own phones still get in.",
    ),
    refusal(
        "LYS0004",
        "{peer} is locked out entirely after too many wrong passwords.",
        "If it is an office of yours, correct the phones there or raise source_failures (policy lockout).",
    ),
    refusal(
        "LYS0005",
        "{peer} signed in as {account}, and called under another name.",
        "Set the phone's From address (\"user name\", \"display address\") to the account it signs in with.",
    ),
    refusal(
        "LYS0006",
        "{peer} signed in as {account}, and tried to register another address.",
        "Set address and authentication name in the phone to the same account.",
    ),
    refusal(
        "LYS0007",
        "{peer} wants to be signed in for a shorter time than is allowed, and did not take the longer one offered.",
        "Raise the registration interval in the phone, or lower min_expires (policy registrar).",
    ),
    refusal(
        "LYS0008",
        "{account} is signed in at as many endpoints as the policy allows.",
        "Sign out an old phone (`lyceum registration get`), or raise max_endpoints (policy registrar).",
    ),
    refusal(
        "LYS0009",
        "{peer} sent its registrations out of order.",
        "Restart the phone; if two devices share one Call-ID, one of them is broken.",
    ),
    refusal(
        "LYS0010",
        "The contact addresses {peer} wants to register cannot be used.",
        "Look at the Contact fields in its REGISTER.",
    ),
    refusal(
        "LYS0011",
        "The server could not store the registration of {peer}: its storage is away.",
        "Look at the disk and at `lyceum doctor`; phones try again by themselves.",
    ),
    refusal(
        "LYS0012",
        "The server is overloaded and asked {peer} to come back later.",
        "Look at the load; if it stays so, add a node or lower the calls per second.",
    ),
    refusal(
        "LYS0013",
        "{caller} asked for a domain that is not ours, and the server is no open relay.",
        "Correct the number or address; to allow it, add the domain or a static route.",
    ),
    refusal(
        "LYS0014",
        "There is no user, number or route for {callee}.",
        "Check the spelling; `lyceum user get` shows whom there is.",
    ),
    refusal(
        "LYS0015",
        "{callee} is not signed in at any phone.",
        "Check that the phone is on and signed in: `lyceum registration get`.",
    ),
    refusal(
        "LYS0016",
        "The call to {callee} went over too many hops.",
        "Two systems send it to each other: look at forwardings and static routes on both sides.",
    ),
    refusal(
        "LYS0017",
        "The call to {callee} came back to the server in a loop.",
        "Look at forwardings and static routes that send it back here.",
    ),
    refusal(
        "LYS0018",
        "{peer} insists on a feature that is not supported.",
        "Switch the feature off in the phone; its Require field names it.",
    ),
    refusal(
        "LYS0019",
        "{caller} dialled an address of a kind that is not supported.",
        "Dial a sip:, sips: or tel: address.",
    ),
    refusal(
        "LYS0020",
        "{peer} spoke of a call that did not go through this server, or is over.",
        "One side restarted during the call, or its signalling takes another path.",
    ),
    refusal(
        "LYS0021",
        "The connection to {callee}'s phone is gone.",
        "The phone will sign in again by itself; check its network if it happens often.",
    ),
    refusal(
        "LYS0022",
        "The next hop for {callee} cannot be reached.",
        "Check that the gateway or server named in the static route is up.",
    ),
    refusal(
        "LYS0023",
        "The name of the next hop for {callee} does not resolve.",
        "Correct the host in the static route, or the DNS record.",
    ),
    refusal(
        "LYS0024",
        "{peer} sent a message that does not follow the rules.",
        "Look at the message; a device between may have damaged it.",
    ),
    refusal("LYS0025", "The account {account} is disabled.", "Enable it with `lyceum user enable`."),
    refusal(
        "LYS0026",
        "The server between {peer} and here does not keep the connection that the phone asks to keep.",
        "Update that server, or switch outbound (RFC 5626) off in the phone.",
    ),
    refusal(
        "LYS0027",
        "{peer} wants the call refreshed more often than is allowed.",
        "Raise the session timer in the phone to 90 s or more.",
    ),
    refusal("LYS0028", "{peer} used a method that is not allowed here.", "Switch the feature off in the phone."),
    refusal(
        "LYS0029",
        "The server has too many requests in progress.",
        "Look at the load; if it stays so, add a node.",
    ),
    refusal(
        "LYS0030",
        "{peer} insists on a feature that the registrar does not know.",
        "Switch the feature off in the phone; its Require field names it.",
    ),
    refusal(
        "LYS0031",
        "The server is shutting down and takes no new calls.",
        "Phones sign in at another node of the pool by themselves; start the server again if there is none.",
    ),
    refusal(
        "LYS0032",
        "The same call reached the server on two paths.",
        "Look at static routes and forwardings that fork towards each other.",
    ),
    refusal(
        "LYS0033",
        "{peer} speaks another version of SIP.",
        "It may not be a SIP phone at all: look at who sends this.",
    ),
    refusal(
        "LYS0034",
        "{peer} sent a message larger than allowed.",
        "Raise max_client_message_kib (policy proxy) if such messages are wanted.",
    ),
    refusal("LYS0035", "No service answers {callee}.", "Add a route for it, for emergency calls above all."),
];

/// The server refused and said why.
pub(super) fn refused(facts: &Facts<'_>) -> Option<Explanation> {
    let (at, main) = facts.unsuccessful().filter(|(_, main)| main.role == Role::Server)?;
    let code = facts.answer(main).diagnostics;
    let known = REFUSALS.iter().find(|refusal| refusal.code == code)?;
    Some(Explanation::new(known.code, Verdict::Failed, at, facts.fill(known.sentence, main), known.hint))
}

/// Statuses of the server's own, without a code: from another version, or cut off the trace.
const STATUSES: &[(u16, &str)] = &[
    (403, "LYS0005"),
    (404, "LYS0014"),
    (423, "LYS0007"),
    (430, "LYS0021"),
    (480, "LYS0015"),
    (482, "LYS0017"),
    (483, "LYS0016"),
    (513, "LYS0034"),
];

/// The server refused, and only its status tells why.
pub(super) fn refused_by_status(facts: &Facts<'_>) -> Option<Explanation> {
    let (at, main) = facts.unsuccessful().filter(|(_, main)| main.role == Role::Server && main.status >= 300)?;
    if facts.legs().any(|(_, leg)| leg.status >= 300) {
        return None;
    }
    let answer = facts.answer(main);
    let (code, sentence, hint) = match STATUSES.iter().find(|(status, _)| *status == main.status) {
        _ if main.status == 503 && !answer.retry_after.is_empty() => (
            "LYS0012",
            "The server is overloaded and asked {peer} to come back later.",
            "Look at the load; if it stays so, add a node.",
        ),
        Some((403, _)) => (
            "LYM0204",
            "The server refused the {method} of {peer}: {reason}.",
            "The From address must be that of the account signed in with; look at the policies of the user with `lyceum effective-policy`.",
        ),
        Some((_, code)) => REFUSALS
            .iter()
            .find(|refusal| refusal.code == *code)
            .map(|known| (known.code, known.sentence, known.hint))?,
        None if main.status >= 500 => (
            "LYM0205",
            "The server failed at the {method} of {peer}: {status} {reason}.",
            "Look into the server's log at that time.",
        ),
        None => (
            "LYM0204",
            "The server refused the {method} of {peer}: {status} {reason}.",
            "Look at the request and at the decision in `lyceum call get`.",
        ),
    };
    Some(Explanation::new(code, Verdict::Failed, at, facts.fill(sentence, main), hint))
}
