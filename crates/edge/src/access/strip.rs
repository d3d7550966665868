//! Headers by which servers trust each other: nobody outside may write them, and nobody outside reads them.

use lyceum_sip::header::trust::is_of_trust;
use lyceum_sip::{Name, Splice};

/// Takes off what only our own servers say. From a client its Path goes as well: it has none to give.
pub(super) fn from_outside(splice: &mut Splice<'_>, is_client: bool) {
    splice.remove_where(|name, raw, _| is_of_trust(name, raw) || is_client && name == Name::Path);
}

/// Takes off what our own servers tell each other; a diagnostics code is for everybody.
pub(super) fn to_outside(splice: &mut Splice<'_>) {
    let diagnostics = super::refusal::DIAGNOSTICS_HEADER.as_bytes();
    splice.remove_where(|name, raw, _| is_of_trust(name, raw) && !raw.eq_ignore_ascii_case(diagnostics));
}
