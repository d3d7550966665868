//! Rust text with what is not code blanked out, so that a rule never trips over a comment or a string.

use std::ops::Range;

/// One Rust file.
pub struct Source<'a> {
    /// From the repository's root.
    pub path: &'a str,
    /// As written.
    pub text: &'a str,
    /// Without comments, strings and characters (blanks in their place; lines stay where they were).
    pub code: String,
}

impl<'a> Source<'a> {
    /// Reads `text`.
    pub fn new(path: &'a str, text: &'a str) -> Self {
        Self { path, text, code: blank(text) }
    }

    /// Whether the whole file is a test, a benchmark or an example.
    pub fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or(self.path);
        ["/tests/", "/benches/", "/examples/"].iter().any(|folder| self.path.contains(folder))
            || self.path.starts_with("tests/")
            || name == "tests.rs"
            || name.ends_with("_tests.rs")
            || name == "build.rs"
    }

    /// The code that ships: [`Source::code`] without the items under `#[cfg(test)]`.
    pub fn shipped(&self) -> String {
        if self.is_test() { String::new() } else { without_tests(&self.code) }
    }

    /// Lines that are not tests, comments and documentation included.
    pub fn lines(&self) -> usize {
        if self.is_test() {
            return self.text.lines().count();
        }
        let tests: usize = test_items(&self.code).into_iter().map(|item| self.code[item].lines().count()).sum();
        self.text.lines().count() - tests
    }
}

/// The 1-based line of a byte.
pub fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Every place where `word` stands as a whole word (or path).
pub fn places(code: &str, word: &str) -> Vec<usize> {
    let part_of_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = code.as_bytes();
    let open_end = word.bytes().last().is_some_and(part_of_name);
    let open_start = word.bytes().next().is_some_and(part_of_name);
    code.match_indices(word)
        .map(|(at, _)| at)
        .filter(|&at| !(open_start && at > 0 && part_of_name(bytes[at - 1])))
        .filter(|&at| !(open_end && bytes.get(at + word.len()).copied().is_some_and(part_of_name)))
        .collect()
}

/// `text` with comments, strings and character literals replaced by blanks.
pub fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => until(bytes, at, b'\n'),
            b'/' if bytes.get(at + 1) == Some(&b'*') => block_comment(bytes, at),
            b'"' => string(bytes, at),
            b'r' | b'b' | b'c' if !in_name(bytes, at) => match literal_prefix(bytes, at) {
                Some(end) => end,
                None => at,
            },
            b'\'' => character(bytes, at).unwrap_or(at),
            _ => at,
        };
        if end == at {
            at += 1;
            continue;
        }
        out[at..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        at = end;
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn in_name(bytes: &[u8], at: usize) -> bool {
    at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_')
}

fn until(bytes: &[u8], from: usize, end: u8) -> usize {
    bytes[from..].iter().position(|byte| *byte == end).map_or(bytes.len(), |far| from + far)
}

fn block_comment(bytes: &[u8], from: usize) -> usize {
    let (mut depth, mut at) = (0_usize, from);
    while at < bytes.len() {
        match bytes.get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") if depth == 1 => return at + 2,
            Some(b"*/") => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The end of a string that opens with the quote at `from`.
fn string(bytes: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The end of `r"…"`, `r#"…"#`, `b"…"`, `br#"…"#`, `b'…'` or `c"…"`, or nothing for an ordinary name.
fn literal_prefix(bytes: &[u8], from: usize) -> Option<usize> {
    let letters = bytes[from..].iter().take_while(|byte| matches!(byte, b'r' | b'b' | b'c')).count();
    let hashes = bytes[from + letters..].iter().take_while(|byte| **byte == b'#').count();
    let open = from + letters + hashes;
    let raw = bytes[from..from + letters].contains(&b'r');
    match bytes.get(open)? {
        b'"' if letters <= 2 && raw => {
            let close = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
            let far = bytes[open + 1..].windows(close.len()).position(|window| window == close)?;
            Some(open + 1 + far + close.len())
        }
        b'"' if letters == 1 && hashes == 0 => Some(string(bytes, open)),
        b'\'' if letters == 1 && hashes == 0 && bytes[from] == b'b' => character(bytes, open),
        _ => None,
    }
}

/// The end of a character literal at the quote `from`; nothing when it is a lifetime.
fn character(bytes: &[u8], from: usize) -> Option<usize> {
    match bytes.get(from + 1)? {
        b'\\' => Some((until(bytes, from + 3, b'\'') + 1).min(bytes.len())),
        first => {
            let width = match first {
                0x00..=0x7f => 1,
                0x80..=0xdf => 2,
                0xe0..=0xef => 3,
                _ => 4,
            };
            (bytes.get(from + 1 + width) == Some(&b'\'')).then_some(from + width + 2)
        }
    }
}

/// Blanks every item that follows `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    let mut out = code.as_bytes().to_vec();
    for item in test_items(code) {
        out[item].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Where the items that follow `#[cfg(test)]` stand, their attribute included.
fn test_items(code: &str) -> Vec<Range<usize>> {
    let mut items = Vec::new();
    let mut from = 0;
    while let Some(far) = ["#[cfg(test)]", "#[cfg(all(test"].iter().filter_map(|marker| code[from..].find(marker)).min()
    {
        let start = from + far;
        from = item_end(code.as_bytes(), start + 2);
        items.push(start..from);
    }
    items
}

/// The end of the item whose attribute opens just before `from`: its `;`, or the brace that closes its body.
fn item_end(code: &[u8], from: usize) -> usize {
    let (mut depth, mut round) = (0_usize, 1_isize);
    for (far, byte) in code[from..].iter().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth <= 1 => return from + far + 1,
            b'}' => depth -= 1,
            b'(' | b'[' => round += 1,
            b')' | b']' => round -= 1,
            b';' if depth == 0 && round <= 0 => return from + far + 1,
            _ => {}
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_strings_and_characters_are_blank() {
        let text = "a /* b /* c */ d */ e // f\n\"g\\\"h\" r#\"i\"j\"# b'k' 'l' '\\'' &'m n br\"o\"";
        let code = blank(text);
        assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["a", "e", "&'m", "n"]);
        assert_eq!(code.len(), text.len());
    }

    #[test]
    fn a_name_that_ends_in_r_does_not_open_a_raw_string() {
        assert_eq!(blank("for \"x\" bar"), "for     bar");
    }

    #[test]
    fn test_items_are_cut_and_what_follows_stays() {
        let source = Source::new(
            "crates/a/src/lib.rs",
            "fn one() {}\n#[cfg(test)]\nmod far;\nfn two() {}\n#[cfg(test)]\nmod tests {\n    fn three() {}\n}\nfn four() {}\n",
        );
        let shipped = source.shipped();
        for (name, there) in [("one", true), ("far", false), ("two", true), ("three", false), ("four", true)] {
            assert_eq!(shipped.contains(name), there, "{name}");
        }
        assert_eq!(source.lines(), 3);
    }

    #[test]
    fn words_are_whole() {
        assert_eq!(places("std::fs x_std::fs std::fsx std::fs::read", "std::fs"), [0, 27]);
    }
}
