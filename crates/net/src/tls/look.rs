//! Looking at the certificate that a server shows, without believing it: for those who judge a deployment.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, ClientConnection};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};

use super::CertificateFacts;

/// Rounds of reading and writing until the certificate must have come; a handshake takes three.
const MAX_ROUNDS: usize = 64;

/// Why no certificate was seen.
#[derive(Debug)]
pub enum NotShown {
    /// Nobody answers at the port.
    Unreachable(io::Error),
    /// Somebody answers, but not with TLS and a certificate; why.
    NoTls(String),
}

impl fmt::Display for NotShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotShown::Unreachable(why) => write!(f, "nobody answers: {why}"),
            NotShown::NoTls(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for NotShown {}

/// What the certificate says that is shown at `address` to somebody who asks for `name`. Waits, at most `patience`; nothing
/// is sent but the handshake, and the certificate is not checked against any authority.
pub fn shown_certificate(address: SocketAddr, name: &str, patience: Duration) -> Result<CertificateFacts, NotShown> {
    let chain = shown_chain(address, name, patience)?;
    CertificateFacts::read(&address.to_string(), &chain).map_err(|e| NotShown::NoTls(e.to_string()))
}

/// The chain that is shown there, the server's own certificate first: as [`shown_certificate`].
pub fn shown_chain(
    address: SocketAddr,
    name: &str,
    patience: Duration,
) -> Result<Vec<CertificateDer<'static>>, NotShown> {
    let end = Instant::now() + patience;
    let mut stream = TcpStream::connect_timeout(&address, patience).map_err(NotShown::Unreachable)?;
    let no_tls = |why: &dyn fmt::Display| NotShown::NoTls(why.to_string());
    let wanted = ServerName::try_from(name.to_owned()).map_err(|e| no_tls(&e))?;
    let mut client = ClientConnection::new(config().map_err(|e| no_tls(&e))?, wanted).map_err(|e| no_tls(&e))?;
    for _ in 0..MAX_ROUNDS {
        while client.wants_write() {
            let mut bytes = Vec::new();
            client.write_tls(&mut bytes).map_err(|e| no_tls(&e))?;
            stream.write_all(&bytes).map_err(|e| no_tls(&e))?;
        }
        if let Some(chain) = client.peer_certificates() {
            return Ok(chain.iter().map(|one| one.clone().into_owned()).collect());
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        stream.set_read_timeout(Some(left)).map_err(|e| no_tls(&e))?;
        let mut bytes = [0; 16 << 10];
        let length = match stream.read(&mut bytes) {
            Ok(0) => return Err(no_tls(&"it hung up in the middle of the handshake")),
            Ok(length) => length,
            Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => break,
            Err(e) => return Err(no_tls(&e)),
        };
        let mut rest = &bytes[..length];
        while !rest.is_empty() {
            client.read_tls(&mut rest).map_err(|e| no_tls(&e))?;
            client.process_new_packets().map_err(|e| no_tls(&e))?;
        }
    }
    Err(no_tls(&format!("no certificate within {} s", patience.as_secs_f64())))
}

fn config() -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::new(default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Onlooker(provider)));
    Ok(Arc::new(builder.with_no_client_auth()))
}

/// Believes nobody and refuses nobody; only the server's proof that the certificate is its own is checked.
#[derive(Debug)]
struct Onlooker(Arc<CryptoProvider>);

impl ServerCertVerifier for Onlooker {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn look_at(answer: impl FnOnce(TcpStream) + Send + 'static) -> Result<CertificateFacts, NotShown> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || answer(listener.accept().unwrap().0));
        let found = shown_certificate(address, "sip.example.org", Duration::from_secs(20));
        server.join().unwrap();
        found
    }

    #[test]
    fn a_certificate_that_nobody_vouches_for_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let authority = super::super::DevCa::create(folder.path()).unwrap();
        let issued = authority.issue("server", &["sip.example.org", "meet.example.org"], &[]).unwrap();
        let settings = super::super::TlsSettings { certificates: vec![issued.certificate], ..Default::default() };
        let config = super::super::Tls::new(settings).unwrap().server().unwrap();
        let found = look_at(move |mut stream| {
            let mut server = rustls::ServerConnection::new(config).unwrap();
            // The onlooker goes away as soon as it has seen enough.
            server.complete_io(&mut stream).ok();
        });
        assert_eq!(found.unwrap().names, ["meet.example.org", "sip.example.org"]);
    }

    #[test]
    fn who_speaks_no_tls_shows_none() {
        let found = look_at(|mut stream| stream.write_all(b"220 mail.example.org ESMTP\r\n").unwrap());
        assert!(matches!(found, Err(NotShown::NoTls(_))), "{found:?}");
        let found = look_at(drop);
        assert!(matches!(found, Err(NotShown::NoTls(_))), "{found:?}");
    }

    #[test]
    fn where_nobody_listens_it_says_so() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let found = shown_certificate(address, "sip.example.org", Duration::from_secs(20));
        assert!(matches!(found, Err(NotShown::Unreachable(_))), "{found:?}");
    }
}
