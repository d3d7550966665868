//! Branches of our own making: unique, unpredictable, with the worker that waits for the
//! answer and the loop hash inside (RFC 3261 §16.6 step 8, RFC 5393 §4.2).

use crate::header::via::BRANCH_COOKIE;
use crate::keyed::SipHash;
use crate::message::Message;
use crate::name::Name;

/// Lower case only: branches are tokens, and tokens compare without regard to case.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const WORD_LEN: usize = 13;

/// All that decides where a request goes. A request that comes back with the same value loops;
/// with another one it spirals, which is allowed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LoopHash(u64);

/// Makes branches for one worker.
pub struct Branches {
    unique: SipHash,
    routing: SipHash,
    worker: u8,
    next: u32,
    round: u32,
}

impl Branches {
    /// `unique` is random for every worker and every start: it makes branches unpredictable.
    /// `routing` is shared by all workers that must recognise each other's loops.
    #[must_use]
    pub fn new(unique: [u8; 16], routing: [u8; 16], worker: u8) -> Branches {
        let (unique, routing) = (SipHash::new(unique), SipHash::new(routing));
        Branches { unique, routing, worker, next: 0, round: 0 }
    }

    /// Hashes what RFC 5393 §4.2.1 names: Request-URI, Route, Proxy-Require, Proxy-Authorization,
    /// both tags, Call-ID and CSeq number. Not Via: it differs on every round of a loop.
    #[must_use]
    pub fn loop_hash(&self, m: &Message<'_>) -> LoopHash {
        let mut hash = self
            .routing
            .part(m.request_uri())
            .part(m.call_id())
            .part(m.from_tag().unwrap_or_default())
            .part(m.to_tag().unwrap_or_default())
            .number(m.cseq().number);
        for name in [Name::Route, Name::ProxyRequire, Name::ProxyAuthorization] {
            if m.field(name).is_some() {
                hash = m.values(name).fold(hash.number(name as u32), SipHash::part);
            }
        }
        LoopHash(hash.finish() as u64)
    }

    /// True when a Via of the message holds this hash: the request was here before, unchanged.
    #[must_use]
    pub fn is_loop(&self, m: &Message<'_>, hash: LoopHash) -> bool {
        let letters = word(hash.0);
        m.vias().flatten().any(|via| via.branch.len() == LOOPED_LEN && via.branch.ends_with(&letters))
    }

    /// Adds a new branch for a forwarded request to `out`.
    pub fn mint(&mut self, hash: LoopHash, out: &mut Vec<u8>) {
        self.mint_plain(out);
        out.push(b'-');
        out.extend_from_slice(&word(hash.0));
    }

    /// Adds a new branch for a request that begins here to `out`.
    pub fn mint_plain(&mut self, out: &mut Vec<u8>) {
        self.next = self.next.wrapping_add(1);
        if self.next == 0 {
            self.round = self.round.wrapping_add(1);
        }
        let unique = self.unique.number(self.round).number(self.next).finish();
        out.extend_from_slice(BRANCH_COOKIE);
        out.push(LETTERS[usize::from(self.worker >> 5)]);
        out.push(LETTERS[usize::from(self.worker & 31)]);
        out.extend_from_slice(&word(unique as u64));
    }

    /// The worker that made a branch, when it looks like one of ours.
    #[must_use]
    pub fn worker(branch: &[u8]) -> Option<u8> {
        let rest = branch.strip_prefix(BRANCH_COOKIE)?;
        if rest.len() != PLAIN_LEN - 7 && rest.len() != LOOPED_LEN - 7 {
            return None;
        }
        let high = u8::try_from(LETTERS.iter().position(|&b| b == rest[0])?).ok()?;
        let low = u8::try_from(LETTERS.iter().position(|&b| b == rest[1])?).ok()?;
        (high < 8).then_some(high << 5 | low)
    }
}

const PLAIN_LEN: usize = 7 + 2 + WORD_LEN;
const LOOPED_LEN: usize = PLAIN_LEN + 1 + WORD_LEN;

fn word(bits: u64) -> [u8; WORD_LEN] {
    std::array::from_fn(|i| LETTERS[(bits >> (5 * i) & 31) as usize])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Index, Limits, parse};

    fn branches() -> Branches {
        Branches::new([1; 16], [2; 16], 200)
    }

    #[test]
    fn branches_differ_and_name_their_worker() {
        let mut b = branches();
        let (mut one, mut two) = (Vec::new(), Vec::new());
        b.mint(LoopHash(5), &mut one);
        b.mint_plain(&mut two);
        assert_eq!((one.len(), two.len()), (LOOPED_LEN, PLAIN_LEN));
        assert_ne!(one[..PLAIN_LEN], two[..]);
        assert!(one.iter().all(|b| !b.is_ascii_uppercase() || b"GK".contains(b)));
        assert_eq!(Branches::worker(&one), Some(200));
        assert_eq!(Branches::worker(&two), Some(200));
        assert_eq!(Branches::worker(b"z9hG4bK776asdhds"), None);
        assert_eq!(Branches::worker(b"x"), None);
    }

    fn request(uri: &str, vias: &str, extra: &str) -> Vec<u8> {
        format!(
            "INVITE {uri} SIP/2.0\r\n{vias}From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n{extra}Content-Length: 0\r\n\r\n"
        )
        .into_bytes()
    }

    #[test]
    fn what_comes_back_unchanged_loops_and_what_changed_spirals() {
        let mut b = branches();
        let mut check = |uri: &str, vias: &str, extra: &str| {
            let bytes = request(uri, vias, extra);
            let mut index = Index::new();
            parse(&bytes, &mut index, &Limits::default()).expect("readable");
            let m = Message::new(&bytes, &index);
            let hash = b.loop_hash(&m);
            let mut branch = Vec::new();
            b.mint(hash, &mut branch);
            (b.is_loop(&m, hash), String::from_utf8(branch).expect("letters"))
        };
        let caller = "Via: SIP/2.0/UDP a;branch=z9hG4bKa\r\n";
        let (looped, ours) = check("sip:b@x", caller, "");
        assert!(!looped);
        let back = format!("Via: SIP/2.0/UDP q;branch=z9hG4bKq\r\nVia: SIP/2.0/UDP p;branch={ours}\r\n{caller}");
        assert!(check("sip:b@x", &back, "").0, "the same request again");
        assert!(!check("sip:b2@x", &back, "").0, "another target");
        assert!(!check("sip:b@x", &back, "Route: <sip:y;lr>\r\n").0, "another route");
        assert!(!check("sip:b@x", &back, "Proxy-Authorization: Digest a=b\r\n").0, "now authenticated");
    }
}
