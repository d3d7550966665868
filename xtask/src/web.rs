//! The pages in `web/`: their modules by `npm ci`, their build when a source is newer than what was built.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::command::Step;
use crate::setup;

/// What a build of everything takes on a slow machine, in seconds.
const LIMIT: u64 = 600;

/// What has to be done before the built pages are those of the sources.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Due {
    /// The lock file is newer than the installed modules.
    pub modules: bool,
    /// A source is newer than the built page.
    pub build: bool,
}

/// What is due now.
pub fn due(root: &Path) -> Due {
    let web = root.join("web");
    let modules = time(&web.join("package-lock.json")) > time(&web.join("node_modules/.package-lock.json"));
    let sources = newest(&web).max(newest(&root.join("docs/errors")));
    Due { modules, build: modules || sources > time(&web.join("client/dist/index.html")) }
}

/// Installs what is missing and builds what is due; says what it did.
pub fn build(root: &Path, log: &Path) -> Result<&'static str, String> {
    let due = due(root);
    if !due.build {
        return Ok("built already");
    }
    setup::ensure(root, setup::NODE, log)?;
    let web = root.join("web");
    if due.modules {
        // No package's own script runs: none of ours needs one.
        npm(&web, &["ci", "--ignore-scripts", "--no-audit", "--no-fund"], log)?;
    }
    npm(&web, &["run", "build"], log)?;
    Ok("built")
}

fn npm(web: &Path, arguments: &[&str], log: &Path) -> Result<(), String> {
    let done = Step::new(web, "npm", arguments, log).limit(LIMIT).run();
    if done.ok {
        return Ok(());
    }
    Err(format!(
        "`npm {}` in web/: {}; the whole log: {}\n{}",
        arguments.join(" "),
        done.how,
        log.display(),
        done.tail(20)
    ))
}

/// When a file was written; a file that is not there was written before all others.
fn time(path: &Path) -> SystemTime {
    fs::metadata(path).and_then(|meta| meta.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// The newest file below `folder`, what is built or fetched not counted. A folder counts too: a file that was removed
/// leaves its mark there alone.
fn newest(folder: &Path) -> SystemTime {
    let mut newest = SystemTime::UNIX_EPOCH;
    let mut open: Vec<PathBuf> = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let fetched = ["node_modules", "dist", "out"].iter().any(|name| entry.file_name() == *name);
            if fetched {
                continue;
            }
            if path.is_dir() {
                // `web/client` itself changes with every `dist`.
                if path.join("vite.config.ts").is_file() {
                    open.push(path);
                    continue;
                }
                open.push(path.clone());
            }
            newest = newest.max(time(&path));
        }
    }
    newest
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn tree(name: &str) -> PathBuf {
        let root = std::env::temp_dir().join(format!("xtask-web-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        for folder in ["web/client/src", "web/client/dist", "web/node_modules", "docs/errors"] {
            fs::create_dir_all(root.join(folder)).expect("a folder");
        }
        root
    }

    /// A file, written so many minutes after the epoch.
    fn file(root: &Path, path: &str, minutes: u64) {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(60 * minutes);
        let path = root.join(path);
        fs::write(&path, "").expect("a file");
        fs::File::options().write(true).open(&path).and_then(|file| file.set_modified(at)).expect("its time");
        for folder in path.ancestors().skip(1).take_while(|folder| *folder != root) {
            fs::File::open(folder).and_then(|folder| folder.set_modified(SystemTime::UNIX_EPOCH)).expect("its time");
        }
    }

    #[test]
    fn a_build_is_due_when_a_source_or_the_lock_file_is_newer() {
        let root = tree("due");
        file(&root, "web/package-lock.json", 1);
        file(&root, "web/client/vite.config.ts", 1);
        file(&root, "web/client/src/main.tsx", 2);
        file(&root, "docs/errors/LYR0101.md", 2);
        assert_eq!(due(&root), Due { modules: true, build: true }, "nothing is there");
        file(&root, "web/node_modules/.package-lock.json", 2);
        assert_eq!(due(&root), Due { modules: false, build: true }, "nothing is built");
        file(&root, "web/client/dist/index.html", 3);
        assert_eq!(due(&root), Due { modules: false, build: false });
        file(&root, "web/node_modules/x.js", 9);
        assert_eq!(due(&root), Due { modules: false, build: false }, "what is fetched is no source");
        for (path, modules) in
            [("web/client/src/main.tsx", false), ("docs/errors/LYR0101.md", false), ("web/package-lock.json", true)]
        {
            file(&root, path, 4);
            assert_eq!(due(&root), Due { modules, build: true }, "{path}");
            file(&root, path, 1);
        }
        let _ = fs::remove_dir_all(&root);
    }
}
