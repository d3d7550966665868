//! Floors 0 and 1 are functions of their input; tokio, SQL and the world stay above.

use super::floors::PURE;
use super::manifest::members;
use super::source::{Source, line_of, places};
use super::{Finding, Tree};

/// What a pure crate may not say, and what it says instead.
const IMPURE: &[(&str, &str)] = &[
    ("Instant", "time is a parameter: take a `sip::Now`"),
    ("SystemTime", "time is a parameter: take a `sip::Now`"),
    ("std::fs", "files belong to `store`"),
    ("std::io", "floors 0 and 1 do no IO; take and return bytes"),
    ("std::env", "settings come from the `Snapshot`"),
    ("std::process", "engines start nothing"),
    ("std::thread", "engines spawn nothing; the roles own the threads"),
    ("thread::spawn", "engines spawn nothing; the roles own the threads"),
    ("UdpSocket", "sockets belong to `net`"),
    ("TcpStream", "sockets belong to `net`"),
    ("TcpListener", "sockets belong to `net`"),
    ("ToSocketAddrs", "names are looked up in `net`"),
    ("tokio", "no runtime below floor 2"),
    ("thread_rng", "randomness is drawn from a generator passed in"),
    ("OsRng", "randomness is drawn from a generator passed in"),
    ("getrandom", "randomness is drawn from a generator passed in"),
    ("RandomState", "a hash seeded by the system differs from run to run; pass a seed"),
    ("println!", "engines return events; they print nothing"),
    ("eprintln!", "engines return events; they print nothing"),
    ("thread_local!", "state lives in the engine, not in the thread"),
    ("static mut", "state lives in the engine"),
];

/// Sources that wrap a library with a clock or randomness of its own, with the reason.
const WRAPPERS: &[(&str, &str)] = &[(
    "crates/media/src/web/moment.rs",
    "str0m's ICE and DTLS measure with the system's clock type; their owner says which moment zero is (decision 0020)",
)];

/// Dependencies that bring a runtime, sockets or the system's randomness.
const RUNTIMES: &[&str] = &[
    "tokio",
    "mio",
    "async-std",
    "smol",
    "socket2",
    "rand",
    "getrandom",
    "quinn-udp",
    "nix",
    "libc",
    "rustix",
    "hyper",
    "axum",
];

/// Drivers and tools that speak SQL.
const SQL_CRATES: &[&str] =
    &["rusqlite", "libsqlite3-sys", "tokio-postgres", "postgres", "sqlx", "diesel", "refinery", "deadpool-postgres"];

/// How a statement begins; upper case is the house's way to write SQL.
const SQL_STARTS: &[&str] = &[
    "SELECT ",
    "INSERT INTO ",
    "INSERT OR ",
    "UPDATE ",
    "DELETE FROM ",
    "CREATE TABLE ",
    "CREATE INDEX ",
    "CREATE UNIQUE ",
    "DROP TABLE ",
    "ALTER TABLE ",
    "PRAGMA ",
    "BEGIN IMMEDIATE",
    "VACUUM",
];

fn in_crate(path: &str, name: &str) -> bool {
    path.strip_prefix("crates/").and_then(|rest| rest.strip_prefix(name)).is_some_and(|rest| rest.starts_with("/src/"))
}

/// Floors 0 and 1 read no clock, open nothing, start nothing and draw no randomness of their own.
pub fn pure(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for source in tree.rust().filter(|source| PURE.iter().any(|name| in_crate(source.path, name))) {
        if WRAPPERS.iter().any(|(path, _)| *path == source.path) {
            continue;
        }
        let shipped = source.shipped();
        for (word, instead) in IMPURE {
            for at in places(&shipped, word) {
                let place = format!("{}:{}", source.path, line_of(&shipped, at));
                found.push(Finding::new(place, format!("`{word}`: {instead}")));
            }
        }
    }
    found
}

/// No runtime below floor 2, not even as a dependency (for tests neither: they move the clock).
pub fn runtime(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for manifest in members(tree).values().filter(|manifest| PURE.contains(&manifest.name)) {
        for name in manifest.all().filter(|name| RUNTIMES.contains(name)) {
            found.push(Finding::new(manifest.path, format!("`{name}` has no place below floor 2")));
        }
    }
    found
}

/// SQL only in `store`: neither a driver nor a statement anywhere else.
pub fn sql(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for manifest in members(tree).values().filter(|manifest| manifest.name != "store") {
        for name in manifest.all().filter(|name| SQL_CRATES.contains(name)) {
            found.push(Finding::new(manifest.path, format!("`{name}`: SQL lives in `store` only")));
        }
    }
    let elsewhere = |source: &Source<'_>| !in_crate(source.path, "store") && !source.path.starts_with("xtask/");
    for source in tree.rust().filter(|source| elsewhere(source) && !source.is_test()) {
        for (number, line) in source.text.lines().enumerate() {
            if statement(line) {
                let place = format!("{}:{}", source.path, number + 1);
                found.push(Finding::new(place, "an SQL statement: ask `store` a question instead"));
            }
        }
    }
    found
}

/// Whether a string on this line begins like a statement.
fn statement(line: &str) -> bool {
    line.split('"').skip(1).step_by(2).any(|text| SQL_STARTS.iter().any(|start| text.trim_start().starts_with(start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(rule: fn(&Tree) -> Vec<Finding>, path: &str, text: &str) -> usize {
        rule(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn every_impure_word_is_found_in_a_pure_crate() {
        for (word, _) in IMPURE {
            let text = format!("//! Docs.\nfn f() {{ {word} }}\n");
            assert!(found(pure, "crates/sip/src/a.rs", &text) >= 1, "{word}");
            assert_eq!(found(pure, "crates/net/src/a.rs", &text), 0, "{word}");
        }
    }

    #[test]
    fn comments_strings_and_tests_may_speak_of_clocks() {
        let text = "// Instant\nfn f() { g(\"Instant\") }\n#[cfg(test)]\nmod tests { fn h() { Instant::now(); } }\n";
        assert_eq!(found(pure, "crates/users/src/a.rs", text), 0);
        assert_eq!(found(pure, "crates/users/tests/a.rs", "fn f() { std::fs::read(x) }"), 0);
    }

    #[test]
    fn a_runtime_below_floor_2_is_found() {
        let text = "[dev-dependencies]\ntokio = \"1\"\n";
        assert_eq!(found(runtime, "crates/topology/Cargo.toml", text), 1);
        assert_eq!(found(runtime, "crates/net/Cargo.toml", text), 0);
    }

    #[test]
    fn sql_outside_the_store_is_found() {
        let text = "fn f() { run(\"SELECT name FROM users\") }";
        assert_eq!(found(sql, "crates/web/src/a.rs", text), 1);
        assert_eq!(found(sql, "crates/store/src/a.rs", text), 0);
        assert_eq!(found(sql, "crates/web/src/a.rs", "fn f() { say(\"Select one of these\") }"), 0);
        assert_eq!(found(sql, "crates/web/Cargo.toml", "[dependencies]\nrusqlite = \"0.41\"\n"), 1);
    }
}
