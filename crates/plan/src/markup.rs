//! Text inside SVG, HTML and spreadsheets: nothing that a person typed becomes markup.

/// Text for element content and for attributes in double quotes. What XML 1.0 forbids, and marks that would turn the
/// direction of what follows, become U+FFFD.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(character),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ if character.is_control() => out.push('\u{fffd}'),
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn nothing_typed_becomes_markup() {
        let cases = [
            ("<script>alert('x')</script>", "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"),
            ("\" onload=\"x", "&quot; onload=&quot;x"),
            ("a & b", "a &amp; b"),
            ("\u{0}\u{1b}\u{202e}\u{ffff}", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
            ("Zürich 東京", "Zürich 東京"),
        ];
        for (text, written) in cases {
            assert_eq!(escape(text), written);
        }
    }
}
