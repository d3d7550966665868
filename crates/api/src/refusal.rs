//! Every reason for which the API refuses, in one table: code, HTTP status and usual advice.

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident $code:literal $status:literal $fix:literal;)*) => {
        /// Why a request was refused; [`Refusal::code`] names its page in `docs/errors/`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Refusal { $($(#[$doc])* $name,)* }

        impl Refusal {
            /// Every refusal there is.
            pub const ALL: &'static [Refusal] = &[$(Refusal::$name),*];

            /// The stable word for programs.
            pub fn code(self) -> &'static str {
                match self { $(Refusal::$name => $code),* }
            }

            /// The HTTP status it travels with.
            pub fn status(self) -> u16 {
                match self { $(Refusal::$name => $status),* }
            }

            /// What usually mends it.
            pub fn fix(self) -> &'static str {
                match self { $(Refusal::$name => $fix),* }
            }
        }
    };
}

refusals! {
    /// The body or query is not what the route takes.
    RequestMalformed "request-malformed" 400 "compare the request with the API reference (docs/reference/openapi.json)";
    /// The body is larger than the route's limit.
    RequestTooLarge "request-too-large" 413 "send less at once: split the import into several files";
    /// The body has a media type that the route does not read.
    MediaTypeUnknown "media-type-unknown" 415 "send application/json, or text/csv to an import";
    /// No such route.
    RouteNotFound "route-not-found" 404 "see docs/reference/openapi.json for the routes there are";
    /// The route exists, but not with this method.
    MethodNotAllowed "method-not-allowed" 405 "see docs/reference/openapi.json for the methods of this route";
    /// No session, or one that ended.
    SessionRequired "session-required" 401 "sign in: POST /api/v1/session, then send 'Authorization: Bearer TOKEN'";
    /// Name or password is wrong; which of the two is not said.
    SignInRefused "sign-in-refused" 401 "check name and password; a forgotten one is set by 'lyceum admin set NAME' on the server";
    /// Too many attempts from this source or for this account.
    SignInThrottled "sign-in-throttled" 429 "wait as long as Retry-After says, then try once more";
    /// A user's address and password do not match.
    ClientSignInRefused "client-sign-in-refused" 401 "check address and password; your administrator can set a new password";
    /// A page's token or session has ended.
    ClientSessionOver "client-session-over" 401 "sign in again";
    /// No directory server or issuer is set.
    AccountsNotConfigured "accounts-not-configured" 409 "add the section accounts to the topology: lyceum topology export, then publish";
    /// A server that accounts come from does not answer, or refuses.
    AccountsServerFault "accounts-server-fault" 502 "look step by step: lyceum accounts test";
    /// A comparison would take too many accounts away.
    AccountsSyncStopped "accounts-sync-stopped" 409 "look at it with 'lyceum accounts sync --what-if'; if it is right, add --force";
    /// What the issuer vouched for does not hold.
    OidcSignInRefused "oidc-sign-in-refused" 401 "sign in once more; if it happens again, the server's log says what did not fit";
    /// The issuer vouched for somebody who has no account here.
    OidcNoAccount "oidc-no-account" 403 "ask your administrator for an account";
    /// What a user wants to say of themselves is not allowed or does not fit.
    PresenceRefused "presence-refused" 422 "choose another state or a shorter text; the presence policy says what is allowed";
    /// The contact list cannot be changed like this.
    ContactsRefused "contacts-refused" 422 "mend what the message names and try again";
    /// The calendar cannot be read or fetched from there.
    CalendarRefused "calendar-refused" 422 "give the https address that your calendar offers for sharing, or its .ics file";
    /// The file may not be sent.
    FileRefused "file-refused" 422 "send another kind of file, or a smaller one; 'lyceum effective-policy USER' shows what the file transfer policy allows";
    /// There is no Access Edge of this name.
    EdgeNotFound "edge-not-found" 404 "see 'lyceum edge list' for those there are";
    /// The name of an Access Edge cannot be used, or links are not served here.
    EdgeInvalid "edge-invalid" 422 "give a name of letters, digits and hyphens; links need [link] with address in the node file";
    /// The virus scanner found something in the file.
    FileInfected "file-infected" 422 "have the sender's computer checked; the server's log names the file";
    /// The file must be scanned for viruses, and could not be.
    FileNotScanned "file-not-scanned" 503 "try again in a few minutes; the server's log says what is wrong with the virus scanner";
    /// No such file, or its content is gone.
    FileNotFound "file-not-found" 404 "ask the sender to send it again";
    /// Another device changed the contact list in between.
    ContactsConflict "contacts-conflict" 409 "fetch the list again and repeat the change";
    /// The one-time link is used, too old or was never issued.
    OneTimeLinkSpent "one-time-link-spent" 403 "make a new one on the server: lyceum admin one-time-url";
    /// The Origin header names another site.
    OriginRefused "origin-refused" 403 "call the API from its own address, or from a program that sends no Origin";
    /// A cookie came without its CSRF token.
    CsrfTokenMissing "csrf-token-missing" 403 "send the token that sign-in returned in the X-CSRF-Token header, or use the bearer token";
    /// Allowed only through the local socket.
    LocalOnly "local-only" 403 "run the command on the server itself, as root or as the server's user";
    /// The new password is too weak.
    PasswordTooWeak "password-too-weak" 422 "choose at least 12 characters for an administrator and 8 for a user, not the name itself";
    /// The store is away or refuses writes.
    StoreUnavailable "store-unavailable" 503 "see 'lyceum status' and the server's log for what the disk or database says";
    /// The running server cannot answer this now.
    ServerBusy "server-busy" 503 "try again in a few seconds; 'lyceum status' shows what is going on";
    /// The server failed in a way that nobody planned.
    InternalFault "internal-fault" 500 "look for the request in the server's log and report it";
    /// This server runs without the part that would answer.
    NotSupportedHere "not-supported-here" 501 "this server runs without the part that would answer; see 'lyceum status'";
    /// The address is not `user@domain` of ours.
    AddressInvalid "address-invalid" 422 "write user@domain with a domain of this organisation ('lyceum domain get')";
    /// No such user.
    UserNotFound "user-not-found" 404 "list who exists with 'lyceum user get'";
    /// The address is taken.
    UserExists "user-exists" 409 "use 'lyceum user set' to change it";
    /// The user's record does not fit the organisation.
    UserInvalid "user-invalid" 422 "mend what 'problems' lists";
    /// A record of the import is wrong; nothing was imported.
    ImportRefused "import-refused" 422 "mend the lines listed under 'problems' and import the file again; nothing was changed";
    /// The domain is not one of ours.
    DomainUnknown "domain-unknown" 422 "add it first: lyceum domain new NAME";
    /// No such domain.
    DomainNotFound "domain-not-found" 404 "list the domains with 'lyceum domain get'";
    /// The domain is there already.
    DomainExists "domain-exists" 409 "nothing to do";
    /// The domain still has users.
    DomainInUse "domain-in-use" 409 "remove or move its users first: lyceum user get --domain NAME";
    /// The number is not E.164 or `tel:`.
    NumberInvalid "number-invalid" 422 "write it as +441632960123, with ';ext=' for an extension";
    /// The number belongs to someone else.
    NumberTaken "number-taken" 409 "find its owner with 'lyceum number get NUMBER' and take it away there first";
    /// No such number record.
    NumberNotFound "number-not-found" 404 "list the numbers with 'lyceum number get'";
    /// No such distribution group.
    GroupNotFound "group-not-found" 404 "list the groups with 'lyceum group get'";
    /// The group is there already.
    GroupExists "group-exists" 409 "use 'lyceum group set' to change it";
    /// The group cannot be as it is wanted.
    GroupInvalid "group-invalid" 422 "mend what the message names";
    /// No such device record.
    DeviceNotFound "device-not-found" 404 "list the devices with 'lyceum device get'";
    /// The device record is not well formed.
    DeviceInvalid "device-invalid" 422 "give an address of 12 hex digits and an owner who exists";
    /// No such kind of policy.
    PolicyKindUnknown "policy-kind-unknown" 404 "list the kinds with 'lyceum policy get'";
    /// No such policy at this scope.
    PolicyNotFound "policy-not-found" 404 "list the policies with 'lyceum policy get KIND'";
    /// A policy that users hold cannot be removed.
    PolicyInUse "policy-in-use" 409 "take it from its holders first: lyceum policy grant KIND USER --revoke";
    /// The scope is not `global`, `site:NAME`, `pool:NAME` or `tag:NAME`.
    ScopeInvalid "scope-invalid" 422 "write global, site:NAME, pool:NAME or tag:NAME";
    /// Someone published in between.
    VersionConflict "version-conflict" 409 "fetch the current document, compare with 'lyceum topology diff', and publish on top of it";
    /// No such version.
    VersionNotFound "version-not-found" 404 "list them with 'lyceum topology versions'";
    /// The document has problems; nothing was published.
    TopologyInvalid "topology-invalid" 422 "mend what 'problems' lists, check with 'lyceum topology validate', and publish again";
    /// The plan file has faults.
    PlanInvalid "plan-invalid" 422 "mend what 'problems' lists";
    /// No such call, or its record is gone.
    CallNotFound "call-not-found" 404 "search by user and time: lyceum call get --user USER --from TIME";
    /// The name of a conversation or message is not one.
    MessageNameInvalid "message-name-invalid" 422 "take the 32 letters and digits from 'lyceum message history USER --output json'";
    /// Nothing was captured for this call.
    TraceNotFound "trace-not-found" 404 "start a trace with 'lyceum trace start' and place the call again";
    /// A trace runs already.
    TraceRunning "trace-running" 409 "stop it first: lyceum trace stop";
    /// No trace runs.
    TraceNotRunning "trace-not-running" 409 "start one: lyceum trace start";
    /// No such administrator.
    AdministratorNotFound "administrator-not-found" 404 "list them with 'lyceum admin get'";
    /// The name is taken.
    AdministratorExists "administrator-exists" 409 "choose another name, or change the password with 'lyceum admin set'";
    /// The name is not usable.
    AdministratorInvalid "administrator-invalid" 422 "use 1 to 64 letters, digits, '.', '-', '_' or '@', not starting with 'local:'";
    /// The last administrator stays.
    LastAdministrator "last-administrator" 409 "make another administrator first: lyceum admin new NAME";
    /// A backup runs already.
    BackupRunning "backup-running" 409 "wait for it to end: lyceum status";
    /// The backup could not be written.
    BackupFailed "backup-failed" 500 "choose a folder with enough free space that the server's user may write to";
    /// A certificate could not be read.
    CertificateInvalid "certificate-invalid" 422 "check file, key and chain with 'lyceum doctor'; the old certificate stays in use";
}

#[cfg(test)]
mod tests {
    use super::Refusal;
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique_and_plain() {
        let codes: HashSet<_> = Refusal::ALL.iter().map(|r| r.code()).collect();
        assert_eq!(codes.len(), Refusal::ALL.len());
        for code in codes {
            assert!(code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{code}");
        }
    }
}
