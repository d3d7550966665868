//! Whose credentials have ended before their time.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::authority::Claim;

/// Users whose credentials are remembered as ended. One more, and every credential issued until then ends: clients fetch
/// new ones.
pub const REVOKED_MAX: usize = 65_536;

/// Seconds since 1970 until which what was issued to a user is worth nothing.
#[derive(Debug, Default)]
pub(crate) struct Revoked {
    users: BTreeMap<Box<str>, u64>,
    everybody: u64,
}

impl Revoked {
    pub(crate) fn add(&mut self, user: &str, now: u64, longest: Duration) {
        if self.users.len() >= REVOKED_MAX && !self.users.contains_key(user) {
            // Credentials issued so long ago have ended by themselves.
            self.users.retain(|_, until| *until + longest.as_secs() > now);
            if self.users.len() >= REVOKED_MAX {
                self.users.clear();
                self.everybody = now;
                return;
            }
        }
        self.users.insert(user.into(), now);
    }

    pub(crate) fn holds(&self, claim: &Claim<'_>, longest: Duration) -> bool {
        let until = self.users.get(claim.user).copied().unwrap_or(0).max(self.everybody);
        until > 0 && claim.expires <= until + longest.as_secs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CREDENTIAL_LIFE as LIFE;

    fn issued(user: &str, at: u64) -> Claim<'_> {
        Claim { expires: at + LIFE.as_secs(), user }
    }

    #[test]
    fn what_was_issued_until_then_has_ended_and_what_comes_later_counts() {
        let mut revoked = Revoked::default();
        revoked.add("guest", 1000, LIFE);
        assert!(revoked.holds(&issued("guest", 999), LIFE));
        assert!(revoked.holds(&issued("guest", 1000), LIFE));
        assert!(!revoked.holds(&issued("guest", 1001), LIFE));
        assert!(!revoked.holds(&issued("anna", 999), LIFE));
    }

    #[test]
    fn a_full_list_forgets_nobody() {
        let mut revoked = Revoked::default();
        for i in 0..=REVOKED_MAX as u64 {
            revoked.add(&format!("guest{i}"), 1000, LIFE);
        }
        assert!(revoked.holds(&issued("guest0", 1000), LIFE));
        assert!(revoked.holds(&issued("anybody", 1000), LIFE));
        assert!(!revoked.holds(&issued("anybody", 1001), LIFE));
    }
}
