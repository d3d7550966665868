//! What the web client says and hears under `/client`.

use crate::Secret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A user signs in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientSignIn {
    /// The address, `user@domain`.
    pub address: String,
    /// The password.
    #[schema(value_type = String)]
    pub password: Secret,
    /// The device's name: a UUID that the page keeps.
    pub device: String,
    /// What a person calls the device.
    #[serde(default)]
    pub device_name: String,
}

/// A page asks for its next token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientRenewal {
    /// The device that signed in.
    pub device: String,
}

/// A session of a page.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClientSession {
    /// The token for the client API and for SIP.
    #[schema(value_type = String)]
    pub token: String,
    /// Seconds until it ends; 600 at most.
    pub expires_in: u32,
    /// Who signed in.
    pub user: Person,
    /// How to speak SIP.
    pub sip: SipAccess,
    /// The policies that clients act on.
    #[schema(value_type = Object)]
    pub policies: serde_json::Value,
    /// The server.
    pub server: ServerName,
}

/// How a page speaks SIP.
#[derive(Debug, Serialize, ToSchema)]
pub struct SipAccess {
    /// WebSocket addresses.
    pub ws: Vec<String>,
    /// The SIP domain.
    pub domain: String,
    /// The realm.
    pub realm: String,
    /// An outbound proxy, where one is needed.
    pub outbound: Option<String>,
}

/// How a client reaches the relay for media, as browsers take it (RTCIceServer).
#[derive(Serialize, ToSchema)]
pub struct RelayCredentials {
    /// `turn:` and `turns:` addresses (RFC 7065).
    pub uris: Vec<String>,
    /// When they end, and for whom they were made.
    pub username: String,
    /// What goes with it.
    pub password: String,
    /// Seconds for which both are good.
    pub ttl: u32,
}

/// The server's name and version.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServerName {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A person of the address book.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Person {
    /// The address.
    pub address: String,
    /// The name.
    pub display_name: Option<String>,
    /// The mail address.
    pub mail: Option<String>,
    /// The job title.
    pub title: Option<String>,
    /// The company.
    pub company: Option<String>,
    /// The department.
    pub department: Option<String>,
    /// Telephone numbers.
    pub numbers: Vec<String>,
    /// Whether there is a picture.
    pub photo: bool,
}

/// What a search found.
#[derive(Debug, Serialize, ToSchema)]
pub struct Found {
    /// People.
    pub people: Vec<Person>,
    /// Distribution groups.
    pub groups: Vec<DistributionGroup>,
    /// Whether there are more than are told: more letters find them.
    pub more: bool,
}

/// A distribution group.
#[derive(Debug, Serialize, ToSchema)]
pub struct DistributionGroup {
    /// Its address.
    pub address: String,
    /// Its name.
    pub display_name: Option<String>,
    /// The addresses of its people, those of groups within it among them.
    pub members: Vec<String>,
    /// Its people, where one group was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Person>,
    /// Whether there are more than a group shows.
    pub cut: bool,
}

/// What one person may see of another.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PresenceView {
    /// Whose presence it is.
    pub address: String,
    /// The name.
    pub display_name: String,
    /// Lync's bands, 3000 to 18000; 0 when nothing is known.
    pub availability: u16,
    /// What the person is doing.
    pub activity: String,
    /// The personal note.
    pub note: Option<String>,
    /// The out-of-office note.
    pub out_of_office: Option<String>,
    /// When a device was last used, as RFC 3339.
    #[schema(value_type = Option<String>)]
    pub last_active: Option<crate::Timestamp>,
}

/// What one may set of oneself.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnPresence {
    /// `automatic`, `available`, `busy`, `do-not-disturb`, `be-right-back`, `away`, `off-work` or `appear-offline`.
    pub choice: String,
    /// The note.
    #[serde(default)]
    pub note: Option<String>,
    /// The out-of-office note.
    #[serde(default)]
    pub out_of_office: Option<OutOfOfficeNote>,
    /// When the choice ends.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub until: Option<crate::Timestamp>,
}

