//! CPU of a PUBLISH, of a change the server finds itself, and of what one watcher is sent, without IO:
//! `cargo run --release -p lyceum-users --example presence_speed`.

use lyceum_sip::time::WallTime;
use lyceum_topology::{PresencePolicy, routing_group};
use lyceum_users::presence::{Card, DeviceKind, Facts, Presentities, Presentity, PublishIntent, Relationship, view};
use lyceum_users::{Group, Journal};
use std::time::Instant;

const USERS: u32 = 20_000;
const NOW: WallTime = WallTime(1_795_262_400_000);

fn main() {
    let policy = PresencePolicy::default();
    let names: Vec<String> = (0..USERS).map(|i| format!("user{i:05}@example.org")).collect();
    let mut groups: Vec<(Group, Presentities)> =
        (0..=255).map(|id| (Group::new(id), Presentities::default())).collect();
    let mut journal = Journal::new();
    let body = |activity: &str| {
        format!(
            "<?xml version=\"1.0\"?><presence xmlns=\"urn:ietf:params:xml:ns:pidf\" \
             xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\" xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\" \
             entity=\"sip:a@example.org\"><tuple id=\"t4109\"><status><basic>open</basic></status>\
             <contact>sip:a@192.0.2.1</contact></tuple><dm:person id=\"p4159\"><rpid:activities><rpid:{activity}/>\
             </rpid:activities><dm:note>Back at three</dm:note></dm:person></presence>"
        )
    };
    let mut timed = |what: &str, each: &mut dyn FnMut(Presentity<'_>, &mut Group, &mut Presentities, &mut Journal)| {
        let start = Instant::now();
        for aor in &names {
            let (group, all) = &mut groups[usize::from(routing_group(aor))];
            each(Presentity { aor, now: NOW, policy: &policy }, group, all, &mut journal);
            if let Some((seq, _)) = journal.take() {
                journal.committed(seq);
            }
        }
        println!("{:>6} ns  {what}", start.elapsed().as_nanos() / u128::from(USERS));
    };
    timed("the user signs in", &mut |presentity, group, all, journal| {
        assert!(all.facts(presentity, Facts { registered: 1, ..Facts::default() }, group, journal).changed);
    });
    for activity in ["busy", "away"] {
        let body = body(activity);
        timed("a PUBLISH that changes the state", &mut |presentity, group, all, journal| {
            let intent = PublishIntent {
                if_match: None,
                expires: None,
                content_type: b"application/pidf+xml",
                body: body.as_bytes(),
                source: None,
                device: Some("urn:uuid:1"),
                kind: DeviceKind::Desktop,
                fresh: 7,
            };
            assert!(all.publish(presentity, &intent, group, journal).expect("in order").changed);
        });
    }
    timed("a call begins", &mut |presentity, group, all, journal| {
        all.facts(presentity, Facts { registered: 1, calls: 1, in_meeting: false }, group, journal);
    });
    timed("the state is asked for", &mut |presentity, group, all, _| {
        assert_eq!(all.state(presentity, group).choice.as_str(), "automatic");
    });
    let mut out = Vec::new();
    timed("the state, a colleague's view and its document", &mut |presentity, group, all, _| {
        let state = all.state(presentity, group);
        out.clear();
        view(&state, &Card::default(), Relationship::Colleagues.into()).pidf("sip:a@example.org", &mut out);
    });
    println!("{:>6} bytes in the document", out.len());
}
