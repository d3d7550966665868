//! `/client/search`: the address book by name, address or number.

use super::SignedIn;
use super::session::person;
use crate::Web;
use crate::extract::Params;
use crate::port::TEST_USERS;
use crate::refused::Refused;
use axum::extract::State;
use axum::{Extension, Json};
use lyceum_api::client::{Found, Person};
use lyceum_topology::{GroupRecord, UserRecord};
use serde::Deserialize;

/// Letters or digits from which a search begins.
const LEAST: usize = 3;
/// People found at most.
const MOST: usize = 30;

/// What is searched for.
#[derive(Deserialize)]
pub struct Query {
    /// At least three letters or digits.
    #[serde(default)]
    q: String,
}

/// `GET /client/search`.
pub async fn search(
    State(web): State<Web>,
    Extension(_): Extension<SignedIn>,
    Params(query): Params<Query>,
) -> Result<Json<Found>, Refused> {
    let wanted = fold(&query.q);
    if wanted.chars().count() < LEAST {
        return Ok(Json(Found { people: Vec::new(), groups: Vec::new(), more: false }));
    }
    let snapshot = web.options().publisher.current();
    web.for_people(move || {
        let (people, more_people) = find(snapshot.directory().users().map(|user| &**user), &wanted);
        let (groups, more_groups) = find_groups(snapshot.directory().groups().map(|group| &**group), &wanted);
        let groups = groups.into_iter().map(|group| super::groups::shown(&snapshot, group)).collect();
        Ok(Json(Found { people, groups, more: more_people || more_groups }))
    })
    .await
}

/// The best, and whether there are more.
fn find<'a>(users: impl Iterator<Item = &'a UserRecord>, wanted: &str) -> (Vec<Person>, bool) {
    let digits: String = wanted.chars().filter(char::is_ascii_digit).collect();
    let mut found: Vec<(u8, &UserRecord)> = users
        .filter(|user| user.enabled && !is_built_in(user))
        .filter_map(|user| Some((rank(user, wanted, &digits)?, user)))
        .collect();
    found.sort_by(|a, b| (a.0, a.1.address.as_str()).cmp(&(b.0, b.1.address.as_str())));
    let more = found.len() > MOST;
    found.truncate(MOST);
    (found.into_iter().map(|(_, user)| person(user)).collect(), more)
}

/// The two users with whom the server tests itself are nobody to talk to.
fn is_built_in(user: &UserRecord) -> bool {
    TEST_USERS.contains(&user.address.user())
}

/// Groups by the beginning of the address or of a word of the name.
fn find_groups<'a>(groups: impl Iterator<Item = &'a GroupRecord>, wanted: &str) -> (Vec<&'a GroupRecord>, bool) {
    let fits = |group: &&GroupRecord| {
        let name = fold(group.display_name.as_deref().unwrap_or_default());
        group.address.as_str().starts_with(wanted)
            || name.starts_with(wanted)
            || name.split_whitespace().any(|word| word.starts_with(wanted))
    };
    let mut found: Vec<&GroupRecord> = groups.filter(fits).collect();
    found.sort_by(|a, b| a.address.cmp(&b.address));
    let more = found.len() > MOST;
    found.truncate(MOST);
    (found, more)
}

/// How well a user fits, 0 the best: the beginning of the address or a word of the name, then numbers, then anything.
fn rank(user: &UserRecord, wanted: &str, digits: &str) -> Option<u8> {
    let address = user.address.as_str();
    let name = fold(user.display_name.as_deref().unwrap_or_default());
    if address.starts_with(wanted) || name.starts_with(wanted) {
        return Some(0);
    }
    if name.split_whitespace().any(|word| word.starts_with(wanted)) {
        return Some(1);
    }
    let numbers = || user.numbers.iter().map(|number| number.plain());
    if digits.len() >= LEAST && numbers().any(|number| number.contains(digits)) {
        return Some(2);
    }
    let mail = fold(user.mail.as_deref().unwrap_or_default());
    let job = user.job();
    let works = [&job.title, &job.department, &job.company];
    let works = || works.into_iter().flatten().any(|text| fold(text).split_whitespace().any(|w| w.starts_with(wanted)));
    (address.contains(wanted) || name.contains(wanted) || mail.contains(wanted) || works()).then_some(3)
}

/// Lower case without accents of the Latin letters that names are written with and people leave out.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.trim().chars().flat_map(char::to_lowercase) {
        match letter {
            'æ' => folded.push_str("ae"),
            'à'..='å' | 'ā' | 'ă' | 'ą' => folded.push('a'),
            'ç' | 'ć' | 'č' => folded.push('c'),
            'è'..='ë' | 'ē' | 'ę' | 'ě' => folded.push('e'),
            'ì'..='ï' => folded.push('i'),
            'ñ' | 'ń' => folded.push('n'),
            'ò'..='ö' | 'ø' | 'ō' => folded.push('o'),
            'ù'..='ü' | 'ū' | 'ů' => folded.push('u'),
            'ß' => folded.push_str("ss"),
            'š' | 'ś' => folded.push('s'),
            'ž' | 'ź' | 'ż' => folded.push('z'),
            'ł' => folded.push('l'),
            other => folded.push(other),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;
    use lyceum_topology::{AddressOfRecord, UserId};

    fn user(id: u32, address: &str, name: &str) -> UserRecord {
        let mut user = UserRecord::new(UserId(id), AddressOfRecord::parse(address).expect("an address"), "pool1");
        user.display_name = Some(name.into());
        user
    }

    #[test]
    fn names_are_found_by_any_word_and_without_accents() {
        let users = [
            user(1, "anna@example.org", "Anna Müller"),
            user(2, "jm@example.org", "Jan Mullen"),
            user(3, "zoe@example.org", "Zoë Amsel"),
        ];
        let found = |text: &str| -> Vec<String> {
            find(users.iter(), &fold(text)).0.into_iter().map(|person| person.address).collect()
        };
        assert_eq!(found("mul"), ["anna@example.org", "jm@example.org"]);
        assert_eq!(found("ZOE"), ["zoe@example.org"]);
        assert!(found("xyz").is_empty());
    }

    #[test]
    fn more_than_are_told_is_said_and_test_users_are_nobody() {
        let all: Vec<_> = (0..31).map(|n| user(n, &format!("user{n}@example.org"), "Somebody")).collect();
        for (users, count, more) in [(&all[..30], 30, false), (&all[..], 30, true)] {
            let found = find(users.iter(), "user");
            assert_eq!((found.0.len(), found.1), (count, more));
        }
        let users = TEST_USERS.map(|name| user(1, &format!("{name}@example.org"), "Synthetic test user"));
        assert!(find(users.iter(), "test").0.is_empty());
    }
}
