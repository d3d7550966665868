//! The table against the RFC, in virtual time.

mod client;
mod loss;
mod property;
mod server;

use super::*;
use crate::{Index, Limits, Message, Time, parse};
use std::time::Duration;

/// A table, its clock, and everything that left it.
struct Bench {
    table: Table<&'static str>,
    now: Time,
}

impl Bench {
    fn new() -> Bench {
        Bench { table: Table::new(Timers::default(), TableLimits::default(), [9; 16]), now: Time(0) }
    }

    /// Outputs as words: `peer<START LINE` for a transmission.
    fn drain(&mut self) -> Vec<String> {
        let mut words = Vec::new();
        while let Some(output) = self.table.poll_output() {
            words.push(match output {
                Output::Transmit { peer, bytes, .. } => {
                    let line = bytes.split(|&b| b == b'\r').next().unwrap_or_default();
                    format!("{peer}<{}", String::from_utf8_lossy(line))
                }
                Output::ClientTimeout { user, .. } => format!("timeout {user}"),
                Output::TimerC { user, .. } => format!("timer C {user}"),
                Output::ClientEnded { user, .. } => format!("ended {user}"),
                Output::TryingDue { .. } => "100 due".to_owned(),
                Output::ServerTimeout { .. } => "no ACK".to_owned(),
                Output::ServerEnded { .. } => "server ended".to_owned(),
            });
        }
        words
    }

    /// Moves the clock as an event loop would: from deadline to deadline. Gives what left,
    /// with the milliseconds since the start, rounded to the tick.
    fn run(&mut self, until: Duration) -> Vec<(u64, String)> {
        let until = Time(0) + until;
        let mut seen = Vec::new();
        while let Some(next) = self.table.next_timeout().filter(|&at| at <= until) {
            self.now = self.now.max(next);
            self.table.timeout(self.now);
            let at = (self.now.0 / 1000) / 10 * 10;
            seen.extend(self.drain().into_iter().map(|word| (at, word)));
        }
        self.now = until;
        self.table.timeout(self.now);
        seen
    }

    fn request(&mut self, text: &str) -> Incoming {
        let now = self.now;
        with(text, |m| self.table.request_arrived(now, m, false, &"new"))
    }

    fn accept(&mut self, text: &str, reliable: bool) -> ServerId {
        let now = self.now;
        with(text, |m| self.table.accept(now, m, reliable, "peer")).expect("room")
    }

    fn respond(&mut self, id: ServerId, code: u16) -> bool {
        self.table.respond(self.now, id, code, format!("SIP/2.0 {code} X\r\n\r\n").as_bytes())
    }

    fn send(&mut self, text: &str, reliable: bool) -> ClientId {
        let text = crlf(text);
        let now = self.now;
        with(&text, |m| {
            let branch = m.top_via().expect("a Via").branch;
            let request =
                Outgoing { method: m.method_token(), branch, bytes: m.bytes(), reliable, peer: "next", user: 7 };
            self.table.send(now, request)
        })
        .expect("room")
    }

    fn response(&mut self, method: &str, code: u16) -> Response {
        let text = format!(
            "SIP/2.0 {code} X\nVia: SIP/2.0/UDP p;branch=z9hG4bKb\nFrom: <sip:a@x>;tag=1\nTo: <sip:b@x>;tag=2\nCall-ID: c\nCSeq: 1 {method}\nContent-Length: 0\n\n"
        );
        let now = self.now;
        with(&text, |m| self.table.response_arrived(now, m))
    }
}

fn crlf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}

fn with<R>(text: &str, f: impl FnOnce(&Message<'_>) -> R) -> R {
    let bytes = crlf(text);
    let mut index = Index::new();
    parse(bytes.as_bytes(), &mut index, &Limits::default()).expect("readable");
    f(&Message::new(bytes.as_bytes(), &index))
}

fn request(method: &str, via: &str, to: &str) -> String {
    let kind = if method == "ACK" { "1 ACK" } else { &format!("1 {method}") };
    format!(
        "{method} sip:b@x SIP/2.0\nVia: {via}\nFrom: <sip:a@x>;tag=1\nTo: <sip:b@x>{to}\nCall-ID: c\nCSeq: {kind}\nMax-Forwards: 70\nContent-Length: 0\n\n"
    )
}

fn plain(method: &str) -> String {
    request(method, "SIP/2.0/UDP p;branch=z9hG4bKb", "")
}
