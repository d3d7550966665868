//! A core on the bench: users, a clock, and phones made of text.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lyceum_front_end::core::{Core, CoreOptions, Effect};
use lyceum_front_end::credentials::Credentials;
use lyceum_front_end::keys::Keys;
use lyceum_front_end::metrics::Metrics;
use lyceum_monitoring::{CallRecord, TraceEntry};
use lyceum_net::{Arrival, Destination, Flow, Listener, ListenerId, Load, Outbox, PeerIdentity};
use lyceum_sip::Transport;
use lyceum_sip::digest::{self, Challenge, Ha1, Login, Signed};
use lyceum_sip::time::{Now, Time, WallTime};
use lyceum_topology::{AddressOfRecord, Directory, Document, DomainName, Snapshot, UserId, UserRecord};

pub const DOMAIN: &str = "example.org";
pub const SERVER: &str = "192.0.2.1:5060";

/// One message that left, and where to.
#[derive(Clone, Debug)]
pub struct Sent {
    pub to: SocketAddr,
    pub transport: Transport,
    pub text: String,
}

impl Sent {
    pub fn first_line(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }

    pub fn status(&self) -> u16 {
        self.first_line().strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)?.parse().ok()).unwrap_or(0)
    }

    /// Values of a header in order.
    pub fn values(&self, name: &str) -> Vec<&str> {
        self.text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).collect()
    }

    pub fn value(&self, name: &str) -> &str {
        self.values(name).first().copied().unwrap_or_default()
    }
}

pub struct Bench {
    pub core: Core,
    pub now: Now,
    pub records: Vec<CallRecord>,
    pub history: Vec<lyceum_store::MessageEntry>,
    pub pending: Vec<u64>,
    pub ladders: Vec<Vec<TraceEntry>>,
    /// Names that are being looked up.
    pub lookups: Vec<u64>,
    /// Blocks are committed as they come.
    pub store_works: bool,
    /// The archive can be written.
    pub archive_works: bool,
    /// The archive says nothing of what it is given.
    pub archive_is_silent: bool,
    /// What it was given.
    pub archiving: Vec<u64>,
    document: Document,
    snapshot: Arc<Snapshot>,
    tickets: Vec<u64>,
    count: u32,
}

pub fn user(id: u32, name: &str) -> UserRecord {
    UserRecord::new(UserId(id), AddressOfRecord::parse(&format!("{name}@{DOMAIN}")).unwrap(), "pool1")
}

pub fn phone(last: u8) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, last], 5060))
}

fn directory(users: Vec<UserRecord>) -> Directory {
    let mut directory = Directory::default();
    for user in users {
        directory.insert(user).unwrap();
    }
    directory
}

fn compiled(document: &Document, users: Vec<UserRecord>) -> Snapshot {
    Snapshot::compile(document, directory(users)).unwrap()
}

impl Bench {
    pub fn new() -> Bench {
        Bench::with(|_| {}, vec![user(1, "anna"), user(2, "ben"), user(3, "carl")])
    }

    pub fn with(change: impl FnOnce(&mut Document), users: Vec<UserRecord>) -> Bench {
        let domain = DomainName::parse(DOMAIN).unwrap();
        let mut document = Document::dev(domain.clone(), domain);
        change(&mut document);
        let secrets: Vec<_> = users
            .iter()
            .map(|user| (user.id, Ha1::of(user.address.user().as_bytes(), DOMAIN.as_bytes(), b"secret")))
            .collect();
        let snapshot = Arc::new(compiled(&document, users));
        let listener = |id, transport, inside| Listener {
            id: ListenerId(id),
            transport,
            addr: SERVER.parse().unwrap(),
            advertised: SERVER.into(),
            inside,
            link: false,
        };
        let listeners = vec![
            listener(0, Transport::Udp, false),
            listener(1, Transport::Tcp, false),
            listener(2, Transport::Udp, true),
        ];
        let core = Core::new(CoreOptions {
            worker: 0,
            listeners,
            snapshot: Arc::clone(&snapshot),
            credentials: Credentials::load(secrets),
            keys: Keys::new([7; 32]),
            seed: [9; 32],
            metrics: Arc::new(Metrics::default()),
            node: "node1".into(),
            pool: "pool1".into(),
            commit_interval: Duration::ZERO,
            epoch: 0,
        });
        let now = Now { mono: Time(10_000_000), wall: WallTime(1_700_000_000_000) };
        Bench {
            core,
            now,
            records: Vec::new(),
            history: Vec::new(),
            pending: Vec::new(),
            ladders: Vec::new(),
            lookups: Vec::new(),
            store_works: true,
            archive_works: true,
            archive_is_silent: false,
            archiving: Vec::new(),
            document,
            snapshot,
            tickets: Vec::new(),
            count: 0,
        }
    }

