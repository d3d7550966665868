//! What a data folder holds when a node starts on it. Everything is checked before the first write: a wrong word in the
//! node file or on the command line leaves the folder as it was.

use anyhow::{Context, Result, anyhow, bail};
use lyceum_store::{By, Store};
use lyceum_topology::{Directory, Document, Problem, Snapshot, UserId, UserRecord};

use super::{ServerOptions, TestUsers};

/// The snapshot to start with; publishes the first document and makes the test users if they are not there.
pub fn open(store: &Store, options: &ServerOptions) -> Result<(TestUsers, Snapshot)> {
    let stored = store.topology().map_err(|error| anyhow!("{error}"))?;
    let document = stored.as_ref().or(options.first_document.as_ref()).ok_or_else(|| {
        anyhow!("the store holds no topology yet: start once with `lyceum serve --config node.toml --topology FILE`")
    })?;
    belongs(document, options)?;
    TestUsers::forget_former(store)?;
    let snapshot = compile(document, directory(store)?)?;
    let missing = TestUsers::missing(&snapshot, &options.pool)?;
    checked(&snapshot, missing)?;
    if stored.is_some() {
        return TestUsers::ensure(store, snapshot, &options.pool);
    }
    let by = By { who: "server", at: lyceum_web::system_clock() };
    store.publish_topology(document, 0, by).map_err(|error| anyhow!("{error}"))?;
    let document = store.topology().map_err(|error| anyhow!("{error}"))?;
    let document = document.context("the topology just published is gone")?;
    TestUsers::ensure(store, compile(&document, directory(store)?)?, &options.pool)
}

/// The folder is one of this pool, and of the domain that is wanted.
fn belongs(document: &Document, options: &ServerOptions) -> Result<()> {
    in_pool(document, &options.pool)?;
    let Some(wanted) = &options.domain else { return Ok(()) };
    let domains: Vec<&str> = document.domains.iter().map(|domain| domain.name.as_str()).collect();
    if !domains.contains(&wanted.as_str()) {
        bail!(
            "the folder {} belongs to the domain {}, not to {wanted}: start with --domain {}, or name another folder",
            options.data.display(),
            domains.join(", "),
            domains.first().unwrap_or(&"NAME"),
        );
    }
    Ok(())
}

/// The pool of a node is one of the document.
pub fn in_pool(document: &Document, wanted: &str) -> Result<()> {
    let pools: Vec<&str> = document.pools().map(|(_, pool)| pool.name.as_str()).collect();
    if pools.contains(&wanted) {
        return Ok(());
    }
    let pools = pools.join(", ");
    bail!(
        "the node is to be in the pool {wanted}, and the topology has {pools}: correct `pool` in the node file, or add the pool"
    )
}

/// The directory as it is stored.
fn directory(store: &Store) -> Result<Directory> {
    let stored = store.directory().map_err(|error| anyhow!("{error}"))?;
    stored.into_directory().map_err(|error| anyhow!("{error}"))
}

/// Whether further users fit: in the domain, the pool, and beside who is there.
pub fn checked(snapshot: &Snapshot, users: Vec<UserRecord>) -> Result<()> {
    let mut directory = snapshot.directory().clone();
    let highest = directory.users().map(|user| user.id.0).max().unwrap_or(0);
    for (number, mut user) in users.into_iter().enumerate() {
        if directory.get(&user.address).is_some() {
            continue;
        }
        user.id = UserId(highest.saturating_add(1 + number as u32));
        directory.insert(user).map_err(|error| anyhow!("{error}"))?;
    }
    snapshot.with_directory(directory).map(|_| ()).map_err(|problems| listed(&problems))
}

fn compile(document: &Document, directory: Directory) -> Result<Snapshot> {
    Snapshot::compile(document, directory).map_err(|problems| listed(&problems))
}

fn listed(problems: &[Problem]) -> anyhow::Error {
    crate::preflight::listed("topology and directory do not fit together", problems)
}
