//! Text that is somebody's business: numbers, addresses dialled, messages.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Text that does not print itself by accident. It is stored and shown to whom it may be shown, by [`Private::reveal`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Private(Box<str>);

impl Private {
    /// Wraps the text.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text, for a purpose that may see it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<private>")
    }
}

impl From<&str> for Private {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Private {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}
