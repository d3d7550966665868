//! The media leg of a test endpoint: RTP with a tone out, and what came in.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use super::endpoint::ProbeError;
use super::tone::{FRAME, Tone, purity};

const RTP_HEADER: usize = 12;
const FRAME_TIME: Duration = Duration::from_millis(20);
/// Frames at the beginning that are not judged: the other side may begin a little later.
const SETTLE_FRAMES: usize = 5;

/// What one endpoint heard.
#[derive(Clone, Copy, Debug)]
pub struct Heard {
    /// RTP packets that came.
    pub packets: usize,
    /// Share of the expected tone in the sound, 0 to 1.
    pub purity: f64,
}

/// One RTP port.
pub struct SoundLeg {
    socket: UdpSocket,
}

impl SoundLeg {
    /// Opens a free port on this address.
    pub fn open(ip: IpAddr) -> Result<Self, ProbeError> {
        Ok(SoundLeg { socket: UdpSocket::bind((ip, 0))? })
    }

    /// Its number, for the SDP.
    pub fn port(&self) -> u16 {
        self.socket.local_addr().map_or(0, |addr| addr.port())
    }

    /// Sends a tone for `length` and listens for the other one.
    pub fn talk(&self, to: SocketAddr, own: f64, others: f64, length: Duration) -> Result<Heard, ProbeError> {
        let mut tone = Tone::new(own);
        let mut heard = Vec::new();
        let mut packets = 0;
        let begun = Instant::now();
        let mut sequence = 0_u16;
        // The other end may hear us a little after we hear it: both send a few frames more than they judge.
        while begun.elapsed() < length {
            let mut packet = Vec::with_capacity(RTP_HEADER + FRAME);
            packet.extend_from_slice(&[0x80, 0]);
            packet.extend_from_slice(&sequence.to_be_bytes());
            packet.extend_from_slice(&(u32::from(sequence) * FRAME as u32).to_be_bytes());
            packet.extend_from_slice(&0x4c59_4345_u32.to_be_bytes());
            packet.extend_from_slice(&tone.frame());
            self.socket.send_to(&packet, to)?;
            sequence += 1;
            let next = begun + FRAME_TIME * u32::from(sequence);
            packets += self.listen_until(next, &mut heard)?;
        }
        packets += self.listen_until(Instant::now() + FRAME_TIME * 3, &mut heard)?;
        let judged = heard.get(SETTLE_FRAMES * FRAME..).unwrap_or_default();
        Ok(Heard { packets, purity: purity(judged, others) })
    }

    fn listen_until(&self, end: Instant, heard: &mut Vec<u8>) -> Result<usize, ProbeError> {
        let mut packets = 0;
        let mut buffer = [0; 1500];
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(packets);
            }
            self.socket.set_read_timeout(Some(left))?;
            match self.socket.recv(&mut buffer) {
                Ok(length) if length > RTP_HEADER => {
                    packets += 1;
                    heard.extend_from_slice(&buffer[RTP_HEADER..length]);
                }
                Ok(_) => {}
                Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
                    return Ok(packets);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}
