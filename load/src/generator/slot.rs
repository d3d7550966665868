//! One operation under way: a registration, a ping, a message or a call with both its ends.

use super::Kind;

/// Where an operation is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// The first request is sent.
    First,
    /// The request with credentials is sent.
    Authorized,
    /// The call is acknowledged, BYE waits.
    Talking,
    /// BYE is sent.
    Leaving,
}

/// Where the called end of a call is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Called {
    /// No INVITE yet.
    Idle,
    /// 180 is sent.
    Ringing,
    /// 200 is sent and repeated until ACK.
    Answered,
    /// ACK came.
    Talking,
}

/// One operation. Its buffers are used again, so that a message allocates nothing.
#[derive(Debug)]
pub struct Slot {
    /// `None` while nobody uses it.
    pub kind: Option<Kind>,
    /// Where it is.
    pub step: Step,
    /// Grows with every transaction, never starts again: with the place it makes the branch.
    pub stamp: u32,
    /// The stamp it began with: with the place it makes the Call-ID.
    pub birth: u32,
    /// The INVITE transaction that was answered with 2xx.
    pub invite: u32,
    /// Deadlines set under another number do not count.
    pub timer: u32,
    /// The same for the called end.
    pub called_timer: u32,
    /// How often the request was sent again.
    pub repeats: u8,
    /// How often the 2xx was sent again.
    pub called_repeats: u8,
    /// True when a provisional answer to INVITE came.
    pub proceeding: bool,
    /// Number of the user that sends.
    pub user: u32,
    /// Number of the user that is called.
    pub peer: u32,
    /// CSeq of the last request.
    pub cseq: u32,
    /// When the operation began, in µs.
    pub began: u64,
    /// When the request was first sent.
    pub asked: u64,
    /// The called end.
    pub called: Called,
    /// The request that is repeated.
    pub request: Vec<u8>,
    /// The ACK, for a 2xx that is repeated.
    pub ack: Vec<u8>,
    /// The called end's 180 or 200.
    pub answer: Vec<u8>,
    /// The side (socket) of the called end.
    pub side: usize,
}

impl Default for Slot {
    fn default() -> Self {
        Slot {
            kind: None,
            step: Step::First,
            stamp: 0,
            birth: 0,
            invite: 0,
            timer: 0,
            called_timer: 0,
            repeats: 0,
            called_repeats: 0,
            proceeding: false,
            user: 0,
            peer: 0,
            cseq: 0,
            began: 0,
            asked: 0,
            called: Called::Idle,
            request: Vec::new(),
            ack: Vec::new(),
            answer: Vec::new(),
            side: 0,
        }
    }
}

impl Slot {
    fn begin(&mut self, kind: Kind, now: u64) {
        self.kind = Some(kind);
        self.step = Step::First;
        self.birth = self.stamp.wrapping_add(1);
        self.invite = 0;
        self.cseq = 0;
        self.began = now;
        self.called = Called::Idle;
        self.called_timer = self.called_timer.wrapping_add(1);
        self.ack.clear();
        self.answer.clear();
    }

    /// A new transaction: its request is to be written now.
    pub fn ask(&mut self, now: u64) {
        self.stamp = self.stamp.wrapping_add(1);
        self.timer = self.timer.wrapping_add(1);
        self.cseq += 1;
        self.repeats = 0;
        self.proceeding = false;
        self.asked = now;
        self.request.clear();
    }
}

/// All operations under way, in places that are used again.
#[derive(Debug)]
pub struct Slots {
    slots: Vec<Slot>,
    free: Vec<u32>,
    limit: usize,
}

impl Slots {
    /// With so many operations at most.
    #[must_use]
    pub fn new(limit: usize) -> Slots {
        Slots { slots: Vec::new(), free: Vec::new(), limit }
    }

    /// A place for a new operation; `None` when all are taken.
    pub fn begin(&mut self, kind: Kind, now: u64) -> Option<u32> {
        let place = match self.free.pop() {
            Some(place) => place,
            None if self.slots.len() < self.limit => {
                self.slots.push(Slot::default());
                (self.slots.len() - 1) as u32
            }
            None => return None,
        };
        self.slots[place as usize].begin(kind, now);
        Some(place)
    }

    /// The operation is over.
    pub fn end(&mut self, place: u32) {
        let slot = &mut self.slots[place as usize];
        slot.kind = None;
        slot.timer = slot.timer.wrapping_add(1);
        slot.called_timer = slot.called_timer.wrapping_add(1);
        self.free.push(place);
    }

    /// The operation in this place, if there is one.
    pub fn live(&mut self, place: u32) -> Option<&mut Slot> {
        self.slots.get_mut(place as usize).filter(|slot| slot.kind.is_some())
    }

    /// How many are under way.
    #[must_use]
    pub fn count(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// The places that are taken.
    #[must_use]
    pub fn taken(&self) -> Vec<u32> {
        (0..).zip(&self.slots).filter(|(_, slot)| slot.kind.is_some()).map(|(place, _)| place).collect()
    }
}
