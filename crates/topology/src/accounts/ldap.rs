//! `accounts.ldap`: whose people have accounts here, and how what is known of them is read.

use serde::{Deserialize, Serialize};

/// The kind of directory server; it decides what a mapping that is not given is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LdapKind {
    /// Microsoft's Active Directory, or Samba's.
    #[default]
    ActiveDirectory,
    /// OpenLDAP, 389 and others with `inetOrgPerson`.
    InetOrgPerson,
}

/// What becomes of an account whose person is not found any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gone {
    /// It is disabled, with contacts and history kept.
    #[default]
    Disable,
    /// It is removed.
    Remove,
}

/// A directory server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ldap {
    /// `ldaps://dc1.contoso.com`, or `ldap://…` with `start_tls`.
    pub url: String,
    /// Whether a connection by `ldap://` becomes TLS before anything is said.
    pub start_tls: bool,
    /// Whether passwords may cross the network in the clear; to this machine itself they always may.
    pub allow_plain: bool,
    /// PEM file of the authorities that vouch for the server; those of the system when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorities: Option<String>,
    /// Who searches; empty for nobody in particular. The password is set by `lyceum accounts secret ldap`.
    pub bind_dn: String,
    /// Where the search begins.
    pub base: String,
    /// Who is found; what the kind says when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub filter: String,
    /// What kind of server it is.
    pub kind: LdapKind,
    /// Which attribute is what; each that is absent is what the kind says.
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// The SIP domain of people whose address names a domain that is not ours, or none. When absent, the former have no
    /// account and the latter are in the default domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The pool of new users; the first when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// How often people are compared; Lync's user replicator does it every minute. 0 for never by itself.
    pub interval_seconds: u32,
    /// Entries that one answer of the server holds.
    pub page_size: u32,
    /// What becomes of accounts whose person is gone.
    pub gone: Gone,
    /// A comparison that would disable or remove more than this share of the accounts stops and changes nothing.
    pub max_removed_percent: u32,
}

impl Default for Ldap {
    fn default() -> Self {
        Self {
            url: String::new(),
            start_tls: false,
            allow_plain: false,
            authorities: None,
            bind_dn: String::new(),
            base: String::new(),
            filter: String::new(),
            kind: LdapKind::default(),
            attributes: Attributes::default(),
            domain: None,
            pool: None,
            interval_seconds: 60,
            page_size: 500,
            gone: Gone::default(),
            max_removed_percent: 10,
        }
    }
}

/// Names of attributes. An empty one says that this is not read and stays the administrator's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Attributes {
    /// What tells a person for life.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The SIP address; the first of these that has a value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Vec<String>>,
    /// The name others see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    /// The number, with `+` and country code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// The job title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// The department.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// What says that the account is disabled: `userAccountControl` by its bit, any other by the value TRUE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<String>,
}

impl Attributes {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What is read of a person from one attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MappedField {
    /// What tells a person for life.
    Id,
    /// The name others see.
    DisplayName,
    /// The mail address.
    Mail,
    /// The number.
    Number,
    /// The job title.
    Title,
    /// The company.
    Company,
    /// The department.
    Department,
    /// Whether the account is disabled.
    Disabled,
}

impl MappedField {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Id,
        Self::DisplayName,
        Self::Mail,
        Self::Number,
        Self::Title,
        Self::Company,
        Self::Department,
        Self::Disabled,
    ];

    /// Its name in the document.
    pub fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::DisplayName => "display_name",
            Self::Mail => "mail",
            Self::Number => "number",
            Self::Title => "title",
            Self::Company => "company",
            Self::Department => "department",
            Self::Disabled => "disabled",
        }
    }
}

impl Ldap {
    /// The attribute of a field; `None` when it is not read.
    pub fn attribute(&self, field: MappedField) -> Option<&str> {
        let given = &self.attributes;
        let (given, [active_directory, inet_org_person]) = match field {
            MappedField::Id => (&given.id, ["objectGUID", "entryUUID"]),
            MappedField::DisplayName => (&given.display_name, ["displayName", "cn"]),
            MappedField::Mail => (&given.mail, ["mail", "mail"]),
            MappedField::Number => (&given.number, ["telephoneNumber", "telephoneNumber"]),
            MappedField::Title => (&given.title, ["title", "title"]),
            MappedField::Company => (&given.company, ["company", "o"]),
            MappedField::Department => (&given.department, ["department", "departmentNumber"]),
            MappedField::Disabled => (&given.disabled, ["userAccountControl", ""]),
        };
        let usual = match self.kind {
            LdapKind::ActiveDirectory => active_directory,
            LdapKind::InetOrgPerson => inet_org_person,
        };
        Some(given.as_deref().unwrap_or(usual)).filter(|name| !name.is_empty())
    }

    /// The attributes of the SIP address, the best first.
    pub fn address_attributes(&self) -> Vec<&str> {
        match (&self.attributes.address, self.kind) {
            (Some(given), _) => given.iter().map(String::as_str).collect(),
            // What Lync itself wrote comes first, so that nobody's address changes on the way here.
            (None, LdapKind::ActiveDirectory) => {
                vec!["msRTCSIP-PrimaryUserAddress", "userPrincipalName", "sAMAccountName"]
            }
            (None, LdapKind::InetOrgPerson) => vec!["uid"],
        }
    }

    /// The filter in force.
    pub fn filter(&self) -> &str {
        match (self.filter.as_str(), self.kind) {
            ("", LdapKind::ActiveDirectory) => "(&(objectCategory=person)(objectClass=user))",
            ("", LdapKind::InetOrgPerson) => "(objectClass=inetOrgPerson)",
            (given, _) => given,
        }
    }
}
