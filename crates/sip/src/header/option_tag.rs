//! Option tags of Require, Supported, Proxy-Require and Unsupported (RFC 3261 §19.2).

use crate::message::Message;
use crate::name::Name;

/// The tags of `name` that are not in `known`, in order; empty list entries are skipped.
pub fn unknown<'a, 'k>(
    message: &Message<'a>,
    name: Name,
    known: &'k [&'k str],
) -> impl Iterator<Item = &'a [u8]> + use<'a, 'k> {
    message.values(name).filter(|tag| !tag.is_empty() && !known.iter().any(|k| tag.eq_ignore_ascii_case(k.as_bytes())))
}
