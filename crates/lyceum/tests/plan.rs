//! `lyceum plan` as somebody meets it who has a business and no server.

mod support;

use std::io::Write;
use std::process::{Output, Stdio};

use serde_json::Value;
use support::{Scratch, Server, command, done, lyceum, str, text};

/// Runs with `typed` on standard input.
fn typing(arguments: &[&str], typed: &str) -> Output {
    let mut child =
        command().args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // One that refuses at once does not read what is typed.
    child.stdin.take().unwrap().write_all(typed.as_bytes()).ok();
    child.wait_with_output().unwrap()
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&done(&[arguments, &["--output", "json"]].concat())).unwrap()
}

const THREE: &str = "[organisation]\nname = \"Contoso\"\nsip_domains = [\"contoso.com\"]\n[voice]\ngateways = [\"10.0.0.5\"]\n\
    [[site]]\nname = \"London\"\nusers = 30000\n[[site]]\nname = \"Paris\"\nusers = 19200\n\
    [[site]]\nname = \"Leeds\"\nhub = \"London\"\nusers = 800\n[[link]]\nfrom = \"Leeds\"\nto = \"London\"\nmbps = 20\n";

#[test]
fn from_defaults_to_the_whole_report_in_two_commands() {
    let scratch = Scratch::new();
    let (plan, page, book) = (scratch.path("plan.toml"), scratch.path("plan.html"), scratch.path("plan.xlsx"));
    let pictures = scratch.path("pictures");
    done(&["plan", "new", "--defaults", str(&plan)]);
    done(&["plan", "report", str(&plan), str(&page), str(&book), str(&pictures), "--date", "today"]);
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("<svg ") && page.contains(">assumed<"));
    assert!(std::fs::read(book).unwrap().starts_with(b"PK\x03\x04"));
    let picture = std::fs::read_to_string(pictures.join("topology.svg")).unwrap();
    assert!(picture.starts_with("<svg ") && picture.contains("80,000 users"));
}

#[test]
fn every_calculator_answers_in_every_format() {
    let scratch = Scratch::new();
    let plan = scratch.write("plan.toml", THREE);
    for noun in ["show", "capacity", "bandwidth", "dns", "certificates", "firewall", "qos", "vpn", "communication"] {
        let table = done(&["plan", noun, str(&plan)]);
        assert!(table.lines().count() > 5, "{noun}: {table}");
        let tables = json(&["plan", noun, str(&plan)]);
        let first = tables.as_object().unwrap().values().next().unwrap();
        assert!(!first["rows"].as_array().unwrap().is_empty(), "{noun}");
        let lines = done(&["plan", noun, str(&plan), "--output", "jsonl"]);
        assert!(lines.lines().all(|line| serde_json::from_str::<Value>(line).unwrap().is_object()), "{noun}");
        let csv = done(&["plan", noun, str(&plan), "--output", "csv"]);
        assert_eq!(csv.lines().count(), lines.lines().count() + 1, "{noun}: a line of names more than rows");
        assert!(done(&["plan", noun, str(&plan), "--output", "yaml"]).contains("rows:"), "{noun}");
    }
    let servers = json(&["plan", "capacity", str(&plan), "--table", "Servers"]);
    let london = servers.as_array().unwrap().iter().find(|row| row["role"] == "Front End").unwrap();
    assert_eq!((&london["site"], &london["servers"]), (&"London".into(), &5.into()));
}

