//! The doctor as a person or a monitor meets it.

mod support;

use serde_json::Value;
use support::{Scratch, Server, lyceum, str, text};

/// Findings and exit code.
fn doctor(arguments: &[&str]) -> (Vec<Value>, i32) {
    let output = lyceum(&[&["doctor", "--json"][..], arguments].concat());
    let found = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}{}", text(&output.stdout), text(&output.stderr)));
    (found, output.status.code().unwrap())
}

/// Verdicts of everything whose name begins so.
fn verdicts(found: &[Value], what: &str) -> Vec<String> {
    let named = found.iter().filter(|finding| finding["what"].as_str().unwrap().starts_with(what));
    named.map(|finding| finding["verdict"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_broken_node_file_fails_with_every_fault_and_its_cure() {
    let scratch = Scratch::new();
    let config = scratch.write(
        "node.toml",
        "colour = 1\nname = \"n\"\ndata = \"/d\"\n[[listener]]\ntransport = \"udp\"\naddress = 5\n",
    );
    let (found, code) = doctor(&["--config", str(&config)]);
    assert_eq!((verdicts(&found, "node file"), code), (vec!["FAIL".to_owned(); 3], 1));
    assert!(found.iter().all(|finding| (finding["verdict"] == "OK") != finding["fix"].is_string()), "{found:#?}");
    // The machine is looked at all the same.
    for what in ["clock", "open files", "net.core.rmem_max", "net.core.somaxconn"] {
        assert_eq!(verdicts(&found, what).len(), 1, "{what}");
    }
    let lines = text(&lyceum(&["doctor", "--config", str(&config)]).stdout);
    assert!(
        lines.contains("FAIL  node file — ") && lines.contains("`colour` is no setting\n      remove it"),
        "{lines}"
    );
}

#[test]
fn without_a_node_file_it_says_what_to_do() {
    let output = lyceum(&["doctor", "--config", "/nowhere/node.toml"]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.contains("/nowhere/node.toml is not there")
            && said.contains("deploy/node.toml")
            && said.contains("--data DIR"),
        "{said}"
    );
}

#[test]
fn a_dev_folder_is_well_while_its_server_runs_and_after() {
    let scratch = Scratch::new();
    let folder = scratch.path("dev");
    let server = Server::start(&folder, &[]);
    let (found, code) = doctor(&["--data", str(&folder)]);
    assert_eq!(code, 0, "{found:#?}");
    for (what, count) in
        [("server", 1), ("data folder", 1), ("master key", 1), ("topology", 1), ("certificate", 2), ("authorities", 1)]
    {
        assert_eq!(verdicts(&found, what), vec!["OK"; count], "{what}");
    }
    let ports = verdicts(&found, "port ");
    assert!(ports.len() >= 3 && ports.iter().all(|verdict| verdict == "OK"), "{found:#?}");
    let held = format!("held by the running server, process {}", server.pid());
    assert!(found.iter().any(|finding| finding["detail"] == held.as_str()), "{found:#?}");
    assert!(found.iter().any(|finding| finding["detail"] == "version 1, domains lyceum.test"), "{found:#?}");
    assert!(server.stop().success());

    let before = std::fs::read(folder.join("data/lyceum.db")).unwrap();
    let (found, code) = doctor(&["--data", str(&folder)]);
    assert_eq!(
        (verdicts(&found, "server"), verdicts(&found, "store"), code),
        (vec!["WARN".into()], vec!["OK".into()], 0)
    );
    // A folder on trial, as after a restore, with the file of a node whose own data is elsewhere.
    let dir = folder.display();
    let listener = "[[listener]]\ntransport = \"udp\"\naddress = \"127.0.0.1:0\"\n";
    let text = format!("name = \"node1\"\ndata = \"/nowhere\"\nmaster_key = \"{dir}/key/master.key\"\n{listener}");
    let config = scratch.write("node.toml", &text);
    let (found, _) = doctor(&["--config", str(&config), "--data", str(&folder.join("data"))]);
    for (what, verdicts_of) in
        [("data folder", &["OK"][..]), ("store", &["OK"]), ("topology", &["OK"]), ("port", &[]), ("server", &[])]
    {
        assert_eq!(verdicts(&found, what), verdicts_of, "{what}");
    }
    std::fs::write(folder.join("key/master.key"), "ab".repeat(32)).unwrap();
    let (found, code) = doctor(&["--data", str(&folder)]);
    assert_eq!((verdicts(&found, "store"), code), (vec!["FAIL".into()], 1));
    assert_eq!(std::fs::read(folder.join("data/lyceum.db")).unwrap(), before, "the doctor changes nothing");
}

#[test]
fn the_command_that_is_advised_names_the_domain_of_the_folder() {
    let scratch = Scratch::new();
    let folder = scratch.path("dev");
    assert!(Server::start(&folder, &["--domain", "example.org"]).stop().success());
    let (found, code) = doctor(&["--data", str(&folder)]);
    let server = found.iter().find(|finding| finding["what"] == "server").unwrap();
    let advised = format!("lyceum dev --data {} --domain example.org", folder.display());
    assert!(code == 0 && server["fix"].as_str().unwrap().contains(&advised), "{server}");
    // A stopped server would need as many files as a running one.
    let files = |found: &[Value]| found.iter().find(|finding| finding["what"] == "open files").unwrap().to_string();
    assert!(!files(&found).contains(" 9024 "), "{}", files(&found));
}

#[test]
fn a_port_that_another_program_holds_fails_with_its_name() {
    let scratch = Scratch::new();
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let dir = scratch.0.display();
    let text = format!(
        "name = \"n\"\ndata = \"{dir}/data\"\nmaster_key = \"{dir}/master.key\"\nsocket = \"{dir}/lyceum.sock\"\n\
         [[listener]]\ntransport = \"udp\"\naddress = \"{}\"\n[[listener]]\ntransport = \"tcp\"\naddress = \"127.0.0.1:0\"\n",
        socket.local_addr().unwrap()
    );
    let config = scratch.write("node.toml", &text);
    let (found, code) = doctor(&["--config", str(&config)]);
    assert_eq!(
        (verdicts(&found, "port udp"), verdicts(&found, "port tcp"), code),
        (vec!["FAIL".into()], vec!["OK".into()], 1)
    );
    let us = format!("in use by process {} (", std::process::id());
    assert!(found.iter().any(|finding| finding["detail"].as_str().unwrap().starts_with(&us)), "{found:#?}");
    assert_eq!(verdicts(&found, "master key"), ["FAIL"]);
    assert!(!scratch.path("data").exists(), "the doctor changes nothing");
}
