//! Blanks what must not be kept: passwords and what proves them, media keys, messages between people, digits typed.

const SECRET: &str = "<secret>";
/// The most of a message that is kept; beyond it the trace says how much is missing.
const MAX_BYTES: usize = 64 * 1024;

/// The message as text, its secrets blanked. Works line by line, so that broken messages are covered too.
pub(crate) fn redact(message: &[u8]) -> String {
    let kept = &message[..message.len().min(MAX_BYTES)];
    let text = String::from_utf8_lossy(kept);
    let (head, body) = split(&text);
    let mut out = String::with_capacity(text.len());
    let mut content_type = "";
    let mut sensitive = Sensitive::No;
    for line in head.split_inclusive('\n') {
        // A continuation line belongs to the field above it (RFC 3261 §7.3.1).
        if !line.starts_with([' ', '\t']) {
            let name = line.split_once(':').map_or("", |(name, _)| name.trim_end());
            sensitive = Sensitive::of(name);
            if is_content_type(name) {
                content_type = line.split_once(':').map_or("", |(_, value)| value.trim());
            }
        }
        match sensitive {
            Sensitive::No => without_uri_password(line, &mut out),
            Sensitive::Digest => without_proof(line, &mut out),
        }
    }
    write_body(body, content_type, &mut out);
    if kept.len() < message.len() {
        out.push_str(&format!("<{} more bytes not kept>", message.len() - kept.len()));
    }
    out
}

/// Head with its blank line, and body.
fn split(text: &str) -> (&str, &str) {
    let end = text.find("\r\n\r\n").map(|at| at + 4).or_else(|| text.find("\n\n").map(|at| at + 2));
    text.split_at(end.unwrap_or(text.len()))
}

fn is_content_type(name: &str) -> bool {
    name.eq_ignore_ascii_case("content-type") || name.eq_ignore_ascii_case("c")
}

#[derive(Clone, Copy)]
enum Sensitive {
    No,
    /// Credentials, or the server's proof of its own.
    Digest,
}

impl Sensitive {
    fn of(name: &str) -> Self {
        let names = ["authorization", "proxy-authorization", "authentication-info", "proxy-authentication-info"];
        if names.iter().any(|candidate| name.eq_ignore_ascii_case(candidate)) { Self::Digest } else { Self::No }
    }
}

/// Blanks what an attacker could try passwords against, and whole credentials of schemes other than Digest.
fn without_proof(line: &str, out: &mut String) {
    let (name, value) = match line.split_once(':') {
        Some((name, value)) if !line.starts_with([' ', '\t']) => (Some(name), value),
        _ => (None, line),
    };
    if let Some(name) = name {
        out.push_str(name);
        out.push(':');
        let scheme = value.split_ascii_whitespace().next().unwrap_or_default();
        let info = name.to_ascii_lowercase().ends_with("-info");
        if !info && !scheme.eq_ignore_ascii_case("digest") && !scheme.is_empty() {
            out.push_str(&format!(" {scheme} {SECRET}\r\n"));
            return;
        }
    }
    let body = value.trim_end_matches(['\r', '\n']);
    for (at, parameter) in body.split(',').enumerate() {
        if at > 0 {
            out.push(',');
        }
        match parameter.split_once('=') {
            Some((key, _)) if is_proof(key) => out.push_str(&format!("{key}=\"{SECRET}\"")),
            _ => out.push_str(parameter),
        }
    }
    out.push_str(&value[body.len()..]);
}

fn is_proof(key: &str) -> bool {
    // The first parameter follows the scheme: `Digest response="…"`.
    let key = key.trim().rsplit([' ', '\t']).next().unwrap_or_default();
    ["response", "cnonce", "rspauth"].iter().any(|proof| key.eq_ignore_ascii_case(proof))
}

/// Copies the line, the password of every `sip:user:password@host` in it blanked.
fn without_uri_password(line: &str, out: &mut String) {
    let mut rest = line;
    while let Some((before, after)) = split_at_scheme(rest) {
        out.push_str(before);
        let end = after.find(['@', '>', ' ', ',', ';', '\r', '\n']).unwrap_or(after.len());
        let password = after[..end].find(':').filter(|_| after[end..].starts_with('@'));
        match password {
            Some(colon) => {
                out.push_str(&after[..=colon]);
                out.push_str(SECRET);
            }
            None => out.push_str(&after[..end]),
        }
        rest = &after[end..];
    }
    out.push_str(rest);
}

/// The text up to and with the next `sip:` or `sips:`, and the rest.
fn split_at_scheme(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let is =
        |at: usize, scheme: &[u8]| bytes.get(at..at + scheme.len()).is_some_and(|b| b.eq_ignore_ascii_case(scheme));
    let end = (0..bytes.len())
        .find_map(|at| if is(at, b"sip:") { Some(at + 4) } else { is(at, b"sips:").then_some(at + 5) })?;
    Some(text.split_at(end))
}

