//! The value of Authorization and Proxy-Authorization.

use super::Algorithm;
use super::params::{Params, after_scheme};
use crate::lex;
use std::borrow::Cow;

/// What a client's digest protects.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Qop {
    /// Method and URI.
    Auth,
    /// Method, URI and body.
    AuthInt,
}

impl Qop {
    pub(super) fn token(self) -> &'static [u8] {
        match self {
            Qop::Auth => b"auth",
            Qop::AuthInt => b"auth-int",
        }
    }
}

/// Why credentials cannot be used; none of these counts as a wrong password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CredentialsError {
    /// Another scheme; look at the next header line.
    NotDigest,
    /// Not readable: 400.
    Malformed,
    /// A parameter that must be there is not: 400.
    Missing(&'static str),
    /// A form we do not offer (`userhash`, `username*`, a `-sess` algorithm): challenge again.
    NotOffered(&'static str),
}

/// One set of digest credentials, borrowed from the header value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credentials<'a> {
    /// Between its quotes, escapes as sent; see [`Credentials::username`] for the name meant.
    pub raw_username: &'a [u8],
    /// Between its quotes, escapes as sent.
    pub realm: &'a [u8],
    /// The nonce of our challenge.
    pub nonce: &'a [u8],
    /// `digest-uri`, as the client hashed it.
    pub uri: &'a [u8],
    /// The proof.
    pub response: Response,
    /// MD5 when the client names none (RFC 2617 §3.2.2).
    pub algorithm: Algorithm,
    /// `None` in the form of RFC 2069.
    pub qop: Option<Qop>,
    /// The nonce count; `None` without `qop`.
    pub nc: Option<u32>,
    /// The nonce count as the client hashed it.
    pub raw_nc: &'a [u8],
    /// The client's nonce, empty without `qop`.
    pub cnonce: &'a [u8],
    /// Echoed when the challenge had it.
    pub opaque: Option<&'a [u8]>,
}

/// The `response` parameter as bytes: 16 for MD5, 32 else. Cannot be printed: in a log it would
/// open the account to a dictionary.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    pub(super) bytes: [u8; 32],
    pub(super) len: usize,
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<secret>")
    }
}

impl Response {
    fn parse(letters: &[u8]) -> Option<Response> {
        if letters.len() != 32 && letters.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(letters.chunks(2)) {
            *byte = lex::hex(pair[0])? << 4 | lex::hex(pair[1])?;
        }
        Some(Response { bytes, len: letters.len() / 2 })
    }
}

impl<'a> Credentials<'a> {
    /// Reads one header value.
    pub fn parse(value: &'a [u8]) -> Result<Credentials<'a>, CredentialsError> {
        let rest = after_scheme(value).ok_or(CredentialsError::NotDigest)?;
        let mut seen = Seen::default();
        for item in Params(rest) {
            let (name, value) = item.ok_or(CredentialsError::Malformed)?;
            seen.take(name, value)?;
        }
        seen.finish()
    }

    /// The user name meant, escapes resolved.
    #[must_use]
    pub fn username(&self) -> Cow<'a, [u8]> {
        unescape(self.raw_username)
    }
}

pub(super) fn unescape(raw: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter();
    while let Some(&b) = bytes.next() {
        out.push(if b == b'\\' { bytes.next().copied().unwrap_or(b) } else { b });
    }
    Cow::Owned(out)
}

#[derive(Default)]
struct Seen<'a> {
    username: Option<&'a [u8]>,
    realm: Option<&'a [u8]>,
    nonce: Option<&'a [u8]>,
    uri: Option<&'a [u8]>,
    response: Option<&'a [u8]>,
    algorithm: Option<&'a [u8]>,
    qop: Option<&'a [u8]>,
    nc: Option<&'a [u8]>,
    cnonce: Option<&'a [u8]>,
    opaque: Option<&'a [u8]>,
}

impl<'a> Seen<'a> {
    fn take(&mut self, name: &[u8], value: &'a [u8]) -> Result<(), CredentialsError> {
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        let slot = match name.len() {
            2 if is(b"nc") => &mut self.nc,
            3 if is(b"uri") => &mut self.uri,
            3 if is(b"qop") => &mut self.qop,
            5 if is(b"realm") => &mut self.realm,
            5 if is(b"nonce") => &mut self.nonce,
            6 if is(b"cnonce") => &mut self.cnonce,
            6 if is(b"opaque") => &mut self.opaque,
            8 if is(b"username") => &mut self.username,
            8 if is(b"response") => &mut self.response,
            8 if is(b"userhash") && !value.eq_ignore_ascii_case(b"false") => {
                return Err(CredentialsError::NotOffered("userhash"));
            }
            9 if is(b"username*") => return Err(CredentialsError::NotOffered("username*")),
            9 if is(b"algorithm") => &mut self.algorithm,
            // RFC 7616 §3.4: an unknown parameter is ignored.
            _ => return Ok(()),
        };
        // Two values for one name: whoever reads the other one is being deceived.
        if slot.replace(value).is_some() {
            return Err(CredentialsError::Malformed);
        }
        Ok(())
    }

