//! Users of a directory server, and secrets shown elsewhere.

use lyceum_sip::WallTime;
use lyceum_sip::digest::Ha1;
use lyceum_store::{AccountChange, AuditQuery, By, MasterKey, Options, PageEnd, Store, Vouched};
use lyceum_topology::accounts::{Account, Standing};
use lyceum_topology::{AddressOfRecord, UserId, UserRecord};

const BY: By<'_> = By { who: "accounts.ldap", at: WallTime(1) };

fn open(dir: &tempfile::TempDir, key: &MasterKey) -> Store {
    Store::open(&dir.path().join("data"), key.clone(), &Options::node("node1")).expect("the store opens")
}

fn anna() -> (UserRecord, Account) {
    let address = AddressOfRecord::parse("anna@example.org").expect("an address");
    let account = Account { user: UserId(0), id: "7".into(), dn: "uid=anna".into(), standing: Standing::Present };
    (UserRecord::new(UserId(0), address, "pool1"), account)
}

#[test]
fn a_user_and_what_ties_them_are_written_changed_and_removed_as_one() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(&dir, &MasterKey::generate());
    let (user, account) = anna();
    store.put_accounts(vec![AccountChange::New(user, Ha1::of(b"a", b"b", b"c"), account)], BY).expect("written");
    let mut found = store.accounts().expect("readable");
    let user = found[0].user;
    assert_eq!((found.len(), store.account(user).expect("readable")), (1, found.pop()));
    assert!(store.credential(user).expect("readable").is_some());

    let mut record = store.user(user).expect("readable").expect("there");
    record.enabled = false;
    let gone = Account { user, standing: Standing::Gone, ..anna().1 };
    store.put_accounts(vec![AccountChange::Set(record, gone.clone())], BY).expect("written");
    assert_eq!(store.account(user).expect("readable"), Some(gone));
    store.put_accounts(vec![AccountChange::Remove(user)], BY).expect("written");
    assert_eq!((store.accounts().expect("readable"), store.user(user).expect("readable")), (Vec::new(), None));
    let lines = store.audit(&AuditQuery::default()).expect("readable");
    let whats: Vec<&str> = lines.iter().map(|line| line.what.as_str()).collect();
    assert_eq!(whats, ["user.remove", "user.put", "user.put"]);
    assert!(lines.iter().all(|line| line.object == "anna@example.org" && line.who == "accounts.ldap"));
}

#[test]
fn a_secret_is_sealed_survives_a_new_key_and_is_in_no_line() {
    let dir = tempfile::tempdir().expect("a folder");
    let (old, new) = (MasterKey::generate(), MasterKey::generate());
    let store = open(&dir, &old);
    assert_eq!(store.secret("accounts.ldap").expect("readable"), None);
    store.secret_put("accounts.ldap", Some("hunter2"), BY).expect("written");
    assert_eq!(store.secret("accounts.ldap").expect("readable").as_deref(), Some("hunter2"));
    assert_eq!(store.secret("accounts.oidc").expect("readable"), None);
    store.rotate_key(&new, BY).expect("rotated");
    assert_eq!(store.secret("accounts.ldap").expect("readable").as_deref(), Some("hunter2"));
    let lines = format!("{:?}", store.audit(&AuditQuery::default()).expect("readable"));
    assert!(lines.contains("secret.put") && !lines.contains("hunter2"), "{lines}");
    drop(store);
    for file in std::fs::read_dir(dir.path().join("data")).expect("the folder").flatten() {
        let bytes = std::fs::read(file.path()).unwrap_or_default();
        assert!(!bytes.windows(7).any(|window| window == b"hunter2"), "{:?}", file.path());
    }
    let store = open(&dir, &new);
    assert_eq!(store.secret("accounts.ldap").expect("readable").as_deref(), Some("hunter2"));
    store.secret_put("accounts.ldap", None, BY).expect("removed");
    assert_eq!(store.secret("accounts.ldap").expect("readable"), None);
}

#[test]
fn a_user_is_one_person_of_the_issuer_until_untied() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(&dir, &MasterKey::generate());
    let user = store.user_put(anna().0, None, BY).expect("written").id;
    let person = |subject: &str| Vouched { issuer: "https://login.example".into(), subject: subject.into() };
    assert_eq!(store.vouched(user).expect("readable"), None);
    store.vouched_tie(user, &person("a"), "anna@example.org", BY).expect("written");
    assert_eq!(store.vouched(user).expect("readable"), Some(person("a")));
    let users = ["a", "b"].map(|subject| store.vouched_user(&person(subject)).expect("readable"));
    assert_eq!(users, [Some(user), None]);
    assert!(store.vouched_untie(user, "anna@example.org", BY).expect("written"));
    assert!(!store.vouched_untie(user, "anna@example.org", BY).expect("written"));
    assert_eq!(store.vouched(user).expect("readable"), None);
    let lines = store.audit(&AuditQuery::default()).expect("readable");
    let whats: Vec<&str> = lines.iter().map(|line| line.what.as_str()).collect();
    assert_eq!(whats, ["user.untie", "user.tie", "user.put"]);
}

#[test]
fn ends_of_sessions_survive_a_restart_until_their_tokens_have_run_out() {
    let (dir, key) = (tempfile::tempdir().expect("a folder"), MasterKey::generate());
    let store = open(&dir, &key);
    let user = store.user_put(anna().0, None, BY).expect("written").id;
    let end = |device, at| PageEnd { user, device, at: WallTime(at) };
    for one in [end(Some(u64::MAX), 5), end(None, 6), end(Some(u64::MAX), 7)] {
        store.page_end(one, WallTime(0)).expect("written");
    }
    drop(store);
    let store = open(&dir, &key);
    let mut found = store.page_ends().expect("readable");
    found.sort_by_key(|end| end.at);
    assert_eq!(found, [end(None, 6), end(Some(u64::MAX), 7)]);
    store.page_end(end(Some(1), 9), WallTime(7)).expect("written");
    assert_eq!(store.page_ends().expect("readable").len(), 2, "that of 6 is forgotten");
}
