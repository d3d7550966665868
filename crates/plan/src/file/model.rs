//! What a plan says, as types: one struct for each table of the file.

use std::net::Ipv4Addr;

use serde::Serialize;

use super::answer::{Answer, Answered};
use super::choice::{AudioMode, Breakout, Edition, LargeMeetings, LoadBalancing, Mediation, SimpleUrls, Usage};
use crate::network::Network;
use lyceum_topology::qos::PortRange;

/// A plan: what a business needs, every answer with its origin.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// Names of the organisation and its domains.
    pub organisation: Organisation,
    /// How many of the users are there at once, with how many endpoints.
    pub model: Model,
    /// How people reach the deployment from outside and inside.
    pub access: Access,
    /// Telephony.
    pub voice: Voice,
    /// Meetings.
    pub meetings: Meetings,
    /// Phones and tablets.
    pub mobility: Mobility,
    /// Persistent chat.
    pub chat: Chat,
    /// What is archived.
    pub archiving: Archiving,
    /// What is recorded of calls.
    pub monitoring: Monitoring,
    /// Which losses must be survived.
    pub availability: Availability,
    /// The servers to be bought.
    pub hardware: Hardware,
    /// How links are used.
    pub network: NetworkUse,
    /// Exchange beside it.
    pub exchange: Exchange,
    /// People who connect by VPN.
    pub vpn: Vpn,
    /// Sites, central ones and branches.
    pub sites: Vec<Site>,
    /// Links between them and to the internet.
    pub links: Vec<Link>,
    /// Kinds of users.
    pub personas: Vec<Persona>,
    /// Why it is done at all: each driver and whether it is one.
    pub drivers: Vec<(&'static str, Answer<bool>)>,
    /// Every question that was asked, with its answer.
    pub answers: Vec<Answered>,
}

/// Names of the organisation and its domains.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Organisation {
    /// Its name.
    pub name: Answer<String>,
    /// The domains of its SIP addresses; the first is the main one.
    pub sip_domains: Answer<Vec<String>>,
    /// The domain in which its servers are named.
    pub server_domain: Answer<String>,
}

/// How many of the users are there at once.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Model {
    /// Share of enabled users that is signed in.
    pub concurrency: Answer<f64>,
    /// Endpoints of a user where mobility is on.
    pub endpoints_with_mobility: Answer<f64>,
    /// Endpoints of a user where it is off.
    pub endpoints_without_mobility: Answer<f64>,
}

/// How the deployment is reached.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "each field is the question of the same name in data/fields.csv")]
pub struct Access {
    pub edge: Answer<bool>,
    pub director: Answer<bool>,
    pub remote_share: Answer<f64>,
    pub load_balancing: Answer<LoadBalancing>,
    pub nat: Answer<bool>,
    pub federation: Answer<bool>,
    pub legacy_partners: Answer<bool>,
    pub xmpp: Answer<bool>,
    pub phones: Answer<bool>,
    pub tcp_sign_in: Answer<bool>,
    pub simple_urls: Answer<SimpleUrls>,
    pub admin_url: Answer<bool>,
}

/// Telephony.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "each field is the question of the same name in data/fields.csv")]
pub struct Voice {
    pub enabled: Answer<bool>,
    pub share: Answer<f64>,
    pub pstn_share: Answer<f64>,
    pub calls_busy_hour: Answer<f64>,
    pub minutes: Answer<f64>,
    pub bypass: Answer<f64>,
    pub blocking: Answer<f64>,
    pub usage: Answer<Usage>,
    pub mediation: Answer<Mediation>,
    pub hyper_threading: Answer<bool>,
    pub response_group: Answer<bool>,
    pub call_park: Answer<bool>,
    pub group_pickup: Answer<bool>,
    pub announcements: Answer<bool>,
    pub admission: Answer<bool>,
    pub emergency: Answer<bool>,
    pub gateways: Option<Answer<Vec<Ipv4Addr>>>,
}

/// Meetings.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "each field is the question of the same name in data/fields.csv")]
pub struct Meetings {
    pub enabled: Answer<bool>,
    pub share: Answer<f64>,
    pub size: Answer<f64>,
    pub web_share: Answer<f64>,
    pub app_sharing: Answer<f64>,
    pub video: Answer<f64>,
    pub data: Answer<f64>,
    pub audio_less: Answer<f64>,
    pub dial_in: Answer<bool>,
    pub dial_in_only: Answer<f64>,
    pub large: Answer<LargeMeetings>,
    pub office_web_apps: Answer<bool>,
}

/// Phones and tablets.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "each field is the question of the same name in data/fields.csv")]
pub struct Mobility {
    pub enabled: Answer<bool>,
    pub share: Answer<f64>,
    pub push: Answer<bool>,
}

/// Persistent chat.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "each field is the question of the same name in data/fields.csv")]
pub struct Chat {
    pub enabled: Answer<bool>,
    pub share: Answer<f64>,
}

/// What is archived.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "each field is the question of the same name in data/fields.csv")]
pub struct Archiving {
    pub enabled: Answer<bool>,
    pub days: Answer<u64>,
}

