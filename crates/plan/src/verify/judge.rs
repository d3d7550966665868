//! What an answer of the world means for a line of the plan.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::names::words;
use super::{Finding, Line, Must, Outcome, Probe, Reply, Service, Shown, Verdict};

/// A certificate that ends within so many days passes, with a word.
const SOON_DAYS: u64 = 30;
const DAY_SECONDS: u64 = 86_400;

fn verdict(outcome: Outcome, found: impl Into<String>, fix: impl Into<String>) -> Verdict {
    Verdict { outcome, found: found.into(), fix: fix.into() }
}

fn pass(found: impl Into<String>) -> Verdict {
    verdict(Outcome::Pass, found, "")
}

fn fail(found: impl Into<String>, fix: impl Into<String>) -> Verdict {
    verdict(Outcome::Fail, found, fix)
}

impl Line {
    /// The verdict on a line that cannot be asked from here.
    pub fn unasked(&self) -> Option<Verdict> {
        self.probe.as_ref().err().map(|why| verdict(Outcome::Skipped, why.as_str(), ""))
    }

    /// What `finding` means, at a time in seconds since the Unix epoch.
    pub fn judge(&self, finding: &Finding, now_seconds: u64) -> Verdict {
        match (&self.must, finding) {
            (Must::Addresses(planned, zone), Finding::Addresses(found)) => self.addresses(planned, found, zone),
            (Must::Services(planned, zone), Finding::Services(found)) => self.services(planned, found, zone),
            (Must::Addresses(..) | Must::Services(..), Finding::Unresolved(why)) => {
                let fix = "see that the name server runs and may be asked from here, or name another with --dns";
                fail(format!("the name server does not say: {why}"), fix)
            }
            (Must::Names { names, request, .. }, Finding::Certificate(shown)) => {
                certificate(names, request, shown, now_seconds)
            }
            (Must::Names { request, .. }, Finding::NoCertificate(why)) => {
                let fix = format!(
                    "see that TLS is spoken there, with the certificate of {request} ('lyceum plan certificates --requests')"
                );
                fail(format!("it answers, but shows no certificate: {why}"), fix)
            }
            (Must::Names { answers: true, .. }, Finding::Reply(_)) => {
                fail("nothing answers there", "see the line of this port below; then verify again")
            }
            (Must::Names { .. }, Finding::Reply(_)) => verdict(Outcome::Skipped, "nothing answers there yet", ""),
            (Must::Answer { from } | Must::Path { from }, Finding::Reply(reply)) => self.port(*reply, from),
            (Must::Shut { from }, Finding::Open(open)) => self.shut(open, from),
            // A finding that answers another question.
            _ => verdict(Outcome::Skipped, "nothing was asked", ""),
        }
    }

    fn name(&self) -> &str {
        self.subject.split(' ').next().unwrap_or(&self.subject)
    }

    fn addresses(&self, planned: &BTreeSet<IpAddr>, found: &[IpAddr], zone: &str) -> Verdict {
        let found: BTreeSet<IpAddr> = found.iter().copied().collect();
        let record = |address: &IpAddr| format!("{} IN {} {address}", self.name(), kind(*address));
        self.differs(
            (planned.difference(&found).map(record).collect(), found.difference(planned).map(record).collect()),
            words(found.iter().map(ToString::to_string)),
            zone,
        )
    }

    fn services(&self, planned: &BTreeSet<Service>, found: &[Service], zone: &str) -> Verdict {
        let found: BTreeSet<Service> = found.iter().cloned().collect();
        let record = |service: &Service| format!("{} IN SRV 0 0 {} {}.", self.name(), service.port, service.target);
        self.differs(
            (planned.difference(&found).map(record).collect(), found.difference(planned).map(record).collect()),
            words(found.iter().map(|service| format!("{}:{}", service.target, service.port))),
            zone,
        )
    }

