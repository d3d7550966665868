//! A backup that was taken under load brings everything back, and opens with the master key only.

#[allow(dead_code, reason = "the endpoint also calls; here it signs in")]
#[path = "../src/probe/endpoint.rs"]
mod endpoint;
mod support;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use endpoint::{Account, Endpoint, ProbeError};
use support::{Scratch, Server, done, lyceum, str, text};

const DOMAIN: &str = "backup.test";
const USERS: usize = 30;

fn account(number: usize) -> Account {
    Account { user: format!("user{number}"), domain: DOMAIN.into(), password: format!("sesame-{number}-open") }
}

fn sign_in(server: SocketAddr, account: &Account) -> Result<(), ProbeError> {
    Endpoint::open(server, account)?.register(600).map(drop)
}

/// Signs everybody in again and again until told to stop; gives the number of answers.
fn load(server: SocketAddr, stop: &AtomicBool, answered: &AtomicU32) {
    let mut endpoints: Vec<_> = (0..USERS).map(|n| Endpoint::open(server, &account(n)).unwrap()).collect();
    while !stop.load(Ordering::Relaxed) {
        for endpoint in &mut endpoints {
            endpoint.register(600).expect("a registration during the backup");
            answered.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn backup_under_load(server: &Server, folder: &Path, file: &Path) {
    let (stop, answered) = (AtomicBool::new(false), AtomicU32::new(0));
    let udp = server.address("udp");
    std::thread::scope(|scope| {
        scope.spawn(|| load(udp, &stop, &answered));
        // Everybody is signed in once before the backup begins.
        while answered.load(Ordering::Relaxed) < USERS as u32 {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let before = answered.load(Ordering::Relaxed);
        let said = done(&["backup", str(file), "--data", str(folder), "--output", "json"]);
        assert!(said.contains("\"done\""), "{said}");
        stop.store(true, Ordering::Relaxed);
        assert!(answered.load(Ordering::Relaxed) > before, "nobody was served during the backup");
    });
}

fn names(json: &str, key: &str) -> Vec<String> {
    let list: serde_json::Value = serde_json::from_str(json).unwrap();
    let mut names: Vec<String> =
        list.as_array().unwrap().iter().filter_map(|item| item[key].as_str()).map(str::to_owned).collect();
    names.sort();
    names
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_backup_under_load_brings_everything_back() {
    let scratch = Scratch::new();
    let (old, new, file) = (scratch.path("old"), scratch.path("new"), scratch.path("all.backup"));
    let lines: String = (0..USERS).map(account).map(|a| format!("{};{}\n", a.user, a.password)).collect();
    let users = scratch.write("users.csv", &format!("user;password\n{lines}"));

    let server = Server::start(&old, &["--domain", DOMAIN, "--users", str(&users)]);
    done(&["domain", "new", "second.test", "--data", str(&old)]);
    backup_under_load(&server, &old, &file);
    let get = |folder: &Path, noun: &str, key: &str| {
        names(&done(&[noun, "get", "--data", str(folder), "--output", "json"]), key)
    };
    let registered = get(&old, "registration", "address");
    let (all_users, domains) = (get(&old, "user", "address"), get(&old, "domain", "name"));
    assert!(registered.len() == USERS && domains.len() == 2, "{registered:?} {domains:?}");
    let again = lyceum(&["backup", str(&file), "--data", str(&old)]);
    assert!(!again.status.success() && text(&again.stderr).contains("is there already"), "{}", text(&again.stderr));
    let busy = lyceum(&["restore", str(&file), "--data", str(&old), "--yes"]);
    assert!(!busy.status.success() && text(&busy.stderr).contains("in use by the server"), "{}", text(&busy.stderr));
    assert!(server.stop().success());

    the_key_is_not_in(&file, &old);
    std::fs::create_dir_all(new.join("key")).unwrap();
    std::fs::copy(old.join("key/master.key"), new.join("key/master.key")).unwrap();
    done(&["restore", str(&file), "--data", str(&new), "--yes"]);
    let server = Server::start(&new, &["--domain", DOMAIN, "--users", str(&users)]);
    assert_eq!(get(&new, "registration", "address"), registered);
    assert_eq!(get(&new, "user", "address"), all_users);
    assert_eq!(get(&new, "domain", "name"), domains);
    assert!(sign_in(server.address("udp"), &account(7)).is_ok());
    let wrong = Account { password: "wrong".into(), ..account(8) };
    assert!(matches!(sign_in(server.address("udp"), &wrong), Err(ProbeError::Answer { .. })));
    assert!(server.stop().success());

    a_folder_in_use_is_refused(&file, &new);
    without_its_key_nothing_starts(&file, &scratch.path("other"));
}

fn the_key_is_not_in(file: &Path, old: &Path) {
    let backup = std::fs::read(file).unwrap();
    let hex = std::fs::read_to_string(old.join("key/master.key")).unwrap();
    let hex = hex.trim();
    let raw: Vec<u8> = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
    assert!(raw.len() == 32 && contains(&backup, b"user7@backup.test"), "the backup holds the users");
    assert!(!contains(&backup, hex.as_bytes()) && !contains(&backup, &raw), "the master key is in the backup");
    assert!(!contains(&backup, account(7).password.as_bytes()), "a password is in the backup");
    assert_eq!(rustix::fs::stat(file).unwrap().st_mode & 0o777, 0o600);
}

fn a_folder_in_use_is_refused(file: &Path, new: &Path) {
    let before = std::fs::read(new.join("data/lyceum.db")).unwrap();
    for what_if in [&["--what-if"][..], &[]] {
        let refused = lyceum(&[&["restore", str(file), "--data", str(new), "--yes"][..], what_if].concat());
        let said = text(&refused.stderr);
        assert!(refused.status.code() == Some(1) && said.contains("is not empty"), "{said}");
    }
    assert_eq!(std::fs::read(new.join("data/lyceum.db")).unwrap(), before);
}

fn without_its_key_nothing_starts(file: &Path, other: &Path) {
    done(&["restore", str(file), "--data", str(other), "--yes"]);
    let start = |folder: &Path| {
        let free = ["--sip", "127.0.0.1:0", "--tls", "127.0.0.1:0", "--https", "127.0.0.1:0"];
        let output = lyceum(&[&["dev", "--json", "--data", str(folder)][..], &free].concat());
        assert_eq!(output.status.code(), Some(1));
        text(&output.stderr)
    };
    let said = start(other);
    assert!(said.contains("master key file") && said.contains("needs it") && said.lines().count() == 1, "{said}");
    std::fs::create_dir_all(other.join("key")).unwrap();
    let key = other.join("key/master.key");
    std::fs::write(&key, "ab".repeat(32)).unwrap();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let said = start(other);
    assert!(said.contains("does not open the secrets") && said.lines().count() == 1, "{said}");
}
