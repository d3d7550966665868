//! Notices that a message was delivered or read (RFC 5438).

use crate::format::datetime;
use crate::format::xml::{Element, IMDN, XmlError, escape, read};
use lyceum_sip::time::WallTime;

/// The media type.
pub const MEDIA_TYPE: &str = "message/imdn+xml";
/// Largest document that is read, in bytes.
pub const MAX_BYTES: usize = 8 << 10;
/// Longest `message-id` that is taken, in bytes.
pub const MAX_MESSAGE_ID: usize = 256;

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// It reached the recipient.
    Delivered,
    /// It did not.
    Failed,
    /// It was shown.
    Displayed,
    /// A server on the way worked on it.
    Processed,
    /// A server on the way keeps it.
    Stored,
    /// The recipient's side does not tell.
    Forbidden,
    /// Something went wrong.
    Error,
}

impl Disposition {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Delivered, "delivered"),
        (Self::Failed, "failed"),
        (Self::Displayed, "displayed"),
        (Self::Processed, "processed"),
        (Self::Stored, "stored"),
        (Self::Forbidden, "forbidden"),
        (Self::Error, "error"),
    ];

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(disposition, _)| *disposition == self).map_or("error", |(_, word)| word)
    }
}

/// What kind of notice it is: each answers another wish of the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Whether it was delivered.
    Delivery,
    /// Whether it was shown.
    Display,
    /// What a server on the way did.
    Processing,
}

impl Notice {
    /// The kinds with their elements, and what each may say (RFC 5438 §7.1.1).
    const ALL: [(Self, &'static str, &'static [Disposition]); 3] = {
        use Disposition::{Delivered, Displayed, Error, Failed, Forbidden, Processed, Stored};
        [
            (Self::Delivery, "delivery-notification", &[Delivered, Failed, Forbidden, Error]),
            (Self::Display, "display-notification", &[Displayed, Forbidden, Error]),
            (Self::Processing, "processing-notification", &[Processed, Stored, Forbidden, Error]),
        ]
    };

    fn element(self) -> &'static str {
        Self::ALL.iter().find(|(notice, ..)| *notice == self).map_or("", |(_, element, _)| element)
    }
}

/// A notice about one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imdn {
    /// The sender's own name for the message.
    pub message_id: String,
    /// When the message was sent, if the notice says so.
    pub sent: Option<WallTime>,
    /// Which kind of notice.
    pub notice: Notice,
    /// What it says.
    pub disposition: Disposition,
}

impl Imdn {
    /// Reads a document. What a kind of notice cannot say is refused.
    pub fn read(bytes: &[u8]) -> Result<Self, XmlError> {
        let root = read(bytes, MAX_BYTES, IMDN, "imdn")?;
        let invalid = |what| XmlError::Invalid { what };
        let message_id = root.child(IMDN, "message-id").map(Element::trimmed).unwrap_or_default();
        if message_id.is_empty() || message_id.len() > MAX_MESSAGE_ID || message_id.contains(char::is_whitespace) {
            return Err(invalid("message-id"));
        }
        let sent = match root.child(IMDN, "datetime") {
            Some(at) => Some(datetime::read(at.trimmed()).ok_or(invalid("datetime"))?),
            None => None,
        };
        let found = Notice::ALL.iter().find_map(|kind| root.child(IMDN, kind.1).map(|element| (kind, element)));
        let ((notice, _, may_say), element) = found.ok_or(invalid("notification"))?;
        let status = element.child(IMDN, "status").ok_or(invalid("status"))?;
        let said = may_say.iter().find(|disposition| status.child(IMDN, disposition.word()).is_some());
        let disposition = *said.ok_or(invalid("status"))?;
        Ok(Self { message_id: message_id.to_owned(), sent, notice: *notice, disposition })
    }

    /// Appends the document.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<imdn xmlns=\"");
        out.extend_from_slice(IMDN.as_bytes());
        out.extend_from_slice(b"\"><message-id>");
        escape(out, &self.message_id);
        out.extend_from_slice(b"</message-id>");
        if let Some(sent) = self.sent {
            out.extend_from_slice(b"<datetime>");
            datetime::write_utc(out, sent);
            out.extend_from_slice(b"</datetime>");
        }
        let (element, word) = (self.notice.element(), self.disposition.word());
        out.extend_from_slice(format!("<{element}><status><{word}/></status></{element}></imdn>\r\n").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(inside: &str) -> String {
        format!("<imdn xmlns='{IMDN}'>{inside}</imdn>")
    }

    #[test]
    fn documents_of_others() {
        let invalid = |what| Err(XmlError::Invalid { what });
        let said = |notice, disposition| Ok((notice, disposition));
        let id = "<message-id>34jk</message-id>";
        for (inside, read) in [
            (
                format!("{id}<delivery-notification><status><delivered/></status></delivery-notification>"),
                said(Notice::Delivery, Disposition::Delivered),
            ),
            (
                format!("{id}<display-notification><status><displayed/></status></display-notification>"),
                said(Notice::Display, Disposition::Displayed),
            ),
            (
                format!("{id}<processing-notification><status><stored/></status></processing-notification>"),
                said(Notice::Processing, Disposition::Stored),
            ),
            (
                format!("{id}<display-notification><status><delivered/></status></display-notification>"),
                invalid("status"),
            ),
            (format!("{id}<display-notification/>"), invalid("status")),
            (id.to_owned(), invalid("notification")),
            ("<message-id> </message-id>".to_owned(), invalid("message-id")),
            ("<message-id>a b</message-id>".to_owned(), invalid("message-id")),
            (format!("<message-id>{}</message-id>", "x".repeat(257)), invalid("message-id")),
            (format!("{id}<datetime>yesterday</datetime>"), invalid("datetime")),
        ] {
            let found = Imdn::read(document(&inside).as_bytes()).map(|imdn| (imdn.notice, imdn.disposition));
            assert_eq!(found, read, "{inside}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for (notice, _, may_say) in Notice::ALL {
            for disposition in may_say {
                let sent = Some(WallTime(1_700_000_000_000));
                let imdn = Imdn { message_id: "<a&b>@c".to_owned(), sent, notice, disposition: *disposition };
                let mut out = Vec::new();
                imdn.write(&mut out);
                assert_eq!(Imdn::read(&out), Ok(imdn));
            }
        }
    }
}
