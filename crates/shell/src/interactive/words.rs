//! A line's words, as a person expects of a shell: blanks part them, quotes and backslashes keep them together.

/// The words of a line; none for an empty line and a comment.
///
/// | outside | `'…'` | `"…"` |
/// |---|---|---|
/// | blank ends a word, `\x` is `x`, `#` before a word begins a comment | everything as it stands | `\"` and `\\` are `"` and `\` |
pub fn split(line: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = line.chars();
    while let Some(letter) = rest.next() {
        match letter {
            letter if letter.is_whitespace() => words.extend(word.take()),
            '#' if word.is_none() => return Ok(words),
            '\'' => quoted(&mut rest, word.get_or_insert_default())?,
            '"' => double_quoted(&mut rest, word.get_or_insert_default())?,
            '\\' => word.get_or_insert_default().push(rest.next().ok_or("the line ends in a backslash")?),
            letter => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    Ok(words)
}

const UNENDED: &str = "a quote is not closed";

fn quoted(rest: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), &'static str> {
    loop {
        match rest.next().ok_or(UNENDED)? {
            '\'' => return Ok(()),
            letter => word.push(letter),
        }
    }
}

fn double_quoted(rest: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), &'static str> {
    loop {
        match rest.next().ok_or(UNENDED)? {
            '"' => return Ok(()),
            '\\' => match rest.next().ok_or(UNENDED)? {
                letter @ ('"' | '\\') => word.push(letter),
                letter => word.extend(['\\', letter]),
            },
            letter => word.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn words_are_what_a_person_expects() {
        for (line, words) in [
            ("", vec![]),
            ("  # a comment", vec![]),
            ("user get  anna # and a comment", vec!["user", "get", "anna"]),
            ("set 'algorithms=[\"sha-256\"]'", vec!["set", "algorithms=[\"sha-256\"]"]),
            ("set \"name=Anna \\\"A\\\" B\"", vec!["set", "name=Anna \"A\" B"]),
            (r"a\ b \# c#d", vec!["a b", "#", "c#d"]),
            ("user new ''", vec!["user", "new", ""]),
            ("a'b'\"c\"d", vec!["abcd"]),
            ("\"a\\nb\"", vec!["a\\nb"]),
        ] {
            assert_eq!(split(line).expect(line), words, "{line}");
        }
        for line in ["'open", "\"open", "end\\"] {
            assert!(split(line).is_err(), "{line}");
        }
    }
}
