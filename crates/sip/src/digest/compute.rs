//! The hashes of RFC 7616 §3.4.1.

use super::Algorithm;
use super::credentials::{Credentials, Qop};
use crate::keyed::same;
use md5::Md5;
use sha2::{Digest, Sha256, Sha512_256};

/// What is kept of a password: `H(user:realm:password)` for each algorithm a server may offer.
/// As good as the password within its realm, so it cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Ha1 {
    /// For [`Algorithm::Md5`].
    pub md5: [u8; 16],
    /// For [`Algorithm::Sha256`].
    pub sha256: [u8; 32],
}

impl std::fmt::Debug for Ha1 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<secret>")
    }
}

impl Ha1 {
    /// Hashes a password once, for keeping.
    #[must_use]
    pub fn of(user: &[u8], realm: &[u8], password: &[u8]) -> Ha1 {
        Ha1 {
            md5: joined::<Md5>(&[user, realm, password]).into(),
            sha256: joined::<Sha256>(&[user, realm, password]).into(),
        }
    }
}

/// The request's side of a digest.
pub(super) struct Proof<'a> {
    pub(super) method: &'a [u8],
    pub(super) uri: &'a [u8],
    pub(super) body: &'a [u8],
    pub(super) nonce: &'a [u8],
    /// With the nonce count as written and the client's nonce.
    pub(super) qop: Option<(Qop, &'a [u8], &'a [u8])>,
}

impl Proof<'_> {
    /// The bytes of `response`, and how many they are.
    pub(super) fn of_ha1<D: Digest>(&self, ha1: &[u8]) -> sha2::digest::Output<D> {
        let mut hex = [0; 128];
        let ha2 = match self.qop {
            Some((Qop::AuthInt, ..)) => {
                let body = D::digest(self.body);
                joined::<D>(&[self.method, self.uri, hex_into(&body, &mut hex)])
            }
            _ => joined::<D>(&[self.method, self.uri]),
        };
        let mut hash = D::new();
        hash.update(hex_into(ha1, &mut hex));
        hash.update(b":");
        hash.update(self.nonce);
        if let Some((qop, nc, cnonce)) = self.qop {
            for part in [nc, cnonce, qop.token()] {
                hash.update(b":");
                hash.update(part);
            }
        }
        hash.update(b":");
        hash.update(hex_into(&ha2, &mut hex));
        hash.finalize()
    }
}

/// `H(a:b:c)`.
pub(super) fn joined<D: Digest>(parts: &[&[u8]]) -> sha2::digest::Output<D> {
    let mut hash = D::new();
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            hash.update(b":");
        }
        hash.update(part);
    }
    hash.finalize()
}

/// Writes lower-case hexadecimal into `out`.
pub(super) fn hex_into<'o>(bytes: &[u8], out: &'o mut [u8; 128]) -> &'o [u8] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, b) in out.chunks_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(b >> 4)];
        pair[1] = DIGITS[usize::from(b & 15)];
    }
    &out[..bytes.len() * 2]
}

/// The same with the password at hand, for any algorithm.
pub(super) fn with_password(algorithm: Algorithm, identity: &[&[u8]; 3], proof: &Proof<'_>) -> ([u8; 32], usize) {
    fn run<D: Digest>(identity: &[&[u8]; 3], proof: &Proof<'_>) -> ([u8; 32], usize) {
        let out = proof.of_ha1::<D>(&joined::<D>(identity));
        let mut bytes = [0; 32];
        bytes[..out.len()].copy_from_slice(&out);
        (bytes, out.len())
    }
    match algorithm {
        Algorithm::Md5 => run::<Md5>(identity, proof),
        Algorithm::Sha256 => run::<Sha256>(identity, proof),
        Algorithm::Sha512_256 => run::<Sha512_256>(identity, proof),
    }
}

