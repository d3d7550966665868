//! SIP without IO: grammar, digest, transactions, dialogs, proxy response context.
//!
//! A message is indexed where it lies ([`parse`], [`Index`]), read through lazy typed views
//! ([`Message`]), forwarded by copying ranges with edits between them ([`Splice`]), and
//! answered by [`ResponseBuilder`]. Nothing here reads a clock, a socket or a random source,
//! and no bytes can make it panic.
//!
//! ```
//! use lyceum_sip::{Index, Limits, Message, Name, Splice, parse};
//!
//! let bytes = b"INVITE sip:bob@example.org SIP/2.0\r\n\
//!     Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKa;rport\r\n\
//!     From: <sip:alice@example.org>;tag=1\r\nTo: <sip:bob@example.org>\r\n\
//!     Call-ID: c1\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n";
//! let mut index = Index::new();
//! parse(bytes, &mut index, &Limits::default())?;
//! let invite = Message::new(bytes, &index);
//! invite.validate()?;
//! assert_eq!(invite.from_tag(), Some(&b"1"[..]));
//!
//! let mut forwarded = Vec::new();
//! Splice::new(invite)
//!     .request_uri(b"sip:bob@192.0.2.9")
//!     .prepend(b"Via: SIP/2.0/UDP proxy.example.org;branch=z9hG4bKb")
//!     .replace(Name::MaxForwards, b"69")
//!     .write(&mut forwarded);
//! assert!(forwarded.starts_with(b"INVITE sip:bob@192.0.2.9 SIP/2.0\r\nVia: SIP/2.0/UDP proxy"));
//! # Ok::<(), lyceum_sip::ParseError>(())
//! ```

pub mod build;
pub mod dialog;
pub mod digest;
pub mod framer;
pub mod gruu;
pub mod header;
mod keyed;
pub mod lex;
pub mod limits;
pub mod locate;
pub mod message;
pub mod method;
pub mod name;
pub mod outbound;
pub mod proxy;
pub mod reuse;
pub mod session_timer;
pub mod splice;
pub mod stun;
pub mod time;
pub mod token;
pub mod transaction;
pub mod transport;
pub mod uri;
pub mod validate;

pub use build::{RequestBuilder, ResponseBuilder, default_reason};
pub use framer::{Frame, Framer, FramingError};
pub use header::contact::Contact;
pub use header::cseq::CSeq;
pub use header::name_addr::NameAddr;
pub use header::params::{Param, Params};
pub use header::via::Via;
pub use keyed::SecretKey;
pub use limits::{HeaderError, Limits, ParseError};
pub use message::{Field, Index, Message, parse};
pub use method::Method;
pub use name::Name;
pub use splice::Splice;
pub use time::{Now, Time, WallTime};
pub use transport::Transport;
pub use uri::{Host, Scheme, Uri, UriError};
pub use validate::{Refusal, refusal};
