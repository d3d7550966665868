//! Every case of `tests/ladders/*.ladder`: the messages of a call, and the sentence that explains it.
//!
//! A case is a title line `== title`, one line per message (`seconds sender > receiver: message`), and
//! the lines `= code verdict` and `= sentence`. `again` repeats an earlier message, `| Name: value` adds a
//! header field, `| sdp ADDRESS` a session description. `# …` is a remark, `where NAME = ADDRESS` places a party.

use lyceum_monitoring::{Direction, Ladder, Passage, Stamp, TraceEntry, Verdict, Wire};
use std::collections::BTreeMap;
use std::net::SocketAddr;

struct Case {
    title: String,
    entries: Vec<TraceEntry>,
    code: String,
    sentence: String,
}

#[derive(Clone)]
struct Sent {
    from: String,
    to: String,
    method: String,
    branch: String,
    cseq: u32,
    caller: String,
    target: String,
    start: String,
    text: String,
    answered: bool,
    refused: bool,
}

#[derive(Default)]
struct Stage {
    places: BTreeMap<String, SocketAddr>,
    sent: Vec<Sent>,
    entries: Vec<TraceEntry>,
}

impl Stage {
    fn place(&mut self, name: &str) -> SocketAddr {
        let next = self.places.len() + 1;
        *self.places.entry(name.to_owned()).or_insert_with(|| format!("192.0.2.{next}:5060").parse().unwrap())
    }

    fn line(&mut self, line: &str) {
        let (time, rest) = line.split_once(' ').unwrap_or_else(|| panic!("no time in `{line}`"));
        let seconds: f64 = time.parse().unwrap_or_else(|_| panic!("no time in `{line}`"));
        let (parties, message) = rest.split_once(": ").unwrap_or_else(|| panic!("no message in `{line}`"));
        let (from, to) = parties.trim().split_once(" > ").unwrap_or_else(|| panic!("no parties in `{line}`"));
        let mut parts = message.split(" | ");
        let start = parts.next().unwrap_or_default().trim();
        let text = match start.strip_prefix("again ") {
            Some(start) => {
                let is = |one: &&mut Sent| one.from == from && one.to == to && one.start.starts_with(start);
                self.sent
                    .iter_mut()
                    .rev()
                    .find(is)
                    .unwrap_or_else(|| panic!("nothing to repeat: `{line}`"))
                    .text
                    .clone()
            }
            None => self.compose(from, to, start, &parts.collect::<Vec<_>>()),
        };
        let (direction, other) = if to == "lyceum" { (Direction::Received, from) } else { (Direction::Sent, to) };
        let passage = Passage {
            time: Stamp(1_000_000_000_000 + (seconds * 1000.0).round() as u64),
            direction,
            local: "198.51.100.1:5060".parse().unwrap(),
            remote: self.place(other),
            transport: Wire::Udp,
        };
        self.entries.push(TraceEntry::capture(passage, text.as_bytes()));
    }

    fn compose(&mut self, from: &str, to: &str, start: &str, extras: &[&str]) -> String {
        let status: u16 = start.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(0);
        let mut one = if status > 0 { self.answer(from, to, start, status) } else { self.request(from, to, start) };
        let tag =
            if status > 100 || one.start.starts_with("re-") || ["BYE", "ACK", "INFO", "UPDATE"].contains(&&*one.method)
            {
                ";tag=t"
            } else {
                ""
            };
        let first = if status > 0 {
            format!("SIP/2.0 {}", start.split(" (").next().unwrap_or(start))
        } else if one.method == "REGISTER" {
            "REGISTER sip:contoso.com SIP/2.0".to_owned()
        } else {
            format!("{} sip:{}@contoso.com SIP/2.0", one.method, one.target)
        };
        let mut text = format!(
            "{first}\r\nVia: SIP/2.0/UDP x;branch={}\r\nFrom: <sip:{}@contoso.com>;tag=f\r\nTo: <sip:{}@contoso.com>{tag}\r\nCall-ID: c1\r\nCSeq: {} {}\r\n",
            one.branch, one.caller, one.target, one.cseq, one.method
        );
        let mut body = String::new();
        for extra in extras {
            match extra.trim().strip_prefix("sdp ") {
                Some(sdp) => {
                    let (address, line) = sdp.split_once(' ').unwrap_or((sdp, ""));
                    body = format!("v=0\r\nc=IN IP4 {address}\r\nm=audio 4000 RTP/AVP 0\r\n{line}\r\n");
                    text.push_str("Content-Type: application/sdp\r\n");
                }
                None => text.push_str(&format!("{}\r\n", extra.trim())),
            }
        }
        text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        one.text.clone_from(&text);
        self.sent.push(one);
        text
    }

