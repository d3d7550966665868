//! DNS: phones that know only their domain find us, and the names of pool and node lead to this machine.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use lyceum_net::{LookupError, Resolver, ResolverOptions};
use lyceum_sip::locate::{Query, Records, SrvRecord};

use super::finding::Finding;
use crate::config::Port;

/// A service that clients look up below a SIP domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// The labels before the domain.
    pub label: &'static str,
    /// The listener that serves it.
    pub transport: &'static str,
}

/// The services of RFC 3263, and the one that Lync's clients ask for inside.
pub const SERVICES: &[Service] = &[
    Service { label: "_sip._udp", transport: "udp" },
    Service { label: "_sip._tcp", transport: "tcp" },
    Service { label: "_sips._tcp", transport: "tls" },
    Service { label: "_sipinternaltls._tcp", transport: "tls" },
];

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// SIP domains.
    pub domains: Vec<String>,
    /// Names of pool and node.
    pub hosts: Vec<String>,
    /// The node's own name, for the records that we propose.
    pub node: String,
    /// Our ports.
    pub ports: Vec<Port>,
}

type Answer<T> = Result<Vec<T>, LookupError>;

/// What DNS says.
#[derive(Clone, Debug, Default)]
pub struct NameFacts {
    /// By whole name.
    pub services: BTreeMap<String, Answer<SrvRecord>>,
    /// By host.
    pub hosts: BTreeMap<String, Answer<IpAddr>>,
    /// Addresses of this machine.
    pub ours: Vec<IpAddr>,
}

/// Asks everything at once.
pub fn gather(runtime: &tokio::runtime::Runtime, wanted: &Wanted) -> Result<NameFacts, LookupError> {
    let resolver = Resolver::new(runtime.handle().clone(), ResolverOptions::default())?;
    let mut facts = NameFacts { ours: addresses(), ..NameFacts::default() };
    let services =
        wanted.domains.iter().flat_map(|domain| SERVICES.iter().map(move |s| format!("{}.{domain}", s.label)));
    for (name, answer) in ask(runtime, &resolver, services.map(|name| (name.clone(), Query::Srv(name))).collect()) {
        let records = answer.map(|records| if let Records::Srv(list) = records { list } else { Vec::new() });
        facts.services.insert(name, records);
    }
    let targets = facts.services.values().flatten().flatten().map(|record| record.target.clone());
    let mut hosts: Vec<String> = wanted.hosts.iter().cloned().chain(targets).collect();
    hosts.sort();
    hosts.dedup();
    for (name, answer) in
        ask(runtime, &resolver, hosts.into_iter().map(|host| (host.clone(), Query::Addresses(host))).collect())
    {
        let addresses = answer.map(|records| if let Records::Addresses(list) = records { list } else { Vec::new() });
        facts.hosts.insert(name, addresses);
    }
    Ok(facts)
}

fn ask(
    runtime: &tokio::runtime::Runtime,
    resolver: &Resolver,
    questions: Vec<(String, Query)>,
) -> Vec<(String, Result<Records, LookupError>)> {
    runtime.block_on(async {
        let mut under_way = tokio::task::JoinSet::new();
        for (name, query) in questions {
            let resolver = resolver.clone();
            under_way.spawn(async move { (name, resolver.ask(&query).await) });
        }
        under_way.join_all().await
    })
}

/// The addresses of this machine's interfaces, from `/proc`.
fn addresses() -> Vec<IpAddr> {
    let v4 = fs::read_to_string("/proc/net/fib_trie").unwrap_or_default();
    let v6 = fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
    v4_of(&v4).into_iter().map(IpAddr::from).chain(v6_of(&v6).into_iter().map(IpAddr::from)).collect()
}

/// A leaf `|-- 192.0.2.1` followed by `/32 host LOCAL` is an address of ours.
fn v4_of(trie: &str) -> Vec<Ipv4Addr> {
    let (mut found, mut leaf) = (Vec::new(), None);
    for line in trie.lines().map(str::trim_start) {
        if let Some(address) = line.strip_prefix("|-- ") {
            leaf = address.trim().parse().ok();
        } else if line.starts_with("/32 host LOCAL") {
            found.extend(leaf.filter(|address| !found.contains(address)));
        }
    }
    found
}

