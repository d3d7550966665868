//! Synthetic transactions: two endpoints of our own that sign in and call each other through the server, with sound both
//! ways. `lyceum dev` runs them once at start, `lyceum test registration|call|presence|im` whenever asked.

pub mod endpoint;
pub mod people;
pub mod sound;
pub mod tone;

use std::net::SocketAddr;
use std::time::Duration;

use endpoint::{Account, Endpoint, ProbeError};
use sound::{Heard, SoundLeg};

/// The tones by which each direction is told apart.
const CALLER_HERTZ: f64 = 440.0;
const CALLEE_HERTZ: f64 = 1000.0;
/// A direction counts as heard when this share of its energy is the other side's tone.
pub const PURE: f64 = 0.8;

/// What came of a test call.
#[derive(Clone, Debug)]
pub struct CallReport {
    /// From INVITE to 200.
    pub setup: Duration,
    /// Sound from the caller, as the callee heard it.
    pub to_callee: Heard,
    /// Sound from the callee, as the caller heard it.
    pub to_caller: Heard,
}

impl CallReport {
    /// Did sound pass both ways?
    pub fn both_ways(&self) -> bool {
        self.to_callee.purity > PURE && self.to_caller.purity > PURE
    }
}

/// Signs in once and out again; gives the time from REGISTER to its 200.
pub fn registration(server: SocketAddr, account: &Account) -> Result<Duration, ProbeError> {
    let mut endpoint = Endpoint::open(server, account)?;
    let took = endpoint.register(300)?;
    endpoint.register(0)?;
    Ok(took)
}

/// Signs both in, calls the second from the first, plays a tone each way, hangs up and signs out.
pub fn call(
    server: SocketAddr,
    caller: &Account,
    callee: &Account,
    length: Duration,
) -> Result<CallReport, ProbeError> {
    let mut calling = Endpoint::open(server, caller)?;
    let mut called = Endpoint::open(server, callee)?;
    calling.register(300)?;
    called.register(300)?;
    let report = talk(&mut calling, &mut called, length);
    calling.register(0)?;
    called.register(0)?;
    report
}

fn talk(calling: &mut Endpoint, called: &mut Endpoint, length: Duration) -> Result<CallReport, ProbeError> {
    let caller_sound = SoundLeg::open(calling.local().ip())?;
    let callee_sound = SoundLeg::open(called.local().ip())?;
    let caller_port = caller_sound.port();
    let callee_port = callee_sound.port();
    let target = called.uri();
    std::thread::scope(|scope| {
        let answering = scope.spawn(move || -> Result<Heard, ProbeError> {
            let call = called.answer(callee_port)?;
            let heard = callee_sound.talk(call.remote_sound, CALLEE_HERTZ, CALLER_HERTZ, length)?;
            called.await_bye(&call)?;
            Ok(heard)
        });
        let call = calling.invite(&target, caller_port)?;
        let to_caller = caller_sound.talk(call.remote_sound, CALLER_HERTZ, CALLEE_HERTZ, length)?;
        calling.bye(&call)?;
        let to_callee = answering.join().map_err(|_| ProbeError::Broken("the answering endpoint"))??;
        Ok(CallReport { setup: call.setup, to_callee, to_caller })
    })
}