#[test]
fn a_wrong_file_names_file_line_field_and_what_was_expected() {
    let scratch = Scratch::new();
    let plan = scratch.write("plan.toml", "[voice]\nbypas = 65\nminutes = \"three\"\n");
    let output = lyceum(&["plan", "capacity", str(&plan)]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    for line in [
        "plan.toml: line 2: voice.bypas: found a key that means nothing here; expected \"bypass\", if that is what is meant",
        "plan.toml: line 3: voice.minutes: found string \"three\"; expected a number from 0 to 600 min",
    ] {
        assert!(said.contains(line), "{said}");
    }
    let survey = scratch.write("survey.csv", "floor,point,rssi_dbm,snr_db\n1,A,strong,30\n");
    let said = text(&lyceum(&["plan", "wifi", str(&survey)]).stderr);
    assert!(said.contains("survey.csv: line 2: rssi_dbm: found"), "{said}");
}

#[test]
fn an_interview_asks_until_a_dot_and_writes_what_was_answered() {
    let scratch = Scratch::new();
    let plan = scratch.path("plan.toml");
    // Eleven drivers, of which the fourth asks for recovery; then name and domains; then the rest as assumed.
    let typed = "no\n\n\nyes\n\n\n\n\n\n\n?\n\nContoso\ncontoso.com\n.\n";
    let output = typing(&["plan", "new", str(&plan)], typed);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stderr);
    assert!(said.contains("Must travel cost less") && said.contains("What is left is assumed."), "{said}");
    let written = std::fs::read_to_string(&plan).unwrap();
    for line in ["continuity = true", "name = \"Contoso\"", "sip_domains = [\"contoso.com\"]", "recovery = true"] {
        assert!(written.contains(line), "{line}: {written}");
    }
    assert!(json(&["plan", "show", str(&plan)])["from_drivers_to_features"]["rows"][0]["fulfilled"] == true);
    // A file that is there is not written over by a slip of the pen.
    assert_eq!(typing(&["plan", "new", str(&plan)], ".\n").status.code(), Some(7));
    let wrong = typing(&["plan", "new"], "perhaps\n");
    assert!(text(&wrong.stderr).contains("drivers.travel: found \"perhaps\"; expected yes or no"));
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn lists_that_people_bring_along_are_judged() {
    let scratch = Scratch::new();
    let survey = scratch.write("survey.csv", "floor,point,rssi_dbm,snr_db\n1,A,-60,30\n1,B,-80,10\n");
    let inventory = scratch.write("things.csv", "category,product,count\nphone,Nobody knows this,3\n");
    assert!(done(&["plan", "wifi", str(&survey)]).contains("B"));
    assert!(done(&["plan", "equipment", str(&inventory)]).contains("Nobody knows this"));
    let open = done(&["plan", "readiness", "--table", "Readiness: answers", "--output", "csv"]);
    assert!(open.starts_with("id,phase,area,question,answer"), "{open}");
    // The list of questions is the list of answers, once it is filled in.
    let answers = scratch.write("answers.csv", &open.replace(",open,", ",yes,"));
    let scored = json(&["plan", "readiness", "--answers", str(&answers), "--table", "Readiness by phase"]);
    assert!(scored.as_array().unwrap().iter().all(|phase| phase["ready"] == true), "{scored}");
}

#[test]
fn exports_are_files_and_what_if_writes_none() {
    let scratch = Scratch::new();
    let plan = scratch.write("plan.toml", THREE);
    let zones = scratch.path("zones");
    done(&["plan", "dns", str(&plan), "--zones", str(&zones), "--what-if"]);
    assert!(!zones.exists());
    done(&["plan", "dns", str(&plan), "--zones", str(&zones), "--serial", "7"]);
    let zone = std::fs::read_dir(&zones).unwrap().next().unwrap().unwrap().path();
    assert!(std::fs::read_to_string(zone).unwrap().contains("SOA"));
    let requests = scratch.path("requests");
    done(&["plan", "certificates", str(&plan), "--requests", str(&requests)]);
    assert!(std::fs::read_dir(&requests).unwrap().count() > 5);
    assert!(done(&["plan", "firewall", str(&plan), "--nftables", "-"]).contains("table inet"));
    assert!(done(&["plan", "vpn", str(&plan), "--nftables", "-"]).contains("table inet"));
    let marks = scratch.path("qos");
    done(&["plan", "qos", str(&plan), "--dir", str(&marks)]);
    assert!(std::fs::read_to_string(marks.join("lyceum-qos.nft")).expect("the rules").contains("49152-57499"));
    assert!(done(&["plan", "vpn", str(&plan), "--powershell", "-", "--resolver", "10.0.0.2"]).contains("10.0.0.2"));
}

#[test]
fn a_plan_becomes_the_topology_that_a_server_runs_and_comes_back() {
    let scratch = Scratch::new();
    let plan = scratch.write("plan.toml", THREE);
    let document = scratch.write("topology.yaml", &done(&["plan", "to-topology", str(&plan)]));
    let agreed = done(&["plan", "from-topology", str(&document), "--plan", str(&plan), "--compare"]);
    assert!(agreed.contains("agree in everything"), "{agreed}");

    let folder = scratch.path("dev");
    let server = Server::start(&folder, &[]);
    let data = str(&folder);
    // What runs is another topology: the difference is named, and the exit code tells.
    let parted = lyceum(&["plan", "from-topology", "--plan", str(&plan), "--compare", "--data", data]);
    assert_eq!(parted.status.code(), Some(1));
    assert!(text(&parted.stdout).contains("site London"), "{}", text(&parted.stdout));
    // The running one, read back with the users that the server counts, grows by a site and runs.
    let running = done(&["plan", "from-topology", "--data", data]);
    assert!(running.contains("sip_domains = [\"lyceum.test\"]") && running.contains("\nusers = "), "{running}");
    let grown = scratch.write("grown.toml", &format!("{running}[[site]]\nname = \"Paris\"\nusers = 800\n"));
    let document = done(&["plan", "to-topology", str(&grown), "--running", "--data", data]);
    let document = scratch.write("grown.yaml", &document);
    assert!(done(&["topology", "validate", str(&document), "--data", data]).contains("valid"));
    done(&["topology", "publish", str(&document), "--data", data]);
    let agreed = done(&["plan", "from-topology", "--plan", str(&grown), "--compare", "--data", data]);
    assert!(agreed.contains("agree in everything"), "{agreed}");
    // What it sees scores the rollout: nobody is signed in, its certificate lasts.
    let scored = json(&["plan", "readiness", "--running", "--table", "Readiness: answers", "--data", data]);
    let answer = |id: &str| scored.as_array().unwrap().iter().find(|row| row["id"] == id).unwrap()["answer"].clone();
    assert_eq!(
        (answer("certificates"), answer("adoption"), answer("quality")),
        ("yes".into(), "no".into(), "open".into())
    );
    assert!(server.stop().success());
}
