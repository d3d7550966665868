//! The one table from a refusal of the Access Edge to its SIP status and its diagnostics code.

/// Header that carries the diagnostics code.
pub(super) const DIAGNOSTICS_HEADER: &str = "Lyceum-Diagnostics";

macro_rules! refusals {
    ($( $(#[$doc:meta])* $name:ident = $status:literal, $code:literal, $reason:literal; )*) => {
        /// Why the Access Edge says no.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Refusal { $( $(#[$doc])* $name, )* }

        impl Refusal {
            /// All of them, for the test that each has a help page.
            pub const ALL: &'static [Refusal] = &[$( Refusal::$name, )*];

            /// SIP status code.
            pub fn status(self) -> u16 {
                match self { $( Refusal::$name => $status, )* }
            }

            /// Diagnostics code, `LYE` and four digits; the page is `docs/errors/<code>.md`.
            pub fn code(self) -> &'static str {
                match self { $( Refusal::$name => $code, )* }
            }

            /// Reason phrase.
            pub fn reason(self) -> &'static str {
                match self { $( Refusal::$name => $reason, )* }
            }
        }
    };
}

refusals! {
    /// The pool cannot be reached now.
    LinkDown = 503, "LYE0001", "Service unavailable, try again";
    /// One address sends more than it may.
    TooFast = 503, "LYE0002", "Too many requests, try later";
    /// A partner showed no certificate that an authority of ours vouches for.
    NoCertificate = 403, "LYE0003", "Certificate required";
    /// The domain in From is not in the partner's certificate (RFC 5922).
    ForeignFrom = 403, "LYE0004", "From domain is not in the certificate";
    /// The domain is blocked, or not allowed and partners are not discovered.
    DomainClosed = 403, "LYE0005", "No federation with this domain";
    /// A partner sends more than it may.
    PartnerTooFast = 503, "LYE0006", "Too many messages from this domain";
    /// A Route names us with a token that is not ours, or is somebody else's.
    NotOurToken = 403, "LYE0007", "Route is not ours";
    /// The Request-URI is none of our domains.
    NotServed = 404, "LYE0008", "Not served here";
    /// The flow to the client is gone.
    FlowGone = 430, "LYE0009", "Flow Failed";
    /// The partner does not take connections, or its certificate does not hold its domain.
    PartnerDown = 504, "LYE0010", "Partner cannot be reached";
    /// DNS knows no Access Edge of the partner.
    PartnerUnknown = 504, "LYE0011", "Partner not found in DNS";
    /// The message cannot be understood.
    Malformed = 400, "LYE0012", "Bad Request";
    /// Max-Forwards is zero.
    TooManyHops = 483, "LYE0013", "Too Many Hops";
    /// A method that partners do not use with us.
    NotForPartners = 405, "LYE0014", "Method Not Allowed";
}

#[cfg(test)]
mod tests {
    use super::Refusal;
    use std::collections::HashSet;

    #[test]
    fn every_code_is_used_once_and_has_its_page() {
        let codes: HashSet<_> = Refusal::ALL.iter().map(|refusal| refusal.code()).collect();
        assert_eq!(codes.len(), Refusal::ALL.len());
        let pages = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
        for code in codes {
            assert!(pages.join(format!("{code}.md")).is_file(), "docs/errors/{code}.md is missing");
        }
    }
}
