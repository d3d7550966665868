//! Properties of the formats around messages: nothing panics, and a link made inactive is none.

use lyceum_topology::policy::{FileTransferPolicy, ImFilterPolicy, LinkAction};
use lyceum_users::messages::cpim::Cpim;
use lyceum_users::messages::filter::{self, Entity, Verdict};
use lyceum_users::messages::imdn::Imdn;
use lyceum_users::messages::iscomposing::Composing;
use proptest::prelude::*;

const PIECES: [&str; 31] = [
    "http:", "HTTPS://", "www.", "www2.", "href", "=", "\"", "'", "_", " ", "x", "/", ".", "@", "a.b", "&#104;",
    "&colon;", "&amp;", "<a ", ">", "<body>", "xmlns=\"", "ftp.", "tel:", "ü", "\n", "ht\ntp:", ".exe", "%2e", "//",
    "?",
];

/// Texts from the pieces that links are made of.
fn texts() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&PIECES[..]), 0..12).prop_map(|pieces| pieces.concat())
}

fn policy(action: LinkAction) -> ImFilterPolicy {
    ImFilterPolicy { action, ignore_local: false, block_file_extension: false, ..ImFilterPolicy::default() }
}

fn check(links: &ImFilterPolicy, files: &FileTransferPolicy, content_type: &[u8], body: &[u8]) -> Verdict {
    filter::check(links, files, &Entity { content_type, encoding: b"", body })
}

proptest! {
    #[test]
    fn a_link_made_inactive_is_none(text in texts(), html in any::<bool>()) {
        let content_type: &[u8] = if html { b"text/html" } else { b"text/plain" };
        let files = FileTransferPolicy::default();
        let allowed = check(&policy(LinkAction::Allow), &files, content_type, text.as_bytes());
        let blocked = check(&policy(LinkAction::Block), &files, content_type, text.as_bytes());
        match allowed {
            Verdict::Allow => prop_assert_eq!(blocked, Verdict::Allow),
            Verdict::Rewrite(inactive) => {
                prop_assert!(matches!(blocked, Verdict::Block(_)), "both see the same links");
                let again = check(&policy(LinkAction::Block), &files, content_type, &inactive);
                prop_assert_eq!(again, Verdict::Allow, "{}", String::from_utf8_lossy(&inactive));
            }
            Verdict::Block(_) => prop_assert!(matches!(blocked, Verdict::Block(_))),
        }
    }

    #[test]
    fn anything_may_come(content_type in ".{0,40}", bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let files = FileTransferPolicy::default();
        let verdict = check(&policy(LinkAction::Allow), &files, content_type.as_bytes(), &bytes);
        prop_assert_eq!(&verdict, &check(&policy(LinkAction::Allow), &files, content_type.as_bytes(), &bytes));
        if let Some(cpim) = Cpim::parse(&bytes) {
            prop_assert!(cpim.body.len() < bytes.len());
        }
        prop_assert!(Imdn::read(&bytes).is_err() && Composing::read(&bytes).is_err());
    }

    #[test]
    fn a_wrapper_keeps_its_parts(name in "[a-zA-Z.-]{1,20}", value in "[ -~]{0,40}", body in ".{0,100}") {
        let wrapped = format!("{name}: {value}\r\n\r\nContent-Type: text/plain\r\n\r\n{body}");
        let cpim = Cpim::parse(wrapped.as_bytes()).unwrap();
        prop_assert_eq!(cpim.header(&name), Some(value.trim().as_bytes()));
        prop_assert_eq!(cpim.body, body.as_bytes());
        prop_assert_eq!(cpim.with_body(cpim.body), wrapped.as_bytes());
    }
}
