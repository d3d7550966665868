//! Likeness: for each medium of two legs, whether it can go direct or what has to be done between them.
//!
//! The cheapest that works is chosen: direct, then a relay that only forwards, then another protection of the same
//! packets, then transcoding with the pair of codecs that costs least.

use std::fmt;

use crate::codec::{Codec, Encoding};
use crate::description::Description;
use crate::media::{Kind, Media, Protocol};

/// How a leg protects its media.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Security {
    /// Plain RTP.
    Plain,
    /// SRTP with keys in the description.
    Sdes,
    /// SRTP with keys from DTLS, with ICE: browsers.
    Dtls,
}

/// What is known of one medium of a leg: from its description, or from what its device registered as.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LegMedia {
    /// What it carries.
    pub kind: Kind,
    /// The protections it can have, its favourite first.
    pub security: Vec<Security>,
    /// Its codecs, its favourite first.
    pub codecs: Vec<Codec>,
}

impl LegMedia {
    /// What a device can do of a kind.
    #[must_use]
    pub fn new(kind: Kind, security: &[Security], codecs: Vec<Codec>) -> Self {
        Self { kind, security: security.to_vec(), codecs }
    }

    /// What a description says, medium by medium; refused media have no protection and no codec.
    #[must_use]
    pub fn of(description: &Description) -> Vec<Self> {
        let each = description.media.iter().enumerate();
        each.map(|(index, media)| Self {
            kind: media.kind.clone(),
            security: security(description, media, index),
            codecs: if media.port == 0 { Vec::new() } else { media.codecs() },
        })
        .collect()
    }
}

fn security(description: &Description, media: &Media, index: usize) -> Vec<Security> {
    match &media.protocol {
        _ if media.port == 0 => Vec::new(),
        Protocol::Other(_) => Vec::new(),
        _ if description.fingerprint(index).is_some() => vec![Security::Dtls],
        protocol if protocol.is_secure() => vec![Security::Sdes],
        // Keys on a plain profile: SRTP if the other likes it ("optional").
        _ if media.attribute("crypto").is_some() => vec![Security::Sdes, Security::Plain],
        _ => vec![Security::Plain],
    }
}

/// What lies between the legs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Between {
    /// Why a server has to see the media (recording, announcement, another network), if it has to.
    pub anchor: Option<String>,
}

/// What has to be done with a medium.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Path {
    /// Nothing: the endpoints send to each other.
    Direct,
    /// Packets are forwarded as they are.
    Relay,
    /// Packets are forwarded, protected in another way.
    Bridge {
        /// Of the first leg.
        a: Security,
        /// Of the second.
        b: Security,
    },
    /// Sound is decoded and encoded again.
    Transcode {
        /// The first leg's codec.
        a: Box<Codec>,
        /// The second's.
        b: Box<Codec>,
    },
    /// There is no way.
    Impossible,
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => f.write_str("direct"),
            Self::Relay => f.write_str("relay"),
            Self::Bridge { a, b } => write!(f, "bridge {a} to {b}"),
            Self::Transcode { a, b } => write!(f, "transcode {} to {}", a.encoding, b.encoding),
            Self::Impossible => f.write_str("impossible"),
        }
    }
}

impl fmt::Display for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::Sdes => "sdes",
            Self::Dtls => "dtls",
        })
    }
}

/// What was found of one medium.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// What it carries.
    pub kind: Kind,
    /// What has to be done.
    pub path: Path,
    /// Why, as a sentence for a person.
    pub because: String,
    /// Codecs that pass unchanged: the first leg's and the second's, whose numbers may differ.
    pub same: Vec<(Codec, Codec)>,
    /// The protection of each leg; `None` when impossible.
    pub security: Option<(Security, Security)>,
}

