//! What every kind of policy has in common, and the macro that writes a kind down once.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The kinds of policy, named as in the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyKind {
    /// `policies.registrar`
    Registrar,
    /// `policies.authentication`
    Authentication,
    /// `policies.lockout`
    Lockout,
    /// `policies.proxy`
    Proxy,
    /// `policies.calls`
    Calls,
    /// `policies.call_detail`
    CallDetail,
    /// `policies.presence`
    Presence,
    /// `policies.message`
    Message,
    /// `policies.im_filter`
    ImFilter,
    /// `policies.file_transfer`
    FileTransfer,
    /// `policies.archiving`
    Archiving,
    /// `policies.client_version`
    ClientVersion,
    /// `policies.external_access`
    ExternalAccess,
}

impl PolicyKind {
    /// All kinds, in the document's order.
    pub const ALL: [Self; 13] = [
        Self::Registrar,
        Self::Authentication,
        Self::Lockout,
        Self::Proxy,
        Self::Calls,
        Self::CallDetail,
        Self::Presence,
        Self::Message,
        Self::ImFilter,
        Self::FileTransfer,
        Self::Archiving,
        Self::ClientVersion,
        Self::ExternalAccess,
    ];

    /// The name in the document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Registrar => "registrar",
            Self::Authentication => "authentication",
            Self::Lockout => "lockout",
            Self::Proxy => "proxy",
            Self::Calls => "calls",
            Self::CallDetail => "call_detail",
            Self::Presence => "presence",
            Self::Message => "message",
            Self::ImFilter => "im_filter",
            Self::FileTransfer => "file_transfer",
            Self::Archiving => "archiving",
            Self::ClientVersion => "client_version",
            Self::ExternalAccess => "external_access",
        }
    }

    /// Reads the name in the document.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The fields of the kind, for help texts and generated reference.
    pub fn fields(self) -> &'static [FieldDoc] {
        match self {
            Self::Registrar => super::RegistrarSettings::FIELDS,
            Self::Authentication => super::AuthenticationSettings::FIELDS,
            Self::Lockout => super::LockoutSettings::FIELDS,
            Self::Proxy => super::ProxySettings::FIELDS,
            Self::Calls => super::CallSettings::FIELDS,
            Self::CallDetail => super::CallDetailSettings::FIELDS,
            Self::Presence => super::PresenceSettings::FIELDS,
            Self::Message => super::MessageSettings::FIELDS,
            Self::ImFilter => super::ImFilterSettings::FIELDS,
            Self::FileTransfer => super::FileTransferSettings::FIELDS,
            Self::Archiving => super::ArchivingSettings::FIELDS,
            Self::ClientVersion => super::ClientVersionSettings::FIELDS,
            Self::ExternalAccess => super::ExternalAccessSettings::FIELDS,
        }
    }

    /// The kind as a grant to users, if users can be granted it.
    pub fn grantable(self) -> Option<GrantKind> {
        GrantKind::ALL.into_iter().find(|grant| grant.policy() == self)
    }
}

/// The kinds of which a named policy can be granted to a user.
///
/// The other kinds act before the user is known for certain. Were the algorithms of a challenge a
/// matter of the user, a stranger could learn from a challenge which users exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantKind {
    /// `policies.registrar.named`
    Registrar,
    /// `policies.calls.named`
    Calls,
    /// `policies.presence.named`
    Presence,
    /// `policies.message.named`
    Message,
    /// `policies.file_transfer.named`
    FileTransfer,
    /// `policies.archiving.named`
    Archiving,
    /// `policies.client_version.named`
    ClientVersion,
    /// `policies.external_access.named`
    ExternalAccess,
}

impl GrantKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Registrar,
        Self::Calls,
        Self::Presence,
        Self::Message,
        Self::FileTransfer,
        Self::Archiving,
        Self::ClientVersion,
        Self::ExternalAccess,
    ];

    /// The kind of policy granted.
    pub fn policy(self) -> PolicyKind {
        match self {
            Self::Registrar => PolicyKind::Registrar,
            Self::Calls => PolicyKind::Calls,
            Self::Presence => PolicyKind::Presence,
            Self::Message => PolicyKind::Message,
            Self::FileTransfer => PolicyKind::FileTransfer,
            Self::Archiving => PolicyKind::Archiving,
            Self::ClientVersion => PolicyKind::ClientVersion,
            Self::ExternalAccess => PolicyKind::ExternalAccess,
        }
    }
}

/// What a field of a policy means, for people.
#[derive(Debug)]
pub struct FieldDoc {
    /// The name in the document.
    pub name: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// What its number counts: `s`, `KiB`, `days`; empty where it counts nothing.
    pub unit: &'static str,
    /// The smallest and largest number allowed (for a list or text, its length).
    pub range: Option<(u64, u64)>,
    /// Where the default comes from.
    pub source: &'static str,
    /// Whether it concerns a whole pool, and so has no meaning in a policy granted to users.
    pub pool_wide: bool,
    /// The built-in default.
    pub default: fn() -> Value,
}

