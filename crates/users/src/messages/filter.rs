//! What happens to a message with hyperlinks, by the policies im_filter and file_transfer.

use super::cpim::{self, Cpim};
use super::links::{self, Link, Prefixes};
use super::{imdn, iscomposing, quiet, transfer};
use crate::format::multipart;
use lyceum_topology::policy::{FileTransferPolicy, ImFilterPolicy, LinkAction};
use std::borrow::Cow;

/// What is to be done with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Pass it on as it is.
    Allow,
    /// Pass this body on instead: links made inactive, or a notice before the text.
    Rewrite(Vec<u8>),
    /// Refuse it.
    Block(BlockReason),
}

/// Why a message is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockReason {
    /// It has a hyperlink, and the policy blocks them.
    Link,
    /// It links to a file of this extension.
    FileLink(String),
    /// It has a hyperlink in a form in which it can be neither marked nor made inactive.
    CannotMark,
    /// The text is in a character set that cannot be looked through.
    CharacterSet,
    /// It is no text, or encoded so that it cannot be looked into, and the policy blocks links.
    Opaque,
}

impl BlockReason {
    /// One sentence for the sender; nothing of the message is in it.
    pub fn sentence(&self) -> String {
        match self {
            Self::Link => "Messages with hyperlinks are blocked by policy; send it without the link.".to_owned(),
            Self::FileLink(extension) => {
                format!("Links to {extension} files are blocked by policy; send it without the link.")
            }
            Self::CannotMark => {
                "Hyperlinks in this format are blocked by policy; send it as plain text or without the link.".to_owned()
            }
            Self::CharacterSet => "Text in this character set is blocked by policy; send it as UTF-8.".to_owned(),
            Self::Opaque => "Attachments that cannot be looked into are blocked by policy; send text.".to_owned(),
        }
    }
}

/// Parts within parts that are looked into; what is deeper cannot be looked into.
const MAX_DEPTH: u32 = 4;

/// How a body is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Html,
    /// Text that is looked through but cannot be rewritten.
    Other,
}

/// A body, or a part of one, with what its headers say of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Entity<'a> {
    /// The value of Content-Type.
    pub content_type: &'a [u8],
    /// The value of Content-Transfer-Encoding, or of Content-Encoding; empty without.
    pub encoding: &'a [u8],
    /// Its bytes.
    pub body: &'a [u8],
}

/// Looks through a message, into wrappers (CPIM) and parts. What cannot be looked into is refused where links are blocked.
pub fn check(links: &ImFilterPolicy, files: &FileTransferPolicy, message: &Entity<'_>) -> Verdict {
    if !links.enabled || !(marks(links) || stops_files(links, files)) {
        return Verdict::Allow;
    }
    Filter { links, files }.entity(message, 0)
}

struct Filter<'p> {
    links: &'p ImFilterPolicy,
    files: &'p FileTransferPolicy,
}

