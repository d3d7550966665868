//! What the lists of the message and client policies may hold.

use super::Findings;
use super::policies::{everywhere, place};
use crate::document::Document;
use crate::path::Path;
use crate::policy::{ClientVersionSettings, FileTransferSettings, ImFilterSettings, PolicyKind};
use crate::problem::Code;

/// The longest prefix, extension, host or pattern, in characters.
const MAX_WORD: usize = 253;
/// The longest address of a page, in characters.
const MAX_URL: usize = 1_024;

pub(super) fn check(document: &Document, found: &mut Findings) {
    let root = |kind: PolicyKind| Path::root().key("policies").key(kind.as_str());
    for (origin, settings) in everywhere::<ImFilterSettings>(&document.policies.im_filter) {
        im_filter(settings, &place(&root(PolicyKind::ImFilter), &origin), found);
    }
    for (origin, settings) in everywhere::<FileTransferSettings>(&document.policies.file_transfer) {
        extensions(settings, &place(&root(PolicyKind::FileTransfer), &origin), found);
    }
    for (origin, settings) in everywhere::<ClientVersionSettings>(&document.policies.client_version) {
        client_version(settings, &place(&root(PolicyKind::ClientVersion), &origin), found);
    }
}

/// Finds the words of a list that are not as they should be.
fn words(list: Option<&Vec<String>>, path: &Path, good: fn(&str) -> bool, fix: &str, found: &mut Findings) {
    for (at, word) in list.into_iter().flatten().enumerate() {
        if word.is_empty() || word.len() > MAX_WORD || !good(word) {
            found.add(&path.index(at), Code::BadPattern, format!("`{word}` can never match."), fix);
        }
    }
}

fn visible(word: &str) -> bool {
    word.chars().all(|c| !c.is_whitespace() && !c.is_control())
}

fn im_filter(settings: &ImFilterSettings, path: &Path, found: &mut Findings) {
    let prefix = |word: &str| {
        let first = word.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
        first && word.is_ascii() && visible(word) && word.matches('*').count() <= 1
    };
    let fix =
        "Write how a link begins, as `http:` or `www*.`: ASCII, no blank, a letter or digit first, one star at most.";
    words(settings.prefixes.as_ref(), &path.key("prefixes"), prefix, fix, found);
    let host =
        |word: &str| word.is_ascii() && visible(word) && !word.starts_with('.') && !word.contains(['/', ':', '*', '@']);
    let fix = "Write a host name or a domain alone, as `intranet.contoso.com`.";
    words(settings.local_hosts.as_ref(), &path.key("local_hosts"), host, fix, found);
}

fn extensions(settings: &FileTransferSettings, path: &Path, found: &mut Findings) {
    let extension = |word: &str| {
        word.len() > 1 && word.starts_with('.') && !word.ends_with('.') && visible(word) && !word.contains(['/', '*'])
    };
    let fix = "Write a dot and the letters after it, as `.exe`.";
    words(settings.extensions.as_ref(), &path.key("extensions"), extension, fix, found);
}

fn client_version(settings: &ClientVersionSettings, path: &Path, found: &mut Findings) {
    for (at, rule) in settings.rules.iter().flatten().enumerate() {
        let path = path.key("rules").index(at);
        if rule.user_agent.is_empty() || rule.user_agent.len() > MAX_WORD {
            let what = "The pattern is empty or far too long.";
            let fix = "Write the beginning of the User-Agent and a star, as Linphone*.";
            found.add(&path.key("user_agent"), Code::BadPattern, what, fix);
        }
        url(rule.url.as_deref(), &path.key("url"), found);
    }
    url(settings.default_url.as_deref().filter(|url| !url.is_empty()), &path.key("default_url"), found);
}

fn url(url: Option<&str>, path: &Path, found: &mut Findings) {
    let web =
        |url: &str| url.strip_prefix("https://").or(url.strip_prefix("http://")).is_some_and(|rest| !rest.is_empty());
    if let Some(url) = url
        && (!web(url) || !visible(url) || url.contains(['"', '<', '>']) || url.len() > MAX_URL)
    {
        let what = format!("`{url}` is not the address of a page.");
        found.add(path, Code::BadUrl, what, "Write it whole, as https://help.contoso.com/clients.");
    }
}
