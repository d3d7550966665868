//! The web role: administration API, sign-in, the page of the one-time link, the web client, and SIP over WebSocket.
//!
//! [`Options::build`] makes a [`Web`]; its [`Web::router`] is served by [`listen::serve`] on HTTPS and by
//! [`listen::LocalListener`] on the local socket. What the running server does is asked through the traits of
//! [`port`]; every write goes store transaction, audit line, next snapshot, in that order and one at a time.
//!
//! ```no_run
//! # async fn example(options: lyceum_web::Options, tls: std::sync::Arc<dyn lyceum_web::ResolvesServerCert>)
//! # -> std::io::Result<()> {
//! use lyceum_web::listen::{Drain, LocalListener, Protection, serve};
//!
//! let web = options.build();
//! let (switch, drain) = Drain::new();
//! let https = tokio::net::TcpListener::bind("127.0.0.1:8443").await?;
//! let https = tokio::spawn(serve(https, Protection::tls(tls), web.router(), drain.clone()));
//! let local = LocalListener::bind("/run/lyceum/lyceum.sock".as_ref())?;
//! let local = tokio::spawn(local.serve(web.local_router(), drain));
//! // … until SIGTERM:
//! switch.begin();
//! # Ok(()) }
//! ```

mod assets;
mod attempts;
mod authorize;
mod autodiscover;
mod calendar;
mod client_versions;
mod extract;
mod hashing;
pub mod listen;
mod metrics;
mod page;
mod password;
pub mod peer;
mod places;
pub mod port;
mod refused;
pub mod relay;
mod resource;
mod router;
pub mod scanner;
mod secure;
pub mod sip;

pub use authorize::{Actor, COOKIE, CSRF};
pub use refused::Refused;
pub use tokio_rustls::rustls::server::ResolvesServerCert;

use attempts::Attempts;
use lyceum_api::server::BackupStatus;
use lyceum_api::{Refusal, Timestamp};
use lyceum_sip::WallTime;
use lyceum_store::{By, Store};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;

/// Questions of administrators to store and server at a time; more wait.
const BLOCKING: usize = 16;
/// The same of users: apart, so that however many they are, an administrator is answered.
const FOR_PEOPLE: usize = 16;
/// Pieces of files that are written or read at a time, and files that are scanned; more wait, and nobody else does.
const TRANSFERRING: usize = 8;

/// What the web role works with.
#[derive(Clone)]
pub struct Options {
    /// Durable state.
    pub store: Store,
    /// Puts snapshots in force.
    pub publisher: Arc<dyn port::Publisher>,
    /// The running server.
    pub live: Arc<dyn port::Live>,
    /// What looks files through for viruses.
    pub scanner: Option<scanner::Scanner>,
    /// Synthetic transactions.
    pub tests: Arc<dyn port::SyntheticTests>,
    /// The users and their pages, if they are served.
    pub people: Option<Arc<dyn port::People>>,
    /// Where browsers reach us, `https://sip.example.org:8443`, for one-time links.
    pub base_url: String,
    /// Origins besides our own that may use the API from a browser.
    pub allowed_origins: Vec<String>,
    /// Folder of backups that name no file.
    pub backup_dir: PathBuf,
    /// The relay for media, if there is one.
    pub relay: Option<relay::RelayAccess>,
    /// Links of Access Edges, if they are served.
    pub edges: Option<Arc<dyn port::Edges>>,
    /// SIP over WebSocket, if it is served.
    pub sip: Option<sip::SipOptions>,
    /// The time; a test has its own.
    pub clock: fn() -> WallTime,
}

/// The system's time, for [`Options::clock`].
pub fn system_clock() -> WallTime {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    WallTime(since.map_or(0, |d| d.as_millis() as u64))
}

