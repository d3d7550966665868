//! A small SIP endpoint over UDP: registers with digest, calls, answers, hangs up. Blocking, for tests only.

// The tests of the binary take this file in by its path, so it says where the rest of it is.
#[path = "endpoint/people.rs"]
mod people;

use std::collections::VecDeque;
use std::fmt;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use lyceum_sip::digest::{self, Kind, Login, Signed};
use lyceum_sip::{Index, Limits, Message, Method, Name, NameAddr, RequestBuilder, ResponseBuilder, parse};

/// How long an answer is waited for: SIP's 64·T1.
const PATIENCE: Duration = Duration::from_secs(32);
/// First retransmission (RFC 3261 T1).
const T1: Duration = Duration::from_millis(500);
/// Requests kept that come while something else is waited for; the server repeats what is lost.
const EARLY: usize = 32;
/// Longest wait between retransmissions (T2).
const T2: Duration = Duration::from_secs(4);

/// Whom an endpoint signs in as. The password does not print itself.
#[derive(Clone)]
pub struct Account {
    /// User part of the address.
    pub user: String,
    /// SIP domain.
    pub domain: String,
    /// Password.
    pub password: String,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({}@{})", self.user, self.domain)
    }
}

/// Why a test transaction failed.
#[derive(Debug)]
pub enum ProbeError {
    /// The network said no.
    Io(std::io::Error),
    /// No final answer in time.
    Silence(&'static str),
    /// A final answer other than the one hoped for.
    Answer {
        /// Which request.
        method: &'static str,
        /// Its status.
        status: u16,
        /// Its reason phrase.
        reason: String,
    },
    /// What should have come did not come in time.
    Late(Duration),
    /// What came makes no sense.
    Broken(&'static str),
}

impl From<std::io::Error> for ProbeError {
    fn from(error: std::io::Error) -> Self {
        ProbeError::Io(error)
    }
}

impl fmt::Display for ProbeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProbeError::Io(error) => write!(f, "the network refused: {error}"),
            ProbeError::Silence(what) => write!(f, "no answer to {what} within {} s", PATIENCE.as_secs()),
            ProbeError::Answer { method, status, reason } => write!(f, "{method} was answered {status} {reason}"),
            ProbeError::Late(within) => write!(f, "nothing arrived within {} ms", within.as_millis()),
            ProbeError::Broken(what) => write!(f, "{what} sent something that makes no sense"),
        }
    }
}

impl std::error::Error for ProbeError {}

/// A call that stands.
pub struct Call {
    /// From INVITE to 200; zero on the side that answered.
    pub setup: Duration,
    /// Where the other side's sound goes.
    pub remote_sound: SocketAddr,
    call_id: Vec<u8>,
    local: Vec<u8>,
    remote: Vec<u8>,
    target: Vec<u8>,
    routes: Vec<Vec<u8>>,
}

/// An endpoint with one UDP port.
pub struct Endpoint {
    socket: UdpSocket,
    server: SocketAddr,
    account: Account,
    local: SocketAddr,
    name: String,
    cseq: u32,
    contact: String,
    /// Requests that came while something else was waited for.
    early: VecDeque<Vec<u8>>,
}

impl Endpoint {
    /// Opens a free port that reaches the server.
    pub fn open(server: SocketAddr, account: &Account) -> Result<Self, ProbeError> {
        let any: IpAddr = if server.is_ipv4() { [0, 0, 0, 0].into() } else { [0; 16].into() };
        let finder = UdpSocket::bind((any, 0))?;
        finder.connect(server)?;
        let ip = finder.local_addr()?.ip();
        let socket = UdpSocket::bind((ip, 0))?;
        let local = socket.local_addr()?;
        let name = format!("{}-{}", account.user, local.port());
        let contact = format!("sip:{}@{local}", account.user);
        Ok(Endpoint { socket, server, account: account.clone(), local, name, cseq: 0, contact, early: VecDeque::new() })
    }

    /// Its own address.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Its address of record as a URI.
    pub fn uri(&self) -> String {
        format!("sip:{}@{}", self.account.user, self.account.domain)
    }

