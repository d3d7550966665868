//! The handshake (RFC 5763, RFC 5764): who the peer is, and the keys of SRTP.

use dimpl::{Dtls, KeyingMaterial, Output, SrtpProfile};
use lyceum_sdp::{Fingerprint, KeySalt, Suite};

use super::identity::{Certificate, is_announced};
use super::moment::{Epoch, Moment};
use crate::bridge::DtlsKeys;
use crate::time::Time;

/// Longest record that is made; the library stays below 1,150 bytes.
const RECORD_MAX: usize = 2048;
/// Outputs that are taken in one go.
const MAX_OUTPUTS: usize = 256;

/// What a step of the handshake came to.
pub(super) enum Progress {
    /// Something is to be sent.
    Send(Vec<u8>),
    /// The peer is who it said, and these are the keys.
    Keys(DtlsKeys),
    /// The peer closed the association.
    Closed,
    /// It will not come to keys.
    Failed(String),
}

/// One association.
pub(super) struct Association {
    dtls: Dtls,
    epoch: Epoch,
    announced: Fingerprint,
    we_begin: bool,
    is_proved: bool,
    due: Option<Moment>,
}

impl Association {
    pub fn new(certificate: &Certificate, announced: Fingerprint, we_begin: bool, epoch: Epoch, now: Time) -> Self {
        // DTLS 1.2: what every browser speaks, and what str0m itself takes unless told otherwise.
        let mut dtls = Dtls::new_12(certificate.config.clone(), certificate.pair.clone(), epoch.at(now));
        dtls.set_active(we_begin);
        Self { dtls, epoch, announced, we_begin, is_proved: false, due: None }
    }

    pub fn packet(&mut self, now: Time, bytes: &[u8], out: &mut Vec<Progress>) {
        let moment = self.epoch.at(now);
        let taken = self.dtls.handle_timeout(moment).and_then(|()| self.dtls.handle_packet(bytes));
        self.finish(taken, out);
    }

    pub fn step(&mut self, now: Time, out: &mut Vec<Progress>) {
        let moved = self.dtls.handle_timeout(self.epoch.at(now));
        self.finish(moved, out);
    }

    pub fn next_timeout(&self) -> Option<Time> {
        self.due.map(|due| self.epoch.time(due))
    }

    /// Says that nothing more will come.
    pub fn close(&mut self, out: &mut Vec<Progress>) {
        let closed = self.dtls.close();
        self.finish(closed, out);
    }

    fn finish(&mut self, taken: Result<(), dimpl::Error>, out: &mut Vec<Progress>) {
        let mut buffer = [0; RECORD_MAX];
        for _ in 0..MAX_OUTPUTS {
            let progress = match self.dtls.poll_output(&mut buffer) {
                Output::Packet(bytes) => Progress::Send(bytes.to_vec()),
                Output::Timeout(due) => {
                    self.due = Some(due);
                    break;
                }
                Output::PeerCert(certificate) if is_announced(&self.announced, certificate) => {
                    self.is_proved = true;
                    continue;
                }
                Output::PeerCert(_) => {
                    let what = "the certificate is not the one whose fingerprint the description has";
                    return out.push(Progress::Failed(what.into()));
                }
                Output::KeyingMaterial(material, profile) => match self.keys(&material, profile) {
                    Some(keys) => Progress::Keys(keys),
                    None => return out.push(Progress::Failed("the handshake proved nobody, or gave no keys".into())),
                },
                Output::CloseNotify => Progress::Closed,
                Output::BufferTooSmall { .. } => {
                    return out.push(Progress::Failed("a record is longer than any network takes".into()));
                }
                _ => continue,
            };
            out.push(progress);
        }
        if let Err(error) = taken {
            out.push(Progress::Failed(error.to_string()));
        }
    }

    /// Client's key, server's key, client's salt, server's salt (RFC 5764 §4.2).
    fn keys(&self, material: &KeyingMaterial, profile: SrtpProfile) -> Option<DtlsKeys> {
        let suite = match profile {
            SrtpProfile::AES128_CM_SHA1_80 => Suite::AesCm128HmacSha1_80,
            SrtpProfile::AEAD_AES_128_GCM => Suite::AeadAes128Gcm,
            SrtpProfile::AEAD_AES_256_GCM => Suite::AeadAes256Gcm,
            _ => return None,
        };
        let (key, salt) = (suite.key_len(), suite.salt_len());
        if !self.is_proved || material.len() != 2 * (key + salt) {
            return None;
        }
        let (keys, salts) = material.split_at(2 * key);
        let of = |at: usize| KeySalt::new(suite, &[&keys[at * key..][..key], &salts[at * salt..][..salt]].concat());
        let (client, server) = (of(0)?, of(1)?);
        let (send, receive) = if self.we_begin { (client, server) } else { (server, client) };
        Some(DtlsKeys { suite, send, receive })
    }
}
