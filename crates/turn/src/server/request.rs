//! Requests: who asks (RFC 8489 §9.2.4), what is granted or refused, and the answer.

use std::net::SocketAddr;
use std::time::Duration;

use super::{AMPLIFICATION_MAX, ConnectionId, Now, Relays, Server, Step};
use crate::authority::Claim;
use crate::integrity::{Key, integrity_holds};
use crate::message::{Class, Message, Method, kind};
use crate::{Client, Writer};

/// Unknown attributes that are listed in a 420.
const LISTED_MAX: usize = 8;
/// What may be in every request.
const EVERYWHERE: [u16; 4] = [kind::USERNAME, kind::MESSAGE_INTEGRITY, kind::REALM, kind::NONCE];

/// Why a request is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Refusal {
    /// A status of the RFCs with its phrase.
    Status(u16, &'static str),
    /// 401 or 438, with what is needed to ask again.
    Challenge(u16, &'static str),
    /// 420.
    Unknown(Vec<u16>),
}

/// What is granted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Granted {
    Allocated {
        relay: SocketAddr,
        lifetime: Duration,
        reservation: Option<[u8; 8]>,
        without: Option<u8>,
    },
    Refreshed {
        lifetime: Duration,
    },
    Permitted,
    /// The answer comes when it is known whether the peer was reached.
    Later,
    /// The client's connection belongs to that with a peer.
    Joined(ConnectionId),
}

/// Who asks.
pub(crate) struct Caller<'a> {
    pub(crate) client: &'a Client,
    pub(crate) user: &'a str,
}

/// Attributes that must be understood and are not.
pub(crate) fn unknown(message: &Message<'_>, known: &[u16]) -> Vec<u16> {
    let kinds = message.attributes().map(|attribute| attribute.kind);
    kinds.filter(|kind| *kind < 0x8000 && !known.contains(kind) && !EVERYWHERE.contains(kind)).collect()
}

/// Begins a 420.
pub(crate) fn unknown_attributes<'o>(out: &'o mut Vec<u8>, message: &Message<'_>, unknown: &[u16]) -> Writer<'o> {
    let mut answer = Writer::new(out, message.method(), Class::Error, message.transaction());
    let listed: Vec<u8> = unknown.iter().take(LISTED_MAX).flat_map(|kind| kind.to_be_bytes()).collect();
    answer.error(420, "Unknown Attribute").attribute(kind::UNKNOWN_ATTRIBUTES, &listed);
    answer
}

/// Takes back an answer to a stranger that would be too long beside what it answers.
pub(crate) fn bounded(asked: usize, start: usize, out: &mut Vec<u8>) -> Step {
    if out.len() - start <= AMPLIFICATION_MAX * asked {
        return Step::Answer;
    }
    out.truncate(start);
    Step::Nothing
}

impl Server {
    pub(super) fn request(
        &mut self,
        now: Now,
        client: &Client,
        message: &Message<'_>,
        out: &mut Vec<u8>,
        relays: &mut dyn Relays,
    ) -> Step {
        let start = out.len();
        let (user, key) = match self.authenticate(now, client, message) {
            Ok(caller) => caller,
            Err(refusal) => {
                self.totals.unauthorized += 1;
                self.refuse(now, client, message, &refusal, None, out);
                return bounded(message.bytes().len(), start, out);
            }
        };
        let caller = Caller { client, user };
        let outcome = match message.method() {
            Method::Allocate => self.allocate(now, &caller, message, relays),
            Method::Refresh => self.refresh(now, &caller, message, relays),
            Method::CreatePermission => self.create_permission(now, &caller, message),
            Method::ChannelBind => self.channel_bind(now, &caller, message),
            Method::Connect | Method::ConnectionBind if !self.tcp_relays => {
                Err(Refusal::Status(400, "No TCP Relays Here"))
            }
            Method::Connect => self.connect(now, &caller, message, &key, relays),
            Method::ConnectionBind => self.connection_bind(now, &caller, message),
            _ => Err(Refusal::Status(400, "Unknown Method")),
        };
        match outcome {
            Ok(Granted::Later) => return Step::Nothing,
            Ok(granted) => {
                grant(client, message, &granted, &key, out);
                if let Granted::Joined(connection) = granted {
                    return Step::Joined(connection);
                }
            }
            Err(refusal) => self.refuse(now, client, message, &refusal, Some(&key), out),
        }
        Step::Answer
    }

