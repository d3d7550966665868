//! May this client sign in? The policy's rules on its User-Agent, and where its user is told what to do.

use lyceum_sip::{Message, Name};
use lyceum_topology::ClientVersionPolicy;
use lyceum_topology::policy::ClientAction;

use crate::core::Core;

/// Of a User-Agent so much goes into the link of our own page.
const AGENT_MOST: usize = 120;
/// The warning code of RFC 3261 §20.43 for what has no code of its own.
const WARN_CODE: &str = "399";

/// What is to be said to a client besides the status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ClientVerdict {
    /// Nothing.
    Welcome,
    /// It signs in; this line goes into the 200.
    Warned(Vec<u8>),
    /// It does not; this goes into Error-Info, and is empty when there is nowhere to send its user.
    Blocked(Vec<u8>),
}

/// Judges a REGISTER. Who signs out is let go, whatever the client.
pub(crate) fn judge(policy: &ClientVersionPolicy, pages: &str, host: &str, message: &Message<'_>) -> ClientVerdict {
    let agent = String::from_utf8_lossy(message.value(Name::UserAgent).unwrap_or_default());
    let decision = policy.decide(&agent);
    let word = match decision.action {
        ClientAction::Allow => return ClientVerdict::Welcome,
        ClientAction::Warn => "warn",
        ClientAction::Block if message.expires() == Some(0) => return ClientVerdict::Welcome,
        ClientAction::Block => "block",
    };
    let link = link(decision.url, pages, word, &agent);
    match decision.action {
        ClientAction::Block if link.is_empty() => ClientVerdict::Blocked(Vec::new()),
        ClientAction::Block => ClientVerdict::Blocked(format!("<{link}>").into_bytes()),
        _ => {
            let blank = if link.is_empty() { "" } else { ": " };
            let line = format!("Warning: {WARN_CODE} {host} \"Please update this client{blank}{link}\"\r\n");
            ClientVerdict::Warned(line.into_bytes())
        }
    }
}

/// The administrator's page, else ours, else none.
fn link(url: &str, pages: &str, word: &str, agent: &str) -> String {
    if !url.is_empty() {
        // It stands in angle brackets or in quotes.
        return url.chars().filter(|c| c.is_ascii_graphic() && !"<>\"\\".contains(*c)).collect();
    }
    if pages.is_empty() {
        return String::new();
    }
    let mut link = format!("{}/client-versions/?action={word}&client=", pages.trim_end_matches('/'));
    for byte in agent.bytes().take(AGENT_MOST) {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => link.push(char::from(byte)),
            _ => link.push_str(&format!("%{byte:02X}")),
        }
    }
    link
}

impl Core {
    /// Where browsers reach this server, `https://sip.example.org:8443`: links in answers begin so. Empty, there are none.
    pub fn set_pages(&mut self, base_url: &str) {
        self.pages = base_url.into();
    }
}