    /// The directory has these users now; the document stays.
    pub fn change_users(&mut self, users: Vec<UserRecord>) {
        let directory = directory(users);
        self.put(self.snapshot.with_directory(directory).expect("users of this document"));
    }

    /// The document is another; the users stay.
    pub fn change_document(&mut self, change: impl FnOnce(&mut Document)) {
        change(&mut self.document);
        self.put(Snapshot::compile(&self.document, self.snapshot.directory().clone()).expect("a document"));
    }

    fn put(&mut self, snapshot: Snapshot) {
        self.snapshot = Arc::new(snapshot);
        self.core.swap_snapshot(self.now, Arc::clone(&self.snapshot));
    }

    pub fn number(&mut self) -> u32 {
        self.count += 1;
        self.count
    }

    /// A message from `from` over UDP; gives what leaves.
    pub fn receive(&mut self, from: SocketAddr, text: &str) -> Vec<Sent> {
        self.receive_at(0, from, text)
    }

    pub fn receive_at(&mut self, listener: u16, from: SocketAddr, text: &str) -> Vec<Sent> {
        let listener = Listener {
            id: ListenerId(listener),
            transport: Transport::Udp,
            addr: SERVER.parse().unwrap(),
            advertised: SERVER.into(),
            inside: listener == 2,
            link: false,
        };
        let flow = Flow::Datagram { listener: listener.id, remote: from };
        self.arrive(Arrival {
            flow,
            transport: Transport::Udp,
            listener: &listener,
            local: listener.addr,
            remote: from,
            peer: None,
            bytes: text.replace('\n', "\r\n").as_bytes(),
        })
    }

    /// A message on TCP connection number `index`.
    pub fn receive_stream(&mut self, index: u32, from: SocketAddr, text: &str) -> Vec<Sent> {
        self.receive_on(Transport::Tcp, index, from, text)
    }

    /// A message on a connection of this kind.
    pub fn receive_on(&mut self, transport: Transport, index: u32, from: SocketAddr, text: &str) -> Vec<Sent> {
        let listener = Listener {
            id: ListenerId(1),
            transport,
            addr: SERVER.parse().unwrap(),
            advertised: SERVER.into(),
            inside: false,
            link: false,
        };
        self.arrive(Arrival {
            flow: Flow::Stream { worker: 0, index, generation: 1 },
            transport,
            listener: &listener,
            local: listener.addr,
            remote: from,
            peer: None,
            bytes: text.replace('\n', "\r\n").as_bytes(),
        })
    }

    /// A message on the link that connection number `index` carries, of a node whose certificate has this name.
    pub fn receive_by_link(&mut self, index: u32, name: Option<&str>, text: &str) -> Vec<Sent> {
        let listener = Listener {
            id: ListenerId(9),
            transport: Transport::Tls,
            addr: "10.0.0.5:5063".parse().unwrap(),
            advertised: "10.0.0.5:5063".into(),
            inside: false,
            link: true,
        };
        let peer = name.map(|name| PeerIdentity { names: vec![name.to_owned()] });
        self.arrive(Arrival {
            flow: Flow::Stream { worker: 0, index, generation: 1 },
            transport: Transport::Tls,
            listener: &listener,
            local: listener.addr,
            remote: "10.0.1.9:40000".parse().unwrap(),
            peer: peer.as_ref(),
            bytes: text.replace('\n', "\r\n").as_bytes(),
        })
    }

