//! PUBLISH (RFC 3903): what a device says of its user, kept under an entity tag until it ends.

use super::activity::Activity;
use super::availability::Availability;
use super::document::{Document, Publication};
use super::endpoint::DeviceKind;
use super::{BRIEF, MAX_LABEL, MAX_PUBLICATIONS};
use crate::bytes::hash64;
use crate::format::pidf::{self, Basic, Pidf};
use crate::format::xml::XmlError;
use lyceum_sip::time::WallTime;
use lyceum_topology::PresencePolicy;

/// The name of one published state; another with every change and refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ETag(pub u64);

impl ETag {
    /// Reads the text of SIP-If-Match.
    pub fn parse(text: &[u8]) -> Option<ETag> {
        let digits = std::str::from_utf8(text).ok().filter(|text| text.len() == 16)?;
        let lower = digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        lower.then(|| u64::from_str_radix(digits, 16).ok().map(ETag)).flatten()
    }
}

impl std::fmt::Display for ETag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// One PUBLISH for the event package `presence`, authorised for the address it names.
#[derive(Clone, Copy, Debug)]
pub struct PublishIntent<'a> {
    /// SIP-If-Match.
    pub if_match: Option<&'a [u8]>,
    /// Expires in seconds.
    pub expires: Option<u32>,
    /// Content-Type without parameters; looked at where there is a body.
    pub content_type: &'a [u8],
    /// The body; may be empty.
    pub body: &'a [u8],
    /// The device by a name that outlives its restart, such as `+sip.instance`; where none is known, the document's own
    /// `deviceID` is taken.
    pub device: Option<&'a str>,
    /// Where it came from. Of a device that gives no name at all, this and the document's own name for its tuple tell a
    /// second first PUBLISH, as after a restart, from another device's.
    pub source: Option<&'a str>,
    /// What sort of device, as its User-Agent tells.
    pub kind: DeviceKind,
    /// Random bits, of which the new entity tag is made.
    pub fresh: u64,
}

/// A PUBLISH that is answered with 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// SIP-ETag.
    pub etag: ETag,
    /// Expires, in seconds.
    pub expires: u32,
    /// Number of the journal block that must be durable before the 200 leaves.
    pub wait_for: Option<u64>,
    /// Watchers are to be told.
    pub changed: bool,
}

/// Why a PUBLISH changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublishRefusal {
    /// No state has this entity tag: 412.
    ConditionalRequestFailed,
    /// An interval above zero and below what is granted: 423 with Min-Expires.
    IntervalTooBrief {
        /// The least interval accepted, in seconds.
        min: u32,
    },
    /// The body is no presence document: 415 with Accept.
    UnsupportedMediaType,
    /// The body is over the policy's bound: 413.
    TooLarge {
        /// The bound in bytes.
        limit: usize,
    },
    /// The body cannot be read: 400.
    Body(XmlError),
    /// Neither a body nor an entity tag: 400.
    Nothing,
}

impl PublishRefusal {
    /// The status of the answer.
    pub fn status(&self) -> u16 {
        match self {
            PublishRefusal::ConditionalRequestFailed => 412,
            PublishRefusal::IntervalTooBrief { .. } => 423,
            PublishRefusal::UnsupportedMediaType => 415,
            PublishRefusal::TooLarge { .. } => 413,
            PublishRefusal::Body(_) | PublishRefusal::Nothing => 400,
        }
    }
}

impl std::fmt::Display for PublishRefusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PublishRefusal::ConditionalRequestFailed => {
                write!(f, "no published state has this entity tag; publish the whole state without SIP-If-Match")
            }
            PublishRefusal::IntervalTooBrief { min } => {
                write!(f, "the interval is below the minimum of {min} s; ask for more")
            }
            PublishRefusal::UnsupportedMediaType => write!(f, "send presence as {}", pidf::CONTENT_TYPE),
            PublishRefusal::TooLarge { limit } => write!(f, "the presence document is over {limit} bytes; shorten it"),
            PublishRefusal::Body(error) => write!(f, "{error}"),
            PublishRefusal::Nothing => write!(f, "a PUBLISH needs a body or SIP-If-Match"),
        }
    }
}

impl std::error::Error for PublishRefusal {}

