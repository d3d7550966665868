//! One change among 100,000 users. The bound is the issue's: 5 ms of CPU from request to snapshot.

use crate::support::Server;
use serde_json::json;

/// CPU of this process's threads so far, in clock ticks of 10 ms, as the kernel counts it.
fn cpu_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<&str> = stat.rsplit(')').next().expect("fields").split_whitespace().collect();
    (fields[11].parse::<u64>().expect("a number") + fields[12].parse::<u64>().expect("a number")) * 10
}

#[tokio::test]
async fn a_one_user_change_among_100_000_costs_little() {
    let server = Server::new();
    let csv: String = (0..100_000).map(|n| format!("user{n:06};password{n}\n")).collect();
    let begun = std::time::Instant::now();
    let done = server.local("POST", "/users/import", Some(json!(csv))).await.ok();
    assert_eq!(done["created"], 100_000);
    println!("import of 100,000 users: {:?}", begun.elapsed());

    const CHANGES: u64 = 100;
    let (cpu, begun) = (cpu_ms(), std::time::Instant::now());
    for n in 0..CHANGES {
        let change = json!({ "display_name": format!("Name {n}") });
        server.local("PATCH", &format!("/users/user{:06}", n * 997), Some(change)).await.ok();
    }
    let (cpu, wall) = ((cpu_ms() - cpu) as f64 / CHANGES as f64, begun.elapsed() / CHANGES as u32);
    println!("one-user change: {cpu} ms of CPU, {wall:?} until live");
    // Generous beside the goal of 5 ms: this runs unoptimised and beside other tests.
    assert!(cpu <= 20.0, "{cpu} ms of CPU");

    let begun = std::time::Instant::now();
    server.local("GET", "/users?limit=100&filter=user09*", None).await.ok();
    println!("one filtered page of 100,000: {:?}", begun.elapsed());
}
