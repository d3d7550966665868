//! The documents say what is so: their tables name tests that exist, their links lead somewhere.

use std::collections::BTreeSet;

use super::source::{Source, line_of, places};
use super::{Finding, Tree};

/// Folder of the pages that codes point to.
const PAGES: &str = "docs/errors/";

/// `.ci/run` calls the test command and nothing else; how much disk a build takes it may say before.
pub fn ci(tree: &Tree) -> Vec<Finding> {
    let text = tree.file(".ci/run").unwrap_or("");
    let lines: Vec<&str> =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let lines = lines.strip_prefix(&["export CARGO_INCREMENTAL=0"]).unwrap_or(&lines);
    match lines {
        [one] if one.starts_with("cd ") && one.ends_with("cargo xtask test") => Vec::new(),
        _ => vec![Finding::new(".ci/run", "must change to the root and call `cargo xtask test`, nothing else")],
    }
}

/// The README gives the two commands and no third.
pub fn readme(tree: &Tree) -> Vec<Finding> {
    let text = tree.file("README.md").unwrap_or("");
    let mut found = Vec::new();
    for command in ["cargo xtask run", "cargo xtask test"] {
        if !text.lines().any(|line| line.trim() == command) {
            found.push(Finding::new("README.md", format!("does not give `{command}` on a line of its own")));
        }
    }
    found
}

/// Every feature is done, partly or planned; what is done or partly names tests that exist.
pub fn parity(tree: &Tree) -> Vec<Finding> {
    let path = "docs/parity.md";
    let mut found = Vec::new();
    for row in rows(tree, path) {
        let [_, state, tests] = row.cells.as_slice() else {
            found.push(Finding::new(row.place, "a row is: feature | state | tests"));
            continue;
        };
        match *state {
            "planned" if tests.is_empty() => {}
            "planned" => found.push(Finding::new(row.place, "planned, and yet it names a test")),
            "done" | "partly" => found.extend(unknown_tests(tree, &row.place, tests)),
            _ => found.push(Finding::new(row.place, format!("`{state}` is no state: done, partly or planned"))),
        }
    }
    if found.is_empty() && rows(tree, path).next().is_none() {
        found.push(Finding::new(path, "has no rows"));
    }
    found
}

/// Every clause relied on names tests that exist.
pub fn rfc(tree: &Tree) -> Vec<Finding> {
    let path = "docs/rfc.md";
    let mut found = Vec::new();
    for row in rows(tree, path) {
        match row.cells.as_slice() {
            [_, _, tests] => found.extend(unknown_tests(tree, &row.place, tests)),
            _ => found.push(Finding::new(row.place, "a row is: clause | what we rely on | tests")),
        }
    }
    if found.is_empty() && rows(tree, path).next().is_none() {
        found.push(Finding::new(path, "has no rows"));
    }
    found
}

struct Row<'a> {
    place: String,
    cells: Vec<&'a str>,
}

/// The body rows of every table in a document.
fn rows<'a>(tree: &'a Tree, path: &'a str) -> impl Iterator<Item = Row<'a>> {
    let lines: Vec<&str> = tree.file(path).unwrap_or("").lines().collect();
    let headed =
        |number: usize| lines.get(number + 1).is_some_and(|next| next.starts_with("|-") || next.starts_with("| -"));
    let body: Vec<Row<'_>> = lines
        .iter()
        .enumerate()
        .filter(|(number, line)| {
            line.starts_with('|') && !line.starts_with("|-") && !line.starts_with("| -") && !headed(*number)
        })
        .map(|(number, line)| Row {
            place: format!("{path}:{}", number + 1),
            cells: line.trim().trim_matches('|').split('|').map(str::trim).collect(),
        })
        .collect();
    body.into_iter()
}

