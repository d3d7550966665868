//! How long changes take with many users: `cargo run --release -p lyceum-topology --example scale [users]`.
//!
//! The times are of this machine; what holds everywhere is the number of shards copied, which
//! `tests/directory.rs` asserts.

use lyceum_topology::policy::RegistrarSettings;
use lyceum_topology::{AddressOfRecord, Directory, Document, DomainName, LineUri, Snapshot, UserId, UserRecord};
use std::hint::black_box;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let users: u32 = std::env::args().nth(1).map_or(Ok(100_000), |text| text.parse())?;
    let domain = DomainName::parse("contoso.com")?;
    let document = Document::dev(domain.clone(), domain);

    let resident = resident_kib();
    let begun = Instant::now();
    let mut directory = Directory::default();
    for id in 0..users {
        directory.insert(record(id, "")?)?;
    }
    let snapshot = Snapshot::compile(&document, directory).map_err(|problems| problems[0].to_string())?;
    println!("full import and compile of {users} users: {:?} (bound 5 s)", begun.elapsed());
    let grown = resident_kib().saturating_sub(resident);
    println!("memory per user: {} bytes", u64::from(grown) * 1024 / u64::from(users.max(1)));

    const CHANGES: u32 = 200;
    let begun = Instant::now();
    let mut shards = 0;
    for n in 0..CHANGES {
        let directory = snapshot.directory().with(record(n * 7919 % users, "changed")?)?;
        let next = snapshot.with_directory(directory).map_err(|problems| problems[0].to_string())?;
        shards += next.directory().shards_copied_since(snapshot.directory());
        black_box(next);
    }
    println!(
        "one-user change: {:?} (bound 5 ms), {} shards of {}",
        begun.elapsed() / CHANGES,
        shards / CHANGES as usize,
        5 * 1024
    );

    let mut policy = document.clone();
    policy.policies.registrar.global = RegistrarSettings { max_endpoints: Some(12), ..RegistrarSettings::default() };
    let begun = Instant::now();
    black_box(Snapshot::compile(&policy, snapshot.directory().clone()).map_err(|problems| problems[0].to_string())?);
    println!("policy change: {:?} (bound 500 ms)", begun.elapsed());

    println!("is_our_domain: {:?}", each(|_| snapshot.is_our_domain(black_box(b"Contoso.com"))));
    let names: Vec<String> = (0..1000).map(|n| format!("User{}", n * 97 % users)).collect();
    println!("user: {:?}", each(|n| snapshot.user(names[n % 1000].as_bytes(), b"contoso.com").is_some()));
    let found: Vec<_> = names.iter().filter_map(|name| snapshot.user(name.as_bytes(), b"contoso.com")).collect();
    println!("registrar_policy: {:?}", each(|n| snapshot.registrar_policy(found[n % found.len()]).max_endpoints > 0));
    Ok(())
}

fn record(id: u32, note: &str) -> Result<UserRecord, Box<dyn std::error::Error>> {
    let mut user = UserRecord::new(UserId(id), AddressOfRecord::parse(&format!("user{id}@contoso.com"))?, "pool1");
    user.display_name = Some(format!("User Number {id} {note}").into());
    user.numbers = [LineUri::parse(&format!("+4930{id:07}"))?].into();
    Ok(user)
}

fn each(mut work: impl FnMut(usize) -> bool) -> Duration {
    const TIMES: u32 = 1_000_000;
    let begun = Instant::now();
    let mut found = true;
    for n in 0..TIMES as usize {
        found &= black_box(work(n));
    }
    assert!(found);
    begun.elapsed() / TIMES
}

fn resident_kib() -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or_default()
}