    /// The user and the key of a request.
    fn authenticate<'m>(&self, now: Now, client: &Client, message: &Message<'m>) -> Result<(&'m str, Key), Refusal> {
        let stranger = Refusal::Challenge(401, "Unauthorized");
        if message.find(kind::MESSAGE_INTEGRITY).is_none() {
            return Err(stranger);
        }
        let bad = || Refusal::Status(400, "Bad Request");
        let username = message.value(kind::USERNAME).ok_or_else(bad)?;
        let realm = message.value(kind::REALM).ok_or_else(bad)?;
        let nonce = message.value(kind::NONCE).ok_or_else(bad)?;
        if !self.nonces.holds(nonce, client.remote, now.second()) {
            return Err(Refusal::Challenge(438, "Stale Nonce"));
        }
        let longest = self.authority.longest();
        let claim = Claim::read(username, now.wall, longest).filter(|claim| !self.revoked.holds(claim, longest));
        let Some(claim) = claim else {
            return Err(stranger);
        };
        let key = self.authority.key(username, &self.realm);
        if realm != self.realm.as_bytes() || !integrity_holds(message, &key) {
            return Err(stranger);
        }
        Ok((claim.user, key))
    }

    fn refuse(
        &self,
        now: Now,
        client: &Client,
        message: &Message<'_>,
        refusal: &Refusal,
        key: Option<&Key>,
        out: &mut Vec<u8>,
    ) {
        let mut answer = match refusal {
            Refusal::Unknown(unknown) => unknown_attributes(out, message, unknown),
            Refusal::Status(code, phrase) | Refusal::Challenge(code, phrase) => {
                let mut answer = Writer::new(out, message.method(), Class::Error, message.transaction());
                answer.error(*code, phrase);
                answer
            }
        };
        if matches!(refusal, Refusal::Challenge(..)) {
            answer.attribute(kind::NONCE, &self.nonces.make(client.remote, now.second()));
            answer.attribute(kind::REALM, self.realm.as_bytes());
        }
        finish(&mut answer, message, key);
    }
}

fn grant(client: &Client, message: &Message<'_>, granted: &Granted, key: &Key, out: &mut Vec<u8>) {
    let mut answer = Writer::new(out, message.method(), Class::Success, message.transaction());
    let seconds = |lifetime: &Duration| (lifetime.as_secs() as u32).to_be_bytes();
    match granted {
        Granted::Allocated { relay, lifetime, reservation, without } => {
            answer.address(kind::XOR_RELAYED_ADDRESS, *relay);
            answer.attribute(kind::LIFETIME, &seconds(lifetime));
            if let Some(token) = reservation {
                answer.attribute(kind::RESERVATION_TOKEN, token);
            }
            if let Some(family) = without {
                // 440: there is no second family for one allocation (RFC 8656 §7.2).
                answer.attribute(kind::ADDRESS_ERROR_CODE, &[*family, 0, 4, 40]);
            }
            answer.address(kind::XOR_MAPPED_ADDRESS, client.remote);
        }
        Granted::Refreshed { lifetime } => {
            answer.attribute(kind::LIFETIME, &seconds(lifetime));
        }
        Granted::Permitted | Granted::Later | Granted::Joined(_) => {}
    }
    finish(&mut answer, message, Some(key));
}

/// Seals an answer to who is known, and fingerprints it for who does so too.
fn finish(answer: &mut Writer<'_>, message: &Message<'_>, key: Option<&Key>) {
    if let Some(key) = key {
        answer.integrity(key);
    }
    if message.find(kind::FINGERPRINT).is_some() {
        answer.fingerprint();
    }
}
