//! Challenges: written by the server, read and answered by a client of our own.

use super::Algorithm;
use super::compute::{Proof, hex_into, with_password};
use super::credentials::{Qop, unescape};
use super::params::{Params, after_scheme};

/// Which pair of headers and which status.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// 401: WWW-Authenticate, answered by Authorization.
    Www,
    /// 407: Proxy-Authenticate, answered by Proxy-Authorization.
    Proxy,
}

impl Kind {
    /// The status of a response that carries the challenge.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Kind::Www => 401,
            Kind::Proxy => 407,
        }
    }

    /// The header of the challenge.
    #[must_use]
    pub fn header(self) -> &'static str {
        match self {
            Kind::Www => "WWW-Authenticate",
            Kind::Proxy => "Proxy-Authenticate",
        }
    }

    /// The header of the answer.
    #[must_use]
    pub fn answer_header(self) -> &'static str {
        match self {
            Kind::Www => "Authorization",
            Kind::Proxy => "Proxy-Authorization",
        }
    }
}

/// Adds whole header lines to `out`, one per algorithm in the order given (RFC 8760 §2.4:
/// the most wanted first). Only `qop="auth"` is offered: phones that see `auth-int` beside it
/// fail at random.
pub fn challenge(out: &mut Vec<u8>, kind: Kind, realm: &[u8], nonce: &[u8], algorithms: &[Algorithm], stale: bool) {
    for algorithm in algorithms {
        out.extend_from_slice(kind.header().as_bytes());
        out.extend_from_slice(b": Digest realm=");
        quote(realm, out);
        out.extend_from_slice(b", nonce=\"");
        out.extend_from_slice(nonce);
        out.extend_from_slice(b"\", algorithm=");
        out.extend_from_slice(algorithm.as_str().as_bytes());
        out.extend_from_slice(b", qop=\"auth\"");
        if stale {
            out.extend_from_slice(b", stale=true");
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// A quoted string; line ends cannot be quoted and are dropped.
fn quote(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &b in text {
        match b {
            b'\r' | b'\n' => {}
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', b]),
            _ => out.push(b),
        }
    }
    out.push(b'"');
}

/// One challenge, as a client reads it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Challenge<'a> {
    /// Between its quotes, escapes as sent.
    pub realm: &'a [u8],
    /// To be echoed.
    pub nonce: &'a [u8],
    /// To be echoed when there.
    pub opaque: Option<&'a [u8]>,
    /// MD5 when the server names none.
    pub algorithm: Algorithm,
    /// The form we shall answer in; `auth` where the server offers a choice.
    pub qop: Option<Qop>,
    /// True when only the nonce was at fault.
    pub stale: bool,
}

impl<'a> Challenge<'a> {
    /// Reads one header value; `None` when it is not digest or not a form we can answer.
    #[must_use]
    pub fn parse(value: &'a [u8]) -> Option<Challenge<'a>> {
        let (mut realm, mut nonce, mut opaque, mut stale) = (None, None, None, false);
        let (mut algorithm, mut offered) = (Algorithm::Md5, None);
        for item in Params(after_scheme(value)?) {
            let (name, value) = item?;
            match name.to_ascii_lowercase().as_slice() {
                b"realm" => realm = Some(value),
                b"nonce" => nonce = Some(value),
                b"opaque" => opaque = Some(value),
                b"stale" => stale = value.eq_ignore_ascii_case(b"true"),
                b"algorithm" => algorithm = Algorithm::from_bytes(value)?,
                b"qop" => offered = Some(value),
                _ => {}
            }
        }
        let qop = match offered {
            None => None,
            Some(list) => Some(choose_qop(list)?),
        };
        Some(Challenge { realm: realm?, nonce: nonce?, opaque, algorithm, qop, stale })
    }
}

fn choose_qop(list: &[u8]) -> Option<Qop> {
    let offers = |token: &[u8]| list.split(|&b| b == b',').any(|q| q.trim_ascii().eq_ignore_ascii_case(token));
    if offers(b"auth") {
        Some(Qop::Auth)
    } else if offers(b"auth-int") {
        Some(Qop::AuthInt)
    } else {
        None
    }
}

/// The strongest of several challenges for one realm that we can answer (RFC 8760 §2.4 asks
/// for the topmost known one; we do not let an attacker choose by order).
#[must_use]
pub fn strongest<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Option<Challenge<'a>> {
    values
        .into_iter()
        .filter_map(Challenge::parse)
        .reduce(|best, next| if next.algorithm > best.algorithm { next } else { best })
}

/// Who signs.
#[derive(Clone, Copy)]
pub struct Login<'a> {
    /// The user name.
    pub username: &'a [u8],
    /// The password.
    pub password: &'a [u8],
}

impl std::fmt::Debug for Login<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<secret>")
    }
}

/// The request that is signed.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// Method token.
    pub method: &'a [u8],
    /// Request-URI.
    pub uri: &'a [u8],
    /// Body; used with `auth-int` only.
    pub body: &'a [u8],
}

