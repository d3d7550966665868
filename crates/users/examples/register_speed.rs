//! CPU of a refresh and of a first registration, without IO: `cargo run --release -p lyceum-users
//! --example register_speed`.

use lyceum_sip::time::{Now, Time, WallTime};
use lyceum_topology::{RegistrarPolicy, UserId, routing_group};
use lyceum_users::{ContactIntent, Contacts, Group, Journal, RegisterIntent};
use std::time::Instant;

const USERS: u32 = 50_000;

fn main() {
    let names: Vec<(String, String, String)> = (0..USERS)
        .map(|i| {
            (
                format!("user{i:05}@example.org"),
                format!("sip:user{i:05}@192.0.2.17:50601;ob"),
                format!("{i}-7d1a0b3c9f@192.0.2.17"),
            )
        })
        .collect();
    let mut groups: Vec<Group> = (0..=255).map(Group::new).collect();
    let mut journal = Journal::new();
    let policy = RegistrarPolicy::default();
    for round in 1..=6u32 {
        let now = Now { mono: Time(0), wall: WallTime(1_700_000_000_000 + u64::from(round)) };
        let (start, mut bytes) = (Instant::now(), 0);
        for (user, (aor, uri, call_id)) in (0..).zip(&names) {
            let contacts = [ContactIntent::new(uri.as_bytes())];
            let mut intent = RegisterIntent::new(aor, UserId(user), Contacts::List(&contacts));
            (intent.call_id, intent.cseq, intent.branch_hash) = (call_id.as_bytes(), round, u64::from(round));
            (intent.flow, intent.user_agent) = (&[7; 12], b"baresip v1.0.0 (x86_64/linux)");
            let group = &mut groups[usize::from(routing_group(aor))];
            let answer = group.register(now, &policy, &intent, &mut journal).expect("the intent is in order");
            assert_eq!(answer.bindings.count(), 1);
            if journal.entries() == 256 {
                let (seq, block) = journal.take().expect("256 entries wait");
                bytes += block.bytes().len();
                journal.committed(seq);
            }
        }
        let each = start.elapsed().as_nanos() / u128::from(USERS);
        let what = if round == 1 { "first registration" } else { "refresh" };
        println!("{what}: {each} ns, {} journal bytes each", bytes / USERS as usize);
    }
}