fn write_body(body: &str, content_type: &str, out: &mut String) {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match &*kind {
        _ if body.is_empty() => {}
        "application/sdp" => body.split_inclusive('\n').for_each(|line| without_key(line, out)),
        "message/sipfrag" => out.push_str(body),
        // What people write, and the digits they type (a PIN, a card number), is nobody else's business.
        "" => out.push_str(&format!("<{} bytes withheld>", body.len())),
        kind => out.push_str(&format!("<{} bytes of {kind} withheld>", body.len())),
    }
}

/// Blanks the keys in a session description (RFC 4568, RFC 8839, RFC 4566 §5.12, RFC 3830).
fn without_key(line: &str, out: &mut String) {
    let lower = line.to_ascii_lowercase();
    let shown = if lower.starts_with("a=crypto:") {
        lower.find("inline:").map(|at| at + "inline:".len())
    } else {
        ["a=ice-pwd:", "a=key-mgmt:", "k="].iter().find(|key| lower.starts_with(**key)).map(|key| key.len())
    };
    match shown {
        Some(shown) => {
            out.push_str(&line[..shown]);
            out.push_str(SECRET);
            out.push_str(&line[line.trim_end().len()..]);
        }
        None => out.push_str(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn secrets_are_blanked_and_the_rest_stays() {
        for (message, kept) in [
            (
                "REGISTER sip:a SIP/2.0\r\nAuthorization: Digest username=\"anna\", nonce=\"n\", response=\"0123\", cnonce=\"x\",nc=00000001\r\n\r\n",
                "REGISTER sip:a SIP/2.0\r\nAuthorization: Digest username=\"anna\", nonce=\"n\", response=\"<secret>\", cnonce=\"<secret>\",nc=00000001\r\n\r\n",
            ),
            (
                "X\r\nPROXY-authorization : Digest response=\"1\"\r\n\r\n",
                "X\r\nPROXY-authorization : Digest response=\"<secret>\"\r\n\r\n",
            ),
            (
                "X\r\nAuthorization: Digest username=\"a\",\r\n response=\"1\"\r\n\r\n",
                "X\r\nAuthorization: Digest username=\"a\",\r\n response=\"<secret>\"\r\n\r\n",
            ),
            ("X\r\nAuthorization: Basic YTpi\r\n\r\n", "X\r\nAuthorization: Basic <secret>\r\n\r\n"),
            (
                "X\r\nAuthentication-Info: rspauth=\"1\", nc=1\r\n\r\n",
                "X\r\nAuthentication-Info: rspauth=\"<secret>\", nc=1\r\n\r\n",
            ),
            (
                "INVITE sip:anna:pass@a SIP/2.0\r\nFrom: <SIPS:b:word@c:5061>;tag=1\r\n\r\n",
                "INVITE sip:anna:<secret>@a SIP/2.0\r\nFrom: <SIPS:b:<secret>@c:5061>;tag=1\r\n\r\n",
            ),
            ("INVITE sip:host:5060 SIP/2.0\r\n\r\n", "INVITE sip:host:5060 SIP/2.0\r\n\r\n"),
            (
                "MESSAGE sip:b SIP/2.0\r\nContent-Type: text/plain\r\n\r\nI love you",
                "MESSAGE sip:b SIP/2.0\r\nContent-Type: text/plain\r\n\r\n<10 bytes of text/plain withheld>",
            ),
            (
                "INFO sip:b SIP/2.0\r\nc: application/dtmf-relay\r\n\r\nSignal=5",
                "INFO sip:b SIP/2.0\r\nc: application/dtmf-relay\r\n\r\n<8 bytes of application/dtmf-relay withheld>",
            ),
            (
                "X\r\nContent-Type: application/sdp; x=y\r\n\r\nv=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^20\r\na=ice-pwd:pw\r\nk=clear:k\r\nc=IN IP4 1.2.3.4\r\n",
                "X\r\nContent-Type: application/sdp; x=y\r\n\r\nv=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:<secret>\r\na=ice-pwd:<secret>\r\nk=<secret>\r\nc=IN IP4 1.2.3.4\r\n",
            ),
            ("X\r\n\r\nno type", "X\r\n\r\n<7 bytes withheld>"),
            ("garbage without end", "garbage without end"),
        ] {
            assert_eq!(redact(message.as_bytes()), kept);
        }
    }

    #[test]
    fn a_huge_message_is_cut() {
        let message = [b"X\r\nA: ".to_vec(), vec![b'x'; 100_000]].concat();
        let text = redact(&message);
        assert!(
            text.len() < MAX_BYTES + 64 && text.ends_with("<34470 more bytes not kept>"),
            "{}",
            &text[text.len() - 40..]
        );
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(message in prop::collection::vec(any::<u8>(), 0..300)) {
            redact(&message);
        }

        #[test]
        fn a_response_never_survives(before in "[ -~]{0,20}", hex in "[0-9a-f]{32}") {
            let message = format!("X\r\nAuthorization: Digest u=\"{before}\",  response = \"{hex}\"\r\n\r\n");
            prop_assert!(!redact(message.as_bytes()).contains(&hex));
        }
    }
}
