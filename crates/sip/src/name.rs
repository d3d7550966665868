//! Header names, long and compact.

macro_rules! names {
    ($($variant:ident $text:literal $compact:tt $list:tt),* $(,)?) => {
        /// A header field the server knows by name; `Other` keeps its text in the message.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        #[repr(u8)]
        #[allow(missing_docs)]
        pub enum Name { $($variant,)* Other }

        const ALL: &[(Name, &str, u8, bool)] = &[$((Name::$variant, $text, names!(@c $compact), names!(@l $list)),)*];
    };
    (@c _) => { 0 };
    (@c $c:literal) => { $c };
    (@l one) => { false };
    (@l list) => { true };
}

// The first HOT names have their first line cached by the index.
names! {
    Via "Via" b'v' list,
    From "From" b'f' one,
    To "To" b't' one,
    CallId "Call-ID" b'i' one,
    CSeq "CSeq" _ one,
    Contact "Contact" b'm' list,
    MaxForwards "Max-Forwards" _ one,
    ContentLength "Content-Length" b'l' one,
    Route "Route" _ list,
    RecordRoute "Record-Route" _ list,
    Authorization "Authorization" _ one,
    ProxyAuthorization "Proxy-Authorization" _ one,
    Path "Path" _ list,
    ServiceRoute "Service-Route" _ list,
    WwwAuthenticate "WWW-Authenticate" _ one,
    ProxyAuthenticate "Proxy-Authenticate" _ one,
    AuthenticationInfo "Authentication-Info" _ one,
    ContentType "Content-Type" b'c' one,
    ContentEncoding "Content-Encoding" b'e' list,
    ContentDisposition "Content-Disposition" _ one,
    ContentLanguage "Content-Language" _ list,
    Expires "Expires" _ one,
    MinExpires "Min-Expires" _ one,
    Supported "Supported" b'k' list,
    Unsupported "Unsupported" _ list,
    Require "Require" _ list,
    ProxyRequire "Proxy-Require" _ list,
    Allow "Allow" _ list,
    AllowEvents "Allow-Events" b'u' list,
    Accept "Accept" _ list,
    AcceptEncoding "Accept-Encoding" _ list,
    AcceptLanguage "Accept-Language" _ list,
    AcceptContact "Accept-Contact" b'a' list,
    RejectContact "Reject-Contact" b'j' list,
    RequestDisposition "Request-Disposition" b'd' list,
    AlertInfo "Alert-Info" _ list,
    CallInfo "Call-Info" _ list,
    ErrorInfo "Error-Info" _ list,
    InReplyTo "In-Reply-To" _ list,
    MimeVersion "MIME-Version" _ one,
    Organization "Organization" _ one,
    Priority "Priority" _ one,
    ReplyTo "Reply-To" _ one,
    Subject "Subject" b's' one,
    UserAgent "User-Agent" _ one,
    Server "Server" _ one,
    Event "Event" b'o' one,
    SubscriptionState "Subscription-State" _ one,
    Date "Date" _ one,
    SessionExpires "Session-Expires" b'x' one,
    MinSE "Min-SE" _ one,
    PAssertedIdentity "P-Asserted-Identity" _ list,
    PPreferredIdentity "P-Preferred-Identity" _ list,
    PAssociatedUri "P-Associated-URI" _ list,
    RemotePartyId "Remote-Party-ID" _ list,
    Identity "Identity" b'y' one,
    Diversion "Diversion" _ list,
    HistoryInfo "History-Info" _ list,
    Privacy "Privacy" _ one,
    Reason "Reason" _ list,
    RetryAfter "Retry-After" _ one,
    Warning "Warning" _ list,
    ReferTo "Refer-To" b'r' one,
    ReferredBy "Referred-By" b'b' one,
    ReferSub "Refer-Sub" _ one,
    Replaces "Replaces" _ one,
    Join "Join" _ one,
    TargetDialog "Target-Dialog" _ one,
    RAck "RAck" _ one,
    RSeq "RSeq" _ one,
    SipEtag "SIP-ETag" _ one,
    SipIfMatch "SIP-If-Match" _ one,
    SessionId "Session-ID" _ one,
    Timestamp "Timestamp" _ one,
    FlowTimer "Flow-Timer" _ one,
    RecvInfo "Recv-Info" _ list,
    InfoPackage "Info-Package" _ one,
}

