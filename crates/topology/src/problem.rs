//! What is wrong with a document or a record, said so that a person can mend it.

use crate::path::Path;
use serde::Serialize;

/// One thing that is wrong: where, what, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The field, as `policies.registrar.sites.Berlin.max_endpoints`.
    pub path: String,
    /// The stable code, as `LYT0012`; [`CODES`] lists them all.
    pub code: &'static str,
    /// What is wrong, one sentence.
    pub what: String,
    /// What to do, one sentence.
    pub fix: String,
}

impl Problem {
    pub(crate) fn new(path: &Path, code: Code, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { path: path.to_string(), code: code.name(), what: what.into(), fix: fix.into() }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = if self.path.is_empty() { "document" } else { &self.path };
        write!(f, "{} {place}: {} {}", self.code, self.what, self.fix)
    }
}

macro_rules! codes {
    ($($variant:ident = $code:literal, $title:literal;)*) => {
        /// The kinds of problem. A code, once published, keeps its meaning for ever.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code { $(#[doc = $title] $variant,)* }

        impl Code {
            /// The code as an administrator sees it.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }
        }

        /// Every code this crate gives, with its title: the index of the help pages.
        pub const CODES: &[(&str, &str)] = &[$(($code, $title),)*];
    };
}

codes! {
    Syntax = "LYT0001", "The text is not JSON or YAML";
    TooLarge = "LYT0002", "The document is larger than the bound";
    UnknownField = "LYT0003", "A field that does not exist";
    WrongValue = "LYT0004", "A value of the wrong kind or shape";
    NoDomain = "LYT0005", "No SIP domain";
    DefaultDomain = "LYT0006", "Not exactly one default SIP domain";
    Duplicate = "LYT0007", "The same name twice";
    EmptyName = "LYT0008", "A name is empty or unusable";
    NoPool = "LYT0009", "No site, pool or node";
    BadFqdn = "LYT0010", "Not a host name";
    BranchParent = "LYT0011", "A branch site without a proper parent";
    OutOfRange = "LYT0012", "A value outside its range";
    Contradiction = "LYT0013", "Values that contradict each other";
    UnknownSite = "LYT0014", "A policy for a site that does not exist";
    UnknownPool = "LYT0015", "A pool that does not exist";
    NoTransport = "LYT0016", "A trusted host that no connection can match";
    TrustTooWide = "LYT0017", "A trusted address range that is far too wide";
    NoNextHop = "LYT0018", "A static route without a next hop";
    RouteToOurselves = "LYT0019", "A static route that takes away one of our own domains";
    ShadowedRoute = "LYT0020", "A static route that can never match";
    BadPattern = "LYT0021", "A pattern or prefix that cannot match";
    NoAlgorithm = "LYT0022", "No digest algorithm offered";
    PoolWide = "LYT0023", "A pool-wide value in a policy granted to users";
    UserInUnknownPool = "LYT0024", "Users whose pool is gone";
    UserInForeignDomain = "LYT0025", "Users whose SIP domain is gone";
    GrantUnknown = "LYT0026", "Users granted a policy that does not exist";
    PoolFull = "LYT0027", "More users in a pool than its policy allows";
    AddressTaken = "LYT0028", "An address two users claim";
    NumberTaken = "LYT0029", "A number two users claim";
    TooMany = "LYT0030", "More entries than the bound";
    BadPort = "LYT0031", "Not a port";
    BadUrl = "LYT0032", "Not the address of a web page";
    BadServer = "LYT0033", "Not the address of a directory server or issuer";
    PortsOverlap = "LYT0034", "Port ranges that overlap";
    BadPortRange = "LYT0035", "A range of ports that cannot be used";
    OwnDomainFederated = "LYT0036", "One of our own domains among partners";
    AllowedAndBlocked = "LYT0037", "A domain both allowed and blocked";
    FederationOff = "LYT0038", "Partners are discovered while federation is off";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_in_order() {
        assert!(CODES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn a_problem_reads_as_one_line() {
        let path = Path::root().key("domains").index(0);
        let problem = Problem::new(&path, Code::NoDomain, "There is none.", "Add one.");
        assert_eq!(problem.to_string(), "LYT0005 domains[0]: There is none. Add one.");
    }
}
