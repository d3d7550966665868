//! What keeps a node from starting is said in one list, a sentence each; what starts, ends clean.

mod support;

use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};

use support::{Scratch, Server, lyceum, str, text, wait};

const TOPOLOGY: &str = include_str!("../../../deploy/topology.yaml");

/// A node on one free UDP port, with more lines of its file.
fn node(scratch: &Scratch, more: &str) -> String {
    let dir = scratch.0.display();
    let head = format!(
        "name = \"node1\"\ndata = \"{dir}/data\"\nmaster_key = \"{dir}/master.key\"\nsocket = \"{dir}/lyceum.sock\"\n"
    );
    scratch.write("node.toml", &format!("{head}[[listener]]\ntransport = \"udp\"\naddress = \"127.0.0.1:0\"\n{more}"));
    scratch.write("topology.yaml", TOPOLOGY);
    str(&scratch.path("node.toml")).to_owned()
}

/// Starts a node that cannot start; gives what it said.
fn refused(arguments: &[&str]) -> String {
    let output = lyceum(arguments);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("lyceum: ") && !said.contains("panicked"), "{said}");
    said
}

/// Starts a node that can start, lets `meanwhile` look, and ends it.
fn served(arguments: &[&str], socket: &Path, meanwhile: impl FnOnce()) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_lyceum"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !socket.exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended: {arguments:?}");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    meanwhile();
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::TERM).unwrap();
    assert!(wait(&mut child).success());
}

#[test]
fn every_fault_of_a_start_is_told_at_once() {
    let scratch = Scratch::new();
    let (tcp, udp) = (TcpListener::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    let dir = scratch.0.display();
    let more = format!(
        "[[listener]]\ntransport = \"tls\"\naddress = \"{}\"\n[[listener]]\ntransport = \"udp\"\naddress = \"{}\"\n\
         [tls]\ncertificate = \"{dir}/c.pem\"\nkey = \"{dir}/k.pem\"\n",
        tcp.local_addr().unwrap(),
        udp.local_addr().unwrap()
    );
    let config = node(&scratch, &more);
    scratch.write("data", "a file in the way");
    let said = refused(&["serve", "--config", &config, "--topology", "/nowhere.yaml"]);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "lyceum: the node cannot start; 6 things are wrong:");
    let us = std::process::id();
    for (line, parts) in lines[1..].iter().zip([
        ["the topology file /nowhere.yaml cannot be read", "check the path"],
        ["master.key is not there", "--new-master-key"],
        ["c.pem cannot be read", "check the path"],
        ["data is no folder", "move that file away"],
        [
            &format!("TCP port {} on 127.0.0.1 is in use by process {us}", tcp.local_addr().unwrap().port()),
            "choose another port",
        ],
        [
            &format!("UDP port {} on 127.0.0.1 is in use by process {us}", udp.local_addr().unwrap().port()),
            "choose another port",
        ],
    ]) {
        assert!(line.starts_with("  - ") && parts.iter().all(|part| line.contains(part)), "{parts:?}: {line}");
    }
}

#[test]
fn a_wrong_node_file_is_told_with_every_fault() {
    let scratch = Scratch::new();
    let config = node(&scratch, "port = 5\n[log]\nformat = 7\n");
    let said = refused(&["serve", "--config", &config]);
    assert!(
        said.contains("2 things are wrong")
            && said.contains("`listener 1: port` is no setting")
            && said.contains("`log.format` is integer"),
        "{said}"
    );
    let said = refused(&["serve", "--config", "/nowhere.toml"]);
    assert!(
        said.lines().count() == 1 && said.contains("/nowhere.toml cannot be read") && said.contains("--config"),
        "{said}"
    );
}

