//! Every certificate of a deployment, and the request for it as `openssl req` takes it.

use std::fmt::Write;

use serde::Serialize;

use super::{Deployment, Pool};
use crate::capacity::Role;
use crate::figures::certificate_rows;
use crate::file::{Plan, SimpleUrls};

/// One certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Certificate {
    /// The role in Lync's words.
    pub role: &'static str,
    /// What it is for there: `default`, `web internal` …
    pub usage: &'static str,
    /// The server it is for, or the pool that shares it.
    pub assigned_to: String,
    /// The subject's common name.
    pub subject: String,
    /// The alternative names.
    pub names: Vec<String>,
    /// The port at which its server shows it, if at any.
    pub port: Option<u16>,
    /// Who may issue it.
    pub issuer: &'static str,
    /// Bits of an RSA key.
    pub key_bits: u32,
    /// What to know besides.
    pub note: &'static str,
    /// Who says so.
    pub source: &'static str,
}

/// Bits of an RSA key (L13:certificate-infrastructure-requirements: 2048 and more are advised).
const KEY_BITS: u32 = 2048;

/// The longest common name (RFC 5280, ub-common-name).
const MAX_COMMON_NAME: usize = 64;

/// The certificates of a plan's deployment.
pub fn certificates(plan: &Plan, deployment: &Deployment) -> Vec<Certificate> {
    let mut writer = Writer { plan, deployment, found: Vec::new() };
    for pool in &deployment.pools {
        writer.pool(pool);
    }
    if let Some(first) = deployment.home_pools().next() {
        writer.add("oauth", first.fqdn.clone(), first.fqdn.clone(), Vec::new());
    }
    writer.found
}

struct Writer<'a> {
    plan: &'a Plan,
    deployment: &'a Deployment,
    found: Vec<Certificate>,
}

impl Writer<'_> {
    fn add(&mut self, id: &str, assigned_to: String, subject: String, names: Vec<String>) {
        let row = certificate_rows().iter().find(|row| row.id == id).expect("every certificate is in certs.csv");
        let mut unique: Vec<String> = Vec::new();
        for name in names {
            if !unique.contains(&name) {
                unique.push(name);
            }
        }
        self.found.push(Certificate {
            role: row.role,
            usage: row.certificate,
            assigned_to,
            subject,
            names: unique,
            port: row.port,
            issuer: row.issuer,
            key_bits: KEY_BITS,
            note: row.note,
            source: row.source,
        });
    }

    fn sip_names(&self) -> impl Iterator<Item = String> {
        self.deployment.sip_domains.iter().map(|domain| format!("sip.{domain}"))
    }

    /// Meeting addresses; the control panel's only inside.
    fn simple_urls(&self, inside: bool) -> Vec<String> {
        let main = self.deployment.main_domain();
        let mut names = Vec::new();
        if *self.plan.meetings.enabled {
            match *self.plan.access.simple_urls {
                SimpleUrls::Shared => names.push(format!("lync.{main}")),
                SimpleUrls::PerDomain => {
                    names.extend(self.deployment.sip_domains.iter().map(|domain| format!("meet.{domain}")));
                    names.extend(self.plan.meetings.dial_in.then(|| format!("dialin.{main}")));
                }
            }
        }
        names.extend((inside && *self.plan.access.admin_url).then(|| format!("admin.{main}")));
        let discover = if inside { "lyncdiscoverinternal" } else { "lyncdiscover" };
        names.extend(self.deployment.sip_domains.iter().map(|domain| format!("{discover}.{domain}")));
        names
    }

    fn pool(&mut self, pool: &Pool) {
        match pool.role {
            Role::FrontEnd | Role::MeetingFrontEnd => {
                self.front_ends(pool, ["front-end-default", "front-end-web-internal", "front-end-web-external"])
            }
            Role::StandardEdition | Role::BranchStandardEdition => {
                self.front_ends(pool, ["standard-default", "standard-web-internal", "standard-web-external"]);
            }
            Role::Director => {
                self.front_ends(pool, ["director-default", "director-web-internal", "director-web-external"])
            }
            Role::Mediation => self.each_host(pool, "mediation", |pool, host| {
                (pool.fqdn.clone(), vec![pool.fqdn.clone(), host.to_owned()])
            }),
            Role::BranchAppliance => {
                let names: Vec<String> = self.sip_names().collect();
                self.each_host(pool, "branch", |_, host| {
                    (host.to_owned(), [vec![host.to_owned()], names.clone()].concat())
                });
            }
            Role::PersistentChat => self.each_host(pool, "chat", |_, host| (host.to_owned(), Vec::new())),
            Role::Edge => self.edge(pool),
            Role::ReverseProxy => self.proxy(pool),
            _ => {}
        }
    }

    fn each_host(&mut self, pool: &Pool, id: &str, names: impl Fn(&Pool, &str) -> (String, Vec<String>)) {
        for &host in &pool.hosts {
            let fqdn = self.deployment.hosts[host].fqdn.clone();
            let (subject, names) = names(pool, &fqdn);
            self.add(id, fqdn, subject, names);
        }
    }

    fn front_ends(&mut self, pool: &Pool, ids: [&str; 3]) {
        let sip: Vec<String> = self.sip_names().collect();
        let (inside, outside) = (self.simple_urls(true), self.simple_urls(false));
        self.each_host(pool, ids[0], |pool, host| {
            (pool.fqdn.clone(), [vec![pool.fqdn.clone(), host.to_owned()], sip.clone()].concat())
        });
        let web = pool.web_internal.clone().unwrap_or_else(|| pool.fqdn.clone());
        let director = ids[0].starts_with("director");
        self.each_host(pool, ids[1], |pool, host| {
            let subject = if director { host.to_owned() } else { pool.fqdn.clone() };
            (subject, [vec![web.clone(), host.to_owned(), pool.fqdn.clone()], inside.clone()].concat())
        });
        let Some(web) = pool.web_external.clone() else { return };
        self.each_host(pool, ids[2], |pool, host| {
            let subject = if director { host.to_owned() } else { pool.fqdn.clone() };
            (subject, [vec![web.clone()], outside.clone()].concat())
        });
    }

    /// One public certificate for the three services of a pool, with its subject again among the names.
    fn edge(&mut self, pool: &Pool) {
        let main = self.deployment.main_domain().to_owned();
        let first = self.deployment.pools_of(Role::Edge).next().is_some_and(|first| first.fqdn == pool.fqdn);
        let tail = if first { String::new() } else { format!("-{}", self.deployment.places[pool.site].slug) };
        let subject = format!("sip{tail}.{main}");
        let mut names = vec![subject.clone()];
        names.extend(self.sip_names());
        names.push(format!("webcon{tail}.{main}"));
        if *self.plan.access.xmpp && first {
            names.extend(self.deployment.sip_domains.iter().cloned());
        }
        self.add("edge-external", pool.fqdn.clone(), subject, names);
        self.add("edge-internal", pool.fqdn.clone(), pool.fqdn.clone(), Vec::new());
    }

    fn proxy(&mut self, pool: &Pool) {
        let deployment = self.deployment;
        let here = |other: &&Pool| other.site == pool.site;
        let mut names: Vec<String> =
            deployment.pools.iter().filter(here).filter_map(|pool| pool.web_external.clone()).collect();
        let Some(subject) = names.first().cloned() else { return };
        names.extend(self.simple_urls(false));
        if deployment.pools_of(Role::OfficeWebApps).any(|other| other.site == pool.site) {
            names.push(format!("owas-{}.{}", deployment.places[pool.site].slug, deployment.main_domain()));
        }
        self.add("reverse-proxy", pool.fqdn.clone(), subject, names);
    }
}

