//! Policies: ranges, scopes that exist, values that hold together wherever they meet.

use super::Findings;
use crate::document::Document;
use crate::path::Path;
use crate::policy::{AuthenticationSettings, Origin, Scope, Scopes, Settings, resolve};
use crate::problem::Code;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(document: &Document, found: &mut Findings) {
    let policies = &document.policies;
    kind(document, &policies.registrar, found);
    kind(document, &policies.authentication, found);
    kind(document, &policies.lockout, found);
    kind(document, &policies.proxy, found);
    kind(document, &policies.calls, found);
    kind(document, &policies.call_detail, found);
    kind(document, &policies.presence, found);
    kind(document, &policies.message, found);
    kind(document, &policies.im_filter, found);
    kind(document, &policies.file_transfer, found);
    kind(document, &policies.archiving, found);
    kind(document, &policies.client_version, found);
    kind(document, &policies.external_access, found);
    algorithms(document, found);
}

fn kind<S: Settings>(document: &Document, scopes: &impl Scopes<S>, found: &mut Findings) {
    let root = Path::root().key("policies").key(S::KIND.as_str());
    for name in scopes.sites().keys() {
        if !document.sites.iter().any(|site| site.name == *name) {
            let path = root.key("sites").key(name);
            found.add(
                &path,
                Code::UnknownSite,
                format!("There is no site {name}."),
                "Correct the name, or remove these settings.",
            );
        }
    }
    for name in scopes.pools().keys() {
        if document.site_of(name).is_none() {
            let path = root.key("pools").key(name);
            found.add(
                &path,
                Code::UnknownPool,
                format!("There is no pool {name}."),
                "Correct the name, or remove these settings.",
            );
        }
    }
    for (origin, settings) in everywhere(scopes) {
        ranges(settings, &place(&root, &origin), matches!(origin, Origin::Named(_)), found);
    }
    let empty = BTreeMap::new();
    let named = scopes.named().unwrap_or(&empty);
    if let Some(named) = scopes.named() {
        found.names(&root.key("named"), "policy", named.keys().map(String::as_str));
    }
    for (site, pool) in meetings(document, scopes) {
        for grant in std::iter::once(None).chain(named.keys().map(|name| Some(name.as_str()))) {
            clashes(scopes, Scope { site, pool, grant }, &root, found);
        }
    }
}

/// The sites and pools where different settings meet; where a scope sets nothing it need not be looked at.
fn meetings<'a, S: Settings>(
    document: &'a Document,
    scopes: &impl Scopes<S>,
) -> BTreeSet<(Option<&'a str>, Option<&'a str>)> {
    let site_only = document.sites.iter().map(|site| (Some(site.name.as_str()), None));
    let pools = document.pools().map(|(site, pool)| (Some(site.name.as_str()), Some(pool.name.as_str())));
    let sets = |(site, pool): (Option<&'a str>, Option<&'a str>)| {
        let site = site.filter(|name| scopes.sites().contains_key(*name));
        (site, pool.filter(|name| scopes.pools().contains_key(*name)))
    };
    std::iter::once((None, None)).chain(site_only).chain(pools).map(sets).collect()
}

/// Every settings of the kind with where they stand.
pub(super) fn everywhere<S: Settings>(scopes: &impl Scopes<S>) -> Vec<(Origin, &S)> {
    let mut all = vec![(Origin::Global, scopes.global())];
    all.extend(scopes.sites().iter().map(|(name, settings)| (Origin::Site(name.clone()), settings)));
    all.extend(scopes.pools().iter().map(|(name, settings)| (Origin::Pool(name.clone()), settings)));
    all.extend(scopes.named().into_iter().flatten().map(|(name, settings)| (Origin::Named(name.clone()), settings)));
    all
}

pub(super) fn place(root: &Path, origin: &Origin) -> Path {
    match origin {
        Origin::BuiltIn => root.clone(),
        Origin::Global => root.key("global"),
        Origin::Site(name) => root.key("sites").key(name),
        Origin::Pool(name) => root.key("pools").key(name),
        Origin::Named(name) => root.key("named").key(name),
    }
}

fn ranges<S: Settings>(settings: &S, path: &Path, granted: bool, found: &mut Findings) {
    let set = settings.is_set();
    for ((field, number), set) in settings.numbers().into_iter().zip(set) {
        let path = path.key(field.name);
        if let (Some((low, high)), Some(number)) = (field.range, number)
            && !(low..=high).contains(&number)
        {
            let unit = if field.unit.is_empty() { "entries" } else { field.unit };
            let what = format!("{number} {unit} is outside the range {low} to {high}.");
            let fix = format!("Choose a value from {low} to {high}; the default is {}.", (field.default)());
            found.add(&path, Code::OutOfRange, what, fix);
        }
        if set && granted && field.pool_wide {
            let what = "The value concerns a whole pool and means nothing for one user.";
            found.add(&path, Code::PoolWide, what, "Set it at global, site or pool scope.");
        }
    }
}

/// Finds what clashes where these scopes meet, and says it at the narrowest that takes part.
fn clashes<S: Settings>(scopes: &impl Scopes<S>, scope: Scope<'_>, root: &Path, found: &mut Findings) {
    let layers = scopes.layers(scope);
    for clash in S::clashes(&resolve(layers.iter().map(|(_, settings)| *settings))) {
        let sets = |settings: &S| {
            let fields = S::FIELDS.iter().zip(settings.is_set()).filter(|(_, set)| *set);
            fields.map(|(field, _)| field.name).find(|name| clash.fields.contains(name))
        };
        let at = layers.iter().rev().find_map(|(origin, settings)| Some((origin, sets(settings)?)));
        if let Some((origin, field)) = at {
            found.add(&place(root, origin).key(field), Code::Contradiction, clash.what, clash.fix);
        }
    }
}

fn algorithms(document: &Document, found: &mut Findings) {
    let root = Path::root().key("policies").key("authentication");
    for (origin, settings) in everywhere::<AuthenticationSettings>(&document.policies.authentication) {
        let path = place(&root, &origin);
        for (at, rule) in settings.rules.iter().flatten().enumerate() {
            let path = path.key("rules").index(at);
            if rule.algorithms.is_empty() {
                let what =
                    format!("The rule offers {} no algorithm, so that they could never sign in.", rule.user_agent);
                found.add(&path.key("algorithms"), Code::NoAlgorithm, what, "List md5, sha-256 or both.");
            }
            if rule.user_agent.is_empty() {
                found.add(
                    &path.key("user_agent"),
                    Code::BadPattern,
                    "The pattern is empty.",
                    "Write the beginning of the User-Agent and a star, as Linphone*.",
                );
            }
            repeated(&rule.algorithms, &path.key("algorithms"), found);
        }
        repeated(settings.algorithms.as_deref().unwrap_or_default(), &path.key("algorithms"), found);
    }
}

fn repeated<T: PartialEq>(list: &[T], path: &Path, found: &mut Findings) {
    if list.iter().enumerate().any(|(at, item)| list[..at].contains(item)) {
        found.add(path, Code::Duplicate, "An algorithm is listed twice.", "List each once, the preferred first.");
    }
}