/// Two fields of one resolved policy that cannot both hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// The fields that take part.
    pub fields: &'static [&'static str],
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub fix: &'static str,
}

/// The optional values of one kind at one scope.
pub trait Settings: Default + Clone + PartialEq + Serialize + 'static {
    /// The kind with every field filled.
    type Policy: Default + Clone + PartialEq + std::fmt::Debug + Serialize;
    /// Which kind.
    const KIND: PolicyKind;
    /// The fields in the document's order.
    const FIELDS: &'static [FieldDoc];

    /// Writes what is set here over `policy`.
    fn apply(&self, policy: &mut Self::Policy);

    /// For each field its number if it is set here and is a number (or a list or text: its length).
    fn numbers(&self) -> Vec<(&'static FieldDoc, Option<u64>)>;

    /// Which fields are set here, in the order of `FIELDS`.
    fn is_set(&self) -> Vec<bool>;

    /// What cannot hold together in a resolved policy.
    fn clashes(policy: &Self::Policy) -> Vec<Clash>;
}

/// A value that may have a range.
pub(crate) trait Ranged {
    fn number(&self) -> Option<u64>;
}

impl Ranged for u32 {
    fn number(&self) -> Option<u64> {
        Some((*self).into())
    }
}

impl Ranged for bool {
    fn number(&self) -> Option<u64> {
        None
    }
}

impl Ranged for String {
    fn number(&self) -> Option<u64> {
        Some(self.chars().count() as u64)
    }
}

impl<T> Ranged for Vec<T> {
    fn number(&self) -> Option<u64> {
        Some(self.len() as u64)
    }
}

macro_rules! policy {
    (
        $(#[doc = $struct_doc:literal])+
        pub struct $policy:ident / $settings:ident, $kind:ident, clashes $clashes:path;
        $(
            $(#[doc = $doc:literal])+
            $field:ident: $type:ty = $default:expr
                $(, unit $unit:literal)?
                $(, range $low:literal ..= $high:literal)?
                $(, pool_wide $wide:literal)?
                , source $source:literal;
        )+
    ) => {
        $(#[doc = $struct_doc])+
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
        pub struct $policy {
            $($(#[doc = $doc])+ pub $field: $type,)+
        }

        impl Default for $policy {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        #[doc = concat!("What one scope sets of a [`", stringify!($policy), "`].")]
        #[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $settings {
            $($(#[doc = $doc])+ #[serde(skip_serializing_if = "Option::is_none")] pub $field: Option<$type>,)+
        }

        impl $crate::policy::Settings for $settings {
            type Policy = $policy;
            const KIND: $crate::policy::PolicyKind = $crate::policy::PolicyKind::$kind;
            const FIELDS: &'static [$crate::policy::FieldDoc] = &[$($crate::policy::FieldDoc {
                name: stringify!($field),
                doc: concat!($($doc,)+).trim_ascii_start(),
                unit: concat!($($unit)?),
                range: policy!(@range $($low $high)?),
                source: $source,
                pool_wide: policy!(@flag $($wide)?),
                default: || serde_json::to_value::<$type>($default).unwrap_or_default(),
            },)+];

            fn apply(&self, policy: &mut $policy) {
                $(if let Some(value) = &self.$field { policy.$field = value.clone(); })+
            }

            fn numbers(&self) -> Vec<(&'static $crate::policy::FieldDoc, Option<u64>)> {
                let numbers = [$(self.$field.as_ref().and_then($crate::policy::kind::Ranged::number),)+];
                Self::FIELDS.iter().zip(numbers).collect()
            }

            fn is_set(&self) -> Vec<bool> {
                vec![$(self.$field.is_some(),)+]
            }

            fn clashes(policy: &$policy) -> Vec<$crate::policy::Clash> {
                $clashes(policy)
            }
        }
    };
    (@range) => { None };
    (@range $low:literal $high:literal) => { Some(($low, $high)) };
    (@flag) => { false };
    (@flag $wide:literal) => { $wide };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_says_what_it_is_and_where_its_default_comes_from() {
        for kind in PolicyKind::ALL {
            for field in kind.fields() {
                assert!(field.doc.len() > 10 && field.source.len() > 5, "{kind:?}.{}", field.name);
            }
        }
    }

    #[test]
    fn every_default_lies_in_its_range() {
        for kind in PolicyKind::ALL {
            for field in kind.fields() {
                let default = (field.default)();
                let number = default.as_u64().or(default.as_array().map(|list| list.len() as u64));
                if let (Some((low, high)), Some(number)) = (field.range, number) {
                    assert!((low..=high).contains(&number), "{kind:?}.{}", field.name);
                }
            }
        }
    }
}
