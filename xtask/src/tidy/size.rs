//! Files that are small stay small: the ones that are not may only shrink.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::{Finding, Tree};

/// Lines a new file may have, its tests not counted.
const LIMIT: usize = 450;

/// Today's big files, one `lines path` a row.
const LIST: &str = "xtask/tidy-sizes.txt";

/// Every source over the limit, tests not counted.
fn big(tree: &Tree) -> BTreeMap<&str, usize> {
    tree.rust().map(|source| (source.path, source.lines())).filter(|(_, lines)| *lines > LIMIT).collect()
}

fn listed(tree: &Tree) -> BTreeMap<&str, usize> {
    let rows = tree.file(LIST).unwrap_or("").lines().filter(|line| !line.starts_with('#'));
    rows.filter_map(|row| row.split_once(' ')).filter_map(|(lines, path)| Some((path, lines.parse().ok()?))).collect()
}

/// No file grows past the limit, and none on the list grows at all.
pub fn sizes(tree: &Tree) -> Vec<Finding> {
    let (big, listed) = (big(tree), listed(tree));
    let mut found = Vec::new();
    for (path, lines) in &big {
        match listed.get(path) {
            None => {
                found.push(Finding::new(*path, format!("{lines} lines, {LIMIT} are enough: a room that wants a wall")))
            }
            Some(before) if lines > before => {
                found.push(Finding::new(
                    *path,
                    format!("grew from {before} to {lines} lines; what is big may only shrink"),
                ));
            }
            Some(_) => {}
        }
    }
    for (path, before) in listed {
        if big.get(path).is_none_or(|lines| *lines < before) {
            found.push(Finding::new(LIST, format!("{path} shrank: well done; run `cargo xtask tidy --ratchet`")));
        }
    }
    found
}

/// Writes the list anew; a file that is not on it yet must be mended instead.
pub fn ratchet(root: &Path, tree: &Tree) -> Result<(), String> {
    let before = listed(tree);
    let mut text = String::from(
        "# Sources over 450 lines without their tests. They may only shrink: `cargo xtask tidy --ratchet`.\n",
    );
    for (path, lines) in big(tree) {
        let kept = before.get(path).map_or(lines, |was| lines.min(*was));
        text.push_str(&format!("{kept} {path}\n"));
    }
    fs::write(root.join(LIST), text).map_err(|error| format!("cannot write {LIST}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(lines: usize) -> String {
        "fn f() {}\n".repeat(lines)
    }

    #[test]
    fn a_new_big_file_is_found() {
        assert_eq!(sizes(&Tree::of(&[("crates/sip/src/a.rs", &file(LIMIT + 1))])).len(), 1);
        assert!(sizes(&Tree::of(&[("crates/sip/src/a.rs", &file(LIMIT))])).is_empty());
    }

    #[test]
    fn tests_at_the_foot_do_not_count() {
        let text = format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", file(LIMIT), file(100));
        assert!(sizes(&Tree::of(&[("crates/sip/src/a.rs", &text)])).is_empty());
    }

    #[test]
    fn a_listed_file_may_shrink_but_not_grow() {
        let path = "crates/sip/src/a.rs";
        let (same, more, less) = (file(500), file(501), file(460));
        let list = "# note\n500 crates/sip/src/a.rs\n";
        assert!(sizes(&Tree::of(&[(path, &same), (LIST, list)])).is_empty());
        assert_eq!(sizes(&Tree::of(&[(path, &more), (LIST, list)])).len(), 1);
        assert_eq!(sizes(&Tree::of(&[(path, &less), (LIST, list)]))[0].place, LIST);
    }
}
