//! Whom a connection trusts: the authorities of a file, or those of the system.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;

/// Why nobody can be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustFault {
    /// The file cannot be read as certificates.
    File(String, String),
    /// There is no certificate in the file, or none that the system trusts.
    Empty(String),
}

impl std::fmt::Display for TrustFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TrustFault::File(file, why) => {
                write!(f, "the file of authorities {file} cannot be read ({why}): check path, owner and that it is PEM")
            }
            TrustFault::Empty(place) => {
                write!(f, "{place} holds no authority: name a PEM file with `authorities`, or install ca-certificates")
            }
        }
    }
}

impl std::error::Error for TrustFault {}

/// TLS as a client that trusts whom the system trusts, for other servers of the web. Blocks while files are read.
///
/// # Errors
/// When the system trusts nobody.
pub fn client_tls() -> Result<Arc<ClientConfig>, TrustFault> {
    client(None)
}

/// TLS as a client that trusts these authorities. Blocks while files are read.
pub(crate) fn client(authorities: Option<&str>) -> Result<Arc<ClientConfig>, TrustFault> {
    let mut roots = RootCertStore::empty();
    match authorities {
        Some(file) => {
            let fault = |why: String| TrustFault::File(file.to_owned(), why);
            for found in CertificateDer::pem_file_iter(Path::new(file)).map_err(|e| fault(e.to_string()))? {
                roots.add(found.map_err(|e| fault(e.to_string()))?).map_err(|e| fault(e.to_string()))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(TrustFault::Empty(authorities.unwrap_or("the system").to_owned()));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("aws-lc-rs has what TLS 1.2 and 1.3 need")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
