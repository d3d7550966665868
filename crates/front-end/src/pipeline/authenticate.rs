//! Who sent this? Digest credentials against the secrets, with nonces, lock-out and the offered algorithms.

use std::net::IpAddr;
use std::sync::Arc;

use lyceum_sip::digest::{self, Algorithm, Credentials, Ha1, Kind, NonceUse, NonceVerdict, Nonces, signs};
use lyceum_sip::time::{Now, Time, WallTime};
use lyceum_sip::token::bearer::{self, Audience, Bearers};
use lyceum_sip::token::ends::Ends;
use lyceum_sip::{Message, Method, Name, Uri};
use lyceum_topology::{AuthenticationPolicy, DigestAlgorithm, Snapshot, UserId, UserRecord};
use tracing::warn;

use crate::credentials::Credentials as Secrets;
use crate::lockout::{Lockout, LockoutLimits, Tripped, Verdict};
use crate::refusal::Refusal;

/// What came of it.
#[derive(Debug)]
pub enum Authenticated {
    /// The sender proved to be this user.
    User {
        /// The record of the directory.
        user: Arc<UserRecord>,
        /// The nonce count was spent before: this is a retransmission or a copy of an earlier request.
        repeated: bool,
        /// The device of the token, if it was one.
        device: Option<u64>,
    },
    /// Ask: no credentials for our realm, or their nonce is no longer good.
    Challenge {
        /// Only the nonce was at fault.
        stale: bool,
    },
    /// No.
    Refused {
        /// Why.
        refusal: Refusal,
        /// When it makes sense to try again.
        until: Option<Time>,
    },
}

/// A registration with a token names the device that the token was given to, in every contact; `*` would be all the others.
fn registers_device(message: &Message<'_>, device: u64) -> bool {
    message.contacts().all(|contact| {
        let instance = contact.ok().and_then(|contact| contact.address()?.param("+sip.instance"));
        instance.is_some_and(|instance| {
            let bare: Vec<u8> = instance.iter().copied().filter(|byte| !b"\"<>".contains(byte)).collect();
            bearer::device(&bare) == device
        })
    })
}

/// What the step needs of the worker.
pub struct Authenticator<'a> {
    /// Users, policies.
    pub snapshot: &'a Snapshot,
    /// Digest secrets.
    pub secrets: &'a Secrets,
    /// Nonces of this worker.
    pub nonces: &'a mut Nonces,
    /// Failure counts.
    pub lockout: &'a mut Lockout,
    /// The policy in force for them.
    pub limits: LockoutLimits,
    /// Checks tokens.
    pub bearers: &'a Bearers,
    /// Tokens that ended before their time.
    pub ends: &'a Ends,
    /// What is offered to this client.
    pub policy: &'a AuthenticationPolicy,
}

/// Facts of the moment.
pub struct Facts<'a> {
    /// The clock.
    pub now: Now,
    /// Who is counted: [`crate::inbound::Inbound::source`].
    pub source: IpAddr,
    /// 401 or 407.
    pub kind: Kind,
    /// The realm to be proved: the domain of the identity.
    pub realm: &'a str,
    /// Does a URI mean this server?
    pub is_server: &'a dyn Fn(&Uri<'_>) -> bool,
    /// Nobody between the sender and us reads along.
    pub is_secure: bool,
    /// Is the device with this mark signed in over this very connection?
    pub is_device_here: &'a dyn Fn(&UserRecord, u64) -> bool,
    /// Is the named account signed in from this very source at the moment?
    pub known_here: &'a dyn Fn(&UserRecord) -> bool,
}