/// An out-of-office note.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OutOfOfficeNote {
    /// What it says.
    pub note: String,
    /// When it ends.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub until: Option<crate::Timestamp>,
}

/// How long a device was not used.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceUse {
    /// The device.
    pub device: String,
    /// Seconds.
    pub idle_seconds: u32,
}

/// What somebody may see.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RelationshipChange {
    /// `blocked`, `external`, `colleagues`, `workgroup` or `friends-and-family`.
    pub relationship: String,
}

/// A conversation, as its list shows it.
#[derive(Clone, Serialize, ToSchema)]
pub struct ConversationSummary {
    /// Its name.
    pub id: String,
    /// The others in it.
    pub with: Vec<String>,
    /// What it is called.
    pub title: Option<String>,
    /// Where messages to everybody go, in a conversation of more than two.
    pub uri: Option<String>,
    /// The last message.
    pub last: Option<LastMessage>,
    /// Messages not read.
    pub unread: u32,
}

/// The last message of a conversation.
#[derive(Clone, Serialize, ToSchema)]
pub struct LastMessage {
    /// Who wrote it.
    pub from: String,
    /// What.
    pub text: String,
    /// When.
    #[schema(value_type = String)]
    pub at: crate::Timestamp,
}

/// A conversation to begin.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewConversation {
    /// The others.
    pub with: Vec<String>,
    /// What to call it.
    #[serde(default)]
    pub subject: Option<String>,
}

/// How far a conversation was read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadUpTo {
    /// The last message read: our name for it, or its sender's Message-ID.
    pub upto: String,
}

/// A page of a conversation, newest first.
#[derive(Serialize, ToSchema)]
pub struct HistoryItems {
    /// The messages.
    pub items: Vec<HistoryItem>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// A message of a conversation.
#[derive(Serialize, ToSchema)]
pub struct HistoryItem {
    /// Our name for it.
    pub id: String,
    /// Its sender's name for it.
    pub message_id: Option<String>,
    /// Who wrote it.
    pub from: String,
    /// What.
    pub text: String,
    /// When.
    #[schema(value_type = String)]
    pub at: crate::Timestamp,
    /// To whom, with what happened there.
    pub to: Vec<Recipient>,
}

/// One of one's own calls.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnCall {
    /// Identity of its record.
    pub id: String,
    /// `incoming` or `outgoing`.
    pub direction: String,
    /// The other end: an address, or a number.
    pub with: String,
    /// When the INVITE came.
    #[schema(value_type = String)]
    pub started: crate::Timestamp,
    /// When it was answered.
    #[schema(value_type = Option<String>)]
    pub answered: Option<crate::Timestamp>,
    /// When it ended.
    #[schema(value_type = Option<String>)]
    pub ended: Option<crate::Timestamp>,
    /// Seconds between answer and end.
    pub seconds: Option<u64>,
    /// `ringing`, `answered`, `missed`, `declined`, `busy`, `no-answer`, `cancelled`, `refused` or `failed`.
    pub outcome: String,
}

/// A page of one's own calls, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnCalls {
    /// The calls.
    pub items: Vec<OwnCall>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// Which of one's own calls.
#[derive(Debug, Default, Deserialize)]
pub struct OwnCallQuery {
    /// The `next` of the page before.
    #[serde(default)]
    pub before: Option<String>,
    /// At most this many.
    #[serde(default)]
    pub limit: Option<usize>,
}

/// A file from one person to another.
#[derive(Debug, Serialize, ToSchema)]
pub struct FileItem {
    /// Its name for the API.
    pub id: String,
    /// Who sends it.
    pub from: String,
    /// To whom.
    pub to: String,
    /// The file's own name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its media type, as the sender says.
    pub content_type: String,
    /// `offered`, `fetched`, `declined`, `withdrawn`, `infected` or `expired`.
    pub state: String,
    /// Until when it is kept.
    #[schema(value_type = String)]
    pub expires: crate::Timestamp,
}

/// Files, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct FileItems {
    /// The files.
    pub items: Vec<FileItem>,
}

pub use crate::message::Recipient;