    fn arrive(&mut self, arrival: Arrival<'_>) -> Vec<Sent> {
        let mut out = Outbox::new();
        self.core.message(self.now, arrival, &mut out);
        self.settle(out, Duration::ZERO)
    }

    pub fn settle(&mut self, mut out: Outbox, behind: Duration) -> Vec<Sent> {
        self.core.settle(self.now, Load { behind, ..Load::default() }, &mut out);
        while let Some(effect) = self.core.poll_effect() {
            match effect {
                Effect::Persist { seq, .. } if self.store_works => self.core.committed(self.now, seq, &mut out),
                Effect::Persist { seq, .. } => self.pending.push(seq),
                Effect::Messages(entries) => self.history.extend(entries),
                Effect::Archive { token, .. } if self.archive_is_silent => self.archiving.push(token),
                Effect::Archive { token, entries } => {
                    let written = self.archive_works;
                    if written {
                        self.history.extend(entries);
                    }
                    self.core.archived(self.now, &[token], written, &mut out);
                    self.core.settle(self.now, Load::default(), &mut out);
                }
                Effect::Record(record) => self.records.push(*record),
                Effect::Ladder(ladder) => self.ladders.push(ladder.into_entries()),
                Effect::Resolve { query, .. } => self.lookups.push(query),
                Effect::Enrol { query, .. } => self.lookups.push(query),
            }
        }
        self.tickets.extend(out.sent().map(|sent| sent.ticket).filter(|ticket| *ticket != 0));
        let place = |to: &Destination| match to {
            Destination::Flow(Flow::Datagram { remote, .. }) => *remote,
            Destination::Flow(Flow::Stream { index, .. }) => SocketAddr::from(([0, 0, 0, 0], *index as u16)),
            Destination::Address { addr, .. } => *addr,
        };
        let transport = |to: &Destination| match to {
            Destination::Flow(Flow::Datagram { .. }) => Transport::Udp,
            Destination::Flow(Flow::Stream { .. }) => Transport::Tcp,
            Destination::Address { transport, .. } => *transport,
        };
        let text = |bytes| String::from_utf8_lossy(bytes).replace("\r\n", "\n");
        out.sent()
            .map(|sent| Sent { to: place(sent.to), transport: transport(sent.to), text: text(sent.bytes) })
            .collect()
    }

    /// What the archive was given is written.
    pub fn archive_goes_on(&mut self) -> Vec<Sent> {
        let (tokens, mut out) = (std::mem::take(&mut self.archiving), Outbox::new());
        self.core.archived(self.now, &tokens, true, &mut out);
        self.settle(out, Duration::ZERO)
    }

    /// What was sent last with a ticket did not arrive.
    pub fn last_send_fails(&mut self) -> Vec<Sent> {
        let ticket = self.tickets.pop().expect("something was sent with a ticket");
        let mut out = Outbox::new();
        self.core.send_failed(self.now, ticket, &mut out);
        self.settle(out, Duration::ZERO)
    }

    /// Lets time pass, timers included.
    pub fn wait(&mut self, time: Duration) -> Vec<Sent> {
        let end = self.now.mono + time;
        let mut all = Vec::new();
        while let Some(next) = self.core.next_timeout().filter(|next| *next <= end) {
            let step = next.max(self.now.mono) - self.now.mono;
            self.now = Now { mono: self.now.mono + step, wall: self.now.wall + step };
            let mut out = Outbox::new();
            self.core.timeout(self.now, &mut out);
            all.extend(self.settle(out, Duration::ZERO));
        }
        let step = end - self.now.mono;
        self.now = Now { mono: end, wall: self.now.wall + step };
        all
    }