impl Filter<'_> {
    fn entity(&self, entity: &Entity<'_>, depth: u32) -> Verdict {
        let (media_type, parameters) = media_type(entity.content_type);
        let Some(body) = transfer::decoded(entity.encoding, entity.body).filter(|_| depth <= MAX_DEPTH) else {
            return self.opaque(&media_type, entity.body);
        };
        let form = match media_type.as_str() {
            "text/plain" | "" => Form::Plain,
            "text/html" | "application/xhtml+xml" => Form::Html,
            cpim::MEDIA_TYPE => return self.wrapper(&body, depth),
            iscomposing::MEDIA_TYPE if quiet::is_typing(&body) => return Verdict::Allow,
            imdn::MEDIA_TYPE if quiet::is_notice(&body) => return Verdict::Allow,
            other if other.starts_with("multipart/") => return self.parts(entity.content_type, &body, depth),
            other if is_text(other) => Form::Other,
            _ => return self.opaque(&media_type, &body),
        };
        if !is_readable(parameters) {
            return Verdict::Block(BlockReason::CharacterSet);
        }
        match self.text(form, &body) {
            Verdict::Rewrite(_) if matches!(body, Cow::Owned(_)) => Verdict::Block(BlockReason::CannotMark),
            verdict => verdict,
        }
    }

    /// A wrapper that cannot be read, or one in another, is nobody's honest message: it is looked through as text.
    fn wrapper(&self, body: &[u8], depth: u32) -> Verdict {
        let Some(cpim) = Cpim::parse(body).filter(|_| depth == 0) else { return self.text(Form::Other, body) };
        let encoding = cpim.transfer_encoding();
        let part = Entity { content_type: cpim.content_type(), encoding, body: cpim.body };
        match self.entity(&part, depth + 1) {
            Verdict::Rewrite(inner) => Verdict::Rewrite(cpim.with_body(&inner)),
            other => other,
        }
    }

    /// Several parts: none of them can be changed.
    fn parts(&self, content_type: &[u8], body: &[u8], depth: u32) -> Verdict {
        let boundary = std::str::from_utf8(content_type).ok().and_then(multipart::boundary_of);
        let parts = boundary.and_then(|boundary| multipart::read(body, boundary).ok());
        let Some(parts) = parts else {
            return match self.text(Form::Other, body) {
                Verdict::Allow => self.opaque("", body),
                found => found,
            };
        };
        for part in parts {
            let value = |name| part.header(name).unwrap_or_default().as_bytes();
            let encoding = value("Content-Transfer-Encoding");
            let part = Entity { content_type: value("Content-Type"), encoding, body: part.body };
            match self.entity(&part, depth + 1) {
                Verdict::Allow => {}
                Verdict::Rewrite(_) => return Verdict::Block(BlockReason::CannotMark),
                blocked => return blocked,
            }
        }
        Verdict::Allow
    }

    /// What is no text: a link in it shows to nobody but a program.
    fn opaque(&self, media_type: &str, body: &[u8]) -> Verdict {
        let is_seen = ["image/", "audio/", "video/"].iter().any(|kind| media_type.starts_with(kind));
        match self.links.action {
            _ if body.is_empty() => Verdict::Allow,
            LinkAction::Block => Verdict::Block(BlockReason::Opaque),
            _ if is_seen => Verdict::Allow,
            _ => self.text(Form::Other, body),
        }
    }

    fn text(&self, form: Form, body: &[u8]) -> Verdict {
        let Filter { links, files } = *self;
        let prefixes = Prefixes::new(&links.prefixes);
        let counts = |link: &Link<'_>| !(links.ignore_local && is_local(links, link.target));
        let found: Vec<Link<'_>> = prefixes.find(body).filter(counts).collect();
        let shown = if form == Form::Html { as_shown(body) } else { None }.unwrap_or_default();
        let hidden: Vec<Link<'_>> = prefixes.find(&shown).filter(counts).collect();
        if stops_files(links, files) {
            let blocked = |link: &Link<'_>| files.blocked_extension(&links::file_name(link.target));
            if let Some(extension) = found.iter().chain(&hidden).find_map(blocked) {
                return Verdict::Block(BlockReason::FileLink(extension.to_owned()));
            }
        }
        if !marks(links) || (found.is_empty() && hidden.is_empty()) {
            return Verdict::Allow;
        }
        match links.action {
            LinkAction::Block => Verdict::Block(BlockReason::Link),
            _ if form == Form::Other || hidden.len() > found.len() => Verdict::Block(BlockReason::CannotMark),
            LinkAction::Allow => {
                let inactive = deactivate(body, &found);
                let left = if form == Form::Html { as_shown(&inactive) } else { None };
                match left.is_some_and(|shown| prefixes.find(&shown).any(|link| counts(&link))) {
                    true => Verdict::Block(BlockReason::CannotMark),
                    false => Verdict::Rewrite(with_notice(&links.allow_message, form, &inactive)),
                }
            }
            LinkAction::Warn => Verdict::Rewrite(with_notice(&links.warn_message, form, body)),
        }
    }
}

/// Whether a media type other than `text/plain` and HTML is text all the same.
fn is_text(media_type: &str) -> bool {
    media_type.starts_with("text/")
        || media_type.ends_with("+xml")
        || media_type.ends_with("+json")
        || matches!(media_type, "application/xml" | "application/json" | "application/sdp")
}

