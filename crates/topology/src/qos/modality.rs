//! The kinds of traffic that are told apart.

use super::Dscp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A kind of traffic with ports and a mark of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Modality {
    /// Speech.
    Audio,
    /// Cameras.
    Video,
    /// Shared screens and programs.
    Sharing,
    /// Files from person to person.
    Files,
    /// SIP.
    Signalling,
}

impl Modality {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 5] = [Self::Audio, Self::Video, Self::Sharing, Self::Files, Self::Signalling];

    /// The name in the document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Sharing => "sharing",
            Self::Files => "files",
            Self::Signalling => "signalling",
        }
    }

    /// The mark that Lync's documentation advised; for signalling it names none, and CS3 is what vendors use.
    pub const fn advised_mark(self) -> Dscp {
        Dscp::known(match self {
            Self::Audio => 46,
            Self::Video => 34,
            Self::Sharing | Self::Signalling => 24,
            Self::Files => 14,
        })
    }
}

/// A value for some of the modalities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, bound(serialize = "T: Serialize", deserialize = "T: Deserialize<'de>"))]
pub struct ByModality<T> {
    /// For audio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<T>,
    /// For video.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video: Option<T>,
    /// For sharing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sharing: Option<T>,
    /// For files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<T>,
    /// For signalling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signalling: Option<T>,
}

impl<T> Default for ByModality<T> {
    fn default() -> Self {
        Self { audio: None, video: None, sharing: None, files: None, signalling: None }
    }
}

impl<T: Copy> ByModality<T> {
    /// The value of a modality, if it has one.
    pub fn of(&self, modality: Modality) -> Option<T> {
        match modality {
            Modality::Audio => self.audio,
            Modality::Video => self.video,
            Modality::Sharing => self.sharing,
            Modality::Files => self.files,
            Modality::Signalling => self.signalling,
        }
    }

    /// True when no modality has a value.
    pub fn is_empty(&self) -> bool {
        Modality::ALL.into_iter().all(|modality| self.of(modality).is_none())
    }
}

impl fmt::Display for Modality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
