//! Other organisations: whom we talk to, and what an Access Edge is told of us.

use crate::document::Document;
use crate::domain::DomainName;
use serde::{Deserialize, Serialize};

/// Messages a second that a discovered partner may send, as Lync had it.
pub const DISCOVERED_MESSAGES_PER_SECOND: u32 = 20;

/// Federation as the document sets it. Off as a whole until turned on, and then for users whose policy allows it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Federation {
    /// Whether anybody outside our organisation is talked to.
    pub enabled: bool,
    /// Whether partners that are not listed are found by DNS and let in by certificate, at a bounded rate.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub discovery: bool,
    /// Partners by agreement.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<PartnerDomain>,
    /// Domains that are never talked to, with what lies below them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blocked: Vec<PartnerDomain>,
}

/// One domain of others.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PartnerDomain {
    /// The SIP domain.
    pub name: DomainName,
    /// What a person wants to know about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// A public provider: its people reach users whose policy says `allow_public`. Means nothing for a blocked domain.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub public: bool,
}

/// How a domain stands to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// A partner by agreement.
    Partner,
    /// A public provider by agreement.
    Public,
    /// Not listed; let in at a bounded rate.
    Discovered,
    /// Listed as blocked.
    Blocked,
    /// Not listed, and partners are not discovered; or federation is off.
    Closed,
}

impl Standing {
    /// Whether it is talked to at all.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Partner | Self::Public | Self::Discovered)
    }
}

impl Federation {
    /// Nothing is set.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// How this domain stands to us; letter case does not matter.
    pub fn standing(&self, domain: &str) -> Standing {
        if !self.enabled {
            return Standing::Closed;
        }
        if self.block_of(domain).is_some() {
            return Standing::Blocked;
        }
        match self.allowed.iter().find(|one| one.name.as_str().eq_ignore_ascii_case(domain)) {
            Some(one) if one.public => Standing::Public,
            Some(_) => Standing::Partner,
            None if self.discovery => Standing::Discovered,
            None => Standing::Closed,
        }
    }

    /// The blocked domain that this one is, or lies below.
    pub fn block_of(&self, domain: &str) -> Option<&DomainName> {
        let covers = |blocked: &str| {
            let at = domain.len().checked_sub(blocked.len());
            at.is_some_and(|at| {
                domain.is_char_boundary(at)
                    && domain[at..].eq_ignore_ascii_case(blocked)
                    && (at == 0 || domain.as_bytes()[at - 1] == b'.')
            })
        };
        self.blocked.iter().map(|one| &one.name).find(|name| !name.as_str().is_empty() && covers(name.as_str()))
    }
}

/// What an Access Edge is told: our domains and whom we talk to. No user, no number, no address inside.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EdgeCut {
    /// Our SIP domains.
    pub domains: Vec<DomainName>,
    /// Other organisations.
    pub federation: Federation,
}

impl EdgeCut {
    /// The cut of a document. What people wrote for themselves stays inside.
    pub fn of(document: &Document) -> Self {
        let mut federation = document.federation.clone();
        for one in federation.allowed.iter_mut().chain(&mut federation.blocked) {
            one.description = String::new();
        }
        Self { domains: document.domains.iter().map(|domain| domain.name.clone()).collect(), federation }
    }

    /// Whether this host is one of our SIP domains.
    pub fn is_ours(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        self.domains.iter().any(|domain| domain.as_str().eq_ignore_ascii_case(host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partner(name: &str, public: bool) -> PartnerDomain {
        PartnerDomain { name: DomainName::parse(name).unwrap(), public, ..PartnerDomain::default() }
    }

    #[test]
    fn how_domains_stand() {
        let mut federation = Federation {
            enabled: true,
            allowed: vec![partner("partner.test", false), partner("messenger.test", true)],
            blocked: vec![partner("evil.test", false)],
            ..Federation::default()
        };
        let table = [
            ("partner.test", Standing::Partner),
            ("PARTNER.test", Standing::Partner),
            ("sub.partner.test", Standing::Closed),
            ("messenger.test", Standing::Public),
            ("evil.test", Standing::Blocked),
            ("more.evil.test", Standing::Blocked),
            ("notevil.test", Standing::Closed),
            ("other.test", Standing::Closed),
        ];
        for (domain, standing) in table {
            assert_eq!(federation.standing(domain), standing, "{domain}");
        }
        federation.discovery = true;
        assert_eq!(federation.standing("other.test"), Standing::Discovered);
        assert_eq!(federation.standing("more.evil.test"), Standing::Blocked);
        federation.enabled = false;
        assert!(table.iter().all(|(domain, _)| federation.standing(domain) == Standing::Closed));
    }

    #[test]
    fn the_cut_of_an_edge_has_no_words_of_people() {
        let name = DomainName::parse("example.org").unwrap();
        let mut document = Document::dev(name.clone(), name);
        document.federation.allowed =
            vec![PartnerDomain { description: "ask Anna".into(), ..partner("p.test", false) }];
        let cut = serde_json::to_string(&EdgeCut::of(&document)).unwrap();
        assert!(cut.contains("example.org") && cut.contains("p.test") && !cut.contains("Anna"), "{cut}");
        assert!(EdgeCut::of(&document).is_ours("Example.org."));
    }
}
