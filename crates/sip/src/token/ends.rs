//! Tokens that end before their time: they are signed, not stored, so what is kept is which of them are worth nothing.

use std::collections::HashMap;

use super::bearer::Claims;
use crate::time::WallTime;

/// Devices of one user that are told apart; one more, and all of the user's tokens end.
const DEVICES_OF_A_USER: usize = 32;

/// Until when tokens were handed out that have ended, by user and device; device 0 stands for all.
#[derive(Clone, Debug, Default)]
pub struct Ends(HashMap<u32, HashMap<u64, WallTime>>);

impl Ends {
    /// Ends what was handed out until `at` to a device, or with `None` to all of a user's. Tells for which device that was
    /// noted: for all, when a user has too many.
    pub fn end(&mut self, user: u32, device: Option<u64>, at: WallTime) -> Option<u64> {
        let of_user = self.0.entry(user).or_default();
        let device = device.filter(|device| of_user.contains_key(device) || of_user.len() < DEVICES_OF_A_USER);
        if device.is_none() {
            // Everything until now has ended, that of every device too.
            of_user.retain(|_, known| *known > at);
        }
        let known = of_user.entry(device.unwrap_or(0)).or_insert(at);
        *known = at.max(*known);
        device
    }

    /// Forgets the ends from before `at`, whose tokens have all run out.
    pub fn forget(&mut self, at: WallTime) {
        self.0.retain(|_, of_user| {
            of_user.retain(|_, known| *known >= at);
            !of_user.is_empty()
        });
    }

    /// Whether a token has ended before its time. A token carries whole seconds: one of the very second of the end counts as
    /// from before it.
    #[must_use]
    pub fn has_ended(&self, claims: &Claims) -> bool {
        let Some(of_user) = self.0.get(&claims.user) else { return false };
        let handed_out = claims.expires.0.saturating_sub(claims.audience.life().as_millis() as u64);
        [claims.device, 0].iter().any(|device| of_user.get(device).is_some_and(|at| handed_out <= at.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::bearer::Audience;

    const AT: WallTime = WallTime(1_700_000_000_000);

    fn claims(audience: Audience, device: u64, seconds: i64) -> Claims {
        let from = AT.0.saturating_add_signed(seconds * 1000);
        let expires = WallTime(from + audience.life().as_millis() as u64);
        Claims { audience, user: 7, device, mark: 1, expires }
    }

    #[test]
    fn what_was_handed_out_before_the_end_is_worth_nothing() {
        let mut ends = Ends::default();
        assert_eq!(ends.end(7, Some(3), AT), Some(3));
        for (audience, device, seconds, over) in [
            (Audience::Client, 3, -1, true),
            (Audience::Client, 3, 0, true),
            (Audience::Client, 3, 1, false),
            (Audience::Client, 4, -1, false),
            (Audience::Renewal, 3, -3600, true),
            (Audience::Renewal, 3, 1, false),
        ] {
            assert_eq!(ends.has_ended(&claims(audience, device, seconds)), over, "{audience:?} {device} {seconds}");
        }
        ends.forget(WallTime(AT.0 + 1));
        assert!(!ends.has_ended(&claims(Audience::Client, 3, -1)));
    }

    #[test]
    fn all_devices_end_at_once_and_when_there_are_too_many() {
        let mut ends = Ends::default();
        assert_eq!(ends.end(7, None, AT), None);
        assert!(ends.has_ended(&claims(Audience::Renewal, 5, -1)));
        let mut ends = Ends::default();
        for device in 1..=DEVICES_OF_A_USER as u64 {
            assert_eq!(ends.end(7, Some(device), AT), Some(device));
        }
        assert_eq!(ends.end(7, Some(9000), AT), None);
        assert_eq!(ends.0[&7].len(), 1);
    }
}
