//! A worker as the front-end runs one: groups, a journal, and reports from the store.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod messages;

use lyceum_sip::time::{Now, Time, WallTime};
use lyceum_store::{BindingError, BindingWriter, BindingWriterOptions, By, Committed, MasterKey, Options, Store};
use lyceum_topology::{RegistrarPolicy, UserId, routing_group};
use lyceum_users::{ContactIntent, Contacts, Group, Journal, RegisterIntent};
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub const KEY: [u8; 32] = [7; 32];

pub fn open(dir: &Path) -> Store {
    Store::open(dir, MasterKey::from_bytes(KEY), &Options::node("node1")).unwrap()
}

pub fn by(who: &str) -> By<'_> {
    By { who, at: WallTime(1_000) }
}

pub fn now() -> Now {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Now { mono: Time(since.as_micros() as u64), wall: WallTime(since.as_millis() as u64) }
}

pub fn address(user: u32) -> String {
    format!("user{user:05}@example.org")
}

pub struct Worker {
    pub groups: Vec<Group>,
    pub journal: Journal,
    pub writer: BindingWriter,
    reports: Receiver<Committed>,
}

impl Worker {
    pub fn start(store: &Store, options: BindingWriterOptions) -> Worker {
        let groups = store.load_groups().unwrap().into_iter().map(|l| l.group).collect();
        let (post, reports) = sync_channel(4096);
        let writer = store.binding_writer(options, move |report| drop(post.send(report))).unwrap();
        Worker { groups, journal: Journal::new(), writer, reports }
    }

    /// One REGISTER; nothing is submitted yet.
    pub fn register(&mut self, user: u32, cseq: u32) {
        let aor = address(user);
        let uri = format!("sip:user{user:05}@192.0.2.17:50601;ob=x");
        let contacts = [ContactIntent { expires: Some(900), ..ContactIntent::new(uri.as_bytes()) }];
        let mut intent = RegisterIntent::new(&aor, UserId(user + 1), Contacts::List(&contacts));
        let call_id = format!("{user}@192.0.2.17");
        (intent.call_id, intent.cseq, intent.branch_hash) = (call_id.as_bytes(), cseq, u64::from(cseq));
        (intent.flow, intent.user_agent) = (&[7; 12], b"baresip v1.0.0 (x86_64/linux)");
        let group = &mut self.groups[usize::from(routing_group(&aor))];
        group.register(now(), &RegistrarPolicy::default(), &intent, &mut self.journal).unwrap();
    }

    /// Submits the open block.
    pub fn submit(&mut self) -> Option<u64> {
        let (seq, block) = self.journal.take()?;
        if self.writer.submit(0, seq, block).is_err() {
            for undo in self.journal.handed_back(seq) {
                self.groups[usize::from(undo.group())].undo(undo);
            }
            return None;
        }
        Some(seq)
    }

    /// Waits for one report and settles it.
    pub fn settle(&mut self) -> (u64, Result<(), BindingError>) {
        let report = self.reports.recv_timeout(Duration::from_secs(20)).expect("the writer reports on every block");
        match &report.result {
            Ok(()) => self.journal.committed(report.upto),
            Err(_) => {
                for undo in self.journal.failed(report.upto).unwrap_or_default() {
                    self.groups[usize::from(undo.group())].undo(undo);
                }
            }
        }
        (report.upto, report.result)
    }

    /// Submits and waits until it is durable.
    pub fn commit(&mut self) -> Result<(), BindingError> {
        let Some(seq) = self.submit() else { return Ok(()) };
        loop {
            let (upto, result) = self.settle();
            if upto >= seq || result.is_err() {
                return result;
            }
        }
    }

    pub fn seen(&self) -> Vec<String> {
        seen(&self.groups)
    }
}

pub fn seen(groups: &[Group]) -> Vec<String> {
    let now = now();
    let mut all: Vec<String> = groups
        .iter()
        .flat_map(|g| g.iter(now))
        .map(|a| format!("{} {:?} {:?}", a.aor, a.user, a.bindings.collect::<Vec<_>>()))
        .collect();
    all.sort();
    all
}

pub fn stored(store: &Store) -> Vec<String> {
    let groups: Vec<Group> = store.load_groups().unwrap().into_iter().map(|l| l.group).collect();
    seen(&groups)
}

/// CSeq of the stored binding of a user, 0 for none.
pub fn cseq(groups: &[Group], user: u32) -> u32 {
    let aor = address(user);
    groups[usize::from(routing_group(&aor))].bindings(now(), &aor).next().map_or(0, |b| b.cseq())
}

/// A copy of the files as another process would find them, without SQLite's shared memory.
pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    // The writer goes on folding behind its report. Two readings that are alike were one moment between them, as a disk
    // has it when the power fails; files copied one after the other while they change are none.
    let mut files = read_files(from);
    loop {
        let again = read_files(from);
        if again == files {
            break;
        }
        files = again;
    }
    for (name, bytes) in files {
        std::fs::write(to.join(name), bytes).unwrap();
    }
}

fn read_files(folder: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let kept = files.filter_map(|entry| {
        let name = entry.file_name().into_string().unwrap();
        let is_kept = entry.file_type().ok()?.is_file() && !name.ends_with("-shm") && name != "lock";
        // A journal may go while it is looked at.
        is_kept.then(|| Some((name, std::fs::read(entry.path()).ok()?))).flatten()
    });
    kept.collect()
}

/// Runs one test of this file again, in a process of its own.
pub fn child(test: &str, dir: &Path) -> std::process::Command {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env("LYCEUM_TEST_CHILD", dir);
    command
}

/// The data folder, in a process started by [`child`].
pub fn child_dir() -> Option<std::path::PathBuf> {
    std::env::var_os("LYCEUM_TEST_CHILD").map(Into::into)
}
