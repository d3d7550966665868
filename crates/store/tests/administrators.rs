//! Administrators, one-time tokens, sessions.

mod support;

use lyceum_sip::time::WallTime;
use lyceum_store::{AdministratorError, By, Password, Store};
use std::time::Duration;
use support::{by, open};

const MINUTE: u64 = 60_000;

fn with_anna(dir: &std::path::Path) -> Store {
    let store = open(dir);
    store.administrator_put("anna", "administrator", true, by("setup")).unwrap();
    store
}

#[test]
fn a_password_signs_in_and_nothing_else_does() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_anna(dir.path());
    let check = |name, password| store.administrator_check(name, Password(password)).map(|a| a.role);
    assert_eq!(check("anna", ""), Err(AdministratorError::WrongPassword), "no password set yet");
    assert_eq!(
        store.administrator_password("anna", Password("short"), by("anna")),
        Err(AdministratorError::WeakPassword)
    );
    store.administrator_password("anna", Password("a long sentence"), by("anna")).unwrap();
    assert_eq!(check("anna", "a long sentence"), Ok("administrator".into()));
    assert_eq!(check("anna", "a long sentenc"), Err(AdministratorError::WrongPassword));
    assert_eq!(check("bert", "a long sentence"), Err(AdministratorError::WrongPassword));
    store.administrator_put("bert", "viewer", true, by("anna")).unwrap();
    store.administrator_put("anna", "administrator", false, by("bert")).unwrap();
    assert_eq!(check("anna", "a long sentence"), Err(AdministratorError::WrongPassword), "disabled");
}

#[test]
fn the_last_administrator_stays() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_anna(dir.path());
    let last = Err(AdministratorError::LastOne("anna".into()));
    assert_eq!(store.administrator_remove("anna", by("anna")), last);
    assert_eq!(store.administrator_put("anna", "administrator", false, by("anna")), last);
    store.administrator_put("bert", "administrator", true, by("anna")).unwrap();
    store.administrator_remove("anna", by("bert")).unwrap();
    assert_eq!(store.administrators().unwrap().len(), 1);
}

#[test]
fn a_one_time_token_works_once_and_for_30_minutes() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let at = |at| By { who: "setup", at: WallTime(at) };
    let token = store.sign_in_token("anna", "administrator", at(0)).unwrap();
    assert_eq!(token.expires, WallTime(30 * MINUTE));
    let use_it = |text: &str, at| store.use_sign_in_token(text, WallTime(at));
    assert_eq!(use_it(token.secret.reveal(), 30 * MINUTE), Err(AdministratorError::NotValid), "too late");
    assert_eq!(use_it("00", 1), Err(AdministratorError::NotValid));
    assert_eq!(use_it(token.secret.reveal(), 29 * MINUTE), Ok(("anna".into(), "administrator".into())));
    assert_eq!(use_it(token.secret.reveal(), 29 * MINUTE), Err(AdministratorError::NotValid), "used up");
    assert!(store.administrator("anna").unwrap().unwrap().enabled, "the account stands now");
}

#[test]
fn a_session_lasts_its_time_and_ends_with_its_administrator() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_anna(dir.path());
    let begin = |at| store.session_begin("anna", Duration::from_secs(600), WallTime(at)).unwrap();
    let find = |cookie: &str, at| store.session(cookie, WallTime(at)).map(|s| s.name);
    let (cookie, csrf) = begin(0);
    let session = store.session(cookie.reveal(), WallTime(1)).unwrap();
    assert!(session.csrf_matches(csrf.reveal()) && !session.csrf_matches(cookie.reveal()) && !session.csrf_matches(""));
    assert_eq!(find(cookie.reveal(), 599_999), Ok("anna".into()));
    assert_eq!(find(cookie.reveal(), 600_000), Err(AdministratorError::NotValid));
    assert_eq!(find("zz", 1), Err(AdministratorError::NotValid));
    store.session_end(cookie.reveal()).unwrap();
    assert_eq!(find(cookie.reveal(), 1), Err(AdministratorError::NotValid));
    let (cookie, _) = begin(0);
    store.administrator_password("anna", Password("another sentence"), by("anna")).unwrap();
    assert_eq!(find(cookie.reveal(), 1), Err(AdministratorError::NotValid), "a new password ends sessions");
    let cookies: Vec<_> = (0..17).map(|at| begin(at).0).collect();
    assert_eq!(find(cookies[0].reveal(), 20), Err(AdministratorError::NotValid), "the oldest of more than 16");
    assert_eq!(find(cookies[1].reveal(), 20), Ok("anna".into()));
    assert!(store.session_begin("nobody", Duration::from_secs(1), WallTime(0)).is_err());
}

#[test]
fn the_database_holds_no_secret_that_signs_in() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_anna(dir.path());
    let token = store.sign_in_token("bert", "viewer", by("anna")).unwrap();
    let (cookie, csrf) = store.session_begin("anna", Duration::from_secs(600), WallTime(0)).unwrap();
    store.administrator_password("anna", Password("a long sentence"), by("anna")).unwrap();
    for file in ["lyceum.db", "lyceum.db-wal"] {
        let bytes = std::fs::read(dir.path().join(file)).unwrap_or_default();
        for secret in [token.secret.reveal(), cookie.reveal(), csrf.reveal(), "a long sentence"] {
            assert!(!bytes.windows(secret.len()).any(|w| w == secret.as_bytes()), "{file}");
        }
    }
    assert_eq!(format!("{cookie:?} {:?} {:?}", token.secret, Password("x")), "<secret> <secret> <secret>");
}
