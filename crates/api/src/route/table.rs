//! The routes themselves.

use super::Access::{Administrator as Admin, Local, Open, User as Page};
use super::Body::{Empty, Json, Text};
use super::{Access, Body, Parameter, Place, Route, any, list, of, page};
use crate::account::{AccountCheck, AccountSecret, AccountSource, AccountSync, SignInWays};
use crate::administrator::{Administrator, AdministratorChange, NewAdministrator, OneTimeLink};
use crate::archive::{ArchiveDone, ArchiveExported, ArchivePage, ArchivePurge};
use crate::audit::AuditEntry;
use crate::calendar::{CalendarAddress, CalendarStatus};
use crate::call::Call;
use crate::change::Changed;
use crate::client::{
    ClientRenewal, ClientSession, ClientSignIn, ConversationSummary, DeviceUse, DistributionGroup, FileItem, FileItems,
    Found, HistoryItems, NewConversation, OwnCalls, OwnPresence, ReadUpTo, RelationshipChange,
};
use crate::contact::{Contact, ContactChange, Relation};
use crate::directory::{Device, Number};
use crate::domain::{Domain, DomainChange, NewDomain};
use crate::edge::{Edge, EdgeToken, NewEdgeToken};
use crate::group::{Group, GroupChange};
use crate::message::Message;
use crate::plan::PlanFigures;
use crate::policy::{Grant, Policy, PolicyChange};
use crate::presence::{PresenceChange, UserPresence, Watcher};
use crate::probe::{ProbeRequest, ProbeResult};
use crate::registration::Registration;
use crate::server::{BackupRequest, BackupStatus, Certificate, Health, Status};
use crate::session::{FirstSignIn, Session, SignIn, SignedIn};
use crate::topology::{Compare, Comparison, Publish, Rollback, Topology, Verdict, Version};
use crate::trace::{Ladder, TraceMessage, TraceStart, TraceStatus};
use crate::user::{EffectivePolicy, Imported, NewUser, User, UserChange};

const fn path(name: &'static str, about: &'static str) -> Parameter {
    Parameter { name, place: Place::Path, kind: "string", about }
}

const fn query(name: &'static str, about: &'static str) -> Parameter {
    Parameter { name, place: Place::Query, kind: "string", about }
}

const fn flag(name: &'static str, about: &'static str) -> Parameter {
    Parameter { name, place: Place::Query, kind: "boolean", about }
}

const fn count(name: &'static str, about: &'static str) -> Parameter {
    Parameter { name, place: Place::Query, kind: "integer", about }
}

const ADDRESS: Parameter = path("address", "Sign-in address, user@domain");
const NAME: Parameter = path("name", "Name");
const KIND: Parameter = path("kind", "Policy kind");
const SCOPE: Parameter = path("scope", "global, site:NAME, pool:NAME or tag:NAME");
const LIMIT: Parameter = count("limit", "At most this many items; 100 when absent, 10000 at most");
const AFTER: Parameter = query("after", "The 'next' of the page before");
const FROM: Parameter = query("from", "Not before this time");
const TO: Parameter = query("to", "Not after this time");
const WHAT_IF: Parameter = flag("what_if", "Only say what would change");

/// The columns of one route, in reading order.
const fn route(
    access: Access,
    call: (&'static str, &'static str),
    id: &'static str,
    summary: &'static str,
    parameters: &'static [Parameter],
    bodies: (Body, Body),
) -> Route {
    Route { method: call.0, path: call.1, id, summary, access, parameters, body: bodies.0, answer: bodies.1 }
}

