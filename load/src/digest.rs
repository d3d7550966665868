//! Digest answers at thousands a second: what depends on the user alone is hashed once.

use lyceum_sip::digest::{Algorithm, Challenge, Login, Qop, Signed, respond};
use md5::{Digest, Md5};

use crate::template::hex8;
use crate::users::User;

/// Answers challenges for a list of users.
pub struct Answers {
    realm: Vec<u8>,
    /// Hexadecimal MD5 of `user:realm:password`, made at a user's first challenge.
    secrets: Vec<Option<[u8; 32]>>,
    count: u32,
}

impl std::fmt::Debug for Answers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<secret>")
    }
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut md5 = Md5::new();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            md5.update(b":");
        }
        md5.update(part);
    }
    let bytes: [u8; 16] = md5.finalize().into();
    std::array::from_fn(|at| b"0123456789abcdef"[usize::from(bytes[at / 2] >> (4 * (1 - at % 2))) & 15])
}

impl Answers {
    /// For so many users.
    #[must_use]
    pub fn new(users: usize) -> Answers {
        Answers { realm: Vec::new(), secrets: vec![None; users], count: 0 }
    }

    /// Appends the value of Authorization; false when the challenge cannot be answered.
    pub fn write(
        &mut self,
        challenge: &Challenge<'_>,
        (number, user): (usize, &User),
        (method, uri): (&[u8], &[u8]),
        out: &mut Vec<u8>,
    ) -> bool {
        self.count = self.count.wrapping_add(1);
        let cnonce = hex8(self.count);
        if challenge.algorithm != Algorithm::Md5 || challenge.qop != Some(Qop::Auth) {
            let login = Login { username: user.name.as_bytes(), password: user.password.reveal() };
            let signed = Signed { method, uri, body: b"" };
            return respond(out, challenge, &login, &signed, 1, &cnonce).is_some();
        }
        if self.realm != challenge.realm {
            self.realm = challenge.realm.to_vec();
            self.secrets.fill(None);
        }
        let secret = *self.secrets[number]
            .get_or_insert_with(|| hash(&[user.name.as_bytes(), challenge.realm, user.password.reveal()]));
        let request = hash(&[method, uri]);
        let response = hash(&[&secret, challenge.nonce, b"00000001", &cnonce, b"auth", &request]);
        for part in [
            b"Digest username=\"",
            user.name.as_bytes(),
            b"\", realm=\"",
            challenge.realm,
            b"\", nonce=\"",
            challenge.nonce,
            b"\", uri=\"",
            uri,
            b"\", response=\"",
            &response,
            b"\", algorithm=MD5, qop=auth, nc=00000001, cnonce=\"",
            &cnonce,
            b"\"",
        ] {
            out.extend_from_slice(part);
        }
        if let Some(opaque) = challenge.opaque {
            out.extend_from_slice(b", opaque=\"");
            out.extend_from_slice(opaque);
            out.push(b'"');
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lyceum_sip::digest::{Credentials, Ha1, verify};

    #[test]
    fn answers_verify() {
        let users = crate::users::made_up(2);
        let mut answers = Answers::new(2);
        let ha1 = Ha1::of(b"u000001", b"bench.test", b"pwu000001");
        for value in [
            &br#"Digest realm="bench.test", nonce="n1", algorithm=MD5, qop="auth""#[..],
            br#"Digest realm="bench.test", nonce="n2", opaque="o""#,
            br#"Digest realm="bench.test", nonce="n3", algorithm=SHA-256, qop="auth""#,
        ] {
            let challenge = Challenge::parse(value).expect("a challenge");
            let mut out = Vec::new();
            assert!(answers.write(&challenge, (1, &users[1]), (b"REGISTER", b"sip:bench.test"), &mut out));
            let given = Credentials::parse(&out).expect("readable");
            assert!(verify(&given, b"REGISTER", &ha1, b""), "{}", String::from_utf8_lossy(&out));
        }
        assert_eq!(format!("{answers:?}"), "<secret>");
    }
}
