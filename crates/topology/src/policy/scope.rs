//! Scopes: global < site < pool < user, and how a value is found across them.

use super::Settings;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Settings of one kind at every scope, with named ones that are granted to users.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, bound(deserialize = "S: Default + Deserialize<'de>"))]
pub struct Scoped<S> {
    /// For the whole organisation. Always there; emptied, the built-in defaults hold.
    pub global: S,
    /// By site.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub sites: BTreeMap<String, S>,
    /// By pool.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub pools: BTreeMap<String, S>,
    /// By the name under which they are granted to users.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub named: BTreeMap<String, S>,
}

/// Settings of a kind that acts before the user is known, so that none can be granted to users.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, bound(deserialize = "S: Default + Deserialize<'de>"))]
pub struct PoolScoped<S> {
    /// For the whole organisation. Always there; emptied, the built-in defaults hold.
    pub global: S,
    /// By site.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub sites: BTreeMap<String, S>,
    /// By pool.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub pools: BTreeMap<String, S>,
}

/// What both shapes offer.
pub trait Scopes<S: Settings> {
    /// The organisation's settings.
    fn global(&self) -> &S;
    /// The settings by site.
    fn sites(&self) -> &BTreeMap<String, S>;
    /// The settings by pool.
    fn pools(&self) -> &BTreeMap<String, S>;
    /// The settings by granted name, if the kind can be granted.
    fn named(&self) -> Option<&BTreeMap<String, S>>;

    /// The settings that apply, broadest first, with where they stand.
    fn layers(&self, scope: Scope<'_>) -> Vec<(Origin, &S)> {
        let mut layers = vec![(Origin::Global, self.global())];
        let by = |map: &'_ BTreeMap<String, S>, name: Option<&str>| name.is_some_and(|name| map.contains_key(name));
        if let Some(name) = scope.site.filter(|_| by(self.sites(), scope.site)) {
            layers.push((Origin::Site(name.to_owned()), &self.sites()[name]));
        }
        if let Some(name) = scope.pool.filter(|_| by(self.pools(), scope.pool)) {
            layers.push((Origin::Pool(name.to_owned()), &self.pools()[name]));
        }
        if let (Some(named), Some(name)) = (self.named(), scope.grant)
            && let Some(settings) = named.get(name)
        {
            layers.push((Origin::Named(name.to_owned()), settings));
        }
        layers
    }

    /// The policy that holds there.
    fn effective(&self, scope: Scope<'_>) -> S::Policy {
        resolve(self.layers(scope).into_iter().map(|(_, settings)| settings))
    }
}

impl<S: Settings> Scopes<S> for Scoped<S> {
    fn global(&self) -> &S {
        &self.global
    }
    fn sites(&self) -> &BTreeMap<String, S> {
        &self.sites
    }
    fn pools(&self) -> &BTreeMap<String, S> {
        &self.pools
    }
    fn named(&self) -> Option<&BTreeMap<String, S>> {
        Some(&self.named)
    }
}

impl<S: Settings> Scopes<S> for PoolScoped<S> {
    fn global(&self) -> &S {
        &self.global
    }
    fn sites(&self) -> &BTreeMap<String, S> {
        &self.sites
    }
    fn pools(&self) -> &BTreeMap<String, S> {
        &self.pools
    }
    fn named(&self) -> Option<&BTreeMap<String, S>> {
        None
    }
}

/// For whom a policy is asked: as far as known, site, pool and granted name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scope<'a> {
    /// The site.
    pub site: Option<&'a str>,
    /// The pool.
    pub pool: Option<&'a str>,
    /// The name of the policy granted to the user.
    pub grant: Option<&'a str>,
}

/// Lays settings over the built-in defaults, broadest first.
pub fn resolve<'a, S: Settings>(layers: impl IntoIterator<Item = &'a S>) -> S::Policy {
    let mut policy = S::Policy::default();
    for settings in layers {
        settings.apply(&mut policy);
    }
    policy
}

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case", tag = "scope", content = "name")]
pub enum Origin {
    /// Nowhere in the document: the default we ship.
    BuiltIn,
    /// The organisation's settings.
    Global,
    /// A site's.
    Site(String),
    /// A pool's.
    Pool(String),
    /// A policy granted to the user.
    Named(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built-in default"),
            Self::Global => f.write_str("from global"),
            Self::Site(name) => write!(f, "from site {name}"),
            Self::Pool(name) => write!(f, "from pool {name}"),
            Self::Named(name) => write!(f, "from policy {name} granted to the user"),
        }
    }
}