/// Carries the PUBLISH out on the document; tells the tag and the interval granted. A state stands alone that is sent while
/// there is no binding; a refresh without one makes it so, and a refresh with one leaves it as it was.
pub(super) fn publish(
    now: WallTime,
    policy: &PresencePolicy,
    intent: &PublishIntent<'_>,
    registered: bool,
    document: &mut Document,
) -> Result<(ETag, u32), PublishRefusal> {
    let before = match intent.if_match {
        None => None,
        Some(tag) => Some(position(now, document, tag).ok_or(PublishRefusal::ConditionalRequestFailed)?),
    };
    let expires = granted(policy, intent.expires)?;
    let ends = WallTime(now.0 + u64::from(expires) * 1000);
    let etag = fresh(document, intent.fresh);
    let stated = if intent.body.is_empty() {
        None
    } else {
        Some(Publication { alone: !registered, ..stated(now, policy, intent)? })
    };
    match (before, stated) {
        (None, None) => return Err(PublishRefusal::Nothing),
        (Some(at), _) if expires == 0 => drop(document.publications.remove(at)),
        (Some(at), None) => {
            let publication = &mut document.publications[at];
            (publication.etag, publication.expires) = (etag, ends);
            publication.alone |= !registered;
        }
        (Some(at), Some(stated)) => document.publications[at] = Publication { etag, expires: ends, ..stated },
        // A state for no time at all: nobody is told.
        (None, Some(_)) if expires == 0 => {}
        (None, Some(stated)) => insert(document, Publication { etag, expires: ends, ..stated }),
    }
    document.publications.retain(|publication| publication.expires > now);
    let used = document.publications.iter().filter_map(|publication| publication.last_active).max();
    document.last_active = document.last_active.max(used);
    Ok((etag, expires))
}

fn position(now: WallTime, document: &Document, tag: &[u8]) -> Option<usize> {
    let tag = ETag::parse(tag)?;
    document.publications.iter().position(|publication| publication.etag == tag && publication.expires > now)
}

fn granted(policy: &PresencePolicy, asked: Option<u32>) -> Result<u32, PublishRefusal> {
    match asked {
        None => Ok(policy.default_expires),
        Some(0) => Ok(0),
        Some(asked) if asked < policy.min_expires.min(BRIEF) => {
            Err(PublishRefusal::IntervalTooBrief { min: policy.min_expires })
        }
        Some(asked) => Ok(asked.min(policy.max_expires)),
    }
}

/// A tag that none of the user's states has.
fn fresh(document: &Document, mut bits: u64) -> ETag {
    while document.publications.iter().any(|publication| publication.etag.0 == bits) {
        bits = bits.wrapping_add(1);
    }
    ETag(bits)
}

/// A device that begins anew takes the place of its old self; of too many states the oldest gives way.
fn insert(document: &mut Document, publication: Publication) {
    let all = &mut document.publications;
    all.retain(|other| other.device == 0 || other.device != publication.device);
    if all.len() >= MAX_PUBLICATIONS {
        let oldest = all.iter().enumerate().min_by_key(|(_, other)| other.received).map(|(at, _)| at);
        oldest.map(|at| all.remove(at));
    }
    all.push(publication);
}

/// What the body says.
fn stated(now: WallTime, policy: &PresencePolicy, intent: &PublishIntent<'_>) -> Result<Publication, PublishRefusal> {
    if !intent.content_type.eq_ignore_ascii_case(pidf::CONTENT_TYPE.as_bytes()) {
        return Err(PublishRefusal::UnsupportedMediaType);
    }
    let limit = policy.max_document_kib as usize * 1024;
    let document = Pidf::read(intent.body, limit).map_err(|error| match error {
        XmlError::TooLarge { limit } => PublishRefusal::TooLarge { limit },
        other => PublishRefusal::Body(other),
    })?;
    let own = document.own_activity.as_deref().and_then(Activity::parse);
    let own = own.or_else(|| document.availability.map(|value| Activity::plain(Availability(value).band())));
    let statement = own.or_else(|| document.activities.as_ref().and_then(Activity::of));
    let label = document.activities.as_ref().and_then(|activities| activities.other.as_deref());
    let input = document.user_input;
    let used = input.and_then(|input| input.last_input.or((!input.idle).then_some(now)));
    Ok(Publication {
        etag: ETag(0),
        expires: now,
        received: now,
        device: device(intent, &document),
        kind: intent.kind,
        closed: document.basic() == Basic::Closed || statement == Some(Activity::Offline),
        idle: input.is_some_and(|input| input.idle),
        alone: false,
        statement: statement.filter(|s| !matches!(s, Activity::Available | Activity::Inactive | Activity::Offline)),
        label: label.map(|label| label.chars().take(MAX_LABEL).collect::<String>().into()),
        note: document.note.map(Into::into),
        last_active: used.map(|at| at.min(now)),
    })
}

fn device(intent: &PublishIntent<'_>, document: &Pidf) -> u64 {
    match (intent.device.or(document.device()), intent.source, document.tuples.first()) {
        (Some(name), _, _) => device_of(name),
        (None, Some(source), Some(tuple)) => device_of(&format!("{source} {}", tuple.id)),
        _ => 0,
    }
}

/// A device's name as a number.
pub(super) fn device_of(name: &str) -> u64 {
    hash64(name.trim().as_bytes()).max(1)
}
