//! A throw-away certificate authority: for `lyceum dev` and for tests, never for a real deployment.

use std::fs;
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::{Certificate, TlsError};

/// The authority, with its files `ca.pem` and `ca.key` (readable by us only) in a folder.
pub struct DevCa {
    folder: PathBuf,
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate of a [`DevCa`], in memory and as files.
#[derive(Debug, Clone)]
pub struct Issued {
    /// Ready for [`TlsSettings`](super::TlsSettings).
    pub certificate: Certificate,
    /// Chain in PEM form.
    pub chain_file: PathBuf,
    /// Key in PEM form, readable by us only.
    pub key_file: PathBuf,
}

fn refused(error: rcgen::Error) -> TlsError {
    TlsError::refused("making a certificate", &error)
}

fn unwritable(path: &Path) -> impl FnOnce(io::Error) -> TlsError {
    move |e| TlsError::refused(&format!("writing {}", path.display()), &e)
}

/// Writes a file that only we can read when it is `private`.
fn write(path: &Path, text: &str, private: bool) -> Result<(), TlsError> {
    let mode = if private { 0o600 } else { 0o644 };
    let open = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path);
    open.and_then(|mut file| file.write_all(text.as_bytes())).map_err(unwritable(path))
}

/// The same at every start, so that key and certificate in the folder are all there is to keep.
/// How long an authority and its certificates hold; phones refuse certificates that hold longer than 825 days.
const AUTHORITY_DAYS: u32 = 3_650;
const CERTIFICATE_DAYS: u32 = 820;

/// A certificate from yesterday, for clocks that go a little behind, until so many days from now.
fn params_for(days: u32) -> CertificateParams {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let day = Duration::from_secs(86_400);
    let mut params = CertificateParams::default();
    params.not_before = rcgen::date_time_ymd(1970, 1, 1) + now.saturating_sub(day);
    params.not_after = rcgen::date_time_ymd(1970, 1, 1) + now + day * days;
    params
}

fn authority_params() -> CertificateParams {
    let mut params = params_for(AUTHORITY_DAYS);
    params.distinguished_name.push(DnType::CommonName, "Lyceum throw-away authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

impl DevCa {
    /// Takes the authority that lies in `folder`, or makes a new one there.
    pub fn create(folder: &Path) -> Result<DevCa, TlsError> {
        fs::create_dir_all(folder).map_err(unwritable(folder))?;
        let (certificate_file, key_file) = (folder.join("ca.pem"), folder.join("ca.key"));
        if certificate_file.exists() && key_file.exists() {
            return DevCa::load(folder, &certificate_file, &key_file);
        }
        let key = KeyPair::generate().map_err(refused)?;
        let params = authority_params();
        let certificate = params.self_signed(&key).map_err(refused)?;
        write(&key_file, &key.serialize_pem(), true)?;
        write(&certificate_file, &certificate.pem(), false)?;
        Ok(DevCa { folder: folder.into(), certificate: certificate.der().clone(), issuer: Issuer::new(params, key) })
    }

    fn load(folder: &Path, certificate: &Path, key: &Path) -> Result<DevCa, TlsError> {
        let unreadable = |e: io::Error| TlsError::Unreadable { path: key.into(), why: e.to_string() };
        let signer = KeyPair::from_pem(&fs::read_to_string(key).map_err(unreadable)?).map_err(refused)?;
        let missing = || TlsError::Missing { path: certificate.into(), what: "certificate" };
        let certificate = super::load_authorities(certificate)?.into_iter().next().ok_or_else(missing)?;
        Ok(DevCa { folder: folder.into(), certificate, issuer: Issuer::new(authority_params(), signer) })
    }

    /// The authority's own certificate, for [`TlsSettings::authorities`](super::TlsSettings::authorities).
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Where clients find it in PEM form.
    pub fn file(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Makes a certificate for DNS names (or `sip:` URIs) and addresses, good for both ends of a connection, with files
    /// called `label`.pem and `label`.key.
    pub fn issue(&self, label: &str, names: &[&str], addresses: &[IpAddr]) -> Result<Issued, TlsError> {
        let key = KeyPair::generate().map_err(refused)?;
        let mut params = params_for(CERTIFICATE_DAYS);
        params.distinguished_name.push(DnType::CommonName, names.first().copied().unwrap_or(label));
        for name in names {
            let text = (*name).try_into().map_err(refused)?;
            let is_uri = name.starts_with("sip:");
            params.subject_alt_names.push(if is_uri { SanType::URI(text) } else { SanType::DnsName(text) });
        }
        params.subject_alt_names.extend(addresses.iter().map(|ip| SanType::IpAddress(*ip)));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer).map_err(refused)?;
        let (chain_file, key_file) =
            (self.folder.join(format!("{label}.pem")), self.folder.join(format!("{label}.key")));
        write(&key_file, &key.serialize_pem(), true)?;
        write(&chain_file, &certificate.pem(), false)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let certificate = Certificate::new(chain_file.display().to_string(), vec![certificate.der().clone()], key)?;
        Ok(Issued { certificate, chain_file, key_file })
    }
}