/// Says for every medium of `a`, and those of `b` beyond, what has to be done between the legs.
#[must_use]
pub fn likeness(a: &[LegMedia], b: &[LegMedia], between: &Between) -> Vec<Verdict> {
    let mut taken = vec![false; b.len()];
    let mut verdicts = Vec::new();
    for first in a {
        let partner = b.iter().enumerate().find(|(at, second)| !taken[*at] && second.kind == first.kind);
        verdicts.push(match partner {
            Some((at, second)) => {
                taken[at] = true;
                medium(first, second, between)
            }
            None => impossible(&first.kind, format!("the other side has no {}", first.kind)),
        });
    }
    let alone = b.iter().zip(&taken).filter(|(_, taken)| !**taken);
    verdicts
        .extend(alone.map(|(second, _)| impossible(&second.kind, format!("the first side has no {}", second.kind))));
    verdicts
}

fn impossible(kind: &Kind, because: String) -> Verdict {
    Verdict { kind: kind.clone(), path: Path::Impossible, because, same: Vec::new(), security: None }
}

fn medium(a: &LegMedia, b: &LegMedia, between: &Between) -> Verdict {
    let kind = &a.kind;
    let common = a.security.iter().find(|security| b.security.contains(security));
    let pair = common.map(|security| (*security, *security));
    let pair = pair.or_else(|| Some((*a.security.first()?, *b.security.first()?)));
    let Some(security) = pair else {
        return impossible(kind, format!("one side refuses {kind}"));
    };
    let same = same(&a.codecs, &b.codecs);
    if !same.iter().any(|(codec, _)| codec.encoding.is_primary()) {
        return transcoded(a, b, security, same);
    }
    let (path, because) = match (&between.anchor, common) {
        (None, Some(_)) => (Path::Direct, format!("both speak {} by {}", same[0].0.encoding, security.0)),
        (Some(why), Some(_)) => (Path::Relay, format!("both are alike, but {why}")),
        (_, None) => {
            let because = format!("one side is {}, the other {}", security.0, security.1);
            (Path::Bridge { a: security.0, b: security.1 }, because)
        }
    };
    Verdict { kind: kind.clone(), path, because, same, security: Some(security) }
}

fn same(a: &[Codec], b: &[Codec]) -> Vec<(Codec, Codec)> {
    let mut used = vec![false; b.len()];
    let mut pairs = Vec::new();
    for first in a {
        if let Some(at) = (0..b.len()).find(|at| !used[*at] && b[*at].fits(first)) {
            used[at] = true;
            pairs.push((first.clone(), b[at].clone()));
        }
    }
    // What is only an accompaniment never comes first.
    pairs.sort_by_key(|(codec, _)| !codec.encoding.is_primary());
    pairs
}

fn transcoded(a: &LegMedia, b: &LegMedia, security: (Security, Security), same: Vec<(Codec, Codec)>) -> Verdict {
    let names = |codecs: &[Codec]| {
        let primary = codecs.iter().filter(|codec| codec.encoding.is_primary());
        let names: Vec<String> = primary.map(|codec| codec.encoding.to_string()).collect();
        if names.is_empty() { "nothing".into() } else { names.join(", ") }
    };
    let (one, two) = (names(&a.codecs), names(&b.codecs));
    if a.kind != Kind::Audio {
        return impossible(&a.kind, format!("one side has {one}, the other {two}, and only sound is transcoded"));
    }
    let pairs = a.codecs.iter().flat_map(|first| b.codecs.iter().map(move |second| (first, second)));
    let costed = pairs.filter_map(|(first, second)| Some((cost(first)? + cost(second)?, first, second)));
    let Some((_, first, second)) = costed.min_by_key(|(cost, _, _)| *cost) else {
        return impossible(&a.kind, format!("one side has {one}, the other {two}, and we cannot transcode these"));
    };
    let path = Path::Transcode { a: Box::new(first.clone()), b: Box::new(second.clone()) };
    let because = format!("no common codec: one side has {one}, the other {two}");
    Verdict { kind: a.kind.clone(), path, because, same, security: Some(security) }
}

/// What coding and decoding a second of sound costs, in parts of G.711's; `None` for what we cannot.
fn cost(codec: &Codec) -> Option<u32> {
    match codec.encoding {
        Encoding::Pcmu | Encoding::Pcma if codec.clock == 8_000 && codec.channels == 1 => Some(1),
        Encoding::G722 => Some(10),
        Encoding::Opus => Some(100),
        _ => None,
    }
}