/// A page as a browser reads it, where that differs: entities resolved, tabs and line ends left out of what is quoted.
fn as_shown(html: &[u8]) -> Option<Vec<u8>> {
    let broken = |byte: &u8| matches!(byte, b'\t' | b'\r' | b'\n');
    let is_plain = !html.contains(&b'&') && !html.iter().any(broken);
    (!is_plain).then(|| resolve_entities(&unbroken(html)))
}

/// Tabs and line ends within the quoted values of tags are no part of an address (WHATWG URL §4.4).
fn unbroken(html: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(html.len());
    let (mut tag, mut quote) = (false, None);
    for byte in html {
        match (quote, byte) {
            (Some(_), b'\t' | b'\r' | b'\n') => continue,
            (Some(open), _) => quote = quote.filter(|_| *byte != open),
            (None, b'"' | b'\'') if tag => quote = Some(*byte),
            (None, b'<') => tag = true,
            (None, b'>') => tag = false,
            _ => {}
        }
        out.push(*byte);
    }
    out
}

/// Whether something happens to links as such.
fn marks(links: &ImFilterPolicy) -> bool {
    links.action != LinkAction::Warn || !links.warn_message.is_empty()
}

fn stops_files(links: &ImFilterPolicy, files: &FileTransferPolicy) -> bool {
    links.block_file_extension && files.enabled && !files.extensions.is_empty()
}

/// The media type in small letters, and its parameters.
fn media_type(content_type: &[u8]) -> (String, &[u8]) {
    let end = content_type.iter().position(|b| *b == b';').unwrap_or(content_type.len());
    let name = String::from_utf8_lossy(content_type[..end].trim_ascii()).to_ascii_lowercase();
    (name, &content_type[end..])
}

/// Whether the text's ASCII letters are single bytes, so that a prefix is found by its bytes.
fn is_readable(parameters: &[u8]) -> bool {
    let named = parameters.split(|b| *b == b';').find_map(|parameter| {
        let at = parameter.iter().position(|b| *b == b'=')?;
        let is_charset = parameter[..at].trim_ascii().eq_ignore_ascii_case(b"charset");
        is_charset.then(|| parameter[at + 1..].trim_ascii().trim_ascii_start())
    });
    let Some(name) = named else { return true };
    let name = name.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\"")).unwrap_or(name);
    let name = name.to_ascii_lowercase();
    name.starts_with(b"iso-8859-")
        || name.starts_with(b"windows-125")
        || matches!(name.as_slice(), b"" | b"utf-8" | b"utf8" | b"us-ascii" | b"ascii")
}

fn is_local(links: &ImFilterPolicy, target: &[u8]) -> bool {
    let Some(host) = links::host(target) else { return false };
    let Ok(host) = std::str::from_utf8(host) else { return false };
    // A number is an address in disguise.
    let is_number = host.starts_with('[') || host.starts_with(|c: char| c.is_ascii_digit());
    let is_within = |own: &String| {
        let at = host.len().checked_sub(own.len());
        at.and_then(|at| host.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(own))
            && (at == Some(0) || host.as_bytes().get(at.unwrap_or(0).wrapping_sub(1)) == Some(&b'.'))
    };
    (!host.contains('.') && !is_number) || links.local_hosts.iter().any(is_within)
}

