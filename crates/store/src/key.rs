//! The master key and what is sealed under it: AES-256-GCM from aws-lc-rs, the provider that TLS
//! already links. A sealed value is `nonce[12] ciphertext tag[16]`; the context is authenticated
//! with it, so that a sealed value moved to another row does not open.

use crate::fs::write_private;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// 32 random bytes that open every secret of the store. Kept in a file outside the data folder
/// and outside backups; never prints itself.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey([u8; 32]);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<secret>")
    }
}

impl Drop for MasterKey {
    fn drop(&mut self) {
        for byte in &mut self.0 {
            // SAFETY: `byte` is a valid, aligned, exclusive reference. Volatile, so that the
            // write is not optimised away.
            unsafe { std::ptr::write_volatile(byte, 0) };
        }
    }
}

/// Why a master key file cannot be used.
#[derive(Debug)]
pub enum KeyError {
    /// It cannot be read or written.
    Io(PathBuf, std::io::Error),
    /// It does not hold 64 hexadecimal digits.
    Form(PathBuf),
    /// Others may read it.
    Open(PathBuf, u32),
}

impl std::fmt::Display for KeyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            KeyError::Io(path, error) => {
                write!(
                    f,
                    "the master key file {} cannot be used ({error}): check the path and its owner",
                    path.display()
                )
            }
            KeyError::Form(path) => write!(
                f,
                "{} is no master key (64 hexadecimal digits): put the right file there, from where you keep the copy",
                path.display()
            ),
            KeyError::Open(path, mode) => write!(
                f,
                "the master key file {} may be read by others (mode {mode:o}): run `chmod 600 {}`",
                path.display(),
                path.display()
            ),
        }
    }
}

impl std::error::Error for KeyError {}

impl MasterKey {
    /// A new random key.
    pub fn generate() -> MasterKey {
        MasterKey(random())
    }

    /// The key made of these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> MasterKey {
        MasterKey(bytes)
    }

    /// Reads the key file; refuses one that others may read.
    pub fn read(path: &Path) -> Result<MasterKey, KeyError> {
        let io = |e| KeyError::Io(path.to_owned(), e);
        let mut file = std::fs::File::open(path).map_err(io)?;
        let mode = file.metadata().map_err(io)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Open(path.to_owned(), mode));
        }
        let mut text = String::new();
        file.by_ref().take(256).read_to_string(&mut text).map_err(io)?;
        from_hex(text.trim()).map(MasterKey).ok_or_else(|| KeyError::Form(path.to_owned()))
    }

    /// Writes the key to a new file with mode 0600.
    pub fn write_new(&self, path: &Path) -> Result<(), KeyError> {
        let text = hex(&self.0) + "\n";
        write_private(path, text.as_bytes()).map_err(|e| KeyError::Io(path.to_owned(), e))
    }

    /// A key of its own for another purpose (HMAC-SHA-256 of the purpose's name).
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
        let tag = sign(&Key::new(HMAC_SHA256, &self.0), purpose.as_bytes());
        let mut key = [0; 32];
        key.copy_from_slice(tag.as_ref());
        key
    }

    pub(crate) fn sealer(&self) -> Sealer {
        let key = UnboundKey::new(&AES_256_GCM, &self.0).expect("32 bytes are an AES-256 key");
        Sealer { key: LessSafeKey::new(key), random: SystemRandom::new() }
    }
}

/// A sealed value does not open: wrong key, wrong context, or damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WrongSeal;

pub(crate) struct Sealer {
    key: LessSafeKey,
    random: SystemRandom,
}

impl Sealer {
    pub(crate) fn seal(&self, context: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).expect("the system's random numbers do not fail once started");
        let mut out = Vec::with_capacity(NONCE_LEN + plain.len() + 16);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(plain);
        let tag = self
            .key
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut out[NONCE_LEN..])
            .expect("a short text under a valid key can be sealed");
        out.extend_from_slice(tag.as_ref());
        out
    }

    pub(crate) fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, WrongSeal> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(WrongSeal)?;
        let mut body = body.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let len = self.key.open_in_place(nonce, Aad::from(context), &mut body).map_err(|_| WrongSeal)?.len();
        body.truncate(len);
        Ok(body)
    }
}

/// Random bytes from the system.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    SystemRandom::new().fill(&mut out).expect("the system's random numbers do not fail once started");
    out
}

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(nibble), 16).expect("a nibble is a hexadecimal digit"));
        }
        out
    })
}

pub(crate) fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let bytes = text.as_bytes();
    if bytes.len() != N * 2 {
        return None;
    }
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(bytes.chunks_exact(2)) {
        let digit = |b: u8| char::from(b).to_digit(16);
        *byte = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_only_with_its_key_and_context() {
        let sealer = MasterKey::generate().sealer();
        let sealed = sealer.seal(b"user 7", b"hash");
        assert_eq!(sealer.open(b"user 7", &sealed).unwrap(), b"hash");
        assert_eq!(sealer.open(b"user 8", &sealed), Err(WrongSeal));
        assert_eq!(MasterKey::generate().sealer().open(b"user 7", &sealed), Err(WrongSeal));
        assert_eq!(sealer.open(b"user 7", &sealed[..20]), Err(WrongSeal));
        assert_eq!(sealer.open(b"user 7", b""), Err(WrongSeal));
    }

    #[test]
    fn a_key_file_is_private_and_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let key = MasterKey::generate();
        key.write_new(&path).unwrap();
        assert!(MasterKey::read(&path).unwrap() == key);
        assert!(matches!(key.write_new(&path), Err(KeyError::Io(..))), "a key file is never overwritten");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(MasterKey::read(&path), Err(KeyError::Open(_, 0o644))));
        assert_eq!(format!("{key:?}"), "<secret>");
    }
}
