//! Idle TLS connections: opened, used for one OPTIONS, then held.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};

/// Takes any certificate: the server under test makes its own, and what is weighed is memory.
#[derive(Debug)]
struct AnyCertificate(CryptoProvider);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Connections that are held open until this is dropped.
pub struct Connections {
    config: Arc<ClientConfig>,
    addr: SocketAddr,
    domain: String,
    open: Vec<StreamOwned<ClientConnection, TcpStream>>,
}

impl Connections {
    /// To a TLS port on loopback.
    ///
    /// # Errors
    /// When it is not on loopback.
    pub fn new(addr: SocketAddr, domain: &str) -> Result<Connections, String> {
        if !addr.ip().is_loopback() {
            return Err(format!("{addr} is not on loopback: load is sent to this machine only"));
        }
        let provider = aws_lc_rs::default_provider();
        let builder = ClientConfig::builder_with_provider(Arc::new(provider.clone()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let config = builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth();
        Ok(Connections { config: Arc::new(config), addr, domain: domain.to_owned(), open: Vec::new() })
    }

    /// Opens so many more, each with an OPTIONS answered 200.
    ///
    /// # Errors
    /// What the first that failed said.
    pub fn open(&mut self, count: usize) -> Result<(), String> {
        for _ in 0..count {
            let number = self.open.len();
            let stream =
                self.one(number).map_err(|error| format!("TLS connection {number} to {}: {error}", self.addr))?;
            self.open.push(stream);
        }
        Ok(())
    }

    fn one(&self, number: usize) -> Result<StreamOwned<ClientConnection, TcpStream>, String> {
        let text = |error: std::io::Error| error.to_string();
        let tcp = TcpStream::connect(self.addr).map_err(text)?;
        tcp.set_read_timeout(Some(Duration::from_secs(5))).map_err(text)?;
        let local = tcp.local_addr().map_err(text)?;
        let name = ServerName::try_from(self.domain.clone()).map_err(|error| error.to_string())?;
        let client = ClientConnection::new(Arc::clone(&self.config), name).map_err(|error| error.to_string())?;
        let mut stream = StreamOwned::new(client, tcp);
        let domain = &self.domain;
        let request = format!(
            "OPTIONS sip:{domain} SIP/2.0\r\nVia: SIP/2.0/TLS {local};branch=z9hG4bKidle{number}x{port};rport\r\n\
             Max-Forwards: 70\r\nFrom: <sip:idle@{domain}>;tag={number}\r\nTo: <sip:{domain}>\r\n\
             Call-ID: idle{number}x{port}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
            port = local.port()
        );
        stream.write_all(request.as_bytes()).map_err(text)?;
        let mut answer = [0; 2048];
        let length = stream.read(&mut answer).map_err(text)?;
        if !answer[..length].starts_with(b"SIP/2.0 200") {
            let line = String::from_utf8_lossy(&answer[..length]);
            return Err(format!("OPTIONS was answered {:?}", line.lines().next().unwrap_or_default()));
        }
        Ok(stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_machines_are_left_alone() {
        assert!(Connections::new(([192, 0, 2, 1], 5061).into(), "x").is_err());
        assert!(Connections::new(([127, 0, 0, 1], 5061).into(), "x").is_ok());
    }
}
