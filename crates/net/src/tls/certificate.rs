//! Reading certificates, and what an administrator wants to know of them.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lyceum_sip::WallTime;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// Why a certificate, key or authority cannot be used: what, where, what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsError {
    /// The file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        why: String,
    },
    /// The file holds no certificate, or no key, in PEM form.
    Missing {
        /// The file.
        path: PathBuf,
        /// `certificate` or `private key`.
        what: &'static str,
    },
    /// The key does not belong to the certificate.
    KeyMismatch {
        /// Where the certificate came from.
        certificate: String,
    },
    /// The library refuses it.
    Refused {
        /// What was tried.
        what: String,
        /// Why not.
        why: String,
    },
}

impl TlsError {
    pub(super) fn refused(what: &str, why: &dyn fmt::Display) -> TlsError {
        TlsError::Refused { what: what.into(), why: why.to_string() }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsError::Unreadable { path, why } => {
                write!(f, "{} cannot be read ({why}); check the path and the file's permissions", path.display())
            }
            TlsError::Missing { path, what } => {
                write!(f, "{} holds no {what} in PEM form; name the file that does", path.display())
            }
            TlsError::KeyMismatch { certificate } => write!(
                f,
                "the private key does not belong to the certificate in {certificate}; name the key it was made with"
            ),
            TlsError::Refused { what, why } => write!(f, "{what} failed: {why}"),
        }
    }
}

impl std::error::Error for TlsError {}

/// A certificate with its chain and private key. Prints its source, never the key.
pub struct Certificate {
    source: String,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("source", &self.source).field("key", &format_args!("<secret>")).finish()
    }
}

impl Clone for Certificate {
    fn clone(&self) -> Certificate {
        Certificate { source: self.source.clone(), chain: self.chain.clone(), key: self.key.clone_key() }
    }
}

/// What a certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// Where it was read from.
    pub source: String,
    /// DNS names, and hosts of `sip:` URIs, lower case.
    pub names: Vec<String>,
    /// Addresses.
    pub addresses: Vec<IpAddr>,
    /// Valid from.
    pub not_before: WallTime,
    /// Valid until.
    pub not_after: WallTime,
    /// Who signed it.
    pub issuer: String,
    /// Certificates in the chain, its own included.
    pub chain: usize,
}

impl CertificateFacts {
    /// True when the certificate may be shown to somebody who asks for `name`.
    pub fn covers(&self, name: &str) -> bool {
        if let Ok(address) = name.parse::<IpAddr>() {
            return self.addresses.contains(&address);
        }
        self.names.iter().any(|n| match n.strip_prefix("*.") {
            Some(parent) => name.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent)),
            None => n.eq_ignore_ascii_case(name),
        })
    }
}

impl Certificate {
    /// Reads a chain and its key from two PEM files (which may be the same), and checks that they belong together.
    pub fn load(chain: &Path, key: &Path) -> Result<Certificate, TlsError> {
        let certificates = load_authorities(chain)?;
        let key = PrivateKeyDer::from_pem_file(key).map_err(|e| pem_error(key, "private key", e))?;
        Certificate::new(chain.display().to_string(), certificates, key)
    }

    /// From parts in memory; `source` is what messages call it.
    pub fn new(
        source: String,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Certificate, TlsError> {
        let certificate = Certificate { source, chain, key };
        certificate.certified(&rustls::crypto::aws_lc_rs::default_provider())?;
        Ok(certificate)
    }

    /// The chain, own certificate first.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    pub(super) fn certified(&self, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, TlsError> {
        CertifiedKey::from_der(self.chain.clone(), self.key.clone_key(), provider).map(Arc::new).map_err(|e| match e {
            rustls::Error::InconsistentKeys(_) => TlsError::KeyMismatch { certificate: self.source.clone() },
            e => TlsError::refused(&format!("using the certificate in {}", self.source), &e),
        })
    }

    /// What the certificate says.
    pub fn facts(&self) -> Result<CertificateFacts, TlsError> {
        CertificateFacts::read(&self.source, &self.chain)
    }
}

impl CertificateFacts {
    /// What the first certificate of a chain says; `source` is what messages call it.
    pub(super) fn read(source: &str, chain: &[CertificateDer<'_>]) -> Result<CertificateFacts, TlsError> {
        let refused = |e: &dyn fmt::Display| TlsError::refused(&format!("reading the certificate in {source}"), e);
        let der = chain.first().ok_or_else(|| refused(&"the chain is empty"))?;
        let (_, parsed) = X509Certificate::from_der(der).map_err(|e| refused(&e))?;
        let (names, addresses) = alternative_names(&parsed);
        let wall = |seconds: i64| WallTime(seconds.max(0) as u64 * 1000);
        Ok(CertificateFacts {
            source: source.to_owned(),
            names,
            addresses,
            not_before: wall(parsed.validity().not_before.timestamp()),
            not_after: wall(parsed.validity().not_after.timestamp()),
            issuer: parsed.issuer().to_string(),
            chain: chain.len(),
        })
    }
}

fn alternative_names(parsed: &X509Certificate<'_>) -> (Vec<String>, Vec<IpAddr>) {
    let (mut names, mut addresses) = (Vec::new(), Vec::new());
    let Ok(Some(extension)) = parsed.subject_alternative_name() else { return (names, addresses) };
    for name in &extension.value.general_names {
        match name {
            GeneralName::DNSName(name) => names.push(name.to_ascii_lowercase()),
            GeneralName::URI(uri) => {
                names.extend(uri.strip_prefix("sip:").filter(|u| !u.contains('@')).map(str::to_ascii_lowercase));
            }
            GeneralName::IPAddress(bytes) => {
                let v4 = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
                addresses.extend(v4.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from)));
            }
            _ => {}
        }
    }
    names.sort();
    names.dedup();
    (names, addresses)
}

/// Reads every certificate of a PEM file; at least one must be there.
pub fn load_authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(certificates) if certificates.is_empty() => Err(pem_error(path, "certificate", pem::Error::NoItemsFound)),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(pem_error(path, "certificate", error)),
    }
}

fn pem_error(path: &Path, what: &'static str, error: pem::Error) -> TlsError {
    match error {
        pem::Error::Io(e) => TlsError::Unreadable { path: path.into(), why: e.to_string() },
        _ => TlsError::Missing { path: path.into(), what },
    }
}