impl Certificate {
    /// A name for its files: the server and the usage.
    pub fn file(&self) -> String {
        format!("{}-{}", self.assigned_to, self.usage.replace(' ', "-").to_lowercase())
    }

    /// The configuration that `openssl req -new -config` takes: subject, usages, names. Newer readers look at the names
    /// only, so the subject is always among them.
    pub fn request(&self, organisation: &str) -> String {
        let mut text = String::new();
        // A String takes everything that is written to it.
        let _ = writeln!(
            text,
            "# {} {} for {}: openssl req -new -newkey rsa:{} -nodes -config this -keyout key.pem -out request.pem",
            self.role, self.usage, self.assigned_to, self.key_bits
        );
        let _ = writeln!(
            text,
            "[req]\ndefault_bits = {}\ndefault_md = sha256\nprompt = no\nutf8 = yes\nstring_mask = utf8only\n\
             distinguished_name = subject\nreq_extensions = extensions\n\n[subject]\nO = {}",
            self.key_bits,
            quoted(organisation)
        );
        if self.subject.len() <= MAX_COMMON_NAME {
            let _ = writeln!(text, "CN = {}", self.subject);
        }
        let _ = writeln!(
            text,
            "\n[extensions]\nbasicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature, keyEncipherment\n\
             extendedKeyUsage = serverAuth\nsubjectAltName = @names\n\n[names]"
        );
        let own = (!self.names.contains(&self.subject)).then_some(&self.subject);
        for (number, name) in own.into_iter().chain(&self.names).enumerate() {
            let _ = writeln!(text, "DNS.{} = {name}", number + 1);
        }
        text
    }
}

/// An organisation's name for a configuration file, cut to the 64 letters that it may have (RFC 5280).
fn quoted(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars().filter(|letter| !letter.is_control()).take(64) {
        if matches!(letter, '\\' | '$' | '#' | '"' | '\'') {
            text.push('\\');
        }
        text.push(letter);
    }
    text
}
