use lyceum_topology::policy::{ClientAction, ClientVersion, ClientVersionRule, Compare};

use crate::bench::*;

fn rule(user_agent: &str, version: &str, action: ClientAction, url: Option<&str>) -> ClientVersionRule {
    ClientVersionRule {
        user_agent: user_agent.to_owned(),
        compare: Compare::Lss,
        version: ClientVersion::parse(version),
        action,
        url: url.map(str::to_owned),
        enabled: true,
    }
}

fn bench(default_action: ClientAction) -> Bench {
    let rules = vec![
        rule("Acme*", "2.0", ClientAction::Block, None),
        rule("Acme*", "3.0", ClientAction::Warn, None),
        rule("Baker*", "2.0", ClientAction::Block, Some("https://help.example.org/baker")),
        rule("Baker*", "3.0", ClientAction::Warn, Some("https://help.example.org/baker")),
    ];
    let mut bench = Bench::with(
        |document| {
            document.policies.client_version.global.rules = Some(rules);
            document.policies.client_version.global.default_action = Some(default_action);
        },
        vec![user(1, "anna")],
    );
    bench.core.set_pages("https://sip.example.org:8443/");
    bench
}

fn register(bench: &mut Bench, agent: &str, expires: u32) -> Sent {
    let extra = match agent {
        "" => format!("Expires: {expires}\n"),
        agent => format!("User-Agent: {agent}\nExpires: {expires}\n"),
    };
    let text = bench.request("REGISTER", "sip:example.org", "anna", phone(1), &extra);
    bench.signed("anna", "secret", phone(1), &text).pop().expect("an answer to REGISTER")
}

#[test]
fn rules_allow_warn_and_block_by_product_and_version() {
    let own = "https://sip.example.org:8443/client-versions/?action=";
    let baker = "https://help.example.org/baker";
    let mut bench = bench(ClientAction::Allow);
    for (agent, status, link) in [
        ("", 200, String::new()),
        ("Other 1.0", 200, String::new()),
        ("Acme/3.0", 200, String::new()),
        ("Acme/2.9 (\"x\" <y>)", 200, format!("{own}warn&client=Acme%2F2.9%20%28%22x%22%20%3Cy%3E%29")),
        ("Acme/1.9", 403, format!("{own}block&client=Acme%2F1.9")),
        ("Baker 2.5", 200, baker.to_owned()),
        ("Baker 1.5", 403, baker.to_owned()),
    ] {
        let answer = register(&mut bench, agent, 600);
        assert_eq!(answer.status(), status, "{agent}");
        let said = (answer.value("Warning"), answer.value("Error-Info"), answer.value("Lyceum-Diagnostics"));
        let (warned, blocked) = (format!("399 example.org \"Please update this client: {link}\""), format!("<{link}>"));
        let expected = match (status, link.is_empty()) {
            (403, _) => ("", blocked.as_str(), "LYS0056"),
            (_, false) => (warned.as_str(), "", ""),
            (_, true) => ("", "", ""),
        };
        assert_eq!(said, expected, "{agent}");
    }
}

#[test]
fn who_does_not_know_the_password_learns_nothing_of_the_rules() {
    let mut bench = bench(ClientAction::Block);
    let text = bench.request("REGISTER", "sip:example.org", "anna", phone(1), "User-Agent: Acme/1.0\n");
    assert_eq!(bench.receive(phone(1), &text).pop().map(|sent| sent.status()), Some(401));
    let refused = bench.signed("anna", "wrong", phone(1), &text).pop().expect("an answer");
    assert_eq!((refused.value("Lyceum-Diagnostics"), refused.value("Error-Info")), ("LYS0001", ""));
}

#[test]
fn a_blocked_client_may_still_sign_out() {
    let mut bench = bench(ClientAction::Block);
    let refused = register(&mut bench, "", 600);
    let own = "<https://sip.example.org:8443/client-versions/?action=block&client=>";
    assert_eq!((refused.status(), refused.value("Error-Info")), (403, own));
    assert_eq!(register(&mut bench, "", 0).status(), 200);
}

#[test]
fn a_server_without_pages_blocks_and_warns_without_a_link() {
    let mut bench = bench(ClientAction::Allow);
    bench.core.set_pages("");
    let blocked = register(&mut bench, "Acme/1.0", 600);
    assert_eq!((blocked.status(), blocked.values("Error-Info").len()), (403, 0));
    let warned = register(&mut bench, "Acme/2.0", 600);
    assert_eq!((warned.status(), warned.value("Warning")), (200, "399 example.org \"Please update this client\""));
}