impl Authenticator<'_> {
    /// Checks the credentials of a request.
    pub fn check(&mut self, message: &Message<'_>, facts: &Facts<'_>) -> Authenticated {
        let name = match facts.kind {
            Kind::Www => Name::Authorization,
            Kind::Proxy => Name::ProxyAuthorization,
        };
        if let Some(value) = message.value(Name::Authorization)
            && let Some(token) = bearer::of_authorization(value)
        {
            return self.judge_token(message, token, facts);
        }
        let mut malformed = false;
        for field in message.fields().filter(|field| field.name == name) {
            match Credentials::parse(field.value) {
                Ok(credentials) if credentials.realm.eq_ignore_ascii_case(facts.realm.as_bytes()) => {
                    return self.judge(message, &credentials, facts);
                }
                Ok(_) | Err(digest::CredentialsError::NotDigest | digest::CredentialsError::NotOffered(_)) => {}
                Err(_) => malformed = true,
            }
        }
        if malformed {
            return Authenticated::Refused { refusal: Refusal::Malformed, until: None };
        }
        Authenticated::Challenge { stale: false }
    }

    /// RFC 8898: a token of ours names its user. It is good over TLS, while the user may sign in and has the password it was
    /// given for, and for the device it was given to: that one registers with it, and sends over that connection what else
    /// it has to say.
    fn judge_token(&self, message: &Message<'_>, token: &[u8], facts: &Facts<'_>) -> Authenticated {
        if !facts.is_secure {
            return Authenticated::Challenge { stale: false };
        }
        let claims = self.bearers.check(token, Audience::Client, facts.now.wall);
        let Some(claims) = claims.filter(|claims| !self.ends.has_ended(claims)) else {
            return Authenticated::Challenge { stale: false };
        };
        let Some(user) = self.snapshot.directory().by_id(UserId(claims.user)) else {
            return Authenticated::Challenge { stale: false };
        };
        if !user.enabled {
            return Authenticated::Refused { refusal: Refusal::Disabled, until: None };
        }
        let same_password =
            self.secrets.of(user.id).is_some_and(|secret| self.bearers.mark(&secret.sha256) == claims.mark);
        let same_realm = user.address.domain().eq_ignore_ascii_case(facts.realm);
        let is_device = match message.method() {
            Method::Register => registers_device(message, claims.device),
            _ => (facts.is_device_here)(user, claims.device),
        };
        if !same_password || !same_realm || !is_device {
            return Authenticated::Challenge { stale: false };
        }
        Authenticated::User { user: Arc::clone(user), repeated: false, device: Some(claims.device) }
    }

    fn judge(&mut self, message: &Message<'_>, credentials: &Credentials<'_>, facts: &Facts<'_>) -> Authenticated {
        let username = credentials.username();
        let user = self.snapshot.user(local_part(&username, facts.realm.as_bytes()), facts.realm.as_bytes()).cloned();
        // However a name is written, it is one account: escapes and a final dot must not make a fresh one to guess at.
        let account = match &user {
            Some(user) => account_hash(user.address.user().as_bytes(), user.address.domain().as_bytes()),
            None => account_hash(&lyceum_sip::uri::unescape(&username), facts.realm.as_bytes()),
        };
        let known = user.as_deref().is_some_and(|user| facts.known_here_when_counting(self.lockout, user));
        match self.lockout.check(facts.now.mono, facts.source, account, known) {
            Verdict::Pass => {}
            Verdict::PairShut(until) => return refused(Refusal::PairLocked, until),
            Verdict::AccountSlowed(until) => return refused(Refusal::AccountSlowed, until),
            Verdict::SourceShut(until) => return refused(Refusal::SourceLocked, until),
        }
        if !self.offers(message, credentials.algorithm) {
            return Authenticated::Challenge { stale: false };
        }
        if !signs(credentials.uri, message.request_uri(), facts.is_server) {
            return Authenticated::Refused { refusal: Refusal::SignedForAnother, until: None };
        }
        let of = NonceUse { kind: facts.kind, source: facts.source };
        let verdict = self.nonces.check(credentials.nonce, credentials.nc, of, facts.now.wall);
        let repeated = match verdict {
            NonceVerdict::Fresh => false,
            NonceVerdict::Replay { same_nc: true } => true,
            // Not the password's fault: the client asks again with a nonce of today, for its address of today.
            NonceVerdict::Stale | NonceVerdict::Forged | NonceVerdict::Replay { same_nc: false } => {
                return Authenticated::Challenge { stale: true };
            }
        };
        // An unknown name takes the same steps with a secret that nothing matches, so that time tells nothing.
        let secret = user.as_ref().and_then(|user| self.secrets.of(user.id)).unwrap_or(&NOBODY);
        let proved = digest::verify(credentials, message.method_token(), secret, message.body());
        match user {
            Some(user) if proved => {
                self.lockout.passed(facts.now.mono, facts.source, account);
                if !user.enabled {
                    return Authenticated::Refused { refusal: Refusal::Disabled, until: None };
                }
                Authenticated::User { user, repeated, device: None }
            }
            _ => self.failed(facts, account, &username),
        }
    }

    /// Spends the count of good credentials in a request that other proof let in, so that a copy of them is of no use.
    pub fn spend(&mut self, message: &Message<'_>, of: NonceUse, now: WallTime) {
        for field in message.fields().filter(|field| field.name == Name::ProxyAuthorization) {
            let Ok(credentials) = Credentials::parse(field.value) else { continue };
            let username = credentials.username();
            let user = self.snapshot.user(local_part(&username, credentials.realm), credentials.realm);
            let Some(secret) = user.and_then(|user| self.secrets.of(user.id)) else { continue };
            if digest::verify(&credentials, message.method_token(), secret, message.body()) {
                self.nonces.check(credentials.nonce, credentials.nc, of, now);
            }
        }
    }

    fn offers(&self, message: &Message<'_>, algorithm: Algorithm) -> bool {
        let agent = message.value(Name::UserAgent).unwrap_or_default();
        self.policy.offered(agent).iter().any(|offered| wire(*offered) == algorithm)
    }

    fn failed(&mut self, facts: &Facts<'_>, account: u64, username: &[u8]) -> Authenticated {
        let tripped = self.lockout.failed(facts.now.mono, facts.source, account, &self.limits);
        for trip in tripped {
            let who = String::from_utf8_lossy(&username[..username.len().min(64)]);
            let source = facts.source;
            match trip {
                Tripped::Pair => warn!(%source, account = ?who, "too many wrong passwords: source shut out of account"),
                Tripped::Account => warn!(%source, account = ?who, "account under attack: strangers to it are slowed"),
                Tripped::Source => warn!(%source, "too many wrong passwords: source shut out"),
            }
        }
        Authenticated::Refused { refusal: Refusal::WrongCredentials, until: None }
    }
}

