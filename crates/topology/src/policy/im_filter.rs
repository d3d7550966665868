//! What happens to hyperlinks in messages (Lync: `Set-CsImFilterConfiguration`).

use super::Clash;
use super::kind::Ranged;
use serde::{Deserialize, Serialize};

/// What happens to a message with a filtered hyperlink.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkAction {
    /// An underscore before each link makes it plain text, and `allow_message`, if any, goes before the message.
    Allow,
    /// The message is refused, and the sender told why.
    Block,
    /// The message goes on with `warn_message` before it; while that is empty nothing is done.
    Warn,
}

impl Ranged for LinkAction {
    fn number(&self) -> Option<u64> {
        None
    }
}

policy! {
    /// What happens to hyperlinks in messages.
    pub struct ImFilterPolicy / ImFilterSettings, ImFilter, clashes clashes;

    /// Whether messages are looked through for hyperlinks at all.
    enabled: bool = true,
        source "Lync Enabled True";
    /// What happens to a message with a hyperlink: allow (made inactive), block or warn.
    action: LinkAction = LinkAction::Warn,
        source "Lync states no default; Warn without a notice lets links pass, as its clients show them";
    /// What makes a hyperlink, letter case ignored; `*` stands for any letters and digits: `www*.`.
    prefixes: Vec<String> = lync_prefixes(), range 0 ..= 256,
        source "Lync Prefixes";
    /// Whether links to hosts of the organisation itself are left alone: a host name without a dot, or one of
    /// `local_hosts`.
    ignore_local: bool = true,
        source "Lync IgnoreLocal True";
    /// Hosts and domains that count as the organisation's own; a domain stands for every host in it.
    local_hosts: Vec<String> = Vec::new(), range 0 ..= 256,
        source "the intranet zone of Lync's server, which is a setting of its Windows";
    /// Whether a link to a file is refused when the file transfer policy blocks its extension.
    block_file_extension: bool = true,
        source "Lync BlockFileExtension True";
    /// What goes before a message whose links were made inactive; may be empty.
    allow_message: String = String::new(), unit "characters", range 0 ..= 65_535,
        source "Lync AllowMessage, up to 65,535 characters";
    /// What goes before a message with links when the action is warn.
    warn_message: String = String::new(), unit "characters", range 0 ..= 65_535,
        source "Lync WarnMessage, up to 65,535 characters";
}

fn lync_prefixes() -> Vec<String> {
    [
        "callto:", "file:", "ftp.", "ftp:", "gopher:", "href", "http:", "https:", "ldap:", "mailto:", "news:", "nntp:",
        "sip:", "sips:", "tel:", "telnet:", "www*.",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect()
}

fn clashes(_: &ImFilterPolicy) -> Vec<Clash> {
    Vec::new()
}
