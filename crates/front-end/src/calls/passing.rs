//! What of a message does not pass us: credentials for our realms, challenges of others that name them, and what only
//! trusted hosts may say of somebody's identity.

use lyceum_net::Arrival;
use lyceum_sip::digest::{challenge_names, credentials_name};
use lyceum_sip::header::trust::is_of_trust;
use lyceum_sip::token::bearer;
use lyceum_sip::{Message, Name, Splice};
use lyceum_topology::Snapshot;

use crate::refusal::DIAGNOSTICS_HEADER;

/// Takes off what only a trusted host may say.
pub(super) fn strip_identity(splice: &mut Splice<'_>) {
    splice.remove_where(|name, raw, _| is_of_trust(name, raw));
}

/// Takes off what proves a password or a session to us: whoever got it could use it in its owner's name. Credentials for
/// another realm are none of ours to take (RFC 3261 §22.3).
pub(super) fn strip_credentials(splice: &mut Splice<'_>, message: &Message<'_>, snapshot: &Snapshot) {
    if message.value(Name::ProxyAuthorization).is_none() && message.value(Name::Authorization).is_none() {
        return;
    }
    splice.remove_where(|name, _, value| {
        matches!(name, Name::ProxyAuthorization | Name::Authorization)
            && (credentials_name(value, |realm| snapshot.is_our_domain(realm))
                || bearer::of_authorization(value).is_some())
    });
}

/// A response of somebody who is not trusted without what he may not say; `None` when there is nothing of it.
///
/// A challenge that names our realm is for us to send: a phone would answer it with its password for us, and the answer
/// would go to whoever asked.
pub(super) fn cleaned(
    message: &Message<'_>,
    snapshot: &Snapshot,
    arrival: &Arrival<'_>,
    is_trusted: impl FnOnce() -> bool,
) -> Option<Vec<u8>> {
    let is_unwanted = |name: Name, raw: &[u8], value: &[u8]| match name {
        // An Edge takes it off what others send: what comes by a link is its own word.
        Name::Other if arrival.listener.link && raw.eq_ignore_ascii_case(DIAGNOSTICS_HEADER.as_bytes()) => false,
        Name::WwwAuthenticate | Name::ProxyAuthenticate => {
            challenge_names(value, |realm| snapshot.is_our_domain(realm))
        }
        _ => is_of_trust(name, raw),
    };
    if !message.fields().any(|field| is_unwanted(field.name, field.raw_name, field.value)) || is_trusted() {
        return None;
    }
    let mut bytes = Vec::with_capacity(message.wire().len());
    Splice::new(*message).remove_where(is_unwanted).write(&mut bytes);
    Some(bytes)
}