/// Tests are named `file::function` or, for a foreign client's case, `interop/file.py::case`, in code marks.
fn unknown_tests(tree: &Tree, place: &str, cell: &str) -> Vec<Finding> {
    let names: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
    if names.is_empty() {
        return vec![Finding::new(place, "names no test")];
    }
    let unknown = names.into_iter().filter(|name| !test_exists(tree, name));
    unknown.map(|name| Finding::new(place, format!("no such test: {name}"))).collect()
}

fn test_exists(tree: &Tree, name: &str) -> bool {
    let Some((file, path)) = name.split_once("::") else { return false };
    let Some(text) = tree.file(file) else { return false };
    let test = path.rsplit("::").next().unwrap_or(path);
    let marks: &[&str] = if file.ends_with(".rs") { &["fn "] } else { &["def ", "case(\"", "| "] };
    marks.iter().any(|mark| !places(text, &format!("{mark}{test}")).is_empty())
}

/// Every code that a person can be shown has its page, and every page its code.
pub fn error_pages(tree: &Tree) -> Vec<Finding> {
    let mut codes: BTreeSet<String> = BTreeSet::new();
    let mut found = Vec::new();
    for source in tree.rust().filter(|source| !source.is_test() && !source.path.starts_with("xtask/")) {
        for (at, code) in codes_in(&source) {
            let page = format!("{PAGES}{code}.md");
            if tree.file(&page).is_none_or(|text| text.trim().is_empty()) {
                let place = format!("{}:{}", source.path, line_of(source.text, at));
                found.push(Finding::new(place, format!("{code} has no page: write {page}")));
            }
            codes.insert(code.to_owned());
        }
    }
    for (path, _) in tree.below(PAGES, ".md") {
        let code = path.trim_start_matches(PAGES).trim_end_matches(".md");
        if code != "README" && !codes.contains(code) {
            found.push(Finding::new(path, "no source gives this code any more: remove the page"));
        }
    }
    found
}

/// String literals that are codes: `LYS0001` anywhere; in a `refusal.rs` also words such as `user-not-found`.
fn codes_in<'a>(source: &Source<'a>) -> Vec<(usize, &'a str)> {
    let table = source.path.ends_with("/refusal.rs");
    let shipped = source.shipped();
    let mut found = Vec::new();
    for (at, _) in source.text.match_indices('"') {
        let rest = &source.text[at + 1..];
        let Some(word) = rest.find('"').map(|end| &rest[..end]) else { continue };
        // Blanked on both sides of the quote means that we stand in a comment or in a test.
        let follows = source.text[at + 1 + word.len() + 1..].trim_start();
        let numbered = word.len() == 7 && word.starts_with("LY") && word[3..].bytes().all(|byte| byte.is_ascii_digit());
        let worded = table
            && word.contains('-')
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
            && follows.starts_with(|c: char| c.is_ascii_digit());
        if (numbered || worded) && in_shipped_line(source.text, &shipped, at) {
            found.push((at, word));
        }
    }
    found
}

/// Whether the line that holds `at` has code left once comments and tests are blank.
fn in_shipped_line(text: &str, shipped: &str, at: usize) -> bool {
    let number = line_of(text, at) - 1;
    shipped.lines().nth(number).is_some_and(|line| !line.trim().is_empty())
}

/// Links between our documents lead somewhere.
pub fn links(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, text) in tree.below("", ".md") {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (number, line) in text.lines().enumerate() {
            for target in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                let file = target.split('#').next().unwrap_or("");
                if file.is_empty() || file.contains("://") || file.starts_with("mailto:") {
                    continue;
                }
                let whole = join(folder, file);
                if !tree.holds(&whole) {
                    found.push(Finding::new(
                        format!("{path}:{}", number + 1),
                        format!("the link to {file} leads nowhere"),
                    ));
                }
            }
        }
    }
    found
}

