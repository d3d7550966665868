//! The server's core without IO, in a loop, for counting its instructions:
//!
//! ```text
//! valgrind --tool=callgrind --toggle-collect='register_hot::serve*' target/release/examples/register_hot register 1000
//! ```
//!
//! `register_hot WHAT N` with WHAT one of `challenge` (REGISTER, 401), `register` (the same and REGISTER with digest,
//! 200: a refresh), `options`, `message` (forwarded, and its answer), `call` (INVITE 100 180 200 ACK BYE 200), `publish`
//! (PUBLISH that changes a state, NOTIFY to twenty watchers, their answers). Commits succeed at once; one millisecond passes from message to message, so timers end here as they do in life.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use load::digest::Answers;
use load::users::{User, made_up};
use lyceum_front_end::core::{Core, CoreOptions, Effect};
use lyceum_front_end::credentials::Credentials;
use lyceum_front_end::keys::Keys;
use lyceum_front_end::metrics::Metrics;
use lyceum_net::{Arrival, Flow, Listener, ListenerId, Load, Outbox};
use lyceum_sip::digest::{Challenge, Ha1};
use lyceum_sip::time::{Now, Time, WallTime};
use lyceum_sip::{Contact, Index, Limits, Message, Method, Name, ResponseBuilder, Transport, parse};
use lyceum_topology::{
    AddressOfRecord, Cidr, Directory, Document, DomainName, HopTransport, Snapshot, TrustedBy, TrustedHost, UserId,
    UserRecord,
};

const DOMAIN: &str = "bench.test";
const USERS: usize = 1000;
/// User 0 is called, at this address.
const CALLED: ([u8; 4], u16) = ([127, 0, 0, 1], 5098);
const CALLER: ([u8; 4], u16) = ([127, 0, 0, 1], 5070);
/// Persons that watch user 0.
const WATCHERS: usize = 20;

struct World {
    core: Core,
    listener: Listener,
    outbox: Outbox,
    now: u64,
    users: Vec<User>,
    answers: Answers,
    number: usize,
    /// Entity tag of the state published last; empty: none is.
    etag: String,
}

/// What is counted: one message through the core, with all that follows from it there.
#[inline(never)]
fn serve(core: &mut Core, now: Now, arrival: Arrival<'_>, out: &mut Outbox) {
    if core.next_timeout().is_some_and(|due| due <= now.mono) {
        core.timeout(now, out);
    }
    core.message(now, arrival, out);
    core.settle(now, Load::default(), out);
    while let Some(effect) = core.poll_effect() {
        if let Effect::Persist { seq, .. } = effect {
            core.committed(now, seq, out);
        }
    }
}

fn organisation(users: &[User]) -> (Arc<Snapshot>, Credentials) {
    let name = || DomainName::parse(DOMAIN).expect("a DNS name");
    let mut document = Document::dev(name(), name());
    let cidr = Cidr::parse("127.0.0.0/8").expect("a network");
    let by = TrustedBy::Address { cidr, transports: vec![HopTransport::Udp] };
    document.trusted_hosts.push(TrustedHost { name: "load".into(), description: String::new(), by });
    let mut directory = Directory::default();
    for (user, number) in users.iter().zip(0..) {
        let address = AddressOfRecord::parse(&format!("{}@{DOMAIN}", user.name)).expect("a SIP address");
        directory.insert(UserRecord::new(UserId(number), address, "pool1")).expect("addresses differ");
    }
    let snapshot = Snapshot::compile(&document, directory).expect("the document is valid");
    let secret = |user: &User| Ha1::of(user.name.as_bytes(), DOMAIN.as_bytes(), user.password.reveal());
    let credentials = Credentials::load((0..).map(UserId).zip(users.iter().map(secret)));
    (Arc::new(snapshot), credentials)
}

impl World {
    fn new() -> World {
        let users = made_up(USERS);
        let (snapshot, credentials) = organisation(&users);
        let addr: SocketAddr = ([127, 0, 0, 1], 5060).into();
        let advertised = addr.to_string().as_str().into();
        let listener =
            Listener { id: ListenerId(0), transport: Transport::Udp, addr, advertised, inside: true, link: false };
        let core = Core::new(CoreOptions {
            worker: 0,
            listeners: vec![listener.clone()],
            snapshot,
            credentials,
            keys: Keys::new([7; 32]),
            seed: [9; 32],
            metrics: Arc::new(Metrics::default()),
            node: "node1".into(),
            pool: "pool1".into(),
            commit_interval: Duration::ZERO,
            epoch: 0,
        });
        let answers = Answers::new(USERS);
        World { core, listener, outbox: Outbox::new(), now: 1_000_000, users, answers, number: 0, etag: String::new() }
    }

