//! Content lines (RFC 5545 §3.1): folded lines put together, name, parameters and value apart.

use std::borrow::Cow;

/// Longest line, folds put together; the rest of a longer one is dropped.
const MAX_LINE: usize = 16 << 10;

/// One content line.
#[derive(Clone, Debug)]
pub(super) struct Line<'a> {
    name: Cow<'a, str>,
    parameters: String,
    /// What stands after the colon.
    pub value: String,
}

impl Line<'_> {
    /// True for a line of this name.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// A parameter's value without its quotes.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut rest = self.parameters.as_str();
        while let Some(after) = rest.strip_prefix(';') {
            let end = unquoted(after, b";").unwrap_or(after.len());
            let (parameter, next) = after.split_at(end);
            if let Some((key, value)) = parameter.split_once('=')
                && key.eq_ignore_ascii_case(name)
            {
                return Some(value.trim_matches('"'));
            }
            rest = next;
        }
        None
    }

    /// A text value with its escapes resolved, at most `most` bytes of it.
    pub fn text(&self, most: usize) -> String {
        let mut out = String::new();
        let mut characters = self.value.chars();
        while let Some(character) = characters.next() {
            let character = match character {
                '\\' => match characters.next() {
                    Some('n' | 'N') => ' ',
                    Some(other) => other,
                    None => break,
                },
                other if other.is_control() => ' ',
                other => other,
            };
            if out.len() + character.len_utf8() > most {
                break;
            }
            out.push(character);
        }
        out.trim().to_owned()
    }
}

/// Where the first of these bytes stands outside quotes.
fn unquoted(text: &str, any: &[u8]) -> Option<usize> {
    let mut quoted = false;
    text.bytes().position(|byte| {
        quoted ^= byte == b'"';
        !quoted && any.contains(&byte)
    })
}

/// The lines of a calendar; what has no colon is left out.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut raw = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).peekable();
    std::iter::from_fn(move || {
        loop {
            let first = raw.next()?;
            let mut whole = Cow::Borrowed(first);
            while let Some(more) = raw.next_if(|line| line.starts_with([' ', '\t'])) {
                if whole.len() + more.len() <= MAX_LINE {
                    whole.to_mut().push_str(&more[1..]);
                }
            }
            if let Some(line) = split(&whole) {
                return Some(line);
            }
        }
    })
}

fn split(whole: &str) -> Option<Line<'static>> {
    let colon = unquoted(whole, b":")?;
    let (head, value) = (&whole[..colon], &whole[colon + 1..]);
    let name_ends = head.find(';').unwrap_or(head.len());
    Some(Line {
        name: Cow::Owned(head[..name_ends].to_owned()),
        parameters: head[name_ends..].to_owned(),
        value: value.to_owned(),
    })
}
