//! What goes wrong between us and a directory server.

use crate::trust::TrustFault;

/// Why a directory server did not help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LdapFault {
    /// No connection, or it broke.
    Away(String, String),
    /// There is nobody to trust.
    Trust(TrustFault),
    /// The password of who searches was never set.
    NoPassword,
    /// The password of who searches is wrong.
    BindRefused(String),
    /// The server said no; its code of RFC 4511.
    Refused {
        /// Which server.
        url: String,
        /// Its result code.
        code: u32,
        /// Its words.
        text: String,
    },
    /// The filter is none.
    BadFilter,
    /// More entries than are taken.
    TooMany(usize),
}

impl From<TrustFault> for LdapFault {
    fn from(fault: TrustFault) -> LdapFault {
        LdapFault::Trust(fault)
    }
}

impl LdapFault {
    /// What to do about it.
    pub fn fix(&self) -> &'static str {
        match self {
            LdapFault::Away(..) => "check name, port and certificate: lyceum accounts test",
            LdapFault::Trust(_) => "name a PEM file that the server may read in accounts.ldap.authorities",
            LdapFault::NoPassword => "set it: lyceum accounts secret ldap",
            LdapFault::BindRefused(_) => {
                "check accounts.ldap.bind_dn and set the password: lyceum accounts secret ldap"
            }
            LdapFault::Refused { code: 32, .. } => "check accounts.ldap.base: there is no such entry",
            LdapFault::Refused { code: 1 | 50, .. } => "let the account of accounts.ldap.bind_dn search and read there",
            LdapFault::Refused { code: 4, .. } => "set accounts.ldap.page_size to what the server allows in one answer",
            LdapFault::Refused { .. } => "look at the directory server's log",
            LdapFault::BadFilter => "mend accounts.ldap.filter",
            LdapFault::TooMany(_) => "narrow accounts.ldap.base or accounts.ldap.filter",
        }
    }
}

impl std::fmt::Display for LdapFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            LdapFault::Away(url, why) => write!(f, "the directory server {url} does not answer: {why}"),
            LdapFault::Trust(fault) => fault.fmt(f),
            LdapFault::NoPassword => f.write_str("the password of accounts.ldap.bind_dn was never set"),
            LdapFault::BindRefused(dn) => write!(f, "the directory server does not let {dn} in with this password"),
            LdapFault::Refused { url, code, text } => {
                write!(f, "the directory server {url} refuses with code {code}: {}", text.trim())
            }
            LdapFault::BadFilter => f.write_str("accounts.ldap.filter is no filter"),
            LdapFault::TooMany(most) => write!(f, "the search finds more than {most} entries"),
        }
    }
}

impl std::error::Error for LdapFault {}
