//! What documents and advice tell people to type is a command there is.

use clap::error::ErrorKind;
use std::path::{Path, PathBuf};

/// Files below a folder, no deeper than our documents go.
fn files(dir: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, ending, found);
        } else if path.extension().is_some_and(|e| e == ending) {
            found.push(path);
        }
    }
}

/// The commands in a text: between backticks, or alone on an indented line.
fn commands(text: &str) -> Vec<String> {
    let text = text.replace("\\\n", " ");
    let mut found = Vec::new();
    let mut quoted = text.split('`');
    quoted.next();
    while let Some(code) = quoted.next() {
        found.push(code.split_whitespace().collect::<Vec<_>>().join(" "));
        quoted.next();
    }
    found.extend(text.lines().filter_map(|line| line.strip_prefix("    ")).map(str::to_owned));
    let calls = found.iter().flat_map(|line| line.split('|')).map(str::trim);
    calls
        .filter_map(|call| call.strip_prefix("sudo ").unwrap_or(call).strip_prefix("lyceum "))
        .map(str::to_owned)
        .collect()
}

/// Words as a POSIX shell parts them, as far as our documents go.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in line.chars().chain([' ']) {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, ' ') if word.is_empty() => {}
            (None, ' ') => words.push(std::mem::take(&mut word)),
            _ => word.push(c),
        }
    }
    words
}

#[test]
fn every_command_in_the_documents_can_be_typed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut documents = vec![root.join("README.md")];
    files(&root.join("docs/operate"), "md", &mut documents);
    files(&root.join("docs/errors"), "md", &mut documents);
    let mut tried = 0;
    for path in documents {
        let text = std::fs::read_to_string(&path).expect("a document");
        for line in commands(&text) {
            let words = words(line.split(['…', '#', '>', '<']).next().unwrap_or_default());
            let noun = words.first().map(String::as_str).unwrap_or_default();
            if !lyceum_shell::knows(noun) || noun == "shell" {
                continue;
            }
            tried += 1;
            let holds_a_place = words.iter().any(|word| word.len() > 1 && word.bytes().all(|b| b.is_ascii_uppercase()));
            let parsed =
                lyceum_shell::command().try_get_matches_from(std::iter::once("lyceum".to_owned()).chain(words));
            let Err(error) = parsed else { continue };
            let fine = match error.kind() {
                // A command that is only named, as in a heading, is known; one with a wrong word is not.
                ErrorKind::DisplayHelp
                | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                | ErrorKind::MissingRequiredArgument => true,
                ErrorKind::ValueValidation | ErrorKind::InvalidValue => holds_a_place,
                _ => false,
            };
            assert!(fine, "{}: lyceum {line}\n{error}", path.display());
        }
    }
    assert!(tried > 50, "{tried}");
}