fn v6_of(table: &str) -> Vec<Ipv6Addr> {
    let hex = table.lines().filter_map(|line| u128::from_str_radix(line.split_ascii_whitespace().next()?, 16).ok());
    hex.map(Ipv6Addr::from).collect()
}

/// How it stands with every name.
pub fn judge(facts: &NameFacts, wanted: &Wanted) -> Vec<Finding> {
    let hosts = wanted.hosts.iter().filter_map(|host| Some(judge_host(host, facts.hosts.get(host)?, facts, wanted)));
    let mut found: Vec<Finding> = hosts.collect();
    for domain in &wanted.domains {
        for service in SERVICES {
            let name = format!("{}.{domain}", service.label);
            found.extend(
                facts.services.get(&name).and_then(|answer| judge_service(&name, *service, answer, facts, wanted)),
            );
        }
    }
    found
}

fn judge_host(host: &str, answer: &Answer<IpAddr>, facts: &NameFacts, wanted: &Wanted) -> Finding {
    let what = format!("name {host}");
    let own = wanted.ports.iter().map(|port| port.addr.ip()).find(|ip| !ip.is_unspecified());
    let own = own.or_else(|| facts.ours.iter().copied().find(|ip| !ip.is_loopback()));
    let own = own.map_or("ADDRESS".into(), |ip| ip.to_string());
    let record = if own.contains(':') { "AAAA" } else { "A" };
    match answer {
        Err(error) => Finding::warn(what, error.to_string(), format!("check DNS: `getent hosts {host}`")),
        Ok(list) if list.is_empty() => {
            Finding::fail(what, "DNS knows no address for it", format!("add to the zone: `{host}. IN {record} {own}`"))
        }
        Ok(list) if list.iter().any(|ip| facts.ours.contains(ip)) => {
            Finding::ok(what, format!("leads here, to {}", shown(list)))
        }
        Ok(list) => {
            let detail = format!("leads to {}, which is no address of this machine", shown(list));
            Finding::warn(
                what,
                detail,
                format!(
                    "right behind address translation or for another node of the pool; else `{host}. IN {record} {own}`"
                ),
            )
        }
    }
}

fn shown(list: &[IpAddr]) -> String {
    list.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", ")
}