    /// A request, `extra` whole header lines, from a phone.
    pub fn request(&mut self, method: &str, uri: &str, from: &str, phone: SocketAddr, extra: &str) -> String {
        let number = self.number();
        let to = if method == "REGISTER" { format!("sip:{from}@{DOMAIN}") } else { uri.to_owned() };
        format!(
            "{method} {uri} SIP/2.0\nVia: SIP/2.0/UDP {phone};branch=z9hG4bK{number};rport\nMax-Forwards: 70\n\
             From: <sip:{from}@{DOMAIN}>;tag=f{number}\nTo: <{to}>\nCall-ID: c{number}\nCSeq: 1 {method}\n\
             Contact: <sip:{from}@{phone}>\n{extra}Content-Length: 0\n\n"
        )
    }

    /// Sends a request, and once more with credentials when it is challenged.
    pub fn signed(&mut self, name: &str, password: &str, phone: SocketAddr, text: &str) -> Vec<Sent> {
        let first = self.receive(phone, text);
        match first.iter().find(|sent| matches!(sent.status(), 401 | 407)) {
            Some(asked) => {
                let text = answered(text, asked, name, password);
                self.receive(phone, &text)
            }
            None => first,
        }
    }

    pub fn register(&mut self, name: &str, phone: SocketAddr) -> Sent {
        let text = self.request("REGISTER", &format!("sip:{DOMAIN}"), name, phone, "Expires: 600\n");
        self.signed(name, "secret", phone, &text).pop().expect("an answer to REGISTER")
    }

    /// A signed INVITE; gives its text and what left.
    pub fn invite(&mut self, from: &str, at: SocketAddr, to: &str, extra: &str) -> (String, Vec<Sent>) {
        let text = self.request("INVITE", &format!("sip:{to}@{DOMAIN}"), from, at, extra);
        let challenged = self.receive(at, &text);
        let asked = challenged.iter().find(|sent| sent.status() == 407).expect("a challenge to INVITE");
        let text = answered(&text, asked, from, "secret");
        let sent = self.receive(at, &text);
        (text, sent)
    }
}

/// The request again with the next branch, CSeq and credentials.
pub fn answered(text: &str, asked: &Sent, name: &str, password: &str) -> String {
    let (header, answer) = match asked.status() {
        401 => ("WWW-Authenticate", "Authorization"),
        _ => ("Proxy-Authenticate", "Proxy-Authorization"),
    };
    let challenge = Challenge::parse(asked.value(header).as_bytes()).expect("a challenge");
    let mut words = text.lines().next().unwrap_or_default().split(' ');
    let (method, uri) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut value = Vec::new();
    let login = Login { username: name.as_bytes(), password: password.as_bytes() };
    let signed = Signed { method: method.as_bytes(), uri: uri.as_bytes(), body: b"" };
    digest::respond(&mut value, &challenge, &login, &signed, 1, b"0a").expect("an answer");
    let line = format!("{answer}: {}\nContent-Length", String::from_utf8_lossy(&value));
    text.replace(";branch=z9hG4bK", ";branch=z9hG4bKn").replace("CSeq: 1 ", "CSeq: 2 ").replacen(
        "Content-Length",
        &line,
        1,
    )
}

/// The callee's answer to a request it received.
pub fn reply(request: &Sent, status: &str, tag: &str, contact: SocketAddr) -> String {
    let mut text = format!("SIP/2.0 {status}\n");
    for line in request.text.lines() {
        let kept = ["Via:", "Record-Route:", "From:", "Call-ID:", "CSeq:"].iter().any(|name| line.starts_with(name));
        if kept {
            text.push_str(line);
            text.push('\n');
        } else if line.starts_with("To:") {
            text.push_str(&format!("{line};tag={tag}\n"));
        }
    }
    text.push_str(&format!("Contact: <sip:x@{contact}>\nContent-Length: 0\n\n"));
    text
}

pub fn statuses(sent: &[Sent]) -> Vec<u16> {
    sent.iter().map(Sent::status).collect()
}
