//! Session descriptions without IO: grammar (RFC 8866), attributes, offer and answer (RFC 3264), likeness of two legs.
//!
//! A [`Description`] keeps every line it was read from, known or not, in its order. Typed readers look at its lines
//! ([`Codec`], [`Crypto`], [`Candidate`], [`Fingerprint`]); a [`Negotiation`] is one leg's offer/answer machine; and
//! [`likeness()`] says for each medium of two legs whether it can go direct or what a server between them has to do.
//!
//! ```
//! use lyceum_sdp::{Description, Direction, Encoding};
//!
//! let text = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
//!     m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=x-vendor:kept\r\n";
//! let description = Description::parse(text)?;
//! let audio = &description.media[0];
//! assert_eq!(audio.codecs()[0].encoding, Encoding::Pcma);
//! assert_eq!(description.direction(0), Direction::SendRecv);
//! assert_eq!(description.to_bytes(), text);
//! # Ok::<(), lyceum_sdp::ParseError>(())
//! ```

pub mod agreement;
pub mod attribute;
pub mod codec;
pub mod description;
pub mod likeness;
pub mod limits;
pub mod line;
pub mod media;
pub mod negotiation;
pub mod origin;
pub mod stream;

pub use agreement::{Agreed, Keys};
pub use attribute::candidate::{Candidate, CandidateKind};
pub use attribute::crypto::{Crypto, KeySalt, Suite};
pub use attribute::direction::Direction;
pub use attribute::dtls::{Fingerprint, Setup};
pub use attribute::fmtp::{Events, H264Parameters, OpusParameters, Vp8Parameters};
pub use codec::{Codec, Encoding};
pub use description::Description;
pub use likeness::{Between, LegMedia, Path, Security, Verdict, likeness};
pub use limits::ParseError;
pub use line::Line;
pub use media::{Kind, Media, Protocol};
pub use negotiation::{Answer, Change, Negotiation, Received, Refusal};
pub use origin::{Connection, Origin};
pub use stream::{Dtls, Ice, Stream};
