//! The digest secrets of the users, as the worker holds them in memory.
//!
//! The store keeps them encrypted; here they lie decrypted, shared between workers, in a type that cannot print them.
//! Changing one user copies one shard.

use std::collections::HashMap;
use std::sync::Arc;

use lyceum_sip::digest::Ha1;
use lyceum_topology::UserId;

const SHARDS: usize = 1024;

/// The digest secrets of all users; a clone shares everything.
#[derive(Clone)]
pub struct Credentials {
    shards: Arc<[Arc<HashMap<UserId, Ha1>>]>,
}

impl Default for Credentials {
    fn default() -> Self {
        Credentials { shards: (0..SHARDS).map(|_| Arc::default()).collect() }
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(<secret>)")
    }
}

fn shard_of(user: UserId) -> usize {
    user.0 as usize % SHARDS
}

impl Credentials {
    /// Builds the table at start.
    pub fn load(all: impl IntoIterator<Item = (UserId, Ha1)>) -> Self {
        let mut shards: Vec<HashMap<UserId, Ha1>> = vec![HashMap::new(); SHARDS];
        for (user, secret) in all {
            shards[shard_of(user)].insert(user, secret);
        }
        Credentials { shards: shards.into_iter().map(Arc::new).collect() }
    }

    /// The secret of one user.
    pub fn of(&self, user: UserId) -> Option<&Ha1> {
        self.shards[shard_of(user)].get(&user)
    }

    /// The table with one user's secret set, or removed with `None`.
    #[must_use]
    pub fn with(&self, user: UserId, secret: Option<Ha1>) -> Self {
        let mut shards: Vec<_> = self.shards.to_vec();
        let shard = Arc::make_mut(&mut shards[shard_of(user)]);
        match secret {
            Some(secret) => shard.insert(user, secret),
            None => shard.remove(&user),
        };
        Credentials { shards: shards.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changing_one_user_copies_one_shard() {
        let secret = || Ha1::of(b"a", b"b", b"c");
        let before = Credentials::load((0..5000).map(|n| (UserId(n), secret())));
        let after = before.with(UserId(7), None);
        assert!(before.of(UserId(7)).is_some() && after.of(UserId(7)).is_none());
        let copied = before.shards.iter().zip(after.shards.iter()).filter(|(a, b)| !Arc::ptr_eq(a, b)).count();
        assert_eq!(copied, 1);
        assert_eq!(format!("{after:?}"), "Credentials(<secret>)");
    }
}