/// `None` when there is neither a listener for the service nor a record that would need one.
fn judge_service(
    name: &str,
    service: Service,
    answer: &Answer<SrvRecord>,
    facts: &NameFacts,
    wanted: &Wanted,
) -> Option<Finding> {
    let what = format!("name {name}");
    let ports: Vec<u16> = wanted.ports.iter().filter(|p| p.what == service.transport).map(|p| p.addr.port()).collect();
    let records = match answer {
        Err(_) if ports.is_empty() => return None,
        Err(error) => return Some(Finding::warn(what, error.to_string(), format!("check DNS: `dig SRV {name}`"))),
        Ok(records) => records,
    };
    let proposal = ports.first().map(|port| format!("`{name}. IN SRV 0 0 {port} {}.`", wanted.node));
    let Some(proposal) = proposal else {
        let stale = records.first()?;
        let detail =
            format!("names {}:{}, but this node has no {} listener", stale.target, stale.port, service.transport);
        return Some(Finding::warn(
            what,
            detail,
            format!("take it out of the zone, or add a {} listener", service.transport),
        ));
    };
    if records.is_empty() {
        let detail =
            format!("no record: clients that know only the domain do not find {}", service.transport.to_uppercase());
        return Some(Finding::warn(what, detail, format!("add to the zone: {proposal}")));
    }
    let leads_here = |record: &SrvRecord| {
        let addresses = facts.hosts.get(&record.target).and_then(|answer| answer.as_ref().ok());
        ports.contains(&record.port) && addresses.is_some_and(|list| list.iter().any(|ip| facts.ours.contains(ip)))
    };
    let list: Vec<String> = records.iter().map(|record| format!("{}:{}", record.target, record.port)).collect();
    Some(if records.iter().any(leads_here) {
        Finding::ok(what, list.join(", "))
    } else {
        let detail = format!("names {}, none of which is a port of this machine", list.join(", "));
        Finding::warn(what, detail, format!("right behind address translation or for another node; else {proposal}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Verdict::{self, Fail, Ok as Good, Warn};

    fn wanted() -> Wanted {
        let port = |what: &str| Port { what: what.into(), addr: ([0, 0, 0, 0], 5060).into(), datagram: what == "udp" };
        let (domains, hosts) = (vec!["example.org".into()], vec!["node.example.org".into()]);
        Wanted { domains, hosts, node: "node.example.org".into(), ports: vec![port("udp")] }
    }

    fn facts(hosts: &[(&str, Answer<IpAddr>)], services: &[(&str, Answer<SrvRecord>)]) -> NameFacts {
        let owned = |name: &str| name.to_owned();
        NameFacts {
            services: services.iter().map(|(name, answer)| (owned(name), answer.clone())).collect(),
            hosts: hosts.iter().map(|(name, answer)| (owned(name), answer.clone())).collect(),
            ours: vec!["192.0.2.1".parse().unwrap()],
        }
    }

    #[test]
    fn a_host_leads_here_or_is_told() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let cases: [(Answer<IpAddr>, Verdict, &str); 4] = [
            (Ok(vec![ip("192.0.2.1")]), Good, "leads here"),
            (Ok(vec![ip("198.51.100.9")]), Warn, "no address of this machine"),
            (Ok(vec![]), Fail, "no address for it"),
            (Err(LookupError::Late), Warn, "did not answer"),
        ];
        for (answer, verdict, part) in cases {
            let found = judge(&facts(&[("node.example.org", answer)], &[]), &wanted());
            assert!(
                found.len() == 1 && found[0].verdict == verdict && found[0].detail.contains(part),
                "{part}: {found:?}"
            );
        }
        let fix = judge(&facts(&[("node.example.org", Ok(vec![]))], &[]), &wanted()).remove(0).fix.unwrap();
        assert_eq!(fix, "add to the zone: `node.example.org. IN A 192.0.2.1`");
    }

    #[test]
    fn a_service_leads_to_a_listener_or_is_told() {
        let record = |target: &str, port| SrvRecord { priority: 0, weight: 0, port, target: target.into() };
        let here = ("node.example.org", Ok(vec!["192.0.2.1".parse().unwrap()]));
        type Expected = Option<(Verdict, &'static str)>;
        let cases: [(&str, Answer<SrvRecord>, Expected); 8] = [
            (
                "_sip._udp.example.org",
                Ok(vec![record("node.example.org", 5060)]),
                Some((Good, "node.example.org:5060")),
            ),
            ("_sip._udp.example.org", Ok(vec![record("node.example.org", 5070)]), Some((Warn, "none of which"))),
            ("_sip._udp.example.org", Ok(vec![record("old.example.org", 5060)]), Some((Warn, "none of which"))),
            ("_sip._udp.example.org", Ok(vec![]), Some((Warn, "no record"))),
            ("_sip._udp.example.org", Err(LookupError::Late), Some((Warn, "did not answer"))),
            ("_sip._tcp.example.org", Ok(vec![record("node.example.org", 5060)]), Some((Warn, "no tcp listener"))),
            ("_sip._tcp.example.org", Ok(vec![]), None),
            ("_sip._tcp.example.org", Err(LookupError::Late), None),
        ];
        for (name, answer, expected) in cases {
            let facts = facts(std::slice::from_ref(&here), &[(name, answer)]);
            let found: Vec<_> =
                judge(&facts, &wanted()).into_iter().filter(|finding| finding.what.contains(name)).collect();
            match expected {
                None => assert_eq!(found, []),
                Some((verdict, part)) => {
                    assert!(
                        found.len() == 1 && found[0].verdict == verdict && found[0].detail.contains(part),
                        "{part}: {found:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn addresses_are_read_as_the_kernel_writes_them() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     |-- 127.0.0.1\n        /32 host LOCAL\n     |-- 192.0.2.255\n        /32 link BROADCAST\n     |-- 192.0.2.1\n        /32 host LOCAL\n     |-- 192.0.2.1\n        /32 host LOCAL\n";
        assert_eq!(v4_of(trie), [Ipv4Addr::LOCALHOST, Ipv4Addr::new(192, 0, 2, 1)]);
        let table = "00000000000000000000000000000001 01 80 10 80       lo\n";
        assert_eq!(v6_of(table), [Ipv6Addr::LOCALHOST]);
    }
}