/// True when the credentials prove knowledge of the password behind `ha1` for this request.
///
/// Compares in constant time. The caller has looked at the rest: that the realm is ours, that
/// the algorithm is one it offers, and the nonce ([`super::Nonces::check`]). Credentials with
/// SHA-512-256 never verify: no secret is kept for it.
#[must_use]
pub fn verify(c: &Credentials<'_>, method: &[u8], ha1: &Ha1, body: &[u8]) -> bool {
    let qop = c.qop.map(|q| (q, c.raw_nc, c.cnonce));
    let proof = Proof { method, uri: c.uri, body, nonce: c.nonce, qop };
    let given = &c.response.bytes[..c.response.len];
    match c.algorithm {
        Algorithm::Md5 => same(given, &proof.of_ha1::<Md5>(&ha1.md5)),
        Algorithm::Sha256 => same(given, &proof.of_ha1::<Sha256>(&ha1.sha256)),
        Algorithm::Sha512_256 => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, method: &str, ha1: &Ha1, body: &str) -> bool {
        let c = Credentials::parse(value.as_bytes()).expect("readable");
        verify(&c, method.as_bytes(), ha1, body.as_bytes())
    }

    const RFC_2617: &str = r#"Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b", response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41""#;

    #[test]
    fn rfc_2617_section_3_5() {
        let ha1 = Ha1::of(b"Mufasa", b"testrealm@host.com", b"Circle Of Life");
        assert!(check(RFC_2617, "GET", &ha1, ""));
        assert!(!check(RFC_2617, "PUT", &ha1, ""));
        let other = Ha1::of(b"Mufasa", b"testrealm@host.com", b"Circle of Life");
        assert!(!check(RFC_2617, "GET", &other, ""));
    }

    #[test]
    fn rfc_7616_section_3_9_1() {
        let ha1 = Ha1::of(b"Mufasa", b"http-auth@example.org", b"Circle of Life");
        let with = |algorithm: &str, response: &str| {
            format!(
                r#"Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm={algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, response="{response}", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#
            )
        };
        assert!(check(&with("MD5", "8ca523f5e9506fed4657c9700eebdbec"), "GET", &ha1, ""));
        let sha = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1";
        assert!(check(&with("SHA-256", sha), "GET", &ha1, ""));
        assert!(!check(&with("MD5", sha), "GET", &ha1, ""), "a digest of the wrong length");
        assert!(!check(&with("SHA-512-256", sha), "GET", &ha1, ""));
    }

    /// RFC 2069's own example, with the digest of its erratum 749.
    #[test]
    fn without_qop() {
        let ha1 = Ha1::of(b"Mufasa", b"testrealm@host.com", b"CircleOfLife");
        let value = r#"Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="/dir/index.html", response="1949323746fe6a43ef61f9606e7febea", opaque="5ccc069c403ebaf9f0171e9517f40e41""#;
        assert!(check(value, "GET", &ha1, ""));
    }

    #[test]
    fn auth_int_covers_the_body() {
        let ha1 = Ha1::of(b"u", b"r", b"p");
        let proof = Proof {
            method: b"MESSAGE",
            uri: b"sip:x",
            body: b"hello",
            nonce: b"n",
            qop: Some((Qop::AuthInt, b"00000001", b"c")),
        };
        let mut hex = [0; 128];
        let response = hex_into(&proof.of_ha1::<Sha256>(&ha1.sha256), &mut hex).to_vec();
        let value = format!(
            r#"Digest username="u",realm="r",nonce="n",uri="sip:x",algorithm=SHA-256,qop=auth-int,nc=00000001,cnonce="c",response="{}""#,
            String::from_utf8(response).expect("hex")
        );
        assert!(check(&value, "MESSAGE", &ha1, "hello"));
        assert!(!check(&value, "MESSAGE", &ha1, "hullo"));
    }

    #[test]
    fn secrets_do_not_print() {
        assert_eq!(format!("{:?}", Ha1::of(b"u", b"r", b"p")), "<secret>");
    }
}
