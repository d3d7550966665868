//! Call records, traces and registrations.

use crate::people;
use crate::support::Server;
use lyceum_monitoring::{
    CallRecord, DecisionStep, Direction, Outcome, Party, Passage, Private, Stamp, TraceEntry, Wire,
};
use lyceum_sip::WallTime;
use lyceum_store::{CallRow, TraceRow};
use serde_json::json;

fn record(n: u64) -> CallRecord {
    let party = |address: &str| Party {
        address: Private::from(address),
        user: None,
        user_agent: None,
        transport: Some(Wire::Udp),
        source: None,
    };
    CallRecord {
        id: format!("call{n}"),
        call_id: format!("{n}@phone"),
        session_id: None,
        node: "node1".to_owned(),
        caller: party("anna@example.org"),
        callee: Some(party("ben@example.org")),
        dialled: Private::from("sip:ben@example.org"),
        started: Stamp(1_000 * n),
        ringing: None,
        answered: Some(Stamp(1_000 * n + 100)),
        ended: Some(Stamp(1_000 * n + 5_100)),
        outcome: Outcome::Answered,
        status: 200,
        code: None,
        hung_up: None,
        branches: Vec::new(),
        decision: vec![DecisionStep::User { address: "ben@example.org".to_owned(), enabled: true }],
    }
}

fn server() -> Server {
    let server = Server::new();
    keep(&server);
    server
}

/// Five calls of anna to ben.
fn keep(server: &Server) {
    let row = |n| {
        let record = record(n);
        CallRow {
            id: record.id.clone(),
            started: WallTime(record.started.0),
            ended: None,
            caller: "anna@example.org".to_owned(),
            callee: "ben@example.org".to_owned(),
            status: 200,
            record: serde_json::to_vec(&record).expect("a record serializes"),
        }
    };
    server.store.append_calls(&(1..=5).map(row).collect::<Vec<_>>()).expect("rows are written");
}

#[tokio::test]
async fn calls_are_found_by_user_time_and_id_newest_first() {
    let server = server();
    let ids = |page: &serde_json::Value| -> Vec<String> {
        let items = page["items"].as_array().expect("items");
        items.iter().map(|c| c["id"].as_str().expect("an id").to_owned()).collect()
    };
    let first = server.local("GET", "/calls?user=anna&limit=2", None).await.ok();
    assert_eq!(ids(&first), ["call5", "call4"]);
    let next = first["next"].as_str().expect("more");
    let second = server.local("GET", &format!("/calls?user=anna&limit=2&after={next}"), None).await.ok();
    assert_eq!(ids(&second), ["call3", "call2"]);
    let span = "/calls?from=1970-01-01T00:00:02Z&to=1970-01-01T00:00:03Z";
    assert_eq!(ids(&server.local("GET", span, None).await.ok()), ["call3", "call2"]);
    assert_eq!(ids(&server.local("GET", "/calls?call_id=4@phone", None).await.ok()), ["call4"]);
    assert!(ids(&server.local("GET", "/calls?user=cleo", None).await.ok()).is_empty());
}

#[tokio::test]
async fn a_page_reads_its_own_calls_and_nobody_elses() {
    let server = people::server().await;
    keep(&server);
    let (anna, ben) = (people::page(&server, "anna").await, people::page(&server, "ben").await);
    let ask = async |bearer: &str, query: &str| {
        let signed = [("authorization", bearer)];
        server.https("GET", &format!("/client/calls{query}"), None, &signed).await.ok()
    };
    let mine = ask(&anna, "?limit=2").await;
    let newest = &mine["items"][0];
    assert_eq!((&newest["direction"], &newest["with"]), (&json!("outgoing"), &json!("ben@example.org")));
    assert_eq!((&newest["outcome"], &newest["seconds"]), (&json!("answered"), &json!(5)));
    assert_eq!(newest.get("decision"), None, "how it was routed is the administrator's");
    let next = mine["next"].as_str().expect("more");
    assert_eq!(ask(&anna, &format!("?limit=9&before={next}")).await["items"].as_array().map(Vec::len), Some(3));
    let theirs = ask(&ben, "").await;
    assert_eq!(
        (&theirs["items"][0]["direction"], &theirs["items"][0]["with"]),
        (&json!("incoming"), &json!("anna@example.org"))
    );
    server.local("POST", "/users", Some(json!({ "address": "cleo@example.org", "password": "secret1" }))).await.ok();
    let cleo = people::page(&server, "cleo").await;
    assert_eq!(ask(&cleo, "").await["items"], json!([]));
    let stranger = server.https("GET", "/client/calls", None, &[]).await.refused();
    assert_eq!(stranger, (401, "client-session-over".to_owned()));
}

