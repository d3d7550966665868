//! An archived message as a mail (RFC 5322), which every mail program and every archive of mails opens.

use crate::Timestamp;
use crate::archive::Archived;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// Longest line of Base64, in letters (RFC 2045 §6.8).
const LINE: usize = 76;
const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The mail. Messages of one conversation refer to the same thread, so that a mail program shows them together.
pub fn eml(row: &Archived) -> String {
    let subject = match row.kind.as_str() {
        "file" => "File",
        "join" => "Joined the conversation",
        "leave" => "Left the conversation",
        _ => "Instant message",
    };
    let to: Vec<String> = row.to.iter().map(|address| mailbox(address)).collect();
    let to = if to.is_empty() { "undisclosed-recipients:;".to_owned() } else { to.join(",\r\n ") };
    let headers = [
        ("Date", date(row.at)),
        ("From", mailbox(&row.from)),
        ("To", to),
        ("Subject", subject.to_owned()),
        ("Message-ID", format!("<{}.{}@archive.invalid>", clean(&row.id), row.seq)),
        ("References", format!("<{}@conversation.invalid>", clean(&row.conversation))),
        ("MIME-Version", "1.0".to_owned()),
        ("Content-Type", media_type(&row.content_type, row.content.text.is_some())),
        ("Content-Transfer-Encoding", "base64".to_owned()),
    ];
    let mut out: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let letters = match (&row.content.text, &row.content.base64) {
        (Some(text), _) => BASE64_STANDARD.encode(text.as_bytes()),
        (None, Some(letters)) => clean(letters),
        (None, None) => String::new(),
    };
    for line in letters.as_bytes().chunks(LINE) {
        out.push_str("\r\n");
        out.push_str(&String::from_utf8_lossy(line));
    }
    out.push_str("\r\n");
    out
}

/// Printable ASCII without blanks; what else a stranger put there cannot end the line.
fn clean(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).collect()
}

fn mailbox(address: &str) -> String {
    let address: String = clean(address).chars().filter(|c| !matches!(c, '<' | '>' | ',' | ';')).collect();
    format!("<{address}>")
}

/// The media type; text without a character set is UTF-8, as messages are.
fn media_type(content_type: &str, is_utf8: bool) -> String {
    let value: String = content_type.chars().filter(|c| *c == ' ' || c.is_ascii_graphic()).collect();
    let lower = value.to_ascii_lowercase();
    match value.trim() {
        "" => "application/octet-stream".to_owned(),
        value if is_utf8 && lower.starts_with("text/") && !lower.contains("charset") => {
            format!("{value}; charset=utf-8")
        }
        value => value.to_owned(),
    }
}

/// `Sat, 31 Jan 2026 08:05:09 +0000`.
fn date(at: Timestamp) -> String {
    let text = at.to_string();
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let month = part(5, 7).parse::<usize>().ok().and_then(|m| MONTHS.get(m.wrapping_sub(1))).unwrap_or(&MONTHS[0]);
    let day = DAYS[(at.0 / 86_400_000 % 7) as usize];
    format!("{day}, {} {month} {} {} +0000", part(8, 10), part(0, 4), part(11, 19))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Content;

    fn row() -> Archived {
        Archived {
            seq: 7,
            at: Timestamp(1_769_846_709_120),
            id: "0a".to_owned(),
            conversation: "0b".to_owned(),
            kind: "message".to_owned(),
            from: "anna@example.org".to_owned(),
            to: vec!["ben@example.org".to_owned(), "cleo@example.org".to_owned()],
            content_type: "text/plain".to_owned(),
            content: Content::of("Grüße".as_bytes().to_vec()),
            exported: None,
        }
    }

    #[test]
    fn a_message_is_a_mail() {
        assert_eq!(
            eml(&row()),
            "Date: Sat, 31 Jan 2026 08:05:09 +0000\r\nFrom: <anna@example.org>\r\n\
             To: <ben@example.org>,\r\n <cleo@example.org>\r\nSubject: Instant message\r\n\
             Message-ID: <0a.7@archive.invalid>\r\nReferences: <0b@conversation.invalid>\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nR3LDvMOfZQ==\r\n"
        );
    }

    #[test]
    fn nothing_in_a_message_adds_a_header_and_lines_stay_short() {
        let trick = "x\r\nBcc: eve@example.org\r\n\r\n";
        let mail = eml(&Archived {
            from: trick.to_owned(),
            to: vec![trick.to_owned()],
            content_type: format!("text/html{trick}"),
            content: Content::of(vec![0xff; 200]),
            ..row()
        });
        assert!(!mail.lines().any(|line| line.starts_with("Bcc")), "{mail}");
        let (head, body) = mail.split_once("\r\n\r\n").expect("an empty line");
        assert_eq!(head.lines().count(), 9);
        assert!(body.lines().all(|line| line.len() <= LINE) && body.lines().count() == 4, "{body}");
    }
}
