//! What of a message does not pass us: credentials for our realms.

use lyceum_sip::digest::credentials_name;
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
