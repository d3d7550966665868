//! A plan against the world: what is asked from where, and what the answers mean.

use std::net::Ipv4Addr;

use lyceum_plan::verify::{
    Finding, Here, Kind, Line, Outcome, Probe, Reply, Service, Shown, Zone, count, lines, table,
};
use lyceum_plan::{Plan, Results};

const PLAN: &str = r#"
[organisation]
sip_domains = ["lyceum.test"]
[monitoring]
enabled = false
[archiving]
enabled = false
[availability]
high = false
[meetings]
office_web_apps = false
[vpn]
enabled = true
[[site]]
name = "London"
users = 200
edition = "standard"
network = "10.0.0.0/24"
perimeter = "172.16.0.0/24"
public = "198.18.0.0/25"
clients = ["10.128.0.0/24"]
"#;

const NOW: u64 = 1_800_000_000;
const DAY: u64 = 86_400;
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 10);

fn seen(zone: Zone, own: [u8; 4]) -> Vec<Line> {
    let plan = Plan::read(PLAN).expect("a plan");
    lines(&Results::of(&plan), &Here { zone, addresses: vec![own.into()], now_seconds: NOW })
}

fn from_client() -> Vec<Line> {
    seen(Zone::Internal, [10, 128, 0, 9])
}

/// The one line whose subject begins so and that is asked.
fn line(lines: &[Line], kind: Kind, subject: &str) -> Line {
    let mut found = lines.iter().filter(|line| line.kind == kind && line.subject.starts_with(subject));
    let one = found.find(|line| line.probe.is_ok()).unwrap_or_else(|| panic!("no line {subject}"));
    one.clone()
}

fn judged(line: &Line, finding: Finding) -> (Outcome, String, String) {
    let verdict = line.judge(&finding, NOW);
    (verdict.outcome, verdict.found, verdict.fix)
}

#[test]
fn a_name_has_exactly_its_records() {
    let name = line(&from_client(), Kind::Dns, "sip.lyceum.test A");
    assert_eq!(name.probe, Ok(Probe::Addresses("sip.lyceum.test".to_owned())));
    let planned = Finding::Addresses(vec![SERVER.into()]);
    assert_eq!(judged(&name, planned), (Outcome::Pass, "10.0.0.10".to_owned(), String::new()));
    let (outcome, found, fix) = judged(&name, Finding::Addresses(Vec::new()));
    assert_eq!((outcome, found.as_str()), (Outcome::Fail, "no such record"));
    assert!(fix.starts_with("add to the internal zone: sip.lyceum.test IN A 10.0.0.10 "), "{fix}");
    let stray = Finding::Addresses(vec![SERVER.into(), "2001:db8::1".parse().expect("an address")]);
    let (outcome, _, fix) = judged(&name, stray);
    assert_eq!(outcome, Outcome::Fail);
    assert!(fix.starts_with("remove from it: sip.lyceum.test IN AAAA 2001:db8::1 "), "{fix}");
    let (outcome, found, fix) = judged(&name, Finding::Unresolved("refused".to_owned()));
    assert_eq!((outcome, found.as_str()), (Outcome::Fail, "the name server does not say: refused"));
    assert!(fix.contains("--dns"), "{fix}");
}

#[test]
fn a_service_has_port_and_host() {
    let name = line(&from_client(), Kind::Dns, "_sipinternaltls._tcp.lyceum.test SRV");
    let service = |port| Finding::Services(vec![Service { port, target: "se1-london.lyceum.test".to_owned() }]);
    assert_eq!(judged(&name, service(5061)).0, Outcome::Pass);
    let (outcome, found, fix) = judged(&name, service(5060));
    assert_eq!((outcome, found.as_str()), (Outcome::Fail, "se1-london.lyceum.test:5060"));
    assert!(fix.contains("IN SRV 0 0 5061 se1-london.lyceum.test., and remove from it: "), "{fix}");
}

