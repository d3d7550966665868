//! Transfer encodings of MIME parts (RFC 2045 §6), undone so that a filter sees what a reader sees.

use std::borrow::Cow;

/// The bytes as they are read. `None`: an encoding that is not known here, or bytes that do not keep to it.
pub(super) fn decoded<'a>(encoding: &[u8], body: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    let name = encoding.trim_ascii();
    let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
    if name.is_empty() || ["7bit", "8bit", "binary", "identity"].into_iter().any(is) {
        Some(Cow::Borrowed(body))
    } else if is("base64") {
        base64(body).map(Cow::Owned)
    } else if is("quoted-printable") {
        quoted_printable(body).map(Cow::Owned)
    } else {
        None
    }
}

/// Line ends and spaces are left out (RFC 2045 §6.8); what follows the padding is not.
fn base64(body: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(body.len() / 4 * 3 + 3);
    let (mut word, mut digits, mut padding) = (0u32, 0u32, 0u32);
    for byte in body.iter().filter(|byte| !byte.is_ascii_whitespace()) {
        if *byte == b'=' {
            padding += 1;
            continue;
        }
        let digit = digit(*byte).filter(|_| padding == 0)?;
        word = word << 6 | u32::from(digit);
        digits += 1;
        if digits == 4 {
            out.extend_from_slice(&word.to_be_bytes()[1..]);
            (word, digits) = (0, 0);
        }
    }
    match digits {
        0 => {}
        2 => out.push((word >> 4) as u8),
        3 => out.extend_from_slice(&((word >> 2) as u16).to_be_bytes()),
        _ => return None,
    }
    (padding <= 2).then_some(out)
}

fn digit(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

fn quoted_printable(body: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.iter().position(|byte| *byte == b'=') {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        // A line that goes on: white space may stand before its end (RFC 2045 §6.7).
        let blank = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let line = &rest[blank..];
        if let Some(next) = line.strip_prefix(b"\r\n").or_else(|| line.strip_prefix(b"\n")) {
            rest = next;
        } else if line.is_empty() {
            rest = line;
        } else {
            let hex = rest.get(..2).filter(|hex| hex.iter().all(u8::is_ascii_hexdigit))?;
            out.push(u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?);
            rest = &rest[2..];
        }
    }
    out.extend_from_slice(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_undone() {
        for (encoding, body, read) in [
            ("", "a=b", Some("a=b")),
            ("8bit", "a", Some("a")),
            (" Base64 ", "aHR0\r\ncDov\r\nLw==", Some("http://")),
            ("base64", "YQ", Some("a")),
            ("base64", "YWI=", Some("ab")),
            ("base64", "", Some("")),
            ("base64", "YWI=YQ==", None),
            ("base64", "Y", None),
            ("base64", "Y!==", None),
            ("quoted-printable", "htt=70://a.b=\r\n/c=3d", Some("http://a.b/c=")),
            ("quoted-printable", "soft= \nline=", Some("softline")),
            ("quoted-printable", "=4", None),
            ("quoted-printable", "=+7", None),
            ("quoted-printable", "=zz", None),
            ("x-uuencode", "a", None),
        ] {
            let found = decoded(encoding.as_bytes(), body.as_bytes());
            assert_eq!(found.as_deref(), read.map(str::as_bytes), "{encoding} {body}");
        }
    }
}
