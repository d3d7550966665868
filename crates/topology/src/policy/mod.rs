//! Policies: what an administrator may set, at which scope, with what default and why.
//!
//! Each kind has one file. A kind is two types: the policy with every field filled (`RegistrarPolicy`)
//! and its settings with every field optional (`RegistrarSettings`), one of which stands at each scope.
//! Resolution goes field by field: what the narrowest scope sets wins, user (a named policy granted to
//! the user) over pool over site over global over the built-in default.

#[macro_use]
mod kind;

mod archiving;
mod authentication;
mod call_detail;
mod calls;
mod client_version;
mod external_access;
mod file_transfer;
mod im_filter;
mod lockout;
mod message;
mod presence;
mod proxy;
mod registrar;
mod scope;

pub use archiving::{ArchiveDuty, ArchivingPolicy, ArchivingSettings, Side};
pub use authentication::{AgentRule, AuthenticationPolicy, AuthenticationSettings, DigestAlgorithm};
pub use call_detail::{CallDetailPolicy, CallDetailSettings, KeepLadders};
pub use calls::{CallPolicy, CallSettings};
pub use client_version::{
    ClientAction, ClientDecision, ClientVersion, ClientVersionPolicy, ClientVersionRule, ClientVersionSettings, Compare,
};
pub use external_access::{ExternalAccessPolicy, ExternalAccessSettings};
pub use file_transfer::{FileAction, FileRefusal, FileTransferPolicy, FileTransferSettings};
pub use im_filter::{ImFilterPolicy, ImFilterSettings, LinkAction};
pub use kind::{Clash, FieldDoc, GrantKind, PolicyKind, Settings};
pub use lockout::{LockoutPolicy, LockoutSettings};
pub use message::{MessagePolicy, MessageSettings};
pub use presence::{PresencePolicy, PresenceSettings};
pub use proxy::{ProxyPolicy, ProxySettings};
pub use registrar::{RegistrarPolicy, RegistrarSettings};
pub use scope::{Origin, PoolScoped, Scope, Scoped, Scopes, resolve};

use serde::{Deserialize, Serialize};

/// All policies of the organisation, by kind.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policies {
    /// How long and from how many endpoints users register.
    pub registrar: Scoped<RegistrarSettings>,
    /// What the digest challenge offers to whom.
    pub authentication: PoolScoped<AuthenticationSettings>,
    /// When failed sign-ins close the door.
    pub lockout: PoolScoped<LockoutSettings>,
    /// Timers and bounds of the proxy.
    pub proxy: PoolScoped<ProxySettings>,
    /// What a user's calls may do.
    pub calls: Scoped<CallSettings>,
    /// What is recorded of calls and for how long.
    pub call_detail: PoolScoped<CallDetailSettings>,
    /// What a user's presence shows, to how many, and for how long.
    pub presence: Scoped<PresenceSettings>,
    /// What a user's messages may do and what is remembered of them.
    pub message: Scoped<MessageSettings>,
    /// What happens to hyperlinks in messages.
    pub im_filter: PoolScoped<ImFilterSettings>,
    /// Which files people may send each other.
    pub file_transfer: Scoped<FileTransferSettings>,
    /// Whose messages are archived and for how long.
    pub archiving: Scoped<ArchivingSettings>,
    /// Which clients may sign in.
    pub client_version: Scoped<ClientVersionSettings>,
    /// Who may use and be reached from outside.
    pub external_access: Scoped<ExternalAccessSettings>,
}