#[test]
fn a_node_starts_once_for_each_folder_and_with_its_own_key_only() {
    let scratch = Scratch::new();
    let config = node(&scratch, "");
    let (topology, socket) = (scratch.path("topology.yaml"), scratch.path("lyceum.sock"));
    let said = refused(&["serve", "--config", &config, "--new-master-key"]);
    assert!(said.contains("no data") && said.contains("--topology FILE"), "{said}");
    let first = ["serve", "--config", &config, "--new-master-key", "--topology", str(&topology)];
    served(&first, &socket, || {
        let said = refused(&["serve", "--config", &config]);
        assert!(said.contains("2 things") && said.contains("data is in use by the server with process id"), "{said}");
        assert!(said.contains("another server answers on the local socket"), "{said}");
    });
    assert!(!socket.exists(), "the socket goes away with the server");
    // The topology file has done its work.
    std::fs::remove_file(&topology).unwrap();
    served(&first, &socket, || {});
    let key = scratch.path("master.key");
    std::fs::rename(&key, scratch.path("kept.key")).unwrap();
    let said = refused(&first);
    assert!(said.contains("needs it: put back the copy") && said.lines().count() == 1, "{said}");
    std::fs::write(&key, "ab".repeat(32)).unwrap();
    let said = refused(&first);
    assert!(said.contains("may be read by others") && said.contains("chmod 600"), "{said}");
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let said = refused(&first);
    assert!(said.contains("does not open the secrets") && said.lines().count() == 1, "{said}");
    std::fs::rename(scratch.path("kept.key"), &key).unwrap();
    served(&first, &socket, || {});
}

#[test]
fn a_wrong_word_at_the_start_leaves_the_folder_as_it_was() {
    let scratch = Scratch::new();
    let folder = scratch.path("dev");
    assert!(Server::start(&folder, &[]).stop().success());
    let free = ["--sip", "127.0.0.1:0", "--tls", "127.0.0.1:0", "--https", "127.0.0.1:0", "--data", str(&folder)];
    let said = refused(&[&["dev", "--json", "--domain", "other.test"][..], &free].concat());
    assert!(said.contains("belongs to the domain lyceum.test, not to other.test"), "{said}");
    let users = scratch.write("users.csv", "carol;x\nno address;y\n");
    refused(&[&["dev", "--json", "--users", str(&users)][..], &free].concat());
    let server = Server::start(&folder, &[]);
    let listed = text(&lyceum(&["user", "get", "--output", "json", "--data", str(&folder)]).stdout);
    assert!(listed.contains("anna@lyceum.test") && !listed.contains("carol"), "{listed}");
    assert!(server.stop().success());
}

#[test]
fn a_node_in_a_pool_that_is_not_there_writes_nothing() {
    let scratch = Scratch::new();
    let config = node(&scratch, "");
    let right = std::fs::read_to_string(&config).unwrap();
    let (topology, socket) = (scratch.path("topology.yaml"), scratch.path("lyceum.sock"));
    let first = ["serve", "--config", &config, "--new-master-key", "--topology", str(&topology)];
    std::fs::write(&config, format!("pool = \"pool9\"\n{right}")).unwrap();
    let said = refused(&first);
    assert!(said.contains("the pool pool9, and the topology has pool1: correct `pool`"), "{said}");
    assert!(!scratch.path("master.key").exists() && !scratch.path("data").exists());
    std::fs::write(&config, &right).unwrap();
    served(&first, &socket, || {});
    // The same on a folder in use since long.
    std::fs::write(&config, format!("pool = \"pool9\"\n{right}")).unwrap();
    assert!(refused(&first[..3]).contains("the topology has pool1"));
    std::fs::write(&config, &right).unwrap();
    served(&first[..3], &socket, || {});
}

#[test]
fn dev_ends_clean_on_sigterm() {
    let scratch = Scratch::new();
    let folder = scratch.path("dev");
    let server = Server::start(&folder, &[]);
    // Connections that say nothing do not hold it up.
    let idle: Vec<TcpStream> = ["tcp", "tls", "https"].map(|of| TcpStream::connect(server.address(of)).unwrap()).into();
    assert_eq!(server.facts["pid"], server.pid());
    let begun = std::time::Instant::now();
    assert_eq!(server.stop().code(), Some(0));
    assert!(begun.elapsed().as_secs() < 15, "{:?}", begun.elapsed());
    assert!(!folder.join("lyceum.sock").exists());
    drop(idle);
    // Nothing is left locked.
    assert_eq!(Server::start(&folder, &[]).stop().code(), Some(0));
}

#[test]
fn dev_refuses_what_it_cannot_use_in_one_sentence() {
    let scratch = Scratch::new();
    let users = scratch.write("users.csv", "anna\n");
    let folder = scratch.path("dev");
    let free = ["--sip", "127.0.0.1:0", "--tls", "127.0.0.1:0", "--https", "127.0.0.1:0", "--data", str(&folder)];
    for (more, part) in [
        (["--users", str(&users)], "line 1 is not `user;password`"),
        (["--users", "/nowhere.csv"], "/nowhere.csv cannot be read"),
        (["--domain", "x y"], "is not a DNS name"),
        (["--trust", "friends"], "is not an address or a block"),
        (["--ws", "0.0.0.0:0"], "--expose"),
        (["--topology", "/nowhere.yaml"], "/nowhere.yaml cannot be read"),
    ] {
        let said = refused(&[&["dev", "--json"][..], &free, &more].concat());
        assert!(said.contains(part) && said.lines().count() == 1, "{part}: {said}");
    }
}

