//! Names of files, as they may be offered to somebody's computer.

use super::NAME_MOST;

/// What is left of a name when its end, which some systems do not see, is taken off; `None` when it is no name.
///
/// The policy's list of endings judges what this answers with: `evil.exe.` is `evil.exe` where it is run.
pub fn cleaned(name: &str) -> Option<&str> {
    let end = name.trim_end_matches(|c: char| c.is_whitespace() || c == '.' || is_unseen(c));
    let cleaned = end.trim_start_matches(|c: char| c.is_whitespace() || is_unseen(c));
    // The colon parts a file from a stream of its own on Windows: `evil.exe::$DATA`.
    let is_wrong = |c: char| c.is_control() || matches!(c, '/' | '\\' | ':') || is_turning(c);
    let good = !cleaned.is_empty() && cleaned.len() <= NAME_MOST && !cleaned.contains(is_wrong);
    good.then_some(cleaned)
}

/// Letters of no width.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}')
        || is_turning(c)
}

/// Marks that turn the direction of reading: `exe.txt` may be `txt.exe`.
fn is_turning(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::cleaned;

    #[test]
    fn what_some_systems_do_not_see_hides_no_ending() {
        for (name, known) in [
            ("report.pdf", Some("report.pdf")),
            ("Übersicht 2.pdf", Some("Übersicht 2.pdf")),
            (".profile", Some(".profile")),
            ("evil.exe.", Some("evil.exe")),
            ("evil.exe . ", Some("evil.exe")),
            ("evil.exe\u{200b}", Some("evil.exe")),
            ("evil.exe\u{a0}", Some("evil.exe")),
            ("evil.exe::$DATA", None),
            ("a\u{202e}txt.exe", None),
            ("a\r\nb", None),
            ("a\u{85}b", None),
            ("a/b", None),
            ("a\\b", None),
            (".", None),
            ("..", None),
            ("\u{200b}", None),
            ("", None),
        ] {
            assert_eq!(cleaned(name), known, "{name:?}");
        }
    }
}
