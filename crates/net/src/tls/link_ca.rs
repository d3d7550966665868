//! The authority of the links between our own nodes: made anew from one secret whenever it is needed, so no file holds
//! its key and every start has the same.

use std::fmt;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PublicKeyData, SanType, SerialNumber, SignatureAlgorithm,
};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::{Certificate, ClientCertificates, Tls, TlsError, TlsSettings};

/// The name that a pool proves on its links.
pub const POOL_LINK: &str = "pool.link.internal";
/// An Ed25519 key in PKCS #8 begins so (RFC 8410 §7); its 32 bytes follow.
const ED25519: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
/// Links end by being taken away, not by time; a certificate that ends at night would cut an office off.
const FIRST_YEAR: i32 = 2020;
const LAST_YEAR: i32 = 2120;
/// Longest point of a P-256 key.
const POINT: usize = 65;

fn refused(error: rcgen::Error) -> TlsError {
    TlsError::refused("making a certificate for links", &error)
}

/// The authority of links.
pub struct LinkCa {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// What tells one authority from another: SHA-256 of its certificate.
pub fn fingerprint(certificate: &CertificateDer<'_>) -> [u8; 32] {
    let mut hash = [0; 32];
    let sha256 = default_provider().cipher_suites.iter().find_map(|suite| {
        let hash = suite.tls13()?.common.hash_provider;
        (hash.output_len() == 32).then_some(hash)
    });
    if let Some(sha256) = sha256 {
        hash.copy_from_slice(sha256.hash(certificate).as_ref());
    }
    hash
}

/// The key of a node that wants to be enrolled: made where it stays.
pub struct LinkKey(KeyPair);

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKey(<secret>)")
    }
}

impl LinkKey {
    /// A new key.
    pub fn generate() -> Result<LinkKey, TlsError> {
        KeyPair::generate().map(LinkKey).map_err(refused)
    }

    /// Reads what [`LinkKey::pem`] wrote.
    pub fn from_pem(pem: &str) -> Result<LinkKey, TlsError> {
        KeyPair::from_pem(pem).map(LinkKey).map_err(refused)
    }

    /// For the file, readable by us only.
    pub fn pem(&self) -> String {
        self.0.serialize_pem()
    }

    /// What is shown to the authority.
    pub fn public(&self) -> &[u8] {
        self.0.public_key_raw()
    }

    /// A secret that belongs to this node alone, for other keys to be derived from.
    pub fn secret(&self) -> Vec<u8> {
        self.0.serialize_der()
    }
}

/// What a node holds of its link: its certificate, with its key, and the authority.
pub struct LinkPapers {
    /// The node's own certificate.
    pub certificate: CertificateDer<'static>,
    /// The authority's.
    pub authority: CertificateDer<'static>,
}

impl LinkPapers {
    /// TLS by which both sides of a link prove themselves. Who has no certificate yet gets through the handshake, but is
    /// nobody: it may only ask to be enrolled. Fails when the certificate is not that of the key, or of another authority.
    pub fn tls(&self, key: &LinkKey) -> Result<Tls, TlsError> {
        let pkcs8 = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.0.serialize_der()));
        let chain = vec![self.certificate.clone(), self.authority.clone()];
        let tls = Tls::new(TlsSettings {
            certificates: vec![Certificate::new("the link".into(), chain, pkcs8)?],
            authorities: vec![self.authority.clone()],
            client_certificates: ClientCertificates::Optional,
        })?;
        match tls.identify(std::slice::from_ref(&self.certificate)) {
            Some(_) => Ok(tls),
            None => Err(TlsError::Refused {
                what: "checking the certificate of the link".into(),
                why: "the authority did not make it; enrol the node anew".into(),
            }),
        }
    }
}

/// The public half of a key of P-256, as a node shows it.
struct Shown<'a>(&'a [u8]);

impl PublicKeyData for Shown<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = rcgen::date_time_ymd(FIRST_YEAR, 1, 1);
    params.not_after = rcgen::date_time_ymd(LAST_YEAR, 1, 1);
    params.serial_number = Some(SerialNumber::from(1));
    params.distinguished_name.push(DnType::CommonName, "Lyceum links");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

impl LinkCa {
    /// The authority that belongs to this secret.
    pub fn new(secret: &[u8; 32]) -> Result<LinkCa, TlsError> {
        let mut pkcs8 = ED25519.to_vec();
        pkcs8.extend_from_slice(secret);
        let pkcs8 = PrivatePkcs8KeyDer::from(pkcs8);
        let key = KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8, &rcgen::PKCS_ED25519).map_err(refused)?;
        let params = authority_params();
        let certificate = params.self_signed(&key).map_err(refused)?;
        Ok(LinkCa { certificate: certificate.der().clone(), issuer: Issuer::new(params, key) })
    }

    /// Its own certificate.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// A certificate for the key that a node shows, under one name.
    pub fn sign(&self, public: &[u8], name: &str) -> Result<CertificateDer<'static>, TlsError> {
        if public.len() != POINT || public[0] != 4 {
            return Err(TlsError::Refused {
                what: "reading the key of a node".into(),
                why: "it is no point of P-256".into(),
            });
        }
        let mut params = CertificateParams::default();
        params.not_before = rcgen::date_time_ymd(FIRST_YEAR, 1, 1);
        params.not_after = rcgen::date_time_ymd(LAST_YEAR, 1, 1);
        params.distinguished_name.push(DnType::CommonName, name);
        params.subject_alt_names.push(SanType::DnsName(name.try_into().map_err(refused)?));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&Shown(public), &self.issuer).map_err(refused)?;
        Ok(certificate.der().clone())
    }

    /// TLS for a node that has no papers yet and knows the authority by its fingerprint.
    pub fn stranger_tls(authority: &CertificateDer<'static>) -> Result<Tls, TlsError> {
        Tls::new(TlsSettings { authorities: vec![authority.clone()], ..TlsSettings::default() })
    }

    /// TLS for the pool's side of links, with a key that lives as long as this process.
    pub fn pool_tls(&self) -> Result<Tls, TlsError> {
        let key = LinkKey::generate()?;
        let certificate = self.sign(key.public(), POOL_LINK)?;
        LinkPapers { certificate, authority: self.certificate.clone() }.tls(&key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_secret_is_one_authority_and_signs_for_its_own_nodes_only() {
        let (ca, again, other) =
            (LinkCa::new(&[7; 32]).unwrap(), LinkCa::new(&[7; 32]).unwrap(), LinkCa::new(&[8; 32]).unwrap());
        assert_eq!(fingerprint(ca.certificate()), fingerprint(again.certificate()));
        assert_ne!(fingerprint(ca.certificate()), fingerprint(other.certificate()));
        let key = LinkKey::generate().unwrap();
        let certificate = ca.sign(key.public(), "1-00ff.edge.link.internal").unwrap();
        let papers = |authority: &LinkCa| LinkPapers {
            certificate: certificate.clone(),
            authority: authority.certificate().clone(),
        };
        let tls = papers(&again).tls(&key).unwrap();
        let names = tls.identify(std::slice::from_ref(&certificate)).unwrap().names;
        assert_eq!(names, ["1-00ff.edge.link.internal"]);
        assert!(papers(&other).tls(&key).is_err(), "of another authority");
        assert!(papers(&ca).tls(&LinkKey::generate().unwrap()).is_err(), "with another key");
        assert!(ca.sign(b"no key", "x.internal").is_err());
    }
}
