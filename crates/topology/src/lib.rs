//! The topology: what an administrator sets, and what the server makes of it.
//!
//! A [`Document`] holds sites, pools, SIP domains, trusted hosts, static routes and policies; a
//! [`Directory`] holds users, numbers and devices. Both compile into an immutable [`Snapshot`], from
//! which every request is answered. Nothing here reads a clock, a file or a socket.
//!
//! ```
//! use lyceum_topology::*;
//! let domain = DomainName::parse("contoso.com")?;
//! let document = Document::dev(domain.clone(), domain);
//! let mut directory = Directory::default();
//! directory.insert(UserRecord::new(UserId(1), AddressOfRecord::parse("anna@contoso.com")?, "pool1"))?;
//! let snapshot = Snapshot::compile(&document, directory).map_err(|problems| problems[0].to_string())?;
//! let anna = snapshot.user(b"Anna", b"contoso.com").ok_or("anna")?;
//! assert_eq!(snapshot.registrar_policy(anna).max_expires, 900);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod accounts;
mod change;
mod compile;
pub mod directory;
mod document;
mod domain;
mod effective;
pub mod federation;
mod parse;
mod path;
pub mod policy;
mod problem;
mod provisioning;
pub mod qos;
mod route;
mod site;
mod snapshot;
mod trusted;
mod validate;

pub use change::{Change, ChangeKind};
pub use compile::{PoolPolicies, UserPolicies};
pub use directory::{
    AddressError, AddressOfRecord, Assignment, Conflict, DeviceRecord, Directory, E164, Expansion, GROUP_DEPTH_MOST,
    GROUP_MEMBERS_MOST, GROUP_PEOPLE_MOST, GroupFault, GroupRecord, Job, LineUri, MacAddress, NumberError,
    NumberRecord, UserId, UserRecord, folded_address, routing_group,
};
pub use document::Document;
pub use domain::{DomainName, NameError, SipDomain};
pub use effective::{EffectivePolicy, EffectiveValue};
pub use path::{Path, Segment};
pub use policy::{
    ArchivingPolicy, AuthenticationPolicy, CallDetailPolicy, CallPolicy, ClientVersionPolicy, DigestAlgorithm,
    ExternalAccessPolicy, FileTransferPolicy, GrantKind, ImFilterPolicy, KeepLadders, LockoutPolicy, MessagePolicy,
    Origin, Policies, PolicyKind, PresencePolicy, ProxyPolicy, RegistrarPolicy,
};
pub use problem::{CODES, Problem};
pub use provisioning::{ClientModality, ClientQos, Provisioning, Servers, Who};
pub use route::{NextHop, RouteMatch, StaticRoute};
pub use site::{Node, Pool, Site};
pub use snapshot::Snapshot;
pub use trusted::{Cidr, CidrError, HopTransport, PeerFacts, TrustedBy, TrustedHost};
