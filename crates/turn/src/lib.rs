//! STUN (RFC 8489) and TURN (RFC 8656, over TCP to peers too: RFC 6062) as an engine without IO.
//!
//! [`Server`] is given packets of clients and of peers with the time, and says what to send where; relay ports are opened
//! through [`Relays`], which the driver brings. Relaying costs one hash probe up and none down, allocates nothing and moves
//! no payload: headers are written into room that the driver leaves before it ([`HEADROOM`]).
//!
//! What it refuses, and why, is decided in [`PeerRules`] (whom a relay may talk to), [`Quotas`] (how much) and
//! [`Authority`] (who may ask at all).
#![forbid(unsafe_code)]

mod attribute;
mod authority;
mod channel;
mod client;
mod hash;
mod integrity;
mod message;
mod nonce;
mod peers;
mod quota;
mod server;
mod writer;

pub use attribute::{read_address, write_address};
pub use authority::{Authority, CREDENTIAL_LIFE, Credential, Secret, USERNAME_MAX};
pub use channel::{CHANNELS, Framed, STREAM_MESSAGE_MAX, frame};
pub use client::{Client, Via};
pub use integrity::{Key, fingerprint_holds, integrity_holds};
pub use message::{Class, Malformed, Message, Method, kind};
pub use nonce::{NONCE_LIFE, Nonces};
pub use peers::{Network, PeerRange, PeerRules};
pub use quota::Quotas;
pub use server::{
    AMPLIFICATION_MAX, CHANNELS_MAX, CONNECTION_WAIT, CONNECTIONS_MAX, CONNECTIONS_PER_ALLOCATION, ConnectionId,
    Family, HEADROOM, LIFETIME_DEFAULT, LIFETIME_MAX, Now, Options, PERMISSIONS_MAX, Port, REALM_MAX, REVOKED_MAX,
    RelayId, Relays, Server, Step, TAILROOM, Totals, Way,
};
pub use writer::Writer;
