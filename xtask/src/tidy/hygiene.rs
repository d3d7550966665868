//! What no source may hold.

use super::source::{line_of, places};
use super::{Finding, Tree};

/// Files that may use `unsafe`, each with what for.
const UNSAFE_FILES: &[(&str, &str)] = &[
    ("crates/net/src/sys.rs", "the system calls that the standard library does not offer"),
    ("crates/net/src/sys/mark.rs", "recvmsg with the traffic class of what came"),
    ("crates/net/src/sys/datagram.rs", "recvmmsg and sendmmsg over buffers of our own"),
    ("crates/lyceum/src/memory.rs", "an allocator that overwrites what is given back, on an Access Edge"),
    ("crates/store/src/fs.rs", "statfs, to refuse network file systems"),
    ("crates/store/src/key.rs", "the master key is overwritten when it is dropped"),
    ("crates/store/src/lock.rs", "flock, one owner of a data folder"),
    ("load/src/sys.rs", "system calls of the generator: batches of datagrams, priorities, limits"),
    ("crates/store/tests/durability.rs", "setrlimit, to make the disk full"),
];

/// Names of types that hold a secret.
const SECRET_NAMES: &[&str] = &["Password", "Secret", "MasterKey", "Ha1", "PrivateKey", "SessionToken"];

/// `unsafe` stands only in the listed files.
pub fn unsafe_code(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for source in tree.rust().filter(|source| !UNSAFE_FILES.iter().any(|(path, _)| source.path.starts_with(path))) {
        // A test that measures memory brings an allocator that counts.
        if source.path.starts_with("fuzz/") || (source.is_test() && source.code.contains("GlobalAlloc")) {
            continue;
        }
        for at in places(&source.code, "unsafe") {
            let place = format!("{}:{}", source.path, line_of(&source.code, at));
            found.push(Finding::new(place, "`unsafe`: move it to a file listed in xtask/src/tidy/hygiene.rs"));
        }
    }
    found
}

/// Nothing is left hollow, and no test is switched off without a reason.
pub fn hollow(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for source in tree.rust() {
        let mut add = |at: usize, what: &str| {
            found.push(Finding::new(format!("{}:{}", source.path, line_of(&source.code, at)), what));
        };
        for word in ["todo!", "unimplemented!"] {
            places(&source.code, word).into_iter().for_each(|at| add(at, "hollow: write it or leave it out"));
        }
        for at in places(&source.code, "assert!(true)") {
            add(at, "this assertion cannot fail");
        }
        for at in places(&source.code, "#[ignore") {
            if !source.code[at..].trim_start_matches("#[ignore").trim_start().starts_with('=') {
                add(at, "an ignored test without a reason: write `#[ignore = \"why\"]`, or mend it");
            }
        }
    }
    found
}

/// A type that holds a secret does not derive what would print it.
pub fn secrets(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for source in tree.rust() {
        let shipped = source.shipped();
        for name in SECRET_NAMES {
            for at in places(&shipped, &format!("struct {name}")) {
                let attributes = attributes_before(&shipped[..at]);
                let place = format!("{}:{}", source.path, line_of(&shipped, at));
                for derived in ["Debug", "Serialize"] {
                    // The wire types of `api` exist to be sent.
                    if derived == "Serialize" && source.path.starts_with("crates/api/") {
                        continue;
                    }
                    if !places(attributes, derived).is_empty() {
                        found.push(Finding::new(
                            place.clone(),
                            format!("`{name}` derives `{derived}`: a secret prints `<secret>`"),
                        ));
                    }
                }
            }
            for at in places(&shipped, &format!("Display for {name}")) {
                let place = format!("{}:{}", source.path, line_of(&shipped, at));
                found.push(Finding::new(place, format!("`{name}` has a `Display`: a secret has none")));
            }
        }
    }
    found
}

/// From the end of the item before to the `struct`.
fn attributes_before(code: &str) -> &str {
    let from = code.rfind(['}', ';', '{']).map_or(0, |at| at + 1);
    &code[from..]
}

