//! CPU of making registrations durable, and of an import: `cargo run --release -p lyceum-store
//! --example commit_cost -- FOLDER`. Registers at a set rate through one worker and takes the
//! CPU of the writer and upkeep threads.

use lyceum_sip::digest::Ha1;
use lyceum_sip::time::{Now, Time, WallTime};
use lyceum_store::{BindingWriterOptions, By, ImportUser, MasterKey, Options, Store};
use lyceum_topology::{AddressOfRecord, RegistrarPolicy, UserId, UserRecord, routing_group};
use lyceum_users::{ContactIntent, Contacts, Group, Journal, RegisterIntent};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant, SystemTime};

/// CPU of the store's threads so far, in µs, from Linux's accounting.
fn threads() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux lists a process's threads");
    let of = |dir: std::path::PathBuf| {
        let name = std::fs::read_to_string(dir.join("comm")).ok()?;
        let stat = std::fs::read_to_string(dir.join("schedstat")).ok()?;
        let nanoseconds: f64 = stat.split(' ').next()?.parse().ok()?;
        name.starts_with("binding-").then_some(nanoseconds / 1e3)
    };
    tasks.flatten().filter_map(|task| of(task.path())).sum()
}

fn register(groups: &mut [Group], journal: &mut Journal, user: u32, cseq: u32) {
    let aor = format!("user{user:05}@example.org");
    let uri = format!("sip:user{user:05}@192.0.2.17:50601;ob");
    let contacts = [ContactIntent::new(uri.as_bytes())];
    let mut intent = RegisterIntent::new(&aor, UserId(user + 1), Contacts::List(&contacts));
    (intent.call_id, intent.cseq, intent.branch_hash) = (aor.as_bytes(), cseq, u64::from(cseq));
    (intent.flow, intent.user_agent) = (&[7; 12], b"baresip v1.0.0 (x86_64/linux)");
    let wall = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_millis() as u64;
    let now = Now { mono: Time(0), wall: WallTime(wall) };
    let group = &mut groups[usize::from(routing_group(&aor))];
    group.register(now, &RegistrarPolicy::default(), &intent, journal).expect("the intent is in order");
}

fn rate(store: &Store, per_second: u32, interval: Duration, users: u32, seconds: u32) {
    let (post, reports) = sync_channel(4096);
    let options = BindingWriterOptions { interval, ..BindingWriterOptions::default() };
    let writer = store.binding_writer(options, move |r| drop(post.send(r))).expect("the writer starts");
    let mut groups: Vec<Group> = store.load_groups().expect("the groups load").into_iter().map(|l| l.group).collect();
    let mut journal = Journal::new();
    let base = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs() as u32;
    let (start, before) = (Instant::now(), threads());
    let (total, mut sent) = (per_second * seconds, 0);
    while sent < total {
        let due = (start.elapsed().as_secs_f64() * f64::from(per_second)) as u32;
        while sent < due.min(total) {
            register(&mut groups, &mut journal, sent % users, base + sent / users);
            sent += 1;
        }
        if let Some((seq, block)) = journal.take() {
            writer.submit(0, seq, block).expect("the queue has room");
        }
        reports.try_iter().for_each(|r| {
            r.result.expect("the disk takes it");
            journal.committed(r.upto);
        });
        std::thread::sleep(Duration::from_micros(500));
    }
    let used = threads() - before;
    writer.stop();
    let (commits, entries) = (writer.commits() as f64, writer.entries() as f64);
    println!(
        "{per_second}/s, {} ms: {:.1} entries per commit, {:.1} us CPU per commit, {:.2} us per REGISTER",
        interval.as_millis(),
        entries / commits,
        used / commits,
        used / entries
    );
}

fn main() {
    let only: Option<u32> = std::env::args().nth(2).and_then(|a| a.parse().ok());
    let dir = std::path::PathBuf::from(std::env::args().nth(1).expect("a folder to work in"));
    let store = Store::open(&dir, MasterKey::from_bytes([1; 32]), &Options::node("n")).expect("the folder opens");
    let ms = Duration::from_millis;
    for (per_second, interval) in
        [(1_000, ms(5)), (1_000, ms(10)), (1_000, ms(20)), (4_000, ms(5)), (8_000, ms(5)), (40_000, ms(5))]
    {
        if only.is_none_or(|only| only == per_second) {
            rate(&store, per_second, interval, 20_000, 6);
        }
    }
    let start = Instant::now();
    let secret = Ha1::of(b"x", b"example.org", b"pw");
    let users = (0..100_000).map(|i| {
        let address = AddressOfRecord::parse(&format!("user{i:06}@example.org")).expect("a plain address");
        ImportUser { record: UserRecord::new(UserId(0), address, "pool1"), secret: Some(secret.clone()) }
    });
    let report = store.import_users(users, By { who: "bench", at: WallTime(0) }, |_| {}).expect("the import runs");
    println!("import of {} users: {:?}", report.added + report.replaced, start.elapsed());
    let start = Instant::now();
    let count = store.directory().expect("the directory reads").users.len();
    println!("directory of {count} read in {:?}", start.elapsed());
    let start = Instant::now();
    println!("{} secrets opened in {:?}", store.credentials().expect("they open").len(), start.elapsed());
    let start = Instant::now();
    let groups = store.load_groups().expect("the groups load");
    let replayed: u64 = groups.iter().map(|g| g.replayed).sum();
    let bound: usize = groups.iter().map(|g| g.group.addresses()).sum();
    println!("{bound} addresses loaded, {replayed} entries replayed, in {:?}", start.elapsed());
}