    /// Gives the core one message and returns what it sends.
    fn exchange(&mut self, from: ([u8; 4], u16), bytes: &[u8]) -> Vec<Vec<u8>> {
        self.now += 1000;
        let now = Now { mono: Time(self.now), wall: WallTime(1_700_000_000_000 + self.now / 1000) };
        let remote = from.into();
        let arrival = Arrival {
            flow: Flow::Datagram { listener: self.listener.id, remote },
            transport: Transport::Udp,
            listener: &self.listener,
            local: self.listener.addr,
            remote,
            peer: None,
            bytes,
        };
        serve(&mut self.core, now, arrival, &mut self.outbox);
        let sent = self.outbox.sent().map(|sent| sent.bytes.to_vec()).collect();
        self.outbox.clear();
        sent
    }

    fn request(&self, method: &str, (uri, to): (&str, &str), cseq: u32, extra: &str) -> String {
        let (number, port) = (self.number, CALLER.1);
        let user = if method == "REGISTER" { number % USERS } else { 1 };
        let from = &self.users[user].name;
        let to = if method == "REGISTER" { format!("<sip:{from}@{DOMAIN}>") } else { to.to_owned() };
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKhot{method}{number}x{cseq};rport\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{from}@{DOMAIN}>;tag=t{number}\r\nTo: {to}\r\nCall-ID: hot-{number}@load\r\n\
             CSeq: {cseq} {method}\r\nUser-Agent: load\r\n{extra}"
        )
    }

    fn challenge(&mut self) -> Vec<u8> {
        let user = self.number % USERS;
        let extra = contact_lines(&self.users[user].name, "");
        let uri = format!("sip:{DOMAIN}");
        let request = self.request("REGISTER", (&uri, ""), 1, &extra);
        only(self.exchange(CALLER, request.as_bytes()), 401)
    }

    fn register(&mut self) {
        let (refusal, user) = (self.challenge(), self.number % USERS);
        let mut index = Index::new();
        let message = read(&refusal, &mut index);
        let value = message.value(Name::WwwAuthenticate).expect("a challenge");
        let challenge = Challenge::parse(value).expect("of digest");
        let uri = format!("sip:{DOMAIN}");
        let mut auth = b"Authorization: ".to_vec();
        let signed = (&b"REGISTER"[..], uri.as_bytes());
        assert!(self.answers.write(&challenge, (user, &self.users[user]), signed, &mut auth));
        auth.extend_from_slice(b"\r\n");
        let extra = contact_lines(&self.users[user].name, &String::from_utf8_lossy(&auth));
        let request = self.request("REGISTER", (&uri, ""), 2, &extra);
        only(self.exchange(CALLER, request.as_bytes()), 200);
    }

    fn options(&mut self) {
        let uri = format!("sip:{DOMAIN}");
        let request = self.request("OPTIONS", (&uri, &format!("<{uri}>")), 1, "Content-Length: 0\r\n\r\n");
        only(self.exchange(CALLER, request.as_bytes()), 200);
    }

    fn message(&mut self) {
        let uri = format!("sip:{}@{DOMAIN}", self.users[0].name);
        let extra = "Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";
        let request = self.request("MESSAGE", (&uri, &format!("<{uri}>")), 1, extra);
        let forwarded = find(self.exchange(CALLER, request.as_bytes()), 0);
        only(self.exchange(CALLED, &answer(&forwarded, 200)), 200);
    }

    fn watch(&mut self) {
        let (watched, contact) = (&self.users[0].name, CALLER.1);
        let uri = format!("sip:{watched}@{DOMAIN}");
        let extra = format!(
            "Event: presence\r\nExpires: 3600\r\nContact: <sip:w@127.0.0.1:{contact}>\r\nContent-Length: 0\r\n\r\n"
        );
        for watcher in 0..WATCHERS {
            let request = self.request("SUBSCRIBE", (&uri, &format!("<{uri}>")), 1, &extra);
            let watcher_name = format!("From: <sip:{}@", self.users[1 + watcher].name);
            let request = request.replace(&format!("From: <sip:{}@", self.users[1].name), &watcher_name);
            let request = request.replace("hot-", &format!("watch-{watcher}-"));
            let request = request.replace("hotSUBSCRIBE", &format!("hotSUBSCRIBE{watcher}w"));
            let sent = self.exchange(CALLER, request.as_bytes());
            let notify = find(sent, 0);
            self.exchange(CALLER, &answer(&notify, 200));
        }
    }

    fn publish(&mut self) {
        if self.etag.is_empty() {
            self.watch();
        }
        let user = &self.users[0].name;
        let (uri, note) = (format!("sip:{user}@{DOMAIN}"), ["free", "busy"][self.number % 2]);
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"{uri}\">\n\
             <tuple id=\"b1\"><status><basic>open</basic></status><note>{note}</note></tuple>\n</presence>\n"
        );
        let condition = if self.etag.is_empty() { String::new() } else { format!("SIP-If-Match: {}\r\n", self.etag) };
        let extra = format!(
            "Event: presence\r\n{condition}Expires: 60\r\nContent-Type: application/pidf+xml\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let request = self.request("PUBLISH", (&uri, &format!("<{uri}>")), 1, &extra);
        let own = request.replace(&format!("From: <sip:{}@", self.users[1].name), &format!("From: <sip:{user}@"));
        let sent = self.exchange(CALLER, own.as_bytes());
        let notifies: Vec<Vec<u8>> =
            sent.iter().filter(|bytes| read(bytes, &mut Index::new()).status() == 0).cloned().collect();
        assert_eq!(notifies.len(), WATCHERS, "every watcher is told");
        let accepted = find(sent, 200);
        let value = accepted.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"SIP-ETag: "));
        self.etag = String::from_utf8_lossy(value.expect("an entity tag")).trim().to_owned();
        for notify in notifies {
            self.exchange(CALLER, &answer(&notify, 200));
        }
    }

    fn call(&mut self) {
        let uri = format!("sip:{}@{DOMAIN}", self.users[0].name);
        let contact = format!("Contact: <sip:caller@127.0.0.1:{}>\r\n", CALLER.1);
        let sdp =
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n";
        let extra = format!("{contact}Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}", sdp.len());
        let invite = self.request("INVITE", (&uri, &format!("<{uri}>")), 1, &extra);
        let forwarded = find(self.exchange(CALLER, invite.as_bytes()), 0);
        only(self.exchange(CALLED, &answer(&forwarded, 180)), 180);
        let accepted = only(self.exchange(CALLED, &answer(&forwarded, 200)), 200);
        let mut index = Index::new();
        let message = read(&accepted, &mut index);
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let routes: Vec<String> = message.values(Name::RecordRoute).map(text).collect();
        let routes: String = routes.iter().rev().map(|route| format!("Route: {route}\r\n")).collect();
        let to = text(message.value(Name::To).expect("To"));
        let target = message.contacts().find_map(|contact| match contact {
            Ok(Contact::Addr(address)) => Some(text(address.uri)),
            _ => None,
        });
        let target = target.expect("Contact");
        let extra = format!("{routes}Content-Length: 0\r\n\r\n");
        let ack = self.request("ACK", (&target, &to), 1, &extra);
        find(self.exchange(CALLER, ack.as_bytes()), 0);
        let bye = self.request("BYE", (&target, &to), 2, &extra);
        let forwarded = find(self.exchange(CALLER, bye.as_bytes()), 0);
        only(self.exchange(CALLED, &answer(&forwarded, 200)), 200);
    }
}

