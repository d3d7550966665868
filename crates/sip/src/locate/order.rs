//! Orders of DNS records: NAPTR by order and preference, SRV by priority and weight.

use crate::transport::Transport;
use rand_core::RngCore;

/// A NAPTR record (RFC 3403) of the kind that RFC 3263 reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NaptrRecord {
    /// Order: lower first, and not skipped.
    pub order: u16,
    /// Preference within an order.
    pub preference: u16,
    /// `s` leads to SRV; others are not followed.
    pub flags: String,
    /// `SIP+D2U`, `SIPS+D2T` and their like.
    pub service: String,
    /// The SRV name.
    pub replacement: String,
}

/// An SRV record (RFC 2782).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SrvRecord {
    /// Priority: lower first.
    pub priority: u16,
    /// Share within a priority.
    pub weight: u16,
    /// Port.
    pub port: u16,
    /// Host.
    pub target: String,
}

/// The transport that a NAPTR service means (RFC 3263 §4.1, RFC 7118 §8).
pub(super) fn service_transport(service: &str) -> Option<Transport> {
    let known = [
        ("SIP+D2U", Transport::Udp),
        ("SIP+D2T", Transport::Tcp),
        ("SIPS+D2T", Transport::Tls),
        ("SIP+D2W", Transport::Ws),
        ("SIPS+D2W", Transport::Wss),
    ];
    known.into_iter().find(|(name, _)| service.eq_ignore_ascii_case(name)).map(|(_, t)| t)
}

/// The SRV name for a transport.
pub(super) fn srv_name(transport: Transport, domain: &str) -> String {
    let prefix = match transport {
        Transport::Udp => "_sip._udp",
        Transport::Tcp => "_sip._tcp",
        Transport::Tls => "_sips._tcp",
        Transport::Ws => "_sip._ws",
        Transport::Wss => "_sips._ws",
    };
    format!("{prefix}.{domain}")
}

/// The records that can be used, in the order to follow them.
pub(super) fn naptr(mut records: Vec<NaptrRecord>, usable: &[Transport]) -> Vec<(Transport, String)> {
    records.sort_by_key(|r| (r.order, r.preference));
    records
        .into_iter()
        .filter(|r| r.flags.eq_ignore_ascii_case("s"))
        .filter_map(|r| {
            let transport = service_transport(&r.service).filter(|t| usable.contains(t))?;
            Some((transport, name(&r.replacement)))
        })
        .collect()
}

/// RFC 2782: by priority, within it at random by weight, those of weight 0 having their small
/// chance.
pub(super) fn srv(mut records: Vec<SrvRecord>, rng: &mut impl RngCore) -> Vec<SrvRecord> {
    // §"Usage rules": a target "." means that the service is not there.
    records.retain(|r| !r.target.is_empty() && r.target != ".");
    records.sort_by_key(|r| (r.priority, r.weight));
    let mut out = Vec::with_capacity(records.len());
    while let Some(first) = records.first() {
        let run = records.iter().take_while(|r| r.priority == first.priority).count();
        let total: u64 = records[..run].iter().map(|r| u64::from(r.weight)).sum();
        let mut pick = rng.next_u64() % (total + 1);
        let chosen = records[..run].iter().position(|r| {
            let here = pick <= u64::from(r.weight);
            pick = pick.saturating_sub(u64::from(r.weight));
            here
        });
        out.push(records.remove(chosen.unwrap_or(0)));
    }
    out
}

/// A DNS name as we compare and ask it.
pub(super) fn name(text: &str) -> String {
    text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase()
}
