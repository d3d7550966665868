//! Taking many users at once, as `lyceum dev --users` does.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use lyceum_front_end::credentials::Credentials;
use lyceum_sip::digest::Ha1;
use lyceum_store::{By, ImportUser};
use lyceum_topology::{AddressOfRecord, UserId, UserRecord};
use lyceum_web::port::Publisher;

use super::Server;
use super::opening;
use super::publisher::LivePublisher;

impl Server {
    /// Takes users and their passwords, and puts them in force. `marker` remembers what was taken, so that a restart
    /// with the same list does nothing.
    pub fn import(&self, users: &[(String, String)], domain: &str, marker: &Path) -> Result<u64> {
        let print = fingerprint(users, domain);
        let count = users.len() as u64;
        if std::fs::read_to_string(marker).is_ok_and(|text| text == print) {
            return Ok(count);
        }
        let pool = self.pool.as_str();
        let mut list = Vec::with_capacity(users.len());
        for (user, password) in users {
            let address = AddressOfRecord::parse(&format!("{user}@{domain}")).map_err(|error| anyhow!("{error}"))?;
            let secret = Ha1::of(address.user().as_bytes(), domain.as_bytes(), password.as_bytes());
            list.push(ImportUser { record: UserRecord::new(UserId(0), address, pool), secret: Some(secret) });
        }
        let records = list.iter().map(|user| user.record.clone()).collect();
        opening::checked(&self.shared.snapshot.load(), records)?;
        let by = By { who: "server", at: lyceum_web::system_clock() };
        let report = self.shared.store.import_users(list, by, |_| {}).map_err(|error| anyhow!("{error}"))?;
        if let Some((who, why)) = report.reasons.first() {
            return Err(anyhow!("{} users were refused, the first is {who}: {why}", report.refused));
        }
        let publisher = LivePublisher(Arc::clone(&self.shared));
        let former = self.shared.store.former().map_err(|error| anyhow!("{error}"))?;
        if !former.is_empty() {
            publisher.forget_former(&former).map_err(|problem| anyhow!("{}", problem.what))?;
        }
        let directory = self.shared.store.directory().map_err(|error| anyhow!("{error}"))?;
        let directory = directory.into_directory().map_err(|error| anyhow!("{error}"))?;
        let snapshot =
            self.shared.snapshot.load().with_directory(directory).map_err(|problems| anyhow!("{}", problems[0]))?;
        let secrets = self.shared.store.credentials().map_err(|error| anyhow!("{error}"))?;
        publisher.publish(Arc::new(snapshot));
        publisher.put_credentials(self.test_users.with_passwords(Credentials::load(secrets)));
        std::fs::write(marker, print)?;
        Ok(count)
    }
}

/// A word for the list, passwords included but not readable from it.
fn fingerprint(users: &[(String, String)], domain: &str) -> String {
    let mut sum = Ha1::of(domain.as_bytes(), b"", b"").sha256;
    for (user, password) in users {
        let one = Ha1::of(user.as_bytes(), &sum, password.as_bytes());
        sum = one.sha256;
    }
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}
