//! All calculators at once: what pictures and reports are made of.

use lyceum_topology::qos::Qos;
use serde::Serialize;

use crate::bandwidth::{Bandwidth, bandwidth};
use crate::capacity::{Capacity, capacity};
use crate::deployment::{Certificate, Deployment, Filter, Record, certificates, deployment, filter, records};
use crate::file::Plan;
use crate::qos::planned_qos;
use crate::vpn::{SplitTunnel, split_tunnel};

/// A plan and everything that follows from it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Results<'p> {
    /// What the business needs.
    pub plan: &'p Plan,
    /// Servers, storage and PSTN ports.
    pub capacity: Capacity,
    /// What the links carry.
    pub bandwidth: Bandwidth,
    /// Every server with its names and addresses.
    pub deployment: Deployment,
    /// DNS.
    pub records: Vec<Record>,
    /// Certificates.
    pub certificates: Vec<Certificate>,
    /// What filters let through.
    pub filter: Filter,
    /// Ports and marks of the planned servers: each role has an address of its own, as the filters have it.
    pub qos: Qos,
    /// What keeps real-time traffic out of a tunnel, where people connect by VPN.
    pub vpn: Option<SplitTunnel>,
}

impl<'p> Results<'p> {
    /// Everything that follows from `plan`.
    pub fn of(plan: &'p Plan) -> Results<'p> {
        let capacity = capacity(plan);
        let deployment = deployment(plan, &capacity);
        let records = records(plan, &deployment);
        let filter = filter(plan, &capacity, &deployment);
        Results {
            bandwidth: bandwidth(plan),
            certificates: certificates(plan, &deployment),
            vpn: split_tunnel(plan, &deployment, &filter, &records),
            qos: planned_qos(),
            plan,
            capacity,
            deployment,
            records,
            filter,
        }
    }
}
