//! Lists of users: filtered, in the order of addresses, a page at a time without sorting the whole directory.

use lyceum_api::Page;
use lyceum_api::page::{DEFAULT_LIMIT, MAX_LIMIT};
use lyceum_api::user::{User, UserQuery};
use lyceum_topology::{PolicyKind, Snapshot, UserRecord};
use std::collections::BinaryHeap;
use std::sync::Arc;

/// One page of the users that fit the query.
pub fn page(snapshot: &Snapshot, query: &UserQuery) -> Page<User> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let filter = Filter::new(snapshot, query);
    // The smallest `limit + 1` addresses after `after`: one pass, and a heap no larger than the page.
    let mut smallest: BinaryHeap<ByAddress<'_>> = BinaryHeap::new();
    for user in snapshot.directory().users() {
        let address = user.address.as_str();
        if query.after.as_deref().is_some_and(|after| address <= after)
            || (smallest.len() > limit && smallest.peek().is_some_and(|last| address >= last.0.address.as_str()))
            || !filter.fits(user)
        {
            continue;
        }
        smallest.push(ByAddress(user));
        if smallest.len() > limit + 1 {
            smallest.pop();
        }
    }
    let mut found = smallest.into_sorted_vec();
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| last.0.address.to_string());
    Page { items: found.iter().map(|user| super::shown(snapshot, user.0)).collect(), next }
}

#[derive(PartialEq, Eq)]
struct ByAddress<'s>(&'s Arc<UserRecord>);

impl Ord for ByAddress<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.address.as_str().cmp(other.0.address.as_str())
    }
}

impl PartialOrd for ByAddress<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

struct Filter<'q> {
    query: &'q UserQuery,
    text: Option<String>,
    pools: Option<Vec<&'q str>>,
}

impl<'q> Filter<'q> {
    fn new(snapshot: &'q Snapshot, query: &'q UserQuery) -> Filter<'q> {
        let pools = query.site.as_deref().map(|site| {
            let of_site = snapshot.document().pools().filter(move |(s, _)| s.name == site);
            of_site.map(|(_, pool)| pool.name.as_str()).collect()
        });
        Filter { query, text: query.filter.as_deref().map(pattern), pools }
    }

    fn fits(&self, user: &UserRecord) -> bool {
        let query = self.query;
        query.enabled.is_none_or(|enabled| user.enabled == enabled)
            && query.domain.as_deref().is_none_or(|d| user.address.domain().eq_ignore_ascii_case(d))
            && query.pool.as_deref().is_none_or(|pool| user.pool() == pool)
            && self.pools.as_ref().is_none_or(|pools| pools.contains(&user.pool()))
            && query.policy.as_deref().is_none_or(|policy| holds(user, policy))
            && self.text.as_deref().is_none_or(|text| self.matches(user, text))
    }

    fn matches(&self, user: &UserRecord, text: &str) -> bool {
        glob(text, user.address.as_str())
            || user.display_name.as_deref().is_some_and(|name| glob(text, &name.to_lowercase()))
            || user.numbers.iter().any(|n| glob(text, &n.plain()) || glob(text, n.plain().trim_start_matches("tel:")))
    }
}

fn holds(user: &UserRecord, policy: &str) -> bool {
    let Some((kind, name)) = policy.split_once(':') else { return false };
    PolicyKind::parse(kind).and_then(PolicyKind::grantable).is_some_and(|grant| user.grant(grant) == Some(name))
}

/// Text without a star is looked for anywhere.
fn pattern(text: &str) -> String {
    let text = text.to_lowercase();
    if text.contains('*') { text } else { format!("*{text}*") }
}

/// Whether `text` fits a pattern in which `*` stands for any text. Linear in both: the last star is the only
/// place to come back to.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, t));
            p += 1;
        } else if pattern.get(p) == Some(&text[t]) {
            p += 1;
            t += 1;
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            p = at + 1;
            t = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|b| *b == b'*')
}

#[cfg(test)]
mod tests {
    use super::{glob, pattern};

    #[test]
    fn stars_stand_for_any_text() {
        for (text, filter, fits) in [
            ("anna@x.org", "anna", true),
            ("anna@x.org", "ANNA*", true),
            ("anna@x.org", "a*x.org", true),
            ("anna@x.org", "nna*", false),
            ("anna@x.org", "*", true),
            ("anna@x.org", "a*a*a*z", false),
        ] {
            assert_eq!(glob(&pattern(filter), text), fits, "{filter}");
        }
    }
}
