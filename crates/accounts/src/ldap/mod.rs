//! A directory server: who there is, and whether a password is theirs.

mod fault;

pub use fault::LdapFault;

use crate::mapping::Entry;
use crate::{Secret, trust};
use ldap3::adapters::{Adapter, EntriesOnly, PagedResults};
use ldap3::{LdapConnAsync, LdapConnSettings, LdapError, Scope, SearchEntry};
use lyceum_topology::accounts::{Ldap, MappedField};
use std::time::Duration;

/// How long a server may take to let a connection in.
const CONNECT: Duration = Duration::from_secs(5);
/// How long it may take to judge a password.
const BIND: Duration = Duration::from_secs(5);
/// How long it may take for one more entry, a page of them included.
const SEARCH: Duration = Duration::from_secs(30);
/// Most entries that a search is read for; more is refused, not cut off: who is missing would count as gone.
pub const MOST_ENTRIES: usize = 500_000;
/// The largest value read of an attribute, in bytes.
const MOST_BYTES: usize = 4_096;

/// A connection to a directory server. It ends when it is dropped.
pub struct Connection {
    ldap: ldap3::Ldap,
    url: String,
}

impl Connection {
    /// Connects, with TLS as the settings say; nobody is signed in yet.
    pub async fn open(settings: &Ldap) -> Result<Connection, LdapFault> {
        let mut options = LdapConnSettings::new().set_conn_timeout(CONNECT);
        if settings.url.starts_with("ldaps:") || settings.start_tls {
            let authorities = settings.authorities.clone();
            let config = tokio::task::spawn_blocking(move || trust::client(authorities.as_deref())).await;
            let config = config.map_err(|why| LdapFault::Away(settings.url.clone(), why.to_string()))?;
            options = options.set_config(config?).set_starttls(settings.start_tls);
        }
        let opened = LdapConnAsync::with_settings(options, &settings.url);
        // Once more around: the library's own limit does not count the TLS handshake.
        let (connection, ldap) = match tokio::time::timeout(2 * CONNECT, opened).await {
            Ok(Ok(opened)) => opened,
            Ok(Err(error)) => return Err(fault(&settings.url, &error)),
            Err(_) => return Err(LdapFault::Away(settings.url.clone(), "no answer in time".to_owned())),
        };
        tokio::spawn(async move {
            if let Err(error) = connection.drive().await {
                tracing::debug!(%error, "the connection to the directory server ended");
            }
        });
        Ok(Connection { ldap, url: settings.url.clone() })
    }

    /// Signs in as who searches.
    pub async fn bind(&mut self, settings: &Ldap, password: Option<&Secret>) -> Result<(), LdapFault> {
        if settings.bind_dn.is_empty() {
            return Ok(());
        }
        let password = password.filter(|secret| !secret.reveal().is_empty()).ok_or(LdapFault::NoPassword)?;
        match self.try_bind(&settings.bind_dn, password).await? {
            true => Ok(()),
            false => Err(LdapFault::BindRefused(settings.bind_dn.clone())),
        }
    }

    /// Whether the password is that of the person with this name.
    pub async fn is_password(&mut self, dn: &str, password: &Secret) -> Result<bool, LdapFault> {
        // Without a password a server lets anybody in, as nobody (RFC 4513 §5.1.2).
        if password.reveal().is_empty() || dn.is_empty() {
            return Ok(false);
        }
        self.try_bind(dn, password).await
    }

    async fn try_bind(&mut self, dn: &str, password: &Secret) -> Result<bool, LdapFault> {
        let bound = self.ldap.with_timeout(BIND).simple_bind(dn, password.reveal()).await;
        let answer = bound.map_err(|error| fault(&self.url, &error))?;
        match answer.rc {
            0 => Ok(true),
            // invalidCredentials, noSuchObject, inappropriateAuthentication: this name and password do not open.
            49 | 32 | 48 => Ok(false),
            code => Err(LdapFault::Refused { url: self.url.clone(), code, text: answer.text }),
        }
    }

    /// Everybody whom the search finds, up to `most`.
    pub async fn search(&mut self, settings: &Ldap, most: usize) -> Result<Vec<Entry>, LdapFault> {
        let adapters: Vec<Box<dyn Adapter<'_, _, _>>> = vec![
            Box::new(EntriesOnly::new()),
            Box::new(PagedResults::new(i32::try_from(settings.page_size).unwrap_or(i32::MAX))),
        ];
        let away = |error: &LdapError| fault(&settings.url, error);
        let wanted = attributes(settings);
        let (base, filter) = (settings.base.as_str(), settings.filter());
        let begun =
            self.ldap.with_timeout(SEARCH).streaming_search_with(adapters, base, Scope::Subtree, filter, wanted);
        let mut stream = begun.await.map_err(|error| away(&error))?;
        let mut entries = Vec::new();
        while let Some(found) = stream.next().await.map_err(|error| away(&error))? {
            if entries.len() == most {
                stream.finish().await;
                return Err(LdapFault::TooMany(most));
            }
            entries.push(entry(SearchEntry::construct(found)));
        }
        let end = stream.finish().await;
        match end.rc {
            0 => Ok(entries),
            code => Err(LdapFault::Refused { url: settings.url.clone(), code, text: end.text }),
        }
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        // The server closes the connection anyhow once we are gone.
        self.ldap.unbind().await.ok();
    }
}

/// The attributes to ask for.
fn attributes(settings: &Ldap) -> Vec<String> {
    let mapped = MappedField::ALL.into_iter().filter_map(|field| settings.attribute(field));
    mapped.chain(settings.address_attributes()).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn entry(found: SearchEntry) -> Entry {
    let texts =
        found.attrs.into_iter().map(|(name, values)| (name, values.into_iter().map(String::into_bytes).collect()));
    let mut entry = Entry { dn: found.dn, ..Entry::default() };
    for (name, values) in texts.chain(found.bin_attrs) {
        let values: Vec<Vec<u8>> = values;
        let fitting = values.into_iter().filter(|value| value.len() <= MOST_BYTES);
        entry.values.entry(name.to_ascii_lowercase()).or_default().extend(fitting);
    }
    entry
}

fn fault(url: &str, error: &LdapError) -> LdapFault {
    match error {
        LdapError::LdapResult { result } => {
            LdapFault::Refused { url: url.to_owned(), code: result.rc, text: result.text.clone() }
        }
        LdapError::FilterParsing => LdapFault::BadFilter,
        other => LdapFault::Away(url.to_owned(), other.to_string()),
    }
}
