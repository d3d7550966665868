//! A web role with one domain, and requests to it.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use lyceum_api::probe::{ProbeRequest, ProbeResult};
use lyceum_api::registration::{Preference, Registration, RegistrationQuery};
use lyceum_api::server::Certificate;
use lyceum_api::trace::{TraceStart, TraceStatus};
use lyceum_api::{Page, Problem, Refusal, Timestamp};
use lyceum_sip::WallTime;
use lyceum_store::{By, MasterKey, Options as StoreOptions, Store};
use lyceum_topology::{Directory, Document, DomainName, Snapshot, UserId, UserRecord};
use lyceum_web::peer::Peer;
use lyceum_web::port::{Condition, Figure, FigureKind, Live, Publisher, SyntheticTests};
use lyceum_web::{Options, Web};
use serde_json::Value;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use tower::ServiceExt;

pub struct Server {
    pub web: Web,
    pub store: Store,
    pub ports: Arc<Ports>,
    pub dir: tempfile::TempDir,
}

pub struct Ports {
    snapshot: Mutex<Arc<Snapshot>>,
    pub published: AtomicU64,
    pub gone: Mutex<Vec<String>>,
    pub new_credentials: Mutex<Vec<UserId>>,
    /// The store in which former users are forgotten, unless that is to fail.
    pub forgets: Mutex<Option<Store>>,
    trace: Mutex<TraceStatus>,
    store: Store,
}

impl Publisher for Ports {
    fn current(&self) -> Arc<Snapshot> {
        self.snapshot.lock().expect("no test panics inside").clone()
    }
    fn publish(&self, snapshot: Arc<Snapshot>) {
        *self.snapshot.lock().expect("no test panics inside") = snapshot;
        self.published.fetch_add(1, SeqCst);
    }
    fn credentials_changed(&self, user: UserId) {
        self.new_credentials.lock().expect("no test panics inside").push(user);
    }
    fn all_credentials_changed(&self) {}
    fn forget_former(&self, addresses: &[String]) -> Result<(), Problem> {
        let store = self.forgets.lock().expect("no test panics inside").clone();
        let store = store.ok_or_else(|| Problem::new(Refusal::StoreUnavailable, "not now", "store"))?;
        addresses.iter().for_each(|one| store.forget_former(one).expect("nothing stands in the way"));
        Ok(())
    }
    fn user_gone(&self, user: &UserRecord) {
        self.gone.lock().expect("no test panics inside").push(user.address.to_string());
    }
}

impl Live for Ports {
    fn condition(&self) -> Condition {
        Condition::Ok
    }
    fn listeners(&self) -> Vec<String> {
        vec!["udp 127.0.0.1:5060".to_owned()]
    }
    fn node(&self) -> String {
        "node1".to_owned()
    }
    fn registered(&self) -> u64 {
        1
    }
    fn calls(&self) -> u64 {
        0
    }
    fn figures(&self) -> Vec<Figure> {
        let labels = vec![("method", "INVITE".to_owned())];
        vec![Figure { name: "sip_requests", help: "Requests", kind: FigureKind::Counter, labels, value: 7.0 }]
    }
    fn registrations(&self, query: &RegistrationQuery) -> Result<Page<Registration>, Problem> {
        let registration = Registration {
            address: query.user.clone().unwrap_or("anna@example.org".to_owned()),
            contact: "sip:anna@192.0.2.7:5060".to_owned(),
            transport: "udp".to_owned(),
            received: None,
            user_agent: "baresip".to_owned(),
            instance: None,
            q: Preference(700),
            expires: Timestamp(1_000),
        };
        Ok(Page::whole(vec![registration]))
    }
    fn certificates(&self) -> Vec<Certificate> {
        Vec::new()
    }
    fn reload_certificates(&self, _: bool) -> Result<Vec<Certificate>, Problem> {
        Err(Problem::new(Refusal::CertificateInvalid, "the file is empty", "/etc/lyceum/tls.pem"))
    }
    fn trace_status(&self) -> TraceStatus {
        self.trace.lock().expect("no test panics inside").clone()
    }
    fn start_trace(&self, start: &TraceStart) -> Result<TraceStatus, Problem> {
        let status = TraceStatus { running: true, user: start.user.clone(), ..TraceStatus::default() };
        *self.trace.lock().expect("no test panics inside") = status.clone();
        Ok(status)
    }
    fn stop_trace(&self) -> Result<TraceStatus, Problem> {
        Err(Problem::new(Refusal::TraceNotRunning, "no trace runs", "/trace"))
    }
    fn flush_records(&self) {}
    fn flush_calls(&self) {}

    fn flush_messages(&self) {}

    fn write_message(&self, entry: lyceum_store::MessageEntry) -> bool {
        self.store.append_messages(&[entry]).is_ok()
    }
}

