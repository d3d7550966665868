//! "Anna is typing" (RFC 3994).

use crate::format::xml::{IS_COMPOSING, XmlError, escape, read};

/// The media type.
pub const MEDIA_TYPE: &str = "application/im-iscomposing+xml";
/// Largest document that is read, in bytes.
pub const MAX_BYTES: usize = 4 << 10;
/// How long "active" holds when the document does not say (RFC 3994 §3.3).
pub const DEFAULT_REFRESH_SECONDS: u32 = 120;
/// How long it holds at most, whatever the document says.
pub const MAX_REFRESH_SECONDS: u32 = 3_600;

/// Whether somebody writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Composing {
    /// A message is being written; unless it is said again, this ends after so many seconds.
    Active {
        /// For how long it holds, in seconds.
        refresh: u32,
    },
    /// Nothing is being written.
    Idle,
}

impl Composing {
    /// Reads a document. A state that we do not know means idle (RFC 3994 §3.1).
    pub fn read(bytes: &[u8]) -> Result<Self, XmlError> {
        let root = read(bytes, MAX_BYTES, IS_COMPOSING, "isComposing")?;
        let state = root.child(IS_COMPOSING, "state").ok_or(XmlError::Invalid { what: "state" })?;
        if state.trimmed() != "active" {
            return Ok(Self::Idle);
        }
        let refresh = match root.child(IS_COMPOSING, "refresh") {
            Some(refresh) => refresh.trimmed().parse().map_err(|_| XmlError::Invalid { what: "refresh" })?,
            None => DEFAULT_REFRESH_SECONDS,
        };
        Ok(Self::Active { refresh: refresh.clamp(1, MAX_REFRESH_SECONDS) })
    }

    /// Appends the document.
    pub fn write(self, content_type: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<isComposing xmlns=\"");
        out.extend_from_slice(IS_COMPOSING.as_bytes());
        out.extend_from_slice(b"\"><state>");
        out.extend_from_slice(match self {
            Self::Active { .. } => b"active",
            Self::Idle => b"idle",
        });
        out.extend_from_slice(b"</state><contenttype>");
        escape(out, content_type);
        out.extend_from_slice(b"</contenttype>");
        if let Self::Active { refresh } = self {
            out.extend_from_slice(format!("<refresh>{refresh}</refresh>").as_bytes());
        }
        out.extend_from_slice(b"</isComposing>\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(inside: &str) -> String {
        format!("<?xml version='1.0'?><isComposing xmlns='{IS_COMPOSING}'>{inside}</isComposing>")
    }

    #[test]
    fn documents_of_others() {
        let invalid = |what| Err(XmlError::Invalid { what });
        for (inside, read) in [
            ("<state>active</state>", Ok(Composing::Active { refresh: 120 })),
            ("<state> active </state><refresh>90</refresh>", Ok(Composing::Active { refresh: 90 })),
            ("<state>active</state><refresh>0</refresh>", Ok(Composing::Active { refresh: 1 })),
            ("<state>active</state><refresh>4000000000</refresh>", Ok(Composing::Active { refresh: 3_600 })),
            ("<state>idle</state><lastactive>2026-01-27T10:43:00Z</lastactive>", Ok(Composing::Idle)),
            ("<state>dreaming</state>", Ok(Composing::Idle)),
            ("<state>active</state><refresh>-1</refresh>", invalid("refresh")),
            ("<refresh>90</refresh>", invalid("state")),
            ("<x:state xmlns:x='urn:x'>active</x:state>", invalid("state")),
        ] {
            assert_eq!(Composing::read(document(inside).as_bytes()), read, "{inside}");
        }
    }

    #[test]
    fn tricks_are_refused() {
        let bomb = document("<state>&a;</state>").replace("<isC", "<!DOCTYPE x [<!ENTITY a 'active'>]><isC");
        assert_eq!(Composing::read(bomb.as_bytes()), Err(XmlError::DocumentType));
        let long = document(&" ".repeat(MAX_BYTES));
        assert_eq!(Composing::read(long.as_bytes()), Err(XmlError::TooLarge { limit: MAX_BYTES }));
        assert_eq!(Composing::read(b"<imdn/>"), Err(XmlError::WrongRoot { expected: "isComposing" }));
    }

    #[test]
    fn what_is_written_is_read() {
        for state in [Composing::Idle, Composing::Active { refresh: 60 }] {
            let mut out = Vec::new();
            state.write("text/plain", &mut out);
            assert_eq!(Composing::read(&out), Ok(state));
        }
    }
}
