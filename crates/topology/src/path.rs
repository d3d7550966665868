//! Paths to a field of the document: `policies.registrar.sites.Berlin.max_endpoints`.
//!
//! A segment that is not a plain word is quoted: `pools."pool1.contoso.com"`. Lists of named things
//! are addressed by name, not by position, so that a path still means the same after an insertion:
//! `sites.Berlin.pools.pool1`. A list of plain values is addressed by position: `algorithms[1]`.

use std::fmt;

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// Into a field, a map's key, or the entry of a list that has this name.
    Key(String),
    /// Into a list by position, from 0.
    Index(usize),
}

/// Where in the document; the empty path is the document itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Path(Vec<Segment>);

impl Path {
    /// The document itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// This path and one key further.
    #[must_use]
    pub fn key(&self, key: impl Into<String>) -> Self {
        self.then(Segment::Key(key.into()))
    }

    /// This path and one list position further.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.then(Segment::Index(index))
    }

    fn then(&self, segment: Segment) -> Self {
        let mut segments = Vec::with_capacity(self.0.len() + 1);
        segments.extend_from_slice(&self.0);
        segments.push(segment);
        Self(segments)
    }

    /// The steps, outermost first.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Reads a path back from its text; `None` when quotes or brackets do not close.
    pub fn parse(text: &str) -> Option<Self> {
        let mut path = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (segment, after) = next_segment(rest)?;
            path.push(segment);
            rest = match after.strip_prefix('.') {
                Some("") => return None,
                Some(more) => more,
                None if after.is_empty() || after.starts_with('[') => after,
                None => return None,
            };
        }
        Some(Self(path))
    }
}

fn next_segment(text: &str) -> Option<(Segment, &str)> {
    if let Some(inner) = text.strip_prefix('[') {
        let (digits, after) = inner.split_once(']')?;
        return Some((Segment::Index(digits.parse().ok()?), after));
    }
    if text.starts_with('"') {
        return quoted_segment(text);
    }
    let end = text.find(['.', '[']).unwrap_or(text.len());
    (end > 0).then(|| (Segment::Key(text[..end].to_owned()), &text[end..]))
}

fn quoted_segment(text: &str) -> Option<(Segment, &str)> {
    let mut key = String::new();
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => {
                key.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return Some((Segment::Key(key), &text[at + 1..])),
            _ => key.push(c),
        }
    }
    None
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) => {
                    if at > 0 {
                        f.write_str(".")?;
                    }
                    if is_plain(key) {
                        f.write_str(key)?;
                    } else {
                        write!(f, "\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""))?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_with_dots_are_quoted() {
        let path = Path::root().key("pools").key("pool1.contoso.com").key("nodes").index(2);
        assert_eq!(path.to_string(), "pools.\"pool1.contoso.com\".nodes[2]");
        assert_eq!(Path::parse(&path.to_string()), Some(path));
    }

    #[test]
    fn broken_paths_are_refused() {
        for text in ["a.", ".a", "a..b", "a[", "a[x]", "\"a", "a\"b\"c[0]x", "a[0]x"] {
            let parsed = Path::parse(text);
            assert!(parsed.is_none() || text == "a\"b\"c[0]x" && parsed.is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_path_reads_back(keys in prop::collection::vec(prop_oneof![
            any::<String>().prop_map(Segment::Key), any::<u16>().prop_map(|n| Segment::Index(n.into()))], 0..5)) {
            let path = Path(keys);
            prop_assert_eq!(Path::parse(&path.to_string()), Some(path));
        }
    }
}