/// Adds the value of Authorization or Proxy-Authorization to `out`.
///
/// `nc` counts the uses of this nonce from 1; `cnonce` is fresh random text of the caller's.
/// `None` when the user name cannot be written.
pub fn respond(
    out: &mut Vec<u8>,
    asked: &Challenge<'_>,
    login: &Login<'_>,
    request: &Signed<'_>,
    nc: u32,
    cnonce: &[u8],
) -> Option<()> {
    if login.username.iter().any(u8::is_ascii_control) {
        return None;
    }
    let count = format!("{nc:08x}");
    let proof = Proof {
        method: request.method,
        uri: request.uri,
        body: request.body,
        nonce: asked.nonce,
        qop: asked.qop.map(|q| (q, count.as_bytes(), cnonce)),
    };
    let realm = unescape(asked.realm);
    let identity = [login.username, &realm, login.password];
    let (bytes, len) = with_password(asked.algorithm, &identity, &proof);

    out.extend_from_slice(b"Digest username=");
    quote(login.username, out);
    let mut hex = [0; 128];
    let quoted = [
        (&b"realm"[..], asked.realm),
        (b"nonce", asked.nonce),
        (b"uri", request.uri),
        (b"response", hex_into(&bytes[..len], &mut hex)),
    ];
    for (name, value) in quoted {
        field(out, name, value, true);
    }
    field(out, b"algorithm", asked.algorithm.as_str().as_bytes(), false);
    if let Some(qop) = asked.qop {
        field(out, b"qop", qop.token(), false);
        field(out, b"nc", count.as_bytes(), false);
        field(out, b"cnonce", cnonce, true);
    }
    if let Some(opaque) = asked.opaque {
        field(out, b"opaque", opaque, true);
    }
    Some(())
}

fn field(out: &mut Vec<u8>, name: &[u8], value: &[u8], quoted: bool) {
    out.extend_from_slice(b", ");
    out.extend_from_slice(name);
    out.extend_from_slice(if quoted { b"=\"" } else { b"=" });
    out.extend_from_slice(value);
    if quoted {
        out.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Credentials, Ha1, verify};
    use super::*;

    #[test]
    fn one_line_per_algorithm_in_order() {
        let mut out = Vec::new();
        let both = [Algorithm::Sha256, Algorithm::Md5];
        challenge(&mut out, Kind::Proxy, b"a\"b", b"N", &both, true);
        assert_eq!(
            String::from_utf8(out).expect("text"),
            "Proxy-Authenticate: Digest realm=\"a\\\"b\", nonce=\"N\", algorithm=SHA-256, qop=\"auth\", stale=true\r\n\
             Proxy-Authenticate: Digest realm=\"a\\\"b\", nonce=\"N\", algorithm=MD5, qop=\"auth\", stale=true\r\n"
        );
    }

    /// RFC 7616 §3.9.1, from the client's side.
    #[test]
    fn the_strongest_challenge_is_answered() {
        let md5: &[u8] = br#"Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#;
        let sha = String::from_utf8_lossy(md5).replace("MD5", "SHA-256");
        let unknown = String::from_utf8_lossy(md5).replace("MD5", "SHA-999");
        let best = strongest([unknown.as_bytes(), md5, sha.as_bytes()]).expect("one known");
        assert_eq!(best.algorithm, Algorithm::Sha256);
        let mut out = Vec::new();
        let login = Login { username: b"Mufasa", password: b"Circle of Life" };
        let request = Signed { method: b"GET", uri: b"/dir/index.html", body: b"" };
        let cnonce = b"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        respond(&mut out, &best, &login, &request, 1, cnonce).expect("written");
        let text = String::from_utf8(out).expect("text");
        assert!(text.contains("753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"), "{text}");
        let given = Credentials::parse(text.as_bytes()).expect("readable");
        let ha1 = Ha1::of(b"Mufasa", b"http-auth@example.org", b"Circle of Life");
        assert!(verify(&given, b"GET", &ha1, b""));
        assert_eq!(given.opaque, best.opaque);
    }

    /// The people of RFC 7616 §3.9.2 without its userhash; the digest was made apart from this
    /// code, with Python's hashlib.
    #[test]
    fn sha_512_256_answers() {
        let asked = Challenge {
            realm: b"api@example.org",
            nonce: b"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
            opaque: None,
            algorithm: Algorithm::Sha512_256,
            qop: Some(Qop::Auth),
            stale: false,
        };
        let login = Login { username: "J\u{e4}s\u{f8}n Doe".as_bytes(), password: b"Secret, or not?" };
        let request = Signed { method: b"GET", uri: b"/doe.json", body: b"" };
        let mut out = Vec::new();
        let cnonce = b"NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm";
        respond(&mut out, &asked, &login, &request, 1, cnonce).expect("written");
        let text = String::from_utf8(out).expect("text");
        assert!(text.contains("7a4e1192babbba02e91182d2895bfdbf7adafc6e48d4e517ca301974843d840c"), "{text}");
    }

    #[test]
    fn without_qop_the_old_form_is_answered() {
        let asked = Challenge::parse(br#"Digest realm="r", nonce="n""#).expect("readable");
        assert_eq!((asked.qop, asked.algorithm), (None, Algorithm::Md5));
        let mut out = Vec::new();
        let login = Login { username: b"u", password: b"p" };
        let request = Signed { method: b"REGISTER", uri: b"sip:r", body: b"" };
        respond(&mut out, &asked, &login, &request, 1, b"c").expect("written");
        let given = Credentials::parse(&out).expect("readable");
        assert!(verify(&given, b"REGISTER", &Ha1::of(b"u", b"r", b"p"), b""));
        assert_eq!(format!("{login:?}"), "<secret>");
    }
}