/// `file` as seen from `folder`, both from the root.
fn join(folder: &str, file: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in file.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(rule: fn(&Tree) -> Vec<Finding>, files: &[(&str, &str)]) -> usize {
        rule(&Tree::of(files)).len()
    }

    #[test]
    fn a_ci_script_that_does_more_or_else_is_found() {
        let good = "#!/bin/sh\n# why\ncd \"$(dirname \"$0\")/..\" && exec cargo xtask test\n";
        assert_eq!(count(ci, &[(".ci/run", good)]), 0);
        assert_eq!(count(ci, &[(".ci/run", &format!("{good}echo hi\n"))]), 1);
        assert_eq!(count(ci, &[(".ci/run", "cargo test\n")]), 1);
        assert_eq!(count(ci, &[]), 1);
    }

    #[test]
    fn a_readme_without_its_commands_is_found() {
        assert_eq!(count(readme, &[("README.md", "    cargo xtask run\n    cargo xtask test\n")]), 0);
        assert_eq!(count(readme, &[("README.md", "    cargo xtask run\n")]), 1);
    }

    const HEAD: &str = "| feature | state | tests |\n|---|---|---|\n";

    #[test]
    fn a_parity_row_must_name_a_test_that_exists() {
        let test = ("crates/users/src/group.rs", "fn expired_binding_is_not_a_target() {}");
        let judge = |row: &str| count(parity, &[("docs/parity.md", &format!("{HEAD}{row}\n")), test]);
        assert_eq!(judge("| a | planned | |"), 0);
        assert_eq!(judge("| a | done | `crates/users/src/group.rs::expired_binding_is_not_a_target` |"), 0);
        assert_eq!(judge("| a | done | `crates/users/src/group.rs::no_such_test` |"), 1);
        assert_eq!(judge("| a | done | `crates/users/src/none.rs::expired_binding_is_not_a_target` |"), 1);
        assert_eq!(judge("| a | done | |"), 1);
        assert_eq!(judge("| a | soon | |"), 1);
        assert_eq!(judge("| a | done |"), 1);
        assert_eq!(judge(""), 1);
    }

    #[test]
    fn a_clause_must_name_a_test_that_exists() {
        let case = ("interop/phones.py", "case(\"call-over-tls\")");
        let judge = |row: &str| count(rfc, &[("docs/rfc.md", &format!("{HEAD}{row}\n")), case]);
        assert_eq!(judge("| RFC 3261 | b | `interop/phones.py::call-over-tls` |"), 0);
        assert_eq!(judge("| RFC 3261 | b | `interop/phones.py::call-over-ws` |"), 1);
        assert_eq!(judge("| RFC 3261 | b | none yet |"), 1);
    }

    #[test]
    fn a_code_without_a_page_and_a_page_without_a_code_are_found() {
        let numbered = ("crates/front-end/src/a.rs", "const A: &str = \"LYS0001\";");
        let worded = ("crates/api/src/refusal.rs", "t! { A \"user-gone\" 404 \"look-again\"; }");
        let (one, two) = (("docs/errors/LYS0001.md", "# x"), ("docs/errors/user-gone.md", "# y"));
        assert_eq!(count(error_pages, &[numbered, worded, one, two]), 0);
        assert_eq!(count(error_pages, &[numbered, worded]), 2);
        assert_eq!(count(error_pages, &[numbered, one, two]), 1);
        let test = ("crates/front-end/src/b.rs", "#[cfg(test)]\nmod t { const B: &str = \"LYS0002\"; }");
        assert_eq!(count(error_pages, &[test]), 0);
    }

    #[test]
    fn a_link_that_leads_nowhere_is_found() {
        let page = |target: &str| format!("see [this]({target})");
        let judge = |target: &str| {
            count(links, &[("docs/operate/a.md", &page(target)), ("docs/b.md", ""), ("crates/sip/src/lib.rs", "")])
        };
        for fine in ["../b.md", "../b.md#part", "#part", "https://example.org/", "../../crates/sip"] {
            assert_eq!(judge(fine), 0, "{fine}");
        }
        assert_eq!(judge("../c.md"), 1);
    }
}
