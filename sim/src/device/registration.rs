//! REGISTER: make, keep and take away the binding, and remember what was promised.

use std::time::Duration;

use lyceum_sip::time::{Time, WallTime};
use lyceum_sip::{Message, Method};

use super::ask::{Ask, TRIES};
use super::{Context, Device, Task, Use};
use crate::organisation::{DOMAIN, MIN_EXPIRES};
use crate::report::Report;

/// A refresh that was carried out but not acknowledged left at least so much.
const LEAST: Duration = Duration::from_secs(MIN_EXPIRES as u64 - 1);

/// What the registrar promised to a device.
#[derive(Debug)]
pub struct Registration {
    call_id: String,
    cseq: u32,
    /// A REGISTER is under way: since when, and the contact it is about.
    pub pending: Option<(Time, String)>,
    /// A contact that must be bound until then.
    pub held: Option<(String, WallTime)>,
    /// A contact that must not be bound.
    pub removed: Option<(String, Time)>,
    /// REGISTERs of a contact answered with 200.
    pub granted: u32,
    /// The CSeq of the last REGISTER sent.
    pub last_cseq: u32,
}

impl Registration {
    pub(super) fn new(id: usize) -> Self {
        Registration {
            call_id: format!("d{id}register"),
            cseq: 0,
            pending: None,
            held: None,
            removed: None,
            granted: 0,
            last_cseq: 0,
        }
    }
}

impl Device {
    pub(super) fn register(&mut self, remove: bool, ctx: &mut Context<'_>) {
        if !self.powered || (self.quiet && !remove) || self.registration.pending.is_some() {
            return;
        }
        if self.transport.is_reliable() && self.connection.is_none() {
            return;
        }
        let uri = self.contact_uri();
        let mut ask = self.new_ask(Method::Register, format!("sip:u{}@{DOMAIN}", self.user));
        ask.uri = format!("sip:{DOMAIN}");
        ask.call_id = self.registration.call_id.clone();
        ask.cseq = self.registration.cseq;
        ask.contact = Some(self.contact(&uri));
        // Now and then a wish below the least: 423 is then the right answer.
        ask.expires = Some(match ctx.dice.below(10) {
            _ if remove => 0,
            0 => 20,
            n => 60 + n as u32 * 20,
        });
        let registration = &mut self.registration;
        registration.removed = None;
        let same = registration.held.as_ref().is_some_and(|(held, _)| *held == uri);
        match &mut registration.held {
            // A refresh may be granted less than what is left.
            Some((_, until)) if same && !remove => *until = (*until).min(ctx.now.wall + LEAST),
            held => *held = None,
        }
        registration.pending = Some((ctx.now.mono, uri));
        self.send_register(ask, ctx);
    }

    fn contact(&self, uri: &str) -> String {
        let outbound = if self.transport.is_reliable() { ";reg-id=1" } else { "" };
        match &self.instance {
            Some(instance) => format!("<{uri}>;+sip.instance=\"<{instance}>\"{outbound}"),
            None => format!("<{uri}>"),
        }
    }

    fn send_register(&mut self, mut ask: Ask, ctx: &mut Context<'_>) {
        // The clock of the promise starts with the request that is granted.
        if let Some((since, _)) = &mut self.registration.pending {
            *since = ctx.now.mono;
        }
        self.registration.cseq = ask.cseq + 1;
        self.registration.last_cseq = ask.cseq + 1;
        // The use carries the ask as it will be when this attempt is answered.
        let mut then = ask.clone();
        (then.cseq, then.tries) = (ask.cseq + 1, ask.tries + 1);
        self.send_ask(&mut ask, Use::Register(Box::new(then)), ctx);
    }

    pub(super) fn register_answered(&mut self, mut ask: Ask, response: &Message<'_>, ctx: &mut Context<'_>) {
        let status = response.status();
        if status < 200 {
            return;
        }
        let remove = ask.expires == Some(0);
        match status {
            401 if ask.tries < TRIES && self.wallet.challenged(Method::Register, response) => {
                return self.send_register(ask, ctx);
            }
            423 if ask.expires == Some(20) && ask.tries < TRIES => {
                ask.expires = Some(90);
                return self.send_register(ask, ctx);
            }
            200 => self.granted(&ask, response, ctx),
            503 => ctx.later(Duration::from_secs(4), if remove { Task::Unregister } else { Task::Register }),
            _ => {
                let call_id = ask.call_id.clone().into_bytes();
                ctx.report(Report::Unexpected { method: Method::Register, status, call_id });
                ctx.later(Duration::from_secs(20), Task::Register);
            }
        }
        self.registration.pending = None;
    }

    fn granted(&mut self, ask: &Ask, response: &Message<'_>, ctx: &mut Context<'_>) {
        let Some((since, uri)) = self.registration.pending.take() else { return };
        let listed = response.contacts().flatten().find_map(|contact| {
            let address = contact.address()?;
            (address.uri == uri.as_bytes()).then(|| contact.expires().unwrap_or_default())
        });
        let removed = ask.expires == Some(0);
        match listed {
            Some(seconds) if !removed => {
                let waited = ctx.now.mono - since;
                let start = WallTime(ctx.now.wall.0.saturating_sub(waited.as_millis() as u64));
                // A second less: the header has whole seconds.
                let until = WallTime((start.0 + u64::from(seconds) * 1000).saturating_sub(1000));
                self.registration.held = Some((uri, until));
                self.registration.granted += 1;
                let refresh = u64::from(seconds) * ctx.dice.between(50, 90) / 100;
                ctx.later(Duration::from_secs(refresh.max(1)), Task::Register);
                if ctx.dice.chance(15) {
                    // Some sign out at once, while copies of the REGISTER are still on their way.
                    let soon = if ctx.dice.chance(50) { ctx.dice.millis(0, 150) } else { ctx.dice.seconds(1, 50) };
                    ctx.later(soon, Task::Unregister);
                }
            }
            None if removed => {
                self.registration.removed = Some((uri, ctx.now.mono));
                let back = ctx.dice.seconds(20, 90);
                ctx.later(back, Task::Register);
            }
            _ => ctx.report(Report::WrongContacts { removed }),
        }
    }

    pub(super) fn register_silent(&mut self, ctx: &mut Context<'_>) {
        self.registration.pending = None;
        let after = ctx.dice.seconds(2, 10);
        ctx.later(after, Task::Register);
    }

    /// A device that comes back asks for a new nonce.
    pub fn restart(&mut self) {
        self.wallet.clear();
    }
}
