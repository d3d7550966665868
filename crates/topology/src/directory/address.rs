//! Addresses of record, and the hash that finds a user and a routing group for life.

use crate::domain::DomainName;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A user's SIP address without the scheme, in lower case: `anna@contoso.com`.
///
/// The user part takes the characters that a SIP URI holds unescaped (RFC 3261 §25.1), 1 to 128 of
/// them. Letter case does not tell two users apart, as in Lync.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AddressOfRecord(Box<str>);

impl AddressOfRecord {
    /// Reads `user@domain`, with or without `sip:` or `sips:`.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let refuse = || AddressError(text.into());
        let bare = ["sips:", "sip:"].iter().find_map(|scheme| strip_prefix_folded(text, scheme)).unwrap_or(text);
        let (user, domain) = bare.rsplit_once('@').ok_or_else(refuse)?;
        let domain = DomainName::parse(domain).map_err(|_| refuse())?;
        if user.is_empty() || user.len() > 128 || !user.bytes().all(is_user_byte) {
            return Err(refuse());
        }
        Ok(Self(format!("{}@{domain}", user.to_ascii_lowercase()).into()))
    }

    /// `user@domain`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before `@`.
    pub fn user(&self) -> &str {
        self.split().0
    }

    /// The part after `@`.
    pub fn domain(&self) -> &str {
        self.split().1
    }

    fn split(&self) -> (&str, &str) {
        self.0.split_once('@').expect("parse() put exactly one @ there")
    }

    /// Whether these parts of a SIP URI, as received, name this address.
    pub(crate) fn is(&self, user: &[u8], domain: &[u8]) -> bool {
        let (own_user, own_domain) = self.split();
        let same = if user.contains(&b'%') {
            own_user.bytes().eq(unescaped_lower(user))
        } else {
            own_user.as_bytes().eq_ignore_ascii_case(user)
        };
        same && own_domain.as_bytes().eq_ignore_ascii_case(without_final_dot(domain))
    }

    pub(crate) fn hash(&self) -> u64 {
        let (user, domain) = self.split();
        address_hash(user.as_bytes(), domain.as_bytes())
    }
}

fn strip_prefix_folded<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

fn is_user_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&b)
}

pub(crate) fn without_final_dot(domain: &[u8]) -> &[u8] {
    domain.strip_suffix(b".").unwrap_or(domain)
}

/// The bytes of a URI's user part with escapes resolved and letters in lower case.
pub(crate) fn unescaped_lower(mut raw: &[u8]) -> impl Iterator<Item = u8> + '_ {
    std::iter::from_fn(move || {
        let (&first, rest) = raw.split_first()?;
        let hex = |at: usize| rest.get(at).and_then(|&digit| (digit as char).to_digit(16));
        if let (b'%', Some(high), Some(low)) = (first, hex(0), hex(1)) {
            raw = &rest[2..];
            return Some(((high << 4 | low) as u8).to_ascii_lowercase());
        }
        raw = rest;
        Some(first.to_ascii_lowercase())
    })
}

/// FNV-1a with 64 bits over `user@domain` in lower case, stirred once more (MurmurHash3's finish).
///
/// Kept for ever: routing groups are stored by it. Users come from administrators, so nobody can
/// flood a bucket on purpose.
pub(crate) fn address_hash(user: &[u8], domain: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    if user.contains(&b'%') {
        hash = unescaped_lower(user).fold(hash, fnv);
    } else {
        hash = user.iter().fold(hash, |hash, byte| fnv(hash, byte.to_ascii_lowercase()));
    }
    let domain = without_final_dot(domain);
    stir(domain.iter().fold(fnv(hash, b'@'), |hash, byte| fnv(hash, byte.to_ascii_lowercase())))
}

fn fnv(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
}

pub(crate) fn stir(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ hash >> 33
}

/// The routing group of an address, one of 256, the same for life.
///
/// Letter case and escapes do not matter; text without `@` counts as a user without a domain.
pub fn routing_group(address: &str) -> u8 {
    let (user, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    (address_hash(user.as_bytes(), domain.as_bytes()) & 0xff) as u8
}

/// What a person wrote as an address, so that two ways to write one are one text: escapes resolved, letters in lower case,
/// without the scheme and the domain's final dot.
pub fn folded_address(text: &str) -> String {
    let text = text.trim();
    let bare = ["sips:", "sip:"].iter().find_map(|scheme| strip_prefix_folded(text, scheme)).unwrap_or(text);
    let bytes: Vec<u8> = unescaped_lower(without_final_dot(bare.as_bytes())).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The text is not a SIP address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressError(Box<str>);

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not a SIP address such as anna@contoso.com (letters without accents, digits and -_.!~*'()&=+$,;?/)",
            self.0
        )
    }
}

impl std::error::Error for AddressError {}

impl TryFrom<String> for AddressOfRecord {
    type Error = AddressError;
    fn try_from(text: String) -> Result<Self, AddressError> {
        Self::parse(&text)
    }
}

impl From<AddressOfRecord> for String {
    fn from(address: AddressOfRecord) -> Self {
        address.0.into()
    }
}

impl fmt::Display for AddressOfRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AddressOfRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_folded_and_checked() {
        for (text, address) in [
            ("Anna@Contoso.COM", Some("anna@contoso.com")),
            ("SIP:anna@contoso.com.", Some("anna@contoso.com")),
            ("sips:+4930@contoso.com", Some("+4930@contoso.com")),
            ("anna", None),
            ("@contoso.com", None),
            ("a b@contoso.com", None),
            ("ännä@contoso.com", None),
            ("a@b@contoso.com", None),
            ("a:b@contoso.com", None),
            ("a@", None),
        ] {
            assert_eq!(AddressOfRecord::parse(text).ok().as_ref().map(AddressOfRecord::as_str), address, "{text}");
        }
    }

    #[test]
    fn case_escapes_and_a_final_dot_name_the_same_user() {
        let address = AddressOfRecord::parse("anna@contoso.com").unwrap();
        for (user, domain) in [("anna", "contoso.com"), ("ANNA", "Contoso.com"), ("%41nn%61", "contoso.com.")] {
            assert!(address.is(user.as_bytes(), domain.as_bytes()), "{user}@{domain}");
            assert_eq!(address_hash(user.as_bytes(), domain.as_bytes()), address.hash());
        }
        assert!(!address.is(b"anna%", b"contoso.com"));
        assert!(!address.is(b"ann", b"contoso.com"));
    }

    #[test]
    fn what_names_one_address_is_one_text() {
        for text in
            ["dave@bench.test", "%64ave@bench.test", "Dave@Bench.Test.", " sip:D%41ve@bench.test", "dave%40bench.test"]
        {
            assert_eq!(folded_address(text), "dave@bench.test", "{text}");
        }
        assert_eq!(folded_address("100%"), "100%");
    }

    // Stored registrations are found by these numbers: a change of the hash loses them.
    #[test]
    fn routing_groups_are_for_life() {
        assert_eq!(
            ["anna@contoso.com", "ben@contoso.com", "Anna@CONTOSO.com", "anna@fabrikam.com", ""].map(routing_group),
            LIFE
        );
    }
    const LIFE: [u8; 5] = [226, 29, 226, 227, 145];

    #[test]
    fn groups_are_evenly_filled() {
        let mut groups = [0_u32; 256];
        for n in 0..100_000 {
            groups[usize::from(routing_group(&format!("user{n}@contoso.com")))] += 1;
        }
        let (least, most) = (groups.iter().min().unwrap(), groups.iter().max().unwrap());
        assert!(*least > 300 && *most < 490, "{least} to {most} users a group, 391 on average");
    }
}