impl SyntheticTests for Ports {
    fn registration(&self, _: &ProbeRequest) -> Result<ProbeResult, Problem> {
        Ok(ProbeResult { passed: true, summary: "registered".to_owned(), steps: Vec::new() })
    }
    fn call(&self, _: &ProbeRequest) -> Result<ProbeResult, Problem> {
        Ok(ProbeResult { passed: false, summary: "no sound from b to a".to_owned(), steps: Vec::new() })
    }
    fn presence(&self, request: &ProbeRequest) -> Result<ProbeResult, Problem> {
        let within = request.within_ms.unwrap_or(2_000);
        Ok(ProbeResult { passed: true, summary: format!("seen within {within} ms"), steps: Vec::new() })
    }
    fn im(&self, _: &ProbeRequest) -> Result<ProbeResult, Problem> {
        Ok(ProbeResult { passed: true, summary: "the message arrived".to_owned(), steps: Vec::new() })
    }
}

/// The time of the tests' servers: it moves a millisecond with every look.
pub mod time {
    use super::WallTime;
    use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

    static NOW: AtomicU64 = AtomicU64::new(1_800_000_000_000);

    pub fn now() -> WallTime {
        WallTime(NOW.fetch_add(1, SeqCst))
    }
}

impl Server {
    pub fn new() -> Server {
        Server::with_clock(time::now)
    }

    pub fn with_clock(clock: fn() -> WallTime) -> Server {
        Server::with(clock, None)
    }

    pub fn with(clock: fn() -> WallTime, sip: Option<lyceum_web::sip::SipOptions>) -> Server {
        Server::built(clock, sip, None)
    }

    /// With users who sign in to pages.
    pub fn with_people(clock: fn() -> WallTime, people: Arc<dyn lyceum_web::port::People>) -> Server {
        Server::built(clock, None, Some(people))
    }

    fn built(
        clock: fn() -> WallTime,
        sip: Option<lyceum_web::sip::SipOptions>,
        people: Option<Arc<dyn lyceum_web::port::People>>,
    ) -> Server {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(&dir.path().join("data"), MasterKey::generate(), &StoreOptions::node("node1"))
            .expect("a new store opens");
        let name = |text| DomainName::parse(text).expect("a domain name");
        let mut document = Document::dev(name("example.org"), name("node1.example.org"));
        let by = By { who: "test", at: WallTime(1) };
        document.version = store.publish_topology(&document, 0, by).expect("the first version").version;
        let snapshot = Snapshot::compile(&document, Directory::default()).expect("the sample document is valid");
        let ports = Arc::new(Ports {
            snapshot: Mutex::new(Arc::new(snapshot)),
            published: AtomicU64::new(0),
            gone: Mutex::default(),
            new_credentials: Mutex::default(),
            forgets: Mutex::new(Some(store.clone())),
            trace: Mutex::default(),
            store: store.clone(),
        });
        let options = Options {
            store: store.clone(),
            publisher: ports.clone(),
            live: ports.clone(),
            tests: ports.clone(),
            people,
            scanner: None,
            edges: None,
            base_url: "https://sip.example.org".to_owned(),
            allowed_origins: Vec::new(),
            relay: Some(lyceum_web::relay::RelayAccess {
                authority: lyceum_turn::Authority::new(lyceum_turn::Secret::new(b"north")),
                uris: vec!["turn:192.0.2.7:3478?transport=udp".to_owned()],
            }),
            backup_dir: dir.path().join("backups"),
            sip,
            clock,
        };
        Server { web: options.build(), store, ports, dir }
    }

    /// A call through the local socket.
    pub async fn local(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let peer = Peer::Local { user: "root".into(), trusted: true };
        send(self.web.local_router(), peer, request(method, path, body, &[])).await
    }

    /// A call over HTTPS.
    pub async fn https(&self, method: &str, path: &str, body: Option<Value>, headers: &[(&str, &str)]) -> Answer {
        send(self.web.router(), remote(), request(method, path, body, headers)).await
    }
}

fn request(method: &str, path: &str, body: Option<Value>, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = match body {
        Some(Value::String(csv)) if path.contains("import") => {
            request = request.header("content-type", "text/csv");
            csv
        }
        Some(value) => {
            request = request.header("content-type", "application/json");
            value.to_string()
        }
        None => String::new(),
    };
    request.body(Body::from(body)).expect("a request")
}

pub fn remote() -> Peer {
    let address = |text: &str| text.parse().expect("an address");
    Peer::Remote { remote: address("192.0.2.9:40000"), local: address("192.0.2.1:443"), secure: true }
}

pub async fn send(router: Router, peer: Peer, mut request: Request<Body>) -> Answer {
    request.extensions_mut().insert(peer);
    let response = router.oneshot(request).await.expect("the router answers");
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = response.into_body().collect().await.expect("a body").to_bytes();
    let text = String::from_utf8(bytes.to_vec()).expect("text");
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer { status, headers, text, body }
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
    pub body: Value,
}

impl Answer {
    /// The body of a success.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(self.status.is_success(), "{}: {}", self.status, self.text);
        self.body
    }

    /// Status and code of a refusal.
    #[track_caller]
    pub fn refused(self) -> (u16, String) {
        assert!(!self.status.is_success(), "{}: {}", self.status, self.text);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        for member in ["code", "what", "where", "fix", "help"] {
            assert!(self.body[member].is_string(), "{member} in {}", self.text);
        }
        (self.status.as_u16(), self.body["code"].as_str().expect("a code").to_owned())
    }
}