/// An underscore before each link, which makes it plain text.
fn deactivate(body: &[u8], found: &[Link<'_>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + found.len());
    let mut from = 0;
    for link in found {
        out.extend_from_slice(&body[from..link.at]);
        out.push(b'_');
        from = link.at;
    }
    out.extend_from_slice(&body[from..]);
    out
}

fn with_notice(notice: &str, form: Form, body: &[u8]) -> Vec<u8> {
    if notice.is_empty() {
        return body.to_vec();
    }
    if form == Form::Plain {
        return [notice.as_bytes(), b"\r\n", body].concat();
    }
    let escaped = notice.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let at = after_body_tag(body);
    [&body[..at], b"<p>", escaped.as_bytes(), b"</p>", &body[at..]].concat()
}

/// Where the text of a page begins.
fn after_body_tag(html: &[u8]) -> usize {
    let tag = html.windows(5).position(|w| w.eq_ignore_ascii_case(b"<body"));
    let end = |from: usize| html[from..].iter().position(|b| *b == b'>').map(|at| from + at + 1);
    tag.and_then(end).unwrap_or(0)
}

/// The text as a reader's program shows it: numeric entities and those of the characters that links are made of.
fn resolve_entities(html: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(html.len());
    let mut at = 0;
    while at < html.len() {
        match entity(&html[at..]) {
            // Between words they part them; within an address they are no part of it.
            Some(('\t' | '\r' | '\n', len)) => at += len,
            Some((shown, len)) => {
                out.extend(shown.encode_utf8(&mut [0; 4]).bytes());
                at += len;
            }
            None => {
                out.push(html[at]);
                at += 1;
            }
        }
    }
    out
}

const NAMED: [(&[u8], char); 8] = [
    (b"colon", ':'),
    (b"period", '.'),
    (b"sol", '/'),
    (b"bsol", '\\'),
    (b"amp", '&'),
    (b"commat", '@'),
    (b"Tab", '\t'),
    (b"NewLine", '\n'),
];

/// The entity that the bytes begin with, and its length.
fn entity(bytes: &[u8]) -> Option<(char, usize)> {
    const LONGEST: usize = 12;
    let rest = bytes.strip_prefix(b"&")?;
    let window = &rest[..rest.len().min(LONGEST)];
    let ends = |at: usize| at + 1 + usize::from(window.get(at) == Some(&b';'));
    if let Some(digits) = window.strip_prefix(b"#") {
        let (digits, radix, skip) = match digits.first() {
            Some(b'x' | b'X') => (&digits[1..], 16, 2),
            _ => (digits, 10, 1),
        };
        let count = digits.iter().take_while(|b| (**b as char).is_digit(radix)).count();
        let number = u32::from_str_radix(std::str::from_utf8(&digits[..count]).ok()?, radix).ok()?;
        return Some((char::from_u32(number)?, ends(skip + count)));
    }
    let (name, shown) = NAMED.iter().find(|(name, _)| window.starts_with(name))?;
    (window.get(name.len()) == Some(&b';')).then(|| (*shown, ends(name.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(action: LinkAction) -> ImFilterPolicy {
        ImFilterPolicy {
            action,
            allow_message: "Do not <click>.".to_owned(),
            warn_message: "Take care.".to_owned(),
            local_hosts: vec!["contoso.com".to_owned()],
            ..ImFilterPolicy::default()
        }
    }

    fn said(policy: &ImFilterPolicy, content_type: &str, body: &str) -> String {
        let message = Entity { content_type: content_type.as_bytes(), encoding: b"", body: body.as_bytes() };
        match check(policy, &FileTransferPolicy::default(), &message) {
            Verdict::Allow => "pass".to_owned(),
            Verdict::Rewrite(body) => String::from_utf8(body).unwrap(),
            Verdict::Block(reason) => format!("{reason:?}"),
        }
    }

    #[test]
    fn plain_text() {
        for (body, allow, block, warn) in [
            ("Hello", "pass", "pass", "pass"),
            ("see http://a.b", "Do not <click>.\r\nsee _http://a.b", "Link", "Take care.\r\nsee http://a.b"),
            ("WWW.a.b", "Do not <click>.\r\n_WWW.a.b", "Link", "Take care.\r\nWWW.a.b"),
            ("_http://a.b", "pass", "pass", "pass"),
            ("http://intranet/x", "pass", "pass", "pass"),
            ("https://hr.Contoso.com/x", "pass", "pass", "pass"),
            (
                "http://notcontoso.com",
                "Do not <click>.\r\n_http://notcontoso.com",
                "Link",
                "Take care.\r\nhttp://notcontoso.com",
            ),
            (
                "http://3232235777/",
                "Do not <click>.\r\n_http://3232235777/",
                "Link",
                "Take care.\r\nhttp://3232235777/",
            ),
            ("tel:+4930", "Do not <click>.\r\n_tel:+4930", "Link", "Take care.\r\ntel:+4930"),
            ("http://a.b/x.EXE?y", "FileLink(\".exe\")", "FileLink(\".exe\")", "FileLink(\".exe\")"),
            ("http://a.b/x%2Eexe", "FileLink(\".exe\")", "FileLink(\".exe\")", "FileLink(\".exe\")"),
        ] {
            for (action, answer) in [(LinkAction::Allow, allow), (LinkAction::Block, block), (LinkAction::Warn, warn)] {
                assert_eq!(said(&links(action), "text/plain;charset=UTF-8", body), answer, "{action:?} {body}");
            }
        }
    }

    #[test]
    fn html() {
        let page = "<html><body class='x'><a href=\"http://a.b\">http://a.b</a></body></html>";
        for (action, body, answer) in [
            (
                LinkAction::Allow,
                page,
                "<html><body class='x'><p>Do not &lt;click&gt;.</p><a _href=\"_http://a.b\">_http://a.b</a></body></html>",
            ),
            (LinkAction::Block, page, "Link"),
            (LinkAction::Warn, "<b>www.a.b</b>", "<p>Take care.</p><b>www.a.b</b>"),
            (LinkAction::Allow, "<b>Hello &amp; bye</b>", "pass"),
            (LinkAction::Allow, "<a href='http://intranet/'>here</a>", "pass"),
            (LinkAction::Allow, "&#104;ttp&colon;//a.b", "CannotMark"),
            (LinkAction::Block, "&#x68;ttp://a.b", "Link"),
            (LinkAction::Warn, "&#x68;ttp://a.b/x.exe", "FileLink(\".exe\")"),
            (LinkAction::Warn, "http://a.b/?c&amp;d", "<p>Take care.</p>http://a.b/?c&amp;d"),
            (LinkAction::Block, "<html xmlns=\"http://www.w3.org/1999/xhtml\">Hello", "pass"),
        ] {
            assert_eq!(said(&links(action), "Text/HTML", body), answer, "{action:?} {body}");
        }
    }

    #[test]
    fn other_forms() {
        let wrapped = |part: &str| format!("From: <sip:a@b.c>\r\n\r\nContent-Type: text/plain\r\n\r\n{part}");
        for (action, content_type, body, answer) in [
            (LinkAction::Allow, "message/cpim", wrapped("www.a.b"), wrapped("Do not <click>.\r\n_www.a.b")),
            (LinkAction::Block, "Message/CPIM", wrapped("www.a.b"), "Link".to_owned()),
            (LinkAction::Block, "message/cpim", wrapped("Hello"), "pass".to_owned()),
            (LinkAction::Block, "message/cpim", "no wrapper http:x".to_owned(), "Link".to_owned()),
            (LinkAction::Allow, "text/rtf", "http:x".to_owned(), "CannotMark".to_owned()),
            (LinkAction::Warn, "multipart/mixed;boundary=x", "--x http:x.y".to_owned(), "CannotMark".to_owned()),
            (LinkAction::Block, "text/plain; charset=utf-16", "Hello".to_owned(), "CharacterSet".to_owned()),
            (LinkAction::Block, "text/plain; charset=\"ISO-8859-1\"", "Hello".to_owned(), "pass".to_owned()),
            (LinkAction::Block, "application/im-iscomposing+xml", "http:x".to_owned(), "Link".to_owned()),
            (LinkAction::Block, "message/imdn+xml", "http:x".to_owned(), "Link".to_owned()),
            (LinkAction::Block, "application/octet-stream", "http:x".to_owned(), "Opaque".to_owned()),
            (LinkAction::Block, "image/png", "x".to_owned(), "Opaque".to_owned()),
            (LinkAction::Allow, "image/png", "http:x".to_owned(), "pass".to_owned()),
            (
                LinkAction::Warn,
                "application/octet-stream",
                "http://a.b/x.exe".to_owned(),
                "FileLink(\".exe\")".to_owned(),
            ),
            (LinkAction::Block, "", "http:x.y".to_owned(), "Link".to_owned()),
        ] {
            assert_eq!(said(&links(action), content_type, &body), answer, "{action:?} {content_type} {body}");
        }
    }

    #[test]
    fn parts_and_encodings_are_looked_into() {
        let part = |kind: &str, encoding: &str, body: &str| {
            format!("--x\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}\r\n")
        };
        let whole = |parts: &[String]| format!("{}--x--\r\n", parts.concat());
        let coded = "aHR0cDovL2V2aWwuZXhhbXBsZS94LmV4ZQ==";
        let nested = format!("--y\r\n\r\n{}\r\n--y--", "http://a.b");
        let wrapped = format!("From: <sip:a@b.c>\r\n\r\nContent-Transfer-Encoding: base64\r\n\r\n{coded}");
        let mixed = "multipart/mixed;boundary=x";
        for (action, content_type, body, answer) in [
            (LinkAction::Block, mixed, whole(&[part("text/plain", "base64", coded)]), "FileLink(\".exe\")"),
            (LinkAction::Block, mixed, whole(&[part("text/plain", "quoted-printable", "htt=70://a.b/")]), "Link"),
            (LinkAction::Warn, mixed, whole(&[part("text/plain", "quoted-printable", "htt=70://a.b/")]), "CannotMark"),
            (
                LinkAction::Block,
                mixed,
                whole(&[part("text/plain", "8bit", "hello"), part("text/plain", "", "hi")]),
                "pass",
            ),
            (LinkAction::Block, mixed, whole(&[part("text/plain", "x-mine", "hello")]), "Opaque"),
            (LinkAction::Block, mixed, whole(&[part("image/png", "binary", "png")]), "Opaque"),
            (LinkAction::Warn, mixed, whole(&[part("image/png", "binary", "png")]), "pass"),
            (LinkAction::Block, mixed, whole(&[part("multipart/mixed;boundary=y", "8bit", &nested)]), "Link"),
            (LinkAction::Block, mixed, "hello".to_owned(), "Opaque"),
            (LinkAction::Block, "message/cpim", wrapped, "FileLink(\".exe\")"),
            (LinkAction::Block, "text/html", "<a href=\"&#9;ht&Tab;tp://a.b/\">".to_owned(), "Link"),
            (LinkAction::Block, "text/html", "<form action='ht\tt\r\np://a.b/'>".to_owned(), "Link"),
            (LinkAction::Warn, "text/html", "<img src='ht\tt\r\np://a.b/x.exe'>".to_owned(), "FileLink(\".exe\")"),
            (LinkAction::Block, "text/html", "<p>see\r\nyou, it's\r\nfine</p>".to_owned(), "pass"),
        ] {
            assert_eq!(said(&links(action), content_type, &body), answer, "{action:?} {content_type} {body}");
        }
        let deep = (0..6).fold("hello".to_owned(), |inner, _| whole(&[part(mixed, "8bit", &inner)]));
        assert_eq!(said(&links(LinkAction::Block), mixed, &deep), "Opaque");
        let zipped = Entity { content_type: b"text/plain", encoding: b"gzip", body: b"\x1f\x8b" };
        let verdict = check(&links(LinkAction::Block), &FileTransferPolicy::default(), &zipped);
        assert_eq!(verdict, Verdict::Block(BlockReason::Opaque));
    }

    #[test]
    fn the_default_lets_links_pass_but_not_to_programs() {
        let policy = ImFilterPolicy::default();
        assert_eq!(said(&policy, "text/plain", "http://a.b/c"), "pass");
        assert_eq!(said(&policy, "text/plain", "http://a.b/c.scr"), "FileLink(\".scr\")");
        let off = ImFilterPolicy { enabled: false, ..links(LinkAction::Block) };
        assert_eq!(said(&off, "text/plain", "http://a.b/c.scr"), "pass");
        let everywhere = ImFilterPolicy { ignore_local: false, ..links(LinkAction::Block) };
        assert_eq!(said(&everywhere, "text/plain", "http://intranet/"), "Link");
    }
}
