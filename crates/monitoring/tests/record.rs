//! Call detail records: stored, read back, told.

use lyceum_monitoring::*;

fn record() -> CallRecord {
    let party = |address: &str| Party {
        address: address.into(),
        user: Some(1),
        user_agent: Some("baresip v1.0.0".into()),
        transport: Some(Wire::Tls),
        source: Some("192.0.2.1:40000".parse().unwrap()),
    };
    CallRecord {
        id: "fe1-1".into(),
        call_id: "c1".into(),
        session_id: None,
        node: "fe1".into(),
        caller: party("sip:anna@contoso.com"),
        callee: Some(party("sip:ben@contoso.com")),
        dialled: "030 12345".into(),
        started: Stamp(1_000),
        ringing: Some(Stamp(1_200)),
        answered: Some(Stamp(4_200)),
        ended: Some(Stamp(64_200)),
        outcome: Outcome::Answered,
        status: 200,
        code: None,
        hung_up: Some(Side::Callee),
        branches: vec![BranchRecord {
            contact: "sip:ben@192.0.2.2".into(),
            remote: Some("192.0.2.2:5060".parse().unwrap()),
            transport: Some(Wire::Udp),
            user_agent: None,
            ringing: Some(Stamp(1_200)),
            ended: Some(Stamp(4_200)),
            status: 200,
        }],
        decision: steps(),
    }
}

fn steps() -> Vec<DecisionStep> {
    use DecisionStep::*;
    vec![
        Received { request_uri: "sip:03012345@contoso.com".into(), source: "192.0.2.1:40000".parse().unwrap() },
        Authenticated { user: "anna@contoso.com".into(), by: "SHA-256".into() },
        Domain { name: "contoso.com".into(), ours: true },
        Normalised { from: "03012345".into(), to: "+493012345".into(), rule: Some("Berlin".into()) },
        Number { number: "+493012345".into(), user: Some("ben@contoso.com".into()) },
        User { address: "ben@contoso.com".into(), enabled: true },
        Policy {
            kind: "calls".into(),
            field: "allow_outgoing".into(),
            value: "true".into(),
            origin: "built-in default".into(),
            allowed: true,
        },
        Targets {
            endpoints: vec![Target {
                contact: "sip:ben@192.0.2.2".into(),
                q: 1000,
                user_agent: None,
                transport: Wire::Udp,
            }],
        },
        StaticRoute { name: "pstn".into() },
        NextHop {
            host: "gw.contoso.com".into(),
            address: Some("192.0.2.9:5061".parse().unwrap()),
            transport: Wire::Tls,
        },
        Refused { status: 404, code: "LYS0014".into(), why: "there is no such user.".into() },
    ]
}

#[test]
fn a_record_reads_back_and_knows_its_times() {
    let record = record();
    let stored = serde_json::to_string(&record).unwrap();
    assert_eq!(serde_json::from_str::<CallRecord>(&stored).unwrap(), record);
    assert_eq!((record.talk_millis(), record.ring_millis()), (Some(60_000), Some(3_000)));
}

#[test]
fn addresses_and_numbers_in_a_record_do_not_print_themselves() {
    let printed = format!("{:?}", record());
    for private in ["030 12345", "+4930", "sip:anna", "sip:ben@"] {
        assert!(!printed.contains(private), "{private} in {printed}");
    }
}

#[test]
fn a_decision_is_told_step_by_step() {
    let told: Vec<String> = steps().iter().map(DecisionStep::sentence).collect();
    assert_eq!(
        told,
        [
            "A request for sip:03012345@contoso.com came from 192.0.2.1:40000.",
            "The caller is anna@contoso.com, proven by SHA-256.",
            "contoso.com is one of our domains.",
            "03012345 means +493012345 by rule Berlin.",
            "+493012345 is the number of ben@contoso.com.",
            "The target is the user ben@contoso.com.",
            "Policy calls.allow_outgoing = true (built-in default) allows it.",
            "The user is signed in at 1 endpoint: sip:ben@192.0.2.2.",
            "The static route pstn fits.",
            "The next hop is gw.contoso.com (192.0.2.9:5061) over TLS.",
            "Refused with 404 (LYS0014): there is no such user.",
        ]
    );
}
