//! Which stored binding a Contact of a REGISTER speaks of.

use crate::intent::{ContactIntent, RegisterIntent};
use crate::record::Binding;
use lyceum_sip::Uri;

/// RFC 3261 §10.3 step 7 by URI (§19.1.4), RFC 5626 §6 by instance and reg-id.
pub(crate) fn same_binding(stored: &Binding<'_>, contact: &ContactIntent<'_>) -> bool {
    match (contact.instance, contact.reg_id, stored.instance, stored.reg_id) {
        (Some(a), Some(r), Some(b), Some(s)) => a == b && r == s,
        _ => same_uri(stored.uri, contact.uri),
    }
}

/// A device that comes back from a restart with a new port and the same instance, by the same
/// transport and without reg-ids, replaces its old self: else it would use up the user's
/// endpoints. Asked only where no binding is [`same_binding`], and never of a binding that this
/// same REGISTER made: one REGISTER may bind one device by two addresses.
pub(crate) fn same_device(stored: &Binding<'_>, contact: &ContactIntent<'_>, intent: &RegisterIntent<'_>) -> bool {
    contact.instance.is_some()
        && contact.instance == stored.instance
        && (contact.reg_id, stored.reg_id) == (None, None)
        && intent.transport == stored.transport
}

/// Byte equality first: a refresh repeats its URI to the letter.
pub(crate) fn same_uri(a: &[u8], b: &[u8]) -> bool {
    if a == b {
        return true;
    }
    match (Uri::parse(a), Uri::parse(b)) {
        (Ok(a), Ok(b)) => a.equivalent(&b),
        _ => false,
    }
}
