//! An organisation with two central sites and a branch, for the tests of this folder.
#![allow(dead_code, reason = "each test file uses a part of it")]

use lyceum_topology::{AddressOfRecord, Directory, Document, DomainName, UserId, UserRecord};

pub const CONTOSO: &str = "
organisation: Contoso
domains:
- name: contoso.com
  default: true
- name: fabrikam.com
sites:
- name: Berlin
  pools:
  - name: berlin1
    fqdn: berlin1.contoso.com
    nodes:
    - { name: fe1, fqdn: fe1.contoso.com }
    - { name: fe2, fqdn: fe2.contoso.com }
- name: Paris
  pools:
  - name: paris1
    fqdn: paris1.contoso.com
    nodes:
    - { name: fe3, fqdn: fe3.contoso.com }
- name: Lyon
  branch_of: Paris
trusted_hosts:
- name: sbc
  by: { mtls: { name: sbc.contoso.com } }
- name: pbx
  by: { address: { cidr: 192.0.2.7, transports: [udp, tcp] } }
static_routes:
- name: bots
  match: { uri_prefix: { prefix: 'sip:bot-' } }
  next_hops:
  - { host: bots.contoso.com, transport: tcp, port: 5060 }
- name: pstn
  match: { tel_prefix: { prefix: '+49' } }
  next_hops:
  - { host: 192.0.2.7, port: 5060, transport: udp }
policies:
  registrar:
    global: { max_endpoints: 10 }
    sites:
      Berlin: { max_endpoints: 12, max_expires: 1200 }
    pools:
      berlin1: { default_expires: 700 }
    named:
      Executives: { max_endpoints: 16 }
";

pub fn contoso() -> Document {
    Document::from_yaml(CONTOSO).expect("the sample document can be read")
}

pub fn user(id: u32, address: &str, pool: &str) -> UserRecord {
    UserRecord::new(UserId(id), AddressOfRecord::parse(address).expect("a SIP address"), pool)
}

pub fn many(count: u32) -> Directory {
    let mut directory = Directory::default();
    for id in 0..count {
        let mut user = user(id, &format!("user{id}@contoso.com"), if id % 3 == 0 { "paris1" } else { "berlin1" });
        user.display_name = Some(format!("User Number {id}").into());
        user.numbers = [lyceum_topology::LineUri::parse(&format!("+4930{id:07}")).expect("a number")].into();
        directory.insert(user).expect("all addresses and numbers differ");
    }
    directory
}

pub fn name(text: &str) -> DomainName {
    DomainName::parse(text).expect("a DNS name")
}
