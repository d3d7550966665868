//! Codecs of sound: payload to samples and back, and what is put in the place of lost packets.

pub mod comfort_noise;
pub mod conceal;
pub mod g711;
pub mod g722;
pub mod opus;
pub mod resample;

use std::fmt;

use lyceum_sdp::{Codec, Encoding, OpusParameters};

use conceal::Concealer;

/// The most sound that one packet may hold; longer ones are cut.
pub const MAX_PACKET_MS: usize = 120;

/// Why sound was not coded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodecError {
    /// We have no such codec.
    Unknown,
    /// The payload is none of this codec's.
    Payload,
    /// The codec itself gave up.
    Failed,
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "there is no such codec here",
            Self::Payload => "the payload is not of its codec",
            Self::Failed => "the codec failed",
        })
    }
}

impl std::error::Error for CodecError {}

/// The rates at which a codec likes to be fed, in hertz; `None` for codecs that we do not have.
#[must_use]
pub fn natural_rate(codec: &Codec) -> Option<u32> {
    match codec.encoding {
        Encoding::Pcmu | Encoding::Pcma => Some(8_000),
        Encoding::G722 => Some(16_000),
        Encoding::Opus => Some(48_000),
        _ => None,
    }
}

/// Payload to samples.
pub enum Decoder {
    /// G.711 by its table, with concealment.
    G711(g711::Law, Box<Concealer>),
    /// G.722.
    G722(Box<g722::Decoder>, Box<Concealer>),
    /// Opus, which conceals by itself.
    Opus(Box<opus::Decoder>),
}

impl Decoder {
    /// A decoder for `codec`; Opus gives samples at `rate`, the others at their own.
    pub fn new(codec: &Codec, rate: u32) -> Result<Self, CodecError> {
        match codec.encoding {
            Encoding::Pcmu => Ok(Self::G711(g711::Law::Mu, Box::new(Concealer::new(8_000)))),
            Encoding::Pcma => Ok(Self::G711(g711::Law::A, Box::new(Concealer::new(8_000)))),
            Encoding::G722 => Ok(Self::G722(Box::default(), Box::new(Concealer::new(16_000)))),
            Encoding::Opus => Ok(Self::Opus(Box::new(opus::Decoder::new(rate)?))),
            _ => Err(CodecError::Unknown),
        }
    }

    /// Samples a second of what it gives.
    #[must_use]
    pub fn rate(&self) -> u32 {
        match self {
            Self::G711(..) => 8_000,
            Self::G722(..) => 16_000,
            Self::Opus(decoder) => decoder.rate(),
        }
    }

    /// Appends the samples of one packet.
    pub fn decode(&mut self, payload: &[u8], pcm: &mut Vec<i16>) -> Result<(), CodecError> {
        let from = pcm.len();
        match self {
            Self::G711(law, concealer) => {
                pcm.extend(payload.iter().take(8 * MAX_PACKET_MS).map(|byte| law.decode(*byte)));
                concealer.good(&mut pcm[from..]);
            }
            Self::G722(decoder, concealer) => {
                decoder.decode(&payload[..payload.len().min(8 * MAX_PACKET_MS)], pcm);
                concealer.good(&mut pcm[from..]);
            }
            Self::Opus(decoder) => decoder.decode(payload, pcm)?,
        }
        Ok(())
    }

    /// Appends `samples` in the place of a packet that is lost.
    pub fn conceal(&mut self, samples: usize, pcm: &mut Vec<i16>) {
        let samples = samples.min(self.rate() as usize / 1000 * MAX_PACKET_MS);
        match self {
            Self::G711(_, concealer) | Self::G722(_, concealer) => concealer.lost(samples, pcm),
            Self::Opus(decoder) => decoder.conceal(samples, pcm),
        }
    }
}

/// Samples to payload.
pub enum Encoder {
    /// G.711.
    G711(g711::Law),
    /// G.722.
    G722(Box<g722::Encoder>),
    /// Opus.
    Opus(Box<opus::Encoder>),
}

impl Encoder {
    /// An encoder for `codec`; Opus takes samples at `rate`, the others at their own.
    pub fn new(codec: &Codec, rate: u32) -> Result<Self, CodecError> {
        match codec.encoding {
            Encoding::Pcmu => Ok(Self::G711(g711::Law::Mu)),
            Encoding::Pcma => Ok(Self::G711(g711::Law::A)),
            Encoding::G722 => Ok(Self::G722(Box::default())),
            Encoding::Opus => Ok(Self::Opus(Box::new(opus::Encoder::new(rate, &OpusParameters::parse(&codec.fmtp))?))),
            _ => Err(CodecError::Unknown),
        }
    }

    /// Samples a second of what it takes.
    #[must_use]
    pub fn rate(&self) -> u32 {
        match self {
            Self::G711(..) => 8_000,
            Self::G722(..) => 16_000,
            Self::Opus(encoder) => encoder.rate(),
        }
    }

    /// Writes the payload of `pcm` and gives its length.
    pub fn encode(&mut self, pcm: &[i16], out: &mut [u8]) -> Result<usize, CodecError> {
        match self {
            Self::G711(law) => {
                let out = out.get_mut(..pcm.len()).ok_or(CodecError::Failed)?;
                out.iter_mut().zip(pcm).for_each(|(byte, sample)| *byte = law.encode(*sample));
                Ok(pcm.len())
            }
            Self::G722(encoder) => encoder.encode(pcm, out).ok_or(CodecError::Failed),
            Self::Opus(encoder) => encoder.encode(pcm, out),
        }
    }
}
