//! Watchers and publishers: many subscriptions over one socket, every NOTIFY answered and checked.
//!
//! Each state that is published carries a round's number, so that a watcher can tell whether what it was told last is what
//! was published last, and whether anything came in the wrong order.

use std::collections::VecDeque;
use std::io::Write as _;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::sys::{self, BATCH, Inbox, Outgoing};

/// Requests that wait for their answers at once.
const WINDOW: usize = 512;
/// An unanswered request is sent again after this time.
const AGAIN: Duration = Duration::from_millis(500);
/// Socket buffers: what the kernel keeps while we answer.
const BUFFERS: i32 = 64 << 20;

/// What one watcher of one person was told.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    /// CSeq of its last NOTIFY.
    cseq: u32,
    /// The round of the state in it.
    round: u32,
    subscribed: bool,
}

/// What was seen since the last call of [`Watchers::take_counts`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// NOTIFY requests, without repetitions.
    pub notifies: usize,
    /// Those that came again with the same CSeq.
    pub repeated: usize,
    /// Those with a lower CSeq, or an older state, than one before.
    pub out_of_order: usize,
    /// Requests of ours that were sent again.
    pub sent_again: usize,
    /// Answers 503: the server had too much to do, and was asked again.
    pub put_off: usize,
    /// Answers that were neither that nor 2xx.
    pub refused: usize,
}

/// A request that waits for its answer: which, and when it is sent again.
#[derive(Clone, Copy)]
struct Waiting {
    number: usize,
    due: Instant,
}

/// `people` persons, each watched by `each` others.
pub struct Watchers {
    socket: UdpSocket,
    local: SocketAddr,
    domain: String,
    people: usize,
    each: usize,
    told: Vec<Told>,
    published: Vec<u32>,
    counts: Counts,
    inbox: Inbox,
    out: Outgoing,
}

/// What is being asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ask {
    Subscribe,
    Publish(u32),
}

impl Watchers {
    /// Watchers that talk to `target` from one socket.
    ///
    /// # Errors
    /// The socket cannot be had.
    pub fn new(target: SocketAddr, domain: &str, people: usize, each: usize) -> Result<Watchers, String> {
        let failed = |error: std::io::Error| format!("socket to {target}: {error}");
        let socket = UdpSocket::bind("127.0.0.1:0").map_err(failed)?;
        socket.connect(target).map_err(failed)?;
        sys::widen(&socket, BUFFERS);
        let local = socket.local_addr().map_err(failed)?;
        Ok(Watchers {
            socket,
            local,
            domain: domain.to_owned(),
            people,
            each,
            told: vec![Told::default(); people * each],
            published: vec![0; people],
            counts: Counts::default(),
            inbox: Inbox::default(),
            out: Outgoing::default(),
        })
    }

    /// Makes all subscriptions; returns when each was answered and notified.
    ///
    /// # Errors
    /// One sentence: some were not answered in time.
    pub fn subscribe(&mut self, limit: Duration) -> Result<(), String> {
        self.ask(Ask::Subscribe, self.told.len(), limit)?;
        let end = Instant::now() + Duration::from_secs(30);
        while Instant::now() < end && self.told.iter().any(|told| told.cseq == 0) {
            self.turn(&mut VecDeque::new(), Ask::Subscribe);
        }
        let silent = self.told.iter().filter(|told| told.cseq == 0).count();
        if silent == 0 { Ok(()) } else { Err(format!("{silent} subscriptions were never notified")) }
    }

    /// Everybody publishes the state of this round; returns when each was answered.
    ///
    /// # Errors
    /// One sentence: some were not answered in time.
    pub fn publish(&mut self, round: u32, limit: Duration) -> Result<(), String> {
        self.ask(Ask::Publish(round), self.people, limit)
    }

    /// Answers what comes until every watcher knows this round, or the time is over; how many do not know it.
    pub fn drain(&mut self, round: u32, limit: Duration) -> usize {
        let end = Instant::now() + limit;
        loop {
            let stale = self.told.iter().filter(|told| told.round < round).count();
            if stale == 0 || Instant::now() > end {
                return stale;
            }
            for _ in 0..64 {
                self.turn(&mut VecDeque::new(), Ask::Publish(round));
            }
        }
    }

