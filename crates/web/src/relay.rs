//! The relay as clients are told of it: where it is, and credentials for eight hours.

use lyceum_api::client::RelayCredentials;
use lyceum_sip::WallTime;
use lyceum_topology::UserRecord;
use lyceum_turn::Authority;

/// Where the relay is and who makes its credentials.
#[derive(Clone, Debug)]
pub struct RelayAccess {
    /// Makes credentials.
    pub authority: Authority,
    /// `turn:` and `turns:` addresses, the first one to be tried first.
    pub uris: Vec<String>,
}

impl RelayAccess {
    /// How the relay calls a user. It learns neither name nor address.
    pub fn name(user: &UserRecord) -> String {
        format!("u{:x}", user.id.0)
    }

    /// What a user signs in to the relay with.
    pub fn credentials(&self, user: &UserRecord, now: WallTime) -> RelayCredentials {
        let credential = self.authority.issue(&Self::name(user), now.0 / 1000);
        RelayCredentials {
            uris: self.uris.clone(),
            username: credential.username,
            password: credential.password,
            ttl: u32::try_from(credential.life.as_secs()).unwrap_or(u32::MAX),
        }
    }
}
