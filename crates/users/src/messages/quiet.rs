//! Documents about messages, told apart from messages that only call themselves so.
//!
//! Nobody's words are archived or filtered when they are a notice or say that somebody is typing; so what is taken for
//! one holds nothing else. Elements that are not of the format, comments, long names: with any of them it is words.

use super::imdn::{self, Imdn};
use super::iscomposing::{self, Composing};
use crate::format::datetime;
use crate::format::xml::{Element, IMDN, IS_COMPOSING, read};
use lyceum_sip::Uri;

/// Longest quoted value in a document: a namespace, or where its schema lies.
const MAX_QUOTED: usize = 128;
/// Longest text of an element, but for a `message-id`.
const MAX_TEXT: usize = 256;

/// Whether this is a document that tells whether somebody is typing (RFC 3994), and nothing besides. An empty body says
/// nothing at all.
pub fn is_typing(body: &[u8]) -> bool {
    body.is_empty()
        || (Composing::read(body).is_ok()
            && is_bare(body)
            && read(body, iscomposing::MAX_BYTES, IS_COMPOSING, "isComposing").is_ok_and(|root| {
                root.text.trim().is_empty() && root.children.iter().all(|child| is_leaf(child) && says_typing(child))
            }))
}

/// Whether this is a notice of delivery or reading (RFC 5438), and nothing besides.
pub fn is_notice(body: &[u8]) -> bool {
    Imdn::read(body).is_ok()
        && is_bare(body)
        && read(body, imdn::MAX_BYTES, IMDN, "imdn")
            .is_ok_and(|root| root.text.trim().is_empty() && root.children.iter().all(says_notice))
}

fn says_typing(child: &Element) -> bool {
    child.namespace == IS_COMPOSING
        && match child.name.as_str() {
            "state" => is_word(child.trimmed()),
            "refresh" => child.trimmed().bytes().all(|byte| byte.is_ascii_digit()),
            "lastactive" => datetime::read(child.trimmed()).is_some(),
            "contenttype" => child.trimmed().split('/').all(is_word),
            _ => false,
        }
}

fn says_notice(child: &Element) -> bool {
    child.namespace == IMDN
        && match child.name.as_str() {
            // Both were read before.
            "message-id" | "datetime" => is_leaf(child),
            "recipient-uri" | "original-recipient-uri" => is_leaf(child) && is_address(child.trimmed()),
            "delivery-notification" | "display-notification" | "processing-notification" => {
                let status = |one: &Element| one.is(IMDN, "status") && one.children.iter().all(is_said);
                has_no_text(child) && child.children.iter().all(|one| has_no_text(one) && status(one))
            }
            _ => false,
        }
}

fn is_said(one: &Element) -> bool {
    one.namespace == IMDN && is_leaf(one) && one.trimmed().is_empty() && is_word(&one.name)
}

fn has_no_text(element: &Element) -> bool {
    element.text.trim().is_empty() && element.attributes.is_empty()
}

fn is_leaf(element: &Element) -> bool {
    element.children.is_empty() && element.attributes.is_empty() && element.text.len() <= MAX_TEXT
}

fn is_word(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-+._".contains(&byte))
}

fn is_address(text: &str) -> bool {
    !text.contains(char::is_whitespace) && Uri::parse(text.as_bytes()).is_ok()
}

/// Whether nothing stands in the document that its elements do not show: no comment, no further instruction, nothing
/// quoted but namespaces.
fn is_bare(body: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(body) else { return false };
    let text = text.trim_start_matches('\u{feff}').trim();
    let text = match text.strip_prefix("<?xml") {
        Some(rest) => match rest.split_once("?>") {
            Some((declared, rest)) if declared.len() <= MAX_QUOTED => rest,
            _ => return false,
        },
        None => text,
    };
    !text.contains("<!") && !text.contains("<?") && quoted(text).all(is_namespace)
}

fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('<').filter_map(|tag| tag.split_once('>')).flat_map(|(tag, _)| {
        let mut rest = tag;
        std::iter::from_fn(move || {
            let at = rest.find(['"', '\''])?;
            let (value, after) = rest[at + 1..].split_once(rest[at..].chars().next()?)?;
            rest = after;
            Some(value)
        })
    })
}

fn is_namespace(value: &str) -> bool {
    value.len() <= MAX_QUOTED && (value.starts_with("urn:ietf:params:") || value.starts_with("http://www.w3.org/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTICE: &str = "<delivery-notification><status><delivered/></status></delivery-notification>";

    #[test]
    fn typing_holds_nothing_else() {
        let document = |inside: &str| {
            format!("<?xml version='1.0'?>\r\n<isComposing xmlns='{IS_COMPOSING}'>{inside}</isComposing>\n")
        };
        for (inside, is) in [
            ("<state>active</state><contenttype>text/plain</contenttype><refresh>90</refresh>", true),
            ("<state>idle</state><lastactive>2026-01-27T10:43:00Z</lastactive>", true),
            ("<state>active</state> hello", false),
            ("<state>see you at nine</state>", false),
            ("<state>active</state><contenttype>see http://a.b</contenttype>", false),
            ("<state>active</state><lastactive>nine</lastactive>", false),
            ("<state>active</state><x:note xmlns:x='urn:ietf:params:x'>hello</x:note>", false),
            ("<state>active</state><!-- hello -->", false),
            ("<state note='hello'>active</state>", false),
        ] {
            assert_eq!(is_typing(document(inside).as_bytes()), is, "{inside}");
        }
        let example = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><isComposing xmlns=\"urn:ietf:params:xml:ns:im-iscomposing\" \
            xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"urn:ietf:params:xml:ns:im-composing \
            iscomposing.xsd\"><state>active</state></isComposing>";
        assert!(!is_typing(document("<state>active</state>").replace("xmlns=", "xmlns:y='hello' xmlns=").as_bytes()));
        assert!(!is_typing(b"smuggled typing") && is_typing(b""));
        assert!(is_typing(example.as_bytes()), "the example of RFC 3994");
    }

    #[test]
    fn a_notice_holds_nothing_else() {
        let document = |inside: &str| format!("<imdn xmlns='{IMDN}'><message-id>34jk</message-id>{inside}</imdn>");
        for (inside, is) in [
            (NOTICE.to_owned(), true),
            (
                format!(
                    "<datetime>2008-04-04T12:16:49-05:00</datetime><recipient-uri>im:bob@example.com</recipient-uri>\
                <original-recipient-uri>im:bob@example.com</original-recipient-uri>{NOTICE}"
                ),
                true,
            ),
            (format!("{NOTICE}<subject>hello</subject>"), false),
            (format!("<recipient-uri>see you at nine</recipient-uri>{NOTICE}"), false),
            (format!("hello{NOTICE}"), false),
            (NOTICE.replace("<delivered/>", "<delivered/>hello"), false),
            (NOTICE.replace("<delivered/>", "<delivered>hello</delivered>"), false),
            (format!("{NOTICE}<?hello?>"), false),
        ] {
            assert_eq!(is_notice(document(&inside).as_bytes()), is, "{inside}");
        }
        assert!(!is_notice(b"smuggled text in imdn <x>") && !is_notice(b""));
    }
}