    /// What was seen since the last call.
    pub fn take_counts(&mut self) -> Counts {
        std::mem::take(&mut self.counts)
    }

    /// Answers what comes, for a while.
    pub fn rest(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.turn(&mut VecDeque::new(), Ask::Subscribe);
        }
    }

    fn answered(&self, ask: Ask, number: usize) -> bool {
        match ask {
            Ask::Subscribe => self.told[number].subscribed,
            Ask::Publish(round) => self.published[number] >= round,
        }
    }

    fn ask(&mut self, ask: Ask, count: usize, limit: Duration) -> Result<(), String> {
        let (begin, mut next) = (Instant::now(), 0);
        let mut waiting: VecDeque<Waiting> = VecDeque::new();
        while next < count || !waiting.is_empty() {
            while next < count && waiting.len() < WINDOW {
                self.send(ask, next);
                waiting.push_back(Waiting { number: next, due: Instant::now() + AGAIN });
                next += 1;
            }
            self.turn(&mut waiting, ask);
            if begin.elapsed() > limit {
                return Err(format!("{} of {count} requests were not answered in time", count - next + waiting.len()));
            }
        }
        Ok(())
    }

    /// Reads and answers what is there; sends again what is overdue.
    fn turn(&mut self, waiting: &mut VecDeque<Waiting>, ask: Ask) {
        self.out.flush(&self.socket);
        sys::wait([&self.socket, &self.socket], Duration::from_millis(5));
        let mut inbox = std::mem::take(&mut self.inbox);
        for _ in 0..8 {
            let count = inbox.receive(&self.socket);
            (0..count).for_each(|at| self.message(inbox.datagram(at)));
            self.out.flush(&self.socket);
            if count < BATCH {
                break;
            }
        }
        self.inbox = inbox;
        waiting.retain(|one| !self.answered(ask, one.number));
        let now = Instant::now();
        for one in waiting.iter_mut().filter(|one| one.due <= now) {
            one.due = now + AGAIN;
            self.counts.sent_again += 1;
            self.send(ask, one.number);
        }
    }

    fn send(&mut self, ask: Ask, number: usize) {
        let (local, domain, each, people) = (self.local, &self.domain, self.each, self.people);
        self.out.write(|out| {
            // Writing to memory cannot fail.
            let _ = match ask {
                Ask::Subscribe => {
                    // The watchers of a person stand far from one another, as colleagues do.
                    let (person, watcher) = (number / each, (number / each + 1 + (number % each) * 197) % people);
                    write!(
                        out,
                        "SUBSCRIBE sip:u{person:06}@{domain} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bKs{number};rport\r\n\
                         Max-Forwards: 70\r\nFrom: <sip:u{watcher:06}@{domain}>;tag=w{number}\r\n\
                         To: <sip:u{person:06}@{domain}>\r\nCall-ID: s{number}-load\r\nCSeq: 1 SUBSCRIBE\r\n\
                         Contact: <sip:u{watcher:06}@{local}>\r\nEvent: presence\r\nAccept: application/pidf+xml\r\n\
                         Expires: 3600\r\nContent-Length: 0\r\n\r\n"
                    )
                }
                Ask::Publish(round) => {
                    let body = format!(
                        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" \
                         entity=\"sip:u{number:06}@{domain}\"><tuple id=\"t\"><status><basic>open</basic></status>\
                         <note>round {round}.</note></tuple></presence>\n"
                    );
                    write!(
                        out,
                        "PUBLISH sip:u{number:06}@{domain} SIP/2.0\r\n\
                         Via: SIP/2.0/UDP {local};branch=z9hG4bKp{number}r{round};rport\r\nMax-Forwards: 70\r\n\
                         From: <sip:u{number:06}@{domain}>;tag=p{round}\r\nTo: <sip:u{number:06}@{domain}>\r\n\
                         Call-ID: p{number}-load{round}\r\nCSeq: 1 PUBLISH\r\nEvent: presence\r\nExpires: 3600\r\n\
                         Content-Type: application/pidf+xml\r\nContent-Length: {}\r\n\r\n{body}",
                        body.len()
                    )
                }
            };
        });
    }

    fn message(&mut self, bytes: &[u8]) {
        let Some(call_id) = value(bytes, b"\r\nCall-ID: ") else { return };
        let Some(number) = digits(call_id.get(1..).unwrap_or_default()) else { return };
        let number = number as usize;
        if let Some(status) = bytes.strip_prefix(b"SIP/2.0 ") {
            match (status[0], call_id[0]) {
                (b'2', b's') if number < self.told.len() => self.told[number].subscribed = true,
                (b'2', _) => {
                    let round = call_id.rsplit(|byte| *byte == b'd').next().and_then(digits).unwrap_or(0);
                    if let Some(published) = self.published.get_mut(number) {
                        *published = round;
                    }
                }
                (b'1', _) => {}
                _ if bytes.starts_with(b"SIP/2.0 503") => self.counts.put_off += 1,
                _ => self.counts.refused += 1,
            }
        } else if bytes.starts_with(b"NOTIFY ") && number < self.told.len() {
            self.notified(number, bytes);
            self.out.write(|out| answer(bytes, out));
        }
    }

    fn notified(&mut self, number: usize, bytes: &[u8]) {
        let cseq = value(bytes, b"\r\nCSeq: ").and_then(digits).unwrap_or(0);
        let round = value(bytes, b"<note>round ").and_then(digits).unwrap_or(0);
        let told = &mut self.told[number];
        if cseq == told.cseq {
            self.counts.repeated += 1;
        } else if cseq < told.cseq || round < told.round {
            self.counts.out_of_order += 1;
        } else {
            self.counts.notifies += 1;
            (told.cseq, told.round) = (cseq, round);
        }
    }
}

