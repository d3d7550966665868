//! Every DNS record of a deployment: inside, outside, and the pin-point answers for VPN clients.

use std::net::Ipv4Addr;

use serde::Serialize;

use super::{Deployment, Pool};
use crate::capacity::Role;
use crate::figures::dns_rows;
use crate::file::{Plan, SimpleUrls};

/// Who is answered so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Clients inside.
    Internal,
    /// Everybody outside.
    External,
    /// VPN clients, by a resolver of their own.
    PinPoint,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Value {
    /// An address.
    A(Ipv4Addr),
    /// A service at a port of a host.
    Srv {
        /// The port.
        port: u16,
        /// The host.
        target: String,
    },
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Record {
    /// Who is answered so.
    pub scope: Scope,
    /// The full name, without a dot at its end.
    pub name: String,
    /// What it says.
    pub value: Value,
    /// What for.
    pub purpose: &'static str,
    /// When it is needed.
    pub required: &'static str,
    /// Who says so.
    pub source: &'static str,
}

/// The records of a plan's deployment; those outside twice, once as pin-point answers, where there are VPN clients.
pub fn records(plan: &Plan, deployment: &Deployment) -> Vec<Record> {
    let mut writer = Writer { plan, deployment, found: Vec::new() };
    writer.internal();
    writer.external();
    if *plan.vpn.enabled {
        writer.pin_point();
    }
    let mut found = writer.found;
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|record| seen.insert((record.scope, record.name.clone(), record.value.clone())));
    found
}

struct Writer<'a> {
    plan: &'a Plan,
    deployment: &'a Deployment,
    found: Vec<Record>,
}

