//! Who we are to a browser: a certificate and its fingerprint, a name and a password.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
use dimpl::{Config, DtlsCertificate};
use lyceum_sdp::Fingerprint;

/// Bytes of chance that a name and a password are made from: 48 bits for the name, 144 for the password.
pub const CREDENTIAL_BYTES: usize = 24;
/// When a flight is sent again for the first time; then twice that, and so on. A second, as RFC 6347 §4.2.4.1 has it, is
/// heard as silence at the start of a call; the RFC allows less where the network is known, and browsers take 50 ms.
const FIRST_RETRY: Duration = Duration::from_millis(200);
/// How often: up to a pause of 13 s.
const RETRIES: usize = 7;
/// When a handshake is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// The letters of RFC 8839 §5.4, one for six bits.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The certificate that DTLS shows, self-signed, with its key and with how handshakes are to go.
#[derive(Clone)]
pub struct Certificate {
    pub(super) pair: DtlsCertificate,
    pub(super) config: Arc<Config>,
    fingerprint: Fingerprint,
}

/// A certificate cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertificateError(String);

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DTLS cannot be spoken with this certificate: {}", self.0)
    }
}

impl std::error::Error for CertificateError {}

impl Certificate {
    /// A certificate in DER, and its ECDSA key in PKCS#8.
    pub fn new(certificate: Vec<u8>, private_key: Vec<u8>) -> Result<Self, CertificateError> {
        let builder = Config::builder().flight_start_rto(FIRST_RETRY).flight_retries(RETRIES);
        let config =
            builder.handshake_timeout(PATIENCE).build().map_err(|error| CertificateError(error.to_string()))?;
        let sha256 = digest(&SHA256, &certificate).as_ref().to_vec();
        Ok(Self {
            fingerprint: Fingerprint { hash: "sha-256".into(), digest: sha256 },
            pair: DtlsCertificate { certificate, private_key },
            config: Arc::new(config),
        })
    }

    /// What its description says.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({})", self.fingerprint)
    }
}

/// Whether a certificate is the one that a description announced.
pub(super) fn is_announced(announced: &Fingerprint, certificate: &[u8]) -> bool {
    let hash = match announced.hash.as_str() {
        "sha-256" => &SHA256,
        "sha-384" => &SHA384,
        "sha-512" => &SHA512,
        _ => return false,
    };
    verify_slices_are_equal(digest(hash, certificate).as_ref(), &announced.digest).is_ok()
}

/// Our name and password in checks; they do not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user fragment.
    pub ufrag: String,
    /// The password.
    pub pwd: String,
}

impl Credentials {
    /// From chance that was drawn for them alone.
    #[must_use]
    pub fn new(chance: &[u8; CREDENTIAL_BYTES]) -> Self {
        let letters = |bytes: &[u8]| {
            let words = bytes.chunks_exact(3).map(|three| u32::from_be_bytes([0, three[0], three[1], three[2]]));
            let letters = words.flat_map(|word| [18, 12, 6, 0].map(|shift| LETTERS[(word >> shift & 63) as usize]));
            letters.map(char::from).collect()
        };
        Self { ufrag: letters(&chance[..6]), pwd: letters(&chance[6..]) }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials {{ ufrag: {:?}, pwd: <secret> }}", self.ufrag)
    }
}
