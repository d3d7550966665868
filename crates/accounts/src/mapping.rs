//! From what a directory server says of somebody to what we know of a user.

use lyceum_topology::accounts::{Ldap, MappedField};
use lyceum_topology::{AddressOfRecord, Document, Job, LineUri, UserRecord};
use std::collections::BTreeMap;

/// The longest text taken; the rest is cut off.
const MAX_TEXT: usize = 128;
/// The bit of `userAccountControl` that says disabled.
const ACCOUNT_DISABLE: i64 = 2;

/// One entry of a directory server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    /// The distinguished name.
    pub dn: String,
    /// Values by the attribute's name in lower case.
    pub values: BTreeMap<String, Vec<Vec<u8>>>,
}

impl Entry {
    fn bytes(&self, attribute: &str) -> Option<&[u8]> {
        let values = self.values.get(&attribute.to_ascii_lowercase())?;
        values.iter().map(Vec::as_slice).find(|value| !value.is_empty())
    }

    fn text(&self, attribute: &str) -> Option<&str> {
        let text = std::str::from_utf8(self.bytes(attribute)?).ok()?.trim();
        (!text.is_empty()).then_some(text)
    }
}

/// Somebody of a directory server who is to have an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// What tells the person for life.
    pub id: String,
    /// The distinguished name.
    pub dn: String,
    /// The SIP address.
    pub address: AddressOfRecord,
    /// Whether they may sign in.
    pub enabled: bool,
    /// The name others see.
    pub display_name: Option<Box<str>>,
    /// The mail address.
    pub mail: Option<Box<str>>,
    /// The number, if it is one.
    pub number: Option<LineUri>,
    /// Whether there was a number that is none.
    pub number_unreadable: bool,
    /// Title, company and department.
    pub job: Job,
}

/// Why somebody can have no account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unmapped {
    /// Nothing tells the person for life.
    NoId(String),
    /// None of the address attributes has a value.
    NoAddress,
    /// The domain is not ours.
    ForeignDomain(String),
    /// It cannot be a SIP address.
    BadAddress(String),
}

impl std::fmt::Display for Unmapped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unmapped::NoId(attribute) => {
                write!(f, "has no {attribute}: name another attribute with attributes.id, or let the searcher read it")
            }
            Unmapped::NoAddress => f.write_str("has none of the attributes that give the SIP address"),
            Unmapped::ForeignDomain(address) => {
                write!(
                    f,
                    "{address} is in no SIP domain of ours: add the domain, or say `domain` to put such people into one"
                )
            }
            Unmapped::BadAddress(address) => write!(f, "`{}` cannot be a SIP address", address.escape_debug()),
        }
    }
}

/// What is known of a person.
pub fn person(ldap: &Ldap, document: &Document, entry: &Entry) -> Result<Person, Unmapped> {
    let of = |field| ldap.attribute(field).and_then(|attribute| entry.text(attribute));
    let text = |field| of(field).map(shortened);
    let written = of(MappedField::Number);
    let number = written.and_then(|text| LineUri::parse(text).ok());
    Ok(Person {
        id: id(ldap, entry)?,
        dn: entry.dn.clone(),
        address: address(ldap, document, entry)?,
        enabled: !ldap.attribute(MappedField::Disabled).is_some_and(|attribute| is_disabled(attribute, entry)),
        display_name: text(MappedField::DisplayName),
        mail: text(MappedField::Mail),
        number,
        number_unreadable: written.is_some() && number.is_none(),
        job: Job {
            title: text(MappedField::Title),
            company: text(MappedField::Company),
            department: text(MappedField::Department),
        },
    })
}

impl Person {
    /// Writes into a record what the mapping reads; what it does not read stays.
    pub(crate) fn write(&self, ldap: &Ldap, user: &mut UserRecord) {
        let reads = |field| ldap.attribute(field).is_some();
        if reads(MappedField::DisplayName) {
            user.display_name.clone_from(&self.display_name);
        }
        if reads(MappedField::Mail) {
            user.mail.clone_from(&self.mail);
        }
        if reads(MappedField::Number) {
            user.numbers = self.number.into_iter().collect();
        }
        let mut job = user.job().clone();
        for (field, place, value) in [
            (MappedField::Title, &mut job.title, &self.job.title),
            (MappedField::Company, &mut job.company, &self.job.company),
            (MappedField::Department, &mut job.department, &self.job.department),
        ] {
            if reads(field) {
                place.clone_from(value);
            }
        }
        user.set_job(job);
    }
}

fn id(ldap: &Ldap, entry: &Entry) -> Result<String, Unmapped> {
    let attribute = ldap.attribute(MappedField::Id).unwrap_or_default();
    let bytes = entry.bytes(attribute).ok_or_else(|| Unmapped::NoId(attribute.to_owned()))?;
    // Active Directory's are 16 bytes, which may or may not be a text by chance.
    Ok(match std::str::from_utf8(bytes) {
        Ok(text) if !attribute.eq_ignore_ascii_case("objectGUID") => text.to_owned(),
        _ => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    })
}

fn address(ldap: &Ldap, document: &Document, entry: &Entry) -> Result<AddressOfRecord, Unmapped> {
    let written = ldap.address_attributes().into_iter().find_map(|name| entry.text(name)).ok_or(Unmapped::NoAddress)?;
    place(document, ldap.domain.as_deref(), written)
}

/// The SIP address that somebody means by `anna`, `anna@contoso.com` or `sip:anna@contoso.com`.
pub fn place(document: &Document, other: Option<&str>, written: &str) -> Result<AddressOfRecord, Unmapped> {
    let bare = match written.get(..4) {
        Some(scheme) if scheme.eq_ignore_ascii_case("sip:") => &written[4..],
        _ => written,
    };
    let (user, domain) = bare.rsplit_once('@').map_or((bare, None), |(user, domain)| (user, Some(domain)));
    let ours = |domain: &str| document.domains.iter().any(|one| one.name.as_str().eq_ignore_ascii_case(domain));
    let usual = || document.default_domain().map(|domain| domain.as_str());
    let domain = match domain {
        Some(domain) if ours(domain) => Some(domain),
        Some(_) => other,
        None => other.or_else(usual),
    };
    let domain = domain.ok_or_else(|| Unmapped::ForeignDomain(bare.to_owned()))?;
    AddressOfRecord::parse(&format!("{user}@{domain}")).map_err(|_| Unmapped::BadAddress(bare.to_owned()))
}

/// The SIP address of whom an issuer vouches for. It vouches for people of other organisations too: whom it names with a
/// domain that is not ours is nobody here, whatever the part before it.
pub fn place_vouched(document: &Document, other: Option<&str>, written: &str) -> Result<AddressOfRecord, Unmapped> {
    place(document, other.filter(|_| !written.contains('@')), written)
}

fn is_disabled(attribute: &str, entry: &Entry) -> bool {
    let value = entry.text(attribute);
    if attribute.eq_ignore_ascii_case("userAccountControl") {
        return value.and_then(|text| text.parse::<i64>().ok()).is_some_and(|bits| bits & ACCOUNT_DISABLE != 0);
    }
    value.is_some_and(|text| text.eq_ignore_ascii_case("true"))
}

fn shortened(text: &str) -> Box<str> {
    let plain = |c: &char| !c.is_control();
    text.chars().filter(plain).take(MAX_TEXT).collect::<String>().into()
}