    fn finish(self) -> Result<Credentials<'a>, CredentialsError> {
        let need = |value: Option<&'a [u8]>, name| value.ok_or(CredentialsError::Missing(name));
        let algorithm = match self.algorithm {
            None => Algorithm::Md5,
            Some(token) => Algorithm::from_bytes(token).ok_or(CredentialsError::NotOffered("algorithm"))?,
        };
        let qop = match self.qop {
            // Some phones echo an empty one where the challenge had none.
            None | Some(b"") => None,
            Some(q) if q.eq_ignore_ascii_case(b"auth") => Some(Qop::Auth),
            Some(q) if q.eq_ignore_ascii_case(b"auth-int") => Some(Qop::AuthInt),
            Some(_) => return Err(CredentialsError::NotOffered("qop")),
        };
        let (raw_nc, nc, cnonce) = match qop {
            None => (&b""[..], None, &b""[..]),
            Some(_) => {
                let raw = need(self.nc, "nc")?;
                (raw, Some(count(raw)?), need(self.cnonce, "cnonce")?)
            }
        };
        let response = need(self.response, "response")?;
        Ok(Credentials {
            raw_username: need(self.username, "username")?,
            realm: need(self.realm, "realm")?,
            nonce: need(self.nonce, "nonce")?,
            uri: need(self.uri, "uri")?,
            response: Response::parse(response).ok_or(CredentialsError::Malformed)?,
            algorithm,
            qop,
            nc,
            raw_nc,
            cnonce,
            opaque: self.opaque,
        })
    }
}

/// Eight hexadecimal digits by the book; phones send fewer.
fn count(letters: &[u8]) -> Result<u32, CredentialsError> {
    if letters.is_empty() || letters.len() > 8 {
        return Err(CredentialsError::Malformed);
    }
    letters.iter().try_fold(0_u32, |n, &b| {
        let digit = lex::hex(b).ok_or(CredentialsError::Malformed)?;
        Ok(n << 4 | u32::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_real_phones_write_is_read() {
        let cases: [&[u8]; 4] = [
            br#"Digest username="bob", realm="a.b", nonce="n", uri="sip:a.b", response="0123456789abcdef0123456789abcdef", algorithm=MD5, cnonce="c", qop=auth, nc=00000001"#,
            br#"digest  username="bob",realm="a.b",nonce="n",uri="sip:a.b",response="0123456789ABCDEF0123456789ABCDEF",algorithm="MD5",cnonce="c",qop="auth",nc="00000001""#,
            b"DIGEST username=bob, realm=a.b, nonce=n , uri=sip:a.b,response=0123456789abcdef0123456789abcdef,\r\n cnonce=c, qop = auth, nc=1, userhash=false,",
            br#"Digest nc=1,qop=AUTH,cnonce="c",response="0123456789abcdef0123456789abcdef",uri="sip:a.b",nonce="n",realm="a.b",username="bob",x-new="y""#,
        ];
        for case in cases {
            let got = Credentials::parse(case).expect("readable");
            assert_eq!(
                (got.raw_username, got.realm, got.nonce, got.uri, got.cnonce),
                (&b"bob"[..], &b"a.b"[..], &b"n"[..], &b"sip:a.b"[..], &b"c"[..])
            );
            assert_eq!((got.nc, got.qop), (Some(1), Some(Qop::Auth)));
            assert_eq!(got.algorithm, Algorithm::Md5);
            assert_eq!(got.response.bytes[..3], [0x01, 0x23, 0x45]);
        }
    }

    #[test]
    fn faults_are_told_apart() {
        use CredentialsError::*;
        let whole = r#"Digest username="u",realm="r",nonce="n",uri="s",response="0123456789abcdef0123456789abcdef""#;
        let with = |more: &str| format!("{whole},{more}");
        let cases = [
            ("Basic dTpw".to_owned(), NotDigest),
            ("Digest".to_owned(), NotDigest),
            (r#"Digest username="u"#.to_owned(), Malformed),
            (r#"Digest username="u""#.to_owned(), Missing("response")),
            (with("userhash=true"), NotOffered("userhash")),
            (with("username*=UTF-8''x"), NotOffered("username*")),
            (with("algorithm=MD5-sess"), NotOffered("algorithm")),
            (with("qop=auth-conf"), NotOffered("qop")),
            (with("qop=auth"), Missing("nc")),
            (with("qop=auth,nc=1"), Missing("cnonce")),
            (with("qop=auth,nc=123456789,cnonce=c"), Malformed),
            (with(r#"realm="other""#), Malformed),
            (whole.replace("0123456789abcdef0123456789abcdef", "0123"), Malformed),
        ];
        for (text, want) in cases {
            assert_eq!(Credentials::parse(text.as_bytes()), Err(want), "{text}");
        }
    }

    #[test]
    fn escapes_in_a_user_name_are_resolved() {
        let value =
            br#"Digest username="a\"b",realm="r",nonce="n",uri="s",response="0123456789abcdef0123456789abcdef""#;
        let got = Credentials::parse(value).expect("readable");
        assert_eq!(&*got.username(), b"a\"b");
        assert!(!format!("{got:?}").contains("response: [1"));
    }
}