#[test]
fn the_unit_calls_the_binary_as_it_is() {
    let unit = include_str!("../../../deploy/lyceum.service");
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/lyceum ")).unwrap();
    let arguments: Vec<&str> =
        line.split(' ').map(|word| if word == "/etc/lyceum/node.toml" { "/nowhere.toml" } else { word }).collect();
    assert!(refused(&arguments).contains("/nowhere.toml cannot be read"));
}

/// Every line of a dev's box that begins so, without its frame.
fn boxed(folder: &Path, path: &str) -> (std::process::Child, String) {
    use std::io::{BufRead, BufReader};
    let mut child = support::command()
        .args(["dev", "--data", str(folder), "--sip", "127.0.0.1:0", "--tls", "127.0.0.1:0", "--https", "127.0.0.1:0"])
        .env("PATH", path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let lines: Vec<String> = out.lines().map_while(Result::ok).take_while(|line| !line.starts_with("Ctrl-C")).collect();
    let found =
        lines.iter().find_map(|line| Some(line.split_once("Management shell   ")?.1.trim_end_matches([' ', '│'])));
    let command = found.unwrap_or_else(|| panic!("{lines:?}")).to_owned();
    (child, command)
}

#[test]
fn the_command_in_the_box_works_as_it_is_written() {
    let scratch = Scratch::new();
    let own = Path::new(env!("CARGO_BIN_EXE_lyceum")).parent().unwrap();
    let on_path = format!("{}:/usr/bin:/bin", own.display());
    for (folder, path, begin) in
        [("it is mine", "/usr/bin:/bin", env!("CARGO_BIN_EXE_lyceum")), ("dev", on_path.as_str(), "lyceum user get")]
    {
        let (mut child, line) = boxed(&scratch.path(folder), path);
        assert!(line.starts_with(begin), "{line}");
        let output = Command::new("/bin/sh").args(["-c", &line]).env("PATH", path).output().unwrap();
        rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::TERM).unwrap();
        assert!(wait(&mut child).success());
        let said = text(&output.stdout);
        assert!(output.status.success() && said.contains("anna@lyceum.test"), "{line}: {said}{}", text(&output.stderr));
    }
}

#[test]
fn prometheus_reads_figures_without_a_session() {
    use std::io::{Read, Write};
    let scratch = Scratch::new();
    let server = Server::start(&scratch.0, &["--metrics", "127.0.0.1:0"]);
    let url = server.facts["metrics"].as_str().unwrap();
    let host = url.strip_prefix("http://").and_then(|rest| rest.strip_suffix("/metrics")).unwrap();
    let ask = |path: &str| {
        let mut stream = TcpStream::connect(host).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let figures = ask("/metrics");
    assert!(figures.starts_with("HTTP/1.1 200 OK\r\n") && figures.contains("\nlyceum_users 4.0\n"), "{figures}");
    for path in ["/api/v1/status", "/api/v1/metrics", "/ws", "/"] {
        assert!(ask(path).starts_with("HTTP/1.1 404 "), "{path}");
    }
    assert!(server.stop().success());
    let said = refused(&["dev", "--json", "--data", str(&scratch.0), "--metrics", "0.0.0.0:0"]);
    assert!(said.contains("--expose"), "{said}");
}

#[test]
fn the_status_names_every_port() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.0, &["--ws", "127.0.0.1:0"]);
    let output = lyceum(&["status", "--output", "json", "--data", str(&scratch.0)]);
    let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let listed: Vec<&str> =
        status["listeners"].as_array().unwrap().iter().filter_map(serde_json::Value::as_str).collect();
    for what in ["udp", "tcp", "tls", "https"] {
        assert!(listed.contains(&format!("{what} {}", server.address(what)).as_str()), "{what}: {listed:?}");
    }
    assert!(listed.iter().any(|port| port.starts_with("ws 127.0.0.1:")), "{listed:?}");
    assert!(server.stop().success());
}
