//! What a person chose to be seen as.

use super::{MAX_LABEL, MAX_NOTE};
use lyceum_sip::time::WallTime;
use lyceum_topology::PresencePolicy;

macro_rules! choices {
    ($($name:ident = $code:literal $word:literal, $doc:literal;)+) => {
        /// What a person chose to be seen as.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
        #[repr(u8)]
        pub enum UserChoice {
            #[default]
            $(#[doc = $doc] $name = $code,)+
        }

        impl UserChoice {
            /// All of them.
            pub const ALL: &[UserChoice] = &[$(UserChoice::$name,)+];

            /// The word used by the API.
            pub fn as_str(self) -> &'static str {
                match self { $(UserChoice::$name => $word,)+ }
            }
        }
    };
}

choices! {
    Automatic = 0 "automatic", "Nothing: devices, calls and the calendar decide.";
    Available = 1 "available", "Available, whatever calls and calendar say.";
    Busy = 2 "busy", "Busy.";
    DoNotDisturb = 3 "do-not-disturb", "Only the workgroup may interrupt.";
    BeRightBack = 4 "be-right-back", "Gone for a moment.";
    Away = 5 "away", "Away.";
    OffWork = 6 "off-work", "Has finished work.";
    AppearOffline = 7 "appear-offline", "Seen as offline, though signed in.";
}

impl UserChoice {
    /// Reads the word.
    pub fn parse(word: &str) -> Option<UserChoice> {
        UserChoice::ALL.iter().copied().find(|choice| choice.as_str() == word)
    }

    pub(crate) fn from_code(code: u8) -> Option<UserChoice> {
        UserChoice::ALL.get(usize::from(code)).copied()
    }
}

/// A choice with its circumstances.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// What was chosen.
    pub choice: UserChoice,
    /// A label of the person's or organisation's own, shown instead of the usual word: for Available, Busy and Do not
    /// disturb, as in Lync.
    pub label: Option<Box<str>>,
    /// When it was chosen.
    pub since: Option<WallTime>,
    /// When it ends; then it is [`UserChoice::Automatic`] again.
    pub until: Option<WallTime>,
}

impl Choice {
    /// What holds now.
    pub fn at(&self, now: WallTime) -> UserChoice {
        if self.until.is_some_and(|until| until <= now) { UserChoice::Automatic } else { self.choice }
    }
}

/// A text of at most so many bytes that can be shown.
pub(super) fn plain(what: &'static str, text: Option<&str>, limit: usize) -> Result<(), ChoiceRefusal> {
    let is_odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    match text {
        Some(text) if text.len() > limit => Err(ChoiceRefusal::TooLong { what, limit }),
        Some(text) if text.contains(is_odd) => Err(ChoiceRefusal::ControlCharacters { what }),
        _ => Ok(()),
    }
}

/// Why a choice is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChoiceRefusal {
    /// The presence policy lets nobody appear offline.
    AppearOfflineNotAllowed,
    /// The note or label holds what cannot be shown.
    ControlCharacters {
        /// Which one.
        what: &'static str,
    },
    /// The note, label or address is over its bound.
    TooLong {
        /// Which one.
        what: &'static str,
        /// Its bound.
        limit: usize,
    },
    /// A label for a state that takes none.
    LabelNotAllowed,
    /// The record would be over its bound: [`crate::MAX_FACET_VALUE`].
    TooLarge,
}

impl std::fmt::Display for ChoiceRefusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ChoiceRefusal::AppearOfflineNotAllowed => {
                write!(f, "the presence policy lets nobody appear offline; choose away or busy")
            }
            ChoiceRefusal::ControlCharacters { what } => {
                write!(f, "the {what} holds control characters; write it as plain text")
            }
            ChoiceRefusal::TooLong { what, limit } => write!(f, "the {what} is over {limit}; shorten it"),
            ChoiceRefusal::LabelNotAllowed => {
                write!(f, "a label goes with available, busy and do not disturb alone; leave it out")
            }
            ChoiceRefusal::TooLarge => write!(f, "the presence record is over its bound; shorten note or calendar"),
        }
    }
}

impl std::error::Error for ChoiceRefusal {}

/// What a person sets of their own presence; what is `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct ChoiceIntent<'a> {
    /// What to be seen as, its label, and when that ends.
    pub choice: Option<(UserChoice, Option<&'a str>, Option<WallTime>)>,
    /// The note; an empty one takes it back.
    pub note: Option<&'a str>,
    /// The out-of-office note and its end; an empty one takes it back.
    pub out_of_office: Option<(&'a str, Option<WallTime>)>,
    /// Whether an administrator sets it: that does not make the person active.
    pub by_administrator: bool,
}

/// Refuses what policy or bounds forbid.
pub(super) fn check(policy: &PresencePolicy, intent: &ChoiceIntent<'_>) -> Result<(), ChoiceRefusal> {
    if let Some((choice, label, _)) = intent.choice {
        if choice == UserChoice::AppearOffline && !policy.appear_offline {
            return Err(ChoiceRefusal::AppearOfflineNotAllowed);
        }
        let labelled = matches!(choice, UserChoice::Available | UserChoice::Busy | UserChoice::DoNotDisturb);
        if label.is_some_and(|label| !label.is_empty()) && !labelled {
            return Err(ChoiceRefusal::LabelNotAllowed);
        }
        bounded("label", label.map_or(0, |label| label.chars().count()), MAX_LABEL)?;
        plain("label", label, usize::MAX)?;
    }
    plain("note", intent.note, MAX_NOTE)?;
    plain("out-of-office note", intent.out_of_office.map(|(note, _)| note), MAX_NOTE)
}

pub(super) fn bounded(what: &'static str, len: usize, limit: usize) -> Result<(), ChoiceRefusal> {
    if len > limit { Err(ChoiceRefusal::TooLong { what, limit }) } else { Ok(()) }
}
