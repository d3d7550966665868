//! Headers by which servers trust each other: nobody outside may write them, and nobody outside reads them.

use lyceum_sip::{Name, Splice};

/// Headers of ours begin so.
const OURS: &[u8] = b"Lyceum-";
/// RFC 3325's kin that have no name of their own in the grammar.
const TRUST: [&[u8]; 5] = [
    b"P-Asserted-Service",
    b"P-Preferred-Service",
    b"P-Charging-Vector",
    b"P-Charging-Function-Addresses",
    b"P-Access-Network-Info",
];

fn is_trust(name: Name, raw: &[u8]) -> bool {
    match name {
        Name::PAssertedIdentity
        | Name::PPreferredIdentity
        | Name::RemotePartyId
        | Name::Diversion
        | Name::HistoryInfo => true,
        Name::Other => {
            raw.get(..OURS.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(OURS))
                || TRUST.iter().any(|name| raw.eq_ignore_ascii_case(name))
        }
        _ => false,
    }
}

/// Takes off what only our own servers say. From a client its Path goes as well: it has none to give.
pub(super) fn from_outside(splice: &mut Splice<'_>, is_client: bool) {
    splice.remove_where(|name, raw, _| is_trust(name, raw) || is_client && name == Name::Path);
}

/// Takes off what our own servers tell each other; a diagnostics code is for everybody.
pub(super) fn to_outside(splice: &mut Splice<'_>) {
    let diagnostics = super::refusal::DIAGNOSTICS_HEADER.as_bytes();
    splice.remove_where(|name, raw, _| is_trust(name, raw) && !raw.eq_ignore_ascii_case(diagnostics));
}
