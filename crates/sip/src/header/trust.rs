//! Headers by which servers that trust each other say who somebody is. Outside their circle nobody may write them, and
//! nobody reads them.

use crate::Name;

/// Headers of our own servers begin so.
const OURS: &[u8] = b"Lyceum-";
/// RFC 3325's kin that have no name of their own in the grammar (RFC 6050, RFC 7315).
const OTHERS: [&[u8]; 5] = [
    b"P-Asserted-Service",
    b"P-Preferred-Service",
    b"P-Charging-Vector",
    b"P-Charging-Function-Addresses",
    b"P-Access-Network-Info",
];

/// Says this header what only a trusted server may say (RFC 3325, 5806, 6050, 7044, 7315, and what was before them)?
#[must_use]
pub fn is_of_trust(name: Name, raw: &[u8]) -> bool {
    match name {
        Name::PAssertedIdentity
        | Name::PPreferredIdentity
        | Name::RemotePartyId
        | Name::Diversion
        | Name::HistoryInfo => true,
        Name::Other => {
            raw.get(..OURS.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(OURS))
                || OTHERS.iter().any(|name| raw.eq_ignore_ascii_case(name))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_somebody_or_is_ours_is_of_trust() {
        for raw in ["lyceum-outside", "P-ASSERTED-SERVICE", "p-charging-vector", "P-Access-Network-Info"] {
            assert!(is_of_trust(Name::Other, raw.as_bytes()), "{raw}");
        }
        assert!(is_of_trust(Name::PAssertedIdentity, b"P-Asserted-Identity"));
        for raw in ["Lyceum", "X-Lyceum-Outside", "Subject"] {
            assert!(!is_of_trust(Name::Other, raw.as_bytes()), "{raw}");
        }
        assert!(!is_of_trust(Name::From, b"From"));
    }
}
