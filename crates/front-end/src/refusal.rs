//! The one table from a refusal to its SIP status and its diagnostics code.
//!
//! Every variant has a page in `docs/errors/`. The code travels in the `Lyceum-Diagnostics` header, the reason phrase is
//! what a person sees on a phone's display, so it is short; what a stranger may not learn is in neither.

/// Header that carries the diagnostics code; taken off whatever an untrusted party sends.
pub const DIAGNOSTICS_HEADER: &str = "Lyceum-Diagnostics";

/// The value of a Warning that says why, whatever of a stranger's words is in it.
pub(crate) fn warning(why: &str) -> Vec<u8> {
    warning_of(399, why)
}

/// The same with a code of RFC 3261 §20.43.
pub(crate) fn warning_of(code: u16, why: &str) -> Vec<u8> {
    let plain = |c: char| if c.is_control() || matches!(c, '"' | '\\') { '\'' } else { c };
    let why: String = why.chars().map(plain).collect();
    format!("{code} lyceum \"{why}\"").into_bytes()
}

macro_rules! refusals {
    ($( $(#[$doc:meta])* $name:ident = $status:literal, $code:literal, $reason:literal; )*) => {
        /// Why the front end says no.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Refusal { $( $(#[$doc])* $name, )* }

        impl Refusal {
    /// The refusal that stands for an answer of our own making.
    pub(crate) fn generated(status: u16) -> Option<Refusal> {
        match status {
            430 => Some(Refusal::FlowGone),
            480 => Some(Refusal::NotSignedIn),
            503 | 500 => Some(Refusal::NextHopDown),
            _ => None,
        }
    }

            /// All of them, for the test that each has a help page.
            pub const ALL: &'static [Refusal] = &[$( Refusal::$name, )*];

            /// SIP status code.
            pub fn status(self) -> u16 {
                match self { $( Refusal::$name => $status, )* }
            }

            /// Diagnostics code, `LYS` and four digits; the page is `docs/errors/<code>.md`.
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
    /// The user name or the password is wrong; said for unknown users too.
    WrongCredentials = 403, "LYS0001", "Wrong user name or password";
    /// Too many wrong passwords for this account from this source.
    PairLocked = 403, "LYS0002", "Too many wrong passwords, try later";
    /// The account is under attack and this source has never signed it in.
    AccountSlowed = 403, "LYS0003", "Account busy with failed sign-ins, try later";
    /// Too many wrong passwords from this source.
    SourceLocked = 403, "LYS0004", "Too many wrong passwords from this address";
    /// From names somebody else than the signed-in user.
    NotYourIdentity = 403, "LYS0005", "From is not the signed-in user";
    /// REGISTER for somebody else's address.
    NotYourRegistration = 403, "LYS0006", "To is not the signed-in user";
    /// Registration asked for a shorter life than policy allows.
    IntervalTooBrief = 423, "LYS0007", "Interval Too Brief";
    /// One endpoint more than policy allows.
    TooManyEndpoints = 403, "LYS0008", "Too many endpoints for this user";
    /// REGISTER with a CSeq not above the last one of the same Call-ID.
    OutOfOrder = 500, "LYS0009", "REGISTER out of order";
    /// The contacts of a REGISTER make no sense together.
    BadContacts = 400, "LYS0010", "Contacts cannot be registered";
    /// The store cannot take new facts now.
    StoreAway = 503, "LYS0011", "Storage unavailable, try again";
    /// More load than the server can carry.
    Overloaded = 503, "LYS0012", "Server busy, try again";
    /// The domain is not served here and nobody trusted asked.
    NotServed = 403, "LYS0013", "This server does not relay to that domain";
    /// There is no such user, number or route.
    NotFound = 404, "LYS0014", "Not found";
    /// The user exists and is signed in nowhere.
    NotSignedIn = 480, "LYS0015", "Not signed in";
    /// Max-Forwards reached zero.
    TooManyHops = 483, "LYS0016", "Too Many Hops";
    /// The request has been here before, unchanged.
    Loop = 482, "LYS0017", "Loop Detected";
    /// Proxy-Require names an extension that is not known here.
    BadExtension = 420, "LYS0018", "Bad Extension";
    /// The scheme of the Request-URI is not one that is served.
    UnknownScheme = 416, "LYS0019", "Unsupported URI Scheme";
    /// Route or To tag without our keyed hash, or with a wrong one.
    NotOurDialog = 481, "LYS0020", "No such dialog here";
    /// The flow to the endpoint is gone.
    FlowGone = 430, "LYS0021", "Flow Failed";
    /// The next hop could not be reached.
    NextHopDown = 503, "LYS0022", "Next hop unreachable";
    /// The next hop's name does not resolve.
    NextHopUnknown = 503, "LYS0023", "Next hop does not resolve";
    /// The message could not be understood; the reason phrase says where.
    Malformed = 400, "LYS0024", "Bad Request";
    /// The user is disabled by the administrator.
    Disabled = 403, "LYS0025", "Account disabled";
    /// First hop of an outbound registration does not support outbound.
    FirstHopLacksOutbound = 439, "LYS0026", "First Hop Lacks Outbound Support";
    /// Session-Expires below the least that policy allows.
    SessionTooSmall = 422, "LYS0027", "Session Interval Too Small";
    /// This kind of address may not be sent to from here.
    MethodNotAllowed = 405, "LYS0028", "Method Not Allowed";
    /// More forks or transactions than the server keeps.
    NoRoom = 503, "LYS0029", "Too many requests in progress";
    /// REGISTER asks for an option that is not known here.
    UnknownRequire = 420, "LYS0030", "Bad Extension";
    /// The server is about to stop.
    Draining = 503, "LYS0031", "Server is shutting down, use another";
    /// Merged request: the same request arrived on two paths.
    Merged = 482, "LYS0032", "Merged Request";
    /// The version is not SIP/2.0.
    BadVersion = 505, "LYS0033", "Version Not Supported";
    /// The message is longer than allowed.
    TooLarge = 513, "LYS0034", "Message Too Large";
    /// No service answers that urn (for example urn:service:sos without an emergency route).
    NoService = 404, "LYS0035", "No such service";
    /// The call policy of the user forbids outgoing calls.
    CallsForbidden = 403, "LYS0036", "Outgoing calls not allowed";
    /// The user is in as many calls as the call policy allows.
    TooManyCalls = 403, "LYS0037", "Too many calls for this user";
    /// The pool's registrar has as many users signed in as its policy allows.
    RegistrarFull = 503, "LYS0038", "Registrar full, use another server";
    /// The request may not be forked so widely.
    TooBroad = 440, "LYS0039", "Max-Breadth Exceeded";
    /// PUBLISH, or SUBSCRIBE to what only its owner may see, for somebody else.
    NotYourPresence = 403, "LYS0040", "Not your presence";
    /// The event package is not served here.
    BadEvent = 489, "LYS0041", "Bad Event";
    /// No published state has this entity tag.
    NoSuchPublication = 412, "LYS0042", "Conditional Request Failed";
    /// The body of a PUBLISH is no presence document.
    UnsupportedPresence = 415, "LYS0043", "Unsupported Media Type";
    /// The presence document is larger than policy allows.
    PresenceTooLarge = 413, "LYS0044", "Presence document too large";
    /// The presence document cannot be read.
    BadPresence = 400, "LYS0045", "Presence document cannot be read";
    /// As many watch this user as policy allows.
    TooManyWatchers = 503, "LYS0046", "Too many watchers";
    /// The person does not want to be disturbed, and the other is not of the workgroup.
    DoNotDisturb = 480, "LYS0047", "Do not disturb";
    /// The message policy of the sender forbids messages.
    MessagesForbidden = 403, "LYS0048", "Messages not allowed";
    /// The message is larger than the sender's policy allows.
    MessageTooLarge = 413, "LYS0049", "Message too large";
    /// The message policy of the sender forbids HTML.
    HtmlForbidden = 415, "LYS0050", "Send text/plain";
    /// The filter for links and files forbids what the message holds.
    MessageFiltered = 403, "LYS0051", "Message blocked by the link filter";
    /// As much waits for the recipient as policy allows.
    MailboxFull = 480, "LYS0052", "Too many messages wait for this user";
    /// Who is not in a conversation cannot write to it.
    NotInConversation = 403, "LYS0053", "Not in this conversation";
    /// More people than one conversation takes.
    TooManyRecipients = 403, "LYS0054", "Too many people";
    /// Critical mode: the archive cannot be written, so nothing that must be archived passes.
    ArchiveAway = 503, "LYS0055", "Archive unavailable, try again";
    /// The client version policy of the user forbids this client.
    ClientBlocked = 403, "LYS0056", "Client not allowed, update it";
    /// The `uri` of the digest credentials is not the Request-URI.
    SignedForAnother = 400, "LYS0057", "Digest uri is not the Request-URI";
    /// The other side was reached and answered 503, which speaks of itself alone (RFC 3261 §16.7).
    OtherSideDown = 500, "LYS0058", "The other side is unavailable";
    /// The request has a list in its body and does not say by Require, or by Supported, that it is to be used.
    ExtensionRequired = 421, "LYS0059", "Extension Required";
    /// The body of a SUBSCRIBE that requires a list of people is something else.
    UnsupportedList = 415, "LYS0060", "Unsupported Media Type";
    /// The external access policy of the user forbids signing in from outside.
    ExternalForbidden = 403, "LYS0071", "Signing in from outside not allowed";
    /// Nobody whom others may reach from outside; said for unknown users too.
    NotReachableOutside = 403, "LYS0072", "Not reachable from outside";
    /// The external access policy of the user forbids people of other organisations.
    FederationForbidden = 403, "LYS0073", "Other organisations not allowed for you";
    /// The domain is blocked.
    DomainClosed = 403, "LYS0074", "No federation with this domain";
    /// No Access Edge is linked, so nothing leaves.
    NoEdge = 503, "LYS0075", "No Access Edge is linked";
    /// The other side of a link is no Edge that is enrolled now.
    UnknownEdge = 403, "LYS0076", "This Edge is not enrolled";
    /// The one-time token of a node that wants to be enrolled was used, has ended, or never was.
    TokenSpent = 403, "LYS0078", "Token used, ended or unknown";
    /// Who is of another organisation does not do this with us.
    NotForPartners = 403, "LYS0077", "Not for other organisations";
    /// The session description has nothing that could be bridged to the other side; the Warning says what.
    MediaUnlike = 488, "LYS0079", "Media cannot be bridged";
    /// The other side's offer in this call is not answered yet.
    OfferPending = 491, "LYS0080", "Request Pending";
    /// Every port, stream or bridge for media is in use.
    MediaFull = 503, "LYS0081", "No room for media, try again";
    /// Media could not be opened, for a reason of ours.
    MediaFailed = 500, "LYS0082", "Media failed";
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

    #[test]
    fn wrong_password_and_unknown_user_are_told_alike() {
        assert_eq!(Refusal::WrongCredentials.status(), 403);
        assert!(!Refusal::WrongCredentials.reason().to_lowercase().contains("unknown user"));
    }
}