/// What is recorded of calls.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "each field is the question of the same name in data/fields.csv")]
pub struct Monitoring {
    pub enabled: Answer<bool>,
    pub cdr_days: Answer<u64>,
    pub qoe_days: Answer<u64>,
}

/// Which losses must be survived.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "each field is the question of the same name in data/fields.csv")]
pub struct Availability {
    pub high: Answer<bool>,
    pub recovery: Answer<bool>,
}

/// The servers to be bought.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "each field is the question of the same name in data/fields.csv")]
pub struct Hardware {
    pub cores: Answer<u64>,
    pub mhz: Answer<u64>,
}

/// How links are used.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "each field is the question of the same name in data/fields.csv")]
pub struct NetworkUse {
    pub audio: Answer<AudioMode>,
    pub peer_codec: Option<Answer<String>>,
    pub meeting_codec: Option<Answer<String>>,
    pub pstn_codec: Option<Answer<String>>,
    pub fec: Answer<bool>,
    pub realtime_share: Answer<f64>,
    pub audio_cap: Answer<f64>,
    pub video_cap: Answer<f64>,
}

/// Exchange beside it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "each field is the question of the same name in data/fields.csv")]
pub struct Exchange {
    pub enabled: Answer<bool>,
    pub address: Option<Answer<Vec<Ipv4Addr>>>,
}

/// People who connect by VPN.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "each field is the question of the same name in data/fields.csv")]
pub struct Vpn {
    pub enabled: Answer<bool>,
    pub client_networks: Answer<Vec<Network>>,
    pub corporate_networks: Answer<Vec<Network>>,
    pub media_ports: Answer<PortRange>,
    pub connection: Answer<String>,
}

/// A site: a central one with servers, or a branch of one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Site {
    /// Its name, unlike any other's.
    pub name: Answer<String>,
    /// The central site that serves it: its number in [`Plan::sites`]. A central site has none.
    pub hub: Option<usize>,
    /// Users that are enabled there.
    pub users: Answer<u64>,
    /// Users that are signed in there at once.
    pub signed_in: Answer<f64>,
    /// Share of them that is outside.
    pub remote_share: Answer<f64>,
    /// Standard Edition or a pool.
    pub edition: Answer<Edition>,
    /// The site that takes over when this one is lost: its number in [`Plan::sites`].
    pub pair: Option<usize>,
    /// Where its calls reach the PSTN.
    pub pstn: Answer<Breakout>,
    /// Whether a branch keeps its phones when the link is down.
    pub survivable: Answer<bool>,
    /// Where its servers stand.
    pub network: Option<Answer<Network>>,
    /// Where the inner interfaces of its Edge servers stand.
    pub perimeter: Option<Answer<Network>>,
    /// Its public addresses.
    pub public: Option<Answer<Network>>,
    /// Where its clients stand.
    pub clients: Option<Answer<Vec<Network>>>,
    /// Users of each persona: its number in [`Plan::personas`] and how many. The rest follows the user model.
    pub personas: Vec<(usize, u64)>,
}

/// A link between two sites or from a site to the internet.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Link {
    /// Where it begins: a number in [`Plan::sites`].
    pub from: usize,
    /// Where it ends; nothing for the internet.
    pub to: Option<usize>,
    /// Its speed in each direction.
    pub mbps: Answer<f64>,
    /// Share of it that real-time traffic may use.
    pub realtime_share: Answer<f64>,
    /// The line that names it.
    pub line: usize,
}

/// A kind of user. Shares are of its signed-in users, at the busiest moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "each field is the question of the same name in data/fields.csv")]
pub struct Persona {
    pub name: Answer<String>,
    pub remote_share: Option<Answer<f64>>,
    pub away_share: Option<Answer<f64>>,
    pub peer_audio: Answer<f64>,
    pub peer_video: Answer<f64>,
    pub pstn_audio: Answer<f64>,
    pub meeting_audio: Answer<f64>,
    pub meeting_video: Answer<f64>,
    pub sharing: Answer<f64>,
    pub data: Answer<f64>,
    pub peer_calls: Answer<f64>,
    pub pstn_calls: Answer<f64>,
    pub minutes: Answer<f64>,
}

impl Plan {
    /// The central sites with their numbers.
    pub fn centrals(&self) -> impl Iterator<Item = (usize, &Site)> {
        self.sites.iter().enumerate().filter(|(_, site)| site.hub.is_none())
    }

    /// The central site that serves site `number`: itself, if it is one.
    pub fn hub_of(&self, number: usize) -> usize {
        self.sites[number].hub.unwrap_or(number)
    }

    /// The domain of the organisation's main SIP addresses.
    pub fn main_domain(&self) -> &str {
        self.organisation.sip_domains.first().map_or("", String::as_str)
    }

    /// Endpoints of a user: fewer where mobility is off.
    pub fn endpoints_per_user(&self) -> f64 {
        let model = &self.model;
        if *self.mobility.enabled { *model.endpoints_with_mobility } else { *model.endpoints_without_mobility }
    }
}
