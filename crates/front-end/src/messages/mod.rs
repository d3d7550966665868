//! Instant messages (RFC 3428) to our users: what may pass, what is kept, and what is delivered later.
//!
//! ```text
//! MESSAGE ─ policy, filter ─┬─ one device, nothing waits ──► forwarded; kept only if the device cannot take it
//!                           └─ else ─► stored (durable) ─► 200/202 ─► each device in turn, in order, once each
//! ```
//! A 200 says that every device has it or that it is stored for those that have not. What is delivered from the store
//! keeps Call-ID, CSeq, Message-ID and branch, so that a repetition after a crash is known to be one.

mod archive;
mod conversation;
mod deliver;
mod elsewhere;
mod keep;
mod letter;
mod list;
mod quiet;
mod take;
mod target;
mod typing;

use std::collections::{BTreeMap, HashMap, VecDeque};

use lyceum_users::messages::{DeviceKey, MessageId, Waiting};

pub use conversation::conversation_address;
pub(crate) use deliver::is_delivery;
pub(crate) use letter::address_of;
pub(crate) use take::{Kept, Taken};

/// Deliveries begun in one round of input.
pub(crate) const DELIVERIES_A_ROUND: usize = 256;
/// Devices that are being delivered to at once.
pub(crate) const DELIVERIES: usize = 65_536;

/// A device that gets what waits for it, one message at a time.
pub(crate) struct Delivery {
    pub(crate) aor: Box<str>,
    pub(crate) device: DeviceKey,
    /// The message under way.
    pub(crate) message: MessageId,
    /// What it is called in the histories.
    pub(crate) reference: lyceum_store::MessageRef,
    pub(crate) generation: u16,
    /// The device was heard of while this was under way.
    pub(crate) again: bool,
}

/// The messages of one worker.
#[derive(Default)]
pub struct Messages {
    pub(crate) waiting: Vec<Waiting>,
    pub(crate) deliveries: Vec<Option<Delivery>>,
    pub(crate) free: Vec<u32>,
    pub(crate) under_way: HashMap<(Box<str>, DeviceKey), u32>,
    /// Devices that something may wait for.
    pub(crate) due: VecDeque<(Box<str>, DeviceKey)>,
    /// Users for whose devices something waits once a block is durable: a device came, presence is another, or a message was
    /// stored, then for these devices alone.
    came: VecDeque<(u64, Box<str>, Option<Box<[DeviceKey]>>)>,
    pub(crate) history: Vec<lyceum_store::MessageEntry>,
    pub(crate) next_generation: u16,
    /// Messages that wait for the archive, by token.
    pub(crate) parked: BTreeMap<u64, archive::Parked>,
    pub(crate) next_token: u64,
}

impl Messages {
    pub(crate) fn new() -> Messages {
        Messages { waiting: (0..crate::core::GROUPS).map(|_| Waiting::default()).collect(), ..Messages::default() }
    }

    /// There was reason to try this delivery while it was under way.
    pub(crate) fn tried_again(&mut self, slot: u32) {
        if let Some(delivery) = self.deliveries.get_mut(slot as usize).and_then(Option::as_mut) {
            delivery.again = true;
        }
    }

    /// Messages that wait for devices.
    pub fn waiting(&self) -> usize {
        self.waiting.iter().map(|one| one.users().map(|aor| one.load_of(aor).0).sum::<usize>()).sum()
    }
}