    /// Binds (or with 0 removes) its contact; gives the time it took.
    pub fn register(&mut self, expires: u32) -> Result<Duration, ProbeError> {
        let begun = Instant::now();
        let registrar = format!("sip:{}", self.account.domain);
        let aor = self.uri();
        let to = format!("<{aor}>");
        let (expires, headers) = (Some(expires), Vec::new());
        let ask = Ask { method: Method::Register, uri: registrar, to, expires, headers, body: None };
        let answer = self.ask(&ask, &format!("reg-{}", self.name))?;
        expect_ok("REGISTER", &answer)?;
        Ok(begun.elapsed())
    }

    /// Calls `target`, offering sound at `sound_port`; returns when the call stands.
    pub fn invite(&mut self, target: &str, sound_port: u16) -> Result<Call, ProbeError> {
        let begun = Instant::now();
        let sdp = self.sdp(sound_port);
        let ask = Ask {
            method: Method::Invite,
            uri: target.to_owned(),
            to: format!("<{target}>"),
            expires: None,
            headers: Vec::new(),
            body: Some(("application/sdp", sdp)),
        };
        let call_id = format!("call-{}-{}", self.name, self.cseq);
        let answer = self.ask(&ask, &call_id)?;
        expect_ok("INVITE", &answer)?;
        let setup = begun.elapsed();
        let call = with(&answer, |message| {
            let contact = message.value(Name::Contact).and_then(|value| NameAddr::parse(value).ok())?;
            let mut routes: Vec<Vec<u8>> = message.values(Name::RecordRoute).map(<[u8]>::to_vec).collect();
            routes.reverse();
            Some(Call {
                setup,
                remote_sound: sound_of(message.body())?,
                call_id: message.call_id().to_vec(),
                local: message.value(Name::From)?.to_vec(),
                remote: message.value(Name::To)?.to_vec(),
                target: contact.uri.to_vec(),
                routes,
            })
        })
        .ok_or(ProbeError::Broken("the callee"))?;
        let ack = self.in_dialog(Method::Ack, &call, self.cseq);
        self.socket.send_to(&ack, self.server)?;
        Ok(call)
    }

    /// Waits for an INVITE, rings, answers, and returns when the ACK is there.
    pub fn answer(&mut self, sound_port: u16) -> Result<Call, ProbeError> {
        let invite = self.await_request(Method::Invite)?;
        let sdp = self.sdp(sound_port);
        let contact = format!("<{}>", self.contact);
        let tag = format!("t{}", self.local.port());
        let call = with(&invite, |message| {
            let mut ringing = Vec::new();
            ResponseBuilder::new(message, 180, "Ringing")
                .to_tag(tag.as_bytes())
                .copy_record_route()
                .write(&mut ringing);
            let mut ok = Vec::new();
            ResponseBuilder::new(message, 200, "OK")
                .to_tag(tag.as_bytes())
                .copy_record_route()
                .header("Contact", contact.as_bytes())
                .body(b"application/sdp", sdp.as_bytes())
                .write(&mut ok);
            let mut local = message.value(Name::To)?.to_vec();
            local.extend_from_slice(format!(";tag={tag}").as_bytes());
            let from = message.value(Name::Contact).and_then(|value| NameAddr::parse(value).ok())?;
            let call = Call {
                setup: Duration::ZERO,
                remote_sound: sound_of(message.body())?,
                call_id: message.call_id().to_vec(),
                local,
                remote: message.value(Name::From)?.to_vec(),
                target: from.uri.to_vec(),
                routes: message.values(Name::RecordRoute).map(<[u8]>::to_vec).collect(),
            };
            Some((call, ringing, ok))
        });
        let (call, ringing, ok) = call.ok_or(ProbeError::Broken("the caller"))?;
        self.socket.send_to(&ringing, self.server)?;
        self.await_acknowledged(&ok)?;
        Ok(call)
    }