    fn request(&mut self, from: &str, to: &str, start: &str) -> Sent {
        let (word, target) = start.split_once(' ').unwrap_or((start, to));
        let method = word.strip_prefix("re-").unwrap_or(word).to_owned();
        let last = |method: &str| {
            self.sent.iter().rev().find(|one| {
                one.from == from && one.to == to && one.method == method && one.start.parse::<u16>().is_err()
            })
        };
        let invite = last("INVITE").cloned();
        let shares = method == "CANCEL" || method == "ACK" && invite.as_ref().is_some_and(|invite| invite.refused);
        let branch = match &invite {
            Some(invite) if shares => invite.branch.clone(),
            _ => format!("z9hG4bK{}", self.sent.len()),
        };
        let counted = self
            .sent
            .iter()
            .filter(|one| {
                one.from == from
                    && one.to == to
                    && one.method == method
                    && !one.start.starts_with(|c: char| c.is_ascii_digit())
            })
            .count();
        let cseq = match (&invite, &*method) {
            (Some(invite), "ACK" | "CANCEL") => invite.cseq,
            _ => counted as u32 + 1,
        };
        // What the server passes on keeps its From.
        let origin = || {
            self.sent.iter().rev().find(|one| {
                one.to == "lyceum" && one.method == method && !one.start.starts_with(|c: char| c.is_ascii_digit())
            })
        };
        let caller = if from == "lyceum" {
            origin().map_or("lyceum".to_owned(), |one| one.caller.clone())
        } else {
            from.to_owned()
        };
        let target = if method == "REGISTER" { from.to_owned() } else { target.to_owned() };
        let (from, to) = (from.to_owned(), to.to_owned());
        Sent {
            from,
            to,
            method,
            branch,
            cseq,
            caller,
            target,
            start: start.to_owned(),
            text: String::new(),
            answered: false,
            refused: false,
        }
    }

    fn answer(&mut self, from: &str, to: &str, start: &str, status: u16) -> Sent {
        let method = start.rsplit_once(" (").map(|(_, method)| method.trim_end_matches(')').to_owned());
        let is = |one: &&mut Sent| {
            one.from == to
                && one.to == from
                && !one.start.starts_with(|c: char| c.is_ascii_digit())
                && one.method != "ACK"
                && method.as_ref().map_or(!one.answered, |method| one.method == *method)
        };
        let request =
            self.sent.iter_mut().rev().find(is).unwrap_or_else(|| panic!("no request for `{from} > {to}: {start}`"));
        request.answered |= status >= 200;
        request.refused |= status >= 300;
        Sent { from: from.to_owned(), to: to.to_owned(), start: start.to_owned(), ..request.clone() }
    }
}

fn cases(text: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for block in text.split("\n== ").skip(1) {
        let mut lines = block.lines();
        let title = lines.next().unwrap_or_default().to_owned();
        let mut stage = Stage::default();
        let mut expected = Vec::new();
        for line in lines.map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(said) = line.strip_prefix("= ") {
                expected.push(said.to_owned());
            } else if let Some(place) = line.strip_prefix("where ") {
                let (name, address) = place.split_once(" = ").expect("where NAME = ADDRESS");
                stage.places.insert(name.to_owned(), address.parse().expect("an address with a port"));
            } else {
                stage.line(line);
            }
        }
        let [code, sentence] = expected.try_into().unwrap_or_else(|lines| panic!("{title}: {lines:?}"));
        cases.push(Case { title, entries: stage.entries, code, sentence });
    }
    cases
}

fn all_cases() -> Vec<Case> {
    let files = [
        include_str!("ladders/calls.ladder"),
        include_str!("ladders/network.ladder"),
        include_str!("ladders/refused.ladder"),
        include_str!("ladders/sign-in.ladder"),
    ];
    files.iter().flat_map(|text| cases(text)).collect()
}

#[test]
fn every_case_is_explained() {
    let mut wrong = Vec::new();
    for case in all_cases() {
        let ladder = Ladder::build(case.entries);
        let found = ladder.explain();
        let code = format!("{} {}", found.code, format!("{:?}", found.verdict).to_lowercase());
        if (&code, &found.sentence) != (&case.code, &case.sentence) {
            wrong.push(format!("== {}\n= {code}\n= {}\n", case.title, found.sentence));
        }
    }
    assert!(wrong.is_empty(), "{} cases are explained otherwise:\n\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn there_are_many_cases_and_each_failure_says_what_to_do() {
    let cases = all_cases();
    let codes: std::collections::BTreeSet<String> = cases.iter().map(|case| case.code[..7].to_owned()).collect();
    assert!(codes.len() >= 40, "{} codes in {} cases", codes.len(), cases.len());
    for case in cases {
        let ladder = Ladder::build(case.entries);
        let found = ladder.explain();
        assert!(found.verdict != Verdict::Failed || !found.hint.is_empty(), "{}", case.title);
        assert!(found.sentence.ends_with('.') && !found.sentence.contains('{'), "{}: {}", case.title, found.sentence);
        assert_eq!(found.transaction.is_some(), !ladder.rungs.is_empty(), "{}", case.title);
    }
}

#[test]
fn a_ladder_does_not_depend_on_the_order_of_its_entries() {
    for case in all_cases() {
        let mut shuffled = case.entries.clone();
        // A stable sort by time follows, so that only entries of different times may change places.
        shuffled.sort_by_key(|entry| std::cmp::Reverse(entry.time));
        let mut backwards = Vec::new();
        for chunk in shuffled.chunk_by(|a, b| a.time == b.time) {
            backwards.extend_from_slice(chunk);
        }
        assert_eq!(Ladder::build(backwards), Ladder::build(case.entries), "{}", case.title);
    }
}
