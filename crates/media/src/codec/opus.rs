//! Opus behind our own type (RFC 6716, RFC 7587): one channel, in-band error correction, 20 ms packets for speech.

use lyceum_sdp::OpusParameters;
use opus_pure::{Application, OpusDecoder, OpusEncoder};

use super::{CodecError, MAX_PACKET_MS};

/// The bit rate of speech that nobody limited, by rate of the samples: RFC 6716 §2.1.1 gives the sweet spots.
const BITRATES: [(u32, i32); 3] = [(8_000, 16_000), (16_000, 24_000), (48_000, 32_000)];

/// How hard the encoder tries, 0 to 10.
const COMPLEXITY: i32 = 5;

fn rate_of(rate: u32) -> Result<i32, CodecError> {
    i32::try_from(rate).map_err(|_| CodecError::Unknown)
}

/// Payload to samples.
pub struct Decoder {
    inner: OpusDecoder,
    rate: u32,
}

impl Decoder {
    /// A decoder that gives one channel at `rate` (8, 12, 16, 24 or 48 kHz).
    pub fn new(rate: u32) -> Result<Self, CodecError> {
        let inner = OpusDecoder::new(rate_of(rate)?, 1).map_err(|_| CodecError::Unknown)?;
        Ok(Self { inner, rate })
    }

    /// Samples a second.
    #[must_use]
    pub fn rate(&self) -> u32 {
        self.rate
    }

    fn longest(&self) -> usize {
        self.rate as usize / 1000 * MAX_PACKET_MS
    }

    /// Appends the samples of one packet.
    pub fn decode(&mut self, payload: &[u8], pcm: &mut Vec<i16>) -> Result<(), CodecError> {
        // An empty payload would mean "conceal".
        if payload.is_empty() {
            return Err(CodecError::Payload);
        }
        let (from, longest) = (pcm.len(), self.longest());
        pcm.resize(from + longest, 0);
        let decoded = self.inner.decode_s16(payload, longest, &mut pcm[from..]);
        pcm.truncate(from + decoded.as_ref().map_or(0, |count| *count));
        decoded.map(drop).map_err(|_| CodecError::Payload)
    }

    /// Appends `samples` in the place of a lost packet.
    pub fn conceal(&mut self, samples: usize, pcm: &mut Vec<i16>) {
        // Concealment goes by 2.5 ms.
        let step = (self.rate as usize / 400).max(1);
        let samples = (samples / step * step).min(self.longest());
        let from = pcm.len();
        pcm.resize(from + samples, 0);
        if samples > 0 && self.inner.decode_s16(&[], samples, &mut pcm[from..]).is_err() {
            pcm[from..].fill(0);
        }
    }
}

/// Samples to payload.
pub struct Encoder {
    inner: OpusEncoder,
    rate: u32,
}

impl Encoder {
    /// An encoder for one channel at `rate`, within what the peer wishes.
    pub fn new(rate: u32, wishes: &OpusParameters) -> Result<Self, CodecError> {
        let mut inner = OpusEncoder::new(rate_of(rate)?, 1, Application::Voip).map_err(|_| CodecError::Unknown)?;
        let usual = BITRATES.iter().find(|(known, _)| *known >= rate).map_or(32_000, |(_, bits)| *bits);
        let most = wishes.max_average_bitrate.and_then(|bits| i32::try_from(bits).ok()).unwrap_or(i32::MAX);
        inner.bitrate_bps = usual.min(most);
        inner.complexity = COMPLEXITY;
        inner.use_inband_fec = wishes.in_band_fec;
        Ok(Self { inner, rate })
    }

    /// Samples a second.
    #[must_use]
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Tells the encoder how many packets in a hundred get lost, which is what its error correction is measured by.
    pub fn expect_loss(&mut self, percent: u8) {
        self.inner.packet_loss_perc = i32::from(percent.min(100));
    }

    /// Writes the payload of one packet (2.5 to 60 ms of samples) and gives its length.
    pub fn encode(&mut self, pcm: &[i16], out: &mut [u8]) -> Result<usize, CodecError> {
        self.inner.encode_s16(pcm, pcm.len(), out).map_err(|_| CodecError::Failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes() -> OpusParameters {
        OpusParameters::parse("useinbandfec=1")
    }

    fn tone(rate: u32, count: usize) -> Vec<i16> {
        (0..count).map(|at| ((at as f32 * 440.0 * std::f32::consts::TAU / rate as f32).sin() * 9000.0) as i16).collect()
    }

    #[test]
    fn a_tone_survives_at_every_rate() {
        for rate in [8_000, 16_000, 48_000] {
            let (mut encoder, mut decoder) =
                (Encoder::new(rate, &wishes()).expect("made"), Decoder::new(rate).expect("made"));
            let pcm = tone(rate, rate as usize);
            let (mut heard, mut bytes) = (Vec::new(), 0);
            for frame in pcm.chunks_exact(rate as usize / 50) {
                let mut packet = [0; 1275];
                let length = encoder.encode(frame, &mut packet).expect("it encodes");
                bytes += length;
                decoder.decode(&packet[..length], &mut heard).expect("it decodes");
            }
            assert_eq!(heard.len(), pcm.len());
            assert!((1_000..8_000).contains(&bytes), "{bytes} bytes a second at {rate}");
            let power = |pcm: &[i16]| pcm.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>();
            let (before, after) = (power(&pcm[pcm.len() / 2..]), power(&heard[pcm.len() / 2..]));
            assert!((0.5..2.0).contains(&(after / before)), "{after} of {before} at {rate}");
        }
    }

    #[test]
    fn rubbish_is_refused_and_loss_concealed() {
        let mut decoder = Decoder::new(16_000).expect("made");
        let mut pcm = Vec::new();
        assert_eq!(decoder.decode(&[], &mut pcm), Err(CodecError::Payload));
        assert_eq!(decoder.decode(&[0xFF; 3], &mut pcm), Err(CodecError::Payload));
        assert!(pcm.is_empty());
        decoder.conceal(320, &mut pcm);
        assert_eq!(pcm.len(), 320);
        assert!(Decoder::new(44_100).is_err());
    }
}