/// How many names, counted from the first, have a cached first line in the index.
pub(crate) const HOT: usize = 12;

const SLOTS: usize = 512;

const fn hash(len: usize, first: u8, middle: u8, last: u8) -> usize {
    let first = (first | 0x20) as usize;
    let middle = (middle | 0x20) as usize;
    let last = (last | 0x20) as usize;
    (len * 13 + first * 29 + middle * 5 + last * 71) % SLOTS
}

const fn hash_of(name: &[u8]) -> usize {
    hash(name.len(), name[0], name[name.len() / 2], name[name.len() - 1])
}

// Open addressing, built at compile time: a slot holds the number of a name plus one.
static TABLE: [u8; SLOTS] = {
    let mut table = [0u8; SLOTS];
    let mut i = 0;
    while i < ALL.len() {
        let mut slot = hash_of(ALL[i].1.as_bytes());
        while table[slot] != 0 {
            slot = (slot + 1) % SLOTS;
        }
        table[slot] = i as u8 + 1;
        i += 1;
    }
    table
};

static COMPACT: [Name; 32] = {
    let mut table = [Name::Other; 32];
    let mut i = 0;
    while i < ALL.len() {
        if ALL[i].2 != 0 {
            table[(ALL[i].2 & 31) as usize] = ALL[i].0;
        }
        i += 1;
    }
    table
};

impl Name {
    /// Recognises a field name in any letter case, long or compact.
    #[must_use]
    #[inline]
    pub fn from_bytes(name: &[u8]) -> Name {
        match name.len() {
            0 => Name::Other,
            1 if name[0].is_ascii_alphabetic() => COMPACT[usize::from(name[0] & 31)],
            1 => Name::Other,
            _ => Name::from_long(name),
        }
    }

    #[inline]
    fn from_long(name: &[u8]) -> Name {
        let mut slot = hash_of(name);
        loop {
            let number = TABLE[slot];
            if number == 0 {
                return Name::Other;
            }
            let (found, text, ..) = ALL[usize::from(number) - 1];
            let text = text.as_bytes();
            if text.len() == name.len() && (text == name || text.eq_ignore_ascii_case(name)) {
                return found;
            }
            slot = (slot + 1) % SLOTS;
        }
    }

    /// The long name as RFCs write it; empty for `Other`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        ALL.get(self as usize).map_or("", |entry| entry.1)
    }

    /// The compact form, if one is registered.
    #[must_use]
    pub fn compact(self) -> Option<char> {
        ALL.get(self as usize).and_then(|entry| (entry.2 != 0).then_some(char::from(entry.2)))
    }

    /// True when the field may hold several values, separated by commas or on several lines.
    #[must_use]
    pub fn is_list(self) -> bool {
        ALL.get(self as usize).is_some_and(|entry| entry.3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_recognised_in_any_case_and_compact() {
        for &(name, text, compact, _) in ALL {
            assert_eq!(Name::from_bytes(text.as_bytes()), name);
            assert_eq!(Name::from_bytes(text.to_ascii_uppercase().as_bytes()), name);
            assert_eq!(Name::from_bytes(text.to_ascii_lowercase().as_bytes()), name);
            if compact != 0 {
                assert_eq!(Name::from_bytes(&[compact]), name);
                assert_eq!(Name::from_bytes(&[compact.to_ascii_uppercase()]), name);
            }
        }
    }

    #[test]
    fn unknown_names_are_other() {
        for name in [&b""[..], b"z", b"1", b"{", b"X-Foo", b"C%6Fntact", b"Via2", b"\xff\xff"] {
            assert_eq!(Name::from_bytes(name), Name::Other);
        }
    }
}
