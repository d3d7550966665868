//! Names of hosts from names of sites and roles.

use std::collections::BTreeSet;

use crate::capacity::Role;

/// How a host of `role` is called, before its number.
pub(super) fn short(role: Role) -> &'static str {
    match role {
        Role::FrontEnd => "fe",
        Role::StandardEdition => "se",
        Role::BackEnd => "sql",
        Role::Witness => "wit",
        Role::Director => "dir",
        Role::Mediation => "med",
        Role::Edge => "edge",
        Role::ReverseProxy => "rp",
        Role::PersistentChat => "chat",
        Role::OfficeWebApps => "owa",
        Role::MonitoringStore => "mon",
        Role::MeetingFrontEnd => "mtg",
        Role::MeetingBackEnd => "mtgsql",
        Role::BranchAppliance => "sba",
        Role::BranchStandardEdition => "sbs",
    }
}

/// The longest slug: with the longest prefix it stays under the 63 letters of a DNS label.
const MAX_SLUG: usize = 20;

/// A word for host names for each site: letters and digits of its name, unlike any other's.
pub(super) fn slugs(names: &[&str]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut slugs = Vec::with_capacity(names.len());
    for (number, name) in names.iter().enumerate() {
        let letters: String = name.chars().filter(char::is_ascii_alphanumeric).take(MAX_SLUG).collect();
        let mut slug = letters.to_ascii_lowercase();
        if slug.is_empty() || taken.contains(&slug) {
            slug = format!("{slug}s{}", number + 1);
        }
        while !taken.insert(slug.clone()) {
            slug.push('x');
        }
        slugs.push(slug);
    }
    slugs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_letters_and_digits_and_differ() {
        assert_eq!(
            slugs(&["London", "New York", "東京", "LONDON", "london s4"]),
            ["london", "newyork", "s3", "londons4", "londons4s5"]
        );
    }
}