impl Options {
    /// The role, ready to be served.
    pub fn build(self) -> Web {
        let started = (self.clock)();
        Web(Arc::new(Inner {
            options: self,
            started: Timestamp(started.0),
            writes: Mutex::new(()),
            attempts: Mutex::new(Attempts::default()),
            accounts: resource::accounts::AccountsState::default(),
            calendars: calendar::Calendars::default(),
            backup: Mutex::new(BackupStatus { state: "none".to_owned(), ..BackupStatus::default() }),
            blocking: Arc::new(Semaphore::new(BLOCKING)),
            for_people: Arc::new(Semaphore::new(FOR_PEOPLE)),
            places: places::Places::default(),
            transferring: Arc::new(Semaphore::new(TRANSFERRING)),
            planning: Arc::new(Semaphore::new(1)),
            transfers: resource::client::files::Transfers::default(),
            hashing: hashing::Hashing::start(),
        }))
    }
}

/// The web role. A clone is another handle.
#[derive(Clone)]
pub struct Web(Arc<Inner>);

struct Inner {
    options: Options,
    started: Timestamp,
    writes: Mutex<()>,
    attempts: Mutex<Attempts>,
    accounts: resource::accounts::AccountsState,
    calendars: calendar::Calendars,
    backup: Mutex<BackupStatus>,
    blocking: Arc<Semaphore>,
    for_people: Arc<Semaphore>,
    places: places::Places,
    transferring: Arc<Semaphore>,
    planning: Arc<Semaphore>,
    transfers: resource::client::files::Transfers,
    hashing: hashing::Hashing,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panicking request left behind is still whole: each guarded value is replaced, never half-written.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Web {
    pub(crate) fn options(&self) -> &Options {
        &self.0.options
    }

    pub(crate) fn calendars(&self) -> &calendar::Calendars {
        &self.0.calendars
    }

    pub(crate) fn now(&self) -> WallTime {
        (self.0.options.clock)()
    }

    /// The author of a change, for the audit list.
    pub(crate) fn by<'a>(&self, actor: &'a Actor) -> By<'a> {
        By { who: &actor.name, at: self.now() }
    }

    /// Notes in the audit list an act that changes no row of its own.
    pub(crate) fn note(&self, actor: &Actor, what: &str, object: &str) {
        // The act is done; a line that cannot be written must not turn it into a failure.
        if let Err(error) = self.0.options.store.audit_note(self.by(actor), what, object, None) {
            tracing::error!(%error, what, "an audit line is missing");
        }
    }

    /// The turn to change something: from reading the snapshot to publishing the next one. Held on blocking
    /// threads only.
    pub(crate) fn turn(&self) -> MutexGuard<'_, ()> {
        locked(&self.0.writes)
    }

    pub(crate) fn attempts(&self) -> MutexGuard<'_, Attempts> {
        locked(&self.0.attempts)
    }

    pub(crate) fn accounts_state(&self) -> &resource::accounts::AccountsState {
        &self.0.accounts
    }

    pub(crate) fn backup(&self) -> MutexGuard<'_, BackupStatus> {
        locked(&self.0.backup)
    }

    pub(crate) fn started(&self) -> Timestamp {
        self.0.started
    }

    /// Runs what may block on a thread for it.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        on_thread(self.0.blocking.clone(), work).await
    }

    /// Runs what may block for a signed-in user.
    pub(crate) async fn for_people<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        on_thread(self.0.for_people.clone(), work).await
    }

    pub(crate) fn places(&self) -> &places::Places {
        &self.0.places
    }

    /// Runs what reckons with a plan, one after the other: it takes a core for as long as the plan is large.
    pub(crate) async fn planning<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        on_thread(self.0.planning.clone(), work).await
    }

    /// Runs what moves or looks at the content of files, apart from everything else that may block.
    pub(crate) async fn transferring<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        on_thread(self.0.transferring.clone(), work).await
    }

    pub(crate) fn transfers(&self) -> &resource::client::files::Transfers {
        &self.0.transfers
    }

    /// Runs what hashes an administrator's password, one after the other.
    pub(crate) async fn hashing<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        self.0.hashing.run(work).await
    }
}

async fn on_thread<T: Send + 'static>(
    places: Arc<Semaphore>,
    work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
    let fault = |what: String| Refused::new(Refusal::InternalFault, what, "server");
    let place = places.acquire_owned().await.map_err(|e| fault(e.to_string()))?;
    let done = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(place);
        done
    });
    done.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a request failed");
        Err(fault("the request failed inside the server".to_owned()))
    })
}
