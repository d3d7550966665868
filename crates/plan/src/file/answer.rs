//! An answer of the plan file, and what is wrong with one.

use std::fmt;
use std::ops::Deref;

use serde::Serialize;

/// Where an answer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The file says so, on this line.
    Given(usize),
    /// The file is silent: what Lync assumes, after this source.
    Assumed(&'static str),
}

impl Origin {
    /// Whether the file gave it.
    pub fn is_given(self) -> bool {
        matches!(self, Origin::Given(_))
    }
}

/// A value and where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer<T> {
    /// What the calculators use.
    pub value: T,
    /// Whether the file gave it.
    pub origin: Origin,
}

impl<T> Deref for Answer<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> Answer<T> {
    /// Whether the file is silent about it.
    pub fn is_assumed(&self) -> bool {
        matches!(self.origin, Origin::Assumed(_))
    }

    /// The line that gave it.
    pub fn line(&self) -> Option<usize> {
        match self.origin {
            Origin::Given(line) => Some(line),
            Origin::Assumed(_) => None,
        }
    }

    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        Answer { value: change(self.value), origin: self.origin }
    }
}

/// One question with its answer as text: what the list of assumptions shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answered {
    /// Where it stands: `voice.bypass`, `site "London".users`.
    pub field: String,
    /// The value, as the file would write it.
    pub value: String,
    /// Whether the file gave it.
    pub origin: Origin,
}

/// One thing that is wrong with a plan file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// The field: `voice.bypass`, `site "London".users`; empty where the text is no TOML.
    pub field: String,
    /// What stands there.
    pub found: String,
    /// What should stand there.
    pub expected: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        write!(f, "found {}; expected {}", self.found, self.expected)
    }
}

/// Everything that is wrong with a plan file, in the order of its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.0 {
            writeln!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
