//! How wide a text will be, near enough to place it: the widths of a common sans-serif face.

/// Widths of U+0020 to U+007E in thousandths of the size, as Helvetica and the faces made to its measure have them.
#[rustfmt::skip]
const WIDTHS: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, // space to /
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, // 0 to ?
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, // @ to O
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, // P to _
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, // ` to o
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584, // p to ~
];

/// The width of one character of size 1.
fn width_of(character: char) -> f64 {
    let known = (character as usize).checked_sub(0x20).and_then(|at| WIDTHS.get(at));
    match (known, character) {
        (Some(&width), _) => f64::from(width) / 1000.0,
        // Combining marks and joiners take no room of their own.
        (None, '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}') => 0.0,
        // Scripts and signs as wide as they are high.
        (None, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}') => 1.0,
        (None, '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ff60}' | '\u{1f000}'..='\u{3ffff}') => 1.0,
        _ => 0.62,
    }
}

/// Faces that stand in where there is no Helvetica, and bold ones, are up to so much wider.
const WIDER: f64 = 1.2;

/// The width of `text` at `size`, at most.
pub(super) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(width_of).sum::<f64>() * size * WIDER
}

/// `text` as far as it fits into `room`, with an ellipsis where it is cut.
pub(super) fn fit(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let (mut used, mut kept) = (size, String::new());
    for character in text.chars() {
        used += width_of(character) * size * WIDER;
        if used > room {
            break;
        }
        kept.push(character);
    }
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_alike_and_wide_scripts_are_wide() {
        assert_eq!(width("0000", 10.0), width("1234", 10.0));
        assert!(width("i", 10.0) < width("W", 10.0));
        assert_eq!(width("東京", 10.0), 24.0);
    }

    #[test]
    fn what_does_not_fit_is_cut_and_says_so() {
        assert_eq!(fit("London", 10.0, 100.0), "London");
        let cut = fit(&"London ".repeat(20), 10.0, 100.0);
        assert!(cut.ends_with('…') && width(&cut, 10.0) <= 104.0, "{cut}");
        assert_eq!(fit("London", 10.0, 0.0), "…");
    }
}