impl Writer<'_> {
    fn add(&mut self, scope: Scope, id: &str, name: String, value: Value) {
        let row = dns_rows().iter().find(|row| row.id == id).expect("every record that is written is in dns.csv");
        self.found.push(Record { scope, name, value, purpose: row.role, required: row.required, source: row.source });
    }

    fn addresses(&mut self, scope: Scope, id: &str, name: String, addresses: &[Ipv4Addr]) {
        for address in addresses {
            self.add(scope, id, name.clone(), Value::A(*address));
        }
    }

    fn service(&mut self, scope: Scope, id: &str, name: String, port: u16, target: &str) {
        self.add(scope, id, name, Value::Srv { port, target: target.to_owned() });
    }

    fn internal(&mut self) {
        let deployment = self.deployment;
        for host in &deployment.hosts {
            self.add(Scope::Internal, "server", host.fqdn.clone(), Value::A(host.address));
        }
        for pool in &deployment.pools {
            self.pool(pool);
        }
        let Some(first) = deployment.first_pool() else { return };
        let addresses: Vec<Ipv4Addr> = self.pool_addresses(first);
        let web = deployment.web_addresses(first);
        for domain in &deployment.sip_domains {
            // Clients take a target in another domain for an attack.
            let sip = format!("sip.{domain}");
            let target = if first.fqdn.ends_with(&format!(".{domain}")) { first.fqdn.clone() } else { sip.clone() };
            self.service(Scope::Internal, "srv-internal-tls", format!("_sipinternaltls._tcp.{domain}"), 5061, &target);
            if *self.plan.access.tcp_sign_in {
                self.service(Scope::Internal, "srv-internal-tcp", format!("_sipinternal._tcp.{domain}"), 5060, &target);
            }
            self.addresses(Scope::Internal, "sipinternal", format!("sipinternal.{domain}"), &addresses);
            self.addresses(Scope::Internal, "sip-internal", sip, &addresses);
            self.addresses(Scope::Internal, "lyncdiscoverinternal", format!("lyncdiscoverinternal.{domain}"), &web);
            if *self.plan.access.phones {
                self.addresses(Scope::Internal, "ucupdates", format!("ucupdates-r2.{domain}"), &web);
            }
        }
        self.simple_urls(Scope::Internal, &web);
        let main = deployment.main_domain();
        if *self.plan.access.admin_url && *self.plan.access.simple_urls == SimpleUrls::PerDomain {
            self.addresses(Scope::Internal, "admin", format!("admin.{main}"), &web);
        }
    }

    fn pool_addresses(&self, pool: &Pool) -> Vec<Ipv4Addr> {
        let hardware = *self.plan.access.load_balancing == crate::LoadBalancing::Hardware;
        match pool.vip {
            Some(vip) if hardware => vec![vip],
            _ => self.deployment.addresses(pool).collect(),
        }
    }

    fn pool(&mut self, pool: &Pool) {
        let id = match pool.role {
            Role::Edge => "edge-internal",
            Role::StandardEdition | Role::BranchStandardEdition => "standard-edition",
            Role::PersistentChat => "chat",
            _ => "front-end-pool",
        };
        let shared = pool.hosts.iter().all(|&host| self.deployment.hosts[host].fqdn != pool.fqdn);
        let named = !matches!(
            pool.role,
            Role::BackEnd | Role::Witness | Role::MonitoringStore | Role::ReverseProxy | Role::MeetingBackEnd
        );
        if shared && named {
            let addresses = self.pool_addresses(pool);
            self.addresses(Scope::Internal, id, pool.fqdn.clone(), &addresses);
        }
        if let Some(web) = pool.web_internal.as_ref().filter(|web| **web != pool.fqdn) {
            let addresses = self.deployment.web_addresses(pool);
            self.addresses(Scope::Internal, "web-internal", web.clone(), &addresses);
        }
    }

    fn simple_urls(&mut self, scope: Scope, web: &[Ipv4Addr]) {
        if !*self.plan.meetings.enabled {
            return;
        }
        let main = self.deployment.main_domain().to_owned();
        if *self.plan.access.simple_urls == SimpleUrls::Shared {
            self.addresses(scope, "shared-url", format!("lync.{main}"), web);
            return;
        }
        for domain in &self.deployment.sip_domains {
            self.addresses(scope, "meet", format!("meet.{domain}"), web);
        }
        if *self.plan.meetings.dial_in {
            self.addresses(scope, "dialin", format!("dialin.{main}"), web);
        }
    }

    fn external(&mut self) {
        self.edge();
        let deployment = self.deployment;
        let proxies: Vec<(usize, Ipv4Addr)> =
            deployment.places.iter().enumerate().filter_map(|(site, place)| Some((site, place.proxy?))).collect();
        let Some(&(_, first)) = proxies.first() else { return };
        for pool in &deployment.pools {
            let Some(web) = &pool.web_external else { continue };
            let proxy = proxies.iter().find(|(site, _)| *site == pool.site).map_or(first, |(_, proxy)| *proxy);
            self.add(Scope::External, "web-external", web.clone(), Value::A(proxy));
        }
        for (site, proxy) in &proxies {
            if deployment.pools_of(Role::OfficeWebApps).any(|pool| pool.site == *site) {
                let name = format!("owas-{}.{}", deployment.places[*site].slug, deployment.main_domain());
                self.add(Scope::External, "office-web-apps", name, Value::A(*proxy));
            }
        }
        for domain in &deployment.sip_domains {
            self.add(Scope::External, "lyncdiscover", format!("lyncdiscover.{domain}"), Value::A(first));
        }
        self.simple_urls(Scope::External, &[first]);
    }

    /// The names of Edge pools: the first one has `sip`, `webcon` and `av`, the others carry their site's name.
    fn edge(&mut self) {
        let deployment = self.deployment;
        let (main, access) = (deployment.main_domain().to_owned(), &self.plan.access);
        for (number, pool) in deployment.pools_of(Role::Edge).enumerate() {
            let slug = &deployment.places[pool.site].slug;
            let [access, webcon, av] = public_addresses(deployment, pool);
            let tail = if number == 0 { String::new() } else { format!("-{slug}") };
            if number > 0 {
                self.addresses(Scope::External, "sip", format!("sip{tail}.{main}"), &access);
            } else {
                for domain in &deployment.sip_domains {
                    self.addresses(Scope::External, "sip", format!("sip.{domain}"), &access);
                    self.addresses(Scope::External, "sipexternal", format!("sipexternal.{domain}"), &access);
                }
            }
            self.addresses(Scope::External, "webcon", format!("webcon{tail}.{main}"), &webcon);
            self.addresses(Scope::External, "av", format!("av{tail}.{main}"), &av);
        }
        let Some(first) = deployment.pools_of(Role::Edge).next() else { return };
        let push = *self.plan.mobility.enabled && *self.plan.mobility.push;
        for domain in &deployment.sip_domains {
            let sip = format!("sip.{domain}");
            self.service(Scope::External, "srv-sip-tls", format!("_sip._tls.{domain}"), 443, &sip);
            if *access.federation || push {
                self.service(Scope::External, "srv-federation", format!("_sipfederationtls._tcp.{domain}"), 5061, &sip);
            }
            if *access.xmpp {
                let xmpp = format!("xmpp.{domain}");
                self.service(Scope::External, "srv-xmpp", format!("_xmpp-server._tcp.{domain}"), 5269, &xmpp);
                self.addresses(Scope::External, "xmpp", xmpp, &public_addresses(deployment, first)[0]);
            }
        }
    }

    /// What a VPN client is told: the answers from outside, and those of Exchange.
    fn pin_point(&mut self) {
        let outside: Vec<Record> =
            self.found.iter().filter(|record| record.scope == Scope::External).cloned().collect();
        let clients = |name: &str| {
            !name.starts_with("_sipfederationtls") && !name.starts_with("_xmpp") && !name.starts_with("xmpp.")
        };
        self.found.extend(
            outside
                .into_iter()
                .filter(|record| clients(&record.name))
                .map(|record| Record { scope: Scope::PinPoint, ..record }),
        );
        let Some(address) = self.plan.exchange.address.as_ref().filter(|_| *self.plan.exchange.enabled) else { return };
        let exchange = |name: String, address: &Ipv4Addr| Record {
            scope: Scope::PinPoint,
            name,
            value: Value::A(*address),
            purpose: "Exchange",
            required: "with Exchange",
            source: "SEED2",
        };
        for address in &address.value {
            for domain in &self.deployment.sip_domains {
                self.found.push(exchange(format!("autodiscover.{domain}"), address));
            }
            self.found.push(exchange(format!("owa.{}", self.deployment.main_domain()), address));
        }
    }
}

/// Public addresses of an Edge pool by service: those of its balancer, else of each server.
pub(crate) fn public_addresses(deployment: &Deployment, pool: &Pool) -> [Vec<Ipv4Addr>; 3] {
    [0, 1, 2].map(|service| match pool.public_vip {
        Some(vip) => vec![vip[service]],
        None => pool.hosts.iter().filter_map(|&host| Some(deployment.hosts[host].public?[service])).collect(),
    })
}
