//! Challenges that were not met.

use super::facts::{Facts, times};
use super::{Explanation, Verdict};
use crate::head::{Head, parameter};
use crate::ladder::{Role, Transaction};

fn is_challenge(transaction: &Transaction) -> bool {
    transaction.role == Role::Server && matches!(transaction.status, 401 | 407)
}

fn is_stale(answer: &Head<'_>) -> bool {
    parameter(answer.challenge, "stale").eq_ignore_ascii_case("true")
}

/// The challenges of ours that ended the story: the main request is the last of them.
fn challenges<'a>(facts: &Facts<'a>) -> Option<Vec<(usize, &'a Transaction)>> {
    let (_, main) = facts.unsuccessful().filter(|(_, main)| is_challenge(main))?;
    if facts.legs().any(|(_, leg)| leg.status == main.status) {
        return None;
    }
    Some(
        facts
            .all()
            .filter(|(_, one)| is_challenge(one) && one.method == main.method && one.peer == main.peer)
            .collect(),
    )
}

/// Every nonce is called too old: the client takes none of the new ones.
pub(super) fn stale_for_ever(facts: &Facts<'_>) -> Option<Explanation> {
    let stale = |one: &&(usize, &_)| is_stale(&facts.answer(one.1)) && !facts.request(one.1).authorization.is_empty();
    let challenges = challenges(facts)?;
    let count = challenges.iter().filter(stale).count();
    let &(at, last) = challenges.last().filter(|_| count >= 3)?;
    let sentence = format!(
        "{} keeps answering an outdated question for its password ({} here), although it is given a new one each time.",
        facts.who(last),
        times(count as u32)
    );
    let hint = "Restart the phone; if it stays so, look for two phones that share one sign-in through the same proxy, or update its firmware.";
    Some(Explanation::new("LYM0103", Verdict::Failed, at, sentence, hint))
}

/// Credentials were sent, and asked for again.
pub(super) fn wrong_password(facts: &Facts<'_>) -> Option<Explanation> {
    let wrong = |one: &&(usize, &_)| !facts.request(one.1).authorization.is_empty() && !is_stale(&facts.answer(one.1));
    let challenges = challenges(facts)?;
    let count = challenges.iter().filter(wrong).count();
    let &(at, last) = challenges.iter().rfind(wrong)?;
    let sentence = format!(
        "{} gave a wrong user name or password for {}, {}.",
        facts.who(last),
        facts.account(last),
        times(count as u32)
    );
    let hint = "Check user name and password in the phone; set a new password with `lyceum user set`. The user name is the part before the @.";
    Some(Explanation::new("LYM0101", Verdict::Failed, at, sentence, hint))
}

/// The challenge stayed without an answer.
pub(super) fn question_not_answered(facts: &Facts<'_>) -> Option<Explanation> {
    let (at, last) = *challenges(facts)?.last()?;
    let algorithm = parameter(facts.answer(last).challenge, "algorithm");
    let hint = if algorithm.is_empty() || algorithm.eq_ignore_ascii_case("md5") {
        "Enter user name and password in the phone."
    } else {
        "Enter user name and password in the phone; if they are there, it may not know SHA-256: offer MD5 to its User-Agent (policy authentication, rules)."
    };
    let sentence = format!("{} was asked for its password and did not answer.", facts.who(last));
    Some(Explanation::new("LYM0102", Verdict::Failed, at, sentence, hint))
}
