//! What of a message does not pass us: credentials for our realms, and challenges of others that name them.

use lyceum_sip::digest::{challenge_names, credentials_name};
use lyceum_sip::token::bearer;
use lyceum_sip::{Message, Name, Splice};
use lyceum_topology::Snapshot;

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
    is_trusted: impl FnOnce() -> bool,
) -> Option<Vec<u8>> {
    let is_fishing = |name: Name, value: &[u8]| {
        matches!(name, Name::WwwAuthenticate | Name::ProxyAuthenticate)
            && challenge_names(value, |realm| snapshot.is_our_domain(realm))
    };
    if !message.fields().any(|field| is_fishing(field.name, field.value)) || is_trusted() {
        return None;
    }
    let mut bytes = Vec::with_capacity(message.wire().len());
    Splice::new(*message).remove_where(|name, _, value| is_fishing(name, value)).write(&mut bytes);
    Some(bytes)
}