/// Every route under [`crate::PREFIX`].
#[rustfmt::skip]
pub static ROUTES: &[Route] = &[
    route(Open, ("GET", "/health"), "health", "Whether the server works", &[], (Empty, Json(of::<Health>))),
    route(Open, ("POST", "/session"), "sign_in", "Sign in", &[], (Json(of::<SignIn>), Json(of::<SignedIn>))),
    route(Open, ("POST", "/session/first"), "first_sign_in", "Make an administrator with a one-time link and sign in", &[], (Json(of::<FirstSignIn>), Json(of::<SignedIn>))),
    route(Admin, ("GET", "/session"), "session", "Whose session this is", &[], (Empty, Json(of::<Session>))),
    route(Admin, ("DELETE", "/session"), "sign_out", "End this session", &[], (Empty, Empty)),
    route(Admin, ("GET", "/openapi.json"), "openapi", "This description", &[], (Empty, Json(any))),

    route(Admin, ("GET", "/users"), "list_users", "List users", &[query("filter", "Matched against address, name and numbers; * stands for any text"), query("domain", "Only this domain"), flag("enabled", "Only enabled or only disabled ones"), query("site", "Only this home site"), query("pool", "Only this home pool"), query("policy", "Only holders of this policy, kind:name"), LIMIT, AFTER], (Empty, Json(page::<User>))),
    route(Admin, ("POST", "/users"), "new_user", "Create a user", &[WHAT_IF], (Json(of::<NewUser>), Json(of::<Changed>))),
    route(Admin, ("POST", "/users/import"), "import_users", "Create or change many users at once from 'user;password' or headed CSV lines", &[WHAT_IF, query("domain", "Domain for names without one; the default domain when absent")], (Text("text/csv"), Json(of::<Imported>))),
    route(Admin, ("GET", "/users/{address}"), "get_user", "Show a user", &[ADDRESS], (Empty, Json(of::<User>))),
    route(Admin, ("PATCH", "/users/{address}"), "set_user", "Change a user", &[ADDRESS, WHAT_IF], (Json(of::<UserChange>), Json(of::<Changed>))),
    route(Admin, ("DELETE", "/users/{address}"), "remove_user", "Remove a user", &[ADDRESS, WHAT_IF], (Empty, Json(of::<Changed>))),
    route(Admin, ("POST", "/users/{address}/enable"), "enable_user", "Let a user sign in and call", &[ADDRESS, WHAT_IF], (Empty, Json(of::<Changed>))),
    route(Admin, ("POST", "/users/{address}/disable"), "disable_user", "Stop a user from signing in and calling", &[ADDRESS, WHAT_IF], (Empty, Json(of::<Changed>))),
    route(Admin, ("GET", "/users/{address}/effective-policy"), "effective_policy", "The policies in force for a user, with where each value comes from", &[ADDRESS], (Empty, Json(of::<EffectivePolicy>))),

    route(Admin, ("GET", "/users/{address}/messages"), "list_messages", "A user's messages, newest first; asking is noted in the audit list", &[ADDRESS, query("peer", "Only with this person"), query("conversation", "Only in this conversation"), query("text", "Only with this text in them"), FROM, TO, LIMIT, AFTER], (Empty, Json(page::<Message>))),

    route(Admin, ("GET", "/users/{address}/presence"), "get_presence", "What a user's presence comes to and what the user chose, or with 'by' what somebody else sees", &[ADDRESS, query("by", "Address of who looks")], (Empty, Json(of::<UserPresence>))),
    route(Admin, ("PATCH", "/users/{address}/presence"), "set_presence", "Change what a user says of themselves", &[ADDRESS, WHAT_IF], (Json(of::<PresenceChange>), Json(of::<Changed>))),
    route(Admin, ("GET", "/users/{address}/calendar"), "get_user_calendar", "How reading a user's calendar goes", &[ADDRESS], (Empty, Json(of::<CalendarStatus>))),
    route(Admin, ("GET", "/users/{address}/watchers"), "list_watchers", "Who watches a user's presence", &[ADDRESS], (Empty, Json(list::<Watcher>))),
    route(Admin, ("GET", "/users/{address}/contacts"), "list_contacts", "A user's contacts", &[ADDRESS], (Empty, Json(list::<Contact>))),
    route(Admin, ("PUT", "/users/{address}/contacts/{contact}"), "set_contact", "Add or change a contact of a user", &[ADDRESS, path("contact", "Address of the contact"), WHAT_IF], (Json(of::<ContactChange>), Json(of::<Changed>))),
    route(Admin, ("DELETE", "/users/{address}/contacts/{contact}"), "remove_contact", "Remove a contact of a user", &[ADDRESS, path("contact", "Address of the contact"), WHAT_IF], (Empty, Json(of::<Changed>))),
    route(Admin, ("GET", "/users/{address}/relationships"), "list_relationships", "What certain people may see of a user, where it is not the default", &[ADDRESS], (Empty, Json(list::<Relation>))),
    route(Admin, ("PUT", "/users/{address}/relationships/{who}"), "set_relationship", "Say what somebody may see of a user", &[ADDRESS, path("who", "user@domain, or @domain for everybody of a domain"), WHAT_IF], (Json(of::<RelationshipChange>), Json(of::<Changed>))),
    route(Admin, ("DELETE", "/users/{address}/relationships/{who}"), "remove_relationship", "Let somebody see what the default is again", &[ADDRESS, path("who", "user@domain, or @domain for everybody of a domain"), WHAT_IF], (Empty, Json(of::<Changed>))),

    route(Admin, ("GET", "/accounts"), "accounts_status", "Where accounts come from besides the administrator's hand, and how that fares", &[], (Empty, Json(list::<AccountSource>))),
    route(Admin, ("POST", "/accounts/test"), "test_accounts", "Ask the servers that accounts come from, step by step; nothing is changed", &[], (Empty, Json(list::<AccountCheck>))),
    route(Admin, ("POST", "/accounts/sync"), "sync_accounts", "Compare the people of the directory server with the users here, and change these", &[WHAT_IF, flag("force", "However many accounts would be disabled or removed")], (Empty, Json(of::<AccountSync>))),
    route(Admin, ("PUT", "/accounts/secrets/{name}"), "set_accounts_secret", "Set the secret that is shown to the directory server or the issuer; it is never given out again", &[path("name", "ldap or oidc"), WHAT_IF], (Json(of::<AccountSecret>), Empty)),
    route(Admin, ("DELETE", "/accounts/secrets/{name}"), "remove_accounts_secret", "Forget such a secret", &[path("name", "ldap or oidc"), WHAT_IF], (Empty, Empty)),

    route(Open, ("GET", "/client/sign-in"), "client_sign_in_ways", "The ways to sign in with a page", &[], (Empty, Json(of::<SignInWays>))),
    route(Open, ("POST", "/client/session"), "client_sign_in", "A user signs in with a page", &[], (Json(of::<ClientSignIn>), Json(of::<ClientSession>))),
    route(Open, ("POST", "/client/session/refresh"), "client_renew", "A page gets its next token; the cookie of its sign-in vouches", &[], (Json(of::<ClientRenewal>), Json(of::<ClientSession>))),
    route(Page, ("DELETE", "/client/session"), "client_sign_out", "A page signs out", &[], (Empty, Empty)),
    route(Page, ("GET", "/client/provisioning"), "client_provisioning", "Who I am, my policies, my servers, my ports", &[], (Empty, Json(any))),
    route(Page, ("GET", "/client/presence"), "client_presence", "My own wish, or with 'of' what I see of others", &[query("of", "Addresses, comma separated")], (Empty, Json(any))),
    route(Page, ("PUT", "/client/presence"), "client_choose", "Set what I am seen as", &[], (Json(of::<OwnPresence>), Json(of::<OwnPresence>))),
    route(Page, ("GET", "/client/groups/{address}"), "client_group", "The people of a distribution group", &[ADDRESS], (Empty, Json(of::<DistributionGroup>))),
    route(Page, ("GET", "/client/calls"), "client_calls", "My own calls, newest first", &[query("before", "The 'next' of the page before"), LIMIT], (Empty, Json(of::<OwnCalls>))),
    route(Page, ("GET", "/client/calendar"), "client_calendar", "How reading my calendar goes", &[], (Empty, Json(of::<CalendarStatus>))),
    route(Page, ("PUT", "/client/calendar"), "client_set_calendar", "Fetch my calendar from this address", &[], (Json(of::<CalendarAddress>), Json(of::<CalendarStatus>))),
    route(Page, ("DELETE", "/client/calendar"), "client_remove_calendar", "Forget my calendar", &[], (Empty, Json(of::<CalendarStatus>))),
    route(Page, ("PUT", "/client/calendar/file"), "client_upload_calendar", "My calendar as a file", &[], (Text("text/calendar"), Json(of::<CalendarStatus>))),
    route(Page, ("PUT", "/client/presence/activity"), "client_used", "How long my device was not used", &[], (Json(of::<DeviceUse>), Empty)),
    route(Page, ("GET", "/client/contacts"), "client_contacts", "My contact list", &[], (Empty, Json(any))),
    route(Page, ("PUT", "/client/contacts"), "client_replace_contacts", "Replace my contact list, if it has the version in If-Match", &[], (Json(any), Json(any))),
    route(Page, ("POST", "/client/contacts/entries"), "client_add_contact", "Add or change a contact", &[], (Json(any), Json(any))),
    route(Page, ("DELETE", "/client/contacts/entries/{address}"), "client_remove_contact", "Remove a contact", &[ADDRESS], (Empty, Json(any))),
    route(Page, ("PUT", "/client/relationships/{address}"), "client_relate", "What somebody may see of me", &[ADDRESS], (Json(of::<RelationshipChange>), Json(any))),
    route(Page, ("GET", "/client/conversations"), "client_conversations", "My conversations, the latest first", &[], (Empty, Json(any))),
    route(Page, ("POST", "/client/conversations"), "client_new_conversation", "The conversation with these people", &[], (Json(of::<NewConversation>), Json(of::<ConversationSummary>))),
    route(Page, ("GET", "/client/conversations/{id}/messages"), "client_messages", "Messages of a conversation, newest first", &[path("id", "The conversation"), query("before", "The 'next' of the page before"), LIMIT], (Empty, Json(of::<HistoryItems>))),
    route(Page, ("POST", "/client/conversations/{id}/read"), "client_read", "I read a conversation up to here", &[path("id", "The conversation")], (Json(of::<ReadUpTo>), Empty)),
    route(Page, ("PUT", "/client/photo"), "client_set_photo", "Set my picture: JPEG, PNG, GIF or WebP", &[], (Text("image/*"), Empty)),
    route(Page, ("DELETE", "/client/photo"), "client_remove_photo", "Remove my picture", &[], (Empty, Empty)),
    route(Page, ("GET", "/client/photos/{address}"), "client_photo", "Somebody's picture; 204 when there is none", &[ADDRESS], (Empty, Text("image/*"))),
    route(Page, ("GET", "/client/files"), "client_files", "Files that I sent and was sent", &[], (Empty, Json(of::<FileItems>))),
    route(Page, ("POST", "/client/files"), "client_send_file", "Send a file; its content is the body", &[query("to", "Whom"), query("name", "The file's name")], (Text("application/octet-stream"), Json(of::<FileItem>))),
    route(Page, ("GET", "/client/files/{id}"), "client_fetch_file", "The content of a file", &[path("id", "The file")], (Empty, Text("application/octet-stream"))),
    route(Page, ("DELETE", "/client/files/{id}"), "client_decline_file", "Decline a file, or take it back", &[path("id", "The file")], (Empty, Json(of::<FileItem>))),
    route(Page, ("GET", "/client/search"), "client_search", "Find people by three letters or digits", &[query("q", "Name, address or number")], (Empty, Json(of::<Found>))),

    route(Admin, ("GET", "/numbers"), "list_numbers", "List number records", &[query("user", "Only this user's"), LIMIT, AFTER], (Empty, Json(page::<Number>))),
    route(Admin, ("GET", "/numbers/{number}"), "get_number", "Show a number", &[path("number", "E.164")], (Empty, Json(of::<Number>))),
    route(Admin, ("PUT", "/numbers/{number}"), "set_number", "Create or change a number", &[path("number", "E.164"), WHAT_IF], (Json(of::<Number>), Json(of::<Changed>))),
    route(Admin, ("DELETE", "/numbers/{number}"), "remove_number", "Remove a number", &[path("number", "E.164"), WHAT_IF], (Empty, Json(of::<Changed>))),
    route(Admin, ("GET", "/groups"), "list_groups", "List distribution groups", &[LIMIT, AFTER], (Empty, Json(page::<Group>))),
    route(Admin, ("POST", "/groups"), "new_group", "Create a distribution group", &[WHAT_IF], (Json(of::<Group>), Json(of::<Changed>))),
    route(Admin, ("GET", "/groups/{address}"), "get_group", "Show a distribution group", &[ADDRESS], (Empty, Json(of::<Group>))),
    route(Admin, ("PATCH", "/groups/{address}"), "set_group", "Change a distribution group", &[ADDRESS, WHAT_IF], (Json(of::<GroupChange>), Json(of::<Changed>))),
    route(Admin, ("DELETE", "/groups/{address}"), "remove_group", "Remove a distribution group", &[ADDRESS, WHAT_IF], (Empty, Json(of::<Changed>))),
    route(Admin, ("GET", "/devices"), "list_devices", "List device records", &[query("user", "Only this user's"), LIMIT, AFTER], (Empty, Json(page::<Device>))),
    route(Admin, ("GET", "/devices/{mac}"), "get_device", "Show a device", &[path("mac", "Hardware address")], (Empty, Json(of::<Device>))),
    route(Admin, ("PUT", "/devices/{mac}"), "set_device", "Create or change a device", &[path("mac", "Hardware address"), WHAT_IF], (Json(of::<Device>), Json(of::<Changed>))),
    route(Admin, ("DELETE", "/devices/{mac}"), "remove_device", "Remove a device", &[path("mac", "Hardware address"), WHAT_IF], (Empty, Json(of::<Changed>))),

    route(Admin, ("GET", "/domains"), "list_domains", "List domains", &[], (Empty, Json(list::<Domain>))),
    route(Admin, ("POST", "/domains"), "new_domain", "Add a domain", &[WHAT_IF], (Json(of::<NewDomain>), Json(of::<Changed>))),
    route(Admin, ("PATCH", "/domains/{name}"), "set_domain", "Make a domain the default", &[NAME, WHAT_IF], (Json(of::<DomainChange>), Json(of::<Changed>))),
    route(Admin, ("DELETE", "/domains/{name}"), "remove_domain", "Remove a domain without users", &[NAME, WHAT_IF], (Empty, Json(of::<Changed>))),

    route(Admin, ("GET", "/policies"), "list_policies", "List the policies of every kind and scope", &[], (Empty, Json(list::<Policy>))),
    route(Admin, ("GET", "/policies/{kind}"), "list_policies_of", "List the policies of one kind", &[KIND], (Empty, Json(list::<Policy>))),
    route(Admin, ("GET", "/policies/{kind}/{scope}"), "get_policy", "Show a policy", &[KIND, SCOPE], (Empty, Json(of::<Policy>))),
    route(Admin, ("PATCH", "/policies/{kind}/{scope}"), "set_policy", "Create or change a policy", &[KIND, SCOPE, WHAT_IF], (Json(of::<PolicyChange>), Json(of::<Changed>))),
    route(Admin, ("DELETE", "/policies/{kind}/{scope}"), "remove_policy", "Remove a policy; the global one returns to its defaults", &[KIND, SCOPE, WHAT_IF], (Empty, Json(of::<Changed>))),
    route(Admin, ("POST", "/policies/{kind}/grant"), "grant_policy", "Give a user a policy, or take it back", &[KIND, WHAT_IF], (Json(of::<Grant>), Json(of::<Changed>))),

    route(Admin, ("POST", "/plan"), "plan_figures", "What follows from a plan file: servers, links, a picture; nothing is stored", &[query("picture", "Which picture; 'topology' when absent")], (Text("application/toml"), Json(of::<PlanFigures>))),
    route(Admin, ("POST", "/plan/report"), "plan_report", "What follows from a plan file as a file: report or topology document", &[query("format", "html, xlsx or topology")], (Text("application/toml"), Text("application/octet-stream"))),

    route(Admin, ("GET", "/topology"), "get_topology", "The document in force", &[], (Empty, Json(of::<Topology>))),
    route(Admin, ("PUT", "/topology"), "publish_topology", "Publish a document", &[WHAT_IF], (Json(of::<Publish>), Json(of::<Changed>))),
    route(Admin, ("POST", "/topology/validate"), "validate_topology", "Check a document without publishing it", &[], (Json(any), Json(of::<Verdict>))),
    route(Admin, ("POST", "/topology/diff"), "diff_topology", "Where two documents differ", &[], (Json(of::<Compare>), Json(of::<Comparison>))),
    route(Admin, ("POST", "/topology/rollback"), "rollback_topology", "Publish an old version again; the directory stays as it is", &[WHAT_IF], (Json(of::<Rollback>), Json(of::<Changed>))),
    route(Admin, ("GET", "/topology/versions"), "list_versions", "List the versions, newest first", &[LIMIT, AFTER], (Empty, Json(page::<Version>))),
    route(Admin, ("GET", "/topology/versions/{version}"), "get_version", "The document of a version", &[path("version", "Version")], (Empty, Json(of::<Topology>))),

    route(Admin, ("GET", "/registrations"), "list_registrations", "Where users can be reached now", &[query("user", "Only this user"), LIMIT, AFTER], (Empty, Json(page::<Registration>))),
    route(Admin, ("GET", "/calls"), "list_calls", "Call detail records, newest first", &[query("user", "Calls from or to this user"), FROM, TO, query("call_id", "SIP Call-ID"), LIMIT, AFTER], (Empty, Json(page::<Call>))),
    route(Admin, ("GET", "/calls/{id}"), "get_call", "A call with the trace of its routing decision", &[path("id", "Identity of the record, or the Call-ID")], (Empty, Json(of::<Call>))),

    route(Admin, ("GET", "/archive"), "list_archive", "Archived messages in the order in which they were archived; asking is noted in the audit list", &[query("user", "Only with this person"), FROM, TO, count("limit", "At most this many items; 500 when absent, and at most"), AFTER], (Empty, Json(of::<ArchivePage>))),
    route(Admin, ("POST", "/archive/exported"), "archive_exported", "Note that archived messages were exported, so that a purge may remove them", &[WHAT_IF], (Json(of::<ArchiveExported>), Json(of::<ArchiveDone>))),
    route(Admin, ("POST", "/archive/purge"), "purge_archive", "Remove some of the archived messages before a time; to be called until none are left", &[WHAT_IF], (Json(of::<ArchivePurge>), Json(of::<ArchiveDone>))),

    route(Admin, ("POST", "/tests/registration"), "test_registration", "Register a built-in test user", &[], (Json(of::<ProbeRequest>), Json(of::<ProbeResult>))),
    route(Admin, ("POST", "/tests/call"), "test_call", "Call from one built-in test user to the other, with sound both ways", &[], (Json(of::<ProbeRequest>), Json(of::<ProbeResult>))),

    route(Admin, ("POST", "/tests/presence"), "test_presence", "One built-in test user watches the other, who publishes", &[], (Json(of::<ProbeRequest>), Json(of::<ProbeResult>))),
    route(Admin, ("POST", "/tests/im"), "test_im", "A message from one built-in test user to the other", &[], (Json(of::<ProbeRequest>), Json(of::<ProbeResult>))),

    route(Admin, ("GET", "/trace"), "trace_status", "Whether a trace runs", &[], (Empty, Json(of::<TraceStatus>))),
    route(Admin, ("POST", "/trace/start"), "start_trace", "Start to capture SIP messages", &[WHAT_IF], (Json(of::<TraceStart>), Json(of::<TraceStatus>))),
    route(Admin, ("POST", "/trace/stop"), "stop_trace", "Stop capturing; what was captured stays", &[WHAT_IF], (Empty, Json(of::<TraceStatus>))),
    route(Admin, ("GET", "/trace/messages"), "search_trace", "Search captured messages", &[query("user", "Only this user"), query("call_id", "Only this Call-ID"), query("text", "Only messages with this text"), query("full", "true: with the whole messages, secrets blanked"), FROM, TO, LIMIT, AFTER], (Empty, Json(page::<TraceMessage>))),
    route(Admin, ("GET", "/trace/calls/{id}"), "show_trace", "The SIP ladder of a call, the failing transaction marked and explained", &[path("id", "Call-ID or identity of the record"), query("full", "true: with the whole messages, secrets blanked")], (Empty, Json(of::<Ladder>))),

    route(Admin, ("GET", "/audit"), "list_audit", "Who changed what, newest first", &[query("who", "Only this administrator"), query("object", "Only this object"), FROM, TO, LIMIT, AFTER], (Empty, Json(page::<AuditEntry>))),

    route(Admin, ("GET", "/administrators"), "list_administrators", "List administrators", &[], (Empty, Json(list::<Administrator>))),
    route(Admin, ("POST", "/administrators"), "new_administrator", "Add an administrator", &[WHAT_IF], (Json(of::<NewAdministrator>), Json(of::<Changed>))),
    route(Admin, ("PATCH", "/administrators/{name}"), "set_administrator", "Set an administrator's password", &[NAME, WHAT_IF], (Json(of::<AdministratorChange>), Json(of::<Changed>))),
    route(Admin, ("DELETE", "/administrators/{name}"), "remove_administrator", "Remove an administrator and end the sessions", &[NAME, WHAT_IF], (Empty, Json(of::<Changed>))),
    route(Local, ("POST", "/administrators/one-time-url"), "new_one_time_link", "Make a link that lives 30 minutes and makes one administrator", &[], (Empty, Json(of::<OneTimeLink>))),

    route(Admin, ("GET", "/status"), "status", "What the server is and does", &[], (Empty, Json(of::<Status>))),
    route(Admin, ("GET", "/metrics"), "metrics", "Figures for Prometheus", &[], (Empty, Text("text/plain"))),
    route(Admin, ("GET", "/edges"), "list_edges", "Access Edges, and whether their links stand", &[], (Empty, Json(list::<Edge>))),
    route(Admin, ("POST", "/edges/tokens"), "new_edge_token", "Make a one-time token by which an Access Edge is enrolled", &[WHAT_IF], (Json(of::<NewEdgeToken>), Json(of::<EdgeToken>))),
    route(Admin, ("DELETE", "/edges/{name}"), "remove_edge", "Take an Access Edge away; its link ends at once", &[NAME, WHAT_IF], (Empty, Json(of::<Changed>))),
    route(Admin, ("GET", "/backup"), "backup_status", "How the last backup stands", &[], (Empty, Json(of::<BackupStatus>))),
    route(Admin, ("POST", "/backup"), "start_backup", "Start an online backup", &[WHAT_IF], (Json(of::<BackupRequest>), Json(of::<BackupStatus>))),
    route(Admin, ("POST", "/certificates/reload"), "reload_certificates", "Read the certificates again; connections stay", &[WHAT_IF], (Empty, Json(list::<Certificate>))),
];

#[cfg(test)]
mod tests {
    use super::ROUTES;
    use crate::route::Place;
    use std::collections::HashSet;

    #[test]
    fn ids_and_method_path_pairs_are_unique() {
        let ids: HashSet<_> = ROUTES.iter().map(|r| r.id).collect();
        let pairs: HashSet<_> = ROUTES.iter().map(|r| (r.method, r.path)).collect();
        assert_eq!((ids.len(), pairs.len()), (ROUTES.len(), ROUTES.len()));
    }

    #[test]
    fn path_parameters_are_declared() {
        for route in ROUTES {
            let in_path = route.path.matches('{').count();
            let declared = route.parameters.iter().filter(|p| p.place == Place::Path);
            assert_eq!(in_path, declared.count(), "{}", route.id);
        }
    }
}