#[test]
fn each_zone_asks_for_its_own_names() {
    let names = |zone, own| {
        let lines = seen(zone, own).into_iter().filter(|line| line.kind == Kind::Dns);
        lines.map(|line| (line.subject.clone(), line.probe.err())).collect::<Vec<_>>()
    };
    let why = |list: &[(String, Option<String>)], name: &str, nth: usize| {
        list.iter().filter(|(subject, _)| subject == name).nth(nth).map(|(_, why)| why.clone().unwrap_or_default())
    };
    let inside = names(Zone::Internal, [10, 128, 0, 9]);
    assert_eq!(why(&inside, "sip.lyceum.test A", 0).as_deref(), Some(""));
    assert_eq!(why(&inside, "sip.lyceum.test A", 1).as_deref(), Some("not from here: from external"));
    assert_eq!(why(&inside, "sip.lyceum.test A", 2).as_deref(), Some("not from here: from a VPN client's resolver"));
    let outside = names(Zone::External, [203, 0, 113, 9]);
    assert_eq!(why(&outside, "sip.lyceum.test A", 0).as_deref(), Some("not from here: from internal"));
    assert_eq!(why(&outside, "sip.lyceum.test A", 1).as_deref(), Some(""));
    assert!(names(Zone::Edge, [172, 16, 0, 10]).iter().all(|(_, why)| why.is_some()));
}

fn shown(names: &[&str], from_days: i64, until_days: i64) -> Finding {
    let at = |days: i64| NOW.saturating_add_signed(days * DAY as i64);
    Finding::Certificate(Shown {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        from_seconds: at(from_days),
        until_seconds: at(until_days),
        issuer: "CN=Test".to_owned(),
    })
}

#[test]
fn a_certificate_carries_its_names_in_time() {
    let certificate = line(&from_client(), Kind::Certificate, "Standard Edition default: 10.0.0.10:5061");
    let names = ["se1-london.lyceum.test", "sip.lyceum.test"];
    assert_eq!(judged(&certificate, shown(&names, -1, 365)).0, Outcome::Pass);
    assert_eq!(judged(&certificate, shown(&["*.lyceum.test"], -1, 365)).0, Outcome::Pass);
    let (outcome, _, fix) = judged(&certificate, shown(&names, -1, 20));
    assert_eq!(outcome, Outcome::Pass);
    assert!(fix.contains("se1-london.lyceum.test-default.cnf"), "{fix}");
    for (names, from, until, words) in [
        (&names[..1], -1, 365, "lacks sip.lyceum.test; has se1-london.lyceum.test"),
        (&names[..], -365, -2, "ended 2 days ago"),
        (&names[..], 3, 365, "is not valid for 3 more days"),
    ] {
        let (outcome, found, fix) = judged(&certificate, shown(names, from, until));
        assert_eq!((outcome, found.as_str()), (Outcome::Fail, words));
        assert!(!fix.is_empty(), "{words}");
    }
    let (outcome, found, _) = judged(&certificate, Finding::Reply(Reply::Refused));
    assert_eq!((outcome, found.as_str()), (Outcome::Fail, "nothing answers there"));
    assert_eq!(judged(&certificate, Finding::NoCertificate("SMTP".to_owned())).0, Outcome::Fail);
    // Nothing of this project listens at 4443, so nothing is missing there.
    let outside = line(&from_client(), Kind::Certificate, "Standard Edition web external: 10.0.0.10:4443");
    assert_eq!(judged(&outside, Finding::Reply(Reply::Refused)).0, Outcome::Skipped);
}

#[test]
fn a_port_answers_where_we_listen_and_is_open_elsewhere() {
    let all = from_client();
    let ours = line(&all, Kind::Port, "se1-london.lyceum.test 10.0.0.10 TCP 5061");
    assert_eq!(ours.probe, Ok(Probe::Tcp(SERVER, 5061)));
    let theirs = line(&all, Kind::Port, "se1-london.lyceum.test 10.0.0.10 TCP 444");
    for (line, reply, outcome) in [
        (&ours, Reply::Answered, Outcome::Pass),
        (&ours, Reply::Refused, Outcome::Fail),
        (&ours, Reply::Silent, Outcome::Fail),
        (&ours, Reply::Unreachable, Outcome::Fail),
        (&theirs, Reply::Answered, Outcome::Pass),
        (&theirs, Reply::Refused, Outcome::Pass),
        (&theirs, Reply::Silent, Outcome::Fail),
        (&theirs, Reply::Unreachable, Outcome::Fail),
    ] {
        let (found, _, fix) = judged(line, Finding::Reply(reply));
        assert_eq!((found, fix.is_empty()), (outcome, outcome == Outcome::Pass), "{} {reply:?}", line.subject);
    }
    let (_, _, fix) = judged(&ours, Finding::Reply(Reply::Silent));
    assert!(fix.starts_with("let TCP 5061 from internal to 10.0.0.10 through every filter between"), "{fix}");
    let datagrams = line(&all, Kind::Port, "edge1-london.lyceum.test 172.16.0.10 UDP 3478");
    assert_eq!(judged(&datagrams, Finding::Reply(Reply::Silent)).0, Outcome::Skipped);
}

