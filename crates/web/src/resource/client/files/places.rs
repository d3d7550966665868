//! How many files are under way, for each person and together, and how fast each has to be.

use crate::locked;
use crate::refused::Refused;
use lyceum_api::Refusal;
use lyceum_topology::UserId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// Files that one person sends and fetches at a time.
const EACH_MOST: u32 = 8;
/// Files under way at a time.
const ALL_MOST: u32 = 512;
/// When somebody who has as many may try again.
const RETRY_SECONDS: u64 = 10;
/// How long a file may take whatever its size.
const GRACE: Duration = Duration::from_secs(60);
/// Bytes a second, on the average, that a file goes at least.
const LEAST_RATE: u64 = 8 * 1024;
/// How long an upload may pause.
const PAUSE_MOST: Duration = Duration::from_secs(30);

/// Files under way.
#[derive(Clone, Default)]
pub struct Transfers(Arc<Mutex<Under>>);

#[derive(Default)]
struct Under {
    all: u32,
    each: HashMap<UserId, u32>,
}

/// One file under way.
pub struct Place {
    transfers: Transfers,
    user: UserId,
}

impl Transfers {
    /// A place for one more of this person's.
    pub fn place(&self, user: UserId) -> Result<Place, Refused> {
        let mut under = locked(&self.0);
        let own = under.each.get(&user).copied().unwrap_or_default();
        if own >= EACH_MOST || under.all >= ALL_MOST {
            let what = match own >= EACH_MOST {
                true => format!("{EACH_MOST} files of yours are under way"),
                false => "too many files are under way".to_owned(),
            };
            return Err(Refused::new(Refusal::ServerBusy, what, "/client/files").retry_after(RETRY_SECONDS));
        }
        under.all += 1;
        under.each.insert(user, own + 1);
        Ok(Place { transfers: self.clone(), user })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut under = locked(&self.transfers.0);
        under.all -= 1;
        let left = under.each.get(&self.user).map_or(0, |own| own - 1);
        match left {
            0 => under.each.remove(&self.user),
            left => under.each.insert(self.user, left),
        };
    }
}

/// How fast a file goes.
pub struct Pace {
    begun: Instant,
    bytes: u64,
}

impl Pace {
    /// Begins now.
    pub fn begin() -> Pace {
        Pace { begun: Instant::now(), bytes: 0 }
    }

    /// So many more bytes went.
    pub fn went(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    /// Until when the next ones have to go.
    pub fn deadline(&self) -> Instant {
        let whole = self.begun + GRACE + Duration::from_secs(self.bytes / LEAST_RATE);
        whole.min(Instant::now() + PAUSE_MOST)
    }

    /// Whether it went too slowly.
    pub fn is_over(&self) -> bool {
        self.deadline() <= Instant::now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_takes_so_many_places_and_gives_them_back() {
        let transfers = Transfers::default();
        let place = |user: u32| transfers.place(UserId(user)).map_err(|refused| refused.problem().code.clone());
        let mut held: Vec<_> = (0..EACH_MOST).map(|_| place(1).expect("there is room")).collect();
        assert_eq!(place(1).err().as_deref(), Some("server-busy"));
        assert!(place(2).is_ok(), "somebody else's");
        held.pop();
        assert!(place(1).is_ok());
        held.clear();
        let under = transfers.0.lock().expect("no panic");
        assert_eq!((under.all, under.each.len()), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_creeps_is_over_though_it_never_pauses() {
        let mut pace = Pace::begin();
        for second in 0..59 {
            assert!(!pace.is_over(), "{second}");
            tokio::time::advance(Duration::from_secs(1)).await;
            pace.went(1);
        }
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(pace.is_over());
        pace.went(1 << 20);
        assert!(!pace.is_over(), "what goes fast may be large");
    }
}
