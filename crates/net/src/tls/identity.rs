//! Who a certificate speaks for, and whether we believe it (RFC 5922).

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use webpki::{EndEntityCert, KeyUsage};

use super::{ClientCertificates, TlsError};
use crate::PeerIdentity;

/// The configured authorities.
pub(super) struct Trust {
    anchors: Vec<TrustAnchor<'static>>,
    hints: Vec<DistinguishedName>,
    provider: Arc<CryptoProvider>,
    pub(super) clients: ClientCertificates,
    ask: Arc<AtomicBool>,
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust").field("anchors", &self.anchors.len()).field("clients", &self.clients).finish()
    }
}

impl Trust {
    pub(super) fn new(
        authorities: &[CertificateDer<'static>],
        clients: ClientCertificates,
        ask: &Arc<AtomicBool>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Trust, TlsError> {
        let mut anchors = Vec::new();
        for authority in authorities {
            let anchor = webpki::anchor_from_trusted_cert(authority)
                .map_err(|e| TlsError::refused("reading a certificate authority", &e))?;
            anchors.push(anchor.to_owned());
        }
        let hints = anchors.iter().map(|a| DistinguishedName::in_sequence(a.subject.as_ref())).collect();
        Ok(Trust { anchors, hints, provider: provider.clone(), clients, ask: ask.clone() })
    }

    /// Checks a chain up to a configured authority.
    ///
    /// Between SIP servers each side is both client and server on one connection, and certificates are commonly made
    /// for servers only; so either purpose is accepted (as Lync does).
    fn verify<'a>(&self, chain: &'a [CertificateDer<'a>], time: UnixTime) -> Result<EndEntityCert<'a>, webpki::Error> {
        let (first, between) = chain.split_first().ok_or(webpki::Error::UnknownIssuer)?;
        let certificate = EndEntityCert::try_from(first)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        let check =
            |usage| certificate.verify_for_usage(algorithms, &self.anchors, between, time, usage, None, None).map(drop);
        match check(KeyUsage::server_auth()) {
            Err(webpki::Error::RequiredEkuNotFoundContext(_)) => check(KeyUsage::client_auth())?,
            other => other?,
        }
        Ok(certificate)
    }

    /// The names of a chain that an authority vouches for.
    pub(super) fn identify(&self, chain: &[CertificateDer<'_>]) -> Option<PeerIdentity> {
        let certificate = self.verify(chain, UnixTime::now()).ok()?;
        Some(PeerIdentity { names: names(&certificate) })
    }
}

/// RFC 5922 §7.1: `sip:` URIs without a user part, and DNS names, of subjectAltName.
fn names(certificate: &EndEntityCert<'_>) -> Vec<String> {
    let uris = certificate.valid_uri_names().filter_map(|uri| {
        let (scheme, host) = uri.split_once(':')?;
        let plain = scheme.eq_ignore_ascii_case("sip") && !host.contains('@') && !host.is_empty();
        let host = host.split([';', '?', ':']).next()?;
        plain.then(|| host.to_ascii_lowercase())
    });
    let mut names: Vec<String> = uris.chain(certificate.valid_dns_names().map(str::to_ascii_lowercase)).collect();
    names.sort();
    names.dedup();
    names
}

/// Lets every client finish the handshake that proves to hold its certificate's key; whether an authority vouches for
/// the certificate is asked afterwards ([`Trust::identify`]), also for resumed sessions.
#[derive(Debug)]
pub(super) struct AnyClient(pub(super) Arc<Trust>);

impl ClientCertVerifier for AnyClient {
    fn offer_client_auth(&self) -> bool {
        match self.0.clients {
            ClientCertificates::Ignore => false,
            ClientCertificates::Optional => self.0.ask.load(Relaxed),
            ClientCertificates::Required => true,
        }
    }

    fn client_auth_mandatory(&self) -> bool {
        self.0.clients == ClientCertificates::Required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.0.hints
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if self.client_auth_mandatory() {
            let chain: Vec<_> = std::iter::once(end_entity).chain(intermediates).cloned().collect();
            self.0.verify(&chain, now).map_err(refusal)?;
        }
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signed, &self.0.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signed, &self.0.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Believes a server that we connect to if an authority vouches for exactly the name we want; no wildcards
/// (RFC 5922 §7.2). Without a name the address must stand in the certificate.
#[derive(Debug)]
pub(super) struct SipServers(pub(super) Arc<Trust>);

impl ServerCertVerifier for SipServers {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain: Vec<_> = std::iter::once(end_entity).chain(intermediates).cloned().collect();
        let certificate = self.0.verify(&chain, now).map_err(refusal)?;
        let known = match server_name {
            ServerName::DnsName(name) => PeerIdentity { names: names(&certificate) }.is(name.as_ref()),
            address => certificate.verify_is_valid_for_subject_name(address).is_ok(),
        };
        if known { Ok(ServerCertVerified::assertion()) } else { Err(CertificateError::NotValidForName.into()) }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signed, &self.0.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signed, &self.0.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn refusal(error: webpki::Error) -> Error {
    match error {
        webpki::Error::CertExpired { .. } => CertificateError::Expired.into(),
        webpki::Error::CertNotValidYet { .. } => CertificateError::NotValidYet.into(),
        webpki::Error::UnknownIssuer => CertificateError::UnknownIssuer.into(),
        _ => CertificateError::BadEncoding.into(),
    }
}