/// Words and paths that mean something only on the machine or in the hour they were written.
pub fn words(tree: &Tree) -> Vec<Finding> {
    // In halves, so that this file passes its own rule.
    let banned: Vec<String> = [
        ("/wo", "rk/"),
        ("/ro", "ot/"),
        ("/ho", "me/"),
        ("/Us", "ers/"),
        ("sub", "agent"),
        ("chat", "gpt"),
        ("as an AI", " "),
        ("static.crates", ".io"),
        ("index.crates", ".io"),
        ("registry.npmjs", ".org"),
        ("deb.debian", ".org"),
        ("FIX", "ME"),
        ("XX", "X:"),
    ]
    .iter()
    .map(|(one, two)| format!("{one}{two}"))
    .collect();
    let mut found = Vec::new();
    for (path, text) in tree.files().filter(|(path, _)| !path.ends_with(".lock") && !path.contains("/corpus/")) {
        for (number, line) in text.lines().enumerate() {
            for word in banned.iter().filter(|word| line.contains(word.as_str())) {
                found.push(Finding::new(
                    format!("{path}:{}", number + 1),
                    format!("`{word}` does not belong in the project"),
                ));
            }
        }
    }
    found
}

/// Every crate, and every file of one, opens with what it is for.
pub fn crate_docs(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for source in tree.rust().filter(|source| source.path.contains("/src/") && !source.is_test()) {
        let opens = source.text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with("#!["));
        let documented = opens.is_some_and(|line| line.starts_with("//!") && line.len() > 8);
        if !documented {
            found.push(Finding::new(source.path, "open the file with a `//!` line that says what it is for"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(rule: fn(&Tree) -> Vec<Finding>, path: &str, text: &str) -> usize {
        rule(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn unsafe_is_found_outside_the_list() {
        let text = "fn f() { unsafe { g() } }";
        assert_eq!(count(unsafe_code, "crates/sip/src/a.rs", text), 1);
        let counting = "unsafe impl GlobalAlloc for Counting {}";
        assert_eq!(count(unsafe_code, "crates/sip/src/memory.rs", counting), 1);
        assert_eq!(count(unsafe_code, "crates/sip/tests/memory.rs", counting), 0);
        assert_eq!(count(unsafe_code, "crates/net/src/sys.rs", text), 0);
        assert_eq!(count(unsafe_code, "crates/sip/src/a.rs", "// unsafe\n#![deny(unsafe_op_in_unsafe_fn)]"), 0);
    }

    #[test]
    fn hollow_code_is_found() {
        for text in [
            "fn f() { todo!() }",
            "fn f() { unimplemented!(\"x\") }",
            "fn f() { assert!(true) }",
            "#[ignore]\nfn f() {}",
        ] {
            assert_eq!(count(hollow, "crates/sip/src/a.rs", text), 1, "{text}");
        }
        for text in ["// todo!()", "#[ignore = \"needs a second machine\"]\nfn f() {}"] {
            assert_eq!(count(hollow, "crates/sip/src/a.rs", text), 0, "{text}");
        }
    }

    #[test]
    fn a_secret_that_prints_is_found() {
        let path = "crates/store/src/a.rs";
        assert_eq!(count(secrets, path, "#[derive(Clone, Debug)]\npub struct MasterKey([u8; 32]);"), 1);
        assert_eq!(count(secrets, path, "impl fmt::Display for Password { }"), 1);
        assert_eq!(
            count(secrets, path, "#[derive(Debug)]\nstruct Fine;\n#[derive(Clone)]\npub struct MasterKey([u8; 32]);"),
            0
        );
    }

    #[test]
    fn a_path_of_one_machine_is_found() {
        assert_eq!(count(words, "docs/a.md", concat!("see /ho", "me/me/x")), 1);
        assert_eq!(count(words, "docs/a.md", "see /usr/share/x"), 0);
    }

    #[test]
    fn a_file_without_an_opening_is_found() {
        assert_eq!(count(crate_docs, "crates/sip/src/lib.rs", "pub mod a;"), 1);
        assert_eq!(count(crate_docs, "crates/sip/src/lib.rs", "//! The engine.\npub mod a;"), 0);
        assert_eq!(count(crate_docs, "crates/sip/tests/a.rs", "fn a() {}"), 0);
    }
}