    /// Sends a 200 until its ACK comes (RFC 3261 §13.3.1.4).
    fn await_acknowledged(&mut self, ok: &[u8]) -> Result<(), ProbeError> {
        let mut wait = T1;
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            self.socket.send_to(ok, self.server)?;
            let end = Instant::now() + wait;
            while let Some(bytes) = self.receive_until(end)? {
                if with(&bytes, |message| Some(message.is_request() && message.method() == Method::Ack)) == Some(true) {
                    return Ok(());
                }
            }
            wait = (wait * 2).min(T2);
        }
        Err(ProbeError::Silence("the 200"))
    }

    /// Ends the call.
    pub fn bye(&mut self, call: &Call) -> Result<(), ProbeError> {
        self.cseq += 1;
        let bye = self.in_dialog(Method::Bye, call, self.cseq);
        let answer = self.transact(&bye, "BYE")?;
        expect_ok("BYE", &answer)
    }

    /// Waits for the other side's BYE and answers it.
    pub fn await_bye(&mut self, _call: &Call) -> Result<(), ProbeError> {
        let bye = self.await_request(Method::Bye)?;
        let mut ok = Vec::new();
        with(&bye, |message| {
            ResponseBuilder::new(message, 200, "OK").write(&mut ok);
            Some(())
        });
        self.socket.send_to(&ok, self.server)?;
        Ok(())
    }

    fn sdp(&self, port: u16) -> String {
        let ip = self.local.ip();
        let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
        format!(
            "v=0\r\no=- 1 1 IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\n"
        )
    }

    /// Sends a request and once more with credentials if it is challenged; gives the final answer.
    fn ask(&mut self, ask: &Ask, call_id: &str) -> Result<Vec<u8>, ProbeError> {
        let first = self.build(ask, call_id, None);
        let answer = self.transact(&first, ask.method.as_str())?;
        let proof = with(&answer, |message| self.proof(message, ask));
        match proof {
            Some((header, value)) => {
                if ask.method == Method::Invite {
                    self.acknowledge_refusal(&first, &answer)?;
                }
                let second = self.build(ask, call_id, Some((header, &value)));
                let answer = self.transact(&second, ask.method.as_str())?;
                if ask.method == Method::Invite && with(&answer, |message| Some(message.status() >= 300)) == Some(true)
                {
                    self.acknowledge_refusal(&second, &answer)?;
                }
                Ok(answer)
            }
            None => Ok(answer),
        }
    }

    fn proof(&self, message: &Message<'_>, ask: &Ask) -> Option<(&'static str, Vec<u8>)> {
        let (kind, name) = match message.status() {
            401 => (Kind::Www, Name::WwwAuthenticate),
            407 => (Kind::Proxy, Name::ProxyAuthenticate),
            _ => return None,
        };
        let challenge =
            digest::strongest(message.fields().filter(|field| field.name == name).map(|field| field.value))?;
        let login = Login { username: self.account.user.as_bytes(), password: self.account.password.as_bytes() };
        let signed = Signed { method: ask.method.as_str().as_bytes(), uri: ask.uri.as_bytes(), body: b"" };
        let mut value = Vec::new();
        digest::respond(&mut value, &challenge, &login, &signed, 1, b"6c796365756d")?;
        Some((kind.answer_header(), value))
    }

    fn acknowledge_refusal(&self, invite: &[u8], answer: &[u8]) -> Result<(), ProbeError> {
        let mut ack = Vec::new();
        with(invite, |request| {
            with(answer, |response| {
                lyceum_sip::transaction::ack_for(request, response, &mut ack);
                Some(())
            })
        });
        self.socket.send_to(&ack, self.server)?;
        Ok(())
    }

    fn build(&mut self, ask: &Ask, call_id: &str, proof: Option<(&'static str, &[u8])>) -> Vec<u8> {
        self.cseq += 1;
        let via = self.via();
        let from = format!("<{}>;tag=f{}", self.uri(), self.local.port());
        let contact = format!("<{}>", self.contact);
        let expires = ask.expires.map(|seconds| seconds.to_string());
        let mut builder = RequestBuilder::new(ask.method, ask.uri.as_bytes());
        builder.via(via.as_bytes()).from(from.as_bytes()).to(ask.to.as_bytes()).call_id(call_id.as_bytes());
        builder.cseq(self.cseq).contact(contact.as_bytes()).header("User-Agent", b"Lyceum probe");
        if let Some(seconds) = &expires {
            builder.header("Expires", seconds.as_bytes());
        }
        if let Some((header, value)) = proof {
            builder.header(header, value);
        }
        for (name, value) in &ask.headers {
            builder.header(name, value.as_bytes());
        }
        if let Some((content_type, body)) = &ask.body {
            builder.body(content_type.as_bytes(), body.as_bytes());
        }
        let mut bytes = Vec::new();
        builder.write(&mut bytes);
        bytes
    }

    fn in_dialog(&self, method: Method, call: &Call, cseq: u32) -> Vec<u8> {
        let via = self.via();
        let mut builder = RequestBuilder::new(method, &call.target);
        builder.via(via.as_bytes()).from(&call.local).to(&call.remote).call_id(&call.call_id).cseq(cseq);
        for route in &call.routes {
            builder.route(route);
        }
        let mut bytes = Vec::new();
        builder.write(&mut bytes);
        bytes
    }

    fn via(&self) -> String {
        let unique =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        format!("SIP/2.0/UDP {};branch=z9hG4bK{}{unique:x};rport", self.local, self.cseq)
    }

    /// Sends until a final answer to it comes.
    fn transact(&mut self, request: &[u8], what: &'static str) -> Result<Vec<u8>, ProbeError> {
        let branch = with(request, |message| Some(message.top_via().ok()?.branch.to_vec()));
        let begun = Instant::now();
        let mut wait = T1;
        let mut provisional = false;
        while begun.elapsed() < PATIENCE {
            if !provisional {
                self.socket.send_to(request, self.server)?;
            }
            let end = Instant::now() + wait;
            while let Some(bytes) = self.receive_until(end)? {
                let status = with(&bytes, |message| {
                    let same = message.top_via().ok()?.branch == branch.as_deref()?;
                    (same && !message.is_request()).then(|| message.status())
                });
                match status {
                    Some(100..=199) => provisional = true,
                    Some(_) => return Ok(bytes),
                    None if self.early.len() < EARLY => self.early.push_back(bytes),
                    None => {}
                }
            }
            wait = (wait * 2).min(T2);
        }
        Err(ProbeError::Silence(what))
    }

    fn await_request(&mut self, method: Method) -> Result<Vec<u8>, ProbeError> {
        let end = Instant::now() + PATIENCE;
        while let Some(bytes) = self.receive_until(end)? {
            if with(&bytes, |message| Some(message.is_request() && message.method() == method)) == Some(true) {
                return Ok(bytes);
            }
        }
        Err(ProbeError::Silence("a request"))
    }

    fn receive_until(&self, end: Instant) -> Result<Option<Vec<u8>>, ProbeError> {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        self.socket.set_read_timeout(Some(left))?;
        let mut buffer = vec![0; 65_536];
        match self.socket.recv(&mut buffer) {
            Ok(length) => {
                buffer.truncate(length);
                Ok(Some(buffer))
            }
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
}

struct Ask {
    method: Method,
    uri: String,
    to: String,
    expires: Option<u32>,
    headers: Vec<(&'static str, String)>,
    /// Content type and body.
    body: Option<(&'static str, String)>,
}

fn with<R>(bytes: &[u8], look: impl FnOnce(&Message<'_>) -> Option<R>) -> Option<R> {
    let mut index = Index::new();
    parse(bytes, &mut index, &Limits::default()).ok()?;
    look(&Message::new(bytes, &index))
}

fn expect_ok(method: &'static str, answer: &[u8]) -> Result<(), ProbeError> {
    let (status, reason) =
        with(answer, |message| Some((message.status(), String::from_utf8_lossy(message.reason()).into_owned())))
            .ok_or(ProbeError::Broken("the server"))?;
    match status {
        200..=299 => Ok(()),
        status => Err(ProbeError::Answer { method, status, reason }),
    }
}

/// Address and port of the first audio stream of an SDP body.
fn sound_of(sdp: &[u8]) -> Option<SocketAddr> {
    let text = std::str::from_utf8(sdp).ok()?;
    let ip: IpAddr = text.lines().find_map(|line| line.strip_prefix("c=IN IP")?.get(2..)?.trim().parse().ok())?;
    let port = text.lines().find_map(|line| line.strip_prefix("m=audio ")?.split(' ').next()?.parse().ok())?;
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_address_is_read_from_sdp() {
        let sdp = b"v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\n";
        assert_eq!(sound_of(sdp), Some("192.0.2.1:4000".parse().unwrap()));
        assert_eq!(sound_of(b"v=0\r\n"), None);
    }

    #[test]
    fn account_does_not_print_its_password() {
        let account = Account { user: "a".into(), domain: "b".into(), password: "geheim".into() };
        assert_eq!(format!("{account:?}"), "Account(a@b)");
    }
}
