//! The compiled, immutable form of document and directory that every request is answered from.

use crate::compile::{Compiled, PoolPolicies, UserPolicies};
use crate::directory::{AddressOfRecord, Directory, LineUri, UserRecord};
use crate::document::Document;
use crate::domain::DomainName;
use crate::effective::EffectivePolicy;
use crate::policy::{
    ArchivingPolicy, AuthenticationPolicy, CallPolicy, ClientVersionPolicy, ExternalAccessPolicy, FileTransferPolicy,
    ImFilterPolicy, MessagePolicy, PresencePolicy, RegistrarPolicy,
};
use crate::problem::Problem;
use crate::route::StaticRoute;
use crate::trusted::{PeerFacts, TrustedHost};
use std::sync::Arc;

/// Document and directory at one moment, ready for lookups that allocate nothing. A clone is a few pointers.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The document's version.
    pub version: u64,
    compiled: Arc<Compiled>,
    users: Arc<Vec<UserPolicies>>,
    directory: Directory,
}

impl Snapshot {
    /// Validates the document, checks it against the directory, and compiles both; or gives all problems.
    pub fn compile(document: &Document, directory: Directory) -> Result<Self, Vec<Problem>> {
        let problems = document.validate();
        if !problems.is_empty() {
            return Err(problems);
        }
        let compiled = Arc::new(Compiled::new(document.clone()));
        Self::join(compiled, directory, None)
    }

    /// The same document with another directory: the work of a one-user change.
    pub fn with_directory(&self, directory: Directory) -> Result<Self, Vec<Problem>> {
        Self::join(self.compiled.clone(), directory, Some(self))
    }

    fn join(compiled: Arc<Compiled>, directory: Directory, before: Option<&Self>) -> Result<Self, Vec<Problem>> {
        let problems = compiled.check_directory(&directory);
        if !problems.is_empty() {
            return Err(problems);
        }
        let users = match before {
            Some(before) if before.directory.assignments.same_slots(&directory.assignments) => before.users.clone(),
            _ => Arc::new(compiled.user_policies(&directory)),
        };
        Ok(Self { version: compiled.document.version, compiled, users, directory })
    }

    /// What a host in the perimeter network gets: no user, no number, no device.
    #[must_use]
    pub fn for_edge(&self) -> Self {
        Self {
            version: self.version,
            compiled: self.compiled.clone(),
            users: Arc::default(),
            directory: Directory::default(),
        }
    }

    /// Addresses of those for whom something may be otherwise than in an older snapshot; `None`: for anybody, because the
    /// document is another.
    pub fn changed_since(&self, older: &Self) -> Option<Vec<AddressOfRecord>> {
        let same = Arc::ptr_eq(&self.compiled, &older.compiled);
        same.then(|| self.directory.users_changed_since(&older.directory).map(|user| user.address.clone()).collect())
    }

    /// The document it was compiled from.
    pub fn document(&self) -> &Document {
        &self.compiled.document
    }

    /// The records.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The default SIP domain.
    pub fn default_domain(&self) -> &DomainName {
        self.compiled.default_domain()
    }

    /// Whether this host is one of our SIP domains. Letter case and a final dot do not matter.
    pub fn is_our_domain(&self, host: &[u8]) -> bool {
        self.compiled.domain(host).is_some()
    }

    /// The domain as we write it, for instance as a realm, if it is ours.
    pub fn our_domain(&self, host: &[u8]) -> Option<&DomainName> {
        self.compiled.domain(host)
    }

    /// The user whom these parts of a SIP URI name, as they were received.
    pub fn user(&self, user: &[u8], domain: &[u8]) -> Option<&Arc<UserRecord>> {
        self.directory.find(user, domain)
    }

    /// The user with this number: `+493012345`, `tel:+493012340;ext=45`.
    pub fn by_number(&self, number: &str) -> Option<&Arc<UserRecord>> {
        self.directory.by_number(LineUri::parse(number).ok()?)
    }

    /// The registrar policy that holds for a user.
    pub fn registrar_policy(&self, user: &UserRecord) -> &RegistrarPolicy {
        &self.policies_of(user).registrar
    }

    /// The call policy that holds for a user.
    pub fn call_policy(&self, user: &UserRecord) -> &CallPolicy {
        &self.policies_of(user).calls
    }

    /// The presence policy that holds for a user.
    pub fn presence_policy(&self, user: &UserRecord) -> &PresencePolicy {
        &self.policies_of(user).presence
    }

    /// The message policy that holds for a user.
    pub fn message_policy(&self, user: &UserRecord) -> &MessagePolicy {
        &self.policies_of(user).message
    }

    /// The file transfer policy that holds for a user.
    pub fn file_transfer_policy(&self, user: &UserRecord) -> &FileTransferPolicy {
        &self.policies_of(user).file_transfer
    }

    /// Whether any user's messages are archived at all.
    pub fn archives(&self) -> bool {
        self.users.iter().any(UserPolicies::archives) || self.compiled.archives()
    }

    /// The archiving policy that holds for a user.
    pub fn archiving_policy(&self, user: &UserRecord) -> &ArchivingPolicy {
        &self.policies_of(user).archiving
    }

    /// The client version policy that holds for a user.
    pub fn client_version_policy(&self, user: &UserRecord) -> &ClientVersionPolicy {
        &self.policies_of(user).client_version
    }

    /// The external access policy that holds for a user.
    pub fn external_access_policy(&self, user: &UserRecord) -> &ExternalAccessPolicy {
        &self.policies_of(user).external_access
    }

    /// The filter of hyperlinks that holds in a user's pool.
    pub fn im_filter_policy(&self, user: &UserRecord) -> &ImFilterPolicy {
        &self.compiled.pool(user.pool()).im_filter
    }

    fn policies_of(&self, user: &UserRecord) -> &UserPolicies {
        match self.users.get(user.placed.slot as usize) {
            Some(policies) if Arc::ptr_eq(&policies.placed, &user.placed) => policies,
            // A record from another directory, such as one just read from the store.
            _ => match self.users.iter().find(|policies| policies.placed.assignment == user.placed.assignment) {
                Some(policies) => policies,
                None => &self.compiled.pool(user.pool()).users,
            },
        }
    }

    /// The policies of a pool; of the organisation, if there is no such pool.
    pub fn pool(&self, name: &str) -> &PoolPolicies {
        self.compiled.pool(name)
    }

    /// The authentication policy of a pool.
    pub fn authentication_policy(&self, pool: &str) -> &AuthenticationPolicy {
        &self.compiled.pool(pool).authentication
    }

    /// The trusted host this peer is, if it is one.
    pub fn trusted(&self, peer: &PeerFacts<'_>) -> Option<&TrustedHost> {
        self.compiled.trusted(peer)
    }

    /// The first static route that a request for this URI takes.
    pub fn static_route(&self, request_uri: &[u8]) -> Option<&StaticRoute> {
        self.compiled.static_route(request_uri)
    }

    /// Everything that holds for a user, with where it comes from.
    pub fn effective_policy(&self, user: &UserRecord) -> EffectivePolicy {
        EffectivePolicy::of(&self.compiled.document, user)
    }

    /// What would be wrong with this record in this organisation; to be asked before it is stored.
    pub fn check_user(&self, user: &UserRecord) -> Vec<Problem> {
        self.compiled.check_user(&self.directory, user)
    }
}