/// What follows `name`, to the end of the line.
fn value<'a>(bytes: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let at = bytes.windows(name.len()).position(|window| window == name)? + name.len();
    let end = bytes[at..].iter().position(|byte| *byte == b'\r' || *byte == b'<').unwrap_or(bytes.len() - at);
    Some(&bytes[at..at + end])
}

fn digits(bytes: &[u8]) -> Option<u32> {
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    std::str::from_utf8(&bytes[..end]).ok()?.parse().ok()
}

/// A 200: the lines that an answer repeats, as they stand.
fn answer(request: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"SIP/2.0 200 OK\r\n");
    let head = request.windows(4).position(|window| window == b"\r\n\r\n").map_or(request.len(), |at| at + 2);
    for line in request[..head].split_inclusive(|byte| *byte == b'\n') {
        if [&b"Via:"[..], b"From:", b"To:", b"Call-ID:", b"CSeq:"].iter().any(|name| line.starts_with(name)) {
            out.extend_from_slice(line);
        }
    }
    out.extend_from_slice(b"Content-Length: 0\r\n\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notify(number: usize, cseq: u32, round: u32) -> Vec<u8> {
        format!(
            "NOTIFY sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=1\r\nFrom: <sip:b@c>;tag=1\r\nTo: <sip:a@c>;tag=2\r\n\
             Call-ID: s{number}-load\r\nCSeq: {cseq} NOTIFY\r\nContact: <sip:x>\r\n\r\n<note>round {round}.</note>"
        )
        .into_bytes()
    }

    #[test]
    fn order_and_age_of_what_watchers_are_told_is_checked() {
        let mut watchers = Watchers::new(([127, 0, 0, 1], 9).into(), "d", 2, 2).unwrap();
        for (cseq, round) in [(1, 0), (2, 1), (2, 1), (1, 0), (3, 0), (4, 2)] {
            watchers.message(&notify(3, cseq, round));
        }
        let counts = watchers.take_counts();
        assert_eq!((counts.notifies, counts.repeated, counts.out_of_order), (3, 1, 2));
        assert_eq!((watchers.told[3].cseq, watchers.told[3].round), (4, 2));
        assert_eq!(watchers.drain(2, Duration::ZERO), 3, "the others know nothing");
    }

    #[test]
    fn an_answer_repeats_what_it_must() {
        let mut text = Vec::new();
        answer(&notify(3, 7, 1), &mut text);
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x;branch=1\r\nFrom: <sip:b@c>;tag=1\r\nTo: <sip:a@c>;tag=2\r\n\
             Call-ID: s3-load\r\nCSeq: 7 NOTIFY\r\nContent-Length: 0\r\n\r\n"
        );
    }
}