impl Facts<'_> {
    fn known_here_when_counting(&self, lockout: &Lockout, user: &UserRecord) -> bool {
        lockout.is_counting() && (self.known_here)(user)
    }
}

/// A secret that no password gives, for names that do not exist.
static NOBODY: Ha1 = Ha1 { md5: [0; 16], sha256: [0; 32] };

fn refused(refusal: Refusal, until: Time) -> Authenticated {
    Authenticated::Refused { refusal, until: Some(until) }
}

/// The algorithm's wire form.
pub fn wire(algorithm: DigestAlgorithm) -> Algorithm {
    match algorithm {
        DigestAlgorithm::Md5 => Algorithm::Md5,
        DigestAlgorithm::Sha256 => Algorithm::Sha256,
    }
}

/// Phones sign in as `alice` or as `alice@example.org`; both mean the user part within the realm.
fn local_part<'a>(username: &'a [u8], realm: &[u8]) -> &'a [u8] {
    match username.iter().rposition(|byte| *byte == b'@') {
        Some(at) if username[at + 1..].eq_ignore_ascii_case(realm) => &username[..at],
        _ => username,
    }
}

/// A stable number for an account name, existing or not.
fn account_hash(username: &[u8], realm: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in local_part(username, realm).iter().chain(b"@").chain(realm) {
        hash = (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x100_0000_01b3);
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_the_user_name_are_one_account() {
        assert_eq!(local_part(b"alice@Example.org", b"example.org"), b"alice");
        assert_eq!(local_part(b"alice@other.org", b"example.org"), b"alice@other.org");
        assert_eq!(account_hash(b"Alice@example.org", b"example.org"), account_hash(b"alice", b"EXAMPLE.ORG"));
    }
}