#[tokio::test]
async fn one_call_shows_how_it_was_routed() {
    let server = server();
    for id in ["call2", "2@phone"] {
        let call = server.local("GET", &format!("/calls/{id}"), None).await.ok();
        assert_eq!((&call["seconds"], &call["outcome"]), (&json!(5), &json!("answered")));
        assert_eq!(call["decision"][0]["result"], "The target is the user ben@example.org.");
    }
    assert_eq!(server.local("GET", "/calls/none", None).await.refused(), (404, "call-not-found".to_owned()));
}

fn traced(server: &Server) {
    let entry = |at: u64, direction, text: &str| {
        let ends = |text: &str| text.parse().expect("an address");
        let passage = Passage {
            time: Stamp(at),
            direction,
            local: ends("192.0.2.1:5060"),
            remote: ends("192.0.2.7:5060"),
            transport: Wire::Udp,
        };
        let entry = TraceEntry::capture(passage, text.as_bytes());
        TraceRow {
            call: entry.call_id.clone(),
            at: WallTime(at),
            record: serde_json::to_vec(&entry).expect("an entry serializes"),
        }
    };
    let head = "Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\nFrom: <sip:anna@example.org>;tag=a\r\n\
                To: <sip:ben@example.org>\r\nCall-ID: 2@phone\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n";
    let rows = [
        entry(10, Direction::Received, &format!("INVITE sip:ben@example.org SIP/2.0\r\n{head}")),
        entry(10, Direction::Sent, &format!("SIP/2.0 100 Trying\r\n{head}")),
        entry(30, Direction::Sent, &format!("SIP/2.0 486 Busy Here\r\n{head}")),
    ];
    server.store.append_traces(&rows).expect("rows are written");
}

#[tokio::test]
async fn captured_messages_are_searched_in_pages() {
    let server = server();
    traced(&server);
    let all = server.local("GET", "/trace/messages", None).await.ok();
    let lines: Vec<&str> =
        all["items"].as_array().expect("items").iter().filter_map(|m| m["summary"].as_str()).collect();
    assert_eq!(lines, ["INVITE sip:ben@example.org SIP/2.0", "SIP/2.0 100 Trying", "SIP/2.0 486 Busy Here"]);
    let (mut seen, mut path) = (0, "/trace/messages?limit=1".to_owned());
    loop {
        let page = server.local("GET", &path, None).await.ok();
        seen += page["items"].as_array().map_or(0, Vec::len);
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/trace/messages?limit=1&after={next}");
    }
    assert_eq!(seen, 3);
    let busy = server.local("GET", "/trace/messages?text=486&user=ben&call_id=2@phone", None).await.ok();
    assert_eq!(busy["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn the_ladder_of_a_call_marks_what_failed() {
    let server = server();
    traced(&server);
    for id in ["2@phone", "call2"] {
        let ladder = server.local("GET", &format!("/trace/calls/{id}"), None).await.ok();
        assert_eq!(ladder["arrows"].as_array().map(Vec::len), Some(3), "{ladder}");
        assert!(ladder["verdict"].as_str().is_some_and(|v| !v.is_empty()));
        assert!(ladder["drawing"].as_str().is_some_and(|d| d.contains("486")));
    }
    let none = server.local("GET", "/trace/calls/call3", None).await;
    assert_eq!(none.refused(), (404, "trace-not-found".to_owned()));
}

#[tokio::test]
async fn whole_messages_are_shown_when_asked_for_without_secrets() {
    let server = server();
    let ends = |text: &str| text.parse().expect("an address");
    let passage = Passage {
        time: Stamp(10),
        direction: Direction::Received,
        local: ends("192.0.2.1:5060"),
        remote: ends("192.0.2.7:5060"),
        transport: Wire::Udp,
    };
    let text = "INVITE sip:ben@example.org SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\nCall-ID: 2@phone\r\n\
                CSeq: 1 INVITE\r\nSubject: lunch\r\nProxy-Authorization: Digest username=\"anna\", response=\"5ec2e7\"\r\n\r\n";
    let entry = TraceEntry::capture(passage, text.as_bytes());
    let record = serde_json::to_vec(&entry).expect("an entry serializes");
    server.store.append_traces(&[TraceRow { call: "2@phone".to_owned(), at: WallTime(10), record }]).expect("written");
    for (path, list) in [("/trace/messages?call_id=2@phone", "items"), ("/trace/calls/2@phone?", "arrows")] {
        let short = server.local("GET", path, None).await.ok();
        assert_eq!(short[list][0].get("message"), None, "{short}");
        let full = server.local("GET", &format!("{path}&full=true"), None).await.ok();
        let message = full[list][0]["message"].as_str().expect("a message");
        assert!(message.contains("Subject: lunch") && message.contains("response=\"<secret>\""), "{message}");
        assert!(!message.contains("5ec2e7"), "{message}");
    }
}

#[tokio::test]
async fn registrations_are_the_running_servers() {
    let server = Server::new();
    let page = server.local("GET", "/registrations?user=ben@example.org", None).await.ok();
    assert_eq!(page["items"][0]["address"], "ben@example.org");
    assert_eq!(page["items"][0]["q"], 0.7);
}