fn contact_lines(user: &str, auth: &str) -> String {
    format!("Contact: <sip:{user}@127.0.0.1:{}>\r\nExpires: 3600\r\n{auth}Content-Length: 0\r\n\r\n", CALLED.1)
}

fn read<'a>(bytes: &'a [u8], index: &'a mut Index) -> Message<'a> {
    parse(bytes, index, &Limits::default()).expect("readable");
    Message::new(bytes, index)
}

/// The message with this status (0: a request) among those sent.
fn find(sent: Vec<Vec<u8>>, status: u16) -> Vec<u8> {
    let said: Vec<String> = sent.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect();
    let found = sent.into_iter().find(|bytes| read(bytes, &mut Index::new()).status() == status);
    found.unwrap_or_else(|| panic!("no {status} in {said:#?}"))
}

fn only(sent: Vec<Vec<u8>>, status: u16) -> Vec<u8> {
    assert_eq!(sent.len(), 1, "{status} alone is expected");
    find(sent, status)
}

/// What the called end says.
fn answer(request: &[u8], status: u16) -> Vec<u8> {
    let mut index = Index::new();
    let message = read(request, &mut index);
    let mut out = Vec::new();
    let contact = format!("<sip:called@127.0.0.1:{}>", CALLED.1);
    let mut builder = ResponseBuilder::new(&message, status, "");
    builder.to_tag(b"called").copy_record_route();
    if message.method() == Method::Invite {
        builder.header("Contact", contact.as_bytes());
    }
    builder.write(&mut out);
    out
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().unwrap_or_else(|| "register".to_owned());
    let times = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(1000);
    let mut world = World::new();
    world.register();
    for number in 1..=times {
        world.number = number;
        match what.as_str() {
            "challenge" => drop(world.challenge()),
            "register" => world.register(),
            "options" => world.options(),
            "message" => world.message(),
            "call" => world.call(),
            "publish" => world.publish(),
            _ => panic!("challenge, register, options, message, call or publish"),
        }
    }
    println!("{what}: {times} times");
}
