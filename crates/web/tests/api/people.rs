//! What administrators see and change of users' presence, contacts and calendars; what users do in their pages: over a
//! stand-in for the running server that keeps what it is given.

use crate::support::{Ports, Server, time};
use lyceum_api::client::{OwnPresence, PresenceView};
use lyceum_api::presence::Watcher;
use lyceum_api::{Problem, Refusal};
use lyceum_sip::SecretKey;
use lyceum_sip::token::bearer::{Bearers, Claims};
use lyceum_sip::token::ends::Ends;
use lyceum_topology::{AddressOfRecord, UserId, UserRecord};
use lyceum_users::contacts::ContactList;
use lyceum_users::presence::calendar::BusyInterval;
use lyceum_web::port::{Chooser, ContactEdit, People, Publisher};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

type Calendar = (Option<String>, Vec<BusyInterval>);

/// Users whose password is `secret1`.
pub struct Kept {
    ports: OnceLock<Arc<Ports>>,
    bearers: Bearers,
    ends: Mutex<Ends>,
    wishes: Mutex<HashMap<String, OwnPresence>>,
    lists: Mutex<HashMap<String, ContactList>>,
    calendars: Mutex<HashMap<String, Calendar>>,
}

fn wish(choice: &str) -> OwnPresence {
    OwnPresence { choice: choice.to_owned(), note: None, out_of_office: None, until: None }
}

impl Kept {
    fn list(&self, address: &str) -> ContactList {
        self.lists.lock().expect("no test panics inside").get(address).cloned().unwrap_or_default()
    }

    fn keep(&self, address: &str, edit: impl FnOnce(&mut ContactList)) -> ContactList {
        let mut list = self.list(address);
        edit(&mut list);
        list.version += 1;
        self.lists.lock().expect("no test panics inside").insert(address.to_owned(), list.clone());
        list
    }

    fn calendar_mut<T>(&self, address: &str, edit: impl FnOnce(&mut Calendar) -> T) -> T {
        edit(self.calendars.lock().expect("no test panics inside").entry(address.to_owned()).or_default())
    }
}

impl People for Kept {
    fn check_password(&self, address: &str, password: &str) -> Option<Arc<UserRecord>> {
        let snapshot = self.ports.get()?.current();
        let user = snapshot.directory().get(&AddressOfRecord::parse(address).ok()?).cloned();
        user.filter(|user| user.enabled && password == "secret1")
    }
    fn mark(&self, _: UserId) -> Option<u32> {
        Some(1)
    }
    fn has_ended(&self, claims: &Claims) -> bool {
        self.ends.lock().expect("no test panics inside").has_ended(claims)
    }
    fn end_page(&self, user: &UserRecord, device: u64) -> Result<(), Problem> {
        self.ends.lock().expect("no test panics inside").end(user.id.0, Some(device), time::now());
        Ok(())
    }
    fn bearers(&self) -> &Bearers {
        &self.bearers
    }
    fn listeners(&self) -> Vec<String> {
        Vec::new()
    }
    fn presence(&self, watcher: &str, of: &[String]) -> Result<Vec<PresenceView>, Problem> {
        let view = |address: &String| {
            let own = self.own_presence(address).ok();
            let note = own.as_ref().and_then(|own| own.note.clone()).filter(|_| watcher == address);
            PresenceView {
                address: address.clone(),
                display_name: String::new(),
                availability: 3500,
                activity: own.map_or_else(|| "available".to_owned(), |own| own.choice),
                note,
                out_of_office: None,
                last_active: None,
            }
        };
        Ok(of.iter().map(view).collect())
    }
    fn watchers(&self, _: &str) -> Result<Vec<Watcher>, Problem> {
        let (watcher, relationship) = ("ben@example.org".to_owned(), "colleagues".to_owned());
        Ok(vec![Watcher { watcher, relationship, list: true, expires_in: 60 }])
    }
    fn own_presence(&self, address: &str) -> Result<OwnPresence, Problem> {
        let wishes = self.wishes.lock().expect("no test panics inside");
        Ok(wishes.get(address).cloned().unwrap_or_else(|| wish("automatic")))
    }
    fn choose(&self, address: &str, wanted: &OwnPresence, _: Chooser) -> Result<OwnPresence, Problem> {
        if wanted.choice == "asleep" {
            return Err(Problem::new(Refusal::PresenceRefused, "there is no such choice", "choice"));
        }
        self.wishes.lock().expect("no test panics inside").insert(address.to_owned(), wanted.clone());
        Ok(wanted.clone())
    }
    fn used(&self, _: &str, _: &str, _: u32) -> Result<(), Problem> {
        Ok(())
    }
    fn make_conversation(&self, _: &str, _: &[String], domain: &str) -> Result<String, Problem> {
        Ok(format!("conversation-1@{domain}"))
    }
    fn calendar_feeds(&self) -> Result<Vec<(String, String)>, Problem> {
        let all = self.calendars.lock().expect("no test panics inside");
        Ok(all.iter().filter_map(|(user, (feed, _))| Some((user.clone(), feed.clone()?))).collect())
    }
    fn calendar(&self, address: &str) -> Result<(Option<String>, usize), Problem> {
        Ok(self.calendar_mut(address, |(feed, busy)| (feed.clone(), busy.len())))
    }
    fn set_calendar_feed(&self, address: &str, feed: Option<&str>) -> Result<(), Problem> {
        self.calendar_mut(address, |calendar| {
            calendar.0 = feed.map(str::to_owned);
            if feed.is_none() {
                calendar.1.clear();
            }
        });
        Ok(())
    }
    fn set_calendar(&self, address: &str, from: Option<&str>, busy: Vec<BusyInterval>) -> Result<(), Problem> {
        self.calendar_mut(address, |calendar| {
            if from.is_none() || from == calendar.0.as_deref() {
                calendar.1 = busy;
            }
        });
        Ok(())
    }
    fn keep_calendar_only(&self, address: &str) -> Result<usize, Problem> {
        Ok(self.calendar_mut(address, |calendar| {
            calendar.0 = None;
            calendar.1.len()
        }))
    }
    fn contacts(&self, address: &str) -> Result<ContactList, Problem> {
        Ok(self.list(address))
    }
    fn replace_contacts(&self, address: &str, list: ContactList, _: u64) -> Result<ContactList, Problem> {
        Ok(self.keep(address, |kept| *kept = list))
    }
    fn edit_contacts(&self, address: &str, edit: ContactEdit) -> Result<ContactList, Problem> {
        let mut outcome = Ok(());
        let list = self.keep(address, |list| outcome = edit(list));
        let refused = |refusal: lyceum_users::contacts::ContactRefusal| {
            Problem::new(Refusal::ContactsRefused, refusal.to_string(), "contacts")
        };
        outcome.map(|()| list).map_err(refused)
    }
}

