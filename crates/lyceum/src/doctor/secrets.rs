//! The master key: there, private, outside the data, and the one that opens it.

use std::fs;
use std::path::{Path, PathBuf};

use lyceum_store::{EpochPolicy, KeyError, MasterKey, OpenError, Options, Store};
use lyceum_topology::{Document, Problem, Snapshot};

use super::finding::Finding;

/// Parts of a data folder that say whether the key opens it, and what is published.
const COPIED: &[&str] = &["lyceum.db", "lyceum.db-wal"];

/// How it stands with the key file.
pub fn judge_key(path: &Path, data: &Path, read: &Result<MasterKey, KeyError>) -> Vec<Finding> {
    const WHAT: &str = "master key";
    let shown = path.display();
    let mut found = Vec::new();
    if path.starts_with(data) {
        let detail = format!("{shown} lies in the data folder: a copy of that folder opens every secret");
        found.push(Finding::fail(WHAT, detail, "move it elsewhere and set `master_key` in the node file"));
    }
    match read {
        Ok(_) if found.is_empty() => {
            found.push(Finding::ok(WHAT, format!("{shown} is private and outside the data folder")))
        }
        Ok(_) => {}
        Err(KeyError::Io(_, error))
            if error.kind() == std::io::ErrorKind::NotFound && !data.join("lyceum.db").exists() =>
        {
            let fix = "lyceum serve --new-master-key, at the first start; keep a copy apart from the backups";
            found.push(Finding::fail(WHAT, format!("{shown} is not there"), fix));
        }
        Err(KeyError::Io(_, error)) if error.kind() == std::io::ErrorKind::NotFound => {
            let fix = format!("put back the copy that you keep: `install -m 0600 -o lyceum COPY {shown}`");
            found.push(Finding::fail(WHAT, format!("{shown} is not there, and the data needs it"), fix));
        }
        Err(error) => found.push(Finding::sentence(WHAT, &error.to_string())),
    }
    found
}

/// What the store says of itself, read from a copy so that the folder stays as it is.
pub struct Stored {
    /// The document in force, if one was published.
    pub document: Option<Document>,
    /// What keeps document and directory from being in force together.
    pub misfits: Vec<Problem>,
}

/// A folder that goes away with this value.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// Opens a copy of the store with the key; `None` when there is no store yet.
pub fn open_copy(data: &Path, key: MasterKey) -> Option<Result<Stored, String>> {
    if !data.join("lyceum.db").exists() {
        return None;
    }
    let stored =
        copy(data).map_err(|error| format!("the store cannot be looked at ({error}): run `sudo lyceum doctor`"));
    Some(stored.and_then(|scratch| {
        let options = Options { owner: "doctor".into(), epochs: EpochPolicy::Keep };
        let store = Store::open(&scratch.0, key, &options).map_err(|error| in_place(error, data))?;
        let document = store.topology().map_err(|error| error.to_string())?;
        let directory = store.directory().map_err(|error| error.to_string())?;
        let directory = directory.into_directory().map_err(|error| error.to_string())?;
        let compiled = document.as_ref().map(|document| Snapshot::compile(document, directory));
        // What the document has wrong by itself has lines of its own.
        let whole = document.as_ref().is_some_and(|document| document.validate().is_empty());
        let misfits = compiled.and_then(Result::err).filter(|_| whole).unwrap_or_default();
        Ok(Stored { document, misfits })
    }))
}

fn copy(data: &Path) -> std::io::Result<Scratch> {
    use std::os::unix::fs::DirBuilderExt;
    let dir = std::env::temp_dir().join(format!("lyceum-doctor-{}", std::process::id()));
    fs::DirBuilder::new().mode(0o700).create(&dir)?;
    let scratch = Scratch(dir);
    for name in COPIED {
        if data.join(name).exists() {
            fs::copy(data.join(name), scratch.0.join(name))?;
        }
    }
    Ok(scratch)
}