#[test]
fn what_is_opened_to_others_is_shut_for_who_is_here() {
    let shut = |zone, own| {
        let all = seen(zone, own).into_iter().filter(|line| line.kind == Kind::Shut);
        all.map(|line| line.probe.expect("is asked")).collect::<Vec<_>>()
    };
    // A client: what only Front Ends may reach at the Edge, and each other.
    let edge: Ipv4Addr = [172, 16, 0, 10].into();
    let inside = shut(Zone::Internal, [10, 128, 0, 9]);
    assert!(inside.contains(&Probe::Shut(edge, vec![4443, 5061, 5062, 8057])), "{inside:?}");
    // What is open to anybody is open from inside too.
    let access: Ipv4Addr = [198, 18, 0, 10].into();
    assert!(inside.iter().all(|probe| !matches!(probe, Probe::Shut(at, _) if *at == access)), "{inside:?}");
    // The Front End itself: nothing of the Edge is shut for it.
    let front_end = shut(Zone::Internal, [10, 0, 0, 10]);
    assert!(front_end.iter().all(|probe| !matches!(probe, Probe::Shut(at, _) if *at == edge)), "{front_end:?}");
    let outside = shut(Zone::External, [203, 0, 113, 9]);
    let server = outside.iter().find(|probe| matches!(probe, Probe::Shut(at, _) if *at == SERVER));
    let Some(Probe::Shut(_, ports)) = server else { panic!("the server is asked: {outside:?}") };
    assert!([22, 443, 1433, 5061].iter().all(|port| ports.contains(port)), "{ports:?}");
    let access = Probe::Shut([198, 18, 0, 10].into(), vec![22, 135, 445, 1433, 3389, 5432, 5985]);
    assert!(outside.contains(&access), "{outside:?}");
}

#[test]
fn an_open_port_is_named_with_its_fix() {
    let all = seen(Zone::External, [203, 0, 113, 9]);
    let server = line(&all, Kind::Shut, "se1-london.lyceum.test 10.0.0.10");
    assert_eq!(judged(&server, Finding::Open(Vec::new())).0, Outcome::Pass);
    let (outcome, found, fix) = judged(&server, Finding::Open(vec![443]));
    assert_eq!((outcome, found.as_str()), (Outcome::Fail, "open: TCP 443"));
    assert!(fix.starts_with("close TCP 443 from external to 10.0.0.10 "), "{fix}");
}

#[test]
fn a_server_that_asks_is_that_server() {
    let all = seen(Zone::Internal, [10, 0, 0, 10]);
    let own = all.iter().find(|line| line.kind == Kind::Port && line.subject.contains("10.0.0.10 TCP 5061"));
    let why = own.and_then(|line| line.probe.clone().err());
    assert_eq!(why.as_deref(), Some("this is that server: no filter is on the way"));
    // A client may not reach the Edge's SIP port; the Front End must.
    line(&all, Kind::Port, "edge1-london.lyceum.test 172.16.0.10 TCP 5061");
    let from_elsewhere = from_client();
    let said = from_elsewhere.iter().find(|line| line.subject == "Director or FE to Edge internal");
    let why = said.and_then(|line| line.probe.clone().err());
    assert_eq!(why.as_deref(), Some("not from here: from internal (Director or FE)"));
}

#[test]
fn every_line_has_a_verdict_in_the_table() {
    let all = seen(Zone::Edge, [172, 16, 0, 10]);
    let checked: Vec<_> = all
        .into_iter()
        .map(|line| {
            let verdict = line.unasked().unwrap_or_else(|| line.judge(&Finding::Reply(Reply::Silent), NOW));
            (line, verdict)
        })
        .collect();
    let (found, totals) = (table(&checked), count(&checked));
    assert_eq!(found.rows.len(), checked.len());
    assert_eq!(totals.passed + totals.failed + totals.skipped, checked.len());
    assert!(totals.failed > 0 && totals.skipped > 0, "{totals:?}");
}