    /// Records that are missing, and such as nobody planned.
    fn differs(&self, (missing, extra): (Vec<String>, Vec<String>), found: String, zone: &str) -> Verdict {
        if missing.is_empty() && extra.is_empty() {
            return pass(found);
        }
        let mut todo = Vec::new();
        if !missing.is_empty() {
            todo.push(format!("add to the {zone} zone: {}", missing.join("; ")));
        }
        if !extra.is_empty() {
            todo.push(format!("remove from it: {}", extra.join("; ")));
        }
        let found = if found.is_empty() { "no such record".to_owned() } else { found };
        fail(found, format!("{} ('lyceum plan dns --zones' writes the zones)", todo.join(", and ")))
    }

    fn port(&self, reply: Reply, from: &str) -> Verdict {
        let (protocol, port) = match &self.probe {
            Ok(Probe::Udp(_, port)) => ("UDP", *port),
            Ok(Probe::Tcp(_, port)) => ("TCP", *port),
            _ => ("", 0),
        };
        let must_answer = matches!(self.must, Must::Answer { .. });
        match reply {
            Reply::Answered => pass("answers"),
            Reply::Refused if must_answer => fail(
                "the host is reached, but nothing listens",
                format!(
                    "start the service on {}: 'lyceum doctor' there says why nothing listens at {port}",
                    self.name()
                ),
            ),
            Reply::Refused => pass("the way is open; nothing listens there"),
            Reply::Silent if protocol == "UDP" => verdict(Outcome::Skipped, "no answer, which says nothing of UDP", ""),
            Reply::Silent | Reply::Unreachable => fail(
                if reply == Reply::Silent { "no answer: dropped on the way, or no such host" } else { "no way there" },
                format!(
                    "let {protocol} {port} from {from} to {} through every filter between ('lyceum plan firewall --nftables' \
                     writes the rule), and see that {} is up and has that address",
                    self.address(),
                    self.name()
                ),
            ),
        }
    }

    fn address(&self) -> String {
        match &self.probe {
            Ok(Probe::Tcp(address, _) | Probe::Udp(address, _) | Probe::Shut(address, _)) => address.to_string(),
            _ => self.subject.clone(),
        }
    }

    fn shut(&self, open: &[u16], from: &str) -> Verdict {
        if open.is_empty() {
            return pass("shut");
        }
        let open = words(open.iter().map(ToString::to_string));
        let fix = format!(
            "close TCP {open} from {from} to {} in the filter between: the plan opens it to others only ('lyceum plan \
             firewall --nftables' writes what is to be let through)",
            self.address()
        );
        fail(format!("open: TCP {open}"), fix)
    }
}

fn kind(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "A" } else { "AAAA" }
}

/// Whether a certificate's name stands for `name` (RFC 6125: a star stands for one label).
fn covers(shown: &str, name: &str) -> bool {
    match shown.strip_prefix("*.") {
        Some(parent) => name.split_once('.').is_some_and(|(_, rest)| rest == parent),
        None => shown == name,
    }
}

fn certificate(names: &[String], request: &str, shown: &Shown, now: u64) -> Verdict {
    let missing: Vec<&str> =
        names.iter().filter(|name| !shown.names.iter().any(|one| covers(one, name))).map(String::as_str).collect();
    let again = format!("have it issued again from {request} ('lyceum plan certificates --requests' writes it)");
    if !missing.is_empty() {
        let found = format!("lacks {}; has {}", missing.join(", "), shown.names.join(", "));
        return fail(found, format!("{again}, and put it into service"));
    }
    if now < shown.from_seconds {
        let days = (shown.from_seconds - now).div_ceil(DAY_SECONDS);
        return fail(
            format!("is not valid for {days} more days"),
            "set the clocks of both ends right, or wait".to_owned(),
        );
    }
    if now > shown.until_seconds {
        let days = (now - shown.until_seconds) / DAY_SECONDS;
        return fail(format!("ended {days} days ago"), format!("{again}, and put it into service"));
    }
    let days = (shown.until_seconds - now) / DAY_SECONDS;
    let fix = if days < SOON_DAYS { again } else { String::new() };
    verdict(Outcome::Pass, format!("all names, {days} more days, by {}", shown.issuer), fix)
}
