//! Puts snapshots and secrets in force: one pointer for readers, one post per worker.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use lyceum_api::{Problem, Refusal};
use lyceum_front_end::credentials::Credentials;
use lyceum_front_end::executor::Post;
use lyceum_topology::{HopTransport, PeerFacts, Snapshot, TrustedBy, UserId, UserRecord};
use lyceum_web::port::Publisher;
use lyceum_web::relay::RelayAccess;

use super::Shared;

/// A worker that takes longer than this is very busy; the change is with it all the same.
const PATIENCE: Duration = Duration::from_secs(5);

/// Users that one post tells a worker to forget.
const FORGET_AT_ONCE: usize = 64;

/// The running node as the web role's publisher.
pub struct LivePublisher(pub Arc<Shared>);

impl LivePublisher {
    fn each(&self, make: impl Fn() -> Post) {
        for worker in 0..self.0.handle.workers() {
            let handle = self.0.handle.worker(worker);
            // Configuration must not be lost, except on a worker that has ended.
            handle.post_when_room(make()).ok();
        }
    }

    /// Returns when every worker has taken what was handed to it: who is told that a change is done finds it done with the
    /// next message.
    fn settle(&self) {
        for worker in 0..self.0.handle.workers() {
            let (taken, wait) = sync_channel(1);
            let post = Post::Inspect(Box::new(move |_, _| {
                taken.send(()).ok();
            }));
            if self.0.handle.worker(worker).post(post).is_ok() {
                wait.recv_timeout(PATIENCE).ok();
            }
        }
    }

    /// Ends a user's registrations and connections, and what was given for the relay.
    fn cut(&self, user: &UserRecord) {
        if let Some(relay) = self.0.relay.get() {
            relay.revoke(&RelayAccess::name(user));
        }
        self.each(|| {
            let (id, address) = (user.id, user.address.as_str().to_owned());
            Post::Act(Box::new(move |core, now, out| core.user_gone(now, id, &address, out)))
        });
    }

    /// Ends the page of a device, or with `None` all of a user's; false when a restart would forget it.
    pub fn end_pages(&self, user: &UserRecord, device: Option<u64>) -> bool {
        let at = lyceum_web::system_clock();
        let stored = self.0.ends.end(user.id, device, at);
        self.each(|| {
            let (whose, address) = ((user.id, device), user.address.as_str().to_owned());
            Post::Act(Box::new(move |core, now, out| core.page_ended(now, whose, at, &address, out)))
        });
        stored.inspect_err(|error| tracing::error!(%error, "the end of a session could not be stored")).is_ok()
    }

    /// Puts secrets in force.
    pub fn put_credentials(&self, credentials: Credentials) {
        self.0.credentials.store(Arc::new(credentials.clone()));
        self.each(|| Post::Credentials(credentials.clone()));
        self.settle();
    }
}

/// Is somebody trusted by certificate? Only then clients are asked for theirs: phones that have none ask their users.
pub fn trusts_certificates(snapshot: &Snapshot) -> bool {
    snapshot.document().trusted_hosts.iter().any(|host| matches!(host.by, TrustedBy::Mtls { .. }))
}

/// Is this address trusted for streams, wherever they arrive inside?
pub fn trusts(shared: &Shared, address: std::net::IpAddr) -> bool {
    let snapshot = shared.snapshot.load();
    [HopTransport::Tcp, HopTransport::Tls].into_iter().any(|transport| {
        let peer = PeerFacts { address, transport: Some(transport), names: &[], inside: true };
        snapshot.trusted(&peer).is_some()
    })
}

impl Publisher for LivePublisher {
    fn current(&self) -> Arc<Snapshot> {
        self.0.snapshot.load_full()
    }

    fn publish(&self, snapshot: Arc<Snapshot>) {
        if let Some(tls) = &self.0.tls {
            tls.ask_clients(trusts_certificates(&snapshot));
        }
        self.0.snapshot.store(Arc::clone(&snapshot));
        self.each(|| Post::Snapshot(Arc::clone(&snapshot)));
        self.settle();
    }

    fn credentials_changed(&self, user: UserId) {
        match self.0.store.credential(user) {
            Ok(secret) => {
                self.put_credentials(self.0.credentials.load().with(user, secret));
                if let Some(user) = self.current().directory().by_id(user) {
                    self.cut(user);
                }
            }
            Err(error) => tracing::error!(%error, "a changed password could not be read; the old one stays in force"),
        }
    }

    fn all_credentials_changed(&self) {
        match self.0.store.credentials() {
            Ok(all) => {
                let (old, new) =
                    (self.0.credentials.load_full(), self.0.test_users.with_passwords(Credentials::load(all)));
                self.put_credentials(new.clone());
                let is_other = |user: &&Arc<UserRecord>| {
                    let secret = old.of(user.id).map(|secret| secret.sha256);
                    secret.is_some() && secret != new.of(user.id).map(|secret| secret.sha256)
                };
                self.current().directory().users().filter(is_other).for_each(|user| self.cut(user));
            }
            Err(error) => tracing::error!(%error, "changed passwords could not be read; the old ones stay in force"),
        }
    }

    fn forget_former(&self, addresses: &[String]) -> Result<(), Problem> {
        let away = |what: &str| Problem::new(Refusal::StoreUnavailable, what, "store");
        for some in addresses.chunks(FORGET_AT_ONCE) {
            let (durable, wait) = sync_channel(1);
            let (theirs, done) = (some.to_vec(), move |kept| {
                durable.send(kept).ok();
            });
            let post = Post::Act(Box::new(move |core, now, out| core.forget_former(now, &theirs, Box::new(done), out)));
            self.0.handle.worker(0).post_when_room(post).ok();
            if wait.recv_timeout(PATIENCE) != Ok(true) {
                return Err(away("what a former user left could not be forgotten"));
            }
        }
        // What workers handed over for the histories comes before what removes them.
        self.settle();
        if !self.0.messages.get().is_none_or(|writer| writer.flush(PATIENCE)) {
            return Err(away("histories are not written: what a former user left cannot be forgotten yet"));
        }
        for address in addresses {
            self.0.store.forget_former(address).map_err(|error| away(&error.to_string()))?;
        }
        Ok(())
    }

    fn user_gone(&self, user: &UserRecord) {
        // Who is enabled again signs in again. Who was removed has no number that anybody else gets.
        if self.current().directory().by_id(user.id).is_some() {
            self.end_pages(user, None);
        }
        self.cut(user);
    }
}
