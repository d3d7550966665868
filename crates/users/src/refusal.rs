//! Why a REGISTER is refused; the front-end maps each to one SIP status.

/// The part of a REGISTER that is over its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Contact URI over [`crate::MAX_URI`].
    Uri,
    /// Path over [`crate::MAX_PATH`].
    Path,
    /// Instance over [`crate::MAX_INSTANCE`].
    Instance,
    /// Contact parameters over [`crate::MAX_PARAMS`].
    Params,
    /// Flow token over [`crate::MAX_FLOW`].
    Flow,
    /// More than [`crate::MAX_CONTACTS`] contacts.
    Contacts,
}

/// Why a REGISTER changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegisterRefusal {
    /// An interval above zero and below the policy's minimum: 423 with Min-Expires.
    IntervalTooBrief {
        /// The least interval accepted, in seconds.
        min: u32,
    },
    /// The user would have more endpoints than the policy allows: 403.
    TooManyEndpoints {
        /// The policy's limit.
        limit: u32,
    },
    /// CSeq not above the one stored for this Call-ID: 500 (RFC 3261 §10.3 step 7).
    OutOfOrder,
    /// `Contact: *` without `Expires: 0`: 400.
    InvalidWildcard,
    /// A part is longer than its bound: 400.
    TooLarge {
        /// Which part.
        field: Field,
    },
    /// Its credentials were used before, and it is no repetition of what was carried out: ask for new ones (401, stale).
    Replayed,
    /// The store is away and this is more than a refresh of what it holds: 503 with Retry-After.
    StoreAway,
}

impl RegisterRefusal {
    /// Stable code for diagnostics and `docs/errors/`.
    pub fn code(&self) -> &'static str {
        match self {
            RegisterRefusal::IntervalTooBrief { .. } => "register-interval-too-brief",
            RegisterRefusal::TooManyEndpoints { .. } => "register-too-many-endpoints",
            RegisterRefusal::OutOfOrder => "register-out-of-order",
            RegisterRefusal::InvalidWildcard => "register-invalid-wildcard",
            RegisterRefusal::TooLarge { .. } => "register-too-large",
            RegisterRefusal::Replayed => "register-replayed",
            RegisterRefusal::StoreAway => "register-store-away",
        }
    }
}

impl std::fmt::Display for RegisterRefusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RegisterRefusal::IntervalTooBrief { min } => {
                write!(f, "the registration interval is below the minimum of {min} s; ask for more")
            }
            RegisterRefusal::TooManyEndpoints { limit } => write!(
                f,
                "the user already has {limit} endpoints, the most the registrar policy allows; sign one out or raise the limit"
            ),
            RegisterRefusal::OutOfOrder => {
                write!(f, "an older REGISTER arrived after a newer one of the same Call-ID; it changes nothing")
            }
            RegisterRefusal::InvalidWildcard => write!(f, "Contact: * needs Expires: 0"),
            RegisterRefusal::TooLarge { field } => write!(f, "{field:?} of the REGISTER is over its bound"),
            RegisterRefusal::Replayed => write!(f, "an old REGISTER came once more; it changes nothing"),
            RegisterRefusal::StoreAway => {
                write!(f, "the store cannot be written, so only refreshes are accepted; see the server's log")
            }
        }
    }
}

impl std::error::Error for RegisterRefusal {}
