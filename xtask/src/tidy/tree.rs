//! The files of the repository, as the rules see them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::source::Source;

/// Endings of the files that rules read.
const READ: &[&str] = &[
    "rs", "toml", "md", "lock", "py", "sh", "xml", "yml", "yaml", "json", "service", "csv", "txt", "sql", "cfg", "ts",
    "tsx", "css", "html",
];

/// Path to text of every file that is, or would be, committed.
#[derive(Default)]
pub struct Tree {
    files: BTreeMap<String, String>,
    built: String,
}

impl Tree {
    /// What git knows of and what it would add, without what it ignores.
    pub fn read(root: &Path) -> Result<Self, String> {
        let output = Command::new("git")
            .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
            .current_dir(root)
            .output()
            .map_err(|error| format!("cannot start git: {error}"))?;
        if !output.status.success() {
            return Err(format!("git ls-files: {}", String::from_utf8_lossy(&output.stderr).trim()));
        }
        let mut files = BTreeMap::new();
        for path in String::from_utf8_lossy(&output.stdout).split('\0').filter(|path| wanted(path)) {
            // A file that git still lists but that is gone, or that is not text, has nothing to be read.
            if let Ok(text) = fs::read_to_string(root.join(path)) {
                files.insert(path.to_owned(), text);
            }
        }
        Ok(Self { files, built: built(root) })
    }

    /// A made-up tree, for tests that plant a fault.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        Self {
            files: files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect(),
            built: String::new(),
        }
    }

    /// A made-up list of what is built.
    #[cfg(test)]
    pub fn building(built: &str) -> Self {
        Self { files: BTreeMap::new(), built: built.to_owned() }
    }

    /// What the workspace builds, one `name vVERSION` a line.
    pub fn built(&self) -> &str {
        &self.built
    }

    /// The text of one file.
    pub fn file(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Every file.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Every file of that ending below that folder.
    pub fn below<'a>(&'a self, folder: &'a str, ending: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files().filter(move |(path, _)| path.starts_with(folder) && path.ends_with(ending))
    }

    /// The Rust sources.
    pub fn rust(&self) -> impl Iterator<Item = Source<'_>> {
        self.below("", ".rs").map(|(path, text)| Source::new(path, text))
    }

    /// Whether the tree holds this file, or a file below this folder.
    pub fn holds(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        self.files.contains_key(path) || self.files.keys().any(|file| file.starts_with(&folder))
    }
}

/// What the workspace builds from outside, one `name vVERSION` a line; empty when cargo cannot tell.
fn built(root: &Path) -> String {
    let output = Command::new("cargo")
        .args(["tree", "--workspace", "--target", "all", "--prefix", "none", "--quiet"])
        .current_dir(root)
        .output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

fn wanted(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.') {
        Some((_, ending)) => READ.contains(&ending) || name == ".gitignore",
        None => matches!(name, "run") || name.starts_with("LICENSE"),
    }
}