/// A server with anna and ben.
pub async fn server() -> Server {
    let people = Arc::new(Kept {
        ports: OnceLock::new(),
        bearers: Bearers::new(&SecretKey([1; 32])),
        ends: Mutex::default(),
        wishes: Mutex::default(),
        lists: Mutex::default(),
        calendars: Mutex::default(),
    });
    let server = Server::with_people(time::now, people.clone());
    people.ports.set(server.ports.clone()).ok();
    for name in ["anna", "ben"] {
        let user = json!({ "address": format!("{name}@example.org"), "password": "secret1" });
        server.local("POST", "/users", Some(user)).await.ok();
    }
    server
}

/// The header of a page that is signed in.
pub async fn page(server: &Server, name: &str) -> String {
    let ask = json!({ "address": format!("{name}@example.org"), "password": "secret1",
        "device": "6f0c1f0e-5c3e-4b8e-9d55-0a7c5d5f2a01", "device_name": "test" });
    let session = server.https("POST", "/client/session", Some(ask), &[]).await.ok();
    format!("Bearer {}", session["token"].as_str().expect("a token"))
}

async fn audited(server: &Server) -> usize {
    server.local("GET", "/audit", None).await.ok()["items"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn presence_is_seen_set_and_audited() {
    let server = server().await;
    let before = audited(&server).await;
    let change = json!({ "choice": "busy", "note": "in the workshop" });
    server.local("PATCH", "/users/anna/presence?what_if=true", Some(change.clone())).await.ok();
    assert_eq!(server.local("GET", "/users/anna/presence", None).await.ok()["choice"], "automatic");
    let changed = server.local("PATCH", "/users/anna/presence", Some(change.clone())).await.ok();
    assert_eq!((&changed["object"]["choice"], &changed["object"]["note"]), (&json!("busy"), &json!("in the workshop")));
    assert_eq!(audited(&server).await, before + 1);
    server.local("PATCH", "/users/anna/presence", Some(change)).await.ok();
    assert_eq!(audited(&server).await, before + 1, "the same again is no change");
    let seen = server.local("GET", "/users/anna/presence?by=ben", None).await.ok();
    assert_eq!((&seen["choice"], &seen["note"]), (&Value::Null, &Value::Null), "what ben sees: {seen}");
    assert_eq!(server.local("GET", "/users/anna/watchers", None).await.ok()[0]["watcher"], "ben@example.org");
    let wrong = server.local("PATCH", "/users/anna/presence", Some(json!({ "choice": "asleep" }))).await.refused();
    assert_eq!(wrong, (422, "presence-refused".to_owned()));
    for path in ["/users/nobody/presence", "/users/nobody/watchers", "/users/nobody/contacts", "/users/nobody/calendar"]
    {
        assert_eq!(server.local("GET", path, None).await.refused(), (404, "user-not-found".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn contacts_and_relationships_are_listed_changed_and_audited() {
    let server = server().await;
    let before = audited(&server).await;
    let entry = json!({ "display_name": "Benny", "groups": ["Team"], "favourite": true });
    server.local("PUT", "/users/anna/contacts/ben?what_if=true", Some(entry.clone())).await.ok();
    assert_eq!(server.local("GET", "/users/anna/contacts", None).await.ok(), json!([]));
    server.local("PUT", "/users/anna/contacts/ben", Some(entry)).await.ok();
    let shown =
        json!([{ "address": "ben@example.org", "display_name": "Benny", "groups": ["Team"], "favourite": true }]);
    assert_eq!(server.local("GET", "/users/anna/contacts", None).await.ok(), shown);
    let rule = json!({ "relationship": "workgroup" });
    server.local("PUT", "/users/anna/relationships/ben", Some(rule)).await.ok();
    server.local("PUT", "/users/anna/relationships/@y.example", Some(json!({ "relationship": "blocked" }))).await.ok();
    let rules = server.local("GET", "/users/anna/relationships", None).await.ok();
    assert_eq!(rules.as_array().map(Vec::len), Some(2), "{rules}");
    let wrong = server.local("PUT", "/users/anna/relationships/ben", Some(json!({ "relationship": "enemy" }))).await;
    assert_eq!(wrong.refused(), (400, "request-malformed".to_owned()));
    server.local("DELETE", "/users/anna/relationships/@y.example", None).await.ok();
    server.local("DELETE", "/users/anna/contacts/ben", None).await.ok();
    assert_eq!(server.local("GET", "/users/anna/contacts", None).await.ok(), json!([]));
    assert_eq!(audited(&server).await, before + 5);
}

#[tokio::test]
async fn a_group_is_found_and_opened_by_a_page() {
    let server = server().await;
    let sales = json!({ "address": "sales", "display_name": "Sales Team", "members": ["anna", "ben"] });
    server.local("POST", "/groups", Some(sales)).await.ok();
    let anna = page(&server, "anna").await;
    let signed = [("authorization", anna.as_str())];
    let found = server.https("GET", "/client/search?q=team", None, &signed).await.ok();
    let members = json!(["anna@example.org", "ben@example.org"]);
    assert_eq!(
        (&found["groups"][0]["address"], &found["groups"][0]["members"]),
        (&json!("sales@example.org"), &members)
    );
    let opened = server.https("GET", "/client/groups/sales@example.org", None, &signed).await.ok();
    assert_eq!(opened["people"][1]["address"], "ben@example.org");
    let gone = server.https("GET", "/client/groups/it@example.org", None, &signed).await.refused();
    assert_eq!(gone, (404, "group-not-found".to_owned()));
    let stranger = server.https("GET", "/client/groups/sales@example.org", None, &[]).await.refused();
    assert_eq!(stranger, (401, "client-session-over".to_owned()));
}

#[tokio::test]
async fn a_calendar_that_is_not_to_be_fetched_is_refused_before_it_is_kept() {
    let server = server().await;
    let anna = page(&server, "anna").await;
    let signed = [("authorization", anna.as_str())];
    for address in ["http://127.0.0.1/a.ics", "file:///etc/passwd", "ftp://x.example/", "https://me:pw@x.example/"] {
        let refused = server.https("PUT", "/client/calendar", Some(json!({ "address": address })), &signed).await;
        assert_eq!(refused.refused(), (422, "calendar-refused".to_owned()), "{address}");
    }
    let status = server.https("GET", "/client/calendar", None, &signed).await.ok();
    assert_eq!((&status["source"], &status["busy"]), (&json!("none"), &json!(0)));
    let inside = json!({ "address": "https://127.0.0.1:9/secret.ics" });
    let status = server.https("PUT", "/client/calendar", Some(inside), &signed).await.ok();
    assert_eq!((&status["state"], &status["host"]), (&json!("failed"), &json!("127.0.0.1")));
    let told = server.local("GET", "/users/anna/calendar", None).await;
    assert!(!told.text.contains("secret.ics"), "{}", told.text);
    assert_eq!(told.ok()["state"], "failed");
    let none = server.https("DELETE", "/client/calendar", None, &signed).await.ok();
    assert_eq!(none["source"], "none");
}

#[tokio::test]
async fn only_addresses_are_people_of_a_conversation() {
    let server = server().await;
    let anna = page(&server, "anna").await;
    let signed = [("authorization", anna.as_str())];
    for bad in [
        "x@y\r\nEvil: 1",
        "a@example.org\u{0}b@example.org",
        "ben",
        "a,b@example.org",
        "b b@example.org",
        "ü@example.org",
    ] {
        let wanted = json!({ "with": ["ben@example.org", bad] });
        let refused = server.https("POST", "/client/conversations", Some(wanted), &signed).await.refused();
        assert_eq!(refused, (422, "address-invalid".to_owned()), "{bad:?}");
    }
    let wanted = json!({ "with": ["sip:BEN@example.org.", "carl@example.org"] });
    let made = server.https("POST", "/client/conversations", Some(wanted), &signed).await.ok();
    assert_eq!(made["with"], json!(["ben@example.org", "carl@example.org"]));
}

#[tokio::test]
async fn sign_out_ends_the_token_and_the_cookie() {
    let server = server().await;
    let device = "6f0c1f0e-5c3e-4b8e-9d55-0a7c5d5f2a01";
    let ask = json!({ "address": "anna@example.org", "password": "secret1", "device": device, "device_name": "test" });
    let renew = json!({ "device": device });
    let session = server.https("POST", "/client/session", Some(ask.clone()), &[]).await;
    let cookie = session.headers["set-cookie"].to_str().expect("text").split(';').next().expect("a value").to_owned();
    let bearer = format!("Bearer {}", session.ok()["token"].as_str().expect("a token"));
    let signed = [("authorization", bearer.as_str())];
    let cookie = [("cookie", cookie.as_str())];
    server.https("POST", "/client/session/refresh", Some(renew.clone()), &cookie).await.ok();
    assert_eq!(server.https("DELETE", "/client/session", None, &signed).await.status.as_u16(), 204);
    let over = (401, "client-session-over".to_owned());
    assert_eq!(server.https("GET", "/client/contacts", None, &signed).await.refused(), over);
    assert_eq!(server.https("POST", "/client/session/refresh", Some(renew), &cookie).await.refused(), over);
    let again = server.https("POST", "/client/session", Some(ask), &[]).await.ok();
    let bearer = format!("Bearer {}", again["token"].as_str().expect("a token"));
    server.https("GET", "/client/contacts", None, &[("authorization", bearer.as_str())]).await.ok();
}

#[tokio::test]
async fn another_spelling_of_an_address_is_the_same_account_to_guess_at() {
    let server = server().await;
    let mut answers = Vec::new();
    for address in [
        "anna@example.org",
        "%61nna@example.org",
        "ANNA@example.org.",
        "sip:a%6Ena@example.org",
        "anna@Example.ORG",
        "anna@example.org.",
    ] {
        let ask = json!({ "address": address, "password": "guess",
            "device": "6f0c1f0e-5c3e-4b8e-9d55-0a7c5d5f2a01", "device_name": "test" });
        answers.push(server.https("POST", "/client/session", Some(ask), &[]).await.status.as_u16());
    }
    assert_eq!(answers, [401, 401, 401, 401, 401, 429]);
}

#[tokio::test]
async fn bodies_are_as_large_as_their_routes_need() {
    let server = server().await;
    let anna = page(&server, "anna").await;
    let signed = [("authorization", anna.as_str())];
    let text =
        |bytes: usize| json!({ "address": "x".repeat(bytes), "password": "x", "device": "x", "device_name": "x" });
    let large = (413, "request-too-large".to_owned());
    assert_eq!(server.https("POST", "/client/session", Some(text(17 << 10)), &[]).await.refused(), large);
    assert_eq!(server.https("POST", "/session", Some(text(17 << 10)), &[]).await.refused(), large);
    assert_eq!(server.https("POST", "/client/conversations", Some(text(65 << 10)), &signed).await.refused(), large);
    let list = server.https("PUT", "/client/contacts", Some(text(65 << 10)), &signed).await.refused();
    assert_eq!(list, (400, "request-malformed".to_owned()), "a contact list may be larger");
    let topology = server.local("POST", "/topology/validate", Some(text(2 << 20))).await;
    assert_ne!(topology.status.as_u16(), 413);
}