/// The sentence of an error in the copy, about the folder itself.
fn in_place(error: OpenError, data: &Path) -> String {
    let path = |path: PathBuf| data.join(path.file_name().unwrap_or_default());
    let error = match error {
        OpenError::WrongKey { .. } => OpenError::WrongKey { dir: data.into() },
        OpenError::NewerSchema { path: at, found, known } => OpenError::NewerSchema { path: path(at), found, known },
        OpenError::AlteredSchema { path: at, version } => OpenError::AlteredSchema { path: path(at), version },
        OpenError::NotOurs { path: at } => OpenError::NotOurs { path: path(at) },
        OpenError::Store(mut error) => {
            error.path = path(error.path);
            OpenError::Store(error)
        }
        locked @ OpenError::Locked { .. } => locked,
    };
    error.to_string()
}

/// How it stands with the store.
pub fn judge_store(data: &Path, opened: Option<&Result<Stored, String>>) -> Finding {
    const WHAT: &str = "store";
    match opened {
        None => Finding::ok(WHAT, format!("none yet in {}; the first start makes it", data.display())),
        Some(Ok(stored)) if !stored.misfits.is_empty() => {
            let said: Vec<String> = stored.misfits.iter().map(ToString::to_string).collect();
            let fix =
                "put back a backup from before that with `lyceum restore`; no server starts on the folder as it is";
            Finding::fail(WHAT, format!("users and topology do not fit together: {}", said.join("; ")), fix)
        }
        Some(Ok(_)) => Finding::ok(WHAT, format!("the master key opens {}", data.display())),
        Some(Err(said)) => Finding::sentence(WHAT, said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Verdict::{Fail, Ok as Good};

    #[test]
    fn the_key_file_is_judged() {
        let data = Path::new("/nowhere/data");
        let gone = || Err(KeyError::Io("/k".into(), std::io::ErrorKind::NotFound.into()));
        for (path, read, verdict, part) in [
            ("/k", Ok(MasterKey::generate()), Good, "outside the data folder"),
            ("/nowhere/data/k", Ok(MasterKey::generate()), Fail, "lies in the data folder"),
            ("/k", gone(), Fail, "is not there"),
            ("/k", Err(KeyError::Form("/k".into())), Fail, "no master key"),
            ("/k", Err(KeyError::Open("/k".into(), 0o644)), Fail, "may be read by others"),
        ] {
            let found = judge_key(Path::new(path), data, &read);
            assert!(
                found.len() == 1 && found[0].verdict == verdict && found[0].detail.contains(part),
                "{part}: {found:?}"
            );
        }
    }

    #[test]
    fn users_whom_the_topology_does_not_know_are_a_fault() {
        let name = |text: &str| lyceum_topology::DomainName::parse(text).unwrap();
        let document = Document::dev(name("example.org"), name("node.example.org"));
        let address = lyceum_topology::AddressOfRecord::parse("anna@other.test").unwrap();
        let mut directory = lyceum_topology::Directory::default();
        let anna = lyceum_topology::UserRecord::new(lyceum_topology::UserId(1), address, "pool1");
        directory.insert(anna).unwrap();
        let misfits = Snapshot::compile(&document, directory).err().unwrap();
        let found = judge_store(Path::new("/d"), Some(&Ok(Stored { document: Some(document), misfits })));
        assert_eq!((found.verdict, found.detail.contains("LYT0025")), (Fail, true), "{found:?}");
    }

    #[test]
    fn the_store_is_opened_in_a_copy_and_with_its_key_only() {
        let dir = std::env::temp_dir().join(format!("lyceum-doctor-test-{}", std::process::id()));
        let scratch = Scratch(dir.clone());
        let key = MasterKey::generate();
        assert!(open_copy(&dir, key.clone()).is_none());
        drop(Store::open(&dir, key.clone(), &Options::node("node1")).unwrap());
        let listed = |dir: &Path| {
            let mut names: Vec<_> = fs::read_dir(dir).unwrap().flatten().map(|entry| entry.file_name()).collect();
            names.sort();
            names
        };
        let before = listed(&dir);
        assert!(open_copy(&dir, key).unwrap().is_ok_and(|stored| stored.document.is_none()));
        let said = open_copy(&dir, MasterKey::generate()).unwrap().err().unwrap();
        assert!(said.contains("does not open the secrets") && said.contains(&dir.display().to_string()), "{said}");
        assert_eq!(listed(&dir), before);
        drop(scratch);
    }
}
