//! One TLS connection without buffers of its own: the caller lends them, so an idle connection holds none.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::CertificateDer;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};

/// Either side of a connection.
pub enum Session {
    /// We were called.
    Server(Box<UnbufferedServerConnection>),
    /// We called.
    Client(Box<UnbufferedClientConnection>),
}

/// What one look at received bytes led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pumped {
    /// Bytes at the front that are done with; the rest must be shown again with what follows.
    pub used: usize,
    /// The peer said that it sends no more.
    pub peer_closed: bool,
}

/// Most that TLS adds to one fragment: header, explicit nonce, tag, content type.
const OVERHEAD: usize = 5 + 8 + 16 + 1 + 10;
/// Longest plaintext of one record.
const FRAGMENT: usize = 16_384;

macro_rules! either {
    ($session:expr, $connection:ident => $body:expr) => {
        match $session {
            Session::Server($connection) => $body,
            Session::Client($connection) => $body,
        }
    };
}

/// The two kinds of connection share their states but no trait: hence macros.
macro_rules! pump {
    ($connection:expr, $incoming:expr, $used:expr, $plain:expr, $out:expr) => {{
        let mut peer_closed = false;
        let mut failure = None;
        loop {
            let UnbufferedStatus { mut discard, state, .. } = $connection.process_tls_records(&mut $incoming[$used..]);
            let mut more = true;
            match state {
                // Once more, for the alert that is to be sent.
                Err(error) if failure.is_none() => failure = Some(error),
                Ok(ConnectionState::EncodeTlsData(mut data)) => append($out, 1024, |room| match data.encode(room) {
                    Ok(written) => Ok(written),
                    Err(EncodeError::InsufficientSize(e)) => Err(e.required_size),
                    Err(EncodeError::AlreadyEncoded) => Ok(0),
                }),
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::ReadTraffic(mut traffic)) if failure.is_none() => {
                    while let Some(Ok(record)) = traffic.next_record() {
                        discard += record.discard;
                        $plain.extend_from_slice(record.payload);
                    }
                }
                Ok(ConnectionState::PeerClosed) => peer_closed = true,
                _ => more = false,
            }
            $used += discard;
            if !more {
                break match failure {
                    None => Ok(peer_closed),
                    Some(error) => Err(error),
                };
            }
        }
    }};
}

macro_rules! write_traffic {
    ($connection:expr, $rest:expr, $out:expr, $length:expr, |$writer:ident, $room:ident| $write:expr) => {{
        // The session may first want to send something of its own (a key update).
        loop {
            let status = $connection.process_tls_records($rest);
            match status.state {
                Ok(ConnectionState::EncodeTlsData(mut data)) => append($out, 1024, |room| match data.encode(room) {
                    Ok(written) => Ok(written),
                    Err(EncodeError::InsufficientSize(e)) => Err(e.required_size),
                    Err(EncodeError::AlreadyEncoded) => Ok(0),
                }),
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::WriteTraffic(mut $writer)) => {
                    let fragments = $length / FRAGMENT + 1;
                    let mut sent = true;
                    append($out, $length + fragments * OVERHEAD, |$room| match $write {
                        Ok(written) => Ok(written),
                        Err(EncryptError::InsufficientSize(e)) => Err(e.required_size),
                        Err(EncryptError::EncryptExhausted) => {
                            sent = false;
                            Ok(0)
                        }
                    });
                    break sent;
                }
                _ => break false,
            }
        }
    }};
}

impl Session {
    /// Whether the peers are still agreeing.
    pub fn is_handshaking(&self) -> bool {
        either!(self, c => c.is_handshaking())
    }

    /// The certificates that the peer showed, not yet checked against anything.
    pub(crate) fn peer_chain(&self) -> Option<&[CertificateDer<'static>]> {
        either!(self, c => c.peer_certificates())
    }

    /// Processes `incoming`: decrypted bytes are appended to `plain`, what must be sent to `out`. After an error `out`
    /// holds the alert to be sent before closing.
    pub fn pump(
        &mut self,
        incoming: &mut [u8],
        plain: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<Pumped, rustls::Error> {
        let mut used = 0;
        // The library keeps places in a buffer that it does not own. Should it ever find them wrong it panics; that
        // must end one connection, not the worker.
        let pump = AssertUnwindSafe(|| either!(self, c => pump!(c, incoming, used, plain, out)));
        let result = catch_unwind(pump)
            .unwrap_or_else(|_| Err(rustls::Error::General("the TLS library has lost its place".into())));
        result.map(|peer_closed| Pumped { used, peer_closed })
    }

    /// Encrypts `plain` to the end of `out`. `rest` is what [`pump`](Session::pump) left over. False when the session
    /// cannot send (any more).
    pub fn encrypt(&mut self, rest: &mut [u8], plain: &[u8], out: &mut Vec<u8>) -> bool {
        either!(self, c => write_traffic!(c, rest, out, plain.len(), |writer, room| writer.encrypt(plain, room)))
    }

    /// Says that we send no more.
    pub fn close_notify(&mut self, rest: &mut [u8], out: &mut Vec<u8>) -> bool {
        either!(self, c => write_traffic!(c, rest, out, 2, |writer, room| writer.queue_close_notify(room)))
    }
}

/// Appends what `write` puts into the room it is given; it is asked again with as much as it says it needs.
fn append(out: &mut Vec<u8>, guess: usize, mut write: impl FnMut(&mut [u8]) -> Result<usize, usize>) {
    let start = out.len();
    let mut room = guess;
    loop {
        out.resize(start + room, 0);
        match write(&mut out[start..]) {
            Ok(written) => return out.truncate(start + written),
            Err(needed) => room = needed,
        }
    }
}
