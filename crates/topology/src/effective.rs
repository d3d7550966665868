//! What holds for one user, value by value, and where each comes from (Lync: `Get-CsEffectivePolicy`).

use crate::directory::UserRecord;
use crate::document::Document;
use crate::policy::{GrantKind, Origin, PolicyKind, Scope, Scopes, Settings};
use serde::Serialize;
use serde_json::Value;

/// Everything that holds for a user.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EffectivePolicy {
    /// The user's address.
    pub user: String,
    /// The site of the user's pool, if the pool is in the document.
    pub site: Option<String>,
    /// The user's pool.
    pub pool: String,
    /// One entry per field of every kind, in the document's order.
    pub values: Vec<EffectiveValue>,
}

/// One field's value for the user.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EffectiveValue {
    /// The kind of policy.
    pub kind: PolicyKind,
    /// The field.
    pub field: &'static str,
    /// What holds.
    pub value: Value,
    /// What the value counts.
    pub unit: &'static str,
    /// Where it comes from.
    pub origin: Origin,
    /// What would hold without that: the next broader scope's value and its origin. `None` for a built-in default.
    pub otherwise: Option<(Value, Origin)>,
}

impl EffectivePolicy {
    /// Gathers what holds for this user.
    pub fn of(document: &Document, user: &UserRecord) -> Self {
        let site = document.site_of(user.pool()).map(|site| site.name.as_str());
        let scope = |grant: Option<GrantKind>| Scope {
            site,
            pool: Some(user.pool()),
            grant: grant.and_then(|kind| user.grant(kind)),
        };
        let policies = &document.policies;
        let mut values = Vec::new();
        gather(&policies.registrar, scope(Some(GrantKind::Registrar)), &mut values);
        gather(&policies.authentication, scope(None), &mut values);
        gather(&policies.lockout, scope(None), &mut values);
        gather(&policies.proxy, scope(None), &mut values);
        gather(&policies.calls, scope(Some(GrantKind::Calls)), &mut values);
        gather(&policies.call_detail, scope(None), &mut values);
        gather(&policies.presence, scope(Some(GrantKind::Presence)), &mut values);
        gather(&policies.message, scope(Some(GrantKind::Message)), &mut values);
        gather(&policies.im_filter, scope(None), &mut values);
        gather(&policies.file_transfer, scope(Some(GrantKind::FileTransfer)), &mut values);
        gather(&policies.archiving, scope(Some(GrantKind::Archiving)), &mut values);
        gather(&policies.client_version, scope(Some(GrantKind::ClientVersion)), &mut values);
        gather(&policies.external_access, scope(Some(GrantKind::ExternalAccess)), &mut values);
        Self { user: user.address.to_string(), site: site.map(str::to_owned), pool: user.pool().to_owned(), values }
    }

    /// The entry of one field.
    pub fn value(&self, kind: PolicyKind, field: &str) -> Option<&EffectiveValue> {
        self.values.iter().find(|value| value.kind == kind && value.field == field)
    }
}

fn gather<S: Settings>(scopes: &impl Scopes<S>, scope: Scope<'_>, values: &mut Vec<EffectiveValue>) {
    let layers: Vec<(Origin, Value)> = scopes
        .layers(scope)
        .into_iter()
        .map(|(origin, settings)| (origin, serde_json::to_value(settings).unwrap_or_default()))
        .collect();
    for field in S::FIELDS {
        let built_in = ((field.default)(), Origin::BuiltIn);
        let set = layers.iter().filter_map(|(origin, set)| Some((set.get(field.name)?.clone(), origin.clone())));
        let mut found: Vec<(Value, Origin)> = std::iter::once(built_in).chain(set).collect();
        let (value, origin) = found.pop().expect("the built-in default is always there");
        values.push(EffectiveValue {
            kind: S::KIND,
            field: field.name,
            value,
            unit: field.unit,
            origin,
            otherwise: found.pop(),
        });
    }
}
