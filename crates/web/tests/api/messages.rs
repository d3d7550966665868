//! History of messages and the archive: who asks is noted, pages meet, a purge says what it did.

use crate::support::Server;
use lyceum_sip::WallTime;
use lyceum_store::{
    ArchiveKind, ArchiveRow, ConversationId, MessageEntry, MessageId, NewMessage, OwnedText, Participant,
};
use serde_json::{Value, json};

const ANNA: &str = "anna@example.org";
const BEN: &str = "ben@example.org";

fn id(n: u64) -> MessageId {
    let mut id = MessageId::at(WallTime(n * 1_000));
    id.0[15] = n as u8;
    id
}

fn entries(n: u64, body: &[u8]) -> [MessageEntry; 2] {
    let person = |address: &str| Participant { address: address.into(), kept: true };
    let message = NewMessage {
        id: id(n),
        conversation: None,
        subject: None,
        sender: person(ANNA),
        recipients: vec![person(BEN)],
        wire_id: Some(format!("wire{n}").into()),
        content_type: "text/plain".into(),
        body: OwnedText(body.to_vec()),
    };
    let row = ArchiveRow {
        at: WallTime(n * 1_000),
        id: id(n),
        conversation: ConversationId::of([ANNA, BEN]),
        kind: ArchiveKind::Message,
        sender: ANNA.into(),
        recipients: vec![BEN.into()],
        content_type: "text/plain".into(),
        body: OwnedText(body.to_vec()),
    };
    [MessageEntry::Message(Box::new(message)), MessageEntry::Archive(Box::new(row))]
}

fn server() -> Server {
    let server = Server::new();
    let mut all: Vec<MessageEntry> = (1..=4).flat_map(|n| entries(n, format!("Text {n}").as_bytes())).collect();
    all.extend(entries(5, &[0xff, 0xfe]));
    server.store.append_messages(&all).expect("rows are written");
    server
}

fn column(page: &Value, name: &str) -> Vec<Value> {
    page["items"].as_array().expect("items").iter().map(|item| item[name].clone()).collect()
}

async fn actions(server: &Server) -> Vec<Value> {
    column(&server.local("GET", "/audit", None).await.ok(), "action")
}

#[tokio::test]
async fn a_history_is_paged_searched_and_noted() {
    let server = server();
    let first = server.local("GET", "/users/ben/messages?limit=2", None).await.ok();
    assert_eq!(column(&first, "text"), [Value::Null, json!("Text 4")]);
    assert_eq!(first["items"][0]["base64"], "//4=");
    let message = &first["items"][1];
    assert_eq!(
        (&message["from"], &message["to"], &message["unread"], &message["message_id"]),
        (&json!(ANNA), &json!([{ "address": BEN }]), &json!(true), &json!("wire4"))
    );
    let path = format!("/users/ben/messages?limit=9&after={}", first["next"].as_str().expect("more"));
    let second = server.local("GET", &path, None).await.ok();
    assert_eq!(column(&second, "text"), ["Text 3", "Text 2", "Text 1"]);
    for (query, found) in [
        ("text=text%203", 1),
        ("peer=anna", 5),
        ("peer=cleo@partner.example", 0),
        ("from=1970-01-01T00:00:02Z&to=1970-01-01T00:00:03Z", 2),
        (&format!("conversation={}", ConversationId::of([ANNA, BEN])), 5),
    ] {
        let page = server.local("GET", &format!("/users/ben/messages?{query}"), None).await.ok();
        assert_eq!(page["items"].as_array().expect("items").len(), found, "{query}");
    }
    assert_eq!(actions(&server).await.iter().filter(|a| **a == json!("message.history")).count(), 6, "once a question");
    for query in ["conversation=x", "after=x"] {
        let refused = server.local("GET", &format!("/users/ben/messages?{query}"), None).await.refused();
        assert_eq!(refused, (422, "message-name-invalid".to_owned()), "{query}");
    }
}

#[tokio::test]
async fn the_archive_is_read_marked_and_purged() {
    let server = server();
    let page = server.local("GET", "/archive?user=anna&limit=2", None).await.ok();
    assert_eq!((column(&page, "text"), &page["left"]), (vec![json!("Text 1"), json!("Text 2")], &json!(5)));
    let path = format!("/archive?user=anna&after={}", page["next"].as_str().expect("more"));
    assert_eq!(server.local("GET", &path, None).await.ok()["left"], 3);
    assert_eq!(server.local("GET", "/archive?after=x", None).await.refused().0, 400);
    let exported = |upto: u64| Some(json!({ "user": BEN, "upto": upto }));
    let done = server.local("POST", "/archive/exported?what_if=true", exported(3)).await.ok();
    assert_eq!(done, json!({ "rows": 0, "left": 5 }));
    assert_eq!(server.local("POST", "/archive/exported", exported(3)).await.ok()["rows"], 3);
    let purge = |only: bool| Some(json!({ "before": "1970-01-01T01:00:00Z", "exported_only": only }));
    let asked = server.local("POST", "/archive/purge?what_if=true", purge(true)).await.ok();
    assert_eq!(asked, json!({ "rows": 0, "left": 3 }));
    assert_eq!(server.local("POST", "/archive/purge", purge(true)).await.ok(), json!({ "rows": 3, "left": 0 }));
    assert_eq!(server.local("POST", "/archive/purge", purge(false)).await.ok(), json!({ "rows": 2, "left": 0 }));
    assert_eq!(actions(&server).await[..4], ["archive.purge", "archive.purge", "archive.export", "archive.read"]);
    let lines = server.local("GET", "/audit", None).await.ok();
    let notes: Vec<String> = (0..4).map(|at| lines["items"][at].to_string()).collect();
    assert!(
        notes[0].contains("of everybody before ") && notes[3].contains("2 rows and more of all times"),
        "{notes:?}"
    );
}
